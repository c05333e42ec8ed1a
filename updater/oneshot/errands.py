"""What is asked for at the command line, and who asks.

Hides how an errand is told to the store, and to a plan that only looks. `acting` and `looking` take
them; nothing here does any work.
"""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass, field

from updater import wiring
from updater.model import (
    ACTS,
    Caller,
    ImageReference,
    PromotionRequest,
    RollbackRequest,
    Source,
    UpdateRequest,
)
from updater.store import HoldWish, PromotionWish, RollbackWish, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a person or a job asks for at the command line: an image that was built shall go out.

    Where `override` gives a reason, no hold and no freeze keeps it back.
    """

    image: ImageReference
    environment: str | None = None
    source: Source = field(default_factory=Source)
    override: str = ""

    def wish(self) -> Wish:
        """Return the errand as the store takes it."""
        return Wish(
            image=self.image,
            caller=caller(),
            environment=self.environment,
            source=self.source,
            override=bool(self.override),
            reason=self.override,
        )

    def request(self) -> UpdateRequest:
        """Return the errand as a request that never was in a store."""
        return UpdateRequest(
            id="",
            image=self.image,
            environment=self.environment,
            source=self.source,
            caller=caller(),
            received_at=wiring.now(),
            override=bool(self.override),
            reason=self.override,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A person's errand: what stands in `origin` shall go to `environment`; no charts means all.

    With `override`, for the `reason` given, no hold and no freeze keeps it back.
    """

    origin: str
    environment: str
    charts: tuple[str, ...] = ()
    allow_older: bool = False
    reason: str = ""
    override: bool = False

    def wish(self) -> PromotionWish:
        """Return the errand as the store takes it."""
        return PromotionWish(
            origin=self.origin,
            environment=self.environment,
            caller=caller(),
            charts=self.charts,
            allow_older=self.allow_older,
            reason=self.reason,
            override=self.override,
        )

    def request(self) -> PromotionRequest:
        """Return the errand as a request that never was in a store."""
        return PromotionRequest(
            id="",
            origin=self.origin,
            environment=self.environment,
            caller=caller(),
            received_at=wiring.now(),
            charts=self.charts,
            allow_older=self.allow_older,
            reason=self.reason,
            override=self.override,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """A person's errand: deployments shall be taken back; the fields are those of `RollbackRequest`."""

    environment: str
    chart: str = ""
    to: str = ""
    commit: str = ""
    alone: bool = False
    override: bool = False
    reason: str = ""

    def wish(self) -> RollbackWish:
        """Return the errand as the store takes it."""
        return RollbackWish(
            environment=self.environment,
            caller=caller(),
            chart=self.chart,
            to=self.to,
            commit=self.commit,
            alone=self.alone,
            override=self.override,
            reason=self.reason,
        )

    def request(self) -> RollbackRequest:
        """Return the errand as a request that never was in a store."""
        return RollbackRequest(
            id="",
            environment=self.environment,
            caller=caller(),
            received_at=wiring.now(),
            chart=self.chart,
            to=self.to,
            commit=self.commit,
            alone=self.alone,
            override=self.override,
            reason=self.reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A person's errand: builds shall be kept out of a chart, or with `release` be let in again.

    The fields are those of `HoldRequest`.
    """

    environment: str
    chart: str
    repository: str = ""
    build: str = ""
    release: bool = False
    reason: str = ""

    def wish(self) -> HoldWish:
        """Return the errand as the store takes it."""
        return HoldWish(
            environment=self.environment,
            chart=self.chart,
            caller=caller(),
            repository=self.repository,
            build=self.build,
            release=self.release,
            reason=self.reason,
        )


AnyErrand = Errand | Promotion | Rollback | Holding
# What can be looked at before it is done: a hold changes no tag.
Foreseen = Errand | Promotion | Rollback


def caller() -> Caller:
    """Return who asks: whoever may run the updater here may do all it can."""
    try:
        return Caller(name=getpass.getuser(), acts=ACTS)
    except (KeyError, OSError):  # a container's user need not have a name
        return Caller(name=f"uid-{os.getuid()}", acts=ACTS)
