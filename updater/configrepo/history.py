"""Commits as people look at them: who made them, what they say, and what differs between two.

Hides the formats of git-log(1) and git-diff(1). Called by `repo`, `proposing`, `logbook`, `trees` and
`undoing`; it only reads the mirror.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from updater.configrepo.process import GitCommands
from updater.model import LoggedCommit

# Git knows it without having it: what a history that begins anew is compared with.
NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

_FIELDS = ("%H", "%P", "%an", "%ce", "%ct", "%B")
# None of the fields can hold a NUL.
_FORMAT = f"--format={'%x00'.join(_FIELDS)}"
# Beyond this many characters nobody reads a diff as one text.
_LONGEST_DIFF = 200_000
# Files that are compared with each new one at most; beyond, new ones are shown whole.
_MOST_COPIED = 2_000
_ID = re.compile(r"[0-9a-f]{40}")


def logged(git: GitCommands, *options: str, revisions: Sequence[str]) -> list[LoggedCommit]:
    """Return commits as `git log` lists them: the newest first. `revisions` are ids, `^` before one excludes.

    Raises:
        MirrorDamaged: one of them is missing.
    """
    if not revisions:
        return []
    output = git.read("log", "-z", _FORMAT, *options, "--stdin", stdin="\n".join(revisions).encode() + b"\n")
    fields = output.decode(errors="replace").split("\0")
    size = len(_FIELDS)
    return [told(fields[at : at + size]) for at in range(0, len(fields) - size + 1, size)]


# Options for one commit that may not be there.
ONE = ("--no-walk", "--ignore-missing")


def existing(git: GitCommands, names: Iterable[str]) -> dict[str, LoggedCommit]:
    """Return those commits that the mirror has, of some named by their whole ids."""
    ids = [name for name in names if _ID.fullmatch(name)]
    found = logged(git, *ONE, revisions=ids)
    return {one.commit: one for one in found if one.commit in ids}


def told(fields: Sequence[str]) -> LoggedCommit:
    """Return a commit from id, parents, author's name, committer's address, seconds and message."""
    commit, parents, author, email, seconds, message = fields
    return LoggedCommit(commit, tuple(parents.split()), author, email, message.rstrip("\n"), _time(seconds))


def _time(seconds: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        # Nothing stops people from pushing a commit without a time, or of the year 100,000.
        return datetime.fromtimestamp(0, UTC)


def landing(git: GitCommands, head: str, tip: str) -> LoggedCommit:
    """Return the commit that brought `head` into a branch at `tip`, which contains it.

    That is the oldest one on the branch's own line that holds it: a merge, or `head` itself where the
    branch was only moved forward.
    """
    # Together the two options would walk only along first parents, and lose a head behind a second one.
    since = [tip, f"^{head}"]
    above = {one.commit for one in logged(git, "--ancestry-path", revisions=since)}
    line = [one for one in logged(git, "--first-parent", revisions=since) if one.commit in above]
    if line and line[-1].parents[0] != head:
        return line[-1]
    return logged(git, "--no-walk", revisions=[head])[0]


def diff(git: GitCommands, old: str, new: str) -> str:
    """Return what differs between two commits as a unified diff, cut where it gets too long to read.

    Where folders came, such as a chart's next version, they are told by what they were copied from.
    """
    plain = ("--no-color", "--no-ext-diff", "--no-textconv")
    between = (old or NOTHING, new)
    around = _around(git, *between) if old else ""
    options: list[tuple[str, ...]] = [("--no-renames", *between)]
    if around:
        # Elsewhere nothing is looked for: every file there could be what was copied.
        options = [
            ("--find-copies-harder", f"-l{_MOST_COPIED}", *between, "--", f":(literal){around}"),
            ("--no-renames", *between, "--", ".", f":(exclude,literal){around}"),
        ]
    read = (git.read("-c", "core.quotePath=false", "diff", *plain, *more) for more in options)
    text = b"".join(read).decode(errors="replace")
    if len(text) <= _LONGEST_DIFF:
        return text
    kept = text[:_LONGEST_DIFF].rpartition("\n")[0]
    return f"{kept}\n... {text.count(chr(10)) - kept.count(chr(10)) - 1} more lines are not shown.\n"


def _around(git: GitCommands, old: str, new: str) -> str:
    """Return the folder in which all that came is in folders of its own; empty where there is none."""
    listing = git.read("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--diff-filter=A", old, new)
    added = [path.decode(errors="surrogateescape") for path in listing.split(b"\0")[:-1]]
    return os.path.dirname(os.path.commonpath(added)) if len(added) > 1 else ""  # noqa: PTH120 - Git's path
