"""Stores, wishes, outcomes and a clock for the tests of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from updater.model import (
    Caller,
    EnvironmentOutcome,
    ImageReference,
    Outcome,
    OutcomeKind,
    PlaceOutcome,
    PromotionRequest,
    Record,
    Request,
    Source,
    UpdateRequest,
)
from updater.store import PromotionWish, Store, Wish

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, time: timedelta) -> None:
        self.now += time


OpenStore = Callable[[], Store]


class OnSqlite:
    """The fixtures of the contract classes; another database gets a class like this one."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def open_store(self, tmp_path: Path, clock: Clock) -> Iterator[OpenStore]:
        """Open the same database once more; all are closed in the end."""
        stores: list[Store] = []

        def open_one() -> Store:
            stores.append(Store(tmp_path / "data", clock=clock))
            return stores[-1]

        yield open_one
        for store in stores:
            store.close()

    @pytest.fixture
    def store(self, open_store: OpenStore) -> Store:
        return open_store()


def wish(
    tag: str = "develop-1", *, app: str = "iris", caller: str = "ci", environment: str | None = None
) -> Wish:
    return Wish(
        image=ImageReference.parse(f"registry.example.com/shop/{app}:{tag}"),
        caller=Caller(name=caller, images=("registry.example.com/shop/*",), environments=("dev", "prod")),
        environment=environment,
        source=Source(project="shop/iris", commit="c" * 40, author="Kim"),
    )


def promotion(
    *charts: str, caller: str = "kim", origin: str = "dev", environment: str = "prod"
) -> PromotionWish:
    return PromotionWish(
        origin=origin,
        environment=environment,
        charts=charts,
        caller=Caller(name=caller, environments=("prod",), acts=("promote", "approve")),
    )


def update_in(record: Record | None) -> UpdateRequest:
    """Return the update that `record` is about, which must be one."""
    assert record is not None
    assert isinstance(record.request, UpdateRequest)
    return record.request


def tag_of(request: Request) -> str:
    """Return the tag that was asked for, or how a promotion goes."""
    if isinstance(request, PromotionRequest):
        return f"{request.origin} to {request.environment}"
    return request.image.tag if isinstance(request, UpdateRequest) else type(request).__name__


def settled_in(environment: str = "dev", kind: OutcomeKind = OutcomeKind.COMMITTED) -> EnvironmentOutcome:
    return EnvironmentOutcome(
        environment=environment,
        kind=kind,
        code=kind.value,
        reason="The tag was written.",
        commit="d" * 40,
        places=(
            PlaceOutcome(
                chart="iris", file="values.yaml", line=3, path="image.tag", old=None, new="develop-1"
            ),
        ),
        notes=("No order was known.",),
    )


def outcome(kind: OutcomeKind = OutcomeKind.COMMITTED, *environments: str) -> Outcome:
    stories = tuple(settled_in(environment, kind) for environment in environments or ("dev",))
    return Outcome(kind=kind, reason="The tag was written.", environments=stories)


def outcome_of(kinds: Mapping[str, OutcomeKind], reason: str = "As the environments say.") -> Outcome:
    """Return an outcome that differs by environment; the first kind of the usual order stands for it."""
    stories = tuple(settled_in(environment, kind) for environment, kind in kinds.items())
    first = next(kind for kind in OutcomeKind if kind in kinds.values())
    return Outcome(kind=first, reason=reason, environments=stories)
