"""What is kept out of an environment: taking holds and releases, and listing what is held.

It decides who may hold and release where, and who may see which hold; whether the token speaks for the images
is the worker's.
"""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi3.openapi import OpenAPI

from updater import intake
from updater.answers import hold_json
from updater.auth import require_act, require_environment
from updater.model import ROLL_BACK
from updater.store import HoldWish
from updater.web import accepting, examples, openapi
from updater.web.asked import HoldFilters
from updater.web.replies import answer
from updater.web.rooms import caller, desk
from updater.web.visibility import may_see_hold, require_named


def install(app: OpenAPI) -> None:
    """Add the three routes."""
    app.post(
        "/api/holds",
        summary="Keep builds out of an environment",
        **_taking("postHold", examples.PENDING_HOLD, examples.SETTLED_HOLD, examples.HOLDS),
    )(hold)
    app.post(
        "/api/releases",
        summary="Let builds in again",
        **_taking("postRelease", examples.PENDING_RELEASE, examples.SETTLED_RELEASE, examples.RELEASES),
    )(release)
    app.get(
        "/api/holds",
        summary="List what is held",
        **openapi.operation(
            "listHolds",
            openapi.HISTORY,
            {
                200: openapi.response(
                    "Holds",
                    "Those of the token's environments that are for its images, or for no image alone.",
                    example={"holds": [examples.HOLD]},
                )
            },
            problems_of=openapi.ASKING,
        ),
    )(list_holds)


def hold() -> Response:
    """Take a hold, which is on disk when it is answered."""
    return _accept(is_release=False)


def release() -> Response:
    """Take a release, which is on disk when it is answered."""
    return _accept(is_release=True)


def list_holds(query: HoldFilters) -> Response:
    """List the holds that the token may see."""
    who = caller()
    require_named(who, query.environment)
    with desk() as asked:
        found = asked.holds(query.environment)
    return answer({"holds": [hold_json(one) for one in found if may_see_hold(who, one)]})


def _taking(name: str, pending: object, settled: object, bodies: dict[str, Any]) -> dict[str, Any]:
    return openapi.operation(
        name,
        openapi.HISTORY,
        accepting.responses(pending, settled),
        problems_of=openapi.ACCEPTING,
        parameters=[openapi.PREFER, openapi.IDEMPOTENCY_KEY],
        requestBody=openapi.body("Hold", bodies),
    )


def _accept(*, is_release: bool) -> Response:
    who = caller()
    require_act(who, ROLL_BACK)
    body = intake.decode_hold(accepting.body_of_request())
    require_environment(who, body.environment)
    wish = HoldWish(
        environment=body.environment,
        chart=body.chart,
        repository=body.repository,
        build=body.build,
        release=is_release,
        reason=body.reason,
        caller=who,
    )
    return accepting.accept(wish, key=accepting.idempotency_key())
