"""`plan()`: what the updater would do, as a value. The heart; everything else reads or obeys it.

It hides how a winner is chosen: per target and by the environment's tag order, never by arrival
where an order exists (product rule "Order"). `worker` calls it for every batch and again whenever
the branch moved; `cli` prints its result. It does no I/O: files come through `model.Files`, and
what it would write stands in the plan's changes and in the ground's own draft.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from updater.errors import InvalidConfigRepo
from updater.model import OutcomeKind, UpdateRequest
from updater.plan.addressing import environments_of, with_notes
from updater.plan.court import Court
from updater.plan.draft import Draft, Ground, blob_id
from updater.plan.values import Change, Plan, Reason, Verdict
from updater.policy import Rules

__all__ = ["Change", "Draft", "Ground", "Plan", "Reason", "Verdict", "blob_id", "plan"]


def plan(
    rules: Rules, grounds: Mapping[str, Ground | InvalidConfigRepo], requests: Sequence[UpdateRequest]
) -> Plan:
    """Decide about all waiting requests at once.

    `grounds` holds one entry per environment name; an error there makes that environment wait.
    `requests` stand in the order in which they were accepted.
    """
    addressed = _Addressed()
    for request in requests:
        addressed.add(rules, grounds, request)
    _prefetch(rules, grounds, addressed.wishes)
    changes: list[Change] = []
    verdicts = addressed.refused
    by_name = {environment.name: environment for environment in rules.environments}
    for (name, repository), group in addressed.wishes.items():
        court = Court(by_name[name], _ground(grounds, name), repository, first_change=len(changes))
        verdicts.extend(court.judge(group))
        changes.extend(court.changes)
    return Plan(tuple(changes), tuple(with_notes(rules, grounds, verdicts)), addressed.waiting)


@dataclass(slots=True)
class _Addressed:
    """Requests by where they go: those for each (environment, repository), and those that go nowhere."""

    wishes: dict[tuple[str, str], list[UpdateRequest]] = field(default_factory=dict)
    refused: list[Verdict] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)

    def add(
        self, rules: Rules, grounds: Mapping[str, Ground | InvalidConfigRepo], request: UpdateRequest
    ) -> None:
        chosen = environments_of(rules, grounds, request)
        if isinstance(chosen, Reason):
            self.refused.append(
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
            ground = grounds[name]
            if isinstance(ground, InvalidConfigRepo):
                self.waiting[request.id] = str(ground)
            else:
                self.wishes.setdefault((name, request.image.repository), []).append(request)


def _ground(grounds: Mapping[str, Ground | InvalidConfigRepo], name: str) -> Ground:
    ground = grounds[name]
    if isinstance(ground, InvalidConfigRepo):
        raise ground
    return ground


def _prefetch(
    rules: Rules,
    grounds: Mapping[str, Ground | InvalidConfigRepo],
    wishes: Mapping[tuple[str, str], Sequence[UpdateRequest]],
) -> None:
    """Read all files that the wishes will need at once; one by one they cost ten times as much."""
    scopes = {environment.name: environment.scope for environment in rules.environments}
    for name in {name for name, _ in wishes}:
        ground = _ground(grounds, name)
        repositories = [repository for environment, repository in wishes if environment == name]
        ground.draft.prefetch(
            path for repository in repositories for path in ground.survey.unread(scopes[name], repository)
        )
