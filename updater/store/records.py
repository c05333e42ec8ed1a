"""Looking at the requests: the half of the store that changes nothing.

Called through `inbox.Store` by the server, and by the command line while a server works on the same
database. Hides connections, and which errors of the database mean that it is away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from updater.errors import InvalidSettings, Unreachable
from updater.model import Record
from updater.store import notes, reads, schema, sqlite
from updater.store.outages import outages_of
from updater.store.values import Intent, Query

DEFAULT_PATIENCE = timedelta(seconds=5)


class Records:
    """All requests of the database in `directory`, for reading.

    It takes no lock, starts no thread and migrates nothing. Every method raises `Unreachable`
    where the database does not answer. `patience` is how long another process's lock is waited for.
    """

    def __init__(self, directory: Path, *, patience: timedelta = DEFAULT_PATIENCE) -> None:
        """Open the database.

        Raises:
            InvalidSettings: there is none, or another version made it.
        """
        self._path = directory / sqlite.DATABASE
        if not self._path.is_file():
            raise InvalidSettings(
                f"There is no database {self._path}: the server makes it when it starts with this directory."
            )
        self._closed = False
        self._reading = sqlite.reading_engine(self._path, patience)
        try:
            self._check_schema()
        except BaseException:
            self._reading.dispose()
            raise

    def _check_schema(self) -> None:
        with self._connection() as connection:
            if not schema.is_current(connection, str(self._path)):
                raise InvalidSettings(
                    f"The database {self._path} was made by another version of the updater: "
                    "use the version of the server, or start the server of this version once."
                )

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        if self._closed:
            raise Unreachable(f"The database {self._path} is closed: the updater is stopping.")
        with outages_of(str(self._path)), self._reading.begin() as connection:
            yield connection

    def get(self, request_id: str) -> Record | None:
        """Return the record with this id, or None."""
        with self._connection() as connection:
            return reads.by_id(connection, request_id)

    def find(self, query: Query) -> list[Record]:
        """Return the records that match, newest first.

        Raises:
            InvalidRequest: `query.before` is no request's id.
        """
        with self._connection() as connection:
            return reads.find(connection, query)

    def proposed(self, limit: int = 1000) -> list[Record]:
        """Return the records whose outcome rests on an open merge request anywhere, oldest first.

        Their kind may be another one, where another environment came to something else.
        """
        with self._connection() as connection:
            return reads.proposed(connection, limit)

    def counts(self) -> Mapping[str, int]:
        """Return how many requests are `pending` and how many ended in each outcome, zeros included."""
        with self._connection() as connection:
            return reads.counts(connection)

    def next_due(self) -> datetime | None:
        """Return when the next pending or held request may be claimed (perhaps in the past), or None."""
        with self._connection() as connection:
            return reads.next_due(connection)

    def intents(self, ids: Collection[str]) -> Mapping[str, tuple[Intent, ...]]:
        """Return the notes of those of `ids` that have some, by environment."""
        with self._connection() as connection:
            return notes.intents(connection, ids)

    def close(self) -> None:
        """Let go of the database; a second call does nothing."""
        self._closed = True
        self._reading.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
