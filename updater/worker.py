"""The loop: claim, plan, commit, push, settle. If the branch moved, it plans again.

It hides the order of effects that makes a kill at any moment harmless: commits are made where
nobody can see them, noted in the store, pushed, then settled; after a kill the note and the branch
tell what landed. `wiring` runs it in its own thread, the only one that touches the config repo. It
decides nothing: `plan` does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from updater.charts import Survey
from updater.configrepo import ConfigRepo, Pushed
from updater.configrepo import Draft as CommitDraft
from updater.errors import InvalidConfigRepo, PushForbidden, PushRejected, TemporaryError, UpdaterError
from updater.messages import Messages, whole
from updater.model import EnvironmentOutcome, OutcomeKind, UpdateRequest
from updater.plan import Plan, Reason, Verdict, plan
from updater.sight import Sight, look
from updater.store import Deferral, Intent, Store

log = logging.getLogger(__name__)

BATCH = 1000
# One worker owns the store (its lock says so), so a lease only bounds how long a request is left
# alone when settling it failed.
LEASE = timedelta(minutes=2)
REPLANS = 5
LONGEST_PAUSE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How patient the worker is, and how it links to a commit (`link` returns "" where it cannot)."""

    give_up_after: timedelta
    poll: timedelta
    link: Callable[[str], str]


