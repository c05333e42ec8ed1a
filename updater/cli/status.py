"""`updater status`: which tag stands where."""

from __future__ import annotations

from pathlib import Path

import click

from updater.cli import show
from updater.model import familiar_repository
from updater.oneshot import StandingTag, standing
from updater.yamledit import show_path


@click.command("status")
@click.option("--environment", help="Only this environment.")
@click.option(
    "--worktree",
    type=click.Path(path_type=Path, file_okay=False),
    help="Look at this folder instead of the remote.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(environment: str | None, worktree: Path | None, *, as_json: bool) -> None:
    """Show which tag stands where: per environment and chart, as the config repo says now."""
    places, problems = standing(environment, worktree)
    if as_json:
        show.as_json([_as_json(one) for one in places])
    else:
        show.table(("ENVIRONMENT", "CHART", "IMAGE", "TAG", "PLACE"), [_row(one) for one in places])
    if not places:
        click.echo(
            "No image was found in the files of any environment: compare `files` in .updater/rules.yaml.",
            err=True,
        )
    for problem in problems:
        click.echo(f"warning: {problem}", err=True)


def _row(one: StandingTag) -> tuple[str, ...]:
    target = one.target
    image = familiar_repository(target.repository)
    return one.environment, target.chart, image, target.tag or "(none)", f"{target.file}:{target.line}"


def _as_json(one: StandingTag) -> dict[str, object]:
    target = one.target
    return {
        "environment": one.environment,
        "chart": target.chart,
        "repository": target.repository,
        "tag": target.tag,
        "digest": target.digest or None,
        "file": target.file,
        "line": target.line,
        "path": show_path(target.path),
    }
