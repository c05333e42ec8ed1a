"""Puts fixes into files: what was found and is safe to mend, byte-exactly.

It hides that several fixes meet in one file, and what cannot be edited. `oneshot` writes what it returns
and checks again; `inspection` has it take back the fixes that would mend nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from updater.check.findings import Finding, Fix
from updater.check.ground import Ground
from updater.check.nodes import value
from updater.errors import EditRefused
from updater.model import Files
from updater.yamledit import Replace, edit, parse


def feasible(ground: Ground, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings, without the fixes that an edit refuses or after which something else stands there.

    An alias is not written over, and a block of text keeps the line that ends it.
    """
    for one in findings:
        works = one.fix is None or _works(ground, one.fix)
        yield one if works else replace(one, fix=None)


def _works(ground: Ground, fix: Fix) -> bool:
    text = ground.parsed(fix.file)
    if isinstance(text, EditRefused):
        return False
    try:
        content = edit(text, fix.edits)
        after = parse(content)
    except EditRefused:
        return False
    if content == ground.files.read(fix.file):
        return False
    changes = (one for one in fix.edits if isinstance(one, Replace))
    return all(value(after.find(one.path, one.document, through=True)) == one.value for one in changes)


def mended(files: Files, findings: Iterable[Finding]) -> tuple[Mapping[str, bytes], tuple[Finding, ...]]:
    """Return the contents of the files that fixes change, and the findings that they mend.

    A fix that cannot be made safely is left out.
    """
    contents: dict[str, bytes] = {}
    done: list[Finding] = []
    for finding in findings:
        fix = finding.fix
        if fix is None:
            continue
        before = contents.get(fix.file) or files.read(fix.file)
        try:
            after = edit(parse(before), fix.edits)
        except EditRefused:
            continue
        if after != before:
            contents[fix.file] = after
            done.append(finding)
    return contents, tuple(done)
