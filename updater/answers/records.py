"""How a request's fate is told to machines, and proposals that wait.

Hides the names of the keys, and which outcome is which HTTP status and exit code.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from updater.model import (
    EnvironmentOutcome,
    HoldRequest,
    OpenProposal,
    Outcome,
    OutcomeKind,
    PlaceOutcome,
    PromotionRequest,
    Record,
    Request,
    RollbackRequest,
    Source,
    UpdateRequest,
    familiar_repository,
)

PENDING = "pending"
SETTLED = "settled"

# The statuses of an answer that waited for the outcome, and of one that could not wait long enough.
HTTP_STATUS = {
    OutcomeKind.UNCHANGED: 200,
    OutcomeKind.COMMITTED: 200,
    OutcomeKind.PROPOSED: 200,
    OutcomeKind.SUPERSEDED: 200,
    OutcomeKind.HELD: 409,
    OutcomeKind.REFUSED: 409,
    OutcomeKind.FAILED: 502,
}
PENDING_HTTP_STATUS = 202

EXIT_CODE = {
    OutcomeKind.UNCHANGED: 0,
    OutcomeKind.COMMITTED: 0,
    OutcomeKind.PROPOSED: 0,
    OutcomeKind.SUPERSEDED: 0,
    OutcomeKind.HELD: 1,
    OutcomeKind.REFUSED: 1,
    OutcomeKind.FAILED: 1,
}
PENDING_EXIT_CODE = 4


def http_status(outcome: Outcome | None) -> int:
    """Return the status for an answer that waited; None is a request that is not settled yet."""
    return PENDING_HTTP_STATUS if outcome is None else HTTP_STATUS[outcome.kind]


def exit_code(outcome: Outcome | None) -> int:
    """Return the command line's exit code; None is a request that is not settled yet."""
    return PENDING_EXIT_CODE if outcome is None else EXIT_CODE[outcome.kind]


def record_json(record: Record) -> dict[str, Any]:
    """Return what is known of a request, as JSON takes it.

    Every key is always there. Times are in UTC by RFC 3339; what is not known is null, texts are
    empty. `commit` and `link` at the top are those of the first environment that has them.
    """
    request, outcome = record.request, record.outcome
    environments = outcome.environments if outcome else request.done
    first = next((one for one in environments if one.commit or one.link), None)
    return {
        "id": request.id,
        "state": SETTLED if outcome else PENDING,
        "outcome": outcome.kind.value if outcome else None,
        "reason": outcome.reason if outcome else record.reason,
        "commit": first.commit if first else "",
        "link": first.link if first else "",
        **_wish_json(request),
        "environment": request.environment,
        "caller": request.caller.name,
        "received_at": time_json(request.received_at),
        "settled_at": time_json(record.settled_at),
        "attempts": record.attempts,
        "retry_at": time_json(record.retry_at),
        "environments": [_environment_json(environment) for environment in environments],
    }


def _wish_json(request: Request) -> dict[str, Any]:
    """Return what was asked for: an image, or an act of a person, which has no image of its own."""
    wish: dict[str, Any] = {
        "image": "",
        "digest": None,
        "source": _source_json(Source()),
        "promotion": None,
        "rollback": None,
        "hold": None,
        "override": None,
    }
    if not isinstance(request, HoldRequest) and request.override:
        wish["override"] = {"reason": request.reason}
    match request:
        case PromotionRequest():
            wish["promotion"] = {
                "from": request.origin,
                "to": request.environment,
                "charts": list(request.charts),
                "allow_older": request.allow_older,
                "reason": request.reason,
            }
        case RollbackRequest():
            wish["rollback"] = {
                "chart": request.chart,
                "to": request.to,
                "commit": request.commit,
                "alone": request.alone,
                "reason": request.reason,
            }
        case HoldRequest():
            wish["hold"] = {
                "chart": request.chart,
                "image": familiar_repository(request.repository) if request.repository else "",
                "build": request.build,
                "release": request.release,
                "reason": request.reason,
            }
        case UpdateRequest():
            wish["image"] = f"{request.image.name}:{request.image.tag}"
            wish["digest"] = request.image.digest
            wish["source"] = _source_json(request.source)
    return wish


def proposal_json(proposal: OpenProposal) -> dict[str, Any]:
    """Return an open proposal as JSON takes it; every key is always there, unknown texts are empty."""
    return {
        "name": proposal.name,
        "environment": proposal.environment,
        "branch": proposal.branch,
        "target": proposal.target,
        "head": proposal.head,
        "title": proposal.title,
        "number": proposal.number,
        "link": proposal.link,
        "images": [
            {
                "image": one.image,
                "previous": list(one.previous),
                "charts": list(one.charts),
                "replaced": list(one.replaced),
                "requests": list(one.requests),
                "requested_by": one.requested_by,
                "promoted_from": one.promoted_from,
                "reason": one.reason,
                "source": one.source,
                "pipeline": one.pipeline,
            }
            for one in proposal.images
        ],
        "waits": proposal.waits,
        "held_by": proposal.held_by,
        "diff": proposal.diff,
    }


def _environment_json(outcome: EnvironmentOutcome) -> dict[str, Any]:
    return {
        "environment": outcome.environment,
        "outcome": outcome.kind.value,
        "code": outcome.code,
        "reason": outcome.reason,
        "commit": outcome.commit,
        "link": outcome.link,
        "image": outcome.image,
        "chart": outcome.chart,
        "superseded_by": outcome.superseded_by,
        "proposals": [
            {"branch": one.branch, "number": one.number, "link": one.link} for one in outcome.proposals
        ],
        "places": [place_json(place) for place in outcome.places],
        "notes": list(outcome.notes),
    }


def place_json(place: PlaceOutcome) -> dict[str, Any]:
    """Return what became of one place."""
    return {
        "chart": place.chart,
        "file": place.file,
        "line": place.line,
        "path": place.path,
        "old": place.old,
        "new": place.new,
    }


def _source_json(source: Source) -> dict[str, str]:
    return {
        "project": source.project,
        "commit": source.commit,
        "ref": source.ref,
        "pipeline_id": source.pipeline_id,
        "pipeline_url": source.pipeline_url,
        "author": source.author,
        "committed_at": source.committed_at,
    }


def time_json(moment: datetime | None) -> str | None:
    """Return a time in UTC by RFC 3339, None for none."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
