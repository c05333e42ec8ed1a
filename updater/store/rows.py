"""How a request lies in a row of `request`: updates and promotions share the table.

Hides the columns from `accepting`, which writes rows, and from `reads` and `changes`, which read
them. A promotion has no image: its three texts are empty, and what it asks for is one document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from updater.model import (
    Caller,
    Chosen,
    EnvironmentOutcome,
    ImageReference,
    Outcome,
    PromotionRequest,
    Record,
    Request,
    Source,
    UpdateRequest,
)
from updater.store.documents import from_document, to_document, tuple_from_document


@dataclass(frozen=True, slots=True, kw_only=True)
class _Promotion:
    """What only a promotion asks for, and what was chosen for it; its target is the row's environment."""

    origin: str
    charts: tuple[str, ...] = ()
    allow_older: bool = False
    reason: str = ""
    chosen: tuple[Chosen, ...] = ()


def new_row(wanted: Request, key: str | None) -> dict[str, object]:
    """Return the row of a request that nobody has worked on yet."""
    return {
        **(_promotion(wanted) if isinstance(wanted, PromotionRequest) else _update(wanted)),
        "id": wanted.id,
        "environment": wanted.environment,
        "caller": wanted.caller.name,
        "caller_document": to_document(wanted.caller),
        "idempotency_key": key,
        "received_at": wanted.received_at,
        "reason": "",
        "attempts": 0,
        "done": [],
        "is_claimable": True,
        "is_open": False,
    }


def _update(wanted: UpdateRequest) -> dict[str, object]:
    return {
        "name": wanted.image.name,
        "repository": wanted.image.repository,
        "tag": wanted.image.tag,
        "digest": wanted.image.digest,
        "source": to_document(wanted.source),
        "promotion": None,
    }


def _promotion(wanted: PromotionRequest) -> dict[str, object]:
    promotion = _Promotion(
        origin=wanted.origin, charts=wanted.charts, allow_older=wanted.allow_older, reason=wanted.reason
    )
    return {
        "name": "",
        "repository": "",
        "tag": "",
        "digest": None,
        "source": to_document(Source()),
        "promotion": to_document(promotion),
    }


def with_chosen(promotion: Mapping[str, Any], chosen: tuple[Chosen, ...]) -> dict[str, object]:
    """Return a promotion's document with what was chosen for it; an earlier choice stays."""
    return {**promotion, "chosen": promotion.get("chosen") or to_document(chosen)}


def to_request(row: Row[Any]) -> Request:
    """Return the wish of a row."""
    if row.promotion is None:
        return _to_update(row)
    wanted = from_document(_Promotion, row.promotion)
    return PromotionRequest(
        id=row.id,
        origin=wanted.origin,
        environment=row.environment,
        caller=from_document(Caller, row.caller_document),
        received_at=row.received_at,
        charts=wanted.charts,
        allow_older=wanted.allow_older,
        reason=wanted.reason,
        sequence=row.sequence,
        done=tuple_from_document(EnvironmentOutcome, row.done),
        chosen=wanted.chosen,
    )


def _to_update(row: Row[Any]) -> UpdateRequest:
    return UpdateRequest(
        id=row.id,
        image=ImageReference(name=row.name, repository=row.repository, tag=row.tag, digest=row.digest),
        caller=from_document(Caller, row.caller_document),
        received_at=row.received_at,
        sequence=row.sequence,
        environment=row.environment,
        source=from_document(Source, row.source),
        done=tuple_from_document(EnvironmentOutcome, row.done),
    )


def to_record(row: Row[Any]) -> Record:
    """Return all that is known of a row."""
    return Record(
        request=to_request(row),
        outcome=None if row.outcome is None else from_document(Outcome, row.outcome),
        reason=row.reason,
        attempts=row.attempts,
        retry_at=row.due_at,
        troubled_since=row.troubled_since,
        settled_at=row.settled_at,
    )
