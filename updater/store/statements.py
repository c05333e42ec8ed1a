"""Statements for many rows at once.

Hides how many parameters a database takes. Called by `accepting`, `changes`, `notes` and `reads`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection, Executable

Id = TypeVar("Id")

# Fewer parameters than the smallest limit of a supported database (SQLite: 32,766).
_PARAMETERS = 1000


def chunks(ids: Collection[Id]) -> Iterator[Sequence[Id]]:
    """Cut `ids` into lists that fit into one statement."""
    rest = list(ids)
    for start in range(0, len(rest), _PARAMETERS):
        yield rest[start : start + _PARAMETERS]


def run(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, object]]) -> None:
    """Execute `statement` once a row; SQLAlchemy takes an empty list for one row without values."""
    if rows:
        connection.execute(statement, rows)
