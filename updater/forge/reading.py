"""Reads GitLab's JSON into the forge's values, and the marks the updater leaves in descriptions.

It hides the shape of GitLab's merge requests (documented in its merge requests API) and how the
updater remembers things there: HTML comments at the end of a description or note, which nobody sees
who does not edit it. Pure; called by the other modules of this package.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote, unquote

from updater.forge.client import Body
from updater.forge.values import MergeRequest, State

NOTE_MARK = "<!-- updater-note -->"
# GitLab's own limits, from its application limits and the titles' validation.
MAX_TITLE = 255
MAX_DESCRIPTION = 1_048_576

_HEAD = re.compile(r"<!-- updater-head: ([0-9a-f]+) -->")
_CLOSER = re.compile(r"<!-- updater-closed-by: (\S*) -->")
# GitLab's marks of a draft, in any case (its lib/gitlab/regex.rb knows the same three).
_DRAFT = re.compile(r"\s*(?:\[draft\]|\(draft\)|draft:)\s*", re.IGNORECASE)
# A line that begins so is a quick action for GitLab: "/close" in a description would close.
# A comment that would be read as a mark of ours: texts of other people come in too.
_FOREIGN_MARK = re.compile(r"<!--(?=\s*updater-)")
_QUICK_ACTION = re.compile(r"^([ \t>]*)/(?=[a-zA-Z])", re.MULTILINE)


def merge_request(body: Body, own_user: Callable[[], int]) -> MergeRequest:
    """Read one merge request; `own_user` (the number of the token's user) is asked only where it counts."""
    state = _state(body)
    ended_by, is_own_end = _end(body, state, own_user)
    head = _HEAD.findall(body.get("description") or "")
    return MergeRequest(
        branch=body["source_branch"],
        target=body["target_branch"],
        state=state,
        head=body.get("sha") or "",
        number=body["iid"],
        url=body.get("web_url") or "",
        title=body["title"],
        told_head=head[-1] if head else "",
        ended_by=ended_by,
        is_own_end=is_own_end,
        merge_commit=_merge_commit(body) if state is State.MERGED else "",
        is_armed=state is State.OPENED and _is_armed(body, own_user),
        created_at=moment(body.get("created_at")),
        description=body.get("description") or "",
    )


def is_of_own_branch(body: Body) -> bool:
    """Say whether the source branch lies in the project itself: a fork may have one of the same name."""
    return body.get("source_project_id") == body.get("target_project_id")


def moment(text: str | None) -> datetime | None:
    """Read a point in time as GitLab writes it."""
    return datetime.fromisoformat(text) if text else None


def told_title(title: str, *, is_draft: bool) -> str:
    """Return a title of GitLab's length, marked as a draft or not."""
    whole = f"Draft: {title}" if is_draft else title
    return whole if len(whole) <= MAX_TITLE else whole[: MAX_TITLE - 1] + "…"


def is_draft(title: str) -> bool:
    """Say whether GitLab takes a merge request of this title for a draft."""
    return _DRAFT.match(title) is not None


def told_description(text: str, head: str) -> str:
    """Return the description to send: harmless, and marked with the head it tells of."""
    return _marked(_unmarked(text), f"<!-- updater-head: {head} -->")


def closed_description(described: str | None, by: str) -> str:
    """Return a description marked with who asked the updater to close; nobody: its own decision."""
    # Quoted, because a name may hold anything that ends a comment.
    return _marked(_CLOSER.sub("", described or ""), f"<!-- updater-closed-by: {quote(by)} -->")


def told_note(text: str, mark: str = "") -> str:
    """Return a note to send: harmless, and with the mark that finds it again."""
    return _marked(_unmarked(text), mark) if mark else _harmless(_unmarked(text))


def _marked(text: str, mark: str) -> str:
    room = MAX_DESCRIPTION - len(mark) - 2
    return f"{_harmless(text).rstrip()[:room]}\n\n{mark}".lstrip("\n")


def _unmarked(text: str) -> str:
    return _FOREIGN_MARK.sub("<! --", text)


def _harmless(text: str) -> str:
    return _QUICK_ACTION.sub(r"\1\\/", text)


def _state(body: Body) -> State:
    told = body["state"]
    # `locked` is a merge under way, and may end either way.
    return State.OPENED if told == "locked" else State(told)


def _merge_commit(body: Body) -> str:
    """Return what stands on the target branch; where nothing was merged but the branch moved, the head."""
    return body.get("merge_commit_sha") or body.get("squash_commit_sha") or body.get("sha") or ""


def _end(body: Body, state: State, own_user: Callable[[], int]) -> tuple[str, bool]:
    if state is State.OPENED:
        return "", False
    if state is State.MERGED:
        # merge_user since 14.7; merged_by is its deprecated double.
        return _login(body.get("merge_user") or body.get("merged_by")), False
    marks = _CLOSER.findall(body.get("description") or "")
    closer = body.get("closed_by") or {}
    # The mark alone says that the updater closed it: its token may be a person's, who closes on the page.
    if not marks or (closer and not _is_ours(closer, body, own_user)):
        return _login(closer), False
    by = unquote(marks[-1])
    return by, not by


def _is_armed(body: Body, own_user: Callable[[], int]) -> bool:
    if not body.get("merge_when_pipeline_succeeds"):
        return False
    # Until it is merged, whoever set it to be merged by itself (merge requests API).
    setter = body.get("merge_user")
    return not setter or _is_ours(setter, body, own_user)


def _is_ours(user: Body, body: Body, own_user: Callable[[], int]) -> bool:
    """Say whether a user is the updater's: also the one it had before its token was replaced."""
    author = (body.get("author") or {}).get("id")
    return user.get("id") in (own_user(), author)


def _login(user: Body | None) -> str:
    return str(user.get("username") or user.get("name") or "") if user else ""
