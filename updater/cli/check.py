"""`updater check`: what would break in a config repo, before it breaks."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import textwrap
from itertools import groupby
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from updater.check import CODES, Finding
from updater.cli import DONE, NOT_DONE, show
from updater.messages import Told
from updater.oneshot import Asked, Report, checked, checked_remote

# What GitLab says in a merge request's pipeline: where the target stands in the result of a merge, else where
# the branches parted.
_BASES = ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "CI_MERGE_REQUEST_DIFF_BASE_SHA")
_SEVERITIES = {True: "major", False: "minor"}
_DEEPER = " " * 6
_COLOURS = {True: "red", False: "yellow"}


def _codes(_context: click.Context, _option: click.Parameter, value: tuple[str, ...]) -> frozenset[str]:
    codes = frozenset(code.strip().upper() for text in value for code in text.split(",") if code.strip())
    unknown = sorted(codes - CODES)
    if unknown:
        raise click.BadParameter(f"there is no check {unknown[0]}; docs/check.md lists them all.")
    return codes


@click.command("check")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option("--remote", is_flag=True, help="Check the branches of UPDATER_REPO, instead of a folder.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "gitlab"]),
    default="text",
    help="How to print it; gitlab is a Code Quality report.",
)
@click.option("--strict", is_flag=True, help="Let warnings count as errors do.")
@click.option(
    "--ignore", "ignored", multiple=True, metavar="CODES", callback=_codes, help="Leave these checks out."
)
@click.option("--fix", is_flag=True, help="Mend in place what is safe to mend, and check again.")
@click.option("--catalog", default="", metavar="NAME", help="The name of the catalog in Rancher.")
@click.option(
    "--helm",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The Helm to render charts with; otherwise the one on PATH.",
)
@click.option("--no-helm", is_flag=True, help="Render nothing, also where there is a Helm.")
@click.option(
    "--base",
    default=lambda: next(filter(None, map(os.environ.get, _BASES)), ""),
    metavar="COMMIT",
    help="Look at what changed since this commit or branch, too; a merge request's pipeline knows it.",
)
def command(
    folder: Path | None, *, remote: bool, form: str, strict: bool, no_helm: bool, **asked: Any
) -> int:
    """Find what would break in FOLDER (a checkout of the config repo): in Helm, Rancher, Fleet, the updater.

    The exit code is 0 where there is no error, and 1 where there is one.
    """
    if remote and (folder is not None or asked["fix"]):
        raise click.UsageError("--remote checks what is pushed: name no folder, and mend a checkout (--fix).")
    if remote and click.get_current_context().get_parameter_source("base") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--remote compares nothing: name a base for a folder (--base).")
    # A third of the time goes into looking for garbage, and this process has none to speak of and ends soon.
    gc.disable()
    target = os.environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "")
    with show.bar() as progress:
        wish = Asked(
            folder=folder or Path(),
            branch=target or os.environ.get("CI_COMMIT_BRANCH", ""),
            default_branch=os.environ.get("CI_DEFAULT_BRANCH", ""),
            has_helm=not no_helm,
            progress=progress,
            **asked,
        )
        reports = checked_remote(wish) if remote else (checked(wish),)
    if form == "text":
        known: set[tuple[str, str]] = set()
        for number, report in enumerate(reports):
            if number:
                click.echo()
            _text(report, f"branch {report.branch}" if remote else "", known)
    else:
        top = "" if remote else _top(folder or Path())
        show.as_json([row for report in reports for row in _ROWS[form](report, top)])
    is_bad = any(report.errors or (strict and report.warnings) for report in reports)
    return NOT_DONE if is_bad else DONE


def _top(folder: Path) -> str:
    """Return where the folder stands in the project that the pipeline is of, with a / behind it."""
    top, here = Path(os.environ.get("CI_PROJECT_DIR", "")).resolve(), folder.resolve()
    is_within = here != top and here.is_relative_to(top)
    return f"{here.relative_to(top).as_posix()}/" if is_within else ""


def _json(report: Report, _top: str) -> list[dict[str, object]]:
    return [
        {
            "branch": report.branch,
            "code": finding.code,
            "severity": "error" if finding.is_error else "warning",
            "file": finding.file,
            "line": finding.line,
            "message": told.what,
            "breaks": told.breaks,
            "cure": told.cure,
            "facts": dict(finding.facts),
            "fixable": finding.fix is not None,
            "fingerprint": name,
        }
        for finding, told, name in report.findings
    ]


def _gitlab(report: Report, top: str) -> list[dict[str, object]]:
    return [
        {
            "description": f"{told.what} {told.cure}",
            "check_name": finding.code,
            "fingerprint": name,
            "severity": _SEVERITIES[finding.is_error],
            "location": {"path": top + finding.file, "lines": {"begin": max(finding.line, 1)}},
        }
        for finding, told, name in report.findings
    ]


_ROWS = {"json": _json, "gitlab": _gitlab}


def _text(report: Report, title: str, known: set[tuple[str, str]]) -> None:
    """Print what was found; what it breaks and the cure stand once, where they come first."""
    if title:
        click.secho(title, bold=True, underline=True)
    for file, found in groupby(report.findings, key=lambda one: one[0].file):
        click.secho(file, bold=True)
        for finding, told, _ in found:
            _paragraph(finding, told, known)
        click.echo()
    for finding, told in report.mended:
        where = f"{finding.file}:{finding.line}"
        click.echo(f"{click.style('mended', fg='green')} {where} {finding.code} {told.what}")
    click.echo(_sum(report))


def _paragraph(finding: Finding, told: Told, known: set[tuple[str, str]]) -> None:
    code = click.style(finding.code, fg=_COLOURS[finding.is_error], bold=True)
    where = f"{finding.line}: " if finding.line else ""
    _line("  ", f"{where}{code} {told.what}")
    for text in (told.breaks, f"{click.style('Cure:', bold=True)} {told.cure}"):
        if (finding.code, text) not in known:
            known.add((finding.code, text))
            _line(_DEEPER, text)


def _line(margin: str, text: str) -> None:
    """Print a sentence behind a margin; a terminal's lines break between words."""
    if sys.stdout.isatty():
        width = max(shutil.get_terminal_size().columns - len(_DEEPER), 40)
        lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
        text = f"\n{_DEEPER}".join(lines)
    click.echo(margin + text)


def _sum(report: Report) -> str:
    found = f"{_count(report.errors, 'error')}, {_count(report.warnings, 'warning')}"
    where = f" in {_count(report.charts, 'chart')}"
    if report.kustomizations:
        where += f" and {_count(report.kustomizations, 'kustomization')}"
    fixable = sum(finding.fix is not None for finding, _, _ in report.findings)
    more = f" {fixable} can be mended with --fix." if fixable else ""
    return f"{found}{where}.{more} {_how(report)}"


def _how(report: Report) -> str:
    compared = f" Compared with {report.base}." if report.base else ""
    if not report.helm:
        return f"Static rules only: no Helm was used.{compared}"
    return f"Helm {report.helm} rendered {_count(report.rendered, 'set')} of values.{compared}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
