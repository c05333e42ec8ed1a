"""Commits of the config repo as the history reads them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from updater.model.files import Files


@dataclass(frozen=True, slots=True)
class LoggedCommit:
    """A commit of the config repo. `author` is a name, `time` (UTC) when it was committed."""

    commit: str
    parents: tuple[str, ...]
    author: str
    committer_email: str
    message: str
    time: datetime


# A file's blob before and after a change; None where there is no regular file.
BlobChange = tuple[str | None, str | None]


class Log(Protocol):
    """What a history is read from; the config repo's door has it."""

    def commits(self, tip: str, since: str = "") -> Sequence[LoggedCommit]:
        """Return every commit that `tip` holds and `since` does not, parents before their children."""

    def changes(self, commits: Collection[str]) -> Mapping[str, Mapping[str, BlobChange]]:
        """Return which files differ between each commit and its first parent, by path."""

    def at(self, commit: str) -> Files:
        """Return the files at any commit."""

    def is_own(self, commit: LoggedCommit) -> bool:
        """Say whether the updater made a commit itself."""
