"""The program of the component catalog-upgrade: what is the newest, and that the component holds it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from scripts import embed_upgrade


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("catalog_upgrade", embed_upgrade.PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def test_the_component_holds_the_program_word_for_word() -> None:
    template = embed_upgrade.TEMPLATE.read_text()
    program = embed_upgrade.PROGRAM.read_text()
    assert embed_upgrade.embedded(template, program) == template, "run scripts/embed_upgrade.py"
    assert embed_upgrade.embedded(template, "x = 1\n") != template
    assert "$[[" not in program  # GitLab would take it for an input


@pytest.mark.parametrize(
    "rising",
    [
        ["0.9.9", "0.10.0", "0.10.52601", "1.0.0"],
        ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0"],
    ],
)
def test_the_newest_is_the_highest_by_semver(program: ModuleType, tmp_path: Path, rising: list[str]) -> None:
    for count in range(1, len(rising) + 1):
        folder = tmp_path / str(count)
        for name in reversed(rising[:count]):
            (folder / name).mkdir(parents=True)
            (folder / name / "Chart.yaml").write_text(f"name: iris\nversion: '{name}'  # quoted\n")
        assert program.newest(folder) == rising[count - 1]


def test_the_chart_and_not_the_folder_says_the_version(program: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "latest/templates").mkdir(parents=True)
    (tmp_path / "latest/Chart.yaml").write_text("dependencies:\n  - version: 9.9.9\nversion: 0.2.0\n")
    assert program.newest(tmp_path) == "0.2.0"
    (tmp_path / "Chart.yaml").write_text("version: 0.3.0\n")
    assert program.newest(tmp_path) == "0.3.0"
