"""What a history is read from: the commits beyond a known one, and the files each of them changed.

Hides that a few commits are read without a process, and any number of them with one. Called by `repo`;
it only reads the mirror.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from updater.configrepo import differing, history
from updater.configrepo.process import GitCommands
from updater.model import BlobChange, LoggedCommit

# As many as a batch makes in a few rounds; each is a question to the reader of objects.
_FEW = 8
# Only what Git and everybody else write as a matter of course: `git log` tells the rest.
_COMMIT = re.compile(
    rb"tree [0-9a-f]{40}\n"
    rb"((?:parent [0-9a-f]{40}\n)*)"
    rb"author ([^<>\n]*)<[^<>\n]*> \d+ [+-]\d{4}\n"
    rb"committer [^<>\n]*<([^<>\n]*)> (\d+) [+-]\d{4}\n"
    # Further headers, a signature among them; its lines begin with a blank.
    rb"((?:[^\n]+\n)*)"
    rb"\n(.*)",
    re.DOTALL,
)
_ENCODING = re.compile(rb"^encoding ", re.MULTILINE)


def commits(git: GitCommands, tip: str, since: str) -> list[LoggedCommit]:
    """Return every commit that `tip` holds and `since` does not (empty: all), parents before children.

    Raises:
        KeyError: the mirror has no commit `since`.
        MirrorDamaged: `tip` is missing.
    """
    if not since:
        return history.logged(git, "--topo-order", "--reverse", revisions=[tip])
    found = _few(git, tip, since)
    if found is not None:
        return found
    if not history.existing(git, [since]):
        raise KeyError(since)
    return history.logged(git, "--topo-order", "--reverse", revisions=[tip, f"^{since}"])


def _few(git: GitCommands, tip: str, since: str) -> list[LoggedCommit] | None:
    """Walk from `tip` down to `since` by the reader of objects; None where the way is long or forks."""
    found: list[LoggedCommit] = []
    name = tip
    while name != since:
        if len(found) == _FEW:
            return None
        ((_, content),) = git.objects([name])
        commit = parsed(name, content)
        if commit is None or len(commit.parents) != 1:
            return None
        found.append(commit)
        name = commit.parents[0]
    return found[::-1]


def parsed(name: str, content: bytes) -> LoggedCommit | None:
    """Return a commit from its bytes as `git log` tells it; None where only Git knows how."""
    found = _COMMIT.fullmatch(content)
    if found is None or b"\0" in content or _ENCODING.search(found[5]):
        return None
    parents = found[1].replace(b"parent ", b"")
    fields = (parents, found[2].rstrip(b" \t\r"), found[3], found[4], found[6])
    return history.told([name, *(field.decode(errors="replace") for field in fields)])


def changes(git: GitCommands, commits: Collection[str]) -> dict[str, dict[str, BlobChange]]:
    """Return the regular files that differ between each commit and its first parent.

    Raises:
        MirrorDamaged: one of the commits is missing.
    """
    if not commits:
        return {}
    options = ("--root", "--always", "--diff-merges=first-parent", "--no-renames")
    lines = "".join(f"{commit}\n" for commit in commits).encode()
    found = differing.read(git.read("diff-tree", "--stdin", "-r", "-z", *options, stdin=lines))
    # It passes over a commit that it cannot find.
    missing = next((commit for commit in commits if commit not in found), None)
    if missing is not None:
        raise git.damage(f"object {missing} is missing")
    return {commit: _files(found[commit]) for commit in commits}


def _files(differences: Collection[differing.Difference]) -> dict[str, BlobChange]:
    sides = {one.name: (one.old_blob, one.new_blob) for one in differences}
    return {name: blobs for name, blobs in sides.items() if name is not None and blobs != (None, None)}
