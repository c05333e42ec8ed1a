"""Checking a folder: what would break there, told; and what is safe to mend, written.

Hides where the sentences come from, and that what was mended is checked again. `cli` calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from updater import wiring
from updater.check import CODES, Finding, Ground, check, fingerprints, mended
from updater.folder import Folder
from updater.messages import CheckMessages, Told

# Mending one thing can bring another to light, but not for long.
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: each finding with its sentences and a name that stays when lines move.

    `mended` are the findings that are gone since the files were mended; `charts` counts the charts.
    """

    findings: tuple[tuple[Finding, Told, str], ...]
    mended: tuple[tuple[Finding, Told], ...]
    charts: int

    @property
    def errors(self) -> int:
        """How many errors there are."""
        return sum(finding.is_error for finding, _, _ in self.findings)

    @property
    def warnings(self) -> int:
        """How many warnings there are."""
        return len(self.findings) - self.errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to check: the folder, what is known of its branch, the codes to leave out, and whether to mend."""

    folder: Path
    branch: str = ""
    default_branch: str = ""
    catalog: str = ""
    ignored: frozenset[str] = frozenset()
    fix: bool = False
    progress: Callable[[int, int], None] | None = None


def checked(asked: Asked) -> Report:
    """Check a folder, mend it first where that is asked for, and tell what is left.

    Raises:
        InvalidRequest: it is no folder.
        PermanentError: a file cannot be read or written.
    """
    messages = CheckMessages(wiring.templates(None), CODES)
    gone: list[Finding] = []
    for _ in range(_ROUNDS):
        ground, found = _looked_at(asked)
        contents, done = mended(ground.files, found) if asked.fix else ({}, ())
        if not contents:
            break
        Folder(asked.folder).write(contents)
        gone.extend(done)
    names = fingerprints(found)
    return Report(
        findings=tuple(
            (one, messages.tell(one.code, one.facts), name) for one, name in zip(found, names, strict=True)
        ),
        mended=tuple((one, messages.tell(one.code, one.facts)) for one in gone),
        charts=len(ground.charts),
    )


def _looked_at(asked: Asked) -> tuple[Ground, tuple[Finding, ...]]:
    files = Folder(asked.folder)
    ground = Ground(
        files,
        branch=asked.branch,
        default_branch=asked.default_branch,
        links=files.links,
        catalog=asked.catalog,
    )
    return ground, tuple(one for one in check(ground, asked.progress) if one.code not in asked.ignored)
