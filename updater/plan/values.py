"""What a plan is made of: frozen values that `worker`, `messages` and `cli` read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from updater.errors import UpdaterError
from updater.model import (
    Chosen,
    Hold,
    HoldRequest,
    ImageReference,
    OutcomeKind,
    PlaceOutcome,
    Request,
    RollbackRequest,
    UpdateRequest,
)
from updater.plan.standing import Standing
from updater.plan.undo import Rollback
from updater.policy import HOLDS_PATH, Environment


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something became of a request: a code for machines, and the facts its text is made of."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """An image cannot go to an environment at all."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class VersionMove:
    """A chart's version that rises along with a tag.

    `folder` is that of the new version, empty where Chart.yaml stays where it is; `removed` are the
    folders of old versions that go.
    """

    chart: str
    old: str
    new: str
    folder: str = ""
    removed: tuple[str, ...] = ()


@dataclass(slots=True)
class Edits:
    """New contents, the story of each place, notes, the newer tag that stands ("" if none), and vetoes.

    `along` are the files that only follow the tags, `copies` new ones with those that they are copies of,
    `versions` what becomes of charts' versions.
    """

    files: dict[str, bytes | None] = field(default_factory=dict)
    places: list[PlaceOutcome] = field(default_factory=list)
    notes: list[Reason] = field(default_factory=list)
    newer: str = ""
    vetoes: list[tuple[OutcomeKind, Reason]] = field(default_factory=list)
    along: set[str] = field(default_factory=set)
    copies: dict[str, str] = field(default_factory=dict)
    versions: list[VersionMove] = field(default_factory=list)

    @property
    def told_files(self) -> list[str]:
        """The names of what changes as people want to read them: of a version's folder, that folder."""
        folders = [f"{one.folder}/" for one in self.versions if one.folder]
        gone = [f"{folder}/" for one in self.versions for folder in one.removed]
        inside = (*folders, *gone)
        others = [path for path in self.files if path != HOLDS_PATH and not path.startswith(inside)]
        return sorted((*folders, *others))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One commit to be: all targets of one image in one environment, so that a revert undoes it all.

    `files` holds whole new contents, `previous` the tags that go, `requests` whose wish it is: the
    one that is written first, then those that asked for the very same. `replaced` are tags that a
    proposal carried before this one, the oldest first. A file of None is deleted. Of a rollback,
    `rollback` tells all that it takes back, and `image` is the first one that stands again. `versions`
    are those of charts that rise, `copies` new files with those that they are copies of.
    """

    environment: str
    branch: str
    image: ImageReference
    previous: tuple[str | None, ...]
    charts: tuple[str, ...]
    files: Mapping[str, bytes | None]
    requests: tuple[UpdateRequest, ...]
    replaced: tuple[str, ...] = ()
    rollback: Rollback | None = None
    versions: tuple[VersionMove, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldChange:
    """One commit to be that deploys nothing: holds are written down, or let go.

    There are no files where what is let go was never written down: a person's own revert.
    """

    environment: str
    branch: str
    charts: tuple[str, ...]
    files: Mapping[str, bytes | None]
    request: HoldRequest
    held: tuple[Hold, ...] = ()
    released: tuple[Hold, ...] = ()


AnyChange = Change | HoldChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposing:
    """A proposal as it should be: one commit for each of `changes`, in this order, on the target branch.

    `standing` is what stands there now. Where it holds the very same already, `is_news` is false and
    nothing needs to be pushed.
    """

    environment: Environment
    branch: str
    target: str
    changes: tuple[Change, ...]
    standing: Standing
    is_news: bool

    @property
    def delivery(self) -> str:
        """How it reaches its target: rollbacks may have a rule of their own."""
        own, usual = self.environment.rollback.delivery, self.environment.delivery
        found = {own if own and one.rollback else usual for one in self.changes}
        # What goes along is merged by nobody but who may merge it.
        return "auto-merge" if found == {"auto-merge"} else "merge-request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """An open proposal that has nothing left to propose, and why."""

    branch: str
    standing: Standing
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of one request in one environment ("" where none could be chosen).

    `request` may be a wish that a promotion stands for. `change` is the index of the change that makes
    it true, `branches` the proposals that do, `superseded_by` the tag that won.
    """

    request: Request
    environment: str
    kind: OutcomeKind
    reason: Reason
    change: int | None = None
    branches: tuple[str, ...] = ()
    superseded_by: str = ""
    places: tuple[PlaceOutcome, ...] = ()
    notes: tuple[Reason, ...] = ()

    @property
    def subject(self) -> tuple[str, str, str]:
        """What it is about, as `EnvironmentOutcome.subject`: of a promotion, the image and the chart."""
        request = self.request
        if isinstance(request, UpdateRequest):
            is_one_of_many = request.promoted is not None
            return self.environment, str(request.image) if is_one_of_many else "", ", ".join(request.charts)
        image = str(self.reason.facts.get("image", "")) if isinstance(request, RollbackRequest) else ""
        return self.environment, image, str(self.reason.facts.get("chart", ""))


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it: the commits to make in this order, proposals, and what becomes of each request.

    `waiting` maps request ids to why a part of them cannot be decided yet (an environment whose
    branch is missing, a forge that is away); their other verdicts stand. `chosen` is what promotions
    take along from here on, and what rollbacks take back, by their ids: who asked did not ask for what
    comes later.
    """

    changes: tuple[AnyChange, ...]
    verdicts: tuple[Verdict, ...]
    waiting: Mapping[str, UpdaterError]
    proposals: tuple[Proposing, ...] = ()
    closings: tuple[Closing, ...] = ()
    chosen: Mapping[str, tuple[Chosen, ...]] = field(default_factory=dict)
