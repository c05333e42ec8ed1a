"""`updater token`: makes a caller's token and the entry that lets it in."""

from __future__ import annotations

import click

from updater.auth import new_token


@click.command("token")
@click.argument("name")
def command(name: str) -> None:
    """Make a token for the caller NAME: give it to the caller, put the entry into the tokens file."""
    token, sha256 = new_token()
    click.echo(f"Token, shown once (give it to {name}, store it nowhere else):", err=True)
    click.echo(token)
    click.echo("Entry for the file that UPDATER_TOKENS_FILE names:", err=True)
    click.echo(f"{name}:\n  sha256: {sha256}\n  images: ['**']\n  environments: ['*']", err=True)
