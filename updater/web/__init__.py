"""The HTTP face: requests in, answers out; probes; the documentation's pages.

This package hides Flask, flask-openapi3 and pydantic. `wiring` makes the app with it and serves it
with gunicorn. It translates and nothing else: what it offers are functions of the inner rooms.
"""

from __future__ import annotations

from flask import Flask

from updater.web import (
    accounts,
    health,
    history,
    holds,
    hooks,
    listing,
    openapi,
    pages,
    problems,
    promotions,
    proposals,
    replies,
    rollbacks,
    rooms,
    updates,
)
from updater.web.rooms import Desk, Rooms
from updater.web.signatures import Sender

__all__ = ["Desk", "Rooms", "Sender", "create_app"]


def create_app(of: Rooms) -> Flask:
    """Return the WSGI application of these rooms.

    Raises:
        InvalidSettings: the hooks' secret begins like a signing token and is none.
    """
    app = openapi.new_app(__name__, of.version)
    # First, so that the time of every answer is taken, also where the door stays shut.
    replies.install(app)
    rooms.install(app, of)
    problems.install(app)
    for part in (updates, listing, promotions, proposals, rollbacks, holds, history, accounts):
        part.install(app)
    hooks.install(app, of.hook_secret)
    health.install(app)
    pages.install(app, openapi.document(app))
    return app
