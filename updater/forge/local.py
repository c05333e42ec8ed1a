"""A plain Git remote as the forge: a proposal is its source branch, and nothing else.

Hides that there are no merge requests: an open one is a branch that its target does not contain, a
closed one is remembered in a ref of the config repo (`refs/updater/closed/<branch>/<number>`). Knows
what the config repo's mirror knows, so whoever calls it fetches before. `wiring` builds it, the worker
calls it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from updater import trailers
from updater.configrepo import CLOSED, ConfigRepo, Draft, LoggedCommit, Pushed
from updater.errors import ForgeRefused, PushForbidden, PushRejected, UpdaterError
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
from updater.model import PROPOSAL_PREFIX as PREFIX
from updater.model import Source

# A line of a text that would be taken for a trailer at the message's end.
_TRAILER = re.compile(r"^(?=Updater-)", re.MULTILINE)
_REMEMBERED = 5000


class Local:
    """The proposals of a plain Git remote, as `Forge` has them.

    `target_of` gives the target branch of a source branch, "" where no rule names one.
    """

    # One push carries any number of them.
    branches_per_push = 0
    # There are no pages of its own to approve on.
    decides_here = True

    def __init__(
        self, repo: ConfigRepo, clock: Callable[[], datetime], target_of: Callable[[str], str]
    ) -> None:
        self._repo = repo
        self._clock = clock
        self._target_of = target_of
        # Both by ids of commits, which say the same for ever.
        self._closings: dict[str, LoggedCommit] = {}
        self._carried: dict[str, tuple[str, ...]] = {}

    def look(self, branches: Collection[str]) -> Mapping[str, tuple[MergeRequest, ...]]:
        """Return the proposal that stands on each branch, then those that were closed, the newest first."""
        tips, closed = self._repo.branches(PREFIX), self._closed_refs()
        self._learn({commit for branch in branches for commit in closed.get(branch, ())})
        return {
            branch: (
                *([self._standing(branch, tips[branch])] if branch in tips else []),
                *(self._closed(branch, self._closings[commit]) for commit in closed.get(branch, ())),
            )
            for branch in branches
        }

    def opened(self) -> tuple[MergeRequest, ...]:
        """Return all proposals whose target does not contain them."""
        standing = (self._standing(branch, head) for branch, head in self._repo.branches(PREFIX).items())
        return tuple(one for one in standing if one.state is State.OPENED)

    def carried(self, merge_request: MergeRequest) -> tuple[str, ...]:
        """Return the messages of its commits, the oldest first; also of one that ended."""
        head = merge_request.head
        if head not in self._carried:
            if len(self._carried) > _REMEMBERED:
                self._carried.clear()
            target = self._target(merge_request.branch) or self._repo.default_branch()
            heads = {head, *self._closed_heads(target)} - self._carried.keys()
            for one, chain in self._repo.chains(heads, self._repo.branches()[target]).items():
                told = chain or self._landed(one, target)
                self._carried[one] = tuple(commit.message for commit in told)
        return self._carried[head]

    def _closed_heads(self, target: str) -> Iterable[str]:
        """Return the heads of closed proposals for a target: once one is asked for, so are the others."""
        for branch, commits in self._closed_refs().items():
            if self._target(branch) == target:
                yield from (self._closings[one].parents[0] for one in commits if one in self._closings)

    def _landed(self, head: str, target: str) -> Sequence[LoggedCommit]:
        """Return the commits of a proposal that its target contains."""
        landing = self._repo.landing(target, head)
        if landing.commit == head:
            # The target was moved forward to it; where it began is not to be told any more.
            return (landing,)
        return self._repo.chains([head], landing.parents[0])[head]

    def ensure(self, proposals: Sequence[Proposal]) -> Sequence[Ensured | UpdaterError]:
        """Return the proposals as they are: with its push a branch is all it can be here."""
        return [
            Ensured(
                MergeRequest(
                    branch=one.branch,
                    target=one.target,
                    state=State.OPENED,
                    head=one.head,
                    title=one.title,
                    told_head=one.head,
                )
            )
            for one in proposals
        ]

    def readiness(self, merge_request: MergeRequest, head: str) -> Readiness:
        """Say what can be done about a proposal whose branch stands at `head`.

        Codes of one that ended are `merged` and `closed`.

        Raises:
            ForgeRefused: no rule says any more where it goes.
        """
        branch, target = merge_request.branch, self._demanded_target(merge_request)
        tip = self._repo.branches(PREFIX).get(branch, "")
        if self._repo.contains(target, head):
            merged = self._merged(replace(merge_request, target=target, head=head))
            return Readiness(Step.ENDED, "merged", merged)
        if not tip:
            closed = (one for one in self.look([branch])[branch] if one.head == head)
            ended = next(closed, replace(merge_request, state=State.CLOSED))
            return Readiness(Step.ENDED, "closed", ended)
        standing = self._standing(branch, tip)
        if tip != head:
            return Readiness(Step.WAIT, "head-lags", standing)
        if self._repo.proposed(branch, target).overtaken:
            return Readiness(Step.REPLAN, "target-moved", standing)
        return Readiness(Step.MERGE, "", standing)

    def merge(
        self,
        merge_request: MergeRequest,
        *,
        head: str,
        message: str,
        squash: bool,
        arm: bool = False,  # noqa: ARG002 - there are no pipelines here to wait for
    ) -> Merging:
        """Merge exactly `head` in one commit on the target's tip, and delete the source branch with it.

        Raises:
            ForgeRefused: the server does not let the updater write the target branch, or nobody says
                which one it is.
        """
        ready = self.readiness(merge_request, head)
        if ready.merge_request.state is State.MERGED:
            return Merging(Landed.MERGED, merge_commit=ready.merge_request.merge_commit)
        if ready.step is not Step.MERGE:
            return Merging(Landed.NOT_YET, ready.code)
        base = self._repo.snapshot(ready.merge_request.target)
        draft = Draft({}, message, self._clock(), parents=() if squash else (head,))
        commit = self._repo.merge(base, head, draft)
        if commit is None:
            return Merging(Landed.NOT_YET, "conflict")
        updates = {base.branch: (base.commit, commit), merge_request.branch: (head, "")}
        answers = self._push(updates)
        # A server without atomic pushes may have taken the one and not the other.
        if answers[base.branch] is Pushed.LANDED:
            return Merging(Landed.MERGED, merge_commit=commit)
        return Merging(Landed.NOT_YET, "target-moved")

    def disarm(self, merge_request: MergeRequest) -> None:
        """Do nothing: here nothing is merged by itself."""

    def close(self, merge_request: MergeRequest, *, text: str, by: str = "") -> None:
        """Delete the branch and keep its commits under a ref that says why; nothing where it is gone.

        Raises:
            PushRejected: somebody pushed to the branch meanwhile.
            ForgeRefused: the server does not let the updater write the ref or delete the branch.
        """
        branch, head = merge_request.branch, merge_request.head
        tip = self._repo.branches(PREFIX).get(branch)
        if tip is None:
            return
        moved = PushRejected(f"Somebody pushed to {branch} meanwhile: look at it again before it is closed.")
        if tip != head:
            raise moved
        plain = _TRAILER.sub(" ", text.replace("\0", " ").strip())
        parts = (f"Close {branch}", plain, trailers.written([("Closed-By", by)]))
        message = "\n\n".join(part for part in parts if part) + "\n"
        (commit,) = self._repo.commit(self._repo.snapshot(branch), [Draft({}, message, self._clock())])
        name = f"{CLOSED}{branch.removeprefix(PREFIX)}/{self._next_number(branch)}"
        answers = self._push({name: ("", commit), branch: (head, "")})
        if any(answer is not Pushed.LANDED for answer in answers.values()):
            raise moved

    def note(self, merge_request: MergeRequest, text: str) -> None:
        """Do nothing: there is no page to write on."""

    def amend_note(self, merge_request: MergeRequest, text: str) -> None:
        """Do nothing, as for `note`."""

    def record_deployment(self, source: Source, environment: str, status: str) -> None:
        """Do nothing: a plain remote knows no deployments."""

    def hang_up(self) -> None:
        """Do nothing: the config repo has the only connection."""

    def problems(self, now: datetime) -> tuple[str, ...]:  # noqa: ARG002
        """Return nothing: whether the remote lets the updater in, each fetch and push says."""
        return ()

    def _push(self, updates: Mapping[str, tuple[str, str]]) -> Mapping[str, object]:
        answers = self._repo.push(updates, whole=True)
        for answer in answers.values():
            if isinstance(answer, PushForbidden):
                raise ForgeRefused(str(answer)) from answer
        return answers

    def _target(self, branch: str) -> str:
        target = self._target_of(branch)
        return target if target in self._repo.branches() else ""

    def _demanded_target(self, merge_request: MergeRequest) -> str:
        target = merge_request.target or self._target(merge_request.branch)
        if not target:
            raise ForgeRefused(
                f"No rule says into which branch {merge_request.branch} goes: its environment was taken out "
                "of the rules, or its branch is gone. Close the proposal, or bring the environment back."
            )
        return target

    def _standing(self, branch: str, head: str) -> MergeRequest:
        """Return the proposal of a branch that exists."""
        target = self._target(branch)
        commits = self._repo.proposed(branch, target).commits if target else (self._repo.commit_of(head),)
        standing = MergeRequest(branch=branch, target=target, state=State.OPENED, head=head, told_head=head)
        if not commits:
            return self._merged(standing)
        return replace(standing, title=commits[-1].message.partition("\n")[0], created_at=commits[0].time)

    def _merged(self, standing: MergeRequest) -> MergeRequest:
        landing = self._repo.landing(standing.target, standing.head).commit
        return replace(standing, state=State.MERGED, merge_commit=landing)

    def _closed(self, branch: str, closing: LoggedCommit) -> MergeRequest:
        by = trailers.read(closing.message).get("Closed-By", ("",))[0]
        return MergeRequest(
            branch=branch,
            target=self._target(branch),
            state=State.CLOSED,
            head=closing.parents[0],
            ended_by=by,
            is_own_end=not by,
        )

    def _learn(self, commits: Collection[str]) -> None:
        missing = [commit for commit in commits if commit not in self._closings]
        self._closings.update(self._repo.commits_of(missing))

    def _closed_refs(self) -> Mapping[str, Iterable[str]]:
        """Return the commits that closed proposals of each branch, the newest first."""
        found: dict[str, dict[int, str]] = {}
        for name, commit in self._repo.refs_closed().items():
            branch, _, number = name.rpartition("/")
            if number.isdecimal():
                found.setdefault(f"{PREFIX}{branch}", {})[int(number)] = commit
        return {
            branch: [one for _, one in sorted(commits.items(), reverse=True)]
            for branch, commits in found.items()
        }

    def _next_number(self, branch: str) -> int:
        prefix = f"{branch.removeprefix(PREFIX)}/"
        names = [name.removeprefix(prefix) for name in self._repo.refs_closed() if name.startswith(prefix)]
        return max((int(name) for name in names if name.isdecimal()), default=0) + 1
