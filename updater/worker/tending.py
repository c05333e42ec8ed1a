"""What the worker does about merge requests of its own accord, from time to time or when a hint came.

Hides keeping open proposals true to a target branch that moved, merging those of `auto-merge` when the
forge allows it, and telling requests what became of their proposals. All of it reads what is and makes
it as it should be, so that it can be cut off anywhere and survives restarts and days.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from updater.errors import ForgeRefused, UpdaterError
from updater.forge import Landed, MergeRequest, Readiness, Step
from updater.model import PROPOSAL_PREFIX
from updater.plan import Guard, Plan, Proposing, keep_up, pause_stop
from updater.policy import Environment, pause_at
from updater.sight import Sight
from updater.worker.asked import Asked, asked_for
from updater.worker.following import Following, Seen
from updater.worker.rounds import Doors, Rounds
from updater.worker.settling import Habits
from updater.worker.standings import Standings, environment_of, listed

log = logging.getLogger(__name__)

# A merge or a closing changes what was listed: it is looked at once more, and no more than this often.
_LOOKS = 3
# GitLab.com lets a user ask 2,000 questions a minute; a third of that is ours to use.
REST = timedelta(seconds=0.1)
# A merge request that GitLab refused for good is asked for again when its branch moves, or so much later:
# an administrator may have mended what it was refused for.
_REFUSED_FOR = timedelta(hours=1)


@dataclass(slots=True)
class _Tended:
    """What one look found out: why proposals wait, which were merged, and whether to look again at once."""

    waits: dict[str, str] = field(default_factory=dict)
    merged: set[str] = field(default_factory=set)
    # Target branches that a merge moved, and those of them of which one more was asked about since.
    moved: set[str] = field(default_factory=set)
    nudged: set[str] = field(default_factory=set)
    asked: int = 0
    must_look_again: bool = False

    def is_worth_asking(self, target: str) -> bool:
        """Say whether the forge can know anything now about another proposal for a target branch.

        A merge makes it check all others for that branch anew. Asking about one sets that going for
        it; asking about all of them after each merge would be quadratic.
        """
        if target in self.moved and target in self.nudged:
            return False
        if target in self.moved:
            self.nudged.add(target)
        self.asked += 1
        return True


def _proposes(environment: Environment) -> bool:
    return bool({environment.delivery, environment.rollback.delivery} - {"commit", ""})


class Tending:
    """Tends to all proposals at once."""

    def __init__(self, doors: Doors, habits: Habits, rounds: Rounds) -> None:
        self._doors = doors
        self._rounds = rounds
        self._following = Following(doors, habits)
        # Heads of source branches for which the forge refused a merge request, and when.
        self._refused: dict[str, tuple[str, datetime]] = {}
        # Heads that nobody asked for, told in the log once.
        self._unasked: dict[str, str] = {}
        # Merge requests that were disarmed: a person who arms one afterwards means it.
        self._disarmed: set[int] = set()
        # Why proposals of `auto-merge` wait, by branch, and what is wrong with the forge, as last seen.
        self.waits: dict[str, str] = {}
        self.problems: tuple[str, ...] = ()
        # How long to leave the forge alone after a look, by how many questions it took.
        self.rest = timedelta(0)
        # Whether the last look merged something, so that the next one should come soon.
        self.is_under_way = False

    def tend(self, sight: Sight) -> None:
        """Look after every proposal; `sight` is the config repo as fetched just now.

        Raises:
            TemporaryError: the forge or the remote is away.
        """
        self.is_under_way, self.rest = False, timedelta(0)
        proposes = any(_proposes(one) for one in sight.rules.environments)
        has_proposed = self._doors.repo.branches(PROPOSAL_PREFIX) or self._doors.store.proposed(limit=1)
        if not (proposes or has_proposed):
            self.problems = ()
            return
        self.problems = self._doors.forge.problems(self._doors.clock())
        for _ in range(_LOOKS):
            if not self._look_once(sight):
                return
            sight = self._rounds.refresh()

    def _look_once(self, sight: Sight) -> bool:
        opened = listed(self._doors.forge, sight)
        standings = replace(self._rounds.standings(), opened=opened)
        planned = keep_up(sight.rules, sight.grounds, standings)
        tended = _Tended()
        self._disarm(sight, opened)
        self._deliver(sight, planned, standings, tended)
        for proposing in planned.proposals:
            # Found by its branch: one whose merge is under way is open, and no list of open ones has it.
            mine = standings.open(proposing.branch)
            if proposing.delivery != "auto-merge" or not mine or proposing.is_news:
                continue
            if stop := self.stop(sight, proposing):
                tended.waits[proposing.branch] = stop
                if mine.is_armed:
                    self._take_back(mine)
            elif tended.is_worth_asking(proposing.target):
                self._advance(sight, proposing, mine, tended)
            elif wait := self.waits.get(proposing.branch):
                tended.waits[proposing.branch] = wait
        self.waits, self.rest = tended.waits, REST * tended.asked
        still = {branch: one for branch, one in opened.items() if branch not in tended.merged}
        self.is_under_way = bool(tended.merged)
        self._following.follow(Seen(sight, standings, still, tended.waits))
        return tended.must_look_again

    def _deliver(self, sight: Sight, planned: Plan, standings: Standings, tended: _Tended) -> None:
        """Write anew what no longer fits its target, open what has no merge request, close what is empty."""
        delivery = self._rounds.delivery
        heads = {one.branch: one.standing.head for one in planned.proposals}
        written = delivery.write(sight, planned.proposals)
        missed = delivery.push(written, sight.tips) if written else {}
        heads.update({one.proposing.branch: one.head for one in written})
        good = [
            one
            for one in planned.proposals
            if one.branch not in missed
            and (standings.open(one.branch) or not self._is_refused(one.branch, heads[one.branch]))
        ]
        for branch, answer in delivery.propose(good, heads, standings).items():
            if isinstance(answer, UpdaterError):
                log.warning("The proposal %s has no merge request: %s", branch, answer)
            if isinstance(answer, ForgeRefused):
                self._refused[branch] = (heads[branch], self._doors.clock())
        closed = delivery.close(planned.closings, standings)
        # What could not be done is tried at the next look, not at once.
        tended.must_look_again |= len(written) > len(missed) or closed > 0

    def _is_refused(self, branch: str, head: str) -> bool:
        refused, when = self._refused.get(branch, ("", None))
        if when is None or (refused == head and self._doors.clock() - when < _REFUSED_FOR):
            return when is not None
        del self._refused[branch]
        return False

    def _disarm(self, sight: Sight, opened: Mapping[str, MergeRequest]) -> None:
        """Take back that the forge merges by itself what the rules have since left to people."""
        by_itself = {
            one.name
            for one in sight.rules.environments
            if "auto-merge" in (one.delivery, one.rollback.delivery)
        }
        for branch, one in opened.items():
            is_left_to_people = environment_of(branch) not in by_itself
            if one.is_armed and is_left_to_people and one.number not in self._disarmed:
                self._take_back(one)
                self._disarmed.add(one.number)

    def _take_back(self, one: MergeRequest) -> None:
        try:
            self._doors.forge.disarm(one)
            log.info("%s is no longer merged by itself, as the rules say now.", one.name)
        except ForgeRefused as problem:
            log.warning("%s may be merged by itself, against the rules: %s", one.name, problem)

    # Auto-merge

    def stop(self, sight: Sight, proposing: Proposing) -> str:
        """Say why the updater must not merge a proposal now, by a hold or a pause; empty where it may."""
        environment = proposing.environment
        pause = pause_at(environment, self._doors.clock())
        guard = Guard(environment, sight.ground(environment.name), pause)
        for change in proposing.changes:
            # A rollback brings back what is older than what it holds.
            charts = change.charts if change.rollback is None else ()
            stops = [guard.stop(chart, change.image) for chart in charts]
            if change.rollback is not None and pause:
                stops.append(pause_stop(environment, pause, ", ".join(change.charts)))
            stop = next((one for one in stops if one), None)
            if stop and not change.requests[0].override:
                return self._doors.messages.say(stop[1])
        return ""

    def _advance(self, sight: Sight, proposing: Proposing, opened: MergeRequest, tended: _Tended) -> None:
        forge, head = self._doors.forge, proposing.standing.head
        match asked_for(self._doors.store, proposing):
            case Asked.NO:
                self._leave_alone(opened, head, tended)
                return
            case Asked.NOT_DECIDED:
                return
        try:
            readiness = forge.readiness(opened, head)
            match readiness.step:
                case Step.MERGE:
                    readiness = self._merge(proposing, readiness, tended, arm=False)
                case Step.ARM:
                    readiness = self._merge(proposing, readiness, tended, arm=True)
                case Step.REPLAN:
                    self._replan(sight, proposing, tended)
                case Step.ENDED:
                    tended.must_look_again = True
            self._tell(opened, readiness, proposing.branch, tended)
        except ForgeRefused as problem:
            tended.waits[proposing.branch] = str(problem)

    def _leave_alone(self, opened: MergeRequest, head: str, tended: _Tended) -> None:
        """Say that nobody asked here; not on its page, where another updater may have its note.

        A one-shot job knows no requests but its own.
        """
        tended.waits[opened.branch] = text = self._doors.messages.wait("not-asked-for", "")
        if self._unasked.get(opened.branch) != head:
            self._unasked[opened.branch] = head
            log.warning("%s at %s is not merged: %s", opened.name, head[:10], text)

    def _merge(self, proposing: Proposing, ready: Readiness, tended: _Tended, *, arm: bool) -> Readiness:
        opened = ready.merge_request
        merging = self._doors.forge.merge(
            opened,
            head=proposing.standing.head,
            message=self._doors.messages.merge_commit(proposing, name=opened.name),
            squash=proposing.environment.merge_request.squash,
            arm=arm,
        )
        if merging.landed is Landed.MERGED:
            log.info("%s was merged.", opened.name)
            tended.merged.add(proposing.branch)
            tended.moved.add(proposing.target)
            tended.must_look_again = True
            return replace(ready, step=Step.ENDED, code="")
        if merging.landed is Landed.ARMED:
            self._disarmed.discard(opened.number)
            return replace(ready, step=Step.WAIT, code="pipeline-running")
        return replace(ready, step=merging.step, code=merging.code, words=merging.words)

    def _replan(self, sight: Sight, proposing: Proposing, tended: _Tended) -> None:
        """Write the proposal anew on its target, unless it stands on the newest commit there already."""
        if proposing.standing.base == sight.tips[proposing.target]:
            return
        plan = Plan((), (), {}, (replace(proposing, is_news=True),))
        standings = self._rounds.standings()
        standings.standing({proposing.branch: proposing.target})
        self._deliver(sight, plan, standings, tended)

    def _tell(self, opened: MergeRequest, readiness: Readiness, branch: str, tended: _Tended) -> None:
        """Say why it waits: to its requests always, on the merge request where a person can do something.

        A note that is there, perhaps of an earlier process, is kept true whatever the reason.
        """
        if readiness.step is Step.ENDED or not readiness.code:
            return
        text = self._doors.messages.wait(readiness.code, readiness.words)
        tended.waits[branch] = text
        if readiness.step is Step.PERSON:
            self._doors.forge.note(opened, text)
        else:
            self._doors.forge.amend_note(opened, text)
