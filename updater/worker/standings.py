"""Looks up what stands between a plan and the merge requests: source branches in Git, and the forge.

Hides when the forge is asked and what is remembered: a merge request that ended stays ended as long as
its branch stays where it is. `rounds` and `tending` make a `Standings` for each plan; `Memory` lives as
long as the worker.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from updater.configrepo import ConfigRepo, LoggedCommit
from updater.errors import InvalidRequest
from updater.forge import Forge, MergeRequest, State
from updater.model import PROPOSAL_PREFIX, ImageReference
from updater.plan import Carried, Closed, Ground, Standing
from updater.sight import Sight
from updater.trailers import read

# A person's no is looked for in so many merge requests of a branch; what came before, later ones decided.
_REMEMBERED = 10


@dataclass(slots=True)
class Memory:
    """Where merge requests ended, by branch: the head at which none of them is open any more."""

    ended: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Standings:
    """What stands, for one plan; implements `plan.Proposals`.

    `opened` are all open merge requests where they were listed before; without it each branch is
    asked for.
    """

    repo: ConfigRepo
    forge: Forge
    memory: Memory
    opened: Mapping[str, MergeRequest] | None = None
    _known: dict[str, tuple[MergeRequest, ...]] = field(default_factory=dict)
    _targets: dict[str, str] = field(default_factory=dict)
    _tips: Mapping[str, str] | None = None

    def names(self, environment: str) -> Collection[str]:
        """Return the source branches of an environment that exist."""
        return self.repo.branches(f"{PROPOSAL_PREFIX}{environment}/")

    def standing(self, branches: Mapping[str, str]) -> Mapping[str, Standing]:
        """Return what stands on each source branch, given with its target branch.

        Raises:
            TemporaryError: the forge is away.
        """
        if self._tips is None:
            self._tips = self.repo.branches(PROPOSAL_PREFIX)
        tips = self._tips
        self._targets.update(branches)
        self._look([branch for branch in branches if self._must_ask(branch, tips.get(branch, ""))])
        return {branch: self._one(branch, target, tips) for branch, target in branches.items()}

    def open(self, branch: str) -> MergeRequest | None:
        """Return the open merge request of a branch that was looked up, to its own target."""
        return next((one for one in self._of(branch) if one.state is State.OPENED), None)

    def _of(self, branch: str) -> Sequence[MergeRequest]:
        # Somebody may take the same branch elsewhere: that one is theirs.
        target = self._targets.get(branch)
        return [one for one in self._known.get(branch, ()) if one.target == target]

    def _must_ask(self, branch: str, head: str) -> bool:
        if branch in self._known:
            return False
        if self.opened is None:
            return True
        if branch in self.opened:
            self._known[branch] = (self.opened[branch],)
            return False
        return self.memory.ended.get(branch) != head

    def _look(self, branches: Collection[str]) -> None:
        if branches:
            found = self.forge.look(branches)
            self._known.update({branch: tuple(found.get(branch, ())) for branch in branches})

    def _one(self, branch: str, target: str, tips: Mapping[str, str]) -> Standing:
        known, head = self._of(branch), tips.get(branch, "")
        opened = self.open(branch)
        # What was told may be newer than what the forge had taken in when it ended.
        heads = {one for request in known for one in (request.head, request.told_head)}
        has_ended = opened is None and (head in heads or self.memory.ended.get(branch) == head)
        # Only who is asked for something needs to know what people said no to.
        closed = tuple(self._closed(known, branch, target, head)) if self.opened is None else ()
        if has_ended and head:
            self.memory.ended[branch] = head
        if not head or has_ended:
            return Standing(branch=branch, head=head, closed=closed)
        proposed = self.repo.proposed(branch, target)
        carried = [self._carried(commit) for commit in proposed.commits]
        foreign = next(
            (commit for commit, read in zip(proposed.commits, carried, strict=True) if read is None), None
        )
        return Standing(
            branch=branch,
            head=head,
            base=proposed.base,
            is_live=bool(proposed.commits),
            is_open=opened is not None,
            foreign=f"{foreign.author} ({foreign.commit[:10]})" if foreign else "",
            carried=tuple(one for one in carried if one),
            files=proposed.files,
            is_overtaken=bool(proposed.overtaken),
            closed=closed,
            name=opened.name if opened else branch,
            link=opened.url if opened else "",
        )

    def _carried(self, commit: LoggedCommit) -> Carried | None:
        """Return what a commit carries; None where it is not the updater's own."""
        if not self.repo.is_own(commit):
            return None
        return Carried.read(commit.message, commit.time, commit.commit)

    def _closed(self, known: Sequence[MergeRequest], branch: str, target: str, head: str) -> Iterable[Closed]:
        decided = [one for one in known if one.state is State.CLOSED and not one.is_own_end]
        for one in decided[:_REMEMBERED]:
            messages = list(self.forge.carried(one))
            if head and one.told_head == head != one.head:
                messages += [commit.message for commit in self.repo.proposed(branch, target).commits]
            images = images_of(messages)
            yield Closed(by=one.ended_by, name=one.name, link=one.url, images=images)


def listed(forge: Forge, sight: Sight) -> dict[str, MergeRequest]:
    """Return the open merge requests of the updater by source branch: those to the branch the rules name."""
    targets = {name: ground.branch for name, ground in sight.grounds.items() if isinstance(ground, Ground)}
    opened = (one for one in forge.opened() if targets.get(environment_of(one.branch)) == one.target)
    return {one.branch: one for one in opened}


def environment_of(branch: str) -> str:
    """Return the environment that a source branch is for, by its name."""
    return branch.removeprefix(PROPOSAL_PREFIX).partition("/")[0]


def image_among(image: ImageReference, others: Iterable[ImageReference]) -> bool:
    """Say whether the same build of the same image is among others."""
    return any((one.repository, one.tag) == (image.repository, image.tag) for one in others)


def images_of(messages: Iterable[str]) -> tuple[ImageReference, ...]:
    """Return the images that commits carry, by their messages; a commit of a person carries none."""
    found: list[ImageReference] = []
    for message in messages:
        for text in read(message).get("Image", ()):
            try:
                found.append(ImageReference.parse(text))
            except InvalidRequest:
                continue
    return tuple(found)
