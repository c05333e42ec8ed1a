"""Questions, values and Fleet's files of the example charts agree with each other."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.examples import CATALOG, EXAMPLES, OVERLAYS, charts, leaves, overlays, read

CHARTS = charts(EXAMPLES)
# What no form can fill in: lists, and maps whose keys are the user's own.
BY_HAND = {"imagePullSecrets", "image.digest", "ingress.annotations"}
# The texts beside a chart that no cluster is to notice.
TEXTS = {"questions.yaml", "app-readme.md", "icon.svg"}


def named(path: Path) -> str:
    return str(path.relative_to(EXAMPLES))


def questions(chart: Path) -> Iterator[Any]:
    for question in read(chart / "questions.yaml")["questions"]:
        yield question
        yield from question.get("subquestions", [])


@pytest.mark.parametrize("chart", CHARTS, ids=named)
def test_every_answer_a_form_would_send_is_what_the_values_say(chart: Path) -> None:
    values = leaves(read(chart / "values.yaml"))
    for question in questions(chart):
        variable = question["variable"]
        assert variable in values, f"{variable} is no value"
        assert question["default"] == values[variable], variable


@pytest.mark.parametrize("chart", CHARTS, ids=named)
def test_every_value_has_its_question(chart: Path) -> None:
    asked = {question["variable"] for question in questions(chart)}
    values = {path for path in leaves(read(chart / "values.yaml")) if not path.startswith("secret.files")}
    assert values - asked - BY_HAND == set()


@pytest.mark.parametrize("chart", CHARTS, ids=named)
def test_options_hold_the_default_and_what_the_environments_choose(chart: Path) -> None:
    options = {one["variable"]: one["options"] for one in questions(chart) if one["type"] == "enum"}
    assert options
    for file in [chart / "values.yaml", *overlays(chart)]:
        values = leaves(read(file))
        assert all(values[path] in options[path] for path in options.keys() & values.keys())


@pytest.mark.parametrize("chart", CHARTS, ids=named)
def test_repository_and_tag_are_asked_for_behind_the_gate_only(chart: Path) -> None:
    [gate] = [one for one in questions(chart) if one["variable"] == "defaultImage"]
    assert (gate["default"], gate["show_subquestion_if"]) == (True, False)
    assert [one["variable"] for one in gate["subquestions"]] == ["image.repository", "image.tag"]
    asked = [one["variable"] for one in questions(chart)]
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("chart", charts(CATALOG), ids=named)
def test_a_version_of_the_catalog_is_the_chart_of_the_overlays_and_one_build(chart: Path) -> None:
    """The two layouts hold one chart: what is not the build's own cannot drift apart."""
    about, values = read(chart / "Chart.yaml"), read(chart / "values.yaml")
    other = OVERLAYS / "charts" / about["name"]
    assert other.is_dir()
    assert contents(chart, "templates", "icon.svg") == contents(other, "templates", "icon.svg")
    assert (chart.name, chart.parent.name) == (about["version"], about["name"])
    assert about.pop("appVersion") == values["image"].pop("tag")
    assert about | {"version": "0.1.0"} == read(other / "Chart.yaml")
    base = read(other / "values.yaml")
    assert base["image"].pop("tag") == ""
    assert values == base
    asked, also = list(questions(chart)), list(questions(other))
    for one in (*asked, *also):
        if one["variable"] == "image.tag":
            del one["default"]
    assert asked == also


def contents(chart: Path, *names: str) -> dict[str, bytes]:
    paths = [path for name in names for path in [chart / name, *(chart / name).rglob("*")]]
    return {str(path.relative_to(chart)): path.read_bytes() for path in paths if path.is_file()}


@pytest.mark.parametrize("chart", charts(OVERLAYS), ids=named)
def test_fleet_reads_the_files_that_are_there(chart: Path) -> None:
    fleet = read(chart / "fleet.yaml")
    assert fleet["helm"] == {"releaseName": read(chart / "Chart.yaml")["name"]}
    wanted = [
        file for one in fleet["targetCustomizations"] for file in one.get("helm", {}).get("valuesFiles", [])
    ]
    assert sorted(wanted) == [file.name for file in overlays(chart)]
    for one in fleet["targetCustomizations"]:
        assert one["clusterSelector"] == {"matchLabels": {"env": one["name"]}}
        # A cluster without a file of its own gets nothing, instead of a release that cannot be rendered.
        assert one.get("doNotDeploy", False) is ("helm" not in one)
    assert not [file for file in overlays(chart) if "${" in file.read_text()]


@pytest.mark.parametrize("chart", charts(OVERLAYS), ids=named)
def test_texts_are_no_rollout_and_everything_else_is(chart: Path) -> None:
    ignored = [
        line
        for line in (chart / ".fleetignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    files = {str(path.relative_to(chart)) for path in chart.rglob("*") if path.is_file()}
    assert {file for file in files for line in ignored if fnmatch.fnmatch(file, line)} == TEXTS


def test_every_reader_is_pointed_at_charts_and_files_that_exist() -> None:
    """What the manifests of Fleet, Argo CD and Flux name is there."""
    for environment in ("dev", "prod"):
        repo = read(OVERLAYS / f"fleet/gitrepo-{environment}.yaml")["spec"]
        assert repo["paths"] == ["charts/*"]
        assert repo["webhookSecret"]
        assert repo["targets"][0]["clusterSelector"]["matchLabels"] == {"env": environment}
        files = documents(OVERLAYS / f"flux/{environment}.yaml")[1]["spec"]["chart"]["spec"]
        assert files["reconcileStrategy"] == "Revision"
        assert files["valuesFiles"] == ["charts/iris/values.yaml", f"charts/iris/values-{environment}.yaml"]
        assert all((OVERLAYS / file).is_file() for file in files["valuesFiles"])
    for application in documents(OVERLAYS / "argocd/iris.yaml"):
        source = application["spec"]["source"]
        environment = application["spec"]["destination"]["name"]
        assert source["helm"]["valueFiles"] == [f"values-{environment}.yaml"]
        assert (OVERLAYS / source["path"] / source["helm"]["valueFiles"][0]).is_file()
        assert ("automated" in application["spec"]["syncPolicy"]) is (environment == "dev")


def documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text()))
