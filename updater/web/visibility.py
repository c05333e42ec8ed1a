"""What a caller may see: requests for its images, acts it made or could make, proposals, and what is where.

Called by the routes that read. What may not be seen does not exist for that caller (404), so that
nobody learns of it by asking. What a caller names itself and may not speak for is 403, whether it exists or
not.
"""

from __future__ import annotations

from dataclasses import replace

from updater.auth import may_speak_for, require_environment
from updater.model import (
    PROMOTE,
    ROLL_BACK,
    Caller,
    Deployment,
    Hold,
    HoldRequest,
    ImageReference,
    OpenProposal,
    PromotionRequest,
    Record,
    RollbackRequest,
    Status,
    StatusRow,
    UpdateRequest,
)


def may_see(who: Caller, record: Record) -> bool:
    """Say whether the caller may see a request.

    An update shows to whoever speaks for its image; a promotion, a rollback or a hold to whoever made it
    and to whoever may do the same in its environment.
    """
    request = record.request
    match request:
        case UpdateRequest():
            return may_speak_for(who, request.image.repository)
        case PromotionRequest():
            act = PROMOTE
        case RollbackRequest() | HoldRequest():
            act = ROLL_BACK
    return request.caller.name == who.name or (act in who.acts and who.may_reach(request.environment))


def may_see_proposal(who: Caller, proposal: OpenProposal) -> bool:
    """Say whether the caller speaks for a proposal's environment and for every image in it."""
    repositories = (ImageReference.parse(one.image).repository for one in proposal.images)
    return who.may_reach(proposal.environment) and all(may_speak_for(who, one) for one in repositories)


def may_see_deployment(who: Caller, one: Deployment) -> bool:
    """Say whether the caller speaks for a deployment's environment and image."""
    return who.may_reach(one.environment) and may_speak_for(who, one.repository)


def may_see_hold(who: Caller, hold: Hold) -> bool:
    """Say whether the caller speaks for a hold's environment, and for its image where it has one."""
    return who.may_reach(hold.environment) and (not hold.repository or may_speak_for(who, hold.repository))


def seen_of_status(who: Caller, status: Status, *, named: str) -> Status:
    """Return what the caller may see of what is where; `named` is the environment asked for, if any."""
    rows = (_seen_of_row(who, row) for row in status.rows if may_speak_for(who, row.repository))
    problems = status.problems
    if problems and not named and "*" not in who.environments:
        # Nothing tells whose environment each is about.
        problems = (
            "Not all could be looked at: ask for one environment by name to learn what is wrong there.",
        )
    return Status(rows=tuple(row for row in rows if who.may_reach(row.environment)), problems=problems)


def _seen_of_row(who: Caller, row: StatusRow) -> StatusRow:
    return row if who.may_reach(row.origin) else replace(row, origin="", origin_tag=None)


def require_named(who: Caller, environment: str) -> None:
    """Do nothing where the caller may look at the environment it named, or where it named none.

    Raises:
        NotAllowed: it may not; whether there is such an environment is not said.
    """
    if environment:
        require_environment(who, environment)


def sees_all(who: Caller) -> bool:
    """Say whether there is surely no request that the caller may not see."""
    return "*" in who.images and "*" in who.environments and {PROMOTE, ROLL_BACK} <= set(who.acts)
