"""How a request lies in a row of `request`: updates and all other requests share the table.

Hides the columns from `accepting`, which writes rows, and from `reads` and `changes`, which read
them. What is no update has no image: its three texts are empty, and what it asks for is one document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from sqlalchemy import Row

from updater.model import (
    Caller,
    Chosen,
    EnvironmentOutcome,
    HoldRequest,
    ImageReference,
    Outcome,
    PromotionRequest,
    Record,
    Request,
    RollbackRequest,
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
    override: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What a rollback (`act` "rollback"), a hold ("hold") or an overriding update ("update") asks for."""

    act: str
    chart: str = ""
    to: str = ""
    commit: str = ""
    alone: bool = False
    override: bool = False
    reason: str = ""
    repository: str = ""
    build: str = ""
    release: bool = False
    chosen: tuple[Chosen, ...] = ()


_Kept = TypeVar("_Kept", _Promotion, _Wish)
# What the documents of `wish` become again.
_WISHES: dict[str, type[RollbackRequest] | type[HoldRequest]] = {
    "rollback": RollbackRequest,
    "hold": HoldRequest,
}
_EMPTY: dict[str, object] = {
    "name": "",
    "repository": "",
    "tag": "",
    "digest": None,
    "source": to_document(Source()),
    "promotion": None,
    "wish": None,
}


def new_row(wanted: Request, key: str | None) -> dict[str, object]:
    """Return the row of a request that nobody has worked on yet."""
    return {
        **_EMPTY,
        **_asked_for(wanted),
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


def _asked_for(wanted: Request) -> dict[str, object]:
    match wanted:
        case PromotionRequest():
            return {"promotion": to_document(_taken(_Promotion, wanted))}
        case RollbackRequest():
            return {"wish": to_document(_taken(_Wish, wanted, act="rollback"))}
        case HoldRequest():
            return {"wish": to_document(_taken(_Wish, wanted, act="hold"))}
        case UpdateRequest():
            return _update(wanted)


def _update(wanted: UpdateRequest) -> dict[str, object]:
    return {
        "name": wanted.image.name,
        "repository": wanted.image.repository,
        "tag": wanted.image.tag,
        "digest": wanted.image.digest,
        "source": to_document(wanted.source),
        "wish": to_document(_Wish(act="update", override=True, reason=wanted.reason))
        if wanted.override
        else None,
    }


def _taken(kind: type[_Kept], wanted: Request, **more: Any) -> _Kept:
    """Return what `kind` keeps of a request: the fields both have."""
    names = {one.name for one in fields(kind)} & {one.name for one in fields(wanted)}
    return kind(**{name: getattr(wanted, name) for name in names}, **more)


def with_chosen(document: Mapping[str, Any], chosen: tuple[Chosen, ...]) -> dict[str, object]:
    """Return the document of a promotion or rollback with what was chosen; an earlier choice stays."""
    return {**document, "chosen": document.get("chosen") or to_document(chosen)}


def to_request(row: Row[Any]) -> Request:
    """Return the wish of a row."""
    if row.promotion is not None:
        promotion = from_document(_Promotion, row.promotion)
        return PromotionRequest(**_common(row), **_fields_of(promotion))
    wish = None if row.wish is None else from_document(_Wish, row.wish)
    if wish is not None and wish.act in _WISHES:
        kind = _WISHES[wish.act]
        known = {one.name for one in fields(kind)}
        own = {name: value for name, value in _fields_of(wish).items() if name in known}
        return kind(**_common(row), **own)
    return UpdateRequest(
        **_common(row),
        image=ImageReference(name=row.name, repository=row.repository, tag=row.tag, digest=row.digest),
        source=from_document(Source, row.source),
        override=wish.override if wish else False,
        reason=wish.reason if wish else "",
    )


def _common(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "environment": row.environment,
        "caller": from_document(Caller, row.caller_document),
        "received_at": row.received_at,
        "sequence": row.sequence,
        "done": tuple_from_document(EnvironmentOutcome, row.done),
    }


def _fields_of(value: _Promotion | _Wish) -> dict[str, Any]:
    return {one.name: getattr(value, one.name) for one in fields(value)}


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
