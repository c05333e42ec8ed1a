"""Kustomize's `images:` and plain manifests: which places are found, and what an edit writes there."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.files import DictFiles

from updater.charts import Survey, Target
from updater.errors import EditRefused
from updater.model import Scope, canonical_repository

IRIS = "registry.example.com/iris"
FILE = "apps/iris/overlays/dev/kustomization.yaml"
SHA, OTHER_SHA = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def found(text: str, file: str = FILE, repository: str = IRIS) -> tuple[Survey, tuple[Target, ...]]:
    survey = Survey(DictFiles({file: textwrap.dedent(text)}))
    name = canonical_repository(repository)
    assert name is not None
    return survey, survey.targets(Scope(files=(file,)), name)


def written(text: str, tag: str, digest: str | None = None, *, file: str = FILE) -> str:
    survey, targets = found(text, file)
    assert targets, "nothing found"
    return survey.write(file, [(target, tag, digest) for target in targets]).decode()


# what it is, an entry below `images:`, and what the tag 1.10 makes of it
ENTRIES = [
    ("name and newTag", f"- name: {IRIS}\n  newTag: '1.9'\n", f"- name: {IRIS}\n  newTag: '1.10'\n"),
    (
        "a name in the manifests that newName replaces",
        f"- name: iris\n  newName: {IRIS}\n  newTag: v1 # mind\n",
        f'- name: iris\n  newName: {IRIS}\n  newTag: "1.10" # mind\n',
    ),
    (
        "the tag first",
        f"- newTag: v1\n  newName: {IRIS}\n  name: iris\n",
        f'- newTag: "1.10"\n  newName: {IRIS}\n  name: iris\n',
    ),
    (
        "in one line",
        f"- {{name: iris, newName: {IRIS}, newTag: v1}}\n",
        f'- {{name: iris, newName: {IRIS}, newTag: "1.10"}}\n',
    ),
    (
        "no tag yet",
        f"- name: iris\n  newName: {IRIS}\n",
        f'- name: iris\n  newName: {IRIS}\n  newTag: "1.10"\n',
    ),
    ("nothing but a name", f"- name: {IRIS}\n", f'- name: {IRIS}\n  newTag: "1.10"\n'),
    ("an empty tag", f"- name: {IRIS}\n  newTag:\n", f'- name: {IRIS}\n  newTag: "1.10"\n'),
    (
        "an empty newName",
        f"- name: {IRIS}\n  newName: ''\n  newTag: v1\n",
        f"- name: {IRIS}\n  newName: ''\n  newTag: \"1.10\"\n",
    ),
    (
        "a name that takes one tag of the manifests only",
        f"- name: {IRIS}:old\n  newTag: v1\n",
        f'- name: {IRIS}:old\n  newTag: "1.10"\n',
    ),
    (
        "a marker of Flux behind the tag",
        f'- name: {IRIS}\n  newTag: v1 # {{"$imagepolicy": "flux-system:iris:tag"}}\n',
        f'- name: {IRIS}\n  newTag: "1.10" # {{"$imagepolicy": "flux-system:iris:tag"}}\n',
    ),
]


@pytest.mark.parametrize(("entry", "after"), [row[1:] for row in ENTRIES], ids=[row[0] for row in ENTRIES])
def test_the_entry_of_an_image_gets_its_tag_and_nothing_else_changes(entry: str, after: str) -> None:
    around = "resources: [../../base]\nimages:\n- name: other\n  newTag: v1\n{}namePrefix: dev-\n"
    assert written(around.format(entry), "1.10") == around.format(after)


def test_the_name_in_the_manifests_is_not_the_repository_where_newname_replaces_it() -> None:
    text = f"images:\n- name: {IRIS}\n  newName: mirror.example.com/iris\n  newTag: v1\n"
    assert found(text)[1] == ()
    [target] = found(text, repository="mirror.example.com/iris")[1]
    assert (target.chart, target.tag, target.line) == ("iris", "v1", 4)


@pytest.mark.parametrize(
    ("entry", "digest", "after"),
    [
        (f"digest: {SHA}", OTHER_SHA, f"newTag: v2\n  digest: {OTHER_SHA}"),
        (f"newTag: v1\n  digest: {SHA}", OTHER_SHA, f"newTag: v2\n  digest: {OTHER_SHA}"),
        (f"newTag: v1\n  digest: {SHA}", "", 'newTag: v2\n  digest: ""'),
        (f"newTag: v1@{SHA}", OTHER_SHA, f"newTag: v2@{OTHER_SHA}"),
    ],
)
def test_a_digest_beside_the_tag_is_replaced_or_cleared_with_it(entry: str, digest: str, after: str) -> None:
    text = f"images:\n- name: {IRIS}\n  {{}}\n"
    assert written(text.format(entry), "v2", digest) == text.format(after)


def test_a_new_tag_beside_an_old_digest_is_refused() -> None:
    with pytest.raises(EditRefused, match=r"the digest sha256:a+ stands beside the tag"):
        written(f"images:\n- name: {IRIS}\n  newTag: v1\n  digest: {SHA}\n", "v2")


def test_a_tag_in_newname_is_refused_because_kustomize_writes_both() -> None:
    with pytest.raises(EditRefused, match="newName carries a tag or digest itself"):
        written(f"images:\n- name: iris\n  newName: {IRIS}:v1\n  newTag: v1\n", "v2")


def test_an_entry_without_kustomizes_own_keys_counts_in_a_kustomization_only() -> None:
    text = f"images:\n- name: {IRIS}\n"
    for name in ("kustomization.yaml", "kustomization.yml", "Kustomization"):
        assert len(found(text, f"apps/iris/{name}")[1]) == 1
    assert found(text, "apps/iris/values.yaml")[1] == ()
    assert found(f"other:\n  images:\n  - name: {IRIS}\n")[1] == ()


def test_a_flux_kustomization_holds_places_as_kustomizes_own_does() -> None:
    text = """\
        kind: Kustomization
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        spec:
          images:
            - name: iris
              newName: registry.example.com/iris
              newTag: v1
        """
    assert written(text, "v2", file="clusters/dev/iris.yaml") == textwrap.dedent(text).replace(
        "v1\n", "v2\n", 2
    ).replace("/v2\n", "/v1\n")


@pytest.mark.parametrize("entry", [f"{IRIS}:v1", f"iris={IRIS}:v1", f"a/b={IRIS}:v1@{SHA}"])
def test_an_application_of_argo_cd_holds_them_as_texts(entry: str) -> None:
    text = f"kind: Application\nspec:\n  source:\n    kustomize:\n      images:\n      - {entry} # mind\n"
    after = text.replace("v1", "v2").replace(SHA, OTHER_SHA)
    assert written(text, "v2", OTHER_SHA, file="argocd/iris.yaml") == after


WORKLOADS = f"""\
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      initContainers:
        - {{name: wait, image: "{IRIS}:v1"}}
      containers:
        - name: iris
          image: {IRIS}:v1 # {{"$imagepolicy": "flux-system:iris"}}
        - name: side
          image: registry.example.com/side:v1
