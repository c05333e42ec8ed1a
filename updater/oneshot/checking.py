"""Checking a folder: what would break there, told; and what is safe to mend, written.

Hides where the sentences come from, and that what was mended is checked again. `cli` calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from updater import wiring
from updater.check import (
    CODES,
    Finding,
    Ground,
    Trial,
    check,
    fingerprints,
    judged,
    mended,
    ordered,
    trials,
)
from updater.folder import Folder
from updater.helm import Helm
from updater.messages import CheckMessages, Told
from updater.model import Rendered
from updater.oneshot.since import changed_since

# Mending one thing can bring another to light, but not for long.
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: each finding with its sentences and a name that stays when lines move.

    `mended` are the findings that are gone since the files were mended; `charts` counts the charts, and
    `rendered` what the Helm of this version rendered, "" where there was none.
    """

    findings: tuple[tuple[Finding, Told, str], ...]
    mended: tuple[tuple[Finding, Told], ...]
    charts: int
    rendered: int = 0
    helm: str = ""

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
    """What to check: the folder, what is known of its branch, the codes to leave out, and whether to mend.

    `helm` is the program to render with, None for the one on PATH; without `has_helm` there is none.
    `base` is what changes are looked at since, "" for none. `progress` is called with what is done, how
    much of it, and of how much.
    """

    folder: Path
    branch: str = ""
    default_branch: str = ""
    catalog: str = ""
    ignored: frozenset[str] = frozenset()
    fix: bool = False
    helm: Path | None = None
    has_helm: bool = True
    base: str = ""
    progress: Callable[[str, int, int], None] = lambda *_: None


def checked(asked: Asked) -> Report:
    """Check a folder, mend it first where that is asked for, and tell what is left.

    Raises:
        InvalidRequest: it is no folder, or the Helm that was named is none.
        InvalidSettings: the base cannot be told.
        PermanentError: a file cannot be read or written.
    """
    messages = CheckMessages(wiring.templates(None), CODES)
    helm = Helm.find(asked.helm) if asked.has_helm else None
    gone: list[Finding] = []
    for _ in range(_ROUNDS):
        ground, found = _looked_at(asked)
        contents, done = mended(ground.files, found) if asked.fix else ({}, ())
        if not contents:
            break
        Folder(asked.folder).write(contents)
        gone.extend(done)
    wanted, problems = trials(ground) if helm is not None else ([], [])
    if helm is not None:
        proved = judged(ground, _rendered(asked, ground, helm, wanted))
        found = ordered((*found, *_left(asked, (*problems, *proved))))
    if asked.base:
        found = ordered((*found, *_left(asked, changed_since(asked.base, asked.folder, ground))))
    names = fingerprints(found)
    return Report(
        findings=tuple(
            (one, messages.tell(one.code, one.facts), name) for one, name in zip(found, names, strict=True)
        ),
        mended=tuple((one, messages.tell(one.code, one.facts)) for one in gone),
        charts=len(ground.charts),
        rendered=len(wanted),
        helm=helm.version if helm is not None else "",
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
    return ground, _left(asked, check(ground, partial(asked.progress, "checked")))


def _left(asked: Asked, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(one for one in findings if one.code not in asked.ignored)


def _rendered(
    asked: Asked, ground: Ground, helm: Helm, wanted: list[Trial]
) -> Iterator[tuple[Trial, Rendered]]:
    outcomes = helm.render(ground.files, (one.render for one in wanted))
    for done, (trial, rendered) in enumerate(zip(wanted, outcomes, strict=True)):
        yield trial, rendered
        asked.progress("rendered", done + 1, len(wanted))
