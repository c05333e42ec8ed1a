# ruff: noqa: E501 (a table row is one line, however much it says)
"""What Argo CD Image Updater was told, as rules: files, branches, deliveries, and what is not carried over."""

from __future__ import annotations

import pytest
from support.elsewhere import CHART, IRIS, LILY, notes, only
from support.files import DictFiles

from updater.charts import Survey

KUSTOMIZATION = f"images:\n- name: iris\n  newName: {IRIS}\n  newTag: 1.0.0\n"
VALUES = f"image:\n  repository: {IRIS}\n  tag: 1.0.0\nweb:\n  image: {IRIS}:1.0.0\n"
FILES = CHART | {
    "charts/iris/values.yaml": VALUES,
    "charts/iris/values-dev.yaml": VALUES,
    "apps/iris/base/kustomization.yaml": KUSTOMIZATION,
    "apps/iris/overlays/dev/kustomization.yaml": KUSTOMIZATION,
}
GIT = "write-back-method: git"


def argo(
    *annotations: str,
    images: str = f"iris={IRIS}",
    source: str = "path: charts/iris",
    kind: str = "Application",
) -> dict[str, str]:
    prefix = "argocd-image-updater.argoproj.io/"
    said = "".join(f"    {prefix}{one}\n" for one in (f"image-list: '{images}'", *annotations))
    spec = source if source.startswith("sources") else f"source: {{{source}}}"
    text = (
        f"apiVersion: argoproj.io/v1alpha1\nkind: {kind}\nmetadata:\n  name: garden\n  annotations:\n{said}"
        f"spec:\n  {spec}\n"
    )
    return {**FILES, "argo.yaml": text}


def updater_object(
    image: str, back: str = "{method: git}", pattern: str = "gar*", more: str = ""
) -> dict[str, str]:
    application = argo()["argo.yaml"].split("  annotations")[0] + "spec: {source: {path: charts/iris}}\n"
    text = (
        "apiVersion: argocd-image-updater.argoproj.io/v1alpha1\nkind: ImageUpdater\nmetadata: {name: u}\nspec:\n"
        f"  writeBackConfig: {back}\n  commonUpdateSettings: {{updateStrategy: alphabetical}}\n"
        f"  applicationRefs: [{{namePattern: '{pattern}', images: [{{alias: iris, {image}}}]{more}}}]\n"
    )
    return {**FILES, "app.yaml": application, "updater.yaml": text}


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        (argo(GIT), "charts/iris/values.yaml"),
        (argo(GIT, source="path: ./charts/iris/, helm: {valueFiles: [values.yaml, values-dev.yaml]}"), "charts/iris/values-dev.yaml"),
        (argo(GIT, "write-back-target: helmvalues:values-dev.yaml"), "charts/iris/values-dev.yaml"),
        (argo(GIT, "write-back-target: helmvalues"), "charts/iris/values.yaml"),
        (argo(GIT, "write-back-target: helmvalues:/charts/iris/values-dev.yaml", source="path: x"), "charts/iris/values-dev.yaml"),
        (argo(GIT, "write-back-target: helmvalues:../iris/values-dev.yaml"), "charts/iris/values-dev.yaml"),
        (argo(GIT, "write-back-target: kustomization", source="path: apps/iris/overlays/dev"), "apps/iris/overlays/dev/kustomization.yaml"),
        (argo(GIT, "write-back-target: kustomization:../../base", source="path: apps/iris/overlays/dev"), "apps/iris/base/kustomization.yaml"),
        (argo(source="path: apps/iris/overlays/dev"), "apps/iris/overlays/dev/kustomization.yaml"),
        (
            argo(GIT, source="sources: [{chart: x, helm: {valueFiles: [$v/charts/iris/values-dev.yaml]}}, {ref: v}]"),
            "charts/iris/values-dev.yaml",
        ),
        (updater_object(f"imageName: {IRIS}"), "charts/iris/values.yaml"),
        (updater_object(f"imageName: {IRIS}", "{gitConfig: {writeBackTarget: 'helmvalues:values-dev.yaml'}}"), "charts/iris/values-dev.yaml"),
    ],
)  # fmt: skip
def test_the_file_is_the_one_that_argo_cd_reads_the_tag_from(files: dict[str, str], taken: str) -> None:
    one = only(files)
    [path] = [path for path in FILES if Survey(DictFiles(files)).matches(one.scope, path)]
    assert path == taken