---
apiVersion: batch/v1
kind: CronJob
spec: {{jobTemplate: {{spec: {{template: {{spec: {{containers: [{{name: c, image: '{IRIS}:v1'}}]}}}}}}}}}}
---
# nothing here
---
apiVersion: v1
kind: List
items:
  - kind: StatefulSet
    spec:
      template:
        spec:
          containers:
            - image: {IRIS}:v1
              name: iris
"""


def test_manifests_of_all_kinds_are_written_in_every_document() -> None:
    file = "envs/dev/iris/workloads.yaml"
    assert [one.document for one in found(WORKLOADS, file)[1]] == [0, 0, 1, 3]
    assert written(WORKLOADS, "v2", file=file) == WORKLOADS.replace(f"{IRIS}:v1", f"{IRIS}:v2")


# objects and lists that name an image to watch
WATCHERS = [
    f"apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\nspec:\n  image: {IRIS}\n",
    f"apiVersion: fleet.cattle.io/v1alpha1\nkind: ImageScan\nspec:\n  image: {IRIS}\n",
    f"imageScans:\n- image: {IRIS}\n  tagName: iris\n",
    f"apiVersion: argocd-image-updater.argoproj.io/v1alpha1\nspec:\n  images:\n  - imageName: {IRIS}:1.x\n",
]


@pytest.mark.parametrize("text", WATCHERS)
def test_what_another_tool_watches_is_no_place_for_a_tag(text: str) -> None:
    assert found(text, "fleet/iris/fleet.yaml")[1] == ()
    assert len(found(f"{text}---\nimage: {IRIS}:v1\n", "fleet/iris/fleet.yaml")[1]) == 1


@pytest.mark.parametrize(
    ("glob", "files"),
    [
        ("apps/*/overlays/dev/kustomization.yaml", {"apps/iris/overlays/dev/kustomization.yaml": "iris"}),
        ("apps/iris/overlays/dev/kustomization.yaml", {"apps/iris/overlays/dev/kustomization.yaml": "iris"}),
        (
            "**/kustomization.yaml",
            {"a/overlays/dev/kustomization.yaml": "a", "b/base/kustomization.yaml": "b"},
        ),
        ("overlays/dev/kustomization.yaml", {"overlays/dev/kustomization.yaml": "."}),
        ("overlays/prod/kustomization.yaml", {"overlays/prod/kustomization.yaml": "."}),
        ("overlays/*/kustomization.yaml", {"overlays/dev/kustomization.yaml": "dev"}),
        ("envs/dev/iris/deployment.yaml", {"envs/dev/iris/deployment.yaml": "iris"}),
        ("**/deployment.yaml", {"a/iris/deployment.yaml": "a/iris", "b/iris/deployment.yaml": "b/iris"}),
        ("apps/iris/*.yaml", {"apps/iris/web.yaml": "web", "apps/iris/worker.yaml": "worker"}),
        ("**", {"apps/iris/web.yaml": "iris", "apps/iris/worker.yaml": "iris"}),
    ],
)
def test_an_app_without_a_chart_is_named_by_its_folder_whatever_the_environment(
    glob: str, files: dict[str, str]
) -> None:
    survey = Survey(DictFiles(dict.fromkeys(files, f"image: {IRIS}:v1\n")))
    assert {one.file: one.chart for one in survey.all_targets(Scope(files=(glob,)))} == files


_TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}", fullmatch=True)
_COMMENTS = st.sampled_from(["", " # note", '  # {"$imagepolicy": "a:b:tag"}', " #"])
_QUOTES = st.sampled_from(["{}", "'{}'", '"{}"'])
_BREAKS = st.sampled_from(["\n", "\r\n"])


@given(data=st.data(), tag=_TAGS, new=_TAGS, line_end=_BREAKS)
def test_an_edit_changes_the_bytes_of_the_tag_alone(
    data: st.DataObject, tag: str, new: str, line_end: str
) -> None:
    quote, comment = data.draw(_QUOTES), data.draw(_COMMENTS)
    keys = [f"name: {quote.format('iris')}", f"newName: {quote.format(IRIS)}", f"newTag: '{tag}'{comment}"]
    keys = data.draw(st.permutations(keys))
    head = f"\ufeff# a head{line_end}images: {comment}{line_end}"
    body = f"{line_end}    ".join(keys)
    text = f"{head}  - {body}{line_end}# a tail"
    survey = Survey(DictFiles({FILE: text}))
    [target] = survey.all_targets(Scope(files=(FILE,)))
    after = survey.write(FILE, [(target, new, None)]).decode()
    assert after == text.replace(f"'{tag}'", f"'{new}'")
