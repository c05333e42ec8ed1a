"""The tests' double of GitLab in a process of its own, as a server would be: its CPU is not ours.

with GitLabAside(bare, latency=0.05) as gitlab:
    ...  # something that calls gitlab.url
    gitlab.take_calls().total
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.gitlabworld import GitLabWorld  # noqa: E402 - lies in tests/


@dataclass
class Clock:
    """The time of day, and what it was put forward."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True)
class Taken:
    """What the double did since it was last asked: API calls by kind, and seconds of the processor."""

    calls: Mapping[str, int]
    cpu: float

    @property
    def total(self) -> int:
        """How many API calls there were."""
        return sum(self.calls.values())

    @property
    def text(self) -> str:
        """The calls by kind, the most frequent first."""
        kinds = sorted(self.calls.items(), key=lambda kind: -kind[1])
        return ", ".join(f"{count} {kind}" for kind, count in kinds)


@dataclass
class GitLabAside:
    """A double of GitLab over a bare repo; `latency` is what each API call takes at least, in seconds."""

    bare: Path
    latency: float
    url: str = ""
    git_url: str = ""
    project: str = ""
    token: str = ""
    _door: Connection[Any, Any] = field(init=False, repr=False)

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        self._door, far = context.Pipe()
        self._process = context.Process(target=_serve, args=(self.bare, self.latency, far))
        self._process.start()
        far.close()
        self.url, self.git_url, self.project, self.token = self._door.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._door.close()
        self._process.join()

    def take_calls(self) -> Taken:
        """Return what was done since the last time."""
        self._door.send(None)
        taken: Taken = self._door.recv()
        return taken

    def advance(self, by: timedelta) -> None:
        """Put its clock forward."""
        self._door.send(by)
        self._door.recv()

    def require_approvals(self, count: int) -> None:
        """Let nothing be merged with fewer approvals."""
        self._door.send(count)
        self._door.recv()

    def states(self) -> Mapping[str, int]:
        """Return how many merge requests there are in each state."""
        self._door.send("states")
        states: Mapping[str, int] = self._door.recv()
        return states


def _serve(bare: Path, latency: float, door: Connection[Any, Any]) -> None:
    clock, cpu = Clock(), 0.0
    with GitLabWorld(bare, clock=clock, edition="ee") as world:
        world.latency = latency
        door.send((world.url, world.git_url, world.project, world.token))
        while True:
            try:
                asked = door.recv()
            except EOFError:
                return
            if isinstance(asked, timedelta):
                clock.ahead += asked
                door.send(None)
            elif isinstance(asked, int):
                world.approvals_required = asked
                door.send(None)
            elif asked == "states":
                door.send(Counter(request.state for request in world.requests))
            else:
                before, cpu = cpu, time.process_time()
                door.send(Taken(Counter(_kind(call.short) for call in world.calls), cpu - before))
                world.calls.clear()


def _kind(short: str) -> str:
    """Return a kind of call: all numbers are one."""
    method, _, path = short.partition(" ")
    return f"{method} {'/'.join('N' if part.isdigit() else part for part in path.split('/'))}"
