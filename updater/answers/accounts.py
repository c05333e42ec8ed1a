"""The JSON of what people ask about: deployments, figures, holds, what is where, and why.

Every key is always there; unknown texts are empty, and what is not known otherwise is null. Times are in
UTC by RFC 3339, spans of time are seconds.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from updater.answers.records import place_json, time_json
from updater.history import Figures
from updater.model import Deployment, Hold, Status, StatusRow, WaitingTag, Why, familiar_repository


def deployment_json(one: Deployment) -> dict[str, Any]:
    """Return a deployment."""
    return {
        "environment": one.environment,
        "image": familiar_repository(one.repository),
        "tag": one.tag,
        "digest": one.digest or None,
        "charts": [{"chart": move.chart, "previous": move.old} for move in one.moves],
        "version": one.version,
        "kind": one.kind,
        "by": one.by,
        "at": time_json(one.time),
        "commit": one.commit,
        "subject": one.subject,
        "requests": list(one.requests),
        "merge_request": one.merge_request,
        "source": one.source,
        "source_time": time_json(one.source_time),
        "pipeline": one.pipeline,
        "promoted_from": one.promoted_from,
        "reason": one.reason,
        "override": one.override,
        "reverts": list(one.reverts),
        "reverted_by": one.reverted_by,
        "reverted_charts": list(one.reverted_charts),
    }


def figures_json(one: Figures) -> dict[str, Any]:
    """Return the figures of one chart of an environment, or of all of it (`chart` is empty then)."""
    return {
        "environment": one.environment,
        "chart": one.chart,
        "deployments": one.deployments,
        "per_week": round(one.per_week, 3),
        "lead_time": _seconds(one.lead_time),
        "lead_times": one.lead_times,
        "fail_rate": None if one.fail_rate is None else round(one.fail_rate, 4),
        "restore_time": _seconds(one.restore_time),
    }


def hold_json(one: Hold) -> dict[str, Any]:
    """Return a hold; `commit` is set where a person took the build back by hand."""
    return {
        "environment": one.environment,
        "chart": one.chart,
        "image": familiar_repository(one.repository) if one.repository else "",
        "build": one.build,
        "until": one.until,
        "by": one.by,
        "at": time_json(one.at),
        "reason": one.reason,
        "commit": one.commit,
    }


def status_json(status: Status) -> dict[str, Any]:
    """Return what is where."""
    return {"places": [_row_json(row) for row in status.rows], "problems": list(status.problems)}


def _row_json(row: StatusRow) -> dict[str, Any]:
    last = row.deployment
    return {
        "environment": row.environment,
        "chart": row.chart,
        "repository": row.repository,
        "tag": row.tag,
        "digest": row.digest or None,
        "file": row.file,
        "line": row.line,
        "path": row.path,
        "since": time_json(last.time) if last else None,
        "by": last.by if last else "",
        "commit": last.commit if last else "",
        "kind": last.kind if last else "",
        "origin": row.origin,
        "origin_tag": row.origin_tag,
        "holds": [hold_json(hold) for hold in row.holds],
        "pause": row.pause,
        "waiting": [_waiting_json(one) for one in row.waiting],
    }


def why_json(why: Why) -> dict[str, Any]:
    """Return why an image is, or is not, in one environment."""
    return {
        "environment": why.environment,
        "image": why.image,
        "stands": why.stands,
        "text": why.text,
        "outcome": why.outcome.value,
        "code": why.code,
        "reason": why.reason,
        "places": [place_json(place) for place in why.places],
        "deployment": deployment_json(why.deployment) if why.deployment else None,
        "standing": [deployment_json(one) for one in why.standing],
        "waiting": [_waiting_json(one) for one in why.waiting],
        "requests": [
            {
                "id": one.id,
                "received_at": time_json(one.received_at),
                "outcome": one.outcome.value if one.outcome else None,
                "reason": one.reason,
            }
            for one in why.requests
        ],
    }


def _waiting_json(one: WaitingTag) -> dict[str, Any]:
    return {"tag": one.tag, "name": one.name, "link": one.link}


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else round(span.total_seconds())
