"""One round: look, plan, commit, note, push, propose, settle; again where a branch moved meanwhile.

Hides the order of these effects. What happened is settled by `settling`, what the worker does of its
own accord about merge requests by `tending`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from updater.configrepo import ConfigRepo, Pushed
from updater.errors import InvalidConfigRepo, PushForbidden, PushRejected, TemporaryError, UpdaterError
from updater.forge import Ensured, Forge
from updater.messages import Messages
from updater.model import (
    Outcome,
    OutcomeKind,
    PromotionRequest,
    Request,
    RollbackRequest,
    UpdateRequest,
)
from updater.plan import Change, Plan, Reason, Verdict, plan
from updater.policy import Rules
from updater.sight import Known, Sight, look
from updater.store import Intent, Store
from updater.worker import deployments
from updater.worker.delivery import Delivery, Written
from updater.worker.settling import Habits, Landings, Settling
from updater.worker.standings import Memory, Standings, image_among

log = logging.getLogger(__name__)

REPLANS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The doors the worker goes through, and the clock."""

    store: Store
    repo: ConfigRepo
    forge: Forge
    messages: Messages
    clock: Callable[[], datetime]


class Rounds:
    """Carries out rounds; `tell` is told what is wrong with the config repo each time it is looked at."""

    def __init__(self, doors: Doors, habits: Habits, tell: Callable[[tuple[str, ...]], None]) -> None:
        self._store = doors.store
        self._repo = doors.repo
        self._forge = doors.forge
        self._clock = doors.clock
        self._tell = tell
        self._settling = Settling(
            store=doors.store,
            messages=doors.messages,
            clock=doors.clock,
            habits=habits,
        )
        self.delivery = Delivery(doors.repo, doors.forge, doors.messages, doors.clock)
        self.memory = Memory()
        self._known = Known()
        # Whether a rollback landed directly, so that what is proposed should give way soon.
        self.rolled_back = False
        self._is_troubled = True  # nothing was seen yet
        self._is_current = False  # whether the mirror was fetched during this round

    def refresh(self) -> Sight:
        """Fetch and look, so that the next round finds everything indexed.

        Raises:
            UpdaterError: the remote is away, or the rules cannot be read.
        """
        sight = self.look_afresh()
        sight.warm()
        return sight

    def look_afresh(self) -> Sight:
        """Fetch and look, for somebody who only asks.

        Raises:
            UpdaterError: as for `refresh`.
        """
        self._fetch()
        return self._look()

    def standings(self) -> Standings:
        """Return what stands on source branches and the forge, to be looked up afresh."""
        return Standings(self._repo, self._forge, self.memory)

    def carry_out(self, requests: Sequence[Request]) -> None:
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

    def defer(self, requests: Sequence[Request], problem: UpdaterError) -> None:
        """Put requests off with the reason, or give up those that errors have held up for too long."""
        self._settling.defer(requests, problem, is_current=self._is_current)

    # Looking

    def _fetch(self) -> None:
        self._repo.fetch()
        self._is_current = True

    def _look(self) -> Sight:
        if self._is_troubled and not self._is_current:
            self._fetch()
        sight = look(self._repo, self._known)
        self._is_troubled = bool(sight.problems)
        self._tell(sight.problems)
        return sight

    def _with_landed(self, requests: Sequence[Request], *, but: Collection[str] = ()) -> list[Request]:
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

    def _with_done(self, request: Request, intents: Iterable[Intent]) -> Request:
        done = {outcome.subject: outcome for outcome in request.done}
        for intent in intents:
            if self._repo.contains(intent.branch, intent.commit):
                done[intent.outcome.subject] = intent.outcome
        return replace(request, done=tuple(done.values()))

    # Writing

    def _attempt(self, pending: Sequence[Request]) -> tuple[list[Request], set[str]]:
        """Plan and carry out once; return what must be planned again, and the commits that did not land."""
        sight = self._look()
        if not self._is_current and _concerns_proposals(sight.rules, pending):
            # What stands on source branches is guarded by no push.
            self._fetch()
            sight = self._look()
        standings = self.standings()
        planned = plan(sight.rules, sight.grounds, pending, standings, now=self._clock())
        pending = self._with_chosen(pending, planned)
        commits = self._commit(sight, planned)
        written = self.delivery.write(sight, planned.proposals)
        if not (commits or written) and not self._stands(sight):
            return list(pending), set()
        if notes := self._intents(planned, commits, written):
            self._store.intend(notes)
        landings = self._land(sight, planned, commits, written)
        landings = replace(landings, proposals=self._propose(planned, written, landings, standings))
        landed = (planned.changes[index] for index, what in landings.changes.items() if isinstance(what, str))
        self.rolled_back |= any(isinstance(change, Change) and change.rollback for change in landed)
        failed = {commit for index, commit in commits.items() if landings.changes[index] != commit}
        again, settled = self._settling.settle(pending, planned, landings, is_current=self._is_current)
        self.delivery.close(planned.closings, standings)
        decided = [(one, _decided_now(one, settled[one.id])) for one in pending if one.id in settled]
        deployments.record(self._forge, sight.rules, decided)
        return again, failed

    def _with_chosen(self, pending: Sequence[Request], planned: Plan) -> list[Request]:
        """Note what promotions take along and rollbacks back, before anything of it is done."""
        if planned.chosen:
            self._store.choose(planned.chosen)
        return [
            replace(one, chosen=planned.chosen[one.id])
            if isinstance(one, PromotionRequest | RollbackRequest) and one.id in planned.chosen
            else one
            for one in pending
        ]

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
        """Make all direct commits where nobody can see them; return their ids by change."""
        commits: dict[int, str] = {}
        for branch in dict.fromkeys(change.branch for change in planned.changes):
            mine = [index for index, change in enumerate(planned.changes) if change.branch == branch]
            drafts = [self.delivery.draft(planned.changes[index]) for index in mine]
            ids = self._repo.commit(sight.snapshots[branch], drafts)
            commits.update(zip(mine, ids, strict=True))
        return commits

    def _land(
        self, sight: Sight, planned: Plan, commits: Mapping[int, str], written: Sequence[Written]
    ) -> Landings:
        """Push direct commits at once, then source branches; return what became of each."""
        updates = {
            planned.changes[index].branch: (sight.snapshots[planned.changes[index].branch].commit, commit)
            for index, commit in commits.items()
        }
        guards = {branch: tip for branch, tip in sight.tips.items() if branch not in updates}
        answers = self._repo.push(updates, guards=guards)
        landed: dict[int, PushForbidden | str | None] = {}
        for index, commit in commits.items():
            answer = answers[planned.changes[index].branch]
            landed[index] = (
                answer if isinstance(answer, PushForbidden) else commit if answer is Pushed.LANDED else None
            )
        missed: dict[str, PushForbidden | None] = {one.proposing.branch: None for one in written}
        if None not in landed.values():
            tips = {name: updates[name][1] for name, answer in answers.items() if answer is Pushed.LANDED}
            missed = self.delivery.push(written, {**sight.tips, **tips})
        is_stale = None in landed.values() or None in missed.values()
        if is_stale:
            self._fetch()
        made = {
            (repository, chart): commit
            for one in written
            for change, commit in zip(one.proposing.changes, one.commits, strict=True)
            for repository in (change.image.repository, *([""] if change.rollback else []))
            for chart in change.charts
        }
        return Landings(changes=landed, proposals=missed, commits=made, is_stale=None in landed.values())

    def _propose(
        self, planned: Plan, written: Sequence[Written], landings: Landings, standings: Standings
    ) -> dict[str, Ensured | UpdaterError | None]:
        """Make merge requests for all source branches that stand as planned."""
        heads = {one.branch: one.standing.head for one in planned.proposals}
        heads.update({one.proposing.branch: one.head for one in written})
        if landings.is_stale:
            return dict.fromkeys(heads)
        missed = landings.proposals
        good = [one for one in planned.proposals if one.branch not in missed]
        answers = self.delivery.propose(good, heads, standings)
        self.delivery.take_back(written, answers)
        return {**missed, **answers}

    def _intents(
        self, planned: Plan, commits: Mapping[int, str], written: Sequence[Written]
    ) -> dict[str, list[Intent]]:
        """Note what each push would make true, so that a kill after it cannot make it happen twice."""
        intents: dict[str, list[Intent]] = {}
        by_branch = {one.proposing.branch: one for one in written}
        for verdict in planned.verdicts:
            if verdict.change is not None and verdict.kind is OutcomeKind.COMMITTED:
                commit = commits[verdict.change]
                outcome = self._settling.outcome(verdict, commit, Landings())
                note = Intent(planned.changes[verdict.change].branch, commit, outcome)
                intents.setdefault(verdict.request.id, []).append(note)
            elif verdict.kind is OutcomeKind.PROPOSED and len(verdict.branches) == 1:
                made = [by_branch[branch] for branch in verdict.branches if branch in by_branch]
                notes = [note for one in made for note in self._if_merged(verdict, one)]
                intents.setdefault(verdict.request.id, []).extend(notes)
        return intents

    def _if_merged(self, verdict: Verdict, written: Written) -> Iterable[Intent]:
        """Note what it would mean if a proposal were merged before it is settled."""
        request, target = verdict.request, written.proposing.target
        for change, commit in zip(written.proposing.changes, written.commits, strict=True):
            wanted = change.image if isinstance(request, RollbackRequest) else None
            wanted = request.image if isinstance(request, UpdateRequest) else wanted
            if wanted is not None and image_among(wanted, (change.image,)):
                facts = {
                    "name": written.proposing.branch,
                    "by": "",
                    "image": str(wanted),
                    "target": target,
                    "environment": verdict.environment,
                }
                merged = replace(verdict, kind=OutcomeKind.COMMITTED, reason=Reason("merged", facts))
                yield Intent(target, commit, self._settling.outcome(merged, commit, Landings()))


def _concerns_proposals(rules: Rules, pending: Sequence[Request]) -> bool:
    """Say whether a request may go where changes are proposed, or takes back what was last deployed."""
    proposing = [one for one in rules.environments if {one.delivery, one.rollback.delivery} - {"commit", ""}]
    return any(isinstance(request, RollbackRequest) for request in pending) or any(
        not isinstance(request, UpdateRequest)
        or (request.environment in (None, one.name) and one.tags.takes(request.image.tag))
        for one in proposing
        for request in pending
    )


def _decided_now(request: Request, outcome: Outcome) -> Outcome:
    """Return the outcome without what was settled in an earlier round."""
    done = {one.subject for one in request.done}
    return replace(
        outcome, environments=tuple(one for one in outcome.environments if one.subject not in done)
    )
