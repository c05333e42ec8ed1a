"""How commands print: tables for people, JSON for scripts."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Sequence

import click

from updater.model import EnvironmentOutcome, Outcome, OutcomeKind


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under headings: drawn on a terminal, plain aligned columns in a pipe."""
    if sys.stdout.isatty():
        from rich.console import Console  # noqa: PLC0415 - 100 ms that only a terminal pays
        from rich.table import Table  # noqa: PLC0415

        drawn = Table(*headings, box=None, pad_edge=False, header_style="bold")
        for row in rows:
            drawn.add_row(*row)
        Console(highlight=False, markup=False).print(drawn)
        return
    widths = [max(len(line[column]) for line in (headings, *rows)) for column in range(len(headings))]
    for line in (headings, *rows):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def as_json(value: object) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def outcome(result: Outcome, done: str = "committed") -> None:
    """Print what became of a request: a line per environment, its places and its notes.

    `done` is the word for what is a commit only on a remote.
    """
    for one in result.environments:
        name = f"{one.environment}: " if one.environment else ""
        kind = done if one.kind is OutcomeKind.COMMITTED else one.kind
        click.echo(f"{name}{kind}. {one.reason}")
        for place in one.places:
            if place.old != place.new:
                click.echo(
                    f"  {place.file}:{place.line} {place.path}: {place.old or '(none)'} -> {place.new}"
                )
        for note in one.notes:
            click.echo(f"  note: {note}")
        if one.commit:
            click.echo(f"  commit: {_address(one)}")


def _address(one: EnvironmentOutcome) -> str:
    return one.link or one.commit


def diff(file: str, before: bytes, after: bytes) -> str:
    """Return a unified diff of one file's change."""
    old, new = (text.decode("utf-8", "replace").splitlines(keepends=True) for text in (before, after))
    lines = difflib.unified_diff(old, new, f"a/{file}", f"b/{file}")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
