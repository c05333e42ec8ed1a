"""The forge on the double of GitLab: a config repo with proposals, a world that serves it, a client."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from support.barerepo import commit_as_person, git, make_bare
from support.gitlabworld import GitLabWorld

from updater.forge import Proposal
from updater.forge.gitlab import GitLab

BRANCH = "updater/prod/iris"
VALUES = "charts/iris/values-prod.yaml"
FILES = {VALUES: "image:\n  tag: master-1\n", "charts/rose/values-prod.yaml": "image:\n  tag: master-1\n"}


class Clock:
    """A clock that stands until it is told to go on; it began long after every commit of the tests."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


def config_repo(folder: Path) -> Path:
    """Make a bare config repo with a branch `main`."""
    return make_bare(folder, FILES)


def push(bare: Path, tag: str, *, branch: str = BRANCH, path: str = VALUES, target: str = "main") -> str:
    """Set a source branch to one commit on the target's tip that writes a tag; return it."""
    git(bare, "update-ref", f"refs/heads/{branch}", git(bare, "rev-parse", f"refs/heads/{target}"))
    return commit_as_person(bare, {path: f"image:\n  tag: {tag}\n"}, f"Update to {tag}", branch)


def proposal(head: str, **changes: Any) -> Proposal:
    """Return a proposal for a pushed head."""
    wanted: dict[str, Any] = {
        "branch": BRANCH,
        "target": "main",
        "head": head,
        "title": "Update iris in prod to master-2",
        "description": "| chart | tag |\n| --- | --- |\n| iris | master-2 |",
    }
    return Proposal(**{**wanted, **changes})


@contextlib.contextmanager
def connected(world: GitLabWorld, **changes: Any) -> Iterator[GitLab]:
    """Connect to a world as its bot, with a short patience."""
    wanted: dict[str, Any] = {
        "url": world.url,
        "project": world.project,
        "token": world.token,
        "ca_file": None,
        "clock": world.clock,
        "timeout": 5,
    }
    forge = GitLab(**{**wanted, **changes})
    try:
        yield forge
    finally:
        forge.hang_up()
