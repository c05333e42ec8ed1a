"""`updater status`: which tag stands where, since when, and what is in its way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from updater.answers import status_json
from updater.cli import options, show
from updater.messages import one_line
from updater.model import Hold, Status, StatusRow, familiar_repository
from updater.oneshot import standing


@click.command("status")
@click.argument("chart", required=False, default="")
@click.option("--environment", default="", help="Only this environment.")
@click.option(
    "--worktree",
    type=click.Path(path_type=Path, file_okay=False),
    help="Look at this folder instead of the remote.",
)
@options.as_json
def command(chart: str, environment: str, worktree: Path | None, *, as_json: bool) -> None:
    """Show which tag stands where, per environment and chart, as the config repo says now; or of CHART only.

    On the remote it says since when and by whom, and what is in the way of the next one: holds, freezes,
    proposals that wait, and another tag in the environment that this one is promoted from.
    """
    status = standing(environment, chart, worktree)
    if as_json:
        show.as_json(status_json(status))
    else:
        _show(status, is_remote=worktree is None)
    if not status.rows and not status.problems:
        click.echo(_nothing(chart), err=True)
    for problem in status.problems:
        click.echo(f"warning: {problem}", err=True)


def _nothing(chart: str) -> str:
    if chart:
        return f"No image was found in a chart {chart!r}: `updater status` without it lists every chart."
    return "No image was found in the files of any environment: compare `files` in .updater/rules.yaml."


def _show(status: Status, *, is_remote: bool) -> None:
    headings = ("ENVIRONMENT", "CHART", "IMAGE", "TAG", "SINCE", "BY", "PLACE", "NOTES")
    unknown = () if is_remote else ("SINCE", "BY")
    show.table(headings, [_row(one) for one in status.rows], optional=(*unknown, "NOTES"))
    # A whole sentence for every row of an environment would hide the rest.
    for pause in dict.fromkeys(one.pause for one in status.rows if one.pause):
        click.echo(pause)


def _row(one: StatusRow) -> tuple[str, ...]:
    last = one.deployment
    return (
        one.environment,
        one.chart,
        familiar_repository(one.repository),
        one.tag or "(none)",
        show.moment(last.time if last else None),
        (one_line(last.by) if last else "") or "-",
        f"{one.file}:{one.line}",
        "; ".join(_notes(one)) or "-",
    )


def _notes(one: StatusRow) -> Sequence[str]:
    notes = [_held(hold) for hold in one.holds]
    notes += ["nothing goes out now, see below"] if one.pause else []
    notes += [f"{waiting.tag} waits in {waiting.name}" for waiting in one.waiting]
    notes += [f"{one.origin} is at {one.origin_tag}"] if one.origin_tag else []
    return notes


def _held(hold: Hold) -> str:
    by = one_line(hold.by) or "somebody"
    if hold.build and hold.until == "newer":
        return f"held up to {hold.build} by {by}"
    return f"held by {by} until it is released"
