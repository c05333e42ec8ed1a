"""What is missing as a whole: rules, charts, files of an environment, images in them, folders of versions."""

from __future__ import annotations

import pytest
from support.checks import CATALOG, CHART, MESSAGES, OVERLAYS, changed, found, places, repo

from updater.check import Finding

HOME = "charts/iris"
RULES = ".updater/rules.yaml"
VALUES, PROD = f"{HOME}/values.yaml", f"{HOME}/values-prod.yaml"
IMAGE = "image:\n  repository: registry.example.com/iris\n"


def said(one: Finding) -> str:
    told = MESSAGES.tell(one.code, one.facts)
    return f"{told.what} {told.breaks} {told.cure}"


def test_overlays_without_rules_are_told_first_and_nothing_that_follows() -> None:
    empty = f"{IMAGE}  tag: ''\n"
    (one,) = found(repo(OVERLAYS, {RULES: None, VALUES: empty}))
    assert (one.code, one.file, one.line) == ("E22", RULES, 0)
    assert "values-dev.yaml and" in said(one)
    assert "copy the hidden folder .updater" in said(one)
    alone: dict[str, str | None] = {RULES: None, f"{HOME}/values-dev.yaml": None, PROD: None, VALUES: empty}
    assert [one.code for one in found(repo(OVERLAYS, alone))] == ["W7", "E6"]


def test_an_empty_tag_that_no_overlay_sets_is_told_without_rules_too() -> None:
    files = repo(OVERLAYS, {RULES: None, VALUES: "worker:\n  image: {repository: iris, tag: ''}\n"})
    assert [one.code for one in found(files)] == ["E22", "E6"]


def test_rules_further_up_are_told_alone() -> None:
    files = {path.removeprefix("charts/"): text for path, text in OVERLAYS.items() if path != RULES}
    (one,) = found(repo(files, {}), above="..")
    assert (one.code, one.file, one.facts["fault"]) == ("E22", RULES, "above")
    assert "`updater check ..`" in said(one)


def test_a_folder_with_nothing_to_check_is_no_success() -> None:
    assert places(found(repo({}, {"README.md": "a config repo\n"}))) == [("E23", ".", 0)]
    for path, text in {
        "a/Chart.yaml": CHART,
        "a/kustomization.yaml": "resources: []\n",
        RULES: "environments:\n  dev: {branch: dev}\n",
    }.items():
        told = found(repo({}, {path: text}), branch="main", default_branch="main")
        assert "E23" not in [one.code for one in told]


def test_a_chart_without_an_image_that_could_be_written_is_told_with_what_stands_near() -> None:
    silent = {VALUES: f"{IMAGE}  tag: develop-1\n", PROD: "replicas: 3\n"}
    (one,) = found(repo(OVERLAYS, dict(silent)))
    assert (one.code, one.file, one.facts["environment"]) == ("W21", PROD, "prod")
    assert f"{PROD} does not set image.tag; {VALUES}:3 does" in said(one)
    lone: dict[str, str | None] = {VALUES: "replicas: 1\n"}
    assert [one.code for one in found(repo(OVERLAYS, lone))] == ["W21", "W21"]
    assert "has no repository near it" in said(found(repo(OVERLAYS, lone))[0])


def test_a_chart_without_any_image_needs_none() -> None:
    files = {VALUES: "a: 1\n", f"{HOME}/values-dev.yaml": "a: 2\n", PROD: "a: 3\n"}
    assert [one.code for one in found(repo(OVERLAYS, dict(files)))] == ["W21", "W21"]
    plain = {**files, f"{HOME}/templates/deployment.yaml": "kind: ConfigMap\n"}
    assert found(repo(OVERLAYS, dict(plain))) == ()


FOLLOWING = "environments:\n  dev:\n    chart: {version: build, directory: true}\n"


def test_a_chart_outside_of_version_folders_is_told_where_the_rules_want_them() -> None:
    flat = {path: OVERLAYS[path] for path in OVERLAYS if "values-" not in path}
    flat |= {RULES: FOLLOWING, VALUES: f"{IMAGE}  tag: develop-1\n"}
    (one,) = found(repo(flat, {}))
    assert (one.code, one.file, one.line) == ("E25", f"{HOME}/Chart.yaml", 3)
    assert f"move the chart to {HOME}/0.1.0" in said(one)
    assert found(repo({**CATALOG, RULES: FOLLOWING}, {})) == ()


def test_a_version_folder_that_rises_in_place_is_told() -> None:
    files = {**CATALOG, RULES: FOLLOWING.replace(", directory: true", "")}
    (one,) = found(repo(files, {}))
    assert (one.code, one.file) == ("E25", f"{HOME}/0.1.52666/Chart.yaml")


@pytest.mark.parametrize("glob", ["values-test", "valeus-dev"])
def test_globs_that_match_nothing_are_an_error(glob: str) -> None:
    (one,) = found(changed(OVERLAYS, RULES, ("values-dev", glob)))
    assert (one.code, one.is_error, one.line) == ("E24", True, 2)
