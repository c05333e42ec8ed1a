"""The component config-check, run by a real CI runner with the real command over config repos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.components import component_files, including
from support.pipeline import CodeRepo, JobResult
from support.world import RULES, chart

pytestmark = pytest.mark.runner

MERGE_REQUEST = {"CI_PIPELINE_SOURCE": "merge_request_event"}
GOOD: dict[str, str | bytes] = {".updater/rules.yaml": RULES, **chart("iris")}


def check(folder: Path, files: dict[str, str | bytes], **inputs: object) -> tuple[JobResult, Any]:
    """Run the job in a config repo with these files; return it with its report."""
    pipeline = including("config-check", {"job-image": "registry.example.com/gitops-updater:0.1.0", **inputs})
    repo = CodeRepo(folder, pipeline, {**files, **component_files("config-check")})
    job = repo.run(["config-check"], MERGE_REQUEST)
    return job, json.loads((folder / "gl-code-quality-report.json").read_text())


def test_a_broken_repo_is_red_and_says_where_and_why_to_people_and_to_gitlab(tmp_path: Path) -> None:
    overlay = "charts/iris/values-dev.yaml"
    job, report = check(tmp_path / "repo", {**GOOD, overlay: "image:\n  tag: 1.10\n"})
    assert job.exit_code == 1
    assert overlay in job.output
    assert "E6" in job.output
    [finding] = [found for found in report if found["check_name"] == "E6"]
    assert (finding["location"]["path"], finding["location"]["lines"]["begin"]) == (overlay, 2)


def test_warnings_are_red_only_where_that_is_asked_for_and_what_is_ignored_never(tmp_path: Path) -> None:
    files = {
        **GOOD,
        "charts/iris/Chart.yaml": "apiVersion: v2\nname: iris\nversion: 0.1.0\nappVersion: 1.10\n",
    }
    job, report = check(tmp_path / "lenient", files)
    assert job.exit_code == 0, job.output
    assert "0 errors" in job.output
    assert {found["severity"] for found in report} == {"minor"}
    codes = {found["check_name"] for found in report}
    assert "W4" in codes
    job, report = check(tmp_path / "strict", files, strict=True, ignore=",".join(codes - {"W4"}))
    assert job.exit_code == 1, job.output
    assert [found["check_name"] for found in report] == ["W4"]


def test_the_job_runs_on_merge_requests_and_on_the_branches_they_go_to(tmp_path: Path) -> None:
    pipeline = including("config-check", {"job-image": "registry.example.com/gitops-updater:0.1.0"})
    files = {**GOOD, **component_files("config-check")}
    target = CodeRepo(tmp_path / "target", pipeline, files, branch="main")
    assert "config-check;test;on_success" in target.run(["--list-csv"], {"CI_PIPELINE_SOURCE": "push"}).output
    repo = CodeRepo(tmp_path / "repo", pipeline, files, branch="feature")
    pushed = repo.run(["--list-csv"], {"CI_PIPELINE_SOURCE": "push"}).output
    assert "name;stage;when;" in pushed
    assert "config-check" not in pushed
    assert "config-check;test;on_success" in repo.run(["--list-csv"], MERGE_REQUEST).output


def test_the_job_compares_with_where_the_merge_request_began(tmp_path: Path) -> None:
    pipeline = including("config-check", {"job-image": "registry.example.com/gitops-updater:0.1.0"})
    repo = CodeRepo(tmp_path / "repo", pipeline, {**GOOD, **component_files("config-check")})
    began = {**MERGE_REQUEST, "CI_MERGE_REQUEST_DIFF_BASE_SHA": repo.head}
    repo.change(
        {"charts/iris/templates/config.yaml": "kind: ConfigMap\n"}, "Change the chart, not its version"
    )
    job = repo.run(["config-check"], began)
    assert (job.exit_code, "E11" in job.output) == (1, True), job.output
    # A runner of GitLab fetches twenty commits unless it is told otherwise; this one runs in the checkout.
    assert "GIT_DEPTH: 0 " in str(component_files("config-check"))
