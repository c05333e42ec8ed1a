"""When work is done: at once where something is due, else after a pause; and by whom a bug is met.

Hides waiting, backing off, and how one request that trips the updater is kept from the others.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from updater.configrepo import ConfigRepo
from updater.errors import TemporaryError, UpdaterError
from updater.messages import Messages
from updater.model import UpdateRequest
from updater.store import Store
from updater.worker.rounds import Habits, Rounds

log = logging.getLogger(__name__)

BATCH = 1000
# One worker owns the store (its lock says so), so a lease only bounds how long a request is left
# alone when settling it failed.
LEASE = timedelta(minutes=2)
LONGEST_PAUSE = 60.0
# So many requests at once are a crowd; it has come when nobody arrives for `QUIET` seconds.
CROWD = 16
QUIET = 0.02
LONGEST_CROWD = 1.0


class Worker:
    """The one owner of the config repo's mirror. `problems` tells, at any time, what is wrong with it."""

    def __init__(
        self,
        *,
        store: Store,
        repo: ConfigRepo,
        messages: Messages,
        clock: Callable[[], datetime],
        habits: Habits,
    ) -> None:
        self._store = store
        self._repo = repo
        self._clock = clock
        self._poll = habits.poll
        self._rounds = Rounds(
            store=store, repo=repo, messages=messages, clock=clock, habits=habits, tell=self._tell
        )
        self._looked_at: datetime | None = None
        self._suspects: set[str] = set()
        self._stop = threading.Event()
        self.problems: tuple[str, ...] = ()

    def run(self) -> None:
        """Work until `stop` is called; nothing that goes wrong ends it."""
        failures = 0
        while not self._stop.is_set():
            self._store.arrived.clear()
            try:
                if self.tick():
                    continue
                self._look_around()
                failures = 0
                pause = self._pause()
                # A stop may have come just before its signal was cleared above.
                if not self._stop.is_set():
                    self._store.arrived.wait(pause)
            except Exception as problem:
                failures += 1
                self._met(problem)
                self._stop.wait(min(LONGEST_PAUSE, 2.0 ** min(failures, 10)))

    @property
    def is_stopping(self) -> bool:
        """Whether the loop was asked to end."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask the loop, from any thread, to end after the round it is in."""
        self._stop.set()
        self._store.arrived.set()

    def tick(self) -> bool:
        """Do one round on everything that is due; say whether there was anything.

        Raises:
            Unreachable: the store is away.
        """
        requests = self._store.claim(BATCH, LEASE)
        if len(requests) >= CROWD:
            self._let_in_the_crowd()
            requests = [*requests, *self._store.claim(BATCH, LEASE)]
        ordinary = [one for one in requests if one.id not in self._suspects]
        if ordinary:
            self._together(ordinary, self._by_repository)
        for suspect in [one for one in requests if one.id in self._suspects]:
            self._alone(suspect)
        return bool(requests)

    def _let_in_the_crowd(self) -> None:
        """While requests pour in, leave the processor to those who accept them, but not for long.

        A bigger batch costs fewer pushes, and a caller who waits for 202 waits for nothing else.
        """
        for _ in range(round(LONGEST_CROWD / QUIET)):
            self._store.arrived.clear()
            if not self._store.arrived.wait(QUIET):
                return
            self._stop.wait(QUIET)

    def _together(
        self, requests: Sequence[UpdateRequest], otherwise: Callable[[Sequence[UpdateRequest]], None]
    ) -> None:
        try:
            self._rounds.carry_out(requests)
        except Exception:
            log.exception("%d requests met a bug; they are tried apart.", len(requests))
            otherwise([one for one in requests if self._is_pending(one)])

    def _by_repository(self, requests: Sequence[UpdateRequest]) -> None:
        """Try again by repository: requests for one image must be judged together, or old builds go out."""
        groups: dict[str, list[UpdateRequest]] = {}
        for request in requests:
            groups.setdefault(request.image.repository, []).append(request)
        for group in groups.values():
            self._together(group, self._one_by_one)

    def _one_by_one(self, requests: Sequence[UpdateRequest]) -> None:
        for request in requests:
            self._alone(request)

    def _alone(self, request: UpdateRequest) -> None:
        try:
            self._rounds.carry_out([request])
            self._suspects.discard(request.id)
        except Exception as problem:
            self._suspects.add(request.id)
            log.exception("Request %s met a bug.", request.id)
            words = str(problem) if isinstance(problem, UpdaterError) else "its log tells more."
            self._rounds.defer([request], TemporaryError(f"The updater met a bug in itself: {words}"))

    def _is_pending(self, request: UpdateRequest) -> bool:
        record = self._store.get(request.id)
        return record is not None and record.outcome is None

    def _look_around(self) -> None:
        """Between requests: notice broken or mended rules and a lost remote; keep the mirror tidy."""
        now = self._clock()
        if self._looked_at is not None and now - self._looked_at < self._poll:
            return
        self._looked_at = now
        try:
            self._rounds.refresh()
            self._repo.tidy()
        except UpdaterError as problem:
            self._tell((str(problem),))

    def _pause(self) -> float:
        due = self._store.next_due()
        pause = self._poll.total_seconds()
        return pause if due is None else max(0.0, min(pause, (due - self._clock()).total_seconds()))

    def _met(self, problem: Exception) -> None:
        if isinstance(problem, UpdaterError):
            self._tell((str(problem),))
        else:
            log.exception("The worker met a bug; it goes on after a pause.")

    def _tell(self, problems: tuple[str, ...]) -> None:
        """Take note of what is wrong just now; what was not wrong before goes to the log."""
        for problem in problems:
            if problem not in self.problems:
                log.warning("%s", problem)
        if self.problems and not problems:
            log.info("The config repo can be worked on again.")
        self.problems = problems
