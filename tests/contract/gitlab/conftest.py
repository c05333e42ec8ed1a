"""A config repo, the double of GitLab that serves it, and the updater's client, for every test here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.gitlabs import Clock, config_repo, connected
from support.gitlabworld import GitLabWorld

from updater.forge.gitlab import GitLab


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return config_repo(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings() -> dict[str, Any]:
    """What the double is set up with; a module overrides it for another generation or edition."""
    return {}


@pytest.fixture
def world(bare: Path, clock: Clock, settings: dict[str, Any]) -> Iterator[GitLabWorld]:
    with GitLabWorld(bare, clock=clock, **settings) as running:
        yield running


@pytest.fixture
def forge(world: GitLabWorld) -> Iterator[GitLab]:
    with connected(world) as forge:
        yield forge
