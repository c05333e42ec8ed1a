"""What the routes reach for: the rooms of the house behind them, and who is calling.

This module hides where Flask keeps such things. `wiring` fills `Rooms`; the routes ask `rooms()`,
`seats()` and `caller()`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app, g, request

from updater.auth import Keys, authenticate
from updater.model import Caller
from updater.store import Store
from updater.web.waiting import Seats

_KEY = "updater"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """The rooms the web needs. `problems` tells what is wrong just now with what the worker needs.

    `threads` is how many requests the server answers at once, `public_url` the server's URL as its
    callers see it, without a slash at its end (empty: taken from each request).
    """

    store: Store
    keys: Keys
    problems: Callable[[], Sequence[str]]
    version: str
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
