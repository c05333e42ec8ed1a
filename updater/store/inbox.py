"""The durable inbox: what was accepted is on disk, is worked on by lease, and is settled once.

A held request is the exception: it is answered, and claimed again until it is settled. Hides
threads, transactions and SQL. `web` adds and waits, `worker` claims, intends, settles, follows and
defers, `wiring` opens and closes. It decides nothing about requests and never deletes one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import TypeVar

from sqlalchemy import Connection

from updater.errors import UpdaterError
from updater.model import Chosen, Outcome, OutcomeKind, Record, Request
from updater.store import accepting, changes, notes, schema, sqlite
from updater.store.outages import outages_of
from updater.store.records import DEFAULT_PATIENCE, Records
from updater.store.values import AnyWish, Deferral, Intent
from updater.store.waiting import Waiters
from updater.store.writer import Writer

Result = TypeVar("Result")


class Store(Records):
    """The requests of one server, on SQLite in `directory`.

    Made in the process that uses it, after any fork: it has a thread. All methods may be called
    from any thread and raise `Unreachable` where the database does not answer; nothing has changed
    then, and a later call works again when the fault is gone.

    `arrived` is set whenever a new request is on disk; the worker clears it before it claims.
    """

    def __init__(
        self, directory: Path, *, clock: Callable[[], datetime], patience: timedelta = DEFAULT_PATIENCE
    ) -> None:
        """Open the database, make it where there is none, migrate it where it is behind.

        Raises:
            InvalidSettings: the directory cannot be used, the database is not the updater's or of a
                later version, or it is behind and another server works on it.
        """
        path = sqlite.create(directory)
        self._lock = sqlite.LockFile(directory / sqlite.LOCK)
        self._clock = clock
        self._waiters = Waiters()
        self.arrived = Event()
        writing = sqlite.writing_engine(path, patience)
        with outages_of(str(path)):
            schema.bring_up_to_date(writing, str(path), self._lock.during)
        super().__init__(directory, patience=patience)
        self._writer = Writer(writing, str(path))

    @staticmethod
    def reading(directory: Path) -> Records:
        """Open the database for looking only, beside a server or without one; see `Records`."""
        return Records(directory)

    def lock(self) -> None:
        """Become the one server that works on this database; free what a dead one had leased.

        The lock lasts until `close` or the end of the process.

        Raises:
            InvalidSettings: another process is that server; it is named.
        """
        self._lock.take()
        self._write(changes.release_leases)

    def add(self, wish: AnyWish, *, key: str | None = None) -> tuple[Record, bool]:
        """Accept a wish; return its record and whether it is new, once it is on disk.

        The same wish with the same `key` (an Idempotency-Key) by the same caller is the same
        request, whose record is returned as it stands now.

        Raises:
            KeyReused: the caller used the key for a different wish.
            InvalidRequest: a text in it is no Unicode that can be stored.
        """
        addition = accepting.addition(wish, key, self._clock())
        record, created = self._writer.write(accepting.add, addition)
        if created:
            self.arrived.set()
        return record, created

    def claim(self, limit: int, lease: timedelta, *, hurry: bool = False) -> list[Request]:
        """Take up to `limit` requests that are pending or held, and due, in the order of acceptance.

        With one come those of the same repository that were put off or are held, so that they are
        judged together; what is no update counts as one repository. With `hurry` all that is held is due: a
        hint came that something may have changed. Where there are more, what is due and new comes before
        what is held, and both before what only comes along.

        Nobody else gets them until they are settled, deferred, or `lease` is over.
        """
        now = self._clock()
        change = partial(changes.claim, limit=limit, now=now, until=now + lease, hurry=hurry)
        return self._write(change)

    def intend(self, intents: Mapping[str, Sequence[Intent]]) -> None:
        """Note, by request id, what is about to be pushed; it is on disk when this returns.

        Notes of one request add up, whatever their commits, until it is settled.
        """
        self._write(partial(notes.intend, intents=intents))

    def choose(self, chosen: Mapping[str, tuple[Chosen, ...]]) -> None:
        """Note, by request id, what a promotion takes along or a rollback back, on disk when this returns.

        What was chosen first stays, and what is settled for good is left alone.
        """
        self._write(partial(changes.choose, chosen=chosen))

    def settle(self, outcomes: Mapping[str, Outcome], *, again: Mapping[str, datetime] | None = None) -> None:
        """Write what became of requests, all or none, and wake who waits for them.

        A request in `again` shows its outcome and may be claimed again from then on, to decide once
        more in the environments where it is held; the others are in its `done`. Any other is settled
        for good: a second outcome for it is ignored.

        Raises:
            ValueError: an outcome is held and nobody says until when.
        """
        again = again or {}
        for request_id, outcome in outcomes.items():
            if outcome.kind is OutcomeKind.HELD and request_id not in again:
                raise ValueError(f"Request {request_id} is held, and its next time is not given.")
        self._write(partial(changes.settle, outcomes=outcomes, again=again, now=self._clock()))
        self._waiters.wake(outcomes)

    def progress(self, outcomes: Mapping[str, Outcome]) -> None:
        """Replace the outcomes of requests that rest on an open merge request, all or none.

        Others are left alone. When a request was settled stays as it was.
        """
        self._write(partial(changes.progress, outcomes=outcomes))
        self._waiters.wake(outcomes)

    def defer(self, deferrals: Mapping[str, Deferral]) -> None:
        """Give pending or held requests back, to be claimed again when their time comes.

        One that is held still shows its outcome. What is settled for good is left alone.
        """
        self._write(partial(changes.defer, deferrals=deferrals))

    def wait(self, request_id: str, timeout: float) -> Record | None:
        """Return the record once it is settled or held, or as it is after `timeout` seconds; None if unknown.

        What is settled for good may still change where it rests on an open merge request.
        """
        with self._waiters.expecting(request_id) as settled:
            record = self.get(request_id)
            if record is None or record.outcome is not None or not settled.wait(timeout) or self._closed:
                return record
            return self.get(request_id)

    def check(self) -> None:
        """Find out whether requests can be stored now, by writing something to the disk."""
        self._write(schema.touch)

    def _write(self, change: Callable[[Connection], Result]) -> Result:
        def alone(connection: Connection, items: Sequence[None]) -> list[Result | UpdaterError]:
            return [change(connection) for _ in items]

        return self._writer.write(alone, None)

    def dismiss(self) -> None:
        """Wake all who wait, now and later: this process settles nothing more."""
        self._waiters.close()

    def close(self) -> None:
        """Finish what was handed in, wake who waits, give the lock back; a second call does nothing."""
        super().close()
        self._waiters.close()
        # Last of all: the connection that can write is the one that tidies the log away.
        self._writer.close()
        self._lock.give_back()
