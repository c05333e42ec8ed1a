"""`plan()`: what the updater would do, as a value. The heart; everything else reads or obeys it.

It hides how a winner is chosen: per target and by the environment's tag order, never by arrival
where an order exists (product rule "Order"). `worker` calls it for every batch and again whenever
the branch moved; `cli` prints its result. It does no I/O: files come through `model.Files`, what is
proposed already through `Proposals`, and what it would write stands in the plan's changes and in the
ground's own draft.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from updater.errors import ForgeRefused, InvalidConfigRepo, TemporaryError, UpdaterError
from updater.model import Chosen, OutcomeKind, PromotionRequest, Request, UpdateRequest
from updater.plan.addressing import environments_of, with_notes
from updater.plan.court import Court
from updater.plan.draft import Draft, Ground, Grounds, blob_id, ground_of
from updater.plan.promotion import expand
from updater.plan.proposals import Proposer
from updater.plan.standing import TOGETHER, Carried, Closed, NoProposals, Proposals, Standing
from updater.plan.values import Change, Closing, Plan, Proposing, Reason, Verdict
from updater.policy import Environment, Rules

__all__ = [
    "TOGETHER",
    "Carried",
    "Change",
    "Closed",
    "Closing",
    "Draft",
    "Ground",
    "Grounds",
    "NoProposals",
    "Plan",
    "Proposals",
    "Proposing",
    "Reason",
    "Standing",
    "Verdict",
    "blob_id",
    "ground_of",
    "keep_up",
    "plan",
]

# What is wished for, by environment and repository.
_Wishes = dict[str, dict[str, list[UpdateRequest]]]


def plan(
    rules: Rules, grounds: Grounds, requests: Sequence[Request], proposals: Proposals | None = None
) -> Plan:
    """Decide about all waiting requests at once.

    `grounds` holds one entry per environment name; an error there makes that environment wait.
    `requests` stand in the order in which they were accepted.
    """
    addressed = _Addressed()
    for request in requests:
        addressed.add(rules, grounds, request)
    _prefetch(rules, grounds, addressed.wishes)
    planning = _Planning(rules, grounds, addressed, proposals or NoProposals())
    # Proposals first: they are written on the branch as it is, not as the direct changes leave it.
    for environment in sorted(rules.environments, key=lambda one: one.delivery == "commit"):
        if environment.name in addressed.wishes:
            planning.take(environment)
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
        proposes = environment.delivery != "commit" or proposals.names(environment.name)
        if proposes and isinstance(ground, Ground):
            proposer = Proposer(environment, ground, proposals)
            proposer.keep_up()
            proposed.extend(proposer.proposals)
            closings.extend(proposer.closings)
    return Plan((), (), {}, tuple(proposed), tuple(closings))


@dataclass(slots=True)
class _Addressed:
    """Requests by where they go: those for each environment and repository, and those that go nowhere."""

    wishes: _Wishes = field(default_factory=dict)
    settled: list[Verdict] = field(default_factory=list)
    chosen: dict[str, tuple[Chosen, ...]] = field(default_factory=dict)
    waiting: dict[str, UpdaterError] = field(default_factory=dict)

    def add(self, rules: Rules, grounds: Grounds, request: Request) -> None:
        if isinstance(request, PromotionRequest):
            self._promote(rules, grounds, request)
            return
        chosen = environments_of(rules, grounds, request)
        if isinstance(chosen, Reason):
            self.settled.append(
                Verdict(
                    request=request,
                    environment=request.environment or "",
                    kind=OutcomeKind.REFUSED,
                    reason=chosen,
                )
            )
            return
        done = {outcome.environment for outcome in request.done}
        for name in (environment.name for environment in chosen if environment.name not in done):
            self._wish(grounds, name, request)

    def _promote(self, rules: Rules, grounds: Grounds, request: PromotionRequest) -> None:
        try:
            expansion = expand(rules, grounds, request)
        except InvalidConfigRepo as problem:
            self.waiting[request.id] = problem
            return
        if not request.chosen:
            wanted = (Chosen(chart=one.chart, image=str(one.wish.image)) for one in expansion.wishes)
            self.chosen[request.id] = tuple(wanted)
        done = {outcome.subject for outcome in request.done}
        self.settled.extend(one for one in expansion.verdicts if one.subject not in done)
        for wish in (one.wish for one in expansion.wishes):
            if (request.environment, str(wish.image), ", ".join(wish.charts)) not in done:
                self._wish(grounds, request.environment, wish)

    def _wish(self, grounds: Grounds, environment: str, request: UpdateRequest) -> None:
        ground = grounds[environment]
        if isinstance(ground, InvalidConfigRepo):
            self.waiting[request.id] = ground
        else:
            by_repository = self.wishes.setdefault(environment, {})
            by_repository.setdefault(request.image.repository, []).append(request)


@dataclass(slots=True)
class _Planning:
    """Judges what is wished for, environment by environment."""

    rules: Rules
    grounds: Grounds
    addressed: _Addressed
    known: Proposals
    changes: list[Change] = field(default_factory=list)
    proposals: list[Proposing] = field(default_factory=list)
    closings: list[Closing] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.verdicts.extend(self.addressed.settled)

    def take(self, environment: Environment) -> None:
        ground = ground_of(self.grounds, environment.name)
        wishes = self.addressed.wishes[environment.name]
        if environment.delivery == "commit":
            for group in wishes.values():
                court = Court(environment, ground, first_change=len(self.changes))
                self.verdicts.extend(court.judge(group))
                self.changes.extend(court.changes)
            return
        proposer = Proposer(environment, ground, self.known)
        try:
            self.verdicts.extend(proposer.judge(wishes))
        except (TemporaryError, ForgeRefused) as problem:
            # Nobody knows what stands, so nothing can be decided yet; an operator may have to act.
            self.addressed.waiting.update({one.id: problem for group in wishes.values() for one in group})
            return
        self.proposals.extend(proposer.proposals)
        self.closings.extend(proposer.closings)


def _prefetch(rules: Rules, grounds: Grounds, wishes: _Wishes) -> None:
    """Read all files that the wishes will need at once; one by one they cost ten times as much."""
    scopes = {environment.name: environment.scope for environment in rules.environments}
    for name, by_repository in wishes.items():
        ground = ground_of(grounds, name)
        ground.draft.prefetch(
            path for repository in by_repository for path in ground.survey.unread(scopes[name], repository)
        )
