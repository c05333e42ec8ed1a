"""The questions one can ask the tables, each one function of a connection.

Hides how rows become records. Called by `inbox` and `changes`; never writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from updater.errors import InvalidRequest
from updater.model import (
    Caller,
    EnvironmentOutcome,
    ImageReference,
    Outcome,
    OutcomeKind,
    Record,
    Source,
    UpdateRequest,
)
from updater.store.documents import from_document, tuple_from_document
from updater.store.tables import intent, request, settled_in
from updater.store.values import Intent, Query

# Fewer parameters than the smallest limit of a supported database (SQLite: 32,766).
_PARAMETERS = 1000


def chunks(ids: Collection[str]) -> Iterator[Sequence[str]]:
    """Cut `ids` into lists that fit into one statement."""
    rest = list(ids)
    for start in range(0, len(rest), _PARAMETERS):
        yield rest[start : start + _PARAMETERS]


def to_request(row: Row[Any]) -> UpdateRequest:
    """Return the wish of a row of `request`."""
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
    """Return all that is known of a row of `request`."""
    return Record(
        request=to_request(row),
        outcome=None if row.outcome is None else from_document(Outcome, row.outcome),
        reason=row.reason,
        attempts=row.attempts,
        retry_at=row.due_at,
        troubled_since=row.troubled_since,
        settled_at=row.settled_at,
    )


def by_id(connection: Connection, request_id: str) -> Record | None:
    """Return the record with this id, or None."""
    row = connection.execute(select(request).where(request.c.id == request_id)).one_or_none()
    return None if row is None else to_record(row)


def by_keys(
    connection: Connection, pairs: Collection[tuple[str, str | None]]
) -> dict[tuple[str, str | None], Record]:
    """Return the records made with these idempotency keys, by caller and key."""
    if not pairs:
        return {}
    callers, keys = zip(*pairs, strict=True)
    where = (request.c.caller.in_(set(callers)), request.c.idempotency_key.in_(set(keys)))
    rows = connection.execute(select(request).where(*where))
    return {(row.caller, row.idempotency_key): to_record(row) for row in rows}


def find(connection: Connection, query: Query) -> list[Record]:
    """Return the records that match, newest first.

    Raises:
        InvalidRequest: `query.before` is no request's id.
    """
    statement = select(request).where(*_filters(query))
    if query.before is not None:
        cursor = connection.scalar(select(request.c.sequence).where(request.c.id == query.before))
        if cursor is None:
            raise InvalidRequest(
                f"There is no request {query.before!r} to list earlier ones of.", field="before"
            )
        statement = statement.where(request.c.sequence < cursor)
    rows = connection.execute(statement.order_by(request.c.sequence.desc()).limit(query.limit))
    return [to_record(row) for row in rows]


def _filters(query: Query) -> Iterator[ColumnElement[bool]]:
    if query.settled is not None:
        yield request.c.kind.is_not(None) if query.settled else request.c.kind.is_(None)
    if query.kinds:
        yield request.c.kind.in_([kind.value for kind in query.kinds])
    if query.repository is not None:
        yield request.c.repository == query.repository
    if query.text:
        names = (request.c.name, request.c.repository)
        yield or_(*((name + ":" + request.c.tag).icontains(query.text, autoescape=True) for name in names))
    if query.environment is not None:
        settled = select(settled_in.c.sequence).where(settled_in.c.environment == query.environment)
        yield or_(request.c.environment == query.environment, request.c.sequence.in_(settled))
    if query.caller is not None:
        yield request.c.caller == query.caller


def counts(connection: Connection) -> Mapping[str, int]:
    """Return how many requests are `pending` and how many ended in each outcome, zeros included."""
    rows = connection.execute(select(request.c.kind, func.count()).group_by(request.c.kind))
    found = {kind or "pending": number for kind, number in rows}
    return dict.fromkeys(("pending", *(kind.value for kind in OutcomeKind)), 0) | found


def next_due(connection: Connection) -> datetime | None:
    """Return when the next pending request may be claimed, which may be in the past, or None.

    A lease hides the time the request was due: it was due when it was claimed.
    """
    free_at = func.coalesce(request.c.leased_until, request.c.due_at, request.c.received_at)
    moment: datetime | None = connection.scalar(select(func.min(free_at)).where(request.c.kind.is_(None)))
    return moment


def intents(connection: Connection, ids: Collection[str]) -> dict[str, tuple[Intent, ...]]:
    """Return the notes of those of `ids` that have some, by environment."""
    found: dict[str, tuple[Intent, ...]] = {}
    for some in chunks(ids):
        statement = select(intent).where(intent.c.request_id.in_(some)).order_by(intent.c.environment)
        for row in connection.execute(statement):
            note = Intent(row.branch, row.commit, from_document(EnvironmentOutcome, row.outcome))
            found[row.request_id] = (*found.get(row.request_id, ()), note)
    return found
