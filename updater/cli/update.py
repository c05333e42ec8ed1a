"""`updater update`: one image, one shot, without a server; on a remote or in a checkout."""

from __future__ import annotations

from pathlib import Path

import click

from updater.answers import exit_code, record_json
from updater.cli import show
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
    "--timeout",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Seconds to go on trying while the remote is away.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    image: str,
    *,
    digest: str | None,
    environment: str | None,
    worktree: Path | None,
    timeout: float,
    as_json: bool,
    **source: str,
) -> int:
    """Write IMAGE (registry/repository:tag) into the config repo that UPDATER_REPO names.

    Where the rules say so it is proposed: in a merge request, or on a branch that people approve.
    With --worktree it edits a checkout instead: where that holds no rules, no order is applied, and
    who names a tag gets it. Nothing is changed where anything is refused.
    """
    errand = Errand(
        image=ImageReference.parse(image, digest), environment=environment, source=Source(**source)
    )
    record = carry_out(errand, timeout) if worktree is None else update_folder(errand, worktree)
    if as_json:
        show.as_json(record_json(record))
    elif record.outcome is not None:
        show.outcome(record.outcome, show.WORDS if worktree is None else show.IN_FOLDER)
    show.unsettled(record)
    return exit_code(record.outcome)