@pytest.mark.parametrize(
    ("files", "branch", "delivery"),
    [
        (argo(GIT), None, "commit"),
        (argo(GIT, source="path: charts/iris, targetRevision: HEAD"), None, "commit"),
        (argo(GIT, source="path: charts/iris, targetRevision: live"), "live", "commit"),
        (argo(GIT, "git-branch: main", source="path: charts/iris, targetRevision: live"), "main", "commit"),
        (argo(GIT, "git-branch: 'main:bot-{{range .Images}}{{.Name}}{{end}}'"), "main", "merge-request"),
        (argo(GIT, "git-branch: ':bot'", source="path: charts/iris, targetRevision: live"), "live", "merge-request"),
        (argo(GIT, "git-branch: 'main:main'"), "main", "commit"),
        (argo(GIT, "git-branch: '{{.SHA256}}'"), None, "commit"),
        (updater_object(f"imageName: {IRIS}", "{gitConfig: {branch: main, pullRequest: {gitlab: {}}}}"), "main", "merge-request"),
        (updater_object(f"imageName: {IRIS}", "{gitConfig: {branch: 'main:x'}}"), "main", "merge-request"),
        (updater_object(f"imageName: {IRIS}", "{gitConfig: {branch: 'main:main'}}"), "main", "commit"),
        (
            updater_object(f"imageName: {IRIS}", "{gitConfig: {branch: main}}", more=", writeBackConfig: {gitConfig: {branch: dev}}"),
            "dev",
            "commit",
        ),
    ],
)  # fmt: skip
def test_the_branch_that_is_written_decides_whether_it_is_proposed(
    files: dict[str, str], branch: str | None, delivery: str
) -> None:
    one = only(files)
    assert (one.branch, one.delivery) == (branch, delivery)


STABLE = "[0-9]+\\.[0-9]+\\.[0-9]+"


@pytest.mark.parametrize(
    ("files", "pattern", "order"),
    [
        (argo(), f"^v?(?P<version>{STABLE})$", "semver"),
        (argo(images=f"{IRIS}:1.2"), r"^v?(?P<version>1\.2\.[0-9]+)$", "semver"),
        (
            {**argo(images="localhost:5000/iris:1.2"), "charts/iris/values.yaml": "image: localhost:5000/iris:1.2.0\n"},
            r"^v?(?P<version>1\.2\.[0-9]+)$",
            "semver",
        ),
        (argo("iris.allow-tags: regexp:^main-[0-9]+$", "iris.update-strategy: newest-build"), "^main-[0-9]+$", "none"),
        (argo("iris.allow-tags: any", "iris.update-strategy: latest"), None, "none"),
        (argo("iris.allow-tags: Regexp:^a$", "iris.update-strategy: Newest-Build"), "^a$", "none"),
        (argo("iris.update-strategy: name", "iris.ignore-tags: 'a*, b'"), "(?!(?:a[^/]*|b)$).*", "alphabetical"),
        (argo("update-strategy: alphabetical"), None, "alphabetical"),
        (argo("iris.update-strategy: digest", images=f"iris={IRIS}:edge"), "^edge$", "none"),
        (argo("team_iris.update-strategy: name", images=f"team/iris={IRIS}"), None, "alphabetical"),
        (updater_object(f"imageName: '{IRIS}:1'"), None, "alphabetical"),
        (
            updater_object(f"imageName: '{IRIS}', commonUpdateSettings: {{updateStrategy: name, allowTags: 'regexp:^a$', ignoreTags: [b]}}"),
            "(?!(?:b)$)^a$",
            "alphabetical",
        ),
    ],
)  # fmt: skip
def test_the_strategy_and_the_filters_become_a_pattern_and_an_order(
    files: dict[str, str], pattern: str | None, order: str
) -> None:
    one = only(files)
    assert (one.tags.pattern, one.tags.order) == (pattern, order)


