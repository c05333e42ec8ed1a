"""`updater plan`: what an image would change and why, as a diff; changes nothing."""

from __future__ import annotations

from pathlib import Path

import click

from updater.cli import options, show
from updater.model import ImageReference
from updater.oneshot import Errand, preview


@click.command("plan")
@click.argument("image")
@click.option("--digest", help="The image's digest, where the reference holds none.")
@click.option("--environment", help="Only this environment; otherwise every one whose pattern takes the tag.")
@click.option(
    "--worktree",
    type=click.Path(path_type=Path, file_okay=False),
    help="Plan on this folder instead of the remote.",
)
@options.as_json
def command(
    image: str, *, digest: str | None, environment: str | None, worktree: Path | None, as_json: bool
) -> int:
    """Show what `updater update IMAGE` would change and why, and change nothing.

    Where it would be proposed, the diff is what the merge request would show. The exit code is that of
    `updater update`.
    """
    errand = Errand(image=ImageReference.parse(image, digest), environment=environment)
    record, edits = preview(errand, worktree)
    patch = show.diff(edits)
    return show.settled(record, show.FORESEEN, in_json=as_json, patch=patch)
