"""Each house rule catches what it forbids: one small checkout that breaks it, and one that does not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts import check_house

# In halves, so that the rules find no fault with this file.
UNFINISHED = "# TO" + "DO: later\n"
EXCUSED = "x = 1  # pragma: no" + " cover\n"
LONG_FUNCTION = "def long():\n" + "    x = 1\n" * 50
THIRTY_LINES = "def f{0}():\n" + "    x = 1\n" * 29
SETUP = "[metadata]\nversion = 1.2.0\n[options]\npackages =\n    updater\n    updater.web\n"


def complaints(rule: check_house.Rule, texts: dict[str, str]) -> list[str]:
    return [str(complaint) for complaint in rule(texts)]


@pytest.mark.parametrize(
    ("rule", "broken", "said"),
    [
        (check_house.modules_are_short, {"updater/a.py": "x = 1\n" * 401}, "updater/a.py: 401 lines"),
        (check_house.functions_are_short, {"tests/a.py": LONG_FUNCTION}, "tests/a.py:1: long has 51 lines"),
        (
            check_house.functions_are_short,
            {"updater/a.py": "".join(THIRTY_LINES.format(number) for number in range(10))},
            "one function in ten has 30 lines",
        ),
        (check_house.modules_say_what_they_hide, {"tests/support/a.py": "x = 1\n"}, "tests/support/a.py:1: "),
        (
            check_house.nothing_is_mocked,
            {"tests/a.py": "from unittest import mock\n"},
            "tests/a.py:1: no mocks",
        ),
        (check_house.nothing_is_mocked, {"tests/a.py": "import unittest.mock\n"}, "tests/a.py:1: no mocks"),
        (
            check_house.nothing_is_mocked,
            {"tests/a.py": "from unittest.mock import MagicMock\n"},
            "tests/a.py:1: no mocks",
        ),
        (
            check_house.no_test_is_skipped,
            {"tests/a.py": "import pytest\n\n@pytest.mark.skipif(True)\ndef test_a(): ...\n"},
            "tests/a.py:3: no test skips",
        ),
        (
            check_house.no_test_is_skipped,
            {"tests/a.py": "import pytest\n\npytestmark = pytest.mark.xfail\n"},
            "tests/a.py:3: no test skips",
        ),
        (
            check_house.no_test_is_skipped,
            {"tests/a.py": "import pytest\n\ndef test_a():\n    pytest.skip('no')\n"},
            "tests/a.py:4: no test skips",
        ),
        (check_house.nothing_is_unfinished, {"docs/a.md": "fine\n" + UNFINISHED}, "docs/a.md:2: finish it"),
        (check_house.nothing_is_unfinished, {"updater/a.py": EXCUSED}, "updater/a.py:1: no line is excused"),
        (
            check_house.nothing_names_a_machine,
            {"docs/a.md": "see /ro" + "ot/notes/x\n"},
            "docs/a.md:1: a path of one machine",
        ),
        (
            check_house.nothing_names_a_machine,
            {"requirements.txt": "--index" + "-url x\n"},
            "requirements.txt:1: a package registry's host",
        ),
        (
            check_house.nothing_names_a_machine,
            {"package-lock.json": '"resolved": "registry.npm' + 'js.org/a"'},
            "package-lock.json:1: a package registry's host",
        ),
        (check_house.decisions_are_short, {"docs/decisions/why.md": "x\n"}, "named NNN-title.md"),
        (check_house.decisions_are_short, {"docs/decisions/001-a.md": "x\n" * 46}, "46 lines"),
        (
            check_house.decisions_are_short,
            {"docs/decisions/001-a.md": "x", "docs/decisions/001-b.md": "x"},
            "the number 001 is taken",
        ),
        (
            check_house.packages_are_listed,
            {"setup.cfg": SETUP, "updater/a.py": "", "updater/web/a.py": "", "updater/cli/a.py": ""},
            "updater.cli exists and is not listed",
        ),
        (
            check_house.packages_are_listed,
            {"setup.cfg": SETUP, "updater/a.py": ""},
            "updater.web is listed and does not exist",
        ),
        (
            check_house.packages_are_listed,
            {"setup.cfg": SETUP, "updater/a.py": "", "updater/web/a.py": "", "templates/commit.txt": ""},
            "updater.templates exists and is not listed",
        ),
        (
            check_house.changelog_has_the_version,
            {"setup.cfg": SETUP, "CHANGELOG.md": "# Changelog\n\n## [1.1.0] - 2026-01-01\n"},
            "its newest version is 1.1.0, setup.cfg says 1.2.0",
        ),
        (check_house.changelog_has_the_version, {"setup.cfg": SETUP}, "its newest version is nothing"),
    ],
)
def test_a_broken_rule_is_named_with_its_place(
    rule: check_house.Rule, broken: dict[str, str], said: str
) -> None:
    found = complaints(rule, broken)
    assert len(found) == 1
    assert said in found[0]


def test_a_checkout_that_keeps_the_rules_gets_no_complaint() -> None:
    kept = {
        "setup.cfg": SETUP,
        "CHANGELOG.md": "# Changelog\n\n## [1.2.0] - Unreleased\n\n## [1.1.0] - 2026-01-01\n",
        "updater/__init__.py": '"""A module.\n\nIt says what it hides."""\n' + "x = 1\n" * 300,
        "updater/web/a.py": '"""Short."""\n\n\ndef f():\n' + "    x = 1\n" * 20,
        "tests/test_a.py": "import pytest\n\n@pytest.mark.helm\ndef test_a():\n    assert 'skip'\n",
        "docs/decisions/001-why-not.md": "x\n" * 45,
        "docs/a.md": "Data lies in /var/lib/updater/; the route is /api/updates/{id}; see docs/decisions.\n",
    }
    assert [line for rule in check_house.RULES for line in complaints(rule, kept)] == []


def test_the_checkout_is_read_as_git_sees_it(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("hidden/\n")
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "a.py").write_text("x = 1\n")
    (tmp_path / "new.py").write_text("x = 1\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\0")
    (tmp_path / "link.py").symlink_to("new.py")
    assert set(check_house.read_checkout(tmp_path)) == {".gitignore", "new.py"}
