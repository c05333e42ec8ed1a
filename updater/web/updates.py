"""Taking a request and telling what became of it.

This module hides HTTP from the inner rooms: content types, `Prefer`, `Idempotency-Key` and the
status of an answer. It decides only who may speak for which image; the rest is the worker's.
"""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_openapi3.openapi import OpenAPI

from updater import intake
from updater.answers import http_status, record_json
from updater.auth import may_speak_for, require_image
from updater.errors import InvalidRequest
from updater.model import OutcomeKind, Record
from updater.store import Wish
from updater.web import examples, openapi, problems
from updater.web.bodies import read_body
from updater.web.problems import problem
from updater.web.replies import PROBLEM_JSON, answer, link_to, remember_request
from updater.web.rooms import caller, rooms, seats
from updater.web.schemas import RequestPath
from updater.web.waiting import wait_asked_for

MAX_KEY = 255
# Seconds until a caller who found no seat asks again; requests settle within a few as a rule.
BUSY_RETRY_AFTER = 2

_UNSUCCESSFUL = {OutcomeKind.REFUSED: problems.REFUSED, OutcomeKind.FAILED: problems.FAILED}
_LINKED = ("Location", "Preference-Applied")


def install(app: OpenAPI) -> None:
    """Add the two routes."""
    app.post(
        "/api/auto-update",
        summary="Say that an image was built",
        **openapi.operation(
            "postUpdate",
            openapi.UPDATES,
            _accept_responses(),
            problems_of=(
                problems.INVALID,
                problems.FORBIDDEN,
                problems.TOO_LARGE,
                problems.NOT_JSON,
                problems.KEY_REUSED,
                *openapi.EVERYWHERE,
            ),
            parameters=[openapi.PREFER, openapi.IDEMPOTENCY_KEY],
            requestBody=openapi.BODY,
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
    body = intake.decode(_body())
    require_image(who, body.image.repository)
    wish = Wish(image=body.image, caller=who, environment=body.environment, source=body.source)
    record, _ = rooms().store.add(wish, key=_idempotency_key())
    record, headers = _waited_for(record)
    url = link_to(f"/api/updates/{record.request.id}")
    headers["Location"] = url
    rendered = request_json(record, url)
    # Whoever did not wait learns that it is stored, also where the same key came long ago.
    outcome = record.outcome if "Preference-Applied" in headers else None
    if outcome is not None and (kind := _UNSUCCESSFUL.get(outcome.kind)):
        rendered |= problems.members(kind, outcome.reason) | {"instance": url}
        return answer(rendered, kind.status, headers=headers, mimetype=PROBLEM_JSON)
    return answer(rendered, http_status(outcome), headers=headers)


def tell(path: RequestPath) -> Response:
    """Tell what is known of a request; with `Prefer: wait=N`, as soon as it is settled."""
    who = caller()
    record = rooms().store.get(path.request_id)
    if record is None or not may_speak_for(who, record.request.image.repository):
        return problem(problems.NO_REQUEST, "No request that this token may see has the id in the address.")
    record, headers = _waited_for(record)
    return answer(request_json(record, link_to(f"/api/updates/{record.request.id}")), headers=headers)


def request_json(record: Record, url: str) -> dict[str, Any]:
    """Return the answer about one request; a pending one says what is wrong just now."""
    rendered = record_json(record)
    troubles = [] if record.outcome else list(rooms().problems())
    reason = rendered["reason"] or " ".join(troubles)
    return {"id": rendered["id"], "url": url, **rendered, "reason": reason, "problems": troubles}


def _waited_for(record: Record) -> tuple[Record, dict[str, str]]:
    """Return the record after the wait the caller asked for, and the headers that tell of it."""
    remember_request(record.request.id)
    seconds = wait_asked_for(request.headers.getlist("Prefer"))
    if not seconds:
        return record, {}
    if record.outcome is not None:
        return record, {"Preference-Applied": f"wait={seconds}"}
    with seats().taken() as seated:
        if not seated:
            return record, {"Retry-After": str(BUSY_RETRY_AFTER)}
        settled = rooms().store.wait(record.request.id, seconds)
    return settled or record, {"Preference-Applied": f"wait={seconds}"}


def _body() -> bytes:
    """Return the body, which must be declared as plain JSON.

    Raises:
        NotJson, RequestEntityTooLarge: HTTP 415 and 413.
        InvalidRequest: it was cut off.
    """
    if not (request.mimetype == "application/json" or request.mimetype.endswith("+json")):
        raise problems.NotJson(
            f"The body is declared as {request.mimetype or 'nothing'}: send the header "
            "Content-Type: application/json (curl declares a form unless it is told otherwise)."
        )
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise problems.NotJson("The body is compressed: send it as it is, without Content-Encoding.")
    return read_body(request.stream, request.content_length)


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        raise InvalidRequest(
            f"The Idempotency-Key has {len(key)} characters: send 1 to {MAX_KEY} printable ASCII ones.",
            field="Idempotency-Key",
        )
    return key


def _accept_responses() -> dict[int, dict[str, Any]]:
    return {
        200: openapi.response(
            "Request",
            "With `Prefer: wait=N`: settled as committed, unchanged or superseded.",
            example=examples.SETTLED,
            headers=_LINKED,
        ),
        202: openapi.response(
            "Request",
            "Stored, and not settled yet. `Retry-After` where too many callers wait already.",
            example=examples.PENDING,
            headers=(*_LINKED, "Retry-After"),
        ),
        409: openapi.unsuccessful("With `Prefer: wait=N`: settled as refused; `reason` says why."),
        502: openapi.unsuccessful("With `Prefer: wait=N`: settled as failed; `reason` says why."),
    }
