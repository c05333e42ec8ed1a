"""Deployment records on the source projects, where the rules of an environment want them.

Hides which outcome means which status. It is a courtesy: whatever goes wrong is logged and changes
nothing (product rule: it never fails an update). `rounds` and `following` call it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from updater.errors import TemporaryError, UpdaterError
from updater.forge import Forge
from updater.model import EnvironmentOutcome, Outcome, OutcomeKind, Request, UpdateRequest
from updater.policy import Rules

log = logging.getLogger(__name__)

_STATUS = {
    OutcomeKind.COMMITTED: "success",
    OutcomeKind.PROPOSED: "running",
    # A proposal that ended otherwise; a request that never got that far has none.
    OutcomeKind.REFUSED: "canceled",
    OutcomeKind.SUPERSEDED: "canceled",
    OutcomeKind.UNCHANGED: "canceled",
}
_REACHED = (OutcomeKind.COMMITTED, OutcomeKind.PROPOSED)


def record(
    forge: Forge, rules: Rules, reached: Iterable[tuple[Request, Outcome]], *, was_proposed: bool = False
) -> None:
    """Tell the source projects of every environment that requests were written to or proposed for.

    The outcomes hold only what was decided this time: what they hold is told, again if told before.
    `was_proposed` says that they were told so before, so that an end is worth telling as well.
    """
    wanting = {one.name for one in rules.environments if one.deployments}
    for request, outcome in reached if wanting else ():
        if isinstance(request, UpdateRequest) and request.source.project:
            for one in outcome.environments:
                is_end = bool(was_proposed and one.proposals and one.kind in _STATUS)
                is_told = one.environment in wanting and (is_end or one.kind in _REACHED)
                if is_told and not _record(forge, request, one):
                    return


def _record(forge: Forge, request: UpdateRequest, outcome: EnvironmentOutcome) -> bool:
    """Record one; return whether it is worth going on with others: not where nobody answers.

    What a project refuses, or that it is unknown, says nothing of the next one.
    """
    try:
        forge.record_deployment(request.source, outcome.environment, _STATUS[outcome.kind])
    except UpdaterError as problem:
        log.warning(
            "The deployment of %s to %s is not recorded on %s: %s",
            request.image,
            outcome.environment,
            request.source.project,
            problem,
        )
        return not isinstance(problem, TemporaryError)
    return True
