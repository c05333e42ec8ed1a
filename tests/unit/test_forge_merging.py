"""What can be done about an open merge request, decided on GitLab's bodies alone."""

from __future__ import annotations

from typing import Any

import pytest

from updater.forge import MergeRequest, Readiness, State, Step
from updater.forge.merging import Sight, decide, is_pipeline_of, merge_body, merged_result

HEAD = "b" * 40
KNOWN = MergeRequest(branch="updater/prod/iris", target="main", state=State.OPENED, head=HEAD, number=7)


def decided(*, may_get_pipeline: bool = False, pipeline: str = "", **changes: Any) -> Readiness:
    body: dict[str, Any] = {
        "iid": 7,
        "state": "opened",
        "sha": HEAD,
        "prepared_at": "2026-11-02T09:00:00.000Z",
        "detailed_merge_status": "mergeable",
        "merge_status": "can_be_merged",
        "merge_when_pipeline_succeeds": False,
        "head_pipeline": {"sha": HEAD, "status": pipeline, "ref": KNOWN.branch} if pipeline else None,
        "user": {"can_merge": True},
        **changes,
    }
    own = is_pipeline_of(body, HEAD)
    return decide(
        Sight(
            body=body,
            head=HEAD,
            merge_request=KNOWN,
            is_own_pipeline=own,
            may_get_pipeline=may_get_pipeline,
        )
    )


@pytest.mark.parametrize(
    ("status", "step", "code"),
    [
        ("preparing", Step.WAIT, "preparing"),
        ("checking", Step.WAIT, "checking"),
        ("unchecked", Step.WAIT, "unchecked"),
        ("approvals_syncing", Step.WAIT, "approvals-syncing"),
        ("ci_still_running", Step.WAIT, "pipeline-running"),
        ("mergeable", Step.MERGE, ""),
        ("need_rebase", Step.REPLAN, "need-rebase"),
        ("conflict", Step.REPLAN, "conflict"),
        ("broken_status", Step.REPLAN, "conflict"),
        ("commits_status", Step.REPLAN, "commits-status"),
        ("draft_status", Step.PERSON, "draft-status"),
        ("not_approved", Step.PERSON, "not-approved"),
        ("requested_changes", Step.PERSON, "requested-changes"),
        ("discussions_not_resolved", Step.PERSON, "discussions-not-resolved"),
        ("ci_must_pass", Step.PERSON, "ci-must-pass"),
        ("merge_request_blocked", Step.PERSON, "merge-request-blocked"),
        ("merge_time", Step.PERSON, "merge-time"),
        ("jira_association_missing", Step.PERSON, "jira-association-missing"),
        ("security_policy_violations", Step.PERSON, "security-policy-violations"),
        ("status_checks_must_pass", Step.PERSON, "status-checks-must-pass"),
        ("locked_paths", Step.PERSON, "locked-paths"),
        ("locked_lfs_files", Step.PERSON, "locked-lfs-files"),
        ("not_open", Step.WAIT, "checking"),
        ("something_of_2030", Step.PERSON, "unknown-status"),
        ("", Step.MERGE, ""),
    ],
)
def test_each_status_of_gitlab_has_one_consequence(status: str, step: Step, code: str) -> None:
    now = decided(detailed_merge_status=status)
    assert (now.step, now.code, now.words) == (step, code, status or "can_be_merged")


@pytest.mark.parametrize(
    ("status", "step", "code"),
    [
        ("cannot_be_merged", Step.REPLAN, "conflict"),
        ("unchecked", Step.WAIT, "unchecked"),
        ("checking", Step.WAIT, "checking"),
    ],
)
def test_servers_without_the_detailed_status_are_understood(status: str, step: Step, code: str) -> None:
    now = decided(detailed_merge_status=None, merge_status=status)
    assert (now.step, now.code) == (step, code)


def test_a_head_that_lags_comes_before_everything_else() -> None:
    for status in ("mergeable", "conflict", "not_approved"):
        assert decided(sha="a" * 40, detailed_merge_status=status).code == "head-lags"
    assert decided(sha=None).code == "head-lags"


def test_one_that_is_not_prepared_is_never_merged_whatever_the_status_says() -> None:
    assert decided(prepared_at=None).code == "preparing"


def test_a_merge_under_way_is_waited_for() -> None:
    assert (decided(state="locked").step, decided(state="locked").code) == (Step.WAIT, "checking")


