"""`updater set`: the exact edit as a tool, for people who would reach for yq or sed."""

from __future__ import annotations

from pathlib import Path

import click

from updater.errors import EditRefused, InvalidRequest
from updater.folder import replace_file
from updater.yamledit import KeyPath, Replace, YamlText, edit, parse, parse_path


@click.command("set")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("path")
@click.argument("value")
@click.option("--document", type=click.IntRange(min=1), help="Which document of the file, counted from 1.")
@click.option(
    "--follow", is_flag=True, help="Where the value is an alias (*name), change what it stands for."
)
def command(file: Path, path: str, value: str, *, document: int | None, follow: bool) -> None:
    """Set the value at PATH in FILE, and leave every other byte alone.

    PATH is dotted (image.tag, containers.0.image) or a JSON list (["image.1", "tag"]). The value is
    written so that Helm, YAML 1.1 and YAML 1.2 all read it as a string. What cannot be edited safely
    is refused with its line, and the file stays as it is.
    """
    place = parse_path(path)
    try:
        before = file.read_bytes()
    except OSError as problem:
        raise InvalidRequest(f"{file} cannot be read: {problem.strerror}.") from problem
    try:
        text = parse(before)
        number = _document(text, document) if document else _only_document(text, place)
        after = edit(text, [Replace(place, value, document=number, follow=follow)])
    except EditRefused as problem:
        raise problem.within(str(file)) from None
    if after == before:
        click.echo(f"{file}: {path} is {value} already; nothing was written.", err=True)
        return
    replace_file(file, after)


def _document(text: YamlText, document: int) -> int:
    """Return the index of a document that is counted from 1."""
    there = len(text.documents)
    if document > there:
        raise EditRefused(
            f"there is no document {document}: the file has {there}, and --document counts from 1"
        )
    return document - 1


def _only_document(text: YamlText, place: KeyPath) -> int:
    """Return the document that has the path; the first where none has it, so that the edit says so."""
    having = [number for number in range(len(text.documents)) if text.find(place, number) is not None]
    if len(having) > 1:
        found = ", ".join(str(number + 1) for number in having)
        raise EditRefused(f"documents {found} of this file all have it: choose one with --document")
    return having[0] if having else 0
