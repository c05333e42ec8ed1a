"""The facts that templates are filled with, each made safe to show.

Hides what of a change or a proposal is told to people. Called by `rendering`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from updater import trailers
from updater.messages.words import listing, one_line
from updater.model import Deployment, OutcomeKind, Source, Why, familiar_repository
from updater.plan import Change, HoldChange, Proposing, Rollback
from updater.trailers import person


def of_change(change: Change) -> dict[str, object]:
    """Return what is told of a commit for one image."""
    request, image = change.requests[0], change.image
    previous = listing([tag or "no tag" for tag in change.previous])
    promoted = request.promoted
    return {
        "charts": listing([one_line(chart) for chart in change.charts]),
        "tag": image.tag,
        "environment": one_line(change.environment),
        "image": familiar_repository(image.repository),
        "previous": one_line(previous),
        "digest": image.digest or "",
        "caller": one_line(request.caller.name),
        "author": one_line(person(request.source.author)),
        "source": trailers.source_link(request.source),
        "source_ref": "",
        "promoted_from": one_line(promoted.origin) if promoted else "",
        "reason": one_line(promoted.reason if promoted else request.reason),
        "versions": _versions(change),
        "rollback": of_rollback(change, change.rollback) if change.rollback else None,
    }


def _versions(change: Change) -> list[tuple[str, str, str]]:
    return [(one_line(one.chart), one.old, one.new) for one in change.versions]


def of_proposal(
    proposing: Proposing, deployed: Mapping[str, Source] = MappingProxyType({})
) -> dict[str, object]:
    """Return what is told of a proposal; `deployed` tells where images came from that stood before."""
    closed = proposing.standing.closed[:1]
    return {
        "environment": one_line(proposing.environment.name),
        "branch": proposing.branch,
        "target": one_line(proposing.target),
        "has_versions": any(change.versions for change in proposing.changes),
        "has_folders": any(one.folder for change in proposing.changes for one in change.versions),
        "changes": [_change_facts(change, deployed) for change in proposing.changes],
        "closed": [{"name": one.name, "link": one.link, "by": one_line(one.by)} for one in closed],
    }


def _change_facts(change: Change, deployed: Mapping[str, Source]) -> dict[str, object]:
    source = change.requests[0].source
    return {
        **of_change(change),
        "chart_names": change.charts,
        "requests": [request.id for request in change.requests],
        "replaced": change.replaced,
        "commit": one_line(source.commit[:12]),
        "comparison": _comparison(change, deployed),
        "pipeline": one_line(source.pipeline_id or source.pipeline_url.rpartition("/")[2]),
        "pipeline_url": source.pipeline_url,
    }


def _comparison(change: Change, deployed: Mapping[str, Source]) -> str:
    """Return GitLab's page that compares the sources of the old and the new tag, where both are known."""
    new = change.requests[0].source
    olds = [deployed.get(f"{change.image.repository}:{tag}") for tag in change.previous]
    page = trailers.project_page(new)
    for old in olds:
        if old and old.commit and new.commit and page and trailers.project_page(old) == page:
            return f"{page}/-/compare/{old.commit}...{new.commit}"
    return ""


def of_rollback(change: Change, rollback: Rollback) -> dict[str, object]:
    """Return what is told of a rollback."""
    request = change.requests[0]
    return {
        "charts": listing([one_line(chart) for chart in change.charts]),
        "environment": one_line(change.environment),
        "commits": list(rollback.undo.commits),
        "subjects": [one_line(subject) for subject in rollback.subjects],
        "alone": rollback.undo.alone,
        "versions": _versions(change),
        "reason": one_line(request.reason),
        "restored": [
            {
                "image": familiar_repository(one.image.repository),
                "old": one_line(one.old or "no tag"),
                "tag": one_line(one.image.tag or "no tag"),
            }
            for one in rollback.restored
        ],
    }


def of_hold(change: HoldChange) -> dict[str, object]:
    """Return what is told of a hold or a release."""
    holds = change.released or change.held
    return {
        "charts": listing([one_line(chart) for chart in change.charts]),
        "environment": one_line(change.environment),
        "released": bool(change.released),
        "until": holds[0].until if holds else "",
        "reason": one_line(change.request.reason),
        "what": listing(list(dict.fromkeys(_held(one.repository, one.build) for one in holds))),
    }


def _held(repository: str, build: str) -> str:
    image = familiar_repository(repository) if repository else "every image"
    return f"{image} up to {one_line(build)}" if build else image


def of_why(why: Why) -> dict[str, object]:
    """Return what is told of why an image is, or is not, in an environment."""
    return {
        "image": one_line(why.image),
        "environment": one_line(why.environment) or "any environment",
        "stands": why.stands,
        "reason": why.reason,
        "part": listing(_in_part(why)),
        "outcome": why.outcome.value,
        "asks": why.outcome in (OutcomeKind.COMMITTED, OutcomeKind.PROPOSED) and not why.waiting,
        "deployment": bool(why.deployment),
        "deployed": _deployed(why.deployment) if why.deployment else "",
        "standing": [_standing(one) for one in why.standing],
        "waiting": [one_line(one.link or one.name) for one in why.waiting],
        "requests": [
            {
                "received": one.received_at.strftime("%Y-%m-%d %H:%M UTC"),
                "outcome": one.outcome.value if one.outcome else "pending",
                "reason": one.reason,
            }
            for one in why.requests
        ],
    }


def _in_part(why: Why) -> list[str]:
    """Return the charts where the image stands, though it does not stand everywhere."""
    tag = why.image.partition("@")[0].rpartition(":")[2]
    return list(dict.fromkeys(one_line(place.chart) for place in why.places if place.old == tag))


def _where(one: Deployment) -> str:
    is_whole = set(one.charts) <= set(one.reverted_charts)
    return (
        ""
        if is_whole or not one.reverted_charts
        else f" in {listing(list(map(one_line, one.reverted_charts)))}"
    )


def _deployed(one: Deployment) -> str:
    when = one.time.strftime("%Y-%m-%d %H:%M UTC")
    text = f"commit {one.commit[:10]} of {when} by {one_line(one.by) or 'somebody'} ({one_line(one.subject)})"
    extras = [
        f"merged from {one_line(one.merge_request)}" if one.merge_request else "",
        f"promoted from {one_line(one.promoted_from)}" if one.promoted_from else "",
        f"overriding what kept it out: {one_line(one.reason)}" if one.override else "",
        f"taken back by commit {one.reverted_by[:10]}{_where(one)}" if one.reverted_by else "",
    ]
    return ", ".join([text, *(extra for extra in extras if extra)])


def _standing(one: Deployment) -> str:
    charts = listing([one_line(chart) for chart in one.charts])
    return f"{one_line(one.tag or 'no tag')} in {charts} since {one.time.strftime('%Y-%m-%d %H:%M UTC')}"
