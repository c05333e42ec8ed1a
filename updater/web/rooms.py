"""What the routes reach for: the rooms of the house behind them, and who is calling.

This module hides where Flask keeps such things. `wiring` fills `Rooms`; the routes ask `rooms()`,
`seats()`, `desk()` and `caller()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from flask import Flask, current_app, g, request

from updater.auth import Keys, authenticate
from updater.errors import TemporaryError
from updater.history import Figures
from updater.model import (
    Caller,
    Deployment,
    EnvironmentOutcome,
    Hold,
    ImageReference,
    OpenProposal,
    Question,
    Record,
    Status,
    Why,
)
from updater.store import PromotionWish, RollbackWish, Store
from updater.web.waiting import BUSY_RETRY_AFTER, Seats

_KEY = "updater"


class Desk(Protocol):
    """What the worker's thread answers: what the config repo and the forge say now, and acts on it.

    Every method but `hint` may raise `Unreachable` or `RateLimited` (503), `InvalidConfigRepo` (409),
    `PushForbidden` and `ForgeRefused` (502). Behind it only those who approve and close are checked, for
    what they decide on: its environment and its images.
    """

    def proposals(self) -> Sequence[OpenProposal]:
        """Return the proposals that wait, without their diffs."""

    def proposal(self, name: str) -> OpenProposal | None:
        """Return one with its diff; None where none of this name (`prod/iris`) is open."""

    def approve(self, name: str, *, caller: Caller, head: str | None) -> EnvironmentOutcome:
        """Merge one, and tell what came of it; `head` is the commit that `caller` has seen.

        Raises:
            InvalidRequest: none of this name is open.
            NotAllowed: `caller` may not speak for all that it carries.
            ActRefused: it cannot be merged as things stand, or its branch is not at `head`.
        """

    def close(self, name: str, *, caller: Caller, reason: str) -> EnvironmentOutcome:
        """Close one as decided by `caller`.

        Raises:
            InvalidRequest: none of this name is open.
            NotAllowed: `caller` may not speak for all that it carries.
            ActRefused: it cannot be closed as things stand.
        """

    def preview(self, wish: PromotionWish | RollbackWish) -> Record:
        """Tell what would become of a promotion or a rollback now; nothing is stored or written.

        Raises:
            InvalidRequest: the wish makes no sense.
        """

    def history(self, question: Question) -> Sequence[Deployment]:
        """Return deployments, the newest first; those of one commit stand together.

        Raises:
            InvalidRequest: there is no such environment, or no such commit to go on from.
        """

    def figures(self, question: Question) -> Sequence[Figures]:
        """Return the figures of a span of time, by default the last 90 days.

        Raises:
            InvalidRequest: there is no such environment.
        """

    def holds(self, environment: str) -> Sequence[Hold]:
        """Return what is held in an environment, or in all where it is empty.

        Raises:
            InvalidRequest: there is no such environment.
        """

    def status(self, environment: str, chart: str) -> Status:
        """Return what is where; an empty text means all.

        Raises:
            InvalidRequest: there is no such environment.
        """

    def why(self, image: ImageReference, environment: str | None) -> Sequence[Why]:
        """Say why an image is, or is not, where it could be: in one environment, or in each it concerns.

        Raises:
            InvalidRequest: there is no such environment.
        """

    def hint(self) -> None:
        """Take note that something may have changed on the forge; returns at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """The rooms the web needs. `problems` tells what is wrong just now with what the worker needs.

    `threads` is how many requests the server answers at once, `public_url` the server's URL as its
    callers see it, without a slash at its end (empty: taken from each request). `hook_secret` is what
    GitLab's hooks prove themselves with: a plain token, or `whsec_...` for signed ones (empty: no hook
    is taken).
    """

    store: Store
    keys: Keys
    desk: Desk
    clock: Callable[[], datetime]
    problems: Callable[[], Sequence[str]]
    version: str
    hook_secret: str = ""
    threads: int = 32
    public_url: str = ""


def install(app: Flask, rooms: Rooms) -> None:
    """Give the app its rooms, and put a lock on everything under /api/."""
    app.extensions[_KEY] = (rooms, Seats(rooms.threads))
    app.before_request(_let_in)


def rooms() -> Rooms:
    """Return the rooms of the app that is answering."""
    return cast("Rooms", current_app.extensions[_KEY][0])


def seats() -> Seats:
    """Return the seats of the app that is answering."""
    return cast("Seats", current_app.extensions[_KEY][1])


@contextmanager
def desk() -> Iterator[Desk]:
    """Give the desk for the length of a `with` block, and the caller a seat: its answers may take a while.

    Raises:
        TemporaryError: no seat is free.
    """
    with seats().taken() as seated:
        if not seated:
            raise TemporaryError(
                f"Too many callers wait for the updater just now: ask again in {BUSY_RETRY_AFTER} seconds.",
                after=BUSY_RETRY_AFTER,
            )
        yield rooms().desk


def caller() -> Caller:
    """Return who sent the request; every route under /api/ has one."""
    return cast("Caller", g.caller)


def _let_in() -> None:
    """Find out who is calling, before anything else of the request is looked at.

    Raises:
        NotAuthenticated: nobody known is.
    """
    # What does not exist, and OPTIONS, which tells only methods, are answered to anybody. The route
    # counts, not the path: a path can be written in several ways.
    rule = request.url_rule
    if rule is not None and rule.rule.startswith("/api/") and request.method != "OPTIONS":
        g.caller = authenticate(request.headers.get("Authorization"), rooms().keys)