# What became of a branch's push: the server's refusal, or None where it moved (plan again).
_Landing = PushForbidden | str | None


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
        self._messages = messages
        self._clock = clock
        self._habits = habits
        self._surveys: dict[str, Survey] = {}
        self._fetched_at: datetime | None = None
        self._current = False  # whether the mirror was fetched during this tick
        self._stop = threading.Event()
        self.problems: tuple[str, ...] = ()

    # The loop

    def run(self) -> None:
        """Work until `stop` is called; nothing that goes wrong ends it."""
        while not self._stop.is_set():
            self._store.arrived.clear()
            try:
                busy = self.tick()
                if not busy:
                    self._look_around()
            except Exception:
                log.exception("The worker met a bug; it goes on with the next round.")
                busy = False
            if not busy and not self._stop.is_set():
                self._store.arrived.wait(self._pause())

    def stop(self) -> None:
        """Ask the loop to end after the round it is in."""
        self._stop.set()
        self._store.arrived.set()

    def _pause(self) -> float:
        due = self._store.next_due()
        pause = self._habits.poll.total_seconds()
        return pause if due is None else max(0.0, min(pause, (due - self._clock()).total_seconds()))

    def _look_around(self) -> None:
        """Between requests: notice broken or mended rules and a lost remote; keep the mirror tidy."""
        if self._fetched_at and self._clock() - self._fetched_at < self._habits.poll:
            return
        try:
            self._fetch()
            self._look().warm()
            self._repo.tidy()
        except UpdaterError as problem:
            self._fetched_at = self._clock()
            self._trouble(problem)

    def tick(self) -> bool:
        """Do one round on everything that is due; say whether there was anything."""
        requests = self._store.claim(BATCH, LEASE)
        if not requests:
            return False
        self._current = False
        try:
            self._round(requests)
        except Exception:
            # A bug: find out which request it is in, so that the others are served.
            log.exception("A batch of %d requests met a bug; each is tried by itself.", len(requests))
            for request in requests:
                self._alone(request)
        return True

    def _alone(self, request: UpdateRequest) -> None:
        record = self._store.get(request.id)
        if record is None or record.outcome is not None:
            return
        try:
            self._round([request])
        except Exception:
            log.exception("Request %s met a bug.", request.id)
            self._defer([request], TemporaryError("The updater met a bug in itself; its log tells more."))

    def _round(self, requests: Sequence[UpdateRequest]) -> None:
        try:
            pending = self._recover(requests)
            for _ in range(REPLANS):
                if not pending:
                    return
                pending = self._attempt(pending)
            self._defer(pending, PushRejected(f"The branch moved {REPLANS} times while this was planned."))
        except UpdaterError as problem:
            self._trouble(problem)
            unsettled = [one for one in requests if not self._is_settled(one)]
            self._defer(unsettled, problem)

    def _is_settled(self, request: UpdateRequest) -> bool:
        record = self._store.get(request.id)
        return record is None or record.outcome is not None

    # Looking

    def _fetch(self) -> None:
        self._repo.fetch()
        self._fetched_at = self._clock()
        self._current = True

    def _look(self) -> Sight:
        if self._fetched_at is None or (self.problems and not self._current):
            self._fetch()
        sight = look(self._repo, self._surveys)
        self.problems = sight.problems
        return sight

    def _trouble(self, problem: UpdaterError) -> None:
        if not isinstance(problem, PushRejected) and self.problems != (str(problem),):
            log.warning("%s", problem)
            self.problems = (str(problem),)

    # Writing

    def _recover(self, requests: Sequence[UpdateRequest]) -> list[UpdateRequest]:
        """Find out what landed before a kill or a broken connection, by the notes made before pushing."""
        noted = self._store.intents([request.id for request in requests])
        if not noted:
            return list(requests)
        self._fetch()
        return [self._with_landed(request, noted.get(request.id, ())) for request in requests]

    def _with_landed(self, request: UpdateRequest, intents: Iterable[Intent]) -> UpdateRequest:
        done = {outcome.environment: outcome for outcome in request.done}
        for intent in intents:
            if self._repo.contains(intent.branch, intent.commit):
                done[intent.outcome.environment] = intent.outcome
        return replace(request, done=tuple(done.values()))

    def _attempt(self, pending: Sequence[UpdateRequest]) -> list[UpdateRequest]:
        """Plan and carry out once; return the requests that must be planned again."""
        sight = self._look()
        planned = plan(sight.rules, sight.grounds, pending)
        if planned.changes:
            landed = self._write(sight, planned)
        elif self._is_current(sight):
            landed = {}
        else:
            return list(pending)
        return self._settle(pending, planned, landed)

    def _is_current(self, sight: Sight) -> bool:
        """Say whether what was planned on is still so; a push would say it, here nothing is pushed."""
        if self._current:
            return True
        self._fetch()
        return all(self._stands(branch, tip) for branch, tip in sight.tips.items())

    def _stands(self, branch: str, tip: str) -> bool:
        try:
            return self._repo.snapshot(branch).commit == tip
        except InvalidConfigRepo:
            return False

    def _write(self, sight: Sight, planned: Plan) -> dict[int, _Landing]:
        """Commit, note and push all changes; return what became of each by its index."""
        commits: dict[int, str] = {}
        updates: dict[str, tuple[str, str]] = {}
        for branch in dict.fromkeys(change.branch for change in planned.changes):
            mine = [index for index, change in enumerate(planned.changes) if change.branch == branch]
            ids = self._repo.commit(sight.snapshots[branch], [self._draft(planned, index) for index in mine])
            commits.update(zip(mine, ids, strict=True))
            updates[branch] = (sight.snapshots[branch].commit, ids[-1])
        self._store.intend(self._intents(planned, commits))
        guards = {branch: tip for branch, tip in sight.tips.items() if branch not in updates}
        results = self._repo.push(updates, guards=guards)
        landed: dict[int, _Landing] = {}
        for index, commit in commits.items():
            result = results[planned.changes[index].branch]
            landed[index] = (
                result if isinstance(result, PushForbidden) else None if result is Pushed.MOVED else commit
            )
        if None in landed.values():
            self._fetch()
        return landed

    def _draft(self, planned: Plan, index: int) -> CommitDraft:
        change = planned.changes[index]
        return CommitDraft(
            files=change.files, message=self._messages.commit(change), author_time=self._clock()
        )

    def _intents(self, planned: Plan, commits: Mapping[int, str]) -> dict[str, list[Intent]]:
        intents: dict[str, list[Intent]] = {}
        for verdict in planned.verdicts:
            if verdict.change is not None and verdict.kind is OutcomeKind.COMMITTED:
                commit = commits[verdict.change]
                branch = planned.changes[verdict.change].branch
                outcome = self._outcome(verdict, commit)
                intents.setdefault(verdict.request.id, []).append(Intent(branch, commit, outcome))
        return intents

    def _outcome(self, verdict: Verdict, landed: _Landing) -> EnvironmentOutcome:
        if isinstance(landed, PushForbidden) and verdict.kind is OutcomeKind.COMMITTED:
            words = Reason("push-forbidden", {"environment": verdict.environment, "words": str(landed)})
            verdict = replace(verdict, kind=OutcomeKind.FAILED, reason=words, places=(), notes=())
        commit = landed if isinstance(landed, str) else ""
        return self._messages.outcome(
            verdict, commit=commit, link=self._habits.link(commit) if commit else ""
        )

    # Settling

    def _settle(
        self, pending: Sequence[UpdateRequest], planned: Plan, landed: Mapping[int, _Landing]
    ) -> list[UpdateRequest]:
        """Settle what is certain; return what must be planned again because its branch moved."""
        found: dict[str, list[EnvironmentOutcome]] = {request.id: list(request.done) for request in pending}
        moved: set[str] = set()
        for verdict in planned.verdicts:
            state = landed[verdict.change] if verdict.change is not None else ""
            if state is None:
                moved.add(verdict.request.id)
            else:
                found[verdict.request.id].append(self._outcome(verdict, state))
        settled = {
            one.id: whole(found[one.id])
            for one in pending
            if one.id not in moved and one.id not in planned.waiting
        }
        self._store.settle(settled)
        for request_id, outcome in settled.items():
            log.info("Request %s is %s: %s", request_id, outcome.kind, outcome.reason)
        progressed = [replace(one, done=tuple(found[one.id])) for one in pending if one.id not in settled]
        for request in progressed:
            if request.id not in moved:
                self._defer([request], InvalidConfigRepo(planned.waiting[request.id]))
        return [request for request in progressed if request.id in moved]

    def _defer(self, requests: Sequence[UpdateRequest], problem: UpdaterError) -> None:
        """Put requests off with the reason, or give up those that failed for too long."""
        now = self._clock()
        hopeless = {
            one.id
            for one in requests
            if isinstance(problem, TemporaryError) and now - one.received_at >= self._habits.give_up_after
        }
        self._store.settle(
            {
                one.id: whole([*one.done, self._gave_up(one, problem)])
                for one in requests
                if one.id in hopeless
            }
        )
        self._store.defer(
            {
                one.id: Deferral(
                    reason=str(problem),
                    retry_at=now + self._wait(one, problem),
                    done=one.done,
                    # A push that was cut off may have arrived all the same: keep the notes of it.
                    keeps_intents=isinstance(problem, TemporaryError),
                )
                for one in requests
                if one.id not in hopeless
            }
        )

    def _wait(self, request: UpdateRequest, problem: UpdaterError) -> timedelta:
        if isinstance(problem, InvalidConfigRepo):
            return self._habits.poll  # it heals when the branch is mended, which the next look finds
        record = self._store.get(request.id)
        return timedelta(seconds=min(LONGEST_PAUSE, 2.0 ** min(record.attempts if record else 0, 10)))

    def _gave_up(self, request: UpdateRequest, problem: UpdaterError) -> EnvironmentOutcome:
        hours = round(self._habits.give_up_after.total_seconds() / 3600, 1)
        reason = Reason("gave-up", {"hours": f"{hours:g}", "last": str(problem)})
        return self._messages.outcome(
            Verdict(
                request=request, environment=request.environment or "", kind=OutcomeKind.FAILED, reason=reason
            )
        )
