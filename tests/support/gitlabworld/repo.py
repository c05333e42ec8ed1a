"""The bare repo behind the double: reads branches, tries merges, makes merge commits as GitLab does."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from support.barerepo import clean_environment, git
from support.gitlabworld.state import Person

_FORMAT = "%H%x1f%P%x1f%an%x1f%ae%x1f%aI%x1f%cn%x1f%ce%x1f%cI%x1f%B"


@dataclass(frozen=True, slots=True)
class GitCommit:
    """One commit; times as Git writes them."""

    sha: str
    parents: tuple[str, ...]
    author: str
    author_email: str
    authored: str
    committer: str
    committer_email: str
    committed: str
    message: str

    @property
    def title(self) -> str:
        return self.message.partition("\n")[0]


class Repo:
    """Git's view of the config project. Commits never change, so what they say is kept."""

    def __init__(self, bare: Path) -> None:
        self.bare = bare
        self._bases: dict[tuple[str, str], str] = {}
        self._merges: dict[tuple[str, str], str | None] = {}
        self._commits: dict[str, GitCommit] = {}

    def branches(self) -> dict[str, str]:
        """Return the tip of each branch."""
        text = git(self.bare, "for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads")
        return {name: sha for sha, _, name in (line.partition(" ") for line in text.splitlines())}

    def default_branch(self) -> str:
        """Return the branch that HEAD names."""
        return git(self.bare, "symbolic-ref", "--short", "HEAD")

    def commit(self, revision: str) -> GitCommit | None:
        """Return a commit by name, None where there is none."""
        if revision in self._commits:
            return self._commits[revision]
        status, text = self._try(
            "log", "-1", f"--format={_FORMAT}", "--end-of-options", f"{revision}^{{commit}}", "--"
        )
        if status:
            return None
        found = _parsed(text)
        self._commits[found.sha] = found
        return found

    def commits(self, *revisions: str, limit: int = 1000) -> list[GitCommit]:
        """Return the commits that a range reaches, the newest first."""
        text = git(
            self.bare, "log", "-z", f"-{limit}", "--topo-order", f"--format={_FORMAT}", *revisions, "--"
        )
        return [_parsed(entry) for entry in text.split("\0") if entry.strip()]

    def merge_base(self, one: str, other: str) -> str:
        """Return the merge base, empty for unrelated histories."""
        if (one, other) not in self._bases:
            status, text = self._try("merge-base", one, other)
            self._bases[one, other] = "" if status else text
        return self._bases[one, other]

    def contains(self, tip: str, commit: str) -> bool:
        """Say whether the tip's history has the commit in it."""
        return self.merge_base(tip, commit) == commit

    def merged_tree(self, target: str, head: str) -> str | None:
        """Return the tree of a merge of the two, None where they conflict."""
        pair = (target, head)
        if pair not in self._merges:
            status, text = self._try("merge-tree", "--write-tree", target, head)
            self._merges[pair] = text.partition("\n")[0] if status == 0 else None
        return self._merges[pair]

    def commit_tree(self, tree: str, parents: list[str], message: str, *, by: Person, at: datetime) -> str:
        """Make a commit in somebody's name."""
        when = f"{int(at.timestamp())} +0000"
        names = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", by.name), ("EMAIL", by.email), ("DATE", when))
        }
        arguments = ["commit-tree", tree, *(part for parent in parents for part in ("-p", parent))]
        done = subprocess.run(
            ["git", "-C", str(self.bare), *arguments],
            input=message.encode(),
            capture_output=True,
            check=True,
            env=clean_environment() | names,
        )
        return done.stdout.decode().strip()

    def move(self, branch: str, new: str, old: str) -> bool:
        """Set a branch that still stands at `old`; say whether it did."""
        return self._try("update-ref", f"refs/heads/{branch}", new, old or "0" * 40)[0] == 0

    def delete(self, branch: str, old: str) -> bool:
        """Delete a branch that still stands at `old`; say whether it did."""
        return self._try("update-ref", "-d", f"refs/heads/{branch}", old)[0] == 0

    def changes(self, old: str, new: str) -> list[tuple[str, str]]:
        """Return letter (A, M, D, ...) and path of each file that differs."""
        text = git(self.bare, "diff-tree", "-r", "-z", "--no-renames", "--name-status", old, new)
        parts = text.rstrip("\0").split("\0") if text else []
        return list(zip(parts[::2], parts[1::2], strict=True))

    def patch(self, old: str, new: str, path: str) -> str:
        """Return the hunks of one file."""
        text = git(self.bare, "diff", "--no-color", "--no-ext-diff", old, new, "--", path)
        start = text.find("\n@@")
        return text[start + 1 :] + "\n" if start >= 0 else ""

    def _try(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            ["git", "-C", os.fspath(self.bare), *arguments], capture_output=True, env=clean_environment()
        )
        return done.returncode, done.stdout.decode(errors="replace").strip("\n")


def _parsed(entry: str) -> GitCommit:
    parts = entry.split("\x1f")
    return GitCommit(
        sha=parts[0].strip(),
        parents=tuple(parts[1].split()),
        author=parts[2],
        author_email=parts[3],
        authored=parts[4],
        committer=parts[5],
        committer_email=parts[6],
        committed=parts[7],
        message=parts[8].rstrip("\n") + "\n",
    )