@pytest.mark.parametrize("status", ["mergeable", "ci_still_running", "ci_must_pass"])
@pytest.mark.parametrize(
    "pipeline",
    ["created", "waiting_for_resource", "preparing", "pending", "running", "scheduled", "canceling"],
)
def test_an_own_pipeline_under_way_is_armed_once(status: str, pipeline: str) -> None:
    now = decided(detailed_merge_status=status, pipeline=pipeline)
    assert (now.step, now.code) == (Step.ARM, "pipeline-running")
    armed = decided(detailed_merge_status=status, pipeline=pipeline, merge_when_pipeline_succeeds=True)
    assert (armed.step, armed.code, armed.is_armed) == (Step.WAIT, "pipeline-running", True)


@pytest.mark.parametrize("pipeline", ["success", "failed", "running"])
@pytest.mark.parametrize("status", ["mergeable", "ci_must_pass", "ci_still_running"])
def test_a_pipeline_of_another_commit_never_counts(status: str, pipeline: str) -> None:
    other = {"sha": "a" * 40, "status": pipeline, "ref": KNOWN.branch}
    now = decided(detailed_merge_status=status, head_pipeline=other)
    assert (now.step, now.code) == (Step.WAIT, "pipeline-of-another-commit")


@pytest.mark.parametrize("pipeline", ["failed", "canceled"])
@pytest.mark.parametrize("status", ["mergeable", "ci_must_pass"])
def test_a_red_pipeline_of_its_own_stops_the_updater(status: str, pipeline: str) -> None:
    now = decided(detailed_merge_status=status, pipeline=pipeline)
    assert (now.step, now.code) == (Step.PERSON, "pipeline-failed")


def test_a_pipeline_that_waits_for_a_person_is_for_people() -> None:
    assert decided(pipeline="manual").code == "ci-must-pass"


@pytest.mark.parametrize("pipeline", ["success", "skipped"])
def test_a_pipeline_that_ended_well_leaves_the_word_to_gitlab(pipeline: str) -> None:
    assert decided(pipeline=pipeline).step is Step.MERGE
    assert decided(pipeline=pipeline, detailed_merge_status="ci_must_pass").code == "ci-must-pass"
    assert decided(pipeline=pipeline, detailed_merge_status="ci_still_running").step is Step.WAIT
    assert decided(pipeline=pipeline, detailed_merge_status="not_approved").code == "not-approved"


@pytest.mark.parametrize("status", ["mergeable", "ci_must_pass"])
def test_a_pipeline_that_may_come_is_waited_for(status: str) -> None:
    now = decided(detailed_merge_status=status, may_get_pipeline=True)
    assert (now.step, now.code) == (Step.WAIT, "pipeline-may-come")


def test_what_must_be_planned_again_does_not_wait_for_pipelines_or_rights() -> None:
    now = decided(detailed_merge_status="conflict", pipeline="running", user={"can_merge": False})
    assert now.step is Step.REPLAN


def test_a_missing_right_comes_before_what_others_still_have_to_do() -> None:
    for status in ("mergeable", "not_approved", "ci_still_running"):
        now = decided(detailed_merge_status=status, pipeline="running", user={"can_merge": False})
        assert (now.step, now.code) == (Step.PERSON, "no-right-to-merge")


def test_what_the_last_merge_failed_of_is_passed_on() -> None:
    words = decided(detailed_merge_status="conflict", merge_error="Something broke").words
    assert words == "conflict; Something broke"


def test_pipelines_for_merged_results_are_told_by_their_ref() -> None:
    def body(ref: str) -> dict[str, Any]:
        return {"iid": 7, "head_pipeline": {"sha": "c" * 40, "ref": ref}}

    assert merged_result(body("refs/merge-requests/7/merge")) == "c" * 40
    assert merged_result(body("refs/merge-requests/7/train")) == "c" * 40
    assert merged_result(body("refs/merge-requests/7/head")) == ""
    assert merged_result(body("refs/merge-requests/8/merge")) == ""
    assert merged_result({"iid": 7, "head_pipeline": None}) == ""


def test_every_merge_names_the_head_and_arming_uses_both_names() -> None:
    assert merge_body(HEAD, "Text", squash=False, arm=False) == {
        "sha": HEAD,
        "squash": False,
        "merge_commit_message": "Text",
    }
    armed = merge_body(HEAD, "Text", squash=True, arm=True)
    assert armed["squash_commit_message"] == armed["merge_commit_message"] == "Text"
    assert armed["auto_merge"] is armed["merge_when_pipeline_succeeds"] is True
