"""`updater check --remote`: every branch that an environment lives on, as it is pushed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.barerepo import commit_as_person, git, make_bare
from support.checks import CATALOG, CHART
from support.commandline import Ran, updater
from support.helm import helm_binaries

RULES = """\
environments:
  dev: {branch: dev, chart: {directory: true, version: patch}}
  prod: {branch: main, delivery: merge-request, chart: {directory: true, version: patch}}
"""
NEWEST = "charts/iris/0.1.52666"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    made = make_bare(tmp_path, {**CATALOG, ".updater/rules.yaml": RULES})
    git(made, "branch", "dev", "main")
    return made


def check(bare: Path, *options: str) -> Ran:
    return updater("check", "--remote", *options, env={"UPDATER_REPO": str(bare)})


def found(bare: Path, *options: str) -> list[tuple[str, str, str]]:
    """Return what is found by branch, code and file; how many versions are kept is not looked at."""
    ran = check(bare, "--ignore", "W12", "--format", "json", *(options or ("--no-helm",)))
    assert ran.err == ""
    return [(one["branch"], one["code"], one["file"]) for one in json.loads(ran.out)]


def test_each_branch_is_checked_at_its_tip_by_the_rules_of_the_default_one(bare: Path) -> None:
    assert found(bare) == []
    commit_as_person(bare, {f"{NEWEST}/Chart.yaml": CHART.replace("0.1.0", "0.1")}, branch="dev")
    commit_as_person(bare, {"index.yaml": "a: 1\n"}, branch="main")
    commit_as_person(bare, {"charts/iris/0.1.1/Chart.yaml": "name: [\n"}, branch="elsewhere")
    assert found(bare) == [
        ("main", "E8", "index.yaml"),
        ("dev", "E2", f"{NEWEST}/Chart.yaml"),
    ]
    ran = check(bare, "--no-helm")
    assert ran.code == 1
    heads = [line for line in ran.out.splitlines() if not line.startswith(" ")]
    assert [line for line in heads if line.startswith("branch ")] == ["branch main", "branch dev"]


def test_one_fault_on_two_branches_goes_by_two_names(bare: Path) -> None:
    commit_as_person(bare, {f"{NEWEST}/Chart.yaml": CHART.replace("0.1.0", "0.1")}, branch="main")
    commit_as_person(bare, {f"{NEWEST}/Chart.yaml": CHART.replace("0.1.0", "0.1")}, branch="dev")
    report = json.loads(check(bare, "--no-helm", "--ignore", "W12", "--format", "gitlab").out)
    assert [one["check_name"] for one in report] == ["E2", "E2"]
    assert len({one["fingerprint"] for one in report}) == 2


def test_rules_on_another_branch_are_told_where_they_say_something_else(bare: Path) -> None:
    commit_as_person(bare, {".updater/rules.yaml": f"# a comment\n{RULES}"}, branch="dev")
    assert found(bare) == []
    commit_as_person(bare, {".updater/rules.yaml": RULES.replace("patch", "build")}, branch="dev")
    assert found(bare) == [("dev", "W15", ".updater/rules.yaml")]


def test_an_environment_without_files_on_its_own_branch_is_told(bare: Path) -> None:
    commit_as_person(bare, dict.fromkeys((*CATALOG, ".updater/rules.yaml")), branch="dev")
    assert ("dev", "E24", ".updater/rules.yaml") in found(bare)


def test_a_base_is_for_folders(bare: Path) -> None:
    ran = check(bare, "--no-helm", "--base", "main")
    assert ran.code == 2
    assert "--remote compares nothing" in ran.err


def test_a_branch_that_is_not_there_is_told(bare: Path) -> None:
    git(bare, "branch", "-D", "dev")
    assert found(bare) == [("main", "E17", ".updater/rules.yaml")]
    assert "has no branch 'dev'" in check(bare, "--no-helm").out


def test_rules_that_cannot_be_read_leave_the_default_branch(bare: Path) -> None:
    commit_as_person(bare, {".updater/rules.yaml": "environments: 1\n"})
    assert found(bare) == [("main", "E17", ".updater/rules.yaml")]


def test_links_are_seen_in_what_is_pushed(tmp_path: Path) -> None:
    bare = make_bare(tmp_path, CATALOG, symlinks={"charts/iris/latest": "0.1.52666"})
    assert ("main", "E7", "charts/iris/latest") in found(bare)


@pytest.mark.helm
def test_charts_of_every_branch_are_rendered(bare: Path) -> None:
    deaf = {f"{NEWEST}/templates/deployment.yaml": "kind: ConfigMap\n"}
    commit_as_person(bare, deaf, branch="dev")
    told = found(bare, "--helm", str(helm_binaries()[0]))
    assert told == [("dev", "W19", f"{NEWEST}/values.yaml")]


@pytest.mark.parametrize("words", [["."], ["--fix"]])
def test_the_remote_is_neither_a_folder_nor_mended(bare: Path, words: list[str]) -> None:
    ran = check(bare, *words)
    assert ran.code == 2
    assert "--remote checks what is pushed" in ran.err


def test_without_a_remote_the_setting_is_named() -> None:
    ran = updater("check", "--remote")
    assert ran.code == 2
    assert "UPDATER_REPO" in ran.err
