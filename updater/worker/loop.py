"""When work is done: at once where something is due, else after a pause; and by whom a bug is met.

Hides waiting, backing off, and how one request that trips the updater is kept from the others.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from updater.errors import TemporaryError, UpdaterError
from updater.model import Request, UpdateRequest
from updater.worker.accounts import Accounts
from updater.worker.desk import Desk
from updater.worker.questions import Questions
from updater.worker.rounds import Doors, Rounds
from updater.worker.settling import Habits, is_undecided
from updater.worker.tending import Tending

Answer = TypeVar("Answer")

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
# Hints come in crowds, often because of what the updater itself just did.
HINTED = timedelta(seconds=2)
# Seconds that a question from another thread waits for its answer: a round may be under way.
PATIENCE = 30.0


class Worker:
    """The one owner of the config repo's mirror. `problems` tells, at any time, what is wrong with it.

    `desk` and `accounts` are for whoever owns the worker's thread; others have things done by `ask`.
    """

    def __init__(self, doors: Doors, habits: Habits) -> None:
        self._store = doors.store
        self._repo = doors.repo
        self._clock = doors.clock
        self._poll = habits.poll
        self._rounds = Rounds(doors, habits, self._tell)
        self._tending = Tending(doors, habits, self._rounds)
        self.desk = Desk(doors, self._rounds, self._tending)
        self.accounts = Accounts(doors, self._rounds)
        self._questions = Questions(self._store.arrived.set)
        self._hinted = threading.Event()
        self._looked_at: datetime | None = None
        self._suspects: set[str] = set()
        self._stop = threading.Event()
        self._is_in_a_hurry = False
        self._repo_problems: tuple[str, ...] = ()
        self._forge_problems: tuple[str, ...] = ()
        self.problems: tuple[str, ...] = ()

    def run(self) -> None:
        """Work until `stop` is called; nothing that goes wrong ends it."""
        try:
            self._work()
        finally:
            self._questions.end()

    def _work(self) -> None:
        failures = 0
        while not self._stop.is_set():
            self._store.arrived.clear()
            try:
                self._questions.answer()
                is_busy = self.tick()
                self.look_around()
                failures = 0
                if is_busy or self._is_in_a_hurry:
                    continue
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
        self._questions.end()
        self._store.arrived.set()

    def ask(self, question: Callable[[], Answer], patience: float = PATIENCE) -> Answer:
        """Have something done by the worker's thread, from another one, and return what came of it.

        Raises:
            Unreachable: the worker is stopping, or had no time for it within `patience` seconds; whether
                it was done is not known then.
        """
        return self._questions.ask(question, patience)

    def hint(self) -> None:
        """Say, from any thread, that something may have changed in Git or on the forge: look soon."""
        self._hinted.set()
        self._store.arrived.set()

    def tick(self) -> bool:
        """Do one round on everything that is due; say whether there was anything.

        What is held comes along and is held again: that alone is nothing, for it is due later then.

        Raises:
            Unreachable: the store is away.
        """
        hurry, self._is_in_a_hurry = self._is_in_a_hurry, False
        requests = self._store.claim(BATCH, LEASE, hurry=hurry)
        if len(requests) >= CROWD:
            self._let_in_the_crowd()
            requests = [*requests, *self._store.claim(BATCH, LEASE)]
        ordinary = [one for one in requests if one.id not in self._suspects]
        if ordinary:
            self._together(ordinary, self._by_repository)
        for suspect in [one for one in requests if one.id in self._suspects]:
            self._alone(suspect)
        if self._rounds.rolled_back:
            self._rounds.rolled_back = False
            self._hinted.set()
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

    def _together(self, requests: Sequence[Request], otherwise: Callable[[Sequence[Request]], None]) -> None:
        try:
            self._rounds.carry_out(requests)
        except Exception:
            log.exception("%d requests met a bug; they are tried apart.", len(requests))
            otherwise([one for one in requests if self._is_pending(one)])

    def _by_repository(self, requests: Sequence[Request]) -> None:
        """Try again by repository: requests for one image must be judged together, or old builds go out."""
        groups: dict[str, list[Request]] = {}
        for request in requests:
            repository = request.image.repository if isinstance(request, UpdateRequest) else ""
            groups.setdefault(repository, []).append(request)
        for group in groups.values():
            self._together(group, self._one_by_one)

    def _one_by_one(self, requests: Sequence[Request]) -> None:
        for request in requests:
            self._alone(request)

    def _alone(self, request: Request) -> None:
        try:
            self._rounds.carry_out([request])
            self._suspects.discard(request.id)
        except Exception as problem:
            self._suspects.add(request.id)
            log.exception("Request %s met a bug.", request.id)
            words = str(problem) if isinstance(problem, UpdaterError) else "its log tells more."
            self._rounds.defer([request], TemporaryError(f"The updater met a bug in itself: {words}"))

    def _is_pending(self, request: Request) -> bool:
        record = self._store.get(request.id)
        return record is not None and is_undecided(record)

    def look_around(self) -> None:
        """When it is time, or a hint came: look at the config repo and tend to its merge requests."""
        now = self._clock()
        if self._looked_at is not None and now - self._looked_at < self._interval():
            return
        self._looked_at = now
        # What is held may go out now; whoever hinted expects it at once.
        self._is_in_a_hurry = self._hinted.is_set()
        self._hinted.clear()
        try:
            sight = self._rounds.refresh()
        except UpdaterError as problem:
            self._tell((str(problem),))
            return
        try:
            self._tending.tend(sight)
            self._tell_of_forge(self._tending.problems)
            if self._tending.is_under_way:
                self._hinted.set()
        except UpdaterError as problem:
            self._tell_of_forge((*self._tending.problems, str(problem)))
        self._repo.tidy()

    def _interval(self) -> timedelta:
        usual = min(HINTED, self._poll) if self._hinted.is_set() else self._poll
        return max(usual, self._tending.rest)

    def _pause(self) -> float:
        """Return how many seconds there is nothing to do, as far as is known."""
        now = self._clock()
        moments = [(self._looked_at or now) + self._interval(), now + self._poll]
        due = self._store.next_due()
        if due is not None:
            moments.append(due)
        return max(0.0, (min(moments) - now).total_seconds())

    def _met(self, problem: Exception) -> None:
        if isinstance(problem, UpdaterError):
            self._tell((str(problem),))
        else:
            log.exception("The worker met a bug; it goes on after a pause.")

    def _tell(self, problems: tuple[str, ...]) -> None:
        """Take note of what is wrong with the config repo just now."""
        self._take_note(problems, self._forge_problems)

    def _tell_of_forge(self, problems: tuple[str, ...]) -> None:
        """Take note of what is wrong with the forge just now."""
        self._take_note(self._repo_problems, problems)

    def _take_note(self, repo: tuple[str, ...], forge: tuple[str, ...]) -> None:
        """Keep what is wrong; what was not wrong before goes to the log."""
        problems = tuple(dict.fromkeys((*repo, *forge)))
        for problem in problems:
            if problem not in self.problems:
                log.warning("%s", problem)
        if self.problems and not problems:
            log.info("The config repo can be worked on again.")
        self._repo_problems, self._forge_problems, self.problems = repo, forge, problems
