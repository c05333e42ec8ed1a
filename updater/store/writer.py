"""Group commit: one thread makes all changes, and changes that wait together share one commit.

A commit costs one fsync however many changes it carries; with one thread that writes there is
nobody to wait for but other processes. Hides the thread, its connection and its recovery from
errors. Called by `inbox`; knows no table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from updater.errors import Unreachable, UpdaterError
from updater.store.outages import is_outage, unreachable

Item = TypeVar("Item")
Result = TypeVar("Result")

# Bounds the time the first change of a commit waits for the last; far above what arrives in one fsync.
_MOST_TOGETHER = 1000

# What is done in a transaction: one result an item. A result that is an `UpdaterError` is raised at
# whoever asked for that item, and the change has done nothing for it.
Change = Callable[[Connection, Sequence[Item]], Sequence[Result | UpdaterError]]


@dataclass(frozen=True, slots=True)
class _Job:
    """One item of a change and the promise of its result, which is kept after the commit."""

    change: Change[Any, Any]
    item: Any
    promise: Future[Any] = field(default_factory=Future)

    def keep(self, result: Any) -> None:
        """Hand over the result, which is on disk by now."""
        if isinstance(result, UpdaterError):
            self.promise.set_exception(result)
        else:
            self.promise.set_result(result)


class Writer:
    """The thread that writes. `place` names the database for people."""

    def __init__(self, engine: Engine, place: str) -> None:
        self._engine = engine
        self._place = place
        self._connection: Connection | None = None
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._gate = Lock()
        self._closed = False
        self._thread = Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, change: Change[Item, Result], item: Item) -> Result:
        """Make a change for one item and return its result once that is on disk.

        Items that wait together for the same `change` are handed to it in one call. It may be called
        more than once for an item, each time on a database without that change.

        Raises:
            Unreachable: the database cannot be written just now, or the store is closed.
        """
        job = _Job(change, item)
        with self._gate:
            if self._closed:
                raise Unreachable(f"The database {self._place} is closed: the updater is stopping.")
            self._jobs.put(job)
        result: Result = job.promise.result()
        return result

    def close(self) -> None:
        """Finish what was handed in and stop; a second call does nothing."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()
        self._engine.dispose()

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            self._commit([first], joinable=True)
        self._hang_up()

    def _commit(self, batch: list[_Job], *, joinable: bool) -> None:
        """Make all changes of `batch` and, where it is `joinable`, of those who wait behind it."""
        try:
            connection = self._connect()
            with connection.begin():
                if joinable:
                    # After the begin: what came while another process held the lock rides along.
                    self._collect(batch)
                results = _make(connection, batch)
        except Exception as error:
            self._recover(batch, error)
        else:
            for job, result in zip(batch, results, strict=True):
                job.keep(result)

    def _collect(self, batch: list[_Job]) -> None:
        with suppress(Empty):
            while len(batch) < _MOST_TOGETHER:
                job = self._jobs.get_nowait()
                if job is None:
                    self._jobs.put(None)
                    return
                batch.append(job)

    def _recover(self, batch: list[_Job], error: Exception) -> None:
        """Answer everybody after a transaction that failed; the next one gets a new connection."""
        self._hang_up()
        if is_outage(error):
            for job in batch:
                job.promise.set_exception(unreachable(self._place, error))
        elif len(batch) == 1:
            batch[0].promise.set_exception(error)
        else:
            # One of them broke a constraint or is a bug: each on its own, so that only that one fails.
            for job in batch:
                self._commit([job], joinable=False)

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):
                connection.close()


def _make(connection: Connection, batch: Sequence[_Job]) -> list[Any]:
    """Make all changes in order and return a result for each job."""
    results: list[Any] = []
    for change, jobs in groupby(batch, key=attrgetter("change")):
        results += change(connection, [job.item for job in jobs])
    return results
