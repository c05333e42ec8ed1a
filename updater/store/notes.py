"""The notes made before a push: kept until it is certain what became of it.

Hides the table of notes. Called by `inbox`, `records` and `changes`; begins and ends no transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select

from updater.model import EnvironmentOutcome
from updater.store.documents import from_document, to_document
from updater.store.statements import chunks, run
from updater.store.tables import intent
from updater.store.values import Intent

# Built once: SQLAlchemy finds the compiled form of a statement it has seen faster than of a new one.
_FORGET_ALL = delete(intent).where(intent.c.request_id == bindparam("of_id"))
_FORGET_THERE = _FORGET_ALL.where(intent.c.environment == bindparam("of_environment"))
_FORGET_ONE = _FORGET_THERE.where(intent.c.commit == bindparam("of_commit"))


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
    run(connection, _FORGET_ONE, keys)
    run(connection, insert(intent), rows)


def forget(connection: Connection, ids: Collection[str]) -> None:
    """Drop all notes of these requests."""
    run(connection, _FORGET_ALL, [{"of_id": request_id} for request_id in ids])


def forget_there(connection: Connection, environments: Mapping[str, Collection[str]]) -> None:
    """Drop the notes of requests, by id, that are about these environments."""
    keys = [
        {"of_id": request_id, "of_environment": environment}
        for request_id, settled in environments.items()
        for environment in settled
    ]
    run(connection, _FORGET_THERE, keys)


def intents(connection: Connection, ids: Collection[str]) -> dict[str, tuple[Intent, ...]]:
    """Return the notes of those of `ids` that have some, by environment."""
    found: dict[str, tuple[Intent, ...]] = {}
    for some in chunks(ids):
        statement = select(intent).where(intent.c.request_id.in_(some)).order_by(intent.c.environment)
        for row in connection.execute(statement):
            note = Intent(row.branch, row.commit, from_document(EnvironmentOutcome, row.outcome))
            found[row.request_id] = (*found.get(row.request_id, ()), note)
    return found
