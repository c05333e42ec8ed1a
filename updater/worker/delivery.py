"""Delivers proposals: commits on source branches, pushes, and the merge requests that tell of them.

Hides the order of these effects, and that a forge runs pipelines and sends hooks for a few branches of
a push only. What each proposal should hold is planned; a branch moves only from where the plan saw it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from updater import trailers
from updater.configrepo import ConfigRepo, LoggedCommit, Pushed
from updater.configrepo import Draft as CommitDraft
from updater.errors import ForgeRefused, PermanentError, PushForbidden, TemporaryError, UpdaterError
from updater.forge import Ensured, Forge, MergeRequest, Proposal
from updater.messages import Messages
from updater.model import Source
from updater.plan import AnyChange, Closing, Proposing
from updater.sight import Sight
from updater.worker.standings import Standings, images_of

log = logging.getLogger(__name__)

# So far back it is looked for which source commit a standing tag was built from.
_READ_BACK = 1000

# What became of a proposal: its merge request, why there is none, or None where its branch moved.
Arrival = Ensured | UpdaterError | None


@dataclass(frozen=True, slots=True)
class Written:
    """The commits made for a proposal, one for each of its changes, before anybody can see them."""

    proposing: Proposing
    commits: tuple[str, ...]

    @property
    def head(self) -> str:
        """The newest of them."""
        return self.commits[-1]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Carries out what a plan says of proposals."""

    repo: ConfigRepo
    forge: Forge
    messages: Messages
    clock: Callable[[], datetime]
    _sources: dict[str, tuple[str, Mapping[str, Source]]] = field(default_factory=dict, repr=False)

    def draft(self, change: AnyChange) -> CommitDraft:
        """Return the commit that a change will be."""
        return CommitDraft(files=change.files, message=self.messages.commit(change), author_time=self.clock())

    def write(self, sight: Sight, proposals: Sequence[Proposing]) -> list[Written]:
        """Make the commits of those proposals that are news, where nobody can see them."""
        written: list[Written] = []
        for one in proposals:
            if one.is_news:
                drafts = [self.draft(change) for change in one.changes]
                commits = self.repo.commit(sight.snapshots[one.target], drafts)
                written.append(Written(one, tuple(commits)))
        return written

    def push(self, written: Sequence[Written], tips: Mapping[str, str]) -> dict[str, PushForbidden | None]:
        """Push source branches; return those that did not land, with the server's refusal or None if moved.

        `tips` is where the branches that were planned on stand: where one has moved, nothing lands.
        """
        missed: dict[str, PushForbidden | None] = {}
        for group in self._groups(written):
            updates = {one.proposing.branch: (one.proposing.standing.head, one.head) for one in group}
            answers = self.repo.push(updates, guards=tips, replacing=tuple(updates))
            for branch, answer in answers.items():
                if isinstance(answer, PushForbidden):
                    missed[branch] = answer
                elif answer is not Pushed.LANDED:
                    missed[branch] = None
        return missed

    def _groups(self, written: Sequence[Written]) -> Iterator[Sequence[Written]]:
        size = self.forge.branches_per_push or max(1, len(written))
        for start in range(0, len(written), size):
            yield written[start : start + size]

    def propose(
        self, proposals: Sequence[Proposing], heads: Mapping[str, str], standings: Standings
    ) -> dict[str, Ensured | UpdaterError]:
        """Make the merge requests look as planned; `heads` is where the source branches stand now."""
        wanted = [self._proposal(one, heads[one.branch], standings) for one in proposals]
        if not wanted:
            return {}
        try:
            answers = self.forge.ensure(wanted)
        except (TemporaryError, ForgeRefused) as problem:
            answers = [problem] * len(wanted)
        return {one.branch: self._answer(one, answer) for one, answer in zip(wanted, answers, strict=True)}

    def _answer(self, wanted: Proposal, answer: Ensured | UpdaterError) -> Ensured | UpdaterError:
        if not isinstance(answer, ForgeRefused):
            return answer
        if wanted.known is not None:
            # Its branch is open there with the new head, only its words are the old ones.
            log.warning("%s could not be updated: %s", wanted.known.name, answer)
            return Ensured(wanted.known)
        return answer

    def take_back(self, written: Sequence[Written], answers: Mapping[str, Arrival]) -> None:
        """Remove branches pushed just now that the forge will not have, so that nothing is left behind."""
        for one in written:
            branch = one.proposing.branch
            if isinstance(answers.get(branch), ForgeRefused):
                self.repo.push({branch: (one.head, "")}, replacing=[branch])

    def _proposal(self, proposing: Proposing, head: str, standings: Standings) -> Proposal:
        rules = proposing.environment.merge_request
        text = self.messages.merge_request(proposing, self._deployed(proposing.target))
        return Proposal(
            branch=proposing.branch,
            target=proposing.target,
            head=head,
            title=text.title,
            description=text.description,
            labels=rules.labels,
            assignees=rules.assignees,
            reviewers=rules.reviewers,
            milestone=rules.milestone,
            draft=rules.draft,
            squash=rules.squash,
            remove_source_branch=rules.remove_source_branch,
            known=standings.open(proposing.branch),
        )

    def _deployed(self, target: str) -> Mapping[str, Source]:
        """Return where images on a branch came from (by `repository:tag`), as its newest commits tell."""
        tip = self.repo.snapshot(target).commit
        known = self._sources.get(target)
        if known is None or known[0] != tip:
            known = self._sources[target] = (tip, _sources(self.repo.log(target, _READ_BACK)))
        return known[1]

    def close(self, closings: Sequence[Closing], standings: Standings) -> int:
        """Close proposals that have nothing left to propose, and remove their branches; say how many.

        Raises:
            TemporaryError: the forge or the remote is away; what is left is closed next time.
        """
        closed = 0
        if closings:
            # A person may have pushed to a branch since it was planned on: what they made must not go.
            self.repo.fetch()
        for one in closings:
            if self.repo.branches(one.branch).get(one.branch) != one.standing.head:
                log.info("The proposal %s is left alone: its branch moved meanwhile.", one.branch)
                continue
            text = self.messages.say(one.reason)
            try:
                self._close(one, standings.open(one.branch), text)
                closed += 1
                log.info("The proposal %s is closed: %s", one.branch, text)
            except PermanentError as problem:
                log.warning("The proposal %s cannot be closed: %s", one.branch, problem)
        return closed

    def _close(self, closing: Closing, opened: MergeRequest | None, text: str) -> None:
        branch, head = closing.branch, closing.standing.head
        if opened is not None:
            self.forge.close(opened, text=text)
        if self.repo.branches(branch).get(branch) == head:
            self.repo.push({branch: (head, "")}, replacing=[branch])


def _sources(log: Iterable[LoggedCommit]) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for commit in log:
        told = trailers.read(commit.message)
        if "Source" in told:
            for image in images_of([commit.message]):
                found.setdefault(f"{image.repository}:{image.tag}", trailers.source_of(told))
    return found
