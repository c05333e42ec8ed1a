"""Shell-style patterns of file names, as the rules use them, and of image repositories.

This module hides how a glob becomes a regular expression that cannot be made slow. `policy` checks
with it what people write, `charts` lists files with it, `auth` and `plan` ask it for which images a
token speaks. It never looks at a disk.

`*`, `?` and `[...]` stay within one part of a path; `**` stands for any number of parts, none
included. A part that starts with a dot is taken only where the glob writes that dot, as in a shell:
Fleet and Helm skip hidden folders too.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from updater.errors import InvalidConfigRepo
from updater.model import familiar_repository

MAX_LENGTH = 512

# One part of a path that a wildcard may stand for. Possessive, so that nothing is tried twice.
_PART = r"(?!\.)[^/]++"
# Any number of parts and the slash after them; the lookbehinds stand for "no part, so no slash".
_PARTS = rf"(|{_PART}(?:/{_PART})*?)(?:(?<=[^/])/|(?<![^/]))"
_PIECE = re.compile(r"\*|\?|\[!?\]?[^\]]*\]|[^*?\[]+|\[")
# A range or a single character of a set. Every character is escaped, as re would warn about `[[` and `&&`.
_MEMBER = re.compile(r"(.)-(.)|(.)", re.DOTALL)


@functools.lru_cache(maxsize=1024)
def compile_glob(glob: str) -> re.Pattern[str]:
    """Return `glob` as a pattern for `match`, with each wildcard as a group.

    `compile_glob("charts/*/values.yaml").match(path).group(1)` is the chart's folder. Where several
    ways would do, an earlier wildcard takes as little as it can.

    Raises:
        InvalidConfigRepo: the glob is none; the message says why.
    """
    _refuse_unclear(glob)
    runs: list[str] = [""]
    parts = glob.split("/")
    for part in parts[:-1]:
        if part == "**":
            runs.append(_PARTS)
        else:
            runs[-1] += _translate_part(part, glob) + "/"
    last = rf"({_PART}(?:/{_PART})*+)" if parts[-1] == "**" else _translate_part(parts[-1], glob)
    # What lies between two `**` matches either way or not at all, so the first place where it does
    # is as good as any later one: no need to come back (the reasoning of CPython's fnmatch).
    head = runs[0] + "".join(f"(?>{run})" for run in runs[1:-1])
    tail = runs[-1] if len(runs) > 1 else ""
    return re.compile(rf"{head}{tail}{last}\Z")


def takes_repository(patterns: Iterable[str], repository: str) -> bool:
    """Say whether one of `patterns` takes the canonical `repository` or its familiar name.

    A `*` alone takes every repository.

    Raises:
        InvalidConfigRepo: a pattern is no glob.
    """
    names = (repository, familiar_repository(repository))
    return any(
        pattern in {"*", "**"} or any(compile_glob(pattern).match(name) for name in names)
        for pattern in patterns
    )


def glob_of(path: str) -> str:
    """Return a glob that takes `path`; where a character has no way to be written, any one is taken."""
    quoted = re.sub(r"[*?[]", lambda found: f"[{found[0]}]", path)
    return "".join("?" if one in "{}\\" or not one.isprintable() else one for one in quoted)


def _refuse_unclear(glob: str) -> None:
    parts = glob.split("/")
    if not glob:
        problem = "is empty: write a glob such as charts/*/values.yaml"
    elif len(glob) > MAX_LENGTH:
        problem = f"is {len(glob)} characters long; {MAX_LENGTH} are allowed"
    elif "\\" in glob or not glob.isprintable():
        problem = "has a backslash or a control character: parts are separated by '/', and nothing is escaped"
    elif glob.startswith("/"):
        problem = "starts with '/': write it relative to the top of the config repo"
    elif glob.endswith("/"):
        problem = f"ends with '/': write {glob}** for everything in that folder"
    elif not {"", ".", ".."}.isdisjoint(parts):
        problem = "has an empty part, '.' or '..': write the path from the top of the config repo"
    elif any("**" in part and part != "**" for part in parts):
        problem = "has '**' beside other characters: it stands between slashes, as in charts/**/values.yaml"
    elif "{" in glob or "}" in glob:
        problem = "has braces, which are no wildcard: write a list of globs"
    else:
        return
    raise InvalidConfigRepo(f"The glob {glob!r} {problem}.")


def _translate_part(part: str, glob: str) -> str:
    """Translate one part; a `*` before the last one takes the first place where the text after it fits."""
    hidden = "" if part.startswith(".") else r"(?!\.)"
    stretches = [""]
    for piece in _PIECE.findall(part):
        if piece == "*":
            stretches.append("([^/]*?)")
        elif piece == "?":
            stretches[-1] += "([^/])"
        elif piece.startswith("["):
            stretches[-1] += _translate_set(piece, glob)
        else:
            stretches[-1] += re.escape(piece)
    if len(stretches) == 1:
        return hidden + stretches[0]
    middle = "".join(f"(?>{stretch})" for stretch in stretches[1:-1])
    return f"{hidden}{stretches[0]}{middle}{stretches[-1]}"


def _translate_set(text: str, glob: str) -> str:
    negated = text.startswith("[!")
    members = text[2 if negated else 1 : -1]
    if not members or not text.endswith("]"):
        raise InvalidConfigRepo(f"The glob {glob!r} has a '[' without its ']'.")
    escaped = _MEMBER.sub(lambda found: "-".join(re.escape(one) for one in found.groups() if one), members)
    try:
        return re.compile(rf"((?!/)[{'^' if negated else ''}{escaped}])").pattern
    except re.error as error:
        raise InvalidConfigRepo(f"The glob {glob!r} has a set that is none: {error.msg}.") from error
