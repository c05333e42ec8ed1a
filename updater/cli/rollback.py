"""`updater rollback`: deployments are taken back, without a server."""

from __future__ import annotations

from typing import Any

import click

from updater.cli import options, show
from updater.oneshot import Rollback, carry_out, preview


@click.command("rollback")
@click.argument("chart", required=False, default="")
@click.option("--environment", required=True, help="The environment that goes back.")
@click.option(
    "--to", default="", help="The tag, or the commit, that shall stand again; without it the last one."
)
@click.option("--commit", default="", help="Take this deployment back, for all charts that it moved.")
@click.option("--alone", is_flag=True, help="Take nothing back but the tags of the chart.")
@click.option("--override", is_flag=True, help="Let no freeze keep it back; needs --reason.")
@options.reason
@click.option("--dry-run", is_flag=True, help="Show what would go back, with a diff, and write nothing.")
@options.timeout
@options.as_json
def command(*, dry_run: bool, timeout: float, as_json: bool, **asked: Any) -> int:
    """Take the last deployment of CHART back, or all since --to, or the one of --commit.

    It is what `git revert` does, so whatever else those commits changed goes back as well, unless --alone
    says otherwise. The builds that are taken back, and older ones, are held from then on; a newer one goes
    out by itself, unless the rules say that somebody has to release it.
    """
    if bool(asked["chart"]) == bool(asked["commit"]):
        raise click.UsageError("Name the chart to take back, or give --commit: one of the two.")
    if asked["to"] and not asked["chart"]:
        raise click.UsageError("--to says what shall stand again in a chart: name the chart, not a --commit.")
    if asked["override"] and not asked["reason"].strip():
        raise click.UsageError("--override needs a --reason: it stands in the history.")
    rollback = Rollback(**asked)
    if not dry_run:
        return show.settled(carry_out(rollback, timeout), in_json=as_json)
    record, edits = preview(rollback)
    patch = show.diff(edits)
    return show.settled(record, show.FORESEEN, in_json=as_json, patch=patch)
