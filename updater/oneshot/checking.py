"""Checking a folder or the remote: what would break there, told; and what is safe to mend, written.

Hides where the sentences come from, and that what was mended is checked again. `cli` calls it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from updater import wiring
from updater.check import (
    CODES,
    Around,
    Finding,
    Ground,
    Trial,
    check,
    fingerprints,
    folded,
    judged,
    mended,
    ordered,
    trials,
)
from updater.configrepo import Snapshot
from updater.errors import InvalidConfigRepo
from updater.folder import Folder
from updater.helm import Helm
from updater.messages import CheckMessages, Told
from updater.model import Rendered
from updater.oneshot.grounds import config_repo
from updater.oneshot.since import changed_since
from updater.policy import RULES_PATH, Rules

# Mending one thing can bring another to light, but not for long.
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: each finding with its sentences and a name that stays when lines move.

    `mended` are the findings that are gone since the files were mended; `charts` and
    `kustomizations` count what was looked at, and `rendered` what the Helm of this version rendered, "" where
    there was none. `branch` is "" where nobody knows it, and `base` where nothing was compared.
    """

    findings: tuple[tuple[Finding, Told, str], ...]
    charts: int
    kustomizations: int = 0
    mended: tuple[tuple[Finding, Told], ...] = ()
    rendered: int = 0
    helm: str = ""
    branch: str = ""
    base: str = ""

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

    folder: Path = Path()
    branch: str = ""
    default_branch: str = ""
    catalog: str = ""
    ignored: frozenset[str] = frozenset()
    fix: bool = False
    helm: Path | None = None
    has_helm: bool = True
    base: str = ""
    progress: Callable[[str, int, int], None] = lambda *_: None


@dataclass(frozen=True, slots=True)
class _Means:
    """What a check is done with: the sentences, and a Helm where there is one."""

    messages: CheckMessages
    helm: Helm | None


def checked(asked: Asked) -> Report:
    """Check a folder, mend it first where that is asked for, and tell what is left.

    Raises:
        InvalidRequest: it is no folder, or the Helm that was named is none.
        InvalidSettings: the base cannot be told.
        PermanentError: a file cannot be read or written.
    """
    means = _means(asked)
    gone: list[Finding] = []
    for _ in range(_ROUNDS):
        ground, found = _looked_at(asked)
        contents, done = mended(ground.files, found) if asked.fix else ({}, ())
        if not contents:
            break
        Folder(asked.folder).write(contents)
        gone.extend(done)
    else:
        ground, found = _looked_at(asked)
    if asked.base:
        found = (*found, *changed_since(asked.base, asked.folder, ground))
    report = _reported(asked, means, ground, found)
    told = tuple((one, means.messages.tell(one.code, one.facts)) for one in gone)
    return replace(report, mended=told, base=asked.base)


def checked_remote(asked: Asked) -> tuple[Report, ...]:
    """Check every branch of the remote that an environment lives on, each at its tip; the default one first.

    Raises:
        InvalidSettings: the settings name no remote, or are wrong.
        InvalidRequest: the Helm that was named is none.
        Unreachable: the remote is away.
    """
    means = _means(asked)
    with config_repo() as repo:
        default = repo.default_branch()
        first = _ground_of(repo.snapshot(default), asked, default, None)
        reports, absent = [], []
        for branch in sorted(first.branches - {default}):
            try:
                snapshot = repo.snapshot(branch)
            except InvalidConfigRepo as problem:
                facts = {"problem": str(problem)}
                absent.append(Finding(code="E17", file=RULES_PATH, facts=facts))
            else:
                ground = _ground_of(snapshot, asked, default, first.rules)
                reports.append(_reported(asked, means, ground, _static(asked, ground), beside=branch))
        found = (*_static(asked, first), *absent)
        return (_reported(asked, means, first, found), *reports)


def _means(asked: Asked) -> _Means:
    helm = Helm.find(asked.helm) if asked.has_helm else None
    return _Means(CheckMessages(wiring.templates(None), CODES), helm)


def _looked_at(asked: Asked) -> tuple[Ground, tuple[Finding, ...]]:
    files = Folder(asked.folder)
    ground = Ground(
        files,
        branch=asked.branch,
        default_branch=asked.default_branch,
        catalog=asked.catalog,
        around=Around(files.links, _above(asked.folder)),
    )
    return ground, _left(asked, _static(asked, ground))


def _above(folder: Path) -> str:
    """Return the way to the folder with the rules, where that is one above in the same checkout."""
    whole = folder.resolve()
    for top in (whole, *whole.parents):
        if (top / RULES_PATH).is_file():
            return os.path.relpath(top) if top != whole else ""
        if (top / ".git").exists():
            break
    return ""


def _ground_of(snapshot: Snapshot, asked: Asked, default: str, rules: Rules | None) -> Ground:
    return Ground(
        snapshot,
        rules=rules,
        branch=snapshot.branch,
        default_branch=default,
        catalog=asked.catalog,
        around=Around(dict.fromkeys(snapshot.tree.irregular, "file")),
    )


def _static(asked: Asked, ground: Ground) -> tuple[Finding, ...]:
    return check(ground, partial(asked.progress, "checked"))


def _left(asked: Asked, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(one for one in findings if one.code not in asked.ignored)


def _reported(
    asked: Asked, means: _Means, ground: Ground, found: Iterable[Finding], *, beside: str = ""
) -> Report:
    """Render what there is to render, and tell all findings.

    `beside` is the branch where another one is reported as well, and both need names of their own.
    """
    helm, messages = means.helm, means.messages
    wanted, problems = trials(ground) if helm is not None else ([], [])
    proved = judged(ground, _rendered(asked, ground, helm, wanted)) if helm is not None else ()
    left = ordered(_left(asked, folded((*found, *problems, *proved))))
    names = fingerprints(left, beside)
    return Report(
        findings=tuple(
            (one, messages.tell(one.code, one.facts), name) for one, name in zip(left, names, strict=True)
        ),
        charts=len(ground.charts),
        kustomizations=len(ground.kustomizations),
        rendered=len(wanted),
        helm=helm.version if helm is not None else "",
        branch=ground.branch,
    )


def _rendered(
    asked: Asked, ground: Ground, helm: Helm, wanted: list[Trial]
) -> Iterator[tuple[Trial, Rendered]]:
    outcomes = helm.render(ground.files, (one.render for one in wanted))
    for done, (trial, rendered) in enumerate(zip(wanted, outcomes, strict=True)):
        yield trial, rendered
        asked.progress("rendered", done + 1, len(wanted))
