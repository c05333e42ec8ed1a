"""The changes one can make to the tables, each one function of a connection.

Called by `inbox` through the writer, which commits: nothing here begins or ends a transaction. A
function that refuses does so before it has written anything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Executable, bindparam, delete, insert, or_, select, update

from updater.errors import KeyReused, UpdaterError
from updater.model import Outcome, Record, UpdateRequest
from updater.store.documents import to_document
from updater.store.reads import by_keys, chunks, to_request
from updater.store.tables import intent, request, settled_in
from updater.store.values import Deferral, Intent

_PENDING = request.c.kind.is_(None)
# Built once: SQLAlchemy finds the compiled form of a statement it has seen faster than of a new one.
_ADD = insert(request)
_SETTLE = update(request).where(request.c.id == bindparam("of_id"), _PENDING)
_DEFER = _SETTLE.values(attempts=request.c.attempts + bindparam("more"), leased_until=None)
_FORGET = delete(intent).where(intent.c.request_id == bindparam("of_id"))
_FORGET_ONE = _FORGET.where(
    intent.c.environment == bindparam("of_environment"), intent.c.commit == bindparam("of_commit")
)


@dataclass(frozen=True, slots=True)
class Addition:
    """A request to keep, without its place in the order yet, and its idempotency key."""

    wanted: UpdateRequest
    key: str | None

    @property
    def caller_and_key(self) -> tuple[str, str | None]:
        """What no two requests may share, unless there is no key."""
        return self.wanted.caller.name, self.key


def add(connection: Connection, additions: Sequence[Addition]) -> list[tuple[Record, bool] | UpdaterError]:
    """Keep requests; return for each its record and whether it is new, or a `KeyReused`."""
    known = by_keys(
        connection, {addition.caller_and_key for addition in additions if addition.key is not None}
    )
    rows: dict[str, dict[str, object]] = {}
    answers: list[tuple[Record, bool] | UpdaterError] = []
    for addition in additions:
        record = known.get(addition.caller_and_key)
        if record is None:
            record = Record(request=addition.wanted)
            rows[addition.wanted.id] = _row(addition)
            if addition.key is not None:
                known[addition.caller_and_key] = record
            answers.append((record, True))
        elif _same_wish(record.request, addition.wanted):
            answers.append((record, False))
        else:
            answers.append(_key_reused(addition, record.request))
    _run(connection, _ADD, list(rows.values()))
    sequences = _pending(connection, rows)
    return [_numbered(answer, sequences) for answer in answers]


def _row(addition: Addition) -> dict[str, object]:
    wanted = addition.wanted
    return {
        "id": wanted.id,
        "name": wanted.image.name,
        "repository": wanted.image.repository,
        "tag": wanted.image.tag,
        "digest": wanted.image.digest,
        "environment": wanted.environment,
        "caller": wanted.caller.name,
        "caller_document": to_document(wanted.caller),
        "source": to_document(wanted.source),
        "idempotency_key": addition.key,
        "received_at": wanted.received_at,
        "reason": "",
        "attempts": 0,
        "done": [],
    }


def _same_wish(one: UpdateRequest, other: UpdateRequest) -> bool:
    """Say whether two requests of one caller ask for the same; what the caller may do can have changed."""
    return (one.image, one.environment, one.source) == (other.image, other.environment, other.source)


def _key_reused(addition: Addition, first: UpdateRequest) -> KeyReused:
    return KeyReused(
        f"The Idempotency-Key {addition.key!r} was used before, for {first.image} (request {first.id}): "
        "send a new key with a different request."
    )


def _numbered(
    answer: tuple[Record, bool] | UpdaterError, sequences: Mapping[str, int]
) -> tuple[Record, bool] | UpdaterError:
    """Put the place in the order, which the database gave, into a record that was made before."""
    if isinstance(answer, UpdaterError):
        return answer
    record, created = answer
    sequence = sequences.get(record.request.id, record.request.sequence)
    return replace(record, request=replace(record.request, sequence=sequence)), created


def claim(connection: Connection, limit: int, now: datetime, until: datetime) -> list[UpdateRequest]:
    """Lease what is pending, due and free; return it in the order of acceptance.

    With a request come those of the same repository that were put off: they must be judged together,
    or one that waits would be written over a newer one later.
    """
    free = (_PENDING, or_(request.c.leased_until.is_(None), request.c.leased_until <= now))
    due = or_(request.c.due_at.is_(None), request.c.due_at <= now)
    touched = select(request.c.repository).where(*free, due)
    chosen = (
        select(request.c.sequence)
        .where(*free, request.c.repository.in_(touched))
        .order_by(request.c.sequence)
        .limit(limit)
    )
    lease = update(request).where(request.c.sequence.in_(chosen)).values(leased_until=until)
    rows = connection.execute(lease.returning(request)).all()
    return sorted((to_request(row) for row in rows), key=lambda claimed: claimed.sequence)


def release_leases(connection: Connection) -> None:
    """Make everything pending claimable at once where it is due: whoever leased it is dead."""
    leased = request.c.leased_until.is_not(None)
    connection.execute(update(request).where(_PENDING, leased).values(leased_until=None))


def intend(connection: Connection, intents: Mapping[str, Sequence[Intent]]) -> None:
    """Note what is about to be pushed; an earlier note of the same commit is replaced, others stay."""
    rows = [
        {
            "request_id": request_id,
            "environment": note.outcome.environment,
            "branch": note.branch,
            "commit": note.commit,
            "outcome": to_document(note.outcome),
        }
        for request_id, notes in intents.items()
        for note in notes
    ]
    keys = [
        {"of_id": row["request_id"], "of_environment": row["environment"], "of_commit": row["commit"]}
        for row in rows
    ]
    _run(connection, _FORGET_ONE, keys)
    _run(connection, insert(intent), rows)


def settle(connection: Connection, outcomes: Mapping[str, Outcome], now: datetime) -> None:
    """Write what became of those of the requests that are still pending, and drop their notes."""
    pending = _pending(connection, outcomes)
    rows = [
        {
            "of_id": request_id,
            "kind": outcomes[request_id].kind.value,
            "outcome": to_document(outcomes[request_id]),
            "reason": "",
            "due_at": None,
            "leased_until": None,
            "settled_at": now,
        }
        for request_id in pending
    ]
    places = [
        {"environment": environment, "sequence": sequence}
        for request_id, sequence in pending.items()
        for environment in {settled.environment for settled in outcomes[request_id].environments}
    ]
    _run(connection, _SETTLE, rows)
    _run(connection, insert(settled_in), places)
    _run(connection, _FORGET, [{"of_id": request_id} for request_id in pending])


def defer(connection: Connection, deferrals: Mapping[str, Deferral]) -> None:
    """Give back those of the requests that are still pending, to be claimed again later.

    Their notes stay: a push that was cut off may still arrive.
    """
    pending = _pending(connection, deferrals)
    rows = [
        {
            "of_id": request_id,
            "reason": deferrals[request_id].reason,
            "due_at": deferrals[request_id].retry_at,
            "troubled_since": deferrals[request_id].troubled_since,
            "done": to_document(deferrals[request_id].done),
            "more": int(deferrals[request_id].counts_as_attempt),
        }
        for request_id in pending
    ]
    _run(connection, _DEFER, rows)


def _pending(connection: Connection, ids: Collection[str]) -> dict[str, int]:
    """Return the sequence numbers of those of `ids` that are not settled, by id, in order."""
    found: dict[str, int] = {}
    for some in chunks(ids):
        statement = select(request.c.id, request.c.sequence).where(request.c.id.in_(some), _PENDING)
        found.update((row.id, row.sequence) for row in connection.execute(statement))
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _run(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, object]]) -> None:
    """Execute `statement` once a row; SQLAlchemy takes an empty list for one row without values."""
    if rows:
        connection.execute(statement, rows)
