"""What is where, and why an image is or is not there.

It decides who may see which place; the worker's thread answers, through `rooms.Desk`.
"""

from __future__ import annotations

from flask import Response
from flask_openapi3.openapi import OpenAPI

from updater.answers import status_json, why_json
from updater.auth import require_image
from updater.model import ImageReference
from updater.web import examples, openapi
from updater.web.asked import StatusFilters, WhyFilters
from updater.web.replies import answer
from updater.web.rooms import caller, desk
from updater.web.visibility import require_named, seen_of_status


def install(app: OpenAPI) -> None:
    """Add the two routes."""
    app.get(
        "/api/status",
        summary="Tell what is where",
        **openapi.operation(
            "getStatus",
            openapi.HISTORY,
            {
                200: openapi.response(
                    "Status",
                    "The places of the token's images in its environments.",
                    example={"places": [examples.STANDING], "problems": []},
                )
            },
            problems_of=openapi.ASKING,
        ),
    )(tell_status)
    app.get(
        "/api/why",
        summary="Tell why an image is, or is not, somewhere",
        **openapi.operation(
            "getWhy",
            openapi.HISTORY,
            {
                200: openapi.response(
                    "Explanations",
                    "One for each of the token's environments that the image concerns.",
                    example={"why": [examples.WHY]},
                )
            },
            problems_of=openapi.ASKING,
        ),
    )(tell_why)


def tell_status(query: StatusFilters) -> Response:
    """Tell what is where, as far as the token may see it."""
    who = caller()
    require_named(who, query.environment)
    with desk() as asked:
        found = asked.status(query.environment, query.chart)
    return answer(status_json(seen_of_status(who, found, named=query.environment)))


def tell_why(query: WhyFilters) -> Response:
    """Tell why an image that the token speaks for is, or is not, in the environments it may reach."""
    who = caller()
    image = ImageReference.parse(query.image)
    require_image(who, image.repository)
    require_named(who, query.environment)
    with desk() as asked:
        found = asked.why(image, query.environment or None)
    # What concerns no environment, as none takes the tag, has no name.
    seen = [one for one in found if not one.environment or who.may_reach(one.environment)]
    return answer({"why": [why_json(one) for one in seen]})
