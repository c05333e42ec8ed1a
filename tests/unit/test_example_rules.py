"""The rules of the example config repo say what its README promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from support.examples import CATALOG, EXAMPLES, OVERLAYS

from updater.globs import compile_glob
from updater.policy import RULES_PATH, parse_rules, rules_schema
from updater.yamledit import load

EXAMPLE = OVERLAYS
RULES = (EXAMPLE / RULES_PATH).read_bytes()
FILES = sorted(str(path.relative_to(EXAMPLE)) for path in EXAMPLE.rglob("*") if path.is_file())


def test_dev_is_committed_and_prod_proposed() -> None:
    dev, prod = parse_rules(RULES).environments
    assert (dev.name, dev.delivery, prod.name, prod.delivery) == ("dev", "commit", "prod", "merge-request")


@pytest.mark.parametrize("example", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_every_example_fits_the_published_schema(example: Path) -> None:
    rules = (example / RULES_PATH).read_bytes()
    jsonschema_rs.validator_for(rules_schema()).validate(load(rules).value)
    assert parse_rules(rules).environments


def test_no_tag_is_for_both_environments_but_by_promotion() -> None:
    dev, prod = parse_rules(RULES).environments
    assert (dev.tags.takes("develop-52666"), prod.tags.takes("develop-52666")) == (True, False)
    assert (dev.tags.takes("main-811"), prod.tags.takes("main-811")) == (False, True)
    assert prod.promoted == dev.tags
    assert dev.promoted is None


@pytest.mark.parametrize(
    ("name", "charts"), [("dev", ["iris"]), ("prod", ["iris", "updater"])], ids=["dev", "prod"]
)
def test_each_environment_has_files_of_its_own_whose_tags_it_takes(name: str, charts: list[str]) -> None:
    [environment] = [one for one in parse_rules(RULES).environments if one.name == name]
    [glob] = environment.scope.files
    files = [file for file in FILES if compile_glob(glob).match(file)]
    assert files == [f"charts/{chart}/values-{name}.yaml" for chart in charts]
    for file in files:
        values: Any = load((EXAMPLE / file).read_bytes()).value
        assert environment.tags.takes(values["image"]["tag"])


def test_the_catalog_has_a_branch_for_each_environment_and_a_folder_for_each_build() -> None:
    dev, prod = parse_rules((CATALOG / RULES_PATH).read_bytes()).environments
    assert (dev.branch, dev.delivery, prod.branch, prod.delivery) == (
        "dev",
        "commit",
        "main",
        "merge-request",
    )
    assert (dev.tags.takes("develop-52666"), prod.tags.takes("develop-52666")) == (True, False)
    for environment in (dev, prod):
        assert (environment.chart.version, environment.chart.directory, environment.chart.keep) == (
            "build",
            True,
            10,
        )
        assert environment.chart.app_version
