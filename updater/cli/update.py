"""`updater update`: one image, one shot, without a server; on a remote or in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from updater.cli import options, show
from updater.model import ImageReference, Source
from updater.oneshot import Errand, carry_out, update_folder


@click.command("update")
@click.argument("image")
@click.option("--digest", help="The image's digest, where the reference holds none.")
@click.option("--environment", help="Only this environment; otherwise every one whose pattern takes the tag.")
@click.option(
    "--worktree",
    type=click.Path(path_type=Path, file_okay=False),
    help="Edit this folder in place; needs no Git, and commits nothing.",
)
@click.option("--project", default="", help="The source project, as a path or URL.")
@click.option("--commit", default="", help="The source commit.")
@click.option("--ref", default="", help="The source branch or tag.")
@click.option("--pipeline-url", default="", help="The pipeline that built the image.")
@click.option("--author", default="", help="Who made the change.")
@click.option(
    "--commit-time",
    "committed_at",
    metavar="TIME",
    default="",
    callback=options.commit_time,
    help="The time of the source commit, by RFC 3339.",
)
@options.override
@options.timeout
@options.as_json
def command(
    image: str,
    *,
    digest: str | None,
    worktree: Path | None,
    timeout: float,
    as_json: bool,
    **asked: Any,
) -> int:
    """Write IMAGE (registry/repository:tag) into the config repo that UPDATER_REPO names.

    Where the rules say so it is proposed: in a merge request, or on a branch that people approve.
    With --worktree it edits a checkout instead: where that holds no rules, no order is applied, and
    who names a tag gets it. Nothing is changed where anything is refused.
    """
    about = {name: asked.pop(name) for name in ("environment", "override")}
    errand = Errand(image=ImageReference.parse(image, digest), source=Source(**asked), **about)
    record = carry_out(errand, timeout) if worktree is None else update_folder(errand, worktree)
    return show.settled(record, show.WORDS if worktree is None else show.IN_FOLDER, in_json=as_json)
