"""Probes: is the process alive, can it take requests, and what else is wrong.

Only a store that cannot be written makes the server unready: where the config repo is away or its
rules are broken, requests are still taken, and a probe that failed would take the webhook away.
"""

from __future__ import annotations

from flask import Response
from flask_openapi3.openapi import OpenAPI

from updater.errors import TemporaryError
from updater.web import openapi
from updater.web.replies import answer
from updater.web.rooms import rooms


def install(app: OpenAPI) -> None:
    """Add the two routes."""
    app.get(
        "/healthz",
        summary="Is the process alive?",
        **openapi.operation(
            "getHealth",
            openapi.HEALTH,
            {200: openapi.response("Health", "It is.", example={"status": "ok", "version": "0.1.0"})},
        ),
    )(health)
    app.get(
        "/readyz",
        summary="Can requests be stored, and what else is wrong?",
        **openapi.operation(
            "getReadiness",
            openapi.HEALTH,
            {
                200: openapi.response(
                    "Readiness",
                    "Requests are stored; `problems` says why they may stay pending.",
                    example={"ready": True, "problems": [], "pending": 0},
                ),
                503: openapi.response("Readiness", "Requests cannot be stored; `problems` says why."),
            },
        ),
    )(readiness)


def health() -> Response:
    """Answer."""
    return answer({"status": "ok", "version": rooms().version})


def readiness() -> Response:
    """Try whether the store can be written, and tell the worker's problems."""
    problems = list(rooms().problems())
    try:
        rooms().store.check()
        pending = rooms().store.counts()["pending"]
    except TemporaryError as error:
        return answer({"ready": False, "problems": [str(error), *problems], "pending": None}, 503)
    return answer({"ready": True, "problems": problems, "pending": pending})
