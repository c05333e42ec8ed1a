"""Puts fixes into files: what was found and is safe to mend, byte-exactly.

It hides that several fixes meet in one file. `oneshot` writes what it returns and checks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from updater.check.findings import Finding
from updater.errors import EditRefused
from updater.model import Files
from updater.yamledit import edit, parse


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
