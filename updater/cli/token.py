"""`updater token`: makes a caller's token and the entry that lets it in."""

from __future__ import annotations

import click

from updater.auth import NAME_RULE, is_caller_name, new_token
from updater.errors import InvalidRequest


@click.command("token")
@click.argument("name")
def command(name: str) -> None:
    """Make a token for the caller NAME: give it to the caller, put the entry into the tokens file.

    The token goes to standard output and the entry to standard error, whose other lines are comments:
    updater token NAME 2>>tokens.yaml
    """
    if not is_caller_name(name):
        raise InvalidRequest(f"{name!r} is no name for a caller: {NAME_RULE}.")
    token, sha256 = new_token()
    click.echo(f"# The token of {name} is shown once: give it to {name}, store it nowhere else.", err=True)
    click.echo(token)
    click.echo("# Entry for the file that UPDATER_TOKENS_FILE names:", err=True)
    # Quoted, as the name or the digits might read as a number.
    click.echo(f"'{name}':\n  sha256: '{sha256}'\n  images: ['**']\n  environments: ['*']", err=True)
