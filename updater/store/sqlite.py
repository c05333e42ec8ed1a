"""Everything about SQLite as a file: where it lies, who may open it, how safely it writes.

The only file of the store that knows the dialect: another database gets a file beside this one.
Called by `inbox`.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event
from urllib.parse import quote

from sqlalchemy import Connection, Engine, NullPool, Pool, QueuePool, create_engine, event

from updater.errors import InvalidSettings
from updater.store.documents import dumps, loads

DATABASE = "updater.sqlite3"
LOCK = "updater.lock"
_WAL = "journal_mode=WAL"
_TRIES = 200


def create(directory: Path) -> Path:
    """Return the database file in `directory`; make both where they are missing, for this user only.

    Modes of what is there already are left alone: they are somebody's decision. SQLite gives its
    `-wal` and `-shm` files the mode of the database (https://sqlite.org/src/file/src/os_unix.c).

    Raises:
        InvalidSettings: the directory cannot be made or written.
    """
    path = directory / DATABASE
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise InvalidSettings(
            f"The database {path} cannot be opened for writing: {error.strerror}. "
            "Choose a directory that belongs to the user the updater runs as."
        ) from error
    return path


def writing_engine(path: Path, patience: timedelta) -> Engine:
    """Return an engine for one connection that writes; each commit is on disk when it returns.

    `synchronous=FULL` makes SQLite fsync its log at every commit (https://sqlite.org/pragma.html):
    an accepted request survives a power cut.
    """
    pragmas = (_WAL, "synchronous=FULL", "foreign_keys=ON")
    return _engine(path, "rw", patience, begin="BEGIN IMMEDIATE", pragmas=pragmas, pool=NullPool)


def reading_engine(path: Path, patience: timedelta) -> Engine:
    """Return an engine whose connections can only read, at the same time as others write."""
    return _engine(path, "ro", patience, begin="BEGIN", pragmas=(), pool=QueuePool)


def _engine(
    path: Path, mode: str, patience: timedelta, *, begin: str, pragmas: tuple[str, ...], pool: type[Pool]
) -> Engine:
    # Mode "rw", not "rwc": a database that has vanished is an error, not a new and empty one.
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"

    def connect() -> sqlite3.Connection:
        # isolation_level None: Python's sqlite3 begins no transactions of its own, so that the one
        # begun below is the only one (https://docs.sqlalchemy.org/dialects/sqlite.html, "pysqlite").
        connection = sqlite3.connect(
            uri, uri=True, timeout=patience.total_seconds(), isolation_level=None, check_same_thread=False
        )
        for pragma in pragmas:
            _set(connection, pragma, patience)
        return connection

    engine = create_engine(
        "sqlite://", creator=connect, poolclass=pool, json_serializer=dumps, json_deserializer=loads
    )

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "begin", start)
    return engine


def _set(connection: sqlite3.Connection, pragma: str, patience: timedelta) -> None:
    """Set a pragma; switching to the write-ahead log is tried until `patience` is over.

    SQLite does not wait for a lock then, it says at once that the database is busy
    (https://sqlite.org/wal.html, section 8): another process is opening a new one as well.
    """
    pause = Event()
    for _ in range(_TRIES if pragma == _WAL else 0):
        try:
            connection.execute(f"PRAGMA {pragma}")
        except sqlite3.OperationalError:
            pause.wait(patience.total_seconds() / _TRIES)
        else:
            return
    connection.execute(f"PRAGMA {pragma}")


class LockFile:
    """The file whose lock says that exactly one server works on the database beside it.

    The kernel gives the lock back when the process ends, however it ends (flock(2)); the file
    stays, and what is written in it only serves to name the process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object has the lock."""
        return self._file is not None

    def take(self) -> None:
        """Take the lock; a second call does nothing.

        Raises:
            InvalidSettings: another process has it; the message names that process.
        """
        if self.held:
            return
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(file, 200).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise InvalidSettings(
                f"Another updater works on the database in {self._path.parent} (process {owner}): "
                "only one may. Stop it, or give this one a directory of its own."
            ) from error
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()} on {os.uname().nodename}\n".encode())
        self._file = file

    def give_back(self) -> None:
        """Give the lock back where it is held."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    @contextmanager
    def during(self) -> Iterator[None]:
        """Hold the lock for a block; raises like `take`."""
        self.take()
        try:
            yield
        finally:
            self.give_back()
