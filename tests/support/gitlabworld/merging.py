"""Merging: the server's checks in the order of two generations, and the merge itself in the repo."""

from __future__ import annotations

from support.gitlabworld.core import Core
from support.gitlabworld.state import MergeRequest, Person, Terms
from support.gitlabworld.status import MAY_PASS, TRANSIENT, detailed_status, real_status

Refusal = tuple[int, str]
NOT_ALLOWED: Refusal = (405, "405 Method Not Allowed")
UNAUTHORIZED: Refusal = (401, "401 Unauthorized")
CANNOT: Refusal = (422, "Branch cannot be merged")


def attempt(
    core: Core, request: MergeRequest, by: Person, *, sha: str, auto: bool, terms: Terms
) -> Refusal | None:
    """Merge, arm, or say no as `PUT .../merge` does; None means that it was taken."""
    if core.generation == "18":
        return _attempt_18(core, request, by, sha=sha, auto=auto, terms=terms)
    return _attempt_19(core, request, by, sha=sha, auto=auto, terms=terms)


def _attempt_18(
    core: Core, request: MergeRequest, by: Person, *, sha: str, auto: bool, terms: Terms
) -> Refusal | None:
    if not core.may(by, request.target, "merge"):
        return UNAUTHORIZED
    status = detailed_status(core, request)
    arms = auto and _can_wait(core, request, status)
    # Conflicts are no part of the first check here; the second one finds them.
    state_allows = status in ("mergeable", "conflict", "need_rebase")
    now = _is_green(core, request) and status not in TRANSIENT if auto else state_allows
    if not arms and not now:
        return NOT_ALLOWED
    if not arms and status != "mergeable":
        return CANNOT
    if sha and sha != request.head:
        return _other_head(request)
    if arms:
        _arm(core, request, by, terms)
        return None
    return None if land(core, request, by, terms) else CANNOT


def _attempt_19(
    core: Core, request: MergeRequest, by: Person, *, sha: str, auto: bool, terms: Terms
) -> Refusal | None:
    if core.sha_required and not sha:
        return 400, "SHA must be provided when merging"
    if not core.may(by, request.target, "merge"):
        return UNAUTHORIZED
    if sha and sha != request.head:
        return _other_head(request)
    status = detailed_status(core, request)
    if auto and _can_wait(core, request, status):
        _arm(core, request, by, terms)
        return None
    if auto:
        # No pipeline at all counts as nothing to wait for: this is where auto-merge merges at once.
        allowed = request.state == "opened" and status not in TRANSIENT
        allowed = allowed and (core.pipeline_of(request) is None or _is_green(core, request))
    else:
        allowed = status == "mergeable"
    if not allowed:
        return NOT_ALLOWED
    return None if status == "mergeable" and land(core, request, by, terms) else CANNOT


def _other_head(request: MergeRequest) -> Refusal:
    return 409, f"SHA does not match HEAD of source branch: {request.head}"


def _is_green(core: Core, request: MergeRequest) -> bool:
    pipeline = core.pipeline_of(request)
    return pipeline is not None and pipeline.sha == request.head and pipeline.status == "success"


def _can_wait(core: Core, request: MergeRequest, status: str) -> bool:
    """Say whether GitLab has a strategy to merge it later by itself."""
    if request.state != "opened" or status in TRANSIENT:
        return False
    return (status == "mergeable" and core.is_active(request)) or status in MAY_PASS


def _arm(core: Core, request: MergeRequest, by: Person, terms: Terms) -> None:
    request.armed_by, request.armed_with = by, terms
    core.touch(request)
    core.emit("merge_request", request, action="update", by=by)


def land(core: Core, request: MergeRequest, by: Person, terms: Terms) -> bool:
    """Merge in the repo by the project's method; False where source or target got in the way."""
    refs = core.repo.branches()
    target, now = refs.get(request.target, ""), core.clock()
    tree = core.repo.merged_tree(target, request.head) if target else None
    if tree is None or real_status(core, request) == "need_rebase":
        return False
    tip, squashed, merged = request.head, None, None
    if terms.squash:
        base = target if core.merge_method == "ff" else core.repo.merge_base(target, request.head)
        own = core.repo.commit(request.head)
        assert own is not None
        squashed_tree = core.repo.merged_tree(base, request.head)
        assert squashed_tree is not None
        message = terms.squash_message or request.title
        tip = squashed = core.repo.commit_tree(squashed_tree, [base], message, by=by, at=now)
    if core.merge_method != "ff":
        message = terms.merge_message or _default_message(core, request)
        tip = merged = core.repo.commit_tree(tree, [target, tip], message, by=by, at=now)
    if not core.repo.move(request.target, tip, target):
        return False
    request.merge_commit, request.squash_commit = merged, squashed
    _end(core, request, by, terms)
    core.refs[request.target] = tip
    core.emit("push", request.target, old=target, new=tip, by=by)
    core.emit("merge_request", request, action="merge", by=by)
    return True


def _end(core: Core, request: MergeRequest, by: Person, terms: Terms) -> None:
    request.state, request.merged_at, request.merged_by = "merged", core.clock(), by
    request.armed_by = None
    core.touch(request)
    # GitLab leaves a source branch alone that went on after the commit it merged.
    if (terms.remove_source or request.remove_source) and core.repo.delete(request.source, request.head):
        core.refs.pop(request.source, None)
        core.emit("push", request.source, old=request.head, new="", by=by)


def _default_message(core: Core, request: MergeRequest) -> str:
    return (
        f"Merge branch '{request.source}' into '{request.target}'\n\n{request.title}\n\n"
        f"See merge request {core.project}!{request.iid}\n"
    )
