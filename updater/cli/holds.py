"""`updater holds`: which builds are kept out, and why."""

from __future__ import annotations

import click

from updater.answers import hold_json
from updater.cli import options, show
from updater.messages import one_line
from updater.model import Hold, familiar_repository
from updater.oneshot import accounts

_HEADINGS = ("ENVIRONMENT", "CHART", "IMAGE", "BUILD", "UNTIL", "BY", "SINCE", "REASON")
_UNTIL = {"newer": "newer build", "release": "release"}


@click.command("holds")
@click.option("--environment", default="", help="Only this environment.")
@options.as_json
def command(environment: str, *, as_json: bool) -> None:
    """List what is held: by `updater hold`, by a rollback, and by a person's own `git revert`."""
    with accounts() as asked:
        found = asked.holds(environment)
    if as_json:
        show.as_json([hold_json(one) for one in found])
        return
    show.table(_HEADINGS, [_row(one) for one in found])
    if not found:
        click.echo("Nothing is held.", err=True)


def _row(one: Hold) -> tuple[str, ...]:
    # Nobody wrote that one down: the commit is what there is to look at.
    revert = f"revert {show.short(one.commit)}" if one.commit else ""
    return (
        one.environment,
        one.chart,
        familiar_repository(one.repository) if one.repository else "every image",
        f"up to {one.build}" if one.build and one.until == "newer" else one.build or "every build",
        _UNTIL[one.until],
        one_line(one.by) or "-",
        show.moment(one.at),
        ": ".join(part for part in (revert, one_line(one.reason)) if part) or "-",
    )
