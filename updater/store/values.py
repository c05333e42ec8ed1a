"""What goes in and out of the store beside the nouns of `model`: wishes, intents, deferrals, queries.

Frozen values without behaviour; `web`, `worker` and `cli` make them. Knows nothing of SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from updater.model import Caller, EnvironmentOutcome, ImageReference, OutcomeKind, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A request before it is accepted: the store gives it an id, a time and a place in the order.

    `environment` None means every environment whose pattern takes the tag.
    """

    image: ImageReference
    caller: Caller
    environment: str | None = None
    source: Source = field(default_factory=Source)
    override: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionWish:
    """A promotion before it is accepted: into `environment` what stands in `origin`.

    `charts` empty means all of them.
    """

    origin: str
    environment: str
    caller: Caller
    charts: tuple[str, ...] = ()
    allow_older: bool = False
    reason: str = ""
    override: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackWish:
    """A rollback before it is accepted; the fields are those of `model.RollbackRequest`."""

    environment: str
    caller: Caller
    chart: str = ""
    to: str = ""
    commit: str = ""
    alone: bool = False
    override: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldWish:
    """A hold or a release before it is accepted; the fields are those of `model.HoldRequest`."""

    environment: str
    chart: str
    caller: Caller
    repository: str = ""
    build: str = ""
    release: bool = False
    reason: str = ""


AnyWish = Wish | PromotionWish | RollbackWish | HoldWish


@dataclass(frozen=True, slots=True)
class Intent:
    """A note written before a push: this commit, on this branch, will have this outcome.

    Where the process dies between push and settling, the next one asks the branch whether the
    commit arrived, and settles with `outcome` where it did.
    """

    branch: str
    commit: str
    outcome: EnvironmentOutcome


@dataclass(frozen=True, slots=True)
class Deferral:
    """Why a request could not be settled this time, and when to try again (None: at once).

    `done` are all environments settled so far, those of earlier rounds included.
    `counts_as_attempt` is false where nothing was tried. `troubled_since` is when temporary errors
    began to keep the request from being settled; None where it waits for another reason.
    """

    reason: str
    retry_at: datetime | None = None
    done: tuple[EnvironmentOutcome, ...] = ()
    counts_as_attempt: bool = field(default=True, kw_only=True)
    troubled_since: datetime | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which requests to list; every filter that is set must hold.

    `settled` None means both states. `kinds` are outcomes (empty: any). `repository` is a canonical
    repository, `text` any part of `repository:tag`, upper and lower case alike; what is no update has
    neither. `environment` holds where the request asked for it or was settled in it. `before` is the
    id of the last request of the page before.
    """

    settled: bool | None = None
    kinds: tuple[OutcomeKind, ...] = ()
    repository: str | None = None
    text: str = ""
    environment: str | None = None
    caller: str | None = None
    before: str | None = None
    limit: int = 50
