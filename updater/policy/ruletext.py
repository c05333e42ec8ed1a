"""The text of a rules file: environments as a person would write them, with comments.

It hides quoting, and comments that no name of a file can break off. `suggest` writes with it what it
found by looking, `elsewhere` what another tool was told; `parse_rules` reads the result.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from updater.model import PinnedPlace, familiar_repository
from updater.yamledit import show_path
from updater.yamledit.loading import core_value

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./*-]*")
_WIDTH = 108


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """An environment to be written; `reasons` are comments, an empty pattern takes any tag.

    With `commented_out`, which says why, nothing of it counts until somebody takes its `#` away.
    """

    name: str
    files: tuple[str, ...]
    base: str = ""
    branch: str = ""
    pattern: str = ""
    order: str = "numeric"
    proposes: bool = False
    reasons: tuple[str, ...] = ()
    commented_out: str = ""


def rules_text(
    header: Iterable[str],
    notes: Sequence[str],
    environments: Sequence[Proposed],
    images: Sequence[PinnedPlace],
    *,
    commented_out: Sequence[PinnedPlace] = (),
) -> str:
    """Return the text of a rules file; `header` are paragraphs of a comment, `notes` a list below them.

    Of the images, those that are `commented_out` belong to such environments alone.
    """
    lines: list[str] = []
    for paragraph in header:
        lines += [*comment(paragraph, "# "), "#"]
    if notes:
        lines += ["# Not carried over, or to be known:", "#"]
    for note in notes:
        lines += comment(note, "# - ", "#   ")
    lines += ["", "environments:"]
    for one in environments:
        lines += _commented_out(one) if one.commented_out else _environment(one)
    if images or commented_out:
        lines.append("images:" if images else "#images:")
    lines += [line for image in images for line in _image(image)]
    lines += [f"  #{line[2:]}" for image in commented_out for line in _image(image)]
    return "\n".join([*lines, ""])


def place_lines(name: str, branch: str, globs: Sequence[str], base: str) -> Iterator[str]:
    """Yield an environment's name and where it is."""
    yield f"  {name}:"
    if branch:
        yield f"    branch: {scalar(branch)}"
    if len(globs) == 1:
        yield f"    files: {scalar(globs[0])}"
    elif globs:
        yield "    files:"
        yield from (f"      - {scalar(glob)}" for glob in globs)
    else:
        yield "    # No files: every values.yaml beside a Chart.yaml, and of version folders the highest."
    if base:
        yield f"    base: {scalar(base)}"


def comment(text: str, first: str, then: str | None = None) -> list[str]:
    """Return a comment on as many lines as it needs; no word is broken."""
    return textwrap.wrap(
        shown(text),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=first if then is None else then,
        break_long_words=False,
        break_on_hyphens=False,
    )


def shown(text: str) -> str:
    """Return what may stand in a comment, which a line's end would break off."""
    return text if text.isprintable() else ascii(text)


def scalar(text: str) -> str:
    """Write a value, plain where that is one."""
    return text if _PLAIN.fullmatch(text) and isinstance(core_value(text), str) else quoted(text)


def quoted(text: str) -> str:
    """Write a value in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def _environment(one: Proposed) -> Iterator[str]:
    yield from place_lines(one.name, one.branch, one.files, one.base)
    for reason in one.reasons:
        yield from comment(reason, "    # ")
    if one.pattern or one.order != "numeric":
        yield "    tags:"
        if one.pattern:
            yield f"      pattern: {quoted(one.pattern)}"
        yield f"      order: {one.order}"
    yield f"    delivery: {'merge-request' if one.proposes else 'commit'}"


def _commented_out(one: Proposed) -> Iterator[str]:
    """Yield an environment whose lines count when the first `#` of each is taken away."""
    yield from comment(f"Commented out: {one.commented_out}", "  # ")
    for line in _environment(one):
        yield f"  #{line[2:]}"


def _image(image: PinnedPlace) -> Iterator[str]:
    yield f"  - repository: {scalar(familiar_repository(image.repository))}"
    yield f"    file: {scalar(image.file)}"
    yield f"    path: {_path(image)}"


def _path(image: PinnedPlace) -> str:
    dotted = show_path(image.path)
    return json.dumps(list(image.path), ensure_ascii=False) if dotted.startswith("[") else quoted(dotted)
