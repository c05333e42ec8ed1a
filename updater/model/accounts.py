"""What people are told when they ask what is where, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from updater.model.history import Deployment, Hold
from updater.model.outcomes import OutcomeKind, PlaceOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTag:
    """A tag that is proposed for a place: in which proposal (`prod/iris`), and its page if it has one."""

    tag: str
    name: str
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """One image of one chart in one environment: what stands there, since when, and what is in its way.

    `deployment` is what made it stand, None where the history does not tell. `origin` is the environment
    whose tags come here by promotion and `origin_tag` what stands there, None where that is no other
    tag. `pause` is a sentence where nothing goes out to the environment just now.
    """

    environment: str
    chart: str
    repository: str
    tag: str | None
    digest: str
    file: str
    line: int
    path: str
    deployment: Deployment | None = None
    origin: str = ""
    origin_tag: str | None = None
    holds: tuple[Hold, ...] = ()
    pause: str = ""
    waiting: tuple[WaitingTag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is where; `problems` are sentences about what could not be looked at."""

    rows: tuple[StatusRow, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedBefore:
    """What became, in one environment, of a request for an image."""

    id: str
    received_at: datetime
    outcome: OutcomeKind | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why an image is, or is not, in one environment.

    `stands` says that it is at every place it could be. `outcome`, `code` and `reason` are what would
    become of a request for it now, `places` where it is or would go. `deployment` is what brought this
    tag there last, wherever it stands now, `standing` what stands there. `text` tells all of it in one
    paragraph.
    """

    environment: str
    image: str
    stands: bool
    outcome: OutcomeKind
    code: str
    reason: str
    text: str
    places: tuple[PlaceOutcome, ...] = ()
    deployment: Deployment | None = None
    standing: tuple[Deployment, ...] = ()
    waiting: tuple[WaitingTag, ...] = ()
    requests: tuple[AskedBefore, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which part of the history is asked for; what is empty does not count.

    `repository` is canonical. At most `limit` deployments, the newest ones; `before` is the commit of
    the last one of the page before.
    """

    environment: str = ""
    chart: str = ""
    repository: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: str = ""
    limit: int = 50
