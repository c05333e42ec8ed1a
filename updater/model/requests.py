"""Who asks, for what, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase

from updater.model.images import ImageReference
from updater.model.outcomes import EnvironmentOutcome, Outcome

# What a caller's token may allow, one word each.
UPDATE, PROMOTE, APPROVE = "update", "promote", "approve"
ACTS = (UPDATE, PROMOTE, APPROVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an image came from, as the caller tells it; every field may be empty."""

    project: str = ""
    commit: str = ""
    ref: str = ""
    pipeline_id: str = ""
    pipeline_url: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asked, and for what they may speak: shell-style patterns of repositories and environments.

    `acts` are words of `ACTS`.
    """

    name: str
    images: tuple[str, ...] = ("*",)
    environments: tuple[str, ...] = ("*",)
    acts: tuple[str, ...] = (UPDATE,)

    def may_reach(self, environment: str) -> bool:
        """Say whether one of the patterns takes the environment's name."""
        return any(fnmatchcase(environment, pattern) for pattern in self.environments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """Where an image comes from when it is promoted, and whether an older build is meant."""

    origin: str
    allow_older: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRequest:
    """A wish: this image was built, write its tag. `sequence` is the order in which it was accepted.

    `done` holds the environments that were settled in an earlier round, while another one had to
    wait. `promoted` and `charts` are set where `plan` made the wish from a promotion: it is then
    meant for these charts only.
    """

    id: str
    image: ImageReference
    caller: Caller
    received_at: datetime
    sequence: int = 0
    environment: str | None = None
    source: Source = field(default_factory=Source)
    done: tuple[EnvironmentOutcome, ...] = ()
    promoted: Promoted | None = None
    charts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a promotion takes to a chart: `image` is `str()` of a reference, with its digest if any."""

    chart: str
    image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionRequest:
    """A wish: write into `environment` the tags that stand in `origin`, for these charts (none: all).

    `chosen` is what stood there when it was first decided on. It stays so while the request waits:
    whoever asked did not ask for later builds.
    """

    id: str
    origin: str
    environment: str
    caller: Caller
    received_at: datetime
    charts: tuple[str, ...] = ()
    allow_older: bool = False
    reason: str = ""
    sequence: int = 0
    done: tuple[EnvironmentOutcome, ...] = ()
    chosen: tuple[Chosen, ...] = ()


Request = UpdateRequest | PromotionRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A stored request and what is known of its fate: `outcome` is None while it is pending.

    `reason` says why a pending request still waits (empty: its turn has not come yet), `attempts`
    how often it was tried, `retry_at` when it is tried again, `troubled_since` since when temporary
    errors have kept it waiting.
    """

    request: Request
    outcome: Outcome | None = None
    reason: str = ""
    attempts: int = 0
    retry_at: datetime | None = None
    troubled_since: datetime | None = None
    settled_at: datetime | None = None
