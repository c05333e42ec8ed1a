"""What `check` finds in a change: versions that did not rise, and commits in the wrong environment."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from support.files import DictFiles

from updater.check import Finding, Ground, Step, crossings, versions

CHART = 'apiVersion: v2\nname: iris\nversion: 0.1.0\nappVersion: "1"\n'
VALUES = "replicas: 1\nimage:\n  repository: registry.example.com/iris\n  tag: main-1\n"
DEV, PROD = "charts/iris/values-dev.yaml", "charts/iris/values-prod.yaml"
OVERLAYS = {
    "charts/iris/Chart.yaml": CHART,
    "charts/iris/values.yaml": VALUES,
    "charts/iris/templates/d.yaml": "kind: Deployment\n",
    "charts/iris/charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
    "charts/iris/charts/sub/templates/s.yaml": "kind: Service\n",
    "charts/iris/README.md": "Iris.\n",
    DEV: "image:\n  tag: develop-2\n",
    PROD: "image:\n  tag: main-1\n",
    "charts/iris/fleet.yaml": "{}\n",
    ".updater/rules.yaml": (
        "environments:\n"
        "  dev: {files: charts/*/values-dev.yaml}\n"
        "  test: {files: charts/*/values-test.yaml}\n"
        "  prod: {files: charts/*/values-prod.yaml, delivery: merge-request}\n"
    ),
}
CATALOG = {
    **{
        path.replace("charts/iris/", "charts/iris/0.1.0/", 1): text
        for path, text in OVERLAYS.items()
        if "values-" not in path and not path.startswith(".")
    },
    ".updater/rules.yaml": "environments: {prod: {chart: {directory: true, version: patch}}}\n",
}
FLAT = {
    **{path: text for path, text in OVERLAYS.items() if "values-" not in path},
    ".updater/rules.yaml": "environments: {prod: {chart: {version: patch}}}\n",
}

Files = Mapping[str, str]
Changes = Mapping[str, str | None]


def grounds(files: Files, changes: Changes) -> tuple[Ground, Ground]:
    before = DictFiles(files)
    return Ground(before), Ground(before.changed(changes))


def found(files: Files, changes: Changes) -> list[tuple[str, str, int]]:
    before, now = grounds(files, changes)
    findings = list(versions(before, now, changes.keys()))
    assert {one.code for one in findings} <= {"E11"}
    return [(one.file, str(one.facts["fault"]), one.line) for one in findings]


RAISED = {"charts/iris/Chart.yaml": CHART.replace("0.1.0", "0.1.1")}
UNRAISED = [("charts/iris/Chart.yaml", "unraised", 3)]


# Versions, where charts are read with overlays


@pytest.mark.parametrize(
    "changes",
    [
        {DEV: "image:\n  tag: develop-3\n"},
        {DEV: "replicas: 2\n"},
        {"charts/iris/values-staging.yaml": "replicas: 2\n"},
        {"charts/iris/values.yaml": VALUES.replace("main-1", "main-2")},
        {"charts/iris/values.yaml": VALUES.replace("replicas", "# pods\nreplicas")},
        {"charts/iris/Chart.yaml": CHART.replace('"1"', '"main-2"')},
        {"charts/iris/fleet.yaml": "namespace: iris\n", "charts/iris/README.md": None},
        {"charts/iris/questions.yaml": "questions: []\n"},
        {"charts/rose/Chart.yaml": CHART, "charts/rose/values.yaml": VALUES},
        {path: None for path in OVERLAYS if path.startswith("charts/")},
    ],
)
def test_tags_overlays_texts_and_new_or_lost_charts_want_no_version(changes: Changes) -> None:
    assert found(OVERLAYS, changes) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"charts/iris/templates/d.yaml": "kind: StatefulSet\n"},
        {"charts/iris/templates/new.yaml": "kind: Service\n"},
        {"charts/iris/templates/d.yaml": None},
        {"charts/iris/charts/sub/templates/s.yaml": "kind: Ingress\n"},
        {"charts/iris/values.yaml": VALUES.replace("replicas: 1", "replicas: 2")},
        {"charts/iris/values.yaml": VALUES.replace("replicas: 1", "replicas: '1'")},
        {"charts/iris/values.yaml": VALUES.replace("com/iris", "com/rose")},
        {"charts/iris/values.yaml": VALUES + "new: true\n"},
        {"charts/iris/values.yaml": "replicas: [\n"},
        {"charts/iris/Chart.yaml": CHART + "icon: https://example.com/iris.svg\n"},
    ],
)
def test_what_helm_sees_and_is_no_tag_wants_a_higher_version(changes: Changes) -> None:
    assert found(OVERLAYS, changes) == UNRAISED
    raised = {**changes, "charts/iris/Chart.yaml": changes.get("charts/iris/Chart.yaml") or CHART}
    raised["charts/iris/Chart.yaml"] = str(raised["charts/iris/Chart.yaml"]).replace("0.1.0", "0.1.1")
    assert found(OVERLAYS, raised) == []


def test_a_version_never_falls() -> None:
    assert found(OVERLAYS, {"charts/iris/Chart.yaml": CHART.replace("0.1.0", "0.0.9")}) == [
        ("charts/iris/Chart.yaml", "lowered", 3)
    ]
    assert found(OVERLAYS, {"charts/iris/Chart.yaml": CHART.replace("0.1.0", "0.1.0-rc.1")}) != []


def test_another_image_in_the_same_place_is_more_than_a_tag() -> None:
    files = {**OVERLAYS, "charts/iris/values.yaml": "image: registry.example.com/iris:main-1\n"}
    for image, expected in (("iris:main-2", []), ("rose:main-1", UNRAISED)):
        change = {"charts/iris/values.yaml": f"image: registry.example.com/{image}\n"}
        assert found(files, change) == expected


def test_files_of_environments_are_free_whatever_they_are_called() -> None:
    rules = "environments: {dev: {files: charts/iris/env/*.yaml}}\n"
    file = "charts/iris/env/dev.yaml"
    assert found({**OVERLAYS, ".updater/rules.yaml": rules, file: "a: 1\n"}, {file: "a: 2\n"}) == []
    assert found({**OVERLAYS, file: "a: 1\n"}, {file: "a: 2\n"}) == UNRAISED


# Versions, where a catalog reads them


def test_in_a_flat_catalog_every_change_wants_a_higher_version() -> None:
    tag = {"charts/iris/values.yaml": VALUES.replace("main-1", "main-2")}
    assert found(FLAT, tag) == UNRAISED
    assert found(FLAT, {"charts/iris/README.md": "The iris.\n"}) == UNRAISED
    assert found(FLAT, {**tag, **RAISED}) == []


def version_directory(version: str, old: str = "0.1.0") -> dict[str, str]:
    return {
        path.replace(f"/{old}/", f"/{version}/"): text.replace("version: 0.1.0", f"version: {version}")
        for path, text in CATALOG.items()
        if f"/{old}/" in path
    }


def test_a_version_directory_that_was_published_stays_as_it_was() -> None:
    change = {"charts/iris/0.1.0/values.yaml": VALUES.replace("main-1", "main-2")}
    assert found(CATALOG, change) == [("charts/iris/0.1.0/values.yaml", "published", 0)]
    assert found(CATALOG, version_directory("0.1.1")) == []


def test_old_version_directories_may_go_and_the_highest_may_not() -> None:
    both = {**CATALOG, **version_directory("0.10.0")}
    gone = dict.fromkeys(version_directory("0.1.0"))
    assert found(both, gone) == []
    lost = dict.fromkeys(version_directory("0.10.0"))
    assert found(both, lost) == [("charts/iris/0.1.0/Chart.yaml", "lowered", 0)]
    assert found(both, {**lost, **version_directory("0.10.1")}) == []


# Environments


def crossed(message: str, changes: Changes, files: Files = OVERLAYS) -> list[Finding]:
    before, now = grounds(files, changes)
    step = Step("0123456789abcdef", message, frozenset(changes), lambda: (before, now))
    findings = list(crossings(before, now, [step]))
    assert {one.code for one in findings} <= {"E16"}
    return findings


TO_DEV = "Update iris\n\nUpdater-Image: registry.example.com/iris:develop-3\nUpdater-Environment: dev\n"
DEV_TAG, PROD_TAG = {DEV: "image:\n  tag: develop-3\n"}, {PROD: "a: 1\nimage:\n  tag: main-2\n"}


def test_a_commit_that_deploys_changes_the_files_of_its_environment_only() -> None:
    assert crossed(TO_DEV, {**DEV_TAG, "charts/iris/Chart.yaml": CHART + "# more\n"}) == []
    [only] = crossed(TO_DEV, {**DEV_TAG, PROD: "replicas: 2\n"})
    assert (only.file, dict(only.facts)) == (
        PROD,
        {"fault": "deployed", "of": ["dev"], "others": ["prod"], "commit": "0123456789"},
    )


def test_a_file_of_both_environments_belongs_to_either() -> None:
    rules = OVERLAYS[".updater/rules.yaml"].replace("charts/*/values-dev.yaml", "charts/*/values-*.yaml")
    files = {**OVERLAYS, ".updater/rules.yaml": rules}
    assert crossed(TO_DEV, {**DEV_TAG, **PROD_TAG}, files) == []
    assert crossed("By hand", {**DEV_TAG, **PROD_TAG}, files) == []


def test_a_persons_commit_moves_no_tag_that_waits_together_with_one_that_does_not() -> None:
    [only] = crossed("By hand", {**DEV_TAG, **PROD_TAG})
    assert (only.file, only.line, dict(only.facts)) == (
        PROD,
        3,
        {
            "fault": "moved",
            "of": ["prod"],
            "others": ["dev"],
            "image": "registry.example.com/iris",
            "commit": "0123456789",
        },
    )


@pytest.mark.parametrize(
    "changes",
    [
        DEV_TAG,
        PROD_TAG,
        {**DEV_TAG, PROD: "a: 1\nimage:\n  tag: main-1\n"},
        {**PROD_TAG, DEV: "a: 1\nimage:\n  tag: develop-2\n"},
        {**DEV_TAG, PROD: None},
        {**DEV_TAG, "charts/iris/values-test.yaml": "image: {tag: x}\n"},
    ],
)
def test_other_commits_of_persons_are_theirs_to_make(changes: Changes) -> None:
    assert crossed("By hand", changes) == []


def test_a_new_chart_may_come_with_all_its_environments() -> None:
    files = {path: text for path, text in OVERLAYS.items() if path.startswith(".")}
    assert crossed("A new chart", dict(OVERLAYS), files) == []
