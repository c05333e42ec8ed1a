"""Says whether this updater was asked for what a proposal carries, before it is merged by itself.

A source branch and its trailers can be pushed by anybody who may push at all; a request in the store
cannot be forged that way. `tending` asks; nothing is changed here.
"""

from __future__ import annotations

import enum

from updater.model import HoldRequest, Outcome, OutcomeKind, Record, RollbackRequest, UpdateRequest
from updater.plan import Change, Proposing
from updater.store import Store


class Asked(enum.Enum):
    """Whether somebody asked."""

    YES = "yes"
    NOT_DECIDED = "not decided"  # a request for it is not settled yet
    NO = "no"


def asked_for(store: Store, proposing: Proposing) -> Asked:
    """Say whether each image of a proposal is one that a request was told it proposes here."""
    found = {_asked_for(store, change) for change in proposing.changes}
    return Asked.NO if Asked.NO in found else next(iter(found - {Asked.YES}), Asked.YES)


def _asked_for(store: Store, change: Change) -> Asked:
    records = [store.get(request.id) for request in change.requests]
    found = {_says(record, change) for record in records if record is not None}
    return next((one for one in Asked if one in found), Asked.NO)


def _says(record: Record, change: Change) -> Asked:
    request = record.request
    if isinstance(request, UpdateRequest) and request.image != change.image:
        return Asked.NO
    if record.outcome is None:
        return Asked.NOT_DECIDED
    if isinstance(request, HoldRequest) or request.override != change.requests[0].override:
        return Asked.NO
    if isinstance(request, RollbackRequest) and not _takes_back(request, change):
        return Asked.NO
    if isinstance(request, RollbackRequest) != (change.rollback is not None):
        return Asked.NO
    is_one_of_many = not isinstance(request, UpdateRequest)
    return Asked.YES if _proposes(record.outcome, change, is_one_of_many=is_one_of_many) else Asked.NO


def _takes_back(request: RollbackRequest, change: Change) -> bool:
    """Say whether a change takes back what was decided on when the request was judged, and no more."""
    undo = change.rollback.undo if change.rollback else None
    return undo is not None and {one.image for one in request.chosen} == set(undo.commits)


def _proposes(outcome: Outcome, change: Change, *, is_one_of_many: bool) -> bool:
    return any(
        one.kind is OutcomeKind.PROPOSED
        and one.environment == change.environment
        and (not is_one_of_many or one.image == str(change.image))
        for one in outcome.environments
    )
