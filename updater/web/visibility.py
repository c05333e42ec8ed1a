"""Which requests a caller may see: those for its images, and promotions that it made or could make.

Called by the routes that read. What may not be seen does not exist for that caller (404), so that
nobody learns of it by asking.
"""

from __future__ import annotations

from updater.auth import may_act_in, may_speak_for
from updater.model import PROMOTE, Caller, PromotionRequest, Record


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
    return PROMOTE in who.acts and may_act_in(who, request.environment)


def sees_all(who: Caller) -> bool:
    """Say whether there is surely no request that the caller may not see."""
    return "*" in who.images and "*" in who.environments and PROMOTE in who.acts