@pytest.mark.parametrize(
    ("files", "note"),
    [
        (argo(), "argo.yaml:1: tags were written into the Application 'garden' in the cluster and not into Git"),
        (argo(GIT), "argo.yaml:1: tags were kept in charts/iris/.argocd-source-garden.yaml, which wins"),
        (argo(GIT), "take its annotations off the Applications"),
        (argo("iris.pull-secret: secret:a/b#c"), "argo.yaml:1: pull-secret and platforms: no registry is asked."),
        (argo("git-branch: '{{.SHA256}}'"), "argo.yaml:1: the branch '{{.SHA256}}' is a template"),
        (argo("iris.allow-tags: ^main-"), "argo.yaml:1: Argo CD Image Updater, iris: allow-tags '^main-': it took no tag"),
        (argo(images=LILY), f"charts/iris/values.yaml: {LILY} does not stand there: write it there once"),
        (argo("iris.helm.image-tag: no.such"), "charts/iris/values.yaml: no.such stands nowhere in the file"),
        (
            {**argo(), "b.yaml": argo(source="path: x")["argo.yaml"]},
            "b.yaml:1: x/values.yaml, where the tag of iris would stand, is not in this checkout.",
        ),
        (
            {**argo(), "b.yaml": argo(source="path: 'apps/{{name}}'")["argo.yaml"]},
            "b.yaml:1: the path 'apps/{{name}}' is a template; write rules for its files.",
        ),
        (
            {**argo(), "b.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: s}\nspec: {template: "
             "{metadata: {annotations: {argocd-image-updater.argoproj.io/image-list: x}}}}\n"},
            "b.yaml:1: the ApplicationSet 's' makes its applications elsewhere",
        ),
        (
            {**argo(), **updater_object("imageName: x", pattern="none")},
            "updater.yaml:1: no Application called 'none' is in this checkout.",
        ),
        (updater_object(f"imageName: {IRIS}", more=", labelSelectors: {matchLabels: {}}"), "updater.yaml:1: labelSelectors:"),
    ],
)  # fmt: skip
def test_what_of_argo_cds_cannot_be_carried_over_is_told(files: dict[str, str], note: str) -> None:
    assert note in notes(files)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("helm.image-tag: app.version", ("app", "version")),
        ("helm.image-tag: 'list[0].version'", ("list", 0, "version")),
        ("helm.image-spec: whole", ("whole",)),
        ("helm.image-tag: 'a\\.b'", ("a.b",)),
    ],
)
def test_a_helm_key_that_is_not_found_by_looking_is_named_under_images(
    key: str, path: tuple[str, ...]
) -> None:
    values = f"app: {{version: 1.0.0}}\nlist: [{{version: 1.0.0}}]\nwhole: {IRIS}:1.0.0\na.b: 1.0.0\n"
    files = {**argo(f"iris.{key}"), "charts/iris/values.yaml": values}
    [pin] = only(files).scope.pinned
    assert (pin.repository, pin.file, pin.path) == (IRIS, "charts/iris/values.yaml", path)


def test_a_helm_key_that_is_found_by_looking_is_named_only_where_its_image_stands_elsewhere_too() -> None:
    tag, web = f"image:\n  repository: {IRIS}\n  tag: 1.0.0\n", f"web:\n  image: {IRIS}:1.0.0\n"
    values = "charts/iris/values.yaml"
    assert only(argo("iris.helm.image-tag: image.tag") | {values: tag}).scope.pinned == ()
    assert only(argo("iris.helm.image-spec: web.image") | {values: web}).scope.pinned == ()
    same = argo("other.helm.image-tag: image.tag", images=f"iris={IRIS},other={IRIS}")
    assert only(same | {values: tag}).scope.pinned == ()
    [pin] = only(argo("iris.helm.image-tag: image.tag") | {values: tag + web}).scope.pinned
    assert pin.path == ("image", "tag")
    pinned = tag + f"  digest: sha256:{'a' * 64}\n"
    assert only(argo("iris.helm.image-tag: image.tag") | {values: pinned + web}).scope.pinned == ()
