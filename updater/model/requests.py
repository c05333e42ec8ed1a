"""Who asks, for what, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase

from updater.model.images import ImageReference
from updater.model.outcomes import EnvironmentOutcome, Outcome

# What a caller's token may allow, one word each.
UPDATE, PROMOTE, APPROVE, ROLL_BACK = "update", "promote", "approve", "roll-back"
ACTS = (UPDATE, PROMOTE, APPROVE, ROLL_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an image came from, as the caller tells it; every field may be empty.

    `committed_at` is the time of the source commit by RFC 3339.
    """

    project: str = ""
    commit: str = ""
    ref: str = ""
    pipeline_id: str = ""
    pipeline_url: str = ""
    author: str = ""
    committed_at: str = ""


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
    meant for these charts only. With `override` no hold and no freeze stops it, for the `reason` given.
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
    override: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a promotion takes to a chart: `image` is `str()` of a reference, with its digest if any.

    Of a rollback it is a commit that is taken back.
    """

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
    override: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRequest:
    """A wish: take deployments of `chart` in `environment` back, as `git revert` would.

    Without more it is the last one. `to` is the tag, or the commit, that shall stand again. `commit` names
    one deployment, and then all charts that it moved go back. With `alone` nothing but the tags of this
    chart is taken back, whatever else the deployments changed. `override` counts against a freeze. `chosen`
    are the commits that were taken back when it was first decided on, the newest first.
    """

    id: str
    environment: str
    caller: Caller
    received_at: datetime
    chart: str = ""
    to: str = ""
    commit: str = ""
    alone: bool = False
    override: bool = False
    reason: str = ""
    sequence: int = 0
    done: tuple[EnvironmentOutcome, ...] = ()
    chosen: tuple[Chosen, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequest:
    """A wish: keep builds of a chart's image out of `environment`, or with `release` let them in again.

    No `repository` means every image of the chart, no `build` every build.
    """

    id: str
    environment: str
    chart: str
    caller: Caller
    received_at: datetime
    repository: str = ""
    build: str = ""
    release: bool = False
    reason: str = ""
    sequence: int = 0
    done: tuple[EnvironmentOutcome, ...] = ()


Request = UpdateRequest | PromotionRequest | RollbackRequest | HoldRequest


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
