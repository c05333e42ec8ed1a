"""Which errors of a database are an outage, and how that is said to people.

Hides the exceptions of SQLAlchemy and of the drivers below it. Called by the other files of the
package only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, DBAPIError, InternalError, OperationalError

from updater.errors import Unreachable


def is_outage(error: Exception) -> bool:
    """Say whether the database is at fault, not the statement or its values.

    By PEP 249: operational and internal errors; and the bare `DatabaseError`, which sqlite3 raises
    for a damaged file.
    """
    return isinstance(error, OperationalError | InternalError) or type(error) is DatabaseError


def unreachable(place: str, error: Exception) -> Unreachable:
    """Return what is told to whoever needed the database `place`."""
    problem = error.orig if isinstance(error, DBAPIError) else error
    outage = Unreachable(
        f"The database {place} does not answer: {problem}. Nothing was changed; try again later."
    )
    outage.__cause__ = error
    return outage


@contextmanager
def outages_of(place: str) -> Iterator[None]:
    """Raise `Unreachable` where the block runs into an outage."""
    try:
        yield
    except DBAPIError as error:
        if is_outage(error):
            raise unreachable(place, error) from error
        raise
