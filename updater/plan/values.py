"""What a plan is made of: frozen values that `worker`, `messages` and `cli` read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from updater.errors import UpdaterError
from updater.model import Chosen, ImageReference, OutcomeKind, PlaceOutcome, Request, UpdateRequest
from updater.plan.standing import Standing
from updater.policy import Environment


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something became of a request: a code for machines, and the facts its text is made of."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One commit to be: all targets of one image in one environment, so that a revert undoes it all.

    `files` holds whole new contents, `previous` the tags that go, `requests` whose wish it is: the
    one that is written first, then those that asked for the very same. `replaced` are tags that a
    proposal carried before this one, the oldest first.
    """

    environment: str
    branch: str
    image: ImageReference
    previous: tuple[str | None, ...]
    charts: tuple[str, ...]
    files: Mapping[str, bytes]
    requests: tuple[UpdateRequest, ...]
    replaced: tuple[str, ...] = ()


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
        return self.environment, "", str(self.reason.facts.get("chart", ""))


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it: the commits to make in this order, proposals, and what becomes of each request.

    `waiting` maps request ids to why a part of them cannot be decided yet (an environment whose
    branch is missing, a forge that is away); their other verdicts stand. `chosen` is what promotions
    take along from here on, by their ids: who asked did not ask for builds that come later.
    """

    changes: tuple[Change, ...]
    verdicts: tuple[Verdict, ...]
    waiting: Mapping[str, UpdaterError]
    proposals: tuple[Proposing, ...] = ()
    closings: tuple[Closing, ...] = ()
    chosen: Mapping[str, tuple[Chosen, ...]] = field(default_factory=dict)
