"""What a caller may see: requests for its images, promotions it made or could make, and proposals.

Called by the routes that read. What may not be seen does not exist for that caller (404), so that
nobody learns of it by asking.
"""

from __future__ import annotations

from updater.auth import may_speak_for
from updater.model import PROMOTE, Caller, ImageReference, OpenProposal, PromotionRequest, Record


def may_see(who: Caller, record: Record) -> bool:
    """Say whether the caller may see a request.

    An update shows to whoever speaks for its image; a promotion to whoever made it and to whoever
    may promote to its environment.
    """
    request = record.request
    if not isinstance(request, PromotionRequest):
        return may_speak_for(who, request.image.repository)
    if request.caller.name == who.name:
        return True
    return PROMOTE in who.acts and who.may_reach(request.environment)


def may_see_proposal(who: Caller, proposal: OpenProposal) -> bool:
    """Say whether the caller speaks for a proposal's environment and for every image in it."""
    repositories = (ImageReference.parse(one.image).repository for one in proposal.images)
    return who.may_reach(proposal.environment) and all(may_speak_for(who, one) for one in repositories)


def sees_all(who: Caller) -> bool:
    """Say whether there is surely no request that the caller may not see."""
    return "*" in who.images and "*" in who.environments and PROMOTE in who.acts
