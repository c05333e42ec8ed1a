"""`updater history`: what was deployed where, by whom and when, and the figures of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from updater.answers import deployment_json, figures_json
from updater.cli import options, show
from updater.history import Figures
from updater.messages import one_line
from updater.model import Deployment, Question, familiar_repository
from updater.oneshot import accounts

_HEADINGS = (
    *("WHEN", "ENVIRONMENT", "CHART", "IMAGE", "TAG", "WAS", "VERSION", "BY", "KIND", "COMMIT"),
    *("REQUEST", "MERGE REQUEST", "NOTES"),
)
_FIGURES = ("ENVIRONMENT", "CHART", "DEPLOYMENTS", "PER WEEK", "LEAD TIME", "FAIL RATE", "RESTORE")


@click.command("history")
@click.argument("chart", required=False, default="")
@click.option("--environment", default="", help="Only this environment.")
@options.image("Only this image, named without a tag.")
@click.option("--since", type=options.Moment(), help="Only from then on: a date, a time, or 7d or 4w ago.")
@click.option("--until", type=options.Moment(), help="Only before then, in the same forms.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most.")
@click.option(
    "--stats", is_flag=True, help="Show figures of that time instead: of 90 days unless --since says."
)
@options.as_json
def command(
    *,
    since: datetime | None,
    until: datetime | None,
    stats: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Show the deployments of all charts, or of CHART, the newest first, as the config repo tells them.

    Every commit that moved a tag counts: the updater's own, merge requests, and what people changed by
    hand.
    """
    question = Question(since=since, until=until, **asked)
    with accounts() as house:
        if stats:
            _show_figures(house.figures(question), as_json=as_json)
        else:
            _show(house.history(question), as_json=as_json)


def _show(found: Sequence[Deployment], *, as_json: bool) -> None:
    if as_json:
        show.as_json([deployment_json(one) for one in found])
        return
    images: dict[tuple[str, str], set[str]] = {}
    for one in found:
        images.setdefault((one.environment, ", ".join(one.charts)), set()).add(one.repository)
    # Most charts have one image, and then its name says nothing new.
    has_several = any(len(those) > 1 for those in images.values())
    show.table(
        _HEADINGS,
        [_row(one, has_several=has_several) for one in found],
        optional=("IMAGE", "VERSION", "REQUEST", "MERGE REQUEST", "NOTES"),
    )
    if not found:
        click.echo("Nothing like that was deployed, as far as the branches tell.", err=True)


def _row(one: Deployment, *, has_several: bool) -> tuple[str, ...]:
    was = dict.fromkeys(move.old or "(none)" for move in one.moves)
    return (
        show.moment(one.time),
        one.environment,
        ", ".join(one.charts),
        familiar_repository(one.repository) if has_several else "-",
        one.tag or "(none)",
        ", ".join(was),
        one_line(one.version) or "-",
        one_line(one.by) or "-",
        one.kind,
        show.short(one.commit),
        ", ".join(one.requests) or "-",
        one.merge_request or "-",
        "; ".join(_notes(one)) or "-",
    )


def _notes(one: Deployment) -> Sequence[str]:
    notes = [
        f"promoted from {one.promoted_from}" if one.promoted_from else "",
        f"takes back {', '.join(show.short(commit) for commit in one.reverts)}" if one.reverts else "",
        ": ".join(part for part in ("override" if one.override else "", one_line(one.reason)) if part),
        _taken_back(one),
    ]
    return [note for note in notes if note]


def _show_figures(found: Sequence[Figures], *, as_json: bool) -> None:
    if as_json:
        show.as_json([figures_json(one) for one in found])
        return
    show.table(_FIGURES, [_figures(one) for one in found])
    if not found:
        click.echo("Nothing like that was deployed, as far as the branches tell.", err=True)


def _figures(one: Figures) -> tuple[str, ...]:
    return (
        one.environment,
        one.chart or "(all)",
        str(one.deployments),
        f"{one.per_week:.1f}",
        show.span(one.lead_time),
        "-" if one.fail_rate is None else f"{one.fail_rate:.0%}",
        show.span(one.restore_time),
    )


def _taken_back(one: Deployment) -> str:
    if not one.reverted_by:
        return ""
    is_part = len(one.reverted_charts) < len(one.charts)
    where = f" in {', '.join(one.reverted_charts)}" if is_part else ""
    return f"taken back{where} by {show.short(one.reverted_by)}"
