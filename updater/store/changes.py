"""What the worker changes in the tables, each change one function of a connection.

Called by `inbox` through the writer, which commits: nothing here begins or ends a transaction. A
request is claimable while it is pending or held; all else about it is final, but for an outcome
that rests on an open merge request.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, case, insert, not_, or_, select, update

from updater.model import Chosen, EnvironmentOutcome, Outcome, OutcomeKind, Request
from updater.store import notes
from updater.store.documents import to_document
from updater.store.rows import to_request, with_chosen
from updater.store.statements import chunks, run
from updater.store.tables import request, settled_in
from updater.store.values import Deferral

# Built once: SQLAlchemy finds the compiled form of a statement it has seen faster than of a new one.
_CHANGE = update(request).where(request.c.id == bindparam("of_id"))
_SETTLE = _CHANGE.where(request.c.is_claimable)
_PROGRESS = _CHANGE.where(request.c.is_open)
_DEFER = _SETTLE.values(attempts=request.c.attempts + bindparam("more"), leased_until=None)


def claim(
    connection: Connection, *, limit: int, now: datetime, until: datetime, hurry: bool = False
) -> list[Request]:
    """Lease what is claimable, due and free; return it in the order of acceptance.

    With a request come those of the same repository that were put off or are held: they must be
    judged together, or one that waits would be written over a newer one later. What is no update counts
    as one repository. With `hurry` everything held is due.

    Where there is more than `limit`, what nobody has judged yet comes first and what is not due comes
    last: a pile that is held, and is held again each time, keeps nobody from getting a turn.
    """
    free = (
        request.c.is_claimable,
        or_(request.c.leased_until.is_(None), request.c.leased_until <= now),
    )
    is_held = request.c.kind.is_not(None)
    is_due = or_(request.c.due_at.is_(None), request.c.due_at <= now)
    turn = case((and_(is_due, not_(is_held)), 0), (is_due, 1), else_=2)
    touched = select(request.c.repository).where(*free, or_(is_due, is_held) if hurry else is_due)
    chosen = (
        select(request.c.sequence)
        .where(*free, request.c.repository.in_(touched))
        .order_by(turn, request.c.sequence)
        .limit(limit)
    )
    lease = update(request).where(request.c.sequence.in_(chosen)).values(leased_until=until)
    rows = connection.execute(lease.returning(request)).all()
    return sorted((to_request(row) for row in rows), key=lambda claimed: claimed.sequence)


def release_leases(connection: Connection) -> None:
    """Make everything claimable so at once where it is due: whoever leased it is dead."""
    leased = request.c.leased_until.is_not(None)
    connection.execute(update(request).where(request.c.is_claimable, leased).values(leased_until=None))


def choose(connection: Connection, chosen: Mapping[str, tuple[Chosen, ...]]) -> None:
    """Write what was chosen for those of the requests that are claimable; the first choice stays."""
    for column in (request.c.promotion, request.c.wish):
        rows: list[dict[str, object]] = []
        for some in chunks(chosen):
            where = (request.c.id.in_(some), request.c.is_claimable, column.is_not(None))
            found = connection.execute(select(request.c.id, column.label("asked")).where(*where))
            rows += [{"of_id": row.id, column.name: with_chosen(row.asked, chosen[row.id])} for row in found]
        run(connection, _SETTLE, rows)


def settle(
    connection: Connection, outcomes: Mapping[str, Outcome], again: Mapping[str, datetime], now: datetime
) -> None:
    """Write what became of those of the requests that are claimable; those in `again` stay so."""
    found = [row for row in _rows(connection, outcomes) if row.is_claimable]
    rows = []
    for row in found:
        outcome, is_held = outcomes[row.id], row.id in again
        rows.append(
            {
                **_shown(row.id, outcome),
                "reason": "",
                "done": to_document(_done(outcome)) if is_held else [],
                "is_claimable": is_held,
                "due_at": again.get(row.id),
                "leased_until": None,
                "troubled_since": None,
                # A request that goes on being held was not settled once more.
                "settled_at": (row.settled_at if is_held else None) or now,
            }
        )
    run(connection, _SETTLE, rows)
    _list_under_environments(connection, found, outcomes)
    _forget(connection, [row.id for row in found], outcomes, again)


def progress(connection: Connection, outcomes: Mapping[str, Outcome]) -> None:
    """Write what has become of those of the requests that are open; when they were settled stays.

    One that is held besides stays claimable while an environment of the new outcome is held.
    """
    found = [row for row in _rows(connection, outcomes) if row.is_open]
    rows = []
    for row in found:
        outcome = outcomes[row.id]
        done = _done(outcome)
        is_held = row.is_claimable and len(done) < len(outcome.environments)
        rows.append(
            {
                **_shown(row.id, outcome),
                "done": to_document(done) if is_held else [],
                "is_claimable": is_held,
                "due_at": row.due_at if is_held else None,
            }
        )
    run(connection, _PROGRESS, rows)
    _list_under_environments(connection, found, outcomes)


def defer(connection: Connection, deferrals: Mapping[str, Deferral]) -> None:
    """Give back those of the requests that are claimable, to be claimed again later.

    Their notes stay: a push that was cut off may still arrive.
    """
    rows = [
        {
            "of_id": row.id,
            "reason": deferrals[row.id].reason,
            "due_at": deferrals[row.id].retry_at,
            "troubled_since": deferrals[row.id].troubled_since,
            "done": to_document(deferrals[row.id].done),
            "more": int(deferrals[row.id].counts_as_attempt),
        }
        for row in _rows(connection, deferrals)
        if row.is_claimable
    ]
    run(connection, _DEFER, rows)


def _rows(connection: Connection, ids: Collection[str]) -> list[Row[Any]]:
    """Return how those of `ids` stand that exist, in the order of acceptance."""
    columns = (
        request.c.id,
        request.c.sequence,
        request.c.is_claimable,
        request.c.is_open,
        request.c.due_at,
        request.c.settled_at,
    )
    found: list[Row[Any]] = []
    for some in chunks(ids):
        found += connection.execute(select(*columns).where(request.c.id.in_(some)))
    return sorted(found, key=lambda row: row.sequence)


def _shown(request_id: str, outcome: Outcome) -> dict[str, object]:
    """Return the columns that tell of an outcome."""
    return {
        "of_id": request_id,
        "kind": outcome.kind.value,
        "outcome": to_document(outcome),
        "is_open": any(one.kind is OutcomeKind.PROPOSED for one in outcome.environments),
    }


def _done(outcome: Outcome) -> tuple[EnvironmentOutcome, ...]:
    """Return what need not be decided again when the request is claimed once more."""
    return tuple(one for one in outcome.environments if one.kind is not OutcomeKind.HELD)


def _list_under_environments(
    connection: Connection, found: Sequence[Row[Any]], outcomes: Mapping[str, Outcome]
) -> None:
    """Let listings find the requests under each environment of their outcomes."""
    known: set[tuple[str, int]] = set()
    for some in chunks([row.sequence for row in found]):
        statement = select(settled_in.c.environment, settled_in.c.sequence)
        rows = connection.execute(statement.where(settled_in.c.sequence.in_(some)))
        known.update((row.environment, row.sequence) for row in rows)
    places = {(one.environment, row.sequence): None for row in found for one in outcomes[row.id].environments}
    new = [
        {"environment": environment, "sequence": sequence}
        for environment, sequence in places
        if (environment, sequence) not in known
    ]
    run(connection, insert(settled_in), new)


def _forget(
    connection: Connection,
    ids: Collection[str],
    outcomes: Mapping[str, Outcome],
    again: Mapping[str, datetime],
) -> None:
    """Drop the notes of what is settled; those of a held environment stay, as for a deferral."""
    notes.forget(connection, [request_id for request_id in ids if request_id not in again])
    certain: dict[str, set[str]] = {}
    for request_id in ids:
        if request_id in again:
            stories = outcomes[request_id].environments
            held = {one.environment for one in stories if one.kind is OutcomeKind.HELD}
            certain[request_id] = {one.environment for one in stories} - held
    notes.forget_there(connection, certain)
