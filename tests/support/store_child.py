"""Programs that tests of the store run as processes of their own, to kill or to starve them."""

from __future__ import annotations

import os
import resource
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

from support.stores import wish

from updater.errors import Unreachable
from updater.store import Store


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


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
