"""`plan()`: what the updater would do, as a value. The heart; everything else reads or obeys it.

It hides how a winner is chosen: per target and by the environment's tag order, never by arrival
where an order exists (product rule "Order"). `worker` calls it for every batch and again whenever
the branch moved; `cli` prints its result. It does no I/O: files come through `model.Files`, what is
proposed already through `Proposals`, and what it would write stands in the plan's changes and in the
ground's own draft.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from updater.errors import ForgeRefused, InvalidConfigRepo, TemporaryError, UpdaterError
from updater.model import (
    Chosen,
    HoldRequest,
    OutcomeKind,
    Request,
    RollbackRequest,
    UpdateRequest,
)
from updater.plan.acts import Acts, rollback_verdict
from updater.plan.addressed import Addressed, Wishes
from updater.plan.addressing import with_notes
from updater.plan.court import Court
from updater.plan.draft import Draft, Ground, Grounds, blob_id, ground_of
from updater.plan.edits import Veto
from updater.plan.holding import Guard, pause_stop, written_holds
from updater.plan.past import NoPast, Past
from updater.plan.proposals import Proposer
from updater.plan.standing import TOGETHER, Carried, Closed, NoProposals, Proposals, Standing
from updater.plan.undo import Restored, Rollback, Undo
from updater.plan.values import (
    AnyChange,
    Change,
    Closing,
    HoldChange,
    Plan,
    Proposing,
    Reason,
    Refusal,
    Verdict,
    VersionMove,
)
from updater.policy import Environment, Pause, Rules, pause_at

__all__ = [
    "TOGETHER",
    "AnyChange",
    "Carried",
    "Change",
    "Closed",
    "Closing",
    "Draft",
    "Ground",
    "Grounds",
    "Guard",
    "HoldChange",
    "NoPast",
    "NoProposals",
    "Past",
    "Plan",
    "Proposals",
    "Proposing",
    "Reason",
    "Restored",
    "Rollback",
    "Standing",
    "Undo",
    "Verdict",
    "VersionMove",
    "blob_id",
    "ground_of",
    "keep_up",
    "pause_stop",
    "plan",
    "written_holds",
]


def plan(
    rules: Rules,
    grounds: Grounds,
    requests: Sequence[Request],
    proposals: Proposals | None = None,
    *,
    now: datetime | None = None,
) -> Plan:
    """Decide about all waiting requests at once.

    `grounds` holds one entry per environment name; an error there makes that environment wait.
    `requests` stand in the order in which they were accepted. Freezes and windows count where `now` is
    given; a plain folder knows none.
    """
    addressed = Addressed()
    for request in requests:
        addressed.add(rules, grounds, request)
    _prefetch(rules, grounds, addressed.wishes)
    planning = _Planning(rules, grounds, addressed, proposals or NoProposals(), now)
    # Proposals first: they are written on the branch as it is, not as the direct changes leave it.
    # Then what people ask for, which holds back what pipelines do.
    for environment in rules.environments:
        planning.propose(environment)
    for environment in rules.environments:
        planning.act(environment)
    for environment in rules.environments:
        planning.commit(environment)
    verdicts = tuple(with_notes(rules, grounds, planning.verdicts))
    return Plan(
        tuple(planning.changes),
        verdicts,
        addressed.waiting,
        tuple(planning.proposals),
        tuple(planning.closings),
        {one: wanted for one, wanted in addressed.chosen.items() if wanted},
    )


def keep_up(rules: Rules, grounds: Grounds, proposals: Proposals) -> Plan:
    """Plan what open proposals need now that the branches may have moved; there are no requests.

    Raises:
        TemporaryError: the forge is away.
    """
    proposed: list[Proposing] = []
    closings: list[Closing] = []
    for environment in rules.environments:
        ground = grounds[environment.name]
        # Also where proposals were made before the rules said `commit`: they must not stay for ever.
        proposes = _proposes_rollbacks(environment) or proposals.names(environment.name)
        if proposes and isinstance(ground, Ground):
            proposer = Proposer(environment, ground, proposals)
            proposer.keep_up()
            proposed.extend(proposer.proposals)
            closings.extend(proposer.closings)
    return Plan((), (), {}, tuple(proposed), tuple(closings))


@dataclass(slots=True)
class _Planning:
    """Judges what is wished for, environment by environment."""

    rules: Rules
    grounds: Grounds
    addressed: Addressed
    known: Proposals
    now: datetime | None
    changes: list[AnyChange] = field(default_factory=list)
    proposals: list[Proposing] = field(default_factory=list)
    closings: list[Closing] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.verdicts.extend(self.addressed.settled)

    def propose(self, environment: Environment) -> None:
        """Plan the proposals of an environment: rollbacks where it proposes them, and builds."""
        name = environment.name
        rollbacks = self.addressed.rollbacks.get(name, ()) if _proposes_rollbacks(environment) else ()
        wishes = self.addressed.wishes.get(name, {}) if environment.delivery != "commit" else {}
        if wishes and (rollbacks or self.addressed.holds.get(name)):
            # Builds of the same batch are judged when it is known what stands, or is held, then.
            self._wait(_comes_first(name), wishes, ())
            wishes = {}
        if not rollbacks and not wishes:
            return
        proposer = Proposer(environment, ground_of(self.grounds, name), self.known)
        try:
            self.verdicts.extend(self._rolled_back(proposer, one) for one in rollbacks)
            self.verdicts.extend(proposer.judge(wishes) if wishes else ())
        except (TemporaryError, ForgeRefused, InvalidConfigRepo) as problem:
            # Nobody knows what stands, so nothing can be decided yet; an operator may have to act.
            self._wait(problem, wishes, rollbacks)
            return
        self._note(proposer.undone)
        self.proposals.extend(proposer.proposals)
        self.closings.extend(proposer.closings)

    def _rolled_back(self, proposer: Proposer, request: RollbackRequest) -> Verdict:
        try:
            return proposer.roll_back(request)
        except Refusal as refusal:
            return rollback_verdict(request, OutcomeKind.REFUSED, refusal.reason)

    def act(self, environment: Environment) -> None:
        """Plan holds and releases, and rollbacks that are commits at once."""
        name = environment.name
        rollbacks = () if _proposes_rollbacks(environment) else self.addressed.rollbacks.get(name, ())
        holds = self.addressed.holds.get(name, ())
        if not rollbacks and not holds:
            return
        ground = ground_of(self.grounds, name)
        acts = Acts(environment, ground, len(self.changes), self._pause(environment))
        for request in sorted((*rollbacks, *holds), key=lambda one: one.sequence):
            is_hold = isinstance(request, HoldRequest)
            self.verdicts.append(acts.hold(request) if is_hold else acts.roll_back(request))
        self._note(acts.undone)
        self.changes.extend(acts.changes)

    def commit(self, environment: Environment) -> None:
        """Plan the direct commits of an environment."""
        wishes = self.addressed.wishes.get(environment.name, {})
        if environment.delivery != "commit" or not wishes:
            return
        if _proposes_rollbacks(environment) and self.addressed.rollbacks.get(environment.name):
            self._wait(_comes_first(environment.name), wishes, ())
            return
        ground = ground_of(self.grounds, environment.name)
        guard = Guard(environment, ground, self._pause(environment))
        try:
            veto = self._veto_of_proposed(environment, ground, wishes)
            for group in wishes.values():
                court = Court(guard, first_change=len(self.changes), veto=veto)
                self.verdicts.extend(court.judge(group))
                self.changes.extend(court.changes)
        except (TemporaryError, ForgeRefused, InvalidConfigRepo) as problem:
            self._wait(problem, wishes, ())

    def _veto_of_proposed(
        self, environment: Environment, ground: Ground, wishes: Iterable[str]
    ) -> Veto | None:
        """Return what rollbacks that are only proposed have to say, where the rules have them proposed."""
        if not _proposes_rollbacks(environment):
            return None
        proposer = Proposer(environment, ground, self.known)
        proposer.look(wishes)
        return proposer.veto

    def _pause(self, environment: Environment) -> Pause | None:
        return pause_at(environment, self.now) if self.now else None

    def _wait(
        self,
        problem: UpdaterError,
        wishes: Mapping[str, Sequence[UpdateRequest]],
        others: Iterable[RollbackRequest | HoldRequest],
    ) -> None:
        waiting = [*(one for group in wishes.values() for one in group), *others]
        told = {one.id for one in waiting}
        self.verdicts = [one for one in self.verdicts if one.request.id not in told or one.change is not None]
        self.addressed.waiting.update({one.id: problem for one in waiting})

    def _note(self, undone: Mapping[str, Undo]) -> None:
        for request_id, undo in undone.items():
            pairs = (Chosen(chart=undo.charts[0], image=commit) for commit in undo.commits)
            self.addressed.chosen[request_id] = tuple(pairs)


def _comes_first(environment: str) -> TemporaryError:
    return TemporaryError(f"What a person asked for in {environment} comes first.", after=1)


def _proposes_rollbacks(environment: Environment) -> bool:
    return (environment.rollback.delivery or environment.delivery) != "commit"


def _prefetch(rules: Rules, grounds: Grounds, wishes: Wishes) -> None:
    """Read all files that the wishes will need at once; one by one they cost ten times as much."""
    scopes = {environment.name: environment.scope for environment in rules.environments}
    for name, by_repository in wishes.items():
        ground = ground_of(grounds, name)
        ground.draft.prefetch(
            path for repository in by_repository for path in ground.survey.unread(scopes[name], repository)
        )
