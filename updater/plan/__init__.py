"""`plan()`: what the updater would do, as a value. The heart; everything else reads or obeys it.

It hides how a winner is chosen: per target and by the environment's tag order, never by arrival
where an order exists (product rule "Order"). `worker` calls it for every batch and again whenever
the branch moved; `cli` prints its result. It does no I/O: files come through `model.Files`, and
what it would write stands in the plan's changes and in the ground's own draft.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    changes: list[Change] = []
    verdicts: list[Verdict] = []
    waiting: dict[str, str] = {}
    wishes: dict[tuple[str, str], list[UpdateRequest]] = {}
    for request in requests:
        chosen = environments_of(rules, grounds, request)
        if isinstance(chosen, Reason):
            verdicts.append(
                Verdict(
                    request=request,
                    environment=request.environment or "",
                    kind=OutcomeKind.REFUSED,
                    reason=chosen,
                )
            )
            continue
        for environment in chosen:
            ground = grounds[environment.name]
            if isinstance(ground, InvalidConfigRepo):
                waiting[request.id] = str(ground)
            elif environment.name not in {outcome.environment for outcome in request.done}:
                wishes.setdefault((environment.name, request.image.repository), []).append(request)
    by_name = {environment.name: environment for environment in rules.environments}
    for (name, repository), group in wishes.items():
        ground = grounds[name]
        assert isinstance(ground, Ground)  # noqa: S101 - wishes hold no environment without ground
        court = Court(by_name[name], ground, repository, first_change=len(changes))
        verdicts.extend(court.judge(group))
        changes.extend(court.changes)
    return Plan(tuple(changes), tuple(with_notes(rules, grounds, verdicts)), waiting)
