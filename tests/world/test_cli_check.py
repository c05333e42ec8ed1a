"""`updater check` as people and pipelines run it: real folders, real processes, exit codes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.checks import CHART, OVERLAYS
from support.commandline import updater
from support.documents import ROOT

EXAMPLES = sorted(path.parent.parent for path in (ROOT / "config-repo-example").glob("*/.updater/rules.yaml"))
CHART_FILE = "charts/iris/Chart.yaml"


def checkout(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in {**OVERLAYS, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_nothing_is_found_in_the_examples(folder: Path) -> None:
    ran = updater("check", "--no-helm", "--strict", str(folder))
    assert (ran.code, ran.err) == (0, ""), ran.out
    assert ran.out.startswith("0 errors, 0 warnings in ")


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_what_the_updater_writes_is_found_right(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "checkout")
    image = "docker-registry.example.com/iris:develop-52700"
    assert updater("update", image, "--worktree", str(copy)).code == 0
    ran = updater("check", "--no-helm", "--strict", "--no-helm", str(copy))
    assert ran.code == 0, ran.out


def test_findings_stand_by_file_and_line_with_what_breaks_and_the_cure(tmp_path: Path) -> None:
    folder = checkout(tmp_path, {CHART_FILE: CHART.replace("0.1.0", "0.1")})
    ran = updater("check", "--no-helm", str(folder))
    assert ran.code == 1
    file, finding, breaks, cure, _, last = ran.out.splitlines()
    assert file == CHART_FILE
    assert finding.startswith("  3: E2 The version '0.1' is not three numbers")
    assert breaks.endswith("; legacy catalogs drop the chart.")
    assert cure.startswith("      Cure: Write major.minor.patch")
    assert last == "1 error, 0 warnings in 1 chart. Static rules only: no Helm was used."


def test_what_a_fault_breaks_and_its_cure_stand_where_it_comes_first(tmp_path: Path) -> None:
    plain = CHART.replace("icon", "home")
    charts = {CHART_FILE: plain, "charts/rose/Chart.yaml": plain.replace("iris", "rose")}
    asking = dict.fromkeys(("charts/iris/questions.yml", "charts/rose/questions.yml"), "questions: []\n")
    folder = checkout(tmp_path, charts | asking)
    ran = updater("check", "--no-helm", str(folder))
    assert ran.out.count(" W13 The chart has no icon.\n") == 2
    assert ran.out.count("Rancher's UI shows a placeholder") == 1
    assert ran.out.count("Cure: Write icon:") == 1


def test_a_terminals_lines_break_between_words(tmp_path: Path) -> None:
    folder = checkout(tmp_path, {CHART_FILE: CHART.replace("0.1.0", "0.1")})
    command = [sys.executable, "-m", "updater", "check", "--no-helm", str(folder)]
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        command, stdout=theirs, stderr=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "70"}
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # the other end was closed
        pass
    os.close(ours)
    assert process.wait() == 1
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in shown.decode().splitlines()]
    assert lines[1].startswith("  3: E2 The version '0.1' is not three numbers")
    assert [line[:7].strip() != "" for line in lines[2:6]] == [True] * 4
    assert all(line.startswith("      ") for line in lines[2:6])
    assert max(map(len, lines[:-1])) <= 70


def test_names_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    folder = checkout(tmp_path, {})
    odd = folder / os.fsdecode(b"charts/\xff/Chart.yaml")
    odd.parent.mkdir()
    odd.write_text('apiVersion: v2\nname: "\\ud800"\nversion: 0.1.0\n')
    for form in ("text", "json", "gitlab"):
        ran = updater("check", "--no-helm", "--format", form, str(folder))
        assert (ran.code, ran.err) == (1, "")
        assert "charts/?/Chart.yaml" in ran.out


def test_warnings_count_only_where_that_is_asked_for(tmp_path: Path) -> None:
    folder = checkout(tmp_path, {CHART_FILE: f"{CHART}appVersion: 1.10\n"})
    assert updater("check", "--no-helm", str(folder)).code == 0
    assert updater("check", "--no-helm", "--strict", str(folder)).code == 1
    assert updater("check", "--no-helm", "--strict", "--ignore", "w13,W4", str(folder)).code == 0


def test_what_is_safe_is_mended_and_nothing_else_moves(tmp_path: Path) -> None:
    chart = f"# a chart\r\n{CHART}appVersion:   1.10   # of the image\n"
    dev = "image:\n  tag: 20260101 # the build\n"
    folder = checkout(tmp_path, {CHART_FILE: chart, "charts/iris/values-dev.yaml": dev})
    before = updater("check", "--no-helm", str(folder))
    assert "2 can be mended with --fix." in before.out
    ran = updater("check", "--no-helm", "--fix", str(folder))
    assert ran.code == 0
    assert "mended charts/iris/Chart.yaml:6 W4 " in ran.out
    assert (folder / CHART_FILE).read_bytes() == chart.replace("1.10", '"1.10"').encode()
    assert (folder / "charts/iris/values-dev.yaml").read_text() == dev.replace("20260101", '"20260101"')


def test_json_carries_all_facts(tmp_path: Path) -> None:
    folder = checkout(tmp_path, {CHART_FILE: CHART.replace("0.1.0", "0.1")})
    ran = updater("check", "--no-helm", "--format", "json", str(folder))
    (one,) = json.loads(ran.out)
    assert ran.code == 1
    assert {key: one[key] for key in ("code", "severity", "file", "line", "fixable")} == {
        "code": "E2",
        "severity": "error",
        "file": CHART_FILE,
        "line": 3,
        "fixable": False,
    }
    assert one["facts"] == {"fault": "version", "word": "0.1"}
    assert all(one[key] for key in ("message", "breaks", "cure", "fingerprint"))


def test_the_gitlab_report_has_the_keys_that_gitlab_reads(tmp_path: Path) -> None:
    folder = checkout(tmp_path, {CHART_FILE: f"{CHART}appVersion: 1.10\n", "index.yaml": "a: 1\n"})
    warning, error = json.loads(updater("check", "--no-helm", "--format", "gitlab", str(folder)).out)
    assert warning["check_name"] == "W4"
    assert warning["location"] == {"path": CHART_FILE, "lines": {"begin": 5}}
    assert (warning["severity"], error["severity"]) == ("minor", "major")
    assert warning["fingerprint"] != error["fingerprint"]
    assert warning["description"].startswith("appVersion 1.10 stands without quotes.")


def test_the_gitlab_report_names_files_from_the_top_of_the_project(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "some" / "where", {CHART_FILE: CHART.replace("0.1.0", "0.1")})
    options = ("check", "--no-helm", "--format", "gitlab")
    cases = [
        updater(*options, str(folder), env={"CI_PROJECT_DIR": str(tmp_path)}),
        updater(*options, "some/where", cwd=tmp_path),
    ]
    for ran in cases:
        (one,) = json.loads(ran.out)
        assert one["location"]["path"] == f"some/where/{CHART_FILE}"
    (one,) = json.loads(updater(*options, str(folder)).out)
    assert one["location"]["path"] == CHART_FILE


def test_a_pipeline_says_which_branch_it_is(tmp_path: Path) -> None:
    rules = OVERLAYS[".updater/rules.yaml"].replace("  prod:\n", "  prod:\n    branch: prod\n")
    folder = checkout(tmp_path, {".updater/rules.yaml": rules})
    pipeline = {"CI_COMMIT_BRANCH": "prod", "CI_DEFAULT_BRANCH": "main"}
    assert (
        "W15 These rules stand on the branch prod"
        in updater("check", "--no-helm", str(folder), env=pipeline).out
    )


@pytest.mark.parametrize("arguments", [["--ignore", "E99"], ["--format", "xml"], ["nowhere"]])
def test_wrong_arguments_are_told(arguments: list[str], tmp_path: Path) -> None:
    assert updater("check", "--no-helm", *arguments, cwd=tmp_path).code == 2


def test_a_part_of_a_checkout_is_not_checked_as_if_it_were_all(tmp_path: Path) -> None:
    folder = checkout(tmp_path, {})
    ran = updater("check", "--no-helm", "charts", cwd=folder)
    assert ran.code == 1
    assert "E22 There are no rules in this folder; they lie further up, in ." in ran.out
    assert "`updater check .`" in ran.out
    (folder / "charts" / ".git").mkdir()
    assert "further up" not in updater("check", "--no-helm", "charts", cwd=folder).out


def test_a_folder_without_charts_is_told_as_one(tmp_path: Path) -> None:
    ran = updater("check", "--no-helm", str(tmp_path))
    assert ran.code == 1
    assert "E23 There is no chart here" in ran.out


def test_kustomizations_that_were_looked_at_are_counted(tmp_path: Path) -> None:
    folder = checkout(tmp_path, {"apps/kustomization.yaml": "resources: []\n"})
    assert "in 1 chart and 1 kustomization." in updater("check", "--no-helm", str(folder)).out


def test_a_bar_is_drawn_on_a_terminal_and_nowhere_else(tmp_path: Path) -> None:
    folder = checkout(tmp_path, {})
    assert updater("check", "--no-helm", str(folder)).err == ""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "updater", "check", "--no-helm", str(folder)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, "TERM": "xterm"}
    )
    os.close(theirs)
    out, _ = process.communicate()
    drawn = os.read(ours, 65536).decode()
    os.close(ours)
    assert "checked" in drawn
    assert "100%" in drawn
    assert "checked" not in out.decode()
