"""`updater serve`: runs the server."""

from __future__ import annotations

import os

import click

from updater.settings import TABLE, Settings


class _WithSettings(click.Command):
    """Help that lists every setting, from the one table."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Settings (environment variables)"):
            formatter.write_dl(
                [(row.variable, row.meaning + (f" [{row.default}]" if row.default else "")) for row in TABLE]
            )


@click.command("serve", cls=_WithSettings)
def command() -> None:
    """Run the server: take requests, write commits. It stops on SIGTERM or Ctrl-C."""
    from updater import wiring  # noqa: PLC0415 - help must not pay for the server

    wiring.serve(Settings.read(os.environ))
