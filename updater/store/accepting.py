"""Taking a wish in: what becomes a request, what is one already, and what is refused.

Hides how an idempotency key is compared. Called by `inbox`, and by the writer, which commits:
nothing here begins or ends a transaction, and a refusal comes before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from updater.errors import InvalidRequest, KeyReused, UpdaterError
from updater.model import (
    HoldRequest,
    PromotionRequest,
    Record,
    Request,
    RollbackRequest,
    UpdateRequest,
)
from updater.store.ids import new_id
from updater.store.reads import by_keys
from updater.store.rows import new_row
from updater.store.statements import chunks, run
from updater.store.tables import request
from updater.store.values import AnyWish, HoldWish, PromotionWish, RollbackWish, Wish

# Built once: SQLAlchemy finds the compiled form of a statement it has seen faster than of a new one.
_ADD = insert(request)
# Each wish has the fields of its request that are asked for, under the same names.
_REQUESTS: dict[type, Callable[..., Request]] = {
    Wish: UpdateRequest,
    PromotionWish: PromotionRequest,
    RollbackWish: RollbackRequest,
    HoldWish: HoldRequest,
}
_NOT_ASKED = {"id", "received_at", "caller", "sequence", "done", "chosen", "promoted"}


@dataclass(frozen=True, slots=True)
class Addition:
    """A request to keep, without its place in the order yet, and its idempotency key."""

    wanted: Request
    key: str | None

    @property
    def caller_and_key(self) -> tuple[str, str | None]:
        """What no two requests may share, unless there is no key."""
        return self.wanted.caller.name, self.key


def addition(wish: AnyWish, key: str | None, now: datetime) -> Addition:
    """Make a request of a wish that came at `now`.

    Raises:
        InvalidRequest: a text in it is no Unicode that can be stored.
    """
    _check_texts(wish, key)
    asked: dict[str, Any] = {one.name: getattr(wish, one.name) for one in fields(wish)}
    return Addition(_REQUESTS[type(wish)](id=new_id(now), received_at=now, **asked), key)


def _check_texts(wish: AnyWish, key: str | None) -> None:
    """Refuse what a text column cannot hold: NUL (PostgreSQL) and lone surrogates (UTF-8).

    What is kept in a document may hold both: JSON escapes them.
    """
    texts = {"environment": wish.environment or "", "Idempotency-Key": key or "", "caller": wish.caller.name}
    for field, text in texts.items():
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise InvalidRequest(f"{text!r} holds a character that cannot be stored.", field=field)


def add(connection: Connection, additions: Sequence[Addition]) -> list[tuple[Record, bool] | UpdaterError]:
    """Keep requests; return for each its record and whether it is new, or a `KeyReused`."""
    known = by_keys(connection, {one.caller_and_key for one in additions if one.key is not None})
    rows: dict[str, dict[str, object]] = {}
    answers: list[tuple[Record, bool] | UpdaterError] = []
    for one in additions:
        record = known.get(one.caller_and_key)
        if record is None:
            record = Record(request=one.wanted)
            rows[one.wanted.id] = new_row(one.wanted, one.key)
            if one.key is not None:
                known[one.caller_and_key] = record
            answers.append((record, True))
        elif _wish_of(record.request) == _wish_of(one.wanted):
            answers.append((record, False))
        else:
            answers.append(_key_reused(one, record.request))
    run(connection, _ADD, list(rows.values()))
    sequences = _sequences(connection, rows)
    return [_numbered(answer, sequences) for answer in answers]


def _wish_of(wanted: Request) -> tuple[object, ...]:
    """Return what two requests of one caller share that ask for the same; what he may do can change."""
    names = [one.name for one in fields(wanted) if one.name not in _NOT_ASKED]
    return type(wanted), *(getattr(wanted, name) for name in names)


def _key_reused(one: Addition, first: Request) -> KeyReused:
    match first:
        case PromotionRequest():
            wish = f"a promotion from {first.origin} to {first.environment}"
        case RollbackRequest():
            wish = f"a rollback of {first.chart or first.commit} in {first.environment}"
        case HoldRequest():
            wish = f"a {'release' if first.release else 'hold'} of {first.chart} in {first.environment}"
        case UpdateRequest():
            wish = str(first.image)
    return KeyReused(
        f"The Idempotency-Key {one.key!r} was used before, for {wish} (request {first.id}): "
        "send a new key with a different request."
    )


def _sequences(connection: Connection, rows: Mapping[str, object]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in chunks(rows):
        statement = select(request.c.id, request.c.sequence).where(request.c.id.in_(some))
        found.update((row.id, row.sequence) for row in connection.execute(statement))
    return found


def _numbered(
    answer: tuple[Record, bool] | UpdaterError, sequences: Mapping[str, int]
) -> tuple[Record, bool] | UpdaterError:
    """Put the place in the order, which the database gave, into a record that was made before."""
    if isinstance(answer, UpdaterError):
        return answer
    record, created = answer
    sequence = sequences.get(record.request.id, record.request.sequence)
    return replace(record, request=replace(record.request, sequence=sequence)), created
