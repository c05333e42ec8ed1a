"""What was deployed: listing it, and the figures of a span of time.

This module hides that the worker knows nothing of tokens: what the token may not see is left out here, and a
page is cut afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask import Response
from flask_openapi3.openapi import OpenAPI

from updater import intake
from updater.answers import deployment_json, figures_json
from updater.auth import require_image
from updater.errors import InvalidRequest
from updater.history import Figures
from updater.model import Caller, Deployment, Question
from updater.web import examples, openapi
from updater.web.asked import FiguresFilters, HistoryFilters
from updater.web.replies import answer, link_to_next
from updater.web.rooms import caller, desk
from updater.web.visibility import may_see_deployment, require_named

# The worker has the whole history at hand, and only here is known which part of it a page may hold.
_ALL = 10_000_000


def install(app: OpenAPI) -> None:
    """Add the two routes."""
    app.get(
        "/api/history",
        summary="List what was deployed, newest first",
        **openapi.operation(
            "listDeployments",
            openapi.HISTORY,
            {
                200: openapi.response(
                    "History",
                    "Deployments of the token's environments and images. What one commit deployed is never "
                    "torn apart, so a page may hold a little more than `limit`.",
                    example={"deployments": [examples.DEPLOYMENT], "next": None},
                    headers=("Link",),
                )
            },
            problems_of=openapi.ASKING,
        ),
    )(list_deployments)
    app.get(
        "/api/history/figures",
        summary="Tell how often, how soon and how well",
        **openapi.operation(
            "getFigures",
            openapi.HISTORY,
            {
                200: openapi.response(
                    "SpanFigures",
                    "For each environment a total, then its charts; the last 90 days where nothing else is "
                    "asked for. Only what counts nothing that the token may not see.",
                    example={"figures": [examples.FIGURES]},
                )
            },
            problems_of=openapi.ASKING,
        ),
    )(list_figures)


def list_deployments(query: HistoryFilters) -> Response:
    """List a page of the deployments that the filters and the caller's token let through."""
    who = caller()
    question = _question(who, query)
    with desk() as asked:
        found = asked.history(question)
    seen = [one for one in found if may_see_deployment(who, one)]
    page = _page(seen, query.limit)
    following = link_to_next(page[-1].commit) if len(page) < len(seen) else None
    headers = {"Link": f'<{following}>; rel="next"'} if following else {}
    deployments = [deployment_json(one) for one in page]
    return answer({"deployments": deployments, "next": following}, headers=headers)


def list_figures(query: FiguresFilters) -> Response:
    """Tell the figures that count nothing but what the caller's token lets through."""
    who = caller()
    require_named(who, query.environment)
    _check_span(query)
    question = Question(
        environment=query.environment, chart=query.chart, since=query.since, until=query.until
    )
    with desk() as asked:
        found = asked.figures(question)
        counted = asked.history(Question(environment=query.environment, limit=_ALL))
    return answer({"figures": [figures_json(one) for one in _visible(who, found, counted)]})


def _question(who: Caller, query: HistoryFilters) -> Question:
    require_named(who, query.environment)
    _check_span(query)
    repository = ""
    if query.image:
        repository = intake.read_repository(query.image, field="image", cure="GET /api/why takes a tag.")
        require_image(who, repository)
    return Question(
        environment=query.environment,
        chart=query.chart,
        repository=repository,
        since=query.since,
        until=query.until,
        before=query.before,
        limit=_ALL,
    )


def _check_span(query: FiguresFilters) -> None:
    if query.since and query.until and query.since >= query.until:
        raise InvalidRequest(
            "The parameter 'until' is not later than 'since', so nothing lies between: name a later time.",
            field="until",
        )


def _page(seen: Sequence[Deployment], limit: int) -> Sequence[Deployment]:
    """Return the first `limit` deployments, and what else the commit of the last one deployed."""
    end = limit
    while end < len(seen) and seen[end].commit == seen[end - 1].commit:
        end += 1
    return seen[:end]


def _visible(who: Caller, found: Iterable[Figures], counted: Iterable[Deployment]) -> Iterable[Figures]:
    hidden = {
        (one.environment, chart)
        for one in counted
        if not may_see_deployment(who, one)
        for chart in ("", *one.charts)
    }
    return [
        one for one in found if who.may_reach(one.environment) and (one.environment, one.chart) not in hidden
    ]
