"""The HTTP face: requests in, answers out; probes; the documentation's pages.

This package hides Flask, flask-openapi3 and pydantic. `wiring` makes the app with it and serves it
with gunicorn. It translates and nothing else: what it offers are functions of the inner rooms.
"""

from __future__ import annotations

from flask import Flask

from updater.web import health, listing, openapi, pages, problems, replies, rooms, updates
from updater.web.rooms import Rooms

__all__ = ["Rooms", "create_app"]


def create_app(of: Rooms) -> Flask:
    """Return the WSGI application of these rooms."""
    app = openapi.new_app(__name__, of.version)
    # First, so that the time of every answer is taken, also where the door stays shut.
    replies.install(app)
    rooms.install(app, of)
    problems.install(app)
    for part in (updates, listing, health):
        part.install(app)
    pages.install(app, openapi.document(app))
    return app
