"""What `pip install .` gives: everything the program reads is in the wheel, wherever it came from."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support.documents import ROOT

SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "updater", "templates")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: building leaves files beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", folder / "out", folder], check=True)
    [built] = (folder / "out").glob("*.whl")
    return built


def test_every_file_of_the_sources_is_in_the_wheel_and_no_ci_component(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "updater", "templates"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    wanted = {
        name if name.startswith("updater/") else f"updater/{name}"
        for name in tracked
        if (ROOT / name).is_file()
    }
    components = {name for name in wanted if re.match("updater/templates/.+/", name)}
    assert "updater/templates/catalog-upgrade/upgrade.py" in components
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    assert wanted - components - packed == set()
    assert components & packed == set()


def test_the_installed_package_finds_its_templates_and_its_version(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        "import updater, updater.wiring as wiring\n"
        "print(updater.__file__, len(wiring.templates(None)('commit.txt')))\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**kept, "PYTHONPATH": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    file, length = done.stdout.split()
    assert Path(file).is_relative_to(tmp_path)
    assert int(length) > 0
    [entry_points] = tmp_path.glob("*.dist-info/entry_points.txt")
    assert "updater = updater.__main__:main" in entry_points.read_text()
