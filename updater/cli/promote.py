"""`updater promote`: what stands in one environment goes to another, without a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from updater.answers import exit_code, record_json
from updater.cli import options, show
from updater.model import EnvironmentOutcome, Outcome, OutcomeKind
from updater.oneshot import Promotion, carry_out, preview

# How people who compare two environments call it; whatever else may come has the outcome's own word.
_DIFFERENCE = {OutcomeKind.UNCHANGED: "equal", OutcomeKind.SUPERSEDED: "overtaken"}
_MISSING = "not-in-target"


@click.command("promote")
@click.argument("charts", metavar="[CHART...]", nargs=-1)
@click.option("--from", "origin", required=True, help="The environment whose tags are taken.")
@click.option("--to", "environment", required=True, help="The environment that they go to.")
@click.option("--all", "everything", is_flag=True, help="Promote every chart, instead of naming them.")
@click.option("--dry-run", is_flag=True, help="Show the difference and write nothing.")
@click.option("--allow-older", is_flag=True, help="Go back to an older build where one stands in --from.")
@click.option("--reason", default="", help="Why; it stands in the commit and the merge request.")
@options.override
@options.timeout
@options.as_json
def command(
    charts: tuple[str, ...],
    *,
    everything: bool,
    dry_run: bool,
    timeout: float,
    as_json: bool,
    **asked: Any,
) -> int:
    """Write into --to the tags that stand in --from now, for each CHART or for --all.

    It works on the config repo that UPDATER_REPO names, in the way the rules say for --to: a commit, or a
    merge request. Look at the difference with --dry-run first.
    """
    if bool(charts) == everything:
        raise click.UsageError("Name the charts to promote, or give --all: one of the two.")
    if override := asked.pop("override"):
        if asked["reason"]:
            raise click.UsageError("--override gives the reason already: leave out --reason.")
        asked |= {"override": True, "reason": override}
    promotion = Promotion(charts=charts, **asked)
    if dry_run:
        record, edits = preview(promotion)
    else:
        record, edits = carry_out(promotion, timeout), []
    patch = show.diff(edits)
    if as_json:
        show.as_json({**record_json(record), **({"diff": patch} if dry_run else {})})
    elif record.outcome is not None:
        _show(record.outcome, show.FORESEEN if dry_run else {})
        click.echo(patch, nl=False)
    show.unsettled(record)
    return exit_code(record.outcome)


def _show(result: Outcome, words: Mapping[OutcomeKind, str]) -> None:
    """Print a row per chart and image, then what to know besides and where to look at it."""
    told = [one for one in result.environments if one.chart]
    if told:
        rows = [_row(one, words) for one in told]
        show.table(("CHART", "IMAGE", "STOOD" if not words else "STANDS", "WHAT", "REASON"), rows)
    for one in told:
        for line in (*(f"note: {note}" for note in one.notes), *show.pages(one)):
            click.echo(f"{one.chart}: {line}")
    about_all = tuple(one for one in result.environments if not one.chart)
    show.outcome(Outcome(kind=result.kind, reason=result.reason, environments=about_all), words)


def _row(one: EnvironmentOutcome, words: Mapping[OutcomeKind, str]) -> tuple[str, ...]:
    stood = dict.fromkeys(place.old or "(none)" for place in one.places)
    what = _DIFFERENCE.get(one.kind, show.word(one, words))
    if one.code == _MISSING:
        what = "missing"
    return one.chart, one.image or "-", ", ".join(stood) or "-", what, one.reason
