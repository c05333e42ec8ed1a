"""What all routes that take a request have in common: bodies, keys, waiting, and the answer.

This module hides HTTP from the inner rooms: content types, `Prefer`, `Idempotency-Key` and the
status of an answer. Called by `updates`, `promotions`, `rollbacks` and `holds`; it decides nothing about
who may ask.
"""

from __future__ import annotations

from typing import Any

from flask import Response, request

from updater.answers import http_status, record_json
from updater.errors import InvalidRequest
from updater.model import OutcomeKind, Record
from updater.store import AnyWish, PromotionWish, RollbackWish
from updater.web import openapi, problems
from updater.web.bodies import read_body
from updater.web.replies import PROBLEM_JSON, answer, link_to, remember_request
from updater.web.rooms import desk, rooms, seats
from updater.web.waiting import BUSY_RETRY_AFTER, wait_asked_for

MAX_KEY = 255
DRY_RUN = "With `dry_run`: what would become of it; nothing was stored."

_UNSUCCESSFUL = {
    OutcomeKind.HELD: problems.HELD,
    OutcomeKind.REFUSED: problems.REFUSED,
    OutcomeKind.FAILED: problems.FAILED,
}
_LINKED = ("Location", "Preference-Applied")


def accept(wish: AnyWish, *, key: str | None) -> Response:
    """Store a wish, wait for its outcome if that was asked for, and answer."""
    record, _ = rooms().store.add(wish, key=key)
    record, headers = waited_for(record)
    url = address_of(record)
    headers["Location"] = url
    rendered = request_json(record, url)
    # Whoever did not wait learns that it is stored, also where the same key came long ago.
    outcome = record.outcome if "Preference-Applied" in headers else None
    if outcome is not None and (kind := _UNSUCCESSFUL.get(outcome.kind)):
        rendered |= problems.members(kind, outcome.reason) | {"instance": url}
        return answer(rendered, kind.status, headers=headers, mimetype=PROBLEM_JSON)
    return answer(rendered, http_status(outcome), headers=headers)


def preview(wish: PromotionWish | RollbackWish) -> Response:
    """Tell what would become of a wish now; nothing is stored, so there is nothing to ask for again."""
    with desk() as asked:
        record = asked.preview(wish)
    return answer(request_json(record, "") | {"id": ""})


def address_of(record: Record) -> str:
    """Return the URL where a request can be asked for."""
    return link_to(f"/api/updates/{record.request.id}")


def request_json(record: Record, url: str) -> dict[str, Any]:
    """Return the answer about one request; a pending one says what is wrong just now."""
    rendered = record_json(record)
    troubles = [] if record.outcome else list(rooms().problems())
    reason = rendered["reason"] or " ".join(troubles)
    return {"id": rendered["id"], "url": url, **rendered, "reason": reason, "problems": troubles}


def waited_for(record: Record) -> tuple[Record, dict[str, str]]:
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


def body_of_request(*, may_be_empty: bool = False) -> bytes:
    """Return the body, which must be declared as plain JSON unless it may be empty and is.

    Raises:
        NotJson, RequestEntityTooLarge: HTTP 415 and 413.
        InvalidRequest: it was cut off.
    """
    if (
        may_be_empty
        and not request.content_length
        and "chunked" not in request.headers.get("Transfer-Encoding", "")
    ):
        return b""
    if not (request.mimetype == "application/json" or request.mimetype.endswith("+json")):
        raise problems.NotJson(
            f"The body is declared as {request.mimetype or 'nothing'}: send the header "
            "Content-Type: application/json (curl declares a form unless it is told otherwise)."
        )
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise problems.NotJson("The body is compressed: send it as it is, without Content-Encoding.")
    return read_body(request.stream, request.content_length)


def idempotency_key() -> str | None:
    """Return the request's `Idempotency-Key`, None where there is none.

    Raises:
        InvalidRequest: it is too long, or not printable ASCII.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        raise InvalidRequest(
            f"The Idempotency-Key has {len(key)} characters: send 1 to {MAX_KEY} printable ASCII ones.",
            field="Idempotency-Key",
        )
    return key


def responses(pending: object, settled: object, *, at_once: str = "") -> dict[int, dict[str, Any]]:
    """Return the descriptions of the answers; `at_once` says what else is answered with 200."""
    waited = "With `Prefer: wait=N`: settled as committed, proposed, unchanged or superseded."
    return {
        200: openapi.response("Request", f"{waited} {at_once}".strip(), example=settled, headers=_LINKED),
        202: openapi.response(
            "Request",
            "Stored, and not settled yet. `Retry-After` where too many callers wait already.",
            example=pending,
            headers=(*_LINKED, "Retry-After"),
        ),
        409: openapi.unsuccessful("With `Prefer: wait=N`: settled as refused or held; `reason` says why."),
        502: openapi.unsuccessful("With `Prefer: wait=N`: settled as failed; `reason` says why."),
    }
