"""The trailers of the updater's commits: what the history will know of them.

Hides which facts of a change are kept for ever, and their order; the format itself is `trailers`. Called
by `rendering`. No template can change them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC

from updater import trailers
from updater.model import Hold, familiar_repository
from updater.plan import Change, HoldChange, Rollback
from updater.trailers import person


def of_changes(changes: Sequence[Change], more: Iterable[tuple[str, object]] = ()) -> str:
    """Return the trailers of some changes one after the other, and further ones."""
    return trailers.written([*(pair for change in changes for pair in _pairs(change)), *more])


def of_hold(change: HoldChange) -> str:
    """Return the trailers of a hold or a release."""
    request = change.request
    return trailers.written(
        [
            *(("Hold", _held(hold)) for hold in change.held),
            *(("Release", _held(hold)) for hold in change.released),
            ("Environment", change.environment),
            *(("Chart", chart) for chart in change.charts),
            ("Request", request.id),
            ("Requested-By", person(request.caller.name)),
            ("Reason", request.reason),
        ]
    )


def _held(hold: Hold) -> str:
    """Return a hold in a trailer: `repository:build`, the repository alone, or `*` for every image."""
    if not hold.repository:
        return f"*:{hold.build}" if hold.build else "*"
    image = familiar_repository(hold.repository)
    return f"{image}:{hold.build}" if hold.build else image


def _pairs(change: Change) -> Iterable[tuple[str, object]]:
    if change.rollback is not None:
        yield from _rollback_pairs(change, change.rollback)
        return
    request = change.requests[0]
    source, promoted = request.source, request.promoted
    yield "Image", change.image
    yield from (("Previous", tag or "none") for tag in change.previous)
    yield from (("Replaced", tag) for tag in change.replaced)
    yield "Environment", change.environment
    yield from (("Chart", chart) for chart in change.charts)
    yield from (("Version", f"{one.chart} {one.new}") for one in change.versions)
    yield from (("Request", request.id) for request in change.requests)
    yield "Source", trailers.source_link(source)
    yield "Pipeline", source.pipeline_url or source.pipeline_id
    yield "Source-Time", source.committed_at
    yield "Requested-By", person(source.author) or person(request.caller.name)
    if promoted:
        yield "Promoted-From", promoted.origin
        yield "Allow-Older", "yes" if promoted.allow_older else ""
    yield "Override", "yes" if request.override else ""
    yield "Reason", promoted.reason if promoted else request.reason


def _rollback_pairs(change: Change, rollback: Rollback) -> Iterable[tuple[str, object]]:
    """Yield a group for each image that stands again, then what all of them share."""
    request = change.requests[0]
    for one in rollback.restored:
        yield "Image", one.image
        yield "Previous", one.old or "none"
        yield "Environment", change.environment
        yield from (("Chart", chart) for chart in one.charts)
        yield "Hold", f"{familiar_repository(one.image.repository)}:{one.build}" if one.build else ""
    yield from (("Version", f"{one.chart} {one.new}") for one in change.versions)
    yield from (("Replaced", tag) for tag in change.replaced)
    yield from (("Request", each.id) for each in change.requests)
    yield "Requested-By", person(request.caller.name)
    yield "Requested-At", request.received_at.astimezone(UTC).isoformat(timespec="seconds")
    yield from (("Reverts", commit) for commit in rollback.undo.commits)
    yield "Alone", "yes" if rollback.undo.alone else ""
    yield "Override", "yes" if request.override else ""
    yield "Reason", request.reason
