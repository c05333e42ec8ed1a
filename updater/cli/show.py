"""How commands print: tables for people, JSON for scripts."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import click

from updater.answers import exit_code, record_json
from updater.model import PROPOSAL_PREFIX, EnvironmentOutcome, Outcome, OutcomeKind, Record
from updater.oneshot import FileEdit

# How an outcome is called where nothing else is said, in a folder, and where it is only foreseen.
WORDS: Mapping[OutcomeKind, str] = {}
IN_FOLDER = {OutcomeKind.COMMITTED: "written"}
FORESEEN = {OutcomeKind.COMMITTED: "would be committed", OutcomeKind.PROPOSED: "would be proposed"}
# So much of a commit's id is shown, as the sentences do.
_SHOWN = 10


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], optional: Sequence[str] = ()) -> None:
    """Print rows under headings: drawn on a terminal, plain aligned columns in a pipe.

    An `optional` column is left out where no row has anything in it but `-`.
    """
    shown = [
        place
        for place, heading in enumerate(headings)
        if heading not in optional or any(row[place] != "-" for row in rows)
    ]
    headings, *rows = [[line[place] for place in shown] for line in (headings, *rows)]
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


@contextmanager
def bar() -> Iterator[Callable[[str, int, int], None]]:
    """Draw how far a job is, on a terminal only: what is done, how much of it, and of how much."""
    if not sys.stderr.isatty():
        yield lambda _what, _done, _all: None
        return
    from rich.console import Console  # noqa: PLC0415 - 100 ms that only a terminal pays
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as drawn:
        tasks = {}

        def progress(what: str, done: int, whole: int) -> None:
            if what not in tasks:
                tasks[what] = drawn.add_task(what)
            drawn.update(tasks[what], completed=done, total=whole)

        yield progress


def as_json(value: object) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def settled(
    record: Record, words: Mapping[OutcomeKind, str] = WORDS, *, in_json: bool, patch: str | None = None
) -> int:
    """Print what became of a request, or with a `patch` what would; return the exit code."""
    if in_json:
        as_json({**record_json(record), **({} if patch is None else {"diff": patch})})
    elif record.outcome is not None:
        outcome(record.outcome, words)
        click.echo(patch or "", nl=False)
    if patch is None:
        unsettled(record)
    return exit_code(record.outcome)


def outcome(result: Outcome, words: Mapping[OutcomeKind, str] = WORDS) -> None:
    """Print what became of a request: a line per environment, its places, notes and pages.

    `words` are those for what is a commit or a merge request only on a remote, and only when it is done.
    """
    for one in result.environments:
        name = ", ".join(part for part in (one.environment, one.chart) if part)
        click.echo(f"{name}: " * bool(name) + f"{word(one, words)}. {one.reason}")
        for place in one.places:
            if place.old != place.new:
                click.echo(
                    f"  {place.file}:{place.line} {place.path}: {place.old or '(none)'} -> {place.new}"
                )
        for note in one.notes:
            click.echo(f"  note: {note}")
        for page in pages(one):
            click.echo(f"  {page}")


def word(one: EnvironmentOutcome, words: Mapping[OutcomeKind, str]) -> str:
    """Return how an outcome is called; what is proposed already is that, whatever is done now."""
    return one.kind.value if one.code == "already-proposed" else words.get(one.kind, one.kind.value)


def pages(one: EnvironmentOutcome) -> list[str]:
    """Return where to look at what became of it: merge requests, proposals that have no page, the commit."""
    found = [f"merge request: {link.link}" for link in one.proposals if link.link]
    if one.kind is OutcomeKind.PROPOSED:
        names = (link.branch.removeprefix(PROPOSAL_PREFIX) for link in one.proposals if not link.link)
        found += [f"proposal: {name} (updater proposals show {name})" for name in names]
    elif one.commit:
        is_its_page = one.link not in {link.link for link in one.proposals}
        found.append(f"commit: {one.link if one.link and is_its_page else one.commit}")
    return found


def unsettled(record: Record) -> None:
    """Say what a one-shot job leaves undone, because there is no server that goes on with it."""
    if record.outcome is None:
        click.echo(f"Not settled in time: {record.reason or 'its turn has not come yet.'}", err=True)
    elif record.outcome.kind is OutcomeKind.HELD:
        click.echo(
            "Without a server nothing goes on by itself: run this again when that has ended.", err=True
        )


def short(commit: str) -> str:
    """Return as much of a commit's id as people need to find it."""
    return commit[:_SHOWN]


def moment(time: datetime | None) -> str:
    """Return a time for a table."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if time else "-"


def span(length: timedelta | None) -> str:
    """Return a length of time as people say it: `3d 4h`, `12m`."""
    if length is None:
        return "-"
    sign = "-" if length < timedelta(0) else ""
    minutes, seconds = divmod(round(abs(length).total_seconds()), 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = ((days, "d"), (hours, "h")) if days else ((hours, "h"), (rest, "m"))
    told = " ".join(f"{count}{unit}" for count, unit in parts if count)
    return sign + (told or f"{seconds}s")


def diff(edits: Iterable[FileEdit]) -> str:
    """Return a unified diff of some files' changes; a copy that is not changed is left out."""
    return "".join(map(_diff, edits))


def _diff(edit: FileEdit) -> str:
    old, new = (
        text.decode("utf-8", "replace").splitlines(keepends=True) for text in (edit.before, edit.after)
    )
    origin = edit.origin or edit.file
    lines = list(difflib.unified_diff(old, new, f"a/{origin}", f"b/{edit.file}"))
    head = f"diff --git a/{origin} b/{edit.file}\ncopy from {origin}\ncopy to {edit.file}\n"
    return (head if edit.origin and lines else "") + "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
