"""What a plan is made of: frozen values that `worker`, `messages` and `cli` read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from updater.model import ImageReference, OutcomeKind, PlaceOutcome, UpdateRequest


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something became of a request: a code for machines, and the facts its text is made of."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One commit to be: all targets of one image in one environment, so that a revert undoes it all.

    `files` holds whole new contents, `previous` the tags that go, `requests` whose wish it is: the
    one that is written first, then those that asked for the very same.
    """

    environment: str
    branch: str
    image: ImageReference
    previous: tuple[str | None, ...]
    charts: tuple[str, ...]
    files: Mapping[str, bytes]
    requests: tuple[UpdateRequest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of one request in one environment ("" where none could be chosen).

    `change` is the index of the change that makes it true, `superseded_by` the tag that won.
    """

    request: UpdateRequest
    environment: str
    kind: OutcomeKind
    reason: Reason
    change: int | None = None
    superseded_by: str = ""
    places: tuple[PlaceOutcome, ...] = ()
    notes: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it: the commits to make in this order, and what becomes of each request.

    `waiting` maps request ids to why a part of them cannot be decided yet (an environment whose
    branch is missing); their other verdicts stand.
    """

    changes: tuple[Change, ...]
    verdicts: tuple[Verdict, ...]
    waiting: Mapping[str, str]
