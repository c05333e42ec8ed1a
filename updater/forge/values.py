"""What goes in and out of a forge: proposals to be, merge requests as they are, why one waits.

Frozen values and the one Protocol; two classes keep it, `gitlab.GitLab` and `local.Local`. Knows
nothing of HTTP or Git.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from updater.errors import UpdaterError
from updater.model import Source


class State(enum.StrEnum):
    """Where a merge request stands; GitLab's short-lived `locked` counts as opened."""

    OPENED = "opened"
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequest:
    """A merge request as the forge knows it. `number` is 0 and `url` empty on a plain Git remote.

    `head` is the commit the forge takes for the source branch's head, which may lag behind a push;
    of one that ended, the last it had. `ended_by` is who closed or merged it (empty: nobody can
    say), `is_own_end` says that the updater closed it for a reason of its own, so that no person
    decided anything. `merge_commit` is what stands on the target branch for it. `told_head` is the
    head that title and description tell of. `is_armed` says that the updater let the forge merge it
    by itself; where a person did, it is false. `description` is the whole one, with marks.
    """

    branch: str
    target: str
    state: State
    head: str
    number: int = 0
    url: str = ""
    title: str = ""
    told_head: str = ""
    ended_by: str = ""
    is_own_end: bool = False
    merge_commit: str = ""
    is_armed: bool = False
    created_at: datetime | None = None
    description: str = field(default="", compare=False, repr=False)

    @property
    def name(self) -> str:
        """How people call it: `!12`, or the branch where there is no number."""
        return f"!{self.number}" if self.number else self.branch


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A merge request as it should be, for a branch that is pushed already.

    People and the milestone are named; `known` is the open merge request of this branch, as `look`
    told (None: there is none). What is not in the title or description counts only when it is made.
    """

    branch: str
    target: str
    head: str
    title: str
    description: str
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    milestone: str = ""
    draft: bool = False
    squash: bool = False
    remove_source_branch: bool = True
    known: MergeRequest | None = None


@dataclass(frozen=True, slots=True)
class Ensured:
    """A merge request that is as proposed; `unknown` names people and milestones nobody knows there."""

    merge_request: MergeRequest
    unknown: tuple[str, ...] = ()


class Step(enum.Enum):
    """What can be done about an open merge request of `auto-merge` now."""

    MERGE = "merge"  # the forge says that it may be merged
    ARM = "arm"  # its own pipeline runs: the forge may merge it when that succeeds
    WAIT = "wait"  # the forge is still checking, or has not seen the push yet
    PERSON = "person"  # only a person can go on
    REPLAN = "replan"  # conflict, or the target moved: the change must be planned again
    ENDED = "ended"  # merged or closed meanwhile


@dataclass(frozen=True, slots=True)
class Readiness:
    """What can be done now, and why not more: `code` is a section of waits.txt, `words` are the forge's."""

    step: Step
    code: str
    merge_request: MergeRequest
    words: str = ""
    is_armed: bool = False


class Landed(enum.Enum):
    """What became of an attempt to merge."""

    MERGED = "merged"
    ARMED = "armed"
    NOT_YET = "not yet"


@dataclass(frozen=True, slots=True)
class Merging:
    """What became of an attempt to merge; `code` and `words` say why not, as for `Readiness`.

    `step` is `PERSON` where it was not merged and only a person can go on.
    """

    landed: Landed
    code: str = ""
    words: str = ""
    merge_commit: str = ""
    step: Step = Step.WAIT


class Forge(Protocol):
    """Makes the forge's merge requests look as planned; used by the worker's thread only.

    Every method may raise `Unreachable` or `RateLimited` (try again) and `ForgeRefused` (it will not
    get better by itself).
    """

    @property
    def branches_per_push(self) -> int:
        """How many branches one push may carry (0: any number)."""

    @property
    def decides_here(self) -> bool:
        """Whether people approve through the updater, or on the forge's own pages."""

    def look(self, branches: Collection[str]) -> Mapping[str, tuple[MergeRequest, ...]]:
        """Return the merge requests that each source branch ever had, the newest first."""

    def opened(self) -> tuple[MergeRequest, ...]:
        """Return all open merge requests whose source branch is the updater's."""

    def carried(self, merge_request: MergeRequest) -> tuple[str, ...]:
        """Return the messages of its commits, the oldest first; also of one that ended."""

    def ensure(self, proposals: Sequence[Proposal]) -> Sequence[Ensured | UpdaterError]:
        """Make or update merge requests until each is as proposed; one answer for each."""

    def readiness(self, merge_request: MergeRequest, head: str) -> Readiness:
        """Say what can be done about an open merge request whose branch stands at `head`."""

    def merge(
        self, merge_request: MergeRequest, *, head: str, message: str, squash: bool, arm: bool = False
    ) -> Merging:
        """Merge exactly `head`, or let the forge do it when its pipeline succeeds (`arm`).

        `message` is that of the merge or squash commit. One that is merged already counts as merged.
        """

    def disarm(self, merge_request: MergeRequest) -> None:
        """No longer let the forge merge it by itself; one that ended, or is not armed, stays as it is."""

    def close(self, merge_request: MergeRequest, *, text: str, by: str = "") -> None:
        """Close one, saying why; `by` is the person who asked, empty where the updater decided it."""

    def note(self, merge_request: MergeRequest, text: str) -> None:
        """Make `text` the updater's one note on it: written once, edited later, left where it says so."""

    def amend_note(self, merge_request: MergeRequest, text: str) -> None:
        """Make the updater's note say `text` where there is one; write none."""

    def record_deployment(self, source: Source, environment: str, status: str) -> None:
        """Record on the source project that its commit goes to an environment.

        `status` is `running`, `success` or `canceled`; the record of the same commit is updated.
        """

    def hang_up(self) -> None:
        """Close all connections; called once, at the end."""

    def problems(self, now: datetime) -> tuple[str, ...]:
        """Return what is wrong, or will be soon, with the updater's access; looked up at most hourly."""
