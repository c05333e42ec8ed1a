"""The questions one can ask the tables, each one function of a connection.

Hides how they are asked in SQL. Called by `records` and `accepting`; never writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, or_, select

from updater.errors import InvalidRequest
from updater.model import OutcomeKind, Record
from updater.store.rows import to_record
from updater.store.tables import request, settled_in
from updater.store.values import Query


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
        yield request.c.name != ""
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


def proposed(connection: Connection, limit: int) -> list[Record]:
    """Return the records whose outcome rests on an open merge request, oldest first."""
    statement = select(request).where(request.c.is_open).order_by(request.c.sequence).limit(limit)
    return [to_record(row) for row in connection.execute(statement)]


def next_due(connection: Connection) -> datetime | None:
    """Return when the next request may be claimed, which may be in the past, or None.

    A lease hides the time the request was due: it was due when it was claimed.
    """
    free_at = func.coalesce(request.c.leased_until, request.c.due_at, request.c.received_at)
    moment: datetime | None = connection.scalar(select(func.min(free_at)).where(request.c.is_claimable))
    return moment
