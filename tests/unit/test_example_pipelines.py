"""The pipelines of the example config repos give every component what it takes and needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.components import header
from support.examples import CATALOG, EXAMPLES, charts, read

PIPELINES = sorted(EXAMPLES.rglob("*gitlab-ci.yml"))


def included(pipeline: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each component of a pipeline by its name, with its inputs."""
    for one in read(pipeline)["include"]:
        if "component" in one:
            address, _, _ = one["component"].partition("@")
            yield address.rpartition("/")[2], one["inputs"]


@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_components_get_the_inputs_they_have_and_need(pipeline: Path) -> None:
    components = list(included(pipeline))
    assert components
    for name, inputs in components:
        known = header(name)
        assert inputs.keys() <= known.keys()
        assert {key for key, about in known.items() if "default" not in about} <= inputs.keys()
        for key, value in inputs.items():
            assert value in known[key].get("options", [value])


@pytest.mark.parametrize("example", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_every_example_checks_its_merge_requests(example: Path) -> None:
    assert "config-check" in [name for name, _ in included(example / ".gitlab-ci.yml")]


def test_the_jobs_after_a_merge_name_what_rancher_is_told_and_prod_waits_for_a_person() -> None:
    [local] = [one["local"] for one in read(CATALOG / ".gitlab-ci.yml")["include"] if "local" in one]
    jobs = [inputs for _, inputs in included(CATALOG / local.removeprefix("/"))]
    told = list(yaml.safe_load_all((CATALOG / "rancher/clusterrepos.yaml").read_text()))
    branches = {one["metadata"]["name"]: one["spec"]["gitBranch"] for one in told}
    assert {job["catalog"]: job["branch"] for job in jobs} == branches
    assert {job["branch"]: job["when"] for job in jobs} == {"dev": "on_success", "main": "manual"}
    names = {path.parent.name for path in charts(CATALOG)}
    assert {job["chart"] for job in jobs} <= names
