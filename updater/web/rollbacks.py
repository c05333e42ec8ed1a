"""Taking a rollback: deployments that shall go back.

It decides only who may roll back in which environment; what goes back, and whether the token speaks for the
images in it, is the worker's.
"""

from __future__ import annotations

from flask import Response
from flask_openapi3.openapi import OpenAPI

from updater import intake
from updater.auth import require_act, require_environment
from updater.model import ROLL_BACK
from updater.store import RollbackWish
from updater.web import accepting, examples, openapi
from updater.web.rooms import caller


def install(app: OpenAPI) -> None:
    """Add the route."""
    app.post(
        "/api/rollbacks",
        summary="Take deployments back",
        **openapi.operation(
            "postRollback",
            openapi.HISTORY,
            accepting.responses(
                examples.PENDING_ROLLBACK, examples.SETTLED_ROLLBACK, at_once=accepting.DRY_RUN
            ),
            problems_of=(*openapi.ACCEPTING, *openapi.AT_DESK),
            parameters=[openapi.PREFER, openapi.IDEMPOTENCY_KEY],
            requestBody=openapi.body("Rollback", examples.ROLLBACKS),
        ),
    )(roll_back)


def roll_back() -> Response:
    """Take a rollback, which is on disk when it is answered; or tell what it would do."""
    who = caller()
    require_act(who, ROLL_BACK)
    body = intake.decode_rollback(accepting.body_of_request())
    require_environment(who, body.environment)
    wish = RollbackWish(
        environment=body.environment,
        chart=body.chart,
        to=body.to,
        commit=body.commit,
        alone=body.alone,
        override=body.override,
        reason=body.reason,
        caller=who,
    )
    key = accepting.idempotency_key()
    return accepting.preview(wish) if body.dry_run else accepting.accept(wish, key=key)
