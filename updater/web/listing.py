"""Listing requests: filters, pages and what a caller may see.

This module hides that the store knows nothing of tokens: it reads on until a page is full of
requests the caller may see. Called for `GET /api/updates`.
"""

from __future__ import annotations

from dataclasses import replace

from flask import Response
from flask_openapi3.openapi import OpenAPI

from updater.model import Caller, Record
from updater.store import Query
from updater.web import examples, openapi, problems
from updater.web.accepting import address_of, request_json
from updater.web.asked import Filters
from updater.web.replies import answer, link_to_next
from updater.web.rooms import caller, rooms
from updater.web.visibility import may_see, sees_all

# A token that speaks for few images may have to look past many requests of others: a page ends
# after so many of them, short or empty, with a link to go on.
MAX_LOOKED_AT = 1000
_STEP = 200


def install(app: OpenAPI) -> None:
    """Add the route."""
    app.get(
        "/api/updates",
        summary="List requests, newest first",
        **openapi.operation(
            "listUpdates",
            openapi.UPDATES,
            {
                200: openapi.response(
                    "Requests",
                    "Those that the token may see; a page may be short, so go on while there is a next.",
                    example={"updates": [examples.SETTLED], "next": None},
                    headers=("Link",),
                )
            },
            problems_of=(problems.INVALID, *openapi.EVERYWHERE),
        ),
    )(list_updates)


def list_updates(query: Filters) -> Response:
    """List the requests that the filters and the caller's token let through."""
    found, cursor = _page(caller(), _query(query))
    following = link_to_next(cursor) if cursor else None
    updates = [request_json(record, address_of(record)) for record in found]
    headers = {"Link": f'<{following}>; rel="next"'} if following else {}
    return answer({"updates": updates, "next": following}, headers=headers)


def _query(filters: Filters) -> Query:
    return Query(
        settled=None if filters.state is None else filters.state == "settled",
        kinds=tuple(filters.outcome),
        text=filters.image,
        environment=filters.environment or None,
        caller=filters.caller or None,
        before=filters.before or None,
        limit=filters.limit,
    )


def _page(who: Caller, query: Query) -> tuple[list[Record], str | None]:
    """Return a page of what the caller may see, and the id after which the next one begins."""
    visible: list[Record] = []
    before, looked_at = query.before, 0
    # One more than the page holds tells whether there is another page.
    step = query.limit + 1 if sees_all(who) else _STEP + 1
    while looked_at < MAX_LOOKED_AT:
        records = rooms().store.find(replace(query, before=before, limit=step))
        for record in records:
            if not may_see(who, record):
                continue
            if len(visible) == query.limit:
                return visible, visible[-1].request.id
            visible.append(record)
        if len(records) < step:
            return visible, None
        before = records[-1].request.id
        looked_at += len(records)
    return visible, before
