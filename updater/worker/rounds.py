"""One round: look, plan, commit, note, push, settle; again where a branch moved meanwhile.

Hides the order of these effects and what each failure means for the requests in hand.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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

REPLANS = 5
LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How patient the worker is, and how it links to a commit (`link` returns "" where it cannot)."""

    give_up_after: timedelta
    poll: timedelta
    link: Callable[[str], str]


# What became of a change: its commit, the server's refusal, or None where the branch moved.
_Landing = PushForbidden | str | None


class Rounds:
    """Carries out rounds; `tell` is told what is wrong with the config repo each time it is looked at."""

    def __init__(
        self,
        *,
        store: Store,
        repo: ConfigRepo,
        messages: Messages,
        clock: Callable[[], datetime],
        habits: Habits,
        tell: Callable[[tuple[str, ...]], None],
    ) -> None:
        self._store = store
        self._repo = repo
        self._messages = messages
        self._clock = clock
        self._habits = habits
        self._tell = tell
        self._surveys: dict[str, Survey] = {}
        self._is_troubled = True  # nothing was seen yet
        self._is_current = False  # whether the mirror was fetched during this round

    def refresh(self) -> None:
        """Fetch and look, so that the next round finds everything indexed.

        Raises:
            UpdaterError: the remote is away, or the rules cannot be read.
        """
        self._fetch()
        self._look().warm()

    def carry_out(self, requests: Sequence[UpdateRequest]) -> None:
        """Settle what can be settled and put off the rest; whatever else is raised is a bug."""
        self._is_current = False
        pending = list(requests)
        try:
            pending = self._with_landed(pending)
            for _ in range(REPLANS):
                if not pending:
                    return
                pending, failed = self._attempt(pending)
                pending = self._with_landed(pending, but=failed)
            self.defer(pending, PushRejected(f"The branch moved {REPLANS} times while this was planned."))
        except (InvalidConfigRepo, TemporaryError) as problem:
            self._is_troubled = True
            self._tell((str(problem),))
            self.defer(pending, problem)

    # Looking

    def _fetch(self) -> None:
        self._repo.fetch()
        self._is_current = True

    def _look(self) -> Sight:
        if self._is_troubled and not self._is_current:
            self._fetch()
        sight = look(self._repo, self._surveys)
        self._is_troubled = bool(sight.problems)
        self._tell(sight.problems)
        return sight

    def _with_landed(
        self, requests: Sequence[UpdateRequest], *, but: Collection[str] = ()
    ) -> list[UpdateRequest]:
        """Find out what landed before a kill or a cut-off push, by the notes made before each push.

        `but` are commits that are known not to have landed.
        """
        noted = self._store.intents([request.id for request in requests])
        notes = {one: [note for note in found if note.commit not in but] for one, found in noted.items()}
        if not any(notes.values()):
            return list(requests)
        if not self._is_current:
            self._fetch()
        return [self._with_done(request, notes.get(request.id, ())) for request in requests]

    def _with_done(self, request: UpdateRequest, intents: Iterable[Intent]) -> UpdateRequest:
        done = {outcome.environment: outcome for outcome in request.done}
        for intent in intents:
            if self._repo.contains(intent.branch, intent.commit):
                done[intent.outcome.environment] = intent.outcome
        return replace(request, done=tuple(done.values()))

    # Writing

    def _attempt(self, pending: Sequence[UpdateRequest]) -> tuple[list[UpdateRequest], set[str]]:
        """Plan and carry out once; return what must be planned again, and the commits that did not land."""
        sight = self._look()
        planned = plan(sight.rules, sight.grounds, pending)
        landed: dict[int, _Landing] = {}
        commits: dict[int, str] = {}
        if planned.changes:
            commits = self._commit(sight, planned)
            landed = self._push(sight, planned, commits)
        elif not self._stands(sight):
            return list(pending), set()
        failed = {commit for index, commit in commits.items() if landed[index] != commit}
        return self._settle(pending, planned, landed), failed

    def _stands(self, sight: Sight) -> bool:
        """Say whether what was planned on is still so; a push would say it, here nothing is pushed."""
        if self._is_current:
            return True
        self._fetch()
        return all(self._is_at(branch, tip) for branch, tip in sight.tips.items())

    def _is_at(self, branch: str, tip: str) -> bool:
        try:
            return self._repo.snapshot(branch).commit == tip
        except InvalidConfigRepo:
            return False

    def _commit(self, sight: Sight, planned: Plan) -> dict[int, str]:
        """Make all commits where nobody can see them, and note them; return their ids by change."""
        commits: dict[int, str] = {}
        for branch in dict.fromkeys(change.branch for change in planned.changes):
            mine = [index for index, change in enumerate(planned.changes) if change.branch == branch]
            drafts = [self._draft(planned, index) for index in mine]
            ids = self._repo.commit(sight.snapshots[branch], drafts)
            commits.update(zip(mine, ids, strict=True))
        self._store.intend(self._intents(planned, commits))
        return commits

    def _push(self, sight: Sight, planned: Plan, commits: Mapping[int, str]) -> dict[int, _Landing]:
        """Push everything at once; return what became of each change."""
        tips = {planned.changes[index].branch: commit for index, commit in commits.items()}
        updates = {branch: (sight.snapshots[branch].commit, tip) for branch, tip in tips.items()}
        guards = {branch: tip for branch, tip in sight.tips.items() if branch not in updates}
        answers = self._repo.push(updates, guards=guards)
        landed: dict[int, _Landing] = {}
        for index, commit in commits.items():
            answer = answers[planned.changes[index].branch]
            landed[index] = (
                answer if isinstance(answer, PushForbidden) else commit if answer is Pushed.LANDED else None
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
                note = Intent(planned.changes[verdict.change].branch, commit, self._outcome(verdict, commit))
                intents.setdefault(verdict.request.id, []).append(note)
        return intents

    def _outcome(self, verdict: Verdict, landed: PushForbidden | str) -> EnvironmentOutcome:
        if isinstance(landed, PushForbidden):
            # Whatever rests on this change falls with it: a build that stands in a commit nobody took.
            words = Reason("push-forbidden", {"environment": verdict.environment, "words": str(landed)})
            places = tuple(replace(place, new=place.old) for place in verdict.places)
            failed = replace(verdict, kind=OutcomeKind.FAILED, reason=words, places=places, notes=())
            return self._messages.outcome(replace(failed, superseded_by=""))
        link = self._habits.link(landed) if landed else ""
        return self._messages.outcome(verdict, commit=landed, link=link)

    # Settling

    def _settle(
        self, pending: Sequence[UpdateRequest], planned: Plan, landed: Mapping[int, _Landing]
    ) -> list[UpdateRequest]:
        """Settle what is certain; return what must be planned again because a branch moved.

        Where one moved, everything that does not rest on a landed change was decided on what is no
        longer so, and is decided again.
        """
        found: dict[str, list[EnvironmentOutcome]] = {request.id: list(request.done) for request in pending}
        is_stale = None in landed.values()
        again: set[str] = {one for one in planned.waiting if is_stale}
        for verdict in planned.verdicts:
            nothing: _Landing = None if is_stale else ""
            state = nothing if verdict.change is None else landed[verdict.change]
            if state is None:
                again.add(verdict.request.id)
            else:
                found[verdict.request.id].append(self._outcome(verdict, state))
        settled = {
            one.id: whole(found[one.id])
            for one in pending
            if one.id not in again and one.id not in planned.waiting
        }
        self._store.settle(settled)
        for request_id, outcome in settled.items():
            log.info("Request %s is %s: %s", request_id, outcome.kind, outcome.reason)
        left = [replace(one, done=tuple(found[one.id])) for one in pending if one.id not in settled]
        for request in left:
            if request.id not in again:
                self.defer([request], InvalidConfigRepo(planned.waiting[request.id]))
        return [request for request in left if request.id in again]

    def defer(self, requests: Sequence[UpdateRequest], problem: UpdaterError) -> None:
        """Put requests off with the reason, or give up those that errors have held up for too long."""
        deferrals: dict[str, Deferral] = {}
        now = self._clock()
        for request in requests:
            record = self._store.get(request.id)
            if record is None or record.outcome is not None:
                continue
            is_trouble = isinstance(problem, TemporaryError)
            since = (record.troubled_since or now) if is_trouble else None
            if since is not None and now - since >= self._habits.give_up_after and self._is_lost(request):
                self._store.settle({request.id: whole([*request.done, self._gave_up(request, problem)])})
                continue
            wait = self._wait(record.attempts, problem)
            deferrals[request.id] = Deferral(str(problem), now + wait, request.done, troubled_since=since)
            log.info("Request %s waits: %s", request.id, problem)
        self._store.defer(deferrals)

    def _is_lost(self, request: UpdateRequest) -> bool:
        """Say whether it is certain that no push of the request landed unseen."""
        return self._is_current or not self._store.intents([request.id])

    def _wait(self, attempts: int, problem: UpdaterError) -> timedelta:
        if isinstance(problem, InvalidConfigRepo):
            return self._habits.poll  # it heals when the branch is mended, which the next look finds
        return timedelta(seconds=min(LONGEST_WAIT, 2.0 ** min(attempts, 10)))

    def _gave_up(self, request: UpdateRequest, problem: UpdaterError) -> EnvironmentOutcome:
        hours = round(self._habits.give_up_after.total_seconds() / 3600, 1)
        reason = Reason("gave-up", {"hours": f"{hours:g}", "last": str(problem)})
        environment = request.environment or ""
        return self._messages.outcome(
            Verdict(request=request, environment=environment, kind=OutcomeKind.FAILED, reason=reason)
        )
