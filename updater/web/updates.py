"""Taking an image that was built, and telling what became of a request.

It decides only who may speak for which image, and who may override a hold or a freeze with it; the rest is
the worker's.
"""

from __future__ import annotations

from flask import Response
from flask_openapi3.openapi import OpenAPI

from updater import intake
from updater.auth import require_act, require_image, require_override
from updater.model import UPDATE
from updater.store import Wish
from updater.web import accepting, examples, openapi, problems
from updater.web.asked import RequestPath
from updater.web.problems import problem
from updater.web.replies import answer
from updater.web.rooms import caller, rooms
from updater.web.visibility import may_see


def install(app: OpenAPI) -> None:
    """Add the two routes."""
    app.post(
        "/api/auto-update",
        summary="Say that an image was built",
        **openapi.operation(
            "postUpdate",
            openapi.UPDATES,
            accepting.responses(examples.PENDING, examples.SETTLED),
            problems_of=openapi.ACCEPTING,
            parameters=[openapi.PREFER, openapi.IDEMPOTENCY_KEY],
            requestBody=openapi.body("Update", examples.UPDATES),
        ),
    )(accept)
    app.get(
        "/api/updates/<request_id>",
        summary="Tell what became of a request",
        **openapi.operation(
            "getUpdate",
            openapi.UPDATES,
            {
                200: openapi.response(
                    "Request",
                    "The request, pending or settled.",
                    example=examples.SETTLED,
                    headers=("Preference-Applied", "Retry-After"),
                )
            },
            problems_of=(problems.NO_REQUEST, *openapi.EVERYWHERE),
        ),
    )(tell)


def accept() -> Response:
    """Take a request; it is on disk when it is answered."""
    who = caller()
    require_act(who, UPDATE)
    body = intake.decode(accepting.body_of_request())
    require_image(who, body.image.repository)
    if body.override:
        require_override(who)
    wish = Wish(
        image=body.image,
        caller=who,
        environment=body.environment,
        source=body.source,
        override=body.override,
        reason=body.reason,
    )
    return accepting.accept(wish, key=accepting.idempotency_key())


def tell(path: RequestPath) -> Response:
    """Tell what is known of a request; with `Prefer: wait=N`, as soon as it is settled."""
    record = rooms().store.get(path.request_id)
    if record is None or not may_see(caller(), record):
        return problem(problems.NO_REQUEST, "No request that this token may see has the id in the address.")
    record, headers = accepting.waited_for(record)
    return answer(accepting.request_json(record, accepting.address_of(record)), headers=headers)
