"""Taking a promotion: what stands in one environment shall go to another.

It decides only who may promote to which environment; what goes, and whether it may, is the worker's.
"""

from __future__ import annotations

from flask import Response
from flask_openapi3.openapi import OpenAPI

from updater import intake
from updater.auth import require_act, require_environment
from updater.model import PROMOTE
from updater.store import PromotionWish
from updater.web import accepting, examples, openapi
from updater.web.rooms import caller


def install(app: OpenAPI) -> None:
    """Add the route."""
    app.post(
        "/api/promotions",
        summary="Take what stands in one environment to another",
        **openapi.operation(
            "postPromotion",
            openapi.PROPOSALS,
            accepting.responses(
                examples.PENDING_PROMOTION,
                examples.SETTLED_PROMOTION,
                at_once=accepting.DRY_RUN,
            ),
            problems_of=(*openapi.ACCEPTING, *openapi.AT_DESK),
            parameters=[openapi.PREFER, openapi.IDEMPOTENCY_KEY],
            requestBody=openapi.body("Promotion", examples.PROMOTIONS),
        ),
    )(promote)


def promote() -> Response:
    """Take a promotion, which is on disk when it is answered; or tell what it would do."""
    who = caller()
    require_act(who, PROMOTE)
    body = intake.decode_promotion(accepting.body_of_request())
    require_environment(who, body.environment)
    wish = PromotionWish(
        origin=body.origin,
        environment=body.environment,
        charts=body.charts,
        allow_older=body.allow_older,
        reason=body.reason,
        override=body.override,
        caller=who,
    )
    key = accepting.idempotency_key()
    return accepting.preview(wish) if body.dry_run else accepting.accept(wish, key=key)
