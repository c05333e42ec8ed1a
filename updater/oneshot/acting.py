"""Carrying an errand out: on the remote by the server's own road, or in a folder in place.

Hides how long it is tried, and what a one-shot job does where a server would go on by itself. `cli`
calls it.
"""

from __future__ import annotations

import threading
from pathlib import Path

from updater import wiring
from updater.model import Outcome, OutcomeKind, Record, RollbackRequest
from updater.oneshot.errands import AnyErrand, Errand
from updater.oneshot.grounds import House, checkout, open_house, shipped
from updater.oneshot.looking import told
from updater.plan import plan
from updater.sight import Known, look, look_at_folder

# Seconds between the tries of a one-shot job.
_PAUSE = 0.5


def carry_out(errand: AnyErrand, timeout: float) -> Record:
    """Carry out an errand on the config repo that the settings name, trying for `timeout` seconds.

    The record is pending, with its reason, where the remote stayed away for so long, and at once
    where only a change of the config repo helps: its rules are broken, or a branch is missing.
    """
    with open_house() as house:
        record, _ = house.store.add(errand.wish())
        record = _work(house, record, timeout)
        is_rollback = isinstance(record.request, RollbackRequest)
        if record.outcome is not None and (is_rollback or _may_be_merged(house, record.outcome)):
            # What was proposed gives way to a rollback, and what may be merged is.
            house.worker.look_around()
            record = house.store.get(record.request.id) or record
        return record


def _work(house: House, record: Record, timeout: float) -> Record:
    deadline = wiring.now().timestamp() + timeout
    pause = threading.Event()
    while True:
        house.worker.tick()
        record = house.store.get(record.request.id) or record
        is_hopeless = record.attempts > 0 and record.troubled_since is None
        if record.outcome is not None or is_hopeless or wiring.now().timestamp() >= deadline:
            return record
        pause.wait(_PAUSE)


def _may_be_merged(house: House, outcome: Outcome) -> bool:
    """Say whether something was proposed that the updater merges by itself, at once where it may."""
    proposed = {one.environment for one in outcome.environments if one.kind is OutcomeKind.PROPOSED}
    return any(
        one.name in proposed and "auto-merge" in (one.delivery, one.rollback.delivery)
        for one in (look(house.repo, Known()).rules.environments if proposed else ())
    )


def update_folder(errand: Errand, folder: Path) -> Record:
    """Write the image into a folder in place; nothing at all where anything is refused."""
    files = checkout(folder)
    sight, request = look_at_folder(files), errand.request()
    planned = plan(sight.rules, sight.grounds, [request])
    record = told(planned, sight, request, shipped())
    if record.outcome and all(one.kind is not OutcomeKind.REFUSED for one in record.outcome.environments):
        files.write({path: content for change in planned.changes for path, content in change.files.items()})
    return record
