"""Worlds with something in them already: a config repo, a pushed proposal, python-gitlab at the door."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gitlab
import requests
from support.barerepo import commit_as_person, make_bare, rewrite_as_person, tip
from support.gitlabworld import GitLabWorld

BRANCH = "updater/prod/iris"
FILES = {"iris.yaml": "tag: '1'\n", "lily.yaml": "tag: '1'\n"}


@contextlib.contextmanager
def gitlab_world(folder: Path, **settings: Any) -> Iterator[GitLabWorld]:
    """Run a world over a fresh config repo; nothing of the environment's proxies gets in between."""
    with GitLabWorld(make_bare(folder, FILES), **settings) as world:
        yield world


def push_proposal(
    world: GitLabWorld, tag: str = "2", *, branch: str = BRANCH, file: str = "iris.yaml"
) -> str:
    """Put a change on a source branch, made from main where there is none; return the new head."""
    bare = world.repo.bare
    if branch not in world.repo.branches():
        rewrite_as_person(bare, tip(bare), branch)
    return commit_as_person(bare, {file: f"tag: '{tag}'\n"}, f"Update iris to {tag}", branch)


def propose(world: GitLabWorld, tag: str = "2", *, branch: str = BRANCH, settled: bool = True) -> int:
    """Push a proposal and open its merge request as the bot; return its number."""
    push_proposal(world, tag, branch=branch)
    with world.lock:
        world.notice()
        request = world.make_request(branch, "main", f"Update iris to {tag}", by=world.bot)
    if settled:
        world.settle()
    return request.iid


def client(world: GitLabWorld, token: str = "", **settings: Any) -> gitlab.Gitlab:
    """Return python-gitlab, as the bot where no token is given."""
    session = requests.Session()
    # A proxy of the environment is for the outside, never for the loopback.
    session.trust_env = False
    return gitlab.Gitlab(
        world.url,
        private_token=token or world.token,
        timeout=10,
        keep_base_url=True,
        session=session,
        **settings,
    )


def ask(world: GitLabWorld, method: str, path: str, token: str = "", **settings: Any) -> requests.Response:
    """Ask the API below the config project, as the bot where no token is given."""
    url = f"{world.url}/api/v4/projects/{world.config.id}/{path}".rstrip("/")
    with requests.Session() as session:
        session.trust_env = False
        return session.request(
            method, url, headers={"PRIVATE-TOKEN": token or world.token}, timeout=10, **settings
        )
