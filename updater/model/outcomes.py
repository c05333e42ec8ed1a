"""What became of a request: as a whole, in each environment, at each place."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class OutcomeKind(enum.StrEnum):
    """What became of a request. The order is the order in which the strongest one is reported."""

    FAILED = "failed"
    REFUSED = "refused"
    HELD = "held"
    COMMITTED = "committed"
    PROPOSED = "proposed"
    SUPERSEDED = "superseded"
    UNCHANGED = "unchanged"


def strongest(kinds: set[OutcomeKind]) -> OutcomeKind:
    """Return the kind that speaks for all of `kinds`, which must not be empty."""
    return next(kind for kind in OutcomeKind if kind in kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOutcome:
    """What became of one place where the image's tag is written.

    `old` is the tag that stood there (None: empty or missing), `new` the one that stands there
    now; they are equal where the place was left alone.
    """

    chart: str
    file: str
    line: int
    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalLink:
    """The merge request an outcome rests on: its source branch, number (0: none) and page."""

    branch: str
    number: int = 0
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentOutcome:
    """What became of a request in one environment. `code` is for machines, `reason` for people.

    `image` and `chart` say what it is about where the request is for several (a promotion).
    """

    environment: str
    kind: OutcomeKind
    code: str
    reason: str
    commit: str = ""
    link: str = ""
    superseded_by: str = ""
    places: tuple[PlaceOutcome, ...] = ()
    notes: tuple[str, ...] = ()
    image: str = ""
    chart: str = ""
    proposals: tuple[ProposalLink, ...] = ()

    @property
    def subject(self) -> tuple[str, str, str]:
        """What it is about: no two outcomes of a request share it."""
        return self.environment, self.image, self.chart


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a request as a whole: the strongest kind and the story of each environment."""

    kind: OutcomeKind
    reason: str
    environments: tuple[EnvironmentOutcome, ...] = ()
