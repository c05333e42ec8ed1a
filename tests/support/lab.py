"""The whole updater beside a GitLab: `support.world` with the double of GitLab as its forge."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support.barerepo import make_bare
from support.gitlabworld import GitLabWorld
from support.world import World, values

from updater.forge import Forge
from updater.forge.gitlab import GitLab

_START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RULES = """\
environments:
  dev:
    files: charts/*/values-dev.yaml
    tags: {{pattern: '^develop-(?P<build>[0-9]+)$', order: numeric}}
  prod:
    files: charts/*/values-prod.yaml
    tags: {{pattern: '^master-(?P<build>[0-9]+)$', order: numeric}}
    delivery: {delivery}
    promote-from: dev
{more}"""


def rules(delivery: str = "merge-request", more: str = "") -> str:
    return RULES.format(delivery=delivery, more=more)


def chart(name: str, dev: str = "develop-100", prod: str = "master-100") -> dict[str, str]:
    """The files of one chart with overlays for dev and prod."""
    return {
        f"charts/{name}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n",
        f"charts/{name}/values.yaml": values(name, "none"),
        f"charts/{name}/values-dev.yaml": f"image:\n  tag: {dev}\n",
        f"charts/{name}/values-prod.yaml": f"image:\n  tag: {prod}\n",
    }


class WatchedGitLab(GitLab):
    """The real GitLab client; its effects pass through the world's `effects`."""

    effects: Any

    def ensure(self, proposals: Any) -> Any:
        if not proposals:
            return []
        return self.effects.around("ensure", lambda: super(WatchedGitLab, self).ensure(proposals))

    def merge(self, merge_request: Any, **more: Any) -> Any:
        return self.effects.around("merge", lambda: super(WatchedGitLab, self).merge(merge_request, **more))

    def close(self, merge_request: Any, **more: Any) -> None:
        self.effects.around("close", lambda: super(WatchedGitLab, self).close(merge_request, **more))

    def note(self, merge_request: Any, text: str) -> None:
        self.effects.around("note", lambda: super(WatchedGitLab, self).note(merge_request, text))


@dataclass(frozen=True)
class Address:
    """Where a GitLab is, for a process of its own."""

    url: str
    project: str
    token: str


class Lab(World):
    """A world whose proposals are merge requests on `gitlab`."""

    def __init__(self, folder: Path, address: Address, bare: Path) -> None:
        self.address = address
        super().__init__(folder, bare=bare)

    gitlab: GitLabWorld

    def make_forge(self) -> Forge:
        forge = WatchedGitLab(
            self.address.url,
            self.address.project,
            self.address.token,
            ca_file=None,
            clock=lambda: self.now,
            timeout=5,
        )
        forge.effects = self.effects
        return forge

    def prod(self, name: str = "iris", branch: str = "main") -> str:
        """The tag that stands for prod."""
        return self.file(f"charts/{name}/values-prod.yaml", branch).split("tag: ")[1].split()[0]

    def look_around(self, times: int = 1) -> None:
        for _ in range(times):
            super().look_around()


@contextmanager
def lab(
    folder: Path, text: str | None = None, files: dict[str, str] | None = None, **more: Any
) -> Iterator[Lab]:
    """Open a lab: rules as `text`, charts iris and rose unless `files` says otherwise."""
    all_files = {**chart("iris"), **chart("rose")} if files is None else files
    bare = make_bare(folder, {".updater/rules.yaml": text or rules(), **all_files})
    holder: list[Lab] = []
    with GitLabWorld(bare, clock=lambda: holder[0].now if holder else _START, **more) as gitlab:
        address = Address(gitlab.url, gitlab.project, gitlab.token)
        with Lab(folder, address, bare) as world:
            world.gitlab = gitlab
            holder.append(world)
            yield world


@dataclass(frozen=True)
class Doom:
    """A life that ends with -9 when `point` (moment, effect, how often) comes, while `builds` are done."""

    folder: Path
    bare: Path
    address: Address
    point: tuple[str, str, int]
    builds: tuple[str, ...]

    def meets_its_end(self) -> bool:
        """Live; say whether the end came before everything was done."""
        doomed = multiprocessing.get_context("spawn").Process(target=self._live)
        doomed.start()
        doomed.join()
        exitcode = doomed.exitcode
        doomed.close()
        return exitcode == -signal.SIGKILL

    def _live(self) -> None:
        left = [self.point[2]]

        def hook(moment: str, effect: str) -> None:
            if (moment, effect) == self.point[:2]:
                left[0] -= 1
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)

        with Lab(self.folder, self.address, self.bare) as world:
            for image in self.builds:
                world.ci_builds(image)
            world.effects.hook = hook
            world.settle_all()
            world.look_around(4)
