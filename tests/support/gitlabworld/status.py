"""What stands in a merge request's way, in GitLab's words (`detailed_merge_status`)."""

from __future__ import annotations

from support.gitlabworld.core import Core
from support.gitlabworld.state import MergeRequest

TRANSIENT = frozenset({"preparing", "checking", "unchecked"})
# What auto-merge may wait for: these may pass without a push.
MAY_PASS = frozenset(
    {"not_approved", "requested_changes", "draft_status", "discussions_not_resolved", "ci_must_pass"}
    | {"ci_still_running"}
)


def detailed_status(core: Core, request: MergeRequest) -> str:
    """Return the status that GitLab answers now, transient ones included."""
    if request.state != "opened":
        return "not_open"
    if request.preparing or request.prepared_at is None:
        return "preparing"
    if request.checked != (request.head, core.refs.get(request.target, "")):
        return "unchecked"
    return "checking" if request.checking else real_status(core, request)


def real_status(core: Core, request: MergeRequest) -> str:
    """Return what a finished check would say; the order is GitLab's (paid checks come first)."""
    if request.state != "opened":
        return "not_open"
    if request.forced_status:
        return request.forced_status
    checks = {
        "not_approved": core.edition == "ee" and len(request.approvals) < core.approvals_required,
        "requested_changes": core.edition == "ee" and request.requested_changes,
        "draft_status": request.draft,
        "commits_status": not _has_commits(core, request),
        "discussions_not_resolved": core.must_resolve and request.open_discussions > 0,
    }
    found = [name for name, fails in checks.items() if fails]
    return found[0] if found else _branch_status(core, request) or _pipeline_status(core, request)


def merge_status(detailed: str) -> str:
    """Return the deprecated field that goes with it."""
    if detailed in ("preparing", "checking"):
        return "checking"
    if detailed == "unchecked":
        return "unchecked"
    return "cannot_be_merged" if detailed in ("conflict", "commits_status") else "can_be_merged"


def has_conflicts(core: Core, request: MergeRequest) -> bool:
    """Say whether source and target conflict; means nothing before the check is done."""
    target = core.refs.get(request.target, "")
    if detailed_status(core, request) in TRANSIENT or request.state != "opened" or not target:
        return False
    return core.repo.merged_tree(target, request.head) is None


def _has_commits(core: Core, request: MergeRequest) -> bool:
    target = core.refs.get(request.target, "")
    return bool(target) and request.source in core.refs and not core.repo.contains(target, request.head)


def _branch_status(core: Core, request: MergeRequest) -> str:
    target = core.refs[request.target]
    if core.repo.merged_tree(target, request.head) is None:
        return "conflict"
    if core.merge_method != "merge" and not core.repo.contains(request.head, target):
        return "need_rebase"
    return ""


def _pipeline_status(core: Core, request: MergeRequest) -> str:
    """CI counts only where the project asks for a green pipeline; else GitLab merges past a red one."""
    pipeline = core.pipeline_of(request)
    if not core.must_pass or (
        pipeline is not None and pipeline.sha == request.head and pipeline.status == "success"
    ):
        return "mergeable"
    runs = pipeline is not None and pipeline.status == "running"
    return (
        "ci_still_running"
        if runs or (core.is_active(request) and core.generation != "18")
        else "ci_must_pass"
    )
