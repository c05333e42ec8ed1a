"""`updater release`: what was held may go out again."""

from __future__ import annotations

from typing import Any

import click

from updater.cli import options, show
from updater.oneshot import Holding, carry_out


@click.command("release")
@click.argument("chart")
@click.option("--environment", required=True, help="The environment that builds may go to again.")
@options.image("Only holds on this image, named without a tag.")
@options.build("Only the hold on this tag.")
@options.reason
@options.timeout
@options.as_json
def command(*, timeout: float, as_json: bool, **asked: Any) -> int:
    """End the holds on CHART, whoever set them: a person, a rollback, or somebody's own `git revert`.

    `updater holds` lists them.
    """
    return show.settled(carry_out(Holding(**asked, release=True), timeout), in_json=as_json)
