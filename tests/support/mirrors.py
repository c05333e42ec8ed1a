"""What the tests of the config repo's room share: a writer, drafts, and a look at child processes."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from support.gitserver import TOKEN, GitServer

from updater.configrepo import ConfigRepo, Draft, Identity, Remote, Signing

IDENTITY = Identity("Updater", "updater@example.com", "Updater Bot", "bot@example.com")
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
VALUES = "charts/iris/values.yaml"
FILES: Mapping[str, str | bytes] = {
    VALUES: "image:\n  repository: example.com/iris\n  tag: develop-1\n",
    "charts/iris/Chart.yaml": "name: iris\n",
    "charts/rose/values.yaml": "image:\n  repository: example.com/rose\n  tag: develop-1\n",
}


@contextlib.contextmanager
def mirrored(
    remote: Remote | str | GitServer, directory: Path, *, signing: Signing | None = None, timeout: float = 60
) -> Iterator[ConfigRepo]:
    """Open a config repo by its URL or its server, and close it afterwards."""
    if isinstance(remote, GitServer):
        remote = Remote(remote.url(), TOKEN)
    elif isinstance(remote, str):
        remote = Remote(remote)
    repo = ConfigRepo(remote, directory, identity=IDENTITY, signing=signing, timeout=timeout)
    try:
        yield repo
    finally:
        repo.close()


def draft(
    content: str | bytes = "tag: develop-2\n", message: str = "Update iris", path: str = VALUES
) -> Draft:
    """Make a draft that writes one file."""
    raw = content.encode() if isinstance(content, str) else content
    return Draft({path: raw}, message, NOW)


def write(
    repo: ConfigRepo, content: str | bytes = "tag: develop-2\n", branch: str = "main"
) -> tuple[str, str]:
    """Commit one draft on the branch as it is known, and return the old and the new commit."""
    base = repo.snapshot(branch)
    return base.commit, repo.commit(base, [draft(content)])[-1]


def left_behind(before: set[int], seconds: float = 10) -> set[int]:
    """Return the processes below this one that are new; a server's own may take a moment to end."""
    pause = threading.Event()
    for _ in range(int(seconds * 20)):
        if not children() - before:
            break
        pause.wait(0.05)
    return children() - before


def children() -> set[int]:
    """Return the ids of all processes below this one, also of those that ended and were not waited for."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found: set[int] = set()
    level = {os.getpid()}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level} - found
        found |= level
    return found
