"""Commits as people look at them: who made them, what they say, and what differs between two.

Hides the formats of git-log(1) and git-diff(1). Called by `repo` and `proposing`; it only reads the
mirror.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from updater.configrepo.process import GitCommands

# Git knows it without having it: what a history that begins anew is compared with.
NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

_FIELDS = ("%H", "%P", "%an", "%ce", "%ct", "%B")
# None of the fields can hold a NUL.
_FORMAT = f"--format={'%x00'.join(_FIELDS)}"
# Beyond this many characters nobody reads a diff as one text.
_LONGEST_DIFF = 200_000


@dataclass(frozen=True, slots=True)
class LoggedCommit:
    """A commit of the config repo. `author` is a name, `time` (UTC) when it was committed."""

    commit: str
    parents: tuple[str, ...]
    author: str
    committer_email: str
    message: str
    time: datetime


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
    return [_commit(fields[at : at + size]) for at in range(0, len(fields) - size + 1, size)]


def _commit(fields: Sequence[str]) -> LoggedCommit:
    commit, parents, author, email, seconds, message = fields
    time = datetime.fromtimestamp(int(seconds), UTC)
    return LoggedCommit(commit, tuple(parents.split()), author, email, message.rstrip("\n"), time)


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
    """Return what differs between two commits as a unified diff, cut where it gets too long to read."""
    plain = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
    output = git.read("-c", "core.quotePath=false", "diff", *plain, old or NOTHING, new)
    text = output.decode(errors="replace")
    if len(text) <= _LONGEST_DIFF:
        return text
    kept = text[:_LONGEST_DIFF].rpartition("\n")[0]
    return f"{kept}\n... {text.count(chr(10)) - kept.count(chr(10)) - 1} more lines are not shown.\n"
