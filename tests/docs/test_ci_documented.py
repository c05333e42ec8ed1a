"""docs/ci.md has a section for each CI component, with a row for each input and its default."""

from __future__ import annotations

import re

import pytest
from support.components import COMPONENTS, header
from support.documents import ROOT, document

import updater

CI = document("docs/ci.md")


def test_every_component_has_its_section() -> None:
    assert "auto-update" in COMPONENTS
    assert set(COMPONENTS) <= {title for level, title in CI.headings if level == 2}


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_input_is_documented_with_its_default_and_exists(name: str) -> None:
    said: dict[str, tuple[str, str]] = {}
    for row in CI.section(name).table_rows:
        if len(row) == 3 and row[0].startswith("`"):
            names, defaults = re.findall(r"`([^`]+)`", row[0]), row[2].replace("\\|", "|")
            found = re.findall(r"`([^`]+)`", defaults) or [defaults] * len(names)
            assert len(found) == len(names), row
            said |= {one: (default, defaults) for one, default in zip(names, found, strict=True)}
    inputs = header(name)
    assert set(said) == set(inputs)
    for one, spec in inputs.items():
        default, words = said[one]
        if "default" not in spec:
            assert words == "needed", one
        elif spec["default"] == "":
            assert words == "empty", one
        else:
            assert default == str(spec["default"]).replace("True", "true").replace("False", "false"), one


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_input_says_what_it_is_and_is_used(name: str) -> None:
    text = document(f"templates/{name}/template.yml").text
    for one, spec in header(name).items():
        assert spec["description"], one
        assert f"$[[ inputs.{one} ]]" in text, one


@pytest.mark.parametrize("name", COMPONENTS)
def test_what_an_input_says_stays_text(name: str) -> None:
    # GitLab puts inputs into the text before it reads the YAML, where 1.10 is a number and nothing is null.
    job = document(f"templates/{name}/template.yml").text.split("\n---\n")[1].split("  script:")[0]
    assert re.findall(r"^\s*[A-Za-z_]+: \$\[\[.*", job, re.MULTILINE) == []


def test_components_are_named_by_the_version_that_has_them() -> None:
    pages = ["docs/ci.md", "docs/example-app/.gitlab-ci.yml"]
    pages += [str(path.relative_to(ROOT)) for path in ROOT.glob("config-repo-example/**/*gitlab-ci.yml")]
    named = [
        found
        for page in pages
        for found in re.findall(r"gitops-updater/([a-z-]+)@(\S+)", document(page).text)
    ]
    assert {name for name, _ in named} == set(COMPONENTS)
    assert {version for _, version in named} == {updater.__version__}
