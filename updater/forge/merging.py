"""Decides what can be done about an open merge request, from what GitLab tells of it.

It hides GitLab's `detailed_merge_status` (merge requests API), whose values came and went over the
versions, and how far a pipeline counts: only one of the very commit. Pure; called by `gitlab`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from updater.forge.client import Body
from updater.forge.values import MergeRequest, Readiness, Step

# GitLab asks itself; the answer comes without anybody doing anything.
_TRANSIENT = {
    "preparing": "preparing",
    "checking": "checking",
    "unchecked": "unchecked",
    "approvals_syncing": "approvals-syncing",
    # Open, and not open: seen while a merge or a reopening is under way.
    "not_open": "checking",
}
# Planning again on the target's tip mends it. The first of each pair is what GitLab says since 15.6.
_REPLAN = {
    "conflict": "conflict",
    "broken_status": "conflict",
    "cannot_be_merged": "conflict",
    "need_rebase": "need-rebase",
    "commits_status": "commits-status",
}
_PERSON = {
    "not_approved": "not-approved",
    "requested_changes": "requested-changes",
    "discussions_not_resolved": "discussions-not-resolved",
    "draft_status": "draft-status",
    "merge_request_blocked": "merge-request-blocked",
    "blocked_status": "merge-request-blocked",
    "merge_time": "merge-time",
    "jira_association_missing": "jira-association-missing",
    "security_policy_violations": "security-policy-violations",
    "policies_denied": "security-policy-violations",
    "status_checks_must_pass": "status-checks-must-pass",
    "external_status_checks": "status-checks-must-pass",
    "locked_paths": "locked-paths",
    "locked_lfs_files": "locked-lfs-files",
}
_PIPELINE = ("ci_must_pass", "ci_still_running")
_WAITING = ("created", "waiting_for_resource", "waiting_for_callback", "preparing", "pending", "scheduled")
_UNDER_WAY = frozenset((*_WAITING, "running", "canceling"))
_FAILED = frozenset(("failed", "canceled"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is known of an open merge request: GitLab's body of it, and the head the branch stands at.

    `is_own_pipeline` says whether the head pipeline tested that head; `may_get_pipeline` that there
    is none yet and one may come.
    """

    body: Body
    head: str
    merge_request: MergeRequest
    is_own_pipeline: bool
    may_get_pipeline: bool = False

    @property
    def status(self) -> str:
        """GitLab's reason, in its words of 15.6 and later."""
        return str(self.body.get("detailed_merge_status") or self.body.get("merge_status") or "")

    @property
    def pipeline(self) -> str:
        """The status of the head pipeline; empty where there is none."""
        return str((self.body.get("head_pipeline") or {}).get("status") or "")

    @property
    def is_armed(self) -> bool:
        """Whether GitLab is going to merge it by itself."""
        return bool(self.body.get("merge_when_pipeline_succeeds"))

    def ready(self, step: Step, code: str) -> Readiness:
        """Return a decision about it; GitLab's words are its status and what its last merge failed of."""
        words = "; ".join(filter(None, (self.status, self.body.get("merge_error"))))
        return Readiness(
            step=step, code=code, merge_request=self.merge_request, words=words, is_armed=self.is_armed
        )


def is_pipeline_of(body: Body, head: str) -> bool:
    """Say whether the head pipeline, where there is one, tested exactly `head`."""
    pipeline = body.get("head_pipeline")
    return not pipeline or pipeline.get("sha") == head


def merged_result(body: Body) -> str:
    """Return the commit a pipeline for merged results tested; empty where the pipeline is of another kind.

    Such a pipeline tests a merge that GitLab made of head and target, kept under a ref of the merge
    request; the head is then one of its parents.
    """
    pipeline = body.get("head_pipeline") or {}
    prefix = f"refs/merge-requests/{body['iid']}/"
    ref = str(pipeline.get("ref") or "")
    return str(pipeline.get("sha") or "") if ref in (prefix + "merge", prefix + "train") else ""


def decide(sight: Sight) -> Readiness:
    """Say what can be done now: first what passes by itself, then what is planned anew, then people."""
    body, status = sight.body, sight.status
    if body.get("state") == "locked":
        return sight.ready(Step.WAIT, "checking")
    if (body.get("sha") or "") != sight.head:
        return sight.ready(Step.WAIT, "head-lags")
    if "prepared_at" in body and body["prepared_at"] is None:
        return sight.ready(Step.WAIT, "preparing")
    if status in _TRANSIENT:
        return sight.ready(Step.WAIT, _TRANSIENT[status])
    if status in _REPLAN:
        return sight.ready(Step.REPLAN, _REPLAN[status])
    if (body.get("user") or {}).get("can_merge") is False:
        return sight.ready(Step.PERSON, "no-right-to-merge")
    if status in _PERSON:
        return sight.ready(Step.PERSON, _PERSON[status])
    if status not in (*_PIPELINE, "mergeable", "can_be_merged"):
        return sight.ready(Step.PERSON, "unknown-status")
    return _by_pipeline(sight)


def _by_pipeline(sight: Sight) -> Readiness:
    if not sight.pipeline:
        return _without_pipeline(sight)
    if not sight.is_own_pipeline:
        return sight.ready(Step.WAIT, "pipeline-of-another-commit")
    if sight.pipeline in _UNDER_WAY:
        return sight.ready(Step.WAIT if sight.is_armed else Step.ARM, "pipeline-running")
    if sight.pipeline in _FAILED:
        return sight.ready(Step.PERSON, "pipeline-failed")
    if sight.pipeline == "manual" or sight.status == "ci_must_pass":
        return sight.ready(Step.PERSON, "ci-must-pass")
    if sight.status == "ci_still_running":
        # It ended between two looks of GitLab's.
        return sight.ready(Step.WAIT, "pipeline-running")
    return sight.ready(Step.MERGE, "")


def _without_pipeline(sight: Sight) -> Readiness:
    if sight.status == "ci_still_running":
        return sight.ready(Step.WAIT, "pipeline-running")
    if sight.may_get_pipeline:
        return sight.ready(Step.WAIT, "pipeline-may-come")
    if sight.status == "ci_must_pass":
        return sight.ready(Step.PERSON, "ci-must-pass")
    return sight.ready(Step.MERGE, "")


def merge_body(head: str, message: str, *, squash: bool, arm: bool) -> dict[str, Any]:
    """Return what to send to have exactly `head` merged.

    Whether the source branch goes was said when the merge request was made, and people may have
    changed it since. `auto_merge` came with 17.11; older servers read only the other name.
    """
    body: dict[str, Any] = {"sha": head, "squash": squash, "merge_commit_message": message}
    if squash:
        body["squash_commit_message"] = message
    if arm:
        body |= {"auto_merge": True, "merge_when_pipeline_succeeds": True}
    return body
