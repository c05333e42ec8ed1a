"""GitLab as the forge: merge requests found, made, updated, merged and closed through its REST API.

It hides everything about GitLab, in the modules beside it: HTTP and python-gitlab (`client`), JSON
(`reading`), when a merge may happen (`merging`), what its answers to a merge mean, and both
generations of its servers. `wiring` builds it, the worker calls it. It decides nothing about what
merge requests should say.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from updater.errors import ForgeRefused, Unreachable, UpdaterError
from updater.forge import deployments
from updater.forge.access import Access
from updater.forge.client import Body, Broken, Client, NoAnswer, NotAccepted, Refused
from updater.forge.merging import Sight, decide, merge_body
from updater.forge.notes import Notes
from updater.forge.pipelines import Pipelines
from updater.forge.project import Project
from updater.forge.proposing import Proposing
from updater.forge.reading import closed_description, is_of_own_branch, merge_request
from updater.forge.recent import Recent
from updater.forge.values import (
    Ensured,
    Landed,
    MergeRequest,
    Merging,
    Proposal,
    Readiness,
    State,
    Step,
)
from updater.model import PROPOSAL_PREFIX, Source


class GitLab:
    """A project on a GitLab, as `Forge` has it; nothing is asked before the first call.

    `url` is the instance's with its root path where it has one, `project` a path or number, `timeout`
    the seconds within which GitLab has to answer each question.
    """

    # GitLab makes no more pipelines for one push (its application limits, "Number of pipelines per
    # Git push"); a branch beyond that would have none, and auto-merge needs it.
    branches_per_push = 4
    decides_here = False

    def __init__(
        self,
        url: str,
        project: str,
        token: str,
        *,
        ca_file: Path | None,
        clock: Callable[[], datetime],
        timeout: float = 10,
    ) -> None:
        self._client = Client(url, token, ca_file=ca_file, clock=clock, timeout=timeout)
        self._project = Project(self._client, project)
        self._proposing = Proposing(self._project, self._own_user)
        self._pipelines = Pipelines(self._project)
        self._notes = Notes(self._project, self._own_user)
        self._access = Access(self._project) if token else None
        self._carried: Recent[tuple[int, str], tuple[str, ...]] = Recent()
        self._user = 0
        self._user_lock = threading.Lock()

    def look(self, branches: Collection[str]) -> Mapping[str, tuple[MergeRequest, ...]]:
        """Return the merge requests that each source branch ever had, the newest first (at most 20)."""
        asked = list(branches)
        found = {}
        for branch, told in zip(asked, self._client.each(self._ever, asked), strict=True):
            if isinstance(told, UpdaterError):
                raise told
            found[branch] = told
        return found

    def _ever(self, branch: str) -> tuple[MergeRequest, ...]:
        aim = f"list the merge requests of {branch!r}"
        bodies = self._project.get(
            "/merge_requests",
            aim,
            state="all",
            source_branch=branch,
            order_by="created_at",
            sort="desc",
            per_page=20,
        )
        return tuple(self._read(body) for body in bodies if is_of_own_branch(body))

    def opened(self) -> tuple[MergeRequest, ...]:
        """Return all open merge requests whose source branch is the updater's, the newest first."""
        bodies = self._project.pages(
            "/merge_requests",
            "list the open merge requests",
            state="opened",
            order_by="created_at",
            sort="desc",
        )
        own = (
            body
            for body in bodies
            if is_of_own_branch(body) and body["source_branch"].startswith(PROPOSAL_PREFIX)
        )
        # One opened between two pages comes twice.
        return tuple({body["iid"]: self._read(body) for body in own}.values())

    def carried(self, merge_request: MergeRequest) -> tuple[str, ...]:
        """Return the messages of its commits, the oldest first; also of one that ended."""
        key = (merge_request.number, merge_request.head)
        if key not in self._carried:
            path = f"/merge_requests/{merge_request.number}/commits"
            commits = list(self._project.pages(path, f"list the commits of {merge_request.name}"))
            self._carried[key] = tuple(str(commit["message"]) for commit in reversed(commits))
        return self._carried[key]

    def ensure(self, proposals: Sequence[Proposal]) -> Sequence[Ensured | UpdaterError]:
        """Make or update merge requests until each is as proposed; one answer for each."""
        return self._proposing.ensure(proposals)

    def readiness(self, merge_request: MergeRequest, head: str) -> Readiness:
        """Say what can be done about an open merge request whose branch stands at `head`.

        Codes of one that ended are `merged` and `closed`.
        """
        body = self._single(merge_request)
        known = self._read(body)
        if known.state is not State.OPENED:
            return Readiness(step=Step.ENDED, code=known.state.value, merge_request=known)
        sight = Sight(
            body=body,
            head=head,
            merge_request=known,
            is_own_pipeline=self._pipelines.is_own(body, head),
        )
        decided = decide(sight)
        would_go_on = decided.step is Step.MERGE or decided.code == "ci-must-pass"
        if would_go_on and not sight.pipeline and self._pipelines.may_come(body, head):
            return decide(dataclasses.replace(sight, may_get_pipeline=True))
        return decided

    def merge(
        self, merge_request: MergeRequest, *, head: str, message: str, squash: bool, arm: bool = False
    ) -> Merging:
        """Merge exactly `head`, or let GitLab do it when its pipeline succeeds (`arm`)."""
        body = merge_body(head, message, squash=squash, arm=arm)
        path = f"/merge_requests/{merge_request.number}/merge"
        try:
            answer = self._project.put(path, f"merge {merge_request.name}", body)
        except (NotAccepted, NoAnswer, Broken, Refused) as error:
            return self._instead(merge_request, head, error)
        merged = self._read(answer)
        if merged.state is State.MERGED:
            return Merging(Landed.MERGED, merge_commit=merged.merge_commit)
        is_armed = answer["state"] == "opened" and answer.get("merge_when_pipeline_succeeds")
        return Merging(Landed.ARMED) if is_armed else Merging(Landed.NOT_YET, "checking")

    def _instead(self, merge_request: MergeRequest, head: str, error: UpdaterError) -> Merging:
        """Say what became of a merge that GitLab did not do, or whose answer was lost: its page tells.

        401 to a merge means that the token may not merge there; 405, 406 and 422 carry no reason, and
        their order differs between versions.
        """
        now = self.readiness(merge_request, head)
        if now.merge_request.state is State.MERGED:
            return Merging(Landed.MERGED, merge_commit=now.merge_request.merge_commit)
        if now.is_armed and now.merge_request.head == head:
            return Merging(Landed.ARMED)
        if isinstance(error, NotAccepted):
            return Merging(Landed.NOT_YET, "no-right-to-merge", step=Step.PERSON)
        if not isinstance(error, Refused) or error.status == 403:
            raise error
        if error.status == 409:
            return Merging(Landed.NOT_YET, "head-lags", error.words)
        step = Step.PERSON if now.step is Step.PERSON else Step.WAIT
        return Merging(Landed.NOT_YET, now.code or "checking", now.words or error.words, step=step)

    def disarm(self, merge_request: MergeRequest) -> None:
        """No longer let GitLab merge it by itself; one that ended, or is not armed, stays as it is."""
        path = f"/merge_requests/{merge_request.number}/cancel_merge_when_pipeline_succeeds"
        aim = f"no longer merge {merge_request.name} by itself"
        try:
            self._project.post(path, aim, {})
        except NotAccepted as error:
            # As for a merge: the token may be good, and have no right to this.
            raise ForgeRefused(f"GitLab would not {aim}: do it on its page, {merge_request.url}.") from error
        except Refused as refused:
            if refused.status not in (405, 406):
                raise

    def close(self, merge_request: MergeRequest, *, text: str, by: str = "") -> None:
        """Close one, saying why in a note first; one that ended already is left as it is."""
        body = self._single(merge_request)
        if self._read(body).state is not State.OPENED:
            return
        self._notes.add(merge_request.number, text)
        change = {"state_event": "close", "description": closed_description(body.get("description"), by)}
        self._project.put(f"/merge_requests/{merge_request.number}", f"close {merge_request.name}", change)

    def note(self, merge_request: MergeRequest, text: str) -> None:
        """Make `text` the updater's one note on it: written once, edited later, left where it says so."""
        self._notes.keep(merge_request.number, text)

    def amend_note(self, merge_request: MergeRequest, text: str) -> None:
        """Make the updater's note say `text` where there is one; write none."""
        self._notes.amend(merge_request.number, text)

    def record_deployment(self, source: Source, environment: str, status: str) -> None:
        """Record on the source project that its commit goes to an environment.

        Does nothing where the source names no project of this GitLab, no commit or no ref.
        """
        deployments.record(self._client, source, environment, status)

    def problems(self, now: datetime) -> tuple[str, ...]:
        """Return what is wrong, or will be soon, with the updater's access; without a token nothing."""
        return self._access.problems(now) if self._access else ()

    def hang_up(self) -> None:
        """Close all connections; called once, when the process stops."""
        self._client.hang_up()

    def _single(self, merge_request: MergeRequest) -> Body:
        try:
            body: Body = self._project.get(
                f"/merge_requests/{merge_request.number}", f"show the merge request {merge_request.name}"
            )
        except Refused as refused:
            if refused.status == 404:
                raise Unreachable(f"{refused} It was deleted, and is looked up again.") from refused
            raise
        return body

    def _read(self, body: Body) -> MergeRequest:
        return merge_request(body, self._own_user)

    def _own_user(self) -> int:
        with self._user_lock:
            if not self._user:
                self._user = int(self._client.get("/user", "say whose the updater's token is")["id"])
            return self._user
