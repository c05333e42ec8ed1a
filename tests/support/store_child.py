"""Programs that tests of the store run as processes of their own, to kill or to starve them."""

from __future__ import annotations

import os
import resource
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

from support.stores import outcome_of, promotion, wish

from updater.errors import Unreachable
from updater.model import OutcomeKind
from updater.store import Store, schema, sqlite


def _open(folder: str) -> Store:
    return Store(Path(folder), clock=lambda: datetime.now(UTC))


def _say(text: str) -> None:
    # One write(2) a line: what the parent has read was said whole.
    os.write(1, f"{text}\n".encode())


def add_for_ever(folder: str) -> None:
    """Add from 8 threads and print the id of each request after it was accepted."""
    store = _open(folder)
    store.lock()

    def work(thread: int) -> None:
        number = 0
        while True:
            number += 1
            key = f"{os.getpid()}-{thread}-{number}"
            _say(store.add(wish(), key=key)[0].request.id)

    for thread in range(8):
        Thread(target=work, args=(thread,)).start()


def hold_lock(folder: str) -> None:
    """Take the lock, lease everything, say so, and stay until killed."""
    store = _open(folder)
    store.lock()
    store.add(wish())
    claimed = store.claim(100, timedelta(hours=1))
    _say(f"{len(claimed)} claimed")
    Event().wait()


def run_out_of_disk(folder: str) -> None:
    """Add before, while and after the file size is limited; print what happened."""
    store = _open(folder)
    store.add(wish("before"))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The write-ahead log may not grow any more; EFBIG is to SQLite what ENOSPC is.
    size = (Path(folder) / "updater.sqlite3-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    for attempt in (lambda: store.add(wish("while" * 20)), store.check):
        try:
            attempt()
        except Unreachable as error:
            _say(str(error))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    store.add(wish("after"))
    store.close()


def say_whether_alembic_is_loaded(folder: str) -> None:
    """Open and close a store and print whether that took alembic."""
    _open(folder).close()
    _say(str("alembic" in sys.modules))


def stay_in_the_migration(folder: str) -> None:
    """Migrate, say so, and stay before the commit until killed."""
    engine = sqlite.writing_engine(Path(folder) / sqlite.DATABASE, timedelta(minutes=1))
    with engine.begin() as connection:
        # A cache of one page: what is changed goes to the log before it is committed.
        connection.exec_driver_sql("PRAGMA cache_size = 1")
        schema._migrate(connection, folder)
        _say("migrated")
        Event().wait()


def settle_for_ever(folder: str) -> None:
    """Hold, propose and land one request over and over; print what was acknowledged."""
    store = _open(folder)
    store.lock()
    while True:
        request_id = store.add(promotion("iris"))[0].request.id
        store.claim(100, timedelta(hours=1))
        held = outcome_of({"prod": OutcomeKind.HELD})
        store.settle({request_id: held}, again={request_id: datetime.now(UTC)})
        _say(f"{request_id} held")
        store.claim(100, timedelta(hours=1))
        store.settle({request_id: outcome_of({"prod": OutcomeKind.PROPOSED})})
        _say(f"{request_id} proposed")
        store.progress({request_id: outcome_of({"prod": OutcomeKind.COMMITTED})})
        _say(f"{request_id} committed")


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
