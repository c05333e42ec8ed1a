"""`updater hold`: builds are kept out of a chart until somebody releases it or a newer one comes."""

from __future__ import annotations

from typing import Any

import click

from updater.cli import options, show
from updater.oneshot import Holding, carry_out


@click.command("hold")
@click.argument("chart")
@click.option("--environment", required=True, help="The environment that builds are kept out of.")
@options.image("Only this image, named without a tag; otherwise all of the chart.")
@options.build("This tag and older ones; otherwise every build.")
@options.reason
@options.timeout
@options.as_json
def command(*, timeout: float, as_json: bool, **asked: Any) -> int:
    """Keep builds out of CHART: what is sent meanwhile is held.

    With --build a newer build goes out by itself and ends the hold, unless the rules say that somebody has
    to release it. Without --build nothing goes out before `updater release`.
    """
    return show.settled(carry_out(Holding(**asked), timeout), in_json=as_json)
