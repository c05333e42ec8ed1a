"""Makes merge requests, or updates them in place, until each is as proposed.

It hides that GitLab may have made one though its answer was lost, and that somebody may have made one
meanwhile: then that one is found and taken. No POST is ever sent twice. Called by `gitlab`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from updater.errors import TemporaryError, Unreachable, UpdaterError
from updater.forge.client import Body, Broken, NoAnswer, Refused
from updater.forge.people import People
from updater.forge.project import Project
from updater.forge.reading import is_draft, is_of_own_branch, merge_request, told_description, told_title
from updater.forge.values import Ensured, MergeRequest, Proposal, State

# "Another open merge request already exists for this source branch: !12"
_NUMBER = re.compile(r"!([0-9]+)")


class Proposing:
    """Brings merge requests of one project into line with proposals."""

    def __init__(self, project: Project, own_user: Callable[[], int]) -> None:
        self._project = project
        self._own_user = own_user
        self._people = People(project)

    def ensure(self, proposals: Sequence[Proposal]) -> Sequence[Ensured | UpdaterError]:
        """Return one answer for each proposal, in their order."""
        return self._project.client.each(self._ensured, proposals)

    def _ensured(self, proposal: Proposal) -> Ensured:
        known = proposal.known
        # One that goes elsewhere and does not tell of us is somebody's own, of the same branch.
        if known is None or (known.target != proposal.target and not known.told_head):
            return self._made(proposal)
        return self._aligned(known, proposal)

    def _aligned(self, known: MergeRequest, proposal: Proposal) -> Ensured:
        if known.told_head == proposal.head and known.target == proposal.target:
            return Ensured(known)
        body = {
            # People switch "Draft:" in the title on and off; their word stands.
            "title": told_title(proposal.title, is_draft=is_draft(known.title)),
            "description": told_description(proposal.description, proposal.head),
        }
        if known.target != proposal.target:
            body["target_branch"] = proposal.target
        aim = f"update the merge request !{known.number} of {proposal.branch!r}"
        path = f"/merge_requests/{known.number}"
        try:
            told = self._read(self._project.put(path, aim, body))
            if told.state is not State.OPENED:
                # GitLab takes new words for one that ended, too. People said yes or no to the old ones.
                old = {"title": known.title, "description": known.description}
                self._project.put(path, aim, old)
            return Ensured(_still_open(told))
        except Refused as refused:
            if refused.status == 404:
                # Deleted by an administrator: the next look will not find it any more.
                raise Unreachable(f"{refused} It is looked up again.") from refused
            raise

    def _made(self, proposal: Proposal) -> Ensured:
        body, unknown = self._new(proposal)
        try:
            made = self._project.post("/merge_requests", _aim(proposal), body)
        except (NoAnswer, Broken):
            # It may have been made: looking tells, sending again would not.
            if (found := self._listed(proposal)) is None:
                raise
            return Ensured(self._aligned(found, proposal).merge_request, unknown)
        except Refused as refused:
            if refused.status != 409 or (found := self._named(proposal, refused.words)) is None:
                raise
            return Ensured(self._aligned(found, proposal).merge_request, unknown)
        return Ensured(self._read(made), unknown)

    def _new(self, proposal: Proposal) -> tuple[dict[str, Any], tuple[str, ...]]:
        body: dict[str, Any] = {
            "source_branch": proposal.branch,
            "target_branch": proposal.target,
            "title": told_title(proposal.title, is_draft=proposal.draft),
            "description": told_description(proposal.description, proposal.head),
            "remove_source_branch": proposal.remove_source_branch,
            "squash": proposal.squash,
        }
        if proposal.labels:
            body["labels"] = ",".join(proposal.labels)
        unknown: list[str] = []
        for field, names in (("assignee_ids", proposal.assignees), ("reviewer_ids", proposal.reviewers)):
            found = {name: self._people.user(name) for name in names}
            unknown.extend(name for name, number in found.items() if number is None)
            if numbers := [number for number in found.values() if number is not None]:
                body[field] = numbers
        if proposal.milestone:
            number = self._people.milestone(proposal.milestone)
            if number is None:
                unknown.append(proposal.milestone)
            else:
                body["milestone_id"] = number
        return body, tuple(dict.fromkeys(unknown))

    def _named(self, proposal: Proposal, words: str) -> MergeRequest | None:
        """Return the open merge request that GitLab named when it refused a second one."""
        if number := _NUMBER.search(words):
            body = self._project.get(f"/merge_requests/{number[1]}", _aim(proposal))
            if self._fits(body, proposal):
                return _still_open(self._read(body))
        return self._listed(proposal)

    def _listed(self, proposal: Proposal) -> MergeRequest | None:
        found = self._project.get(
            "/merge_requests", _aim(proposal), state="opened", source_branch=proposal.branch
        )
        fitting = [self._read(body) for body in found if self._fits(body, proposal)]
        return next(iter(sorted(fitting, key=lambda one: one.target != proposal.target)), None)

    def _fits(self, body: Body, proposal: Proposal) -> bool:
        return (
            is_of_own_branch(body)
            and body["source_branch"] == proposal.branch
            and (body["target_branch"] == proposal.target or bool(self._read(body).told_head))
        )

    def _read(self, body: Body) -> MergeRequest:
        return merge_request(body, self._own_user)


def _still_open(known: MergeRequest) -> MergeRequest:
    if known.state is not State.OPENED:
        raise TemporaryError(f"{known.name} was closed or merged meanwhile; it is looked at again.")
    return known


def _aim(proposal: Proposal) -> str:
    return f"open a merge request of {proposal.branch!r} for {proposal.target!r}"
