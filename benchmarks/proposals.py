"""What merge requests cost: API calls and time, with many proposals at once.

    .venv/bin/python benchmarks/proposals.py [--charts 100] [--proposals 100] [--latency 50]
        [--runs 5] [--merge-runs 1] [--doors]

The real worker on a real mirror and database, and the tests' double of GitLab in a process of its own,
with so many milliseconds of latency per API call. The worker pushes to it over smart HTTP. Prints, for
environments by `merge-request` and by `auto-merge`, what each step took; the fastest of the runs, because
a busy machine only ever adds.

`--doors` also prints where the time went. With `--profile FOLDER` the worker's thread is profiled, one
file a step (python -m pstats FILE); its times are then no good.
"""

from __future__ import annotations

import argparse
import cProfile
import http.client
import logging
import os
import platform
import resource
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import repos
from gitlab_aside import Clock, GitLabAside, Taken

# `gitlab_aside` has put the checkout and tests/ on the path.
from support.barerepo import commit_as_person, git

from updater import wiring
from updater.configrepo import ConfigRepo, Identity, Remote
from updater.forge import Forge
from updater.forge.client import CONNECTIONS
from updater.forge.gitlab import GitLab
from updater.messages import Messages
from updater.model import Caller, ImageReference
from updater.store import Store, Wish
from updater.worker import Doors, Habits, Worker

POLL = timedelta(seconds=30)
# By then all should be merged, or never will be.
MOST_LOOKS = 400
RULES = """\
environments:
  prod:
    files: charts/*/values-prod.yaml
    tags: {{pattern: '^master-(?P<build>[0-9]+)$', order: numeric}}
    delivery: {delivery}
"""


class Stopwatch:
    """Stands before a door: every call goes through, and `seconds` says how long each kind took."""

    def __init__(self, door: object, seconds: dict[str, float]) -> None:
        self._door = door
        self._seconds = seconds

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._door, name)
        if not callable(found):
            return found
        kind = f"{type(self._door).__name__}.{name}"

        def timed(*arguments: object, **more: object) -> object:
            started = time.perf_counter()
            try:
                return found(*arguments, **more)
            finally:
                spent = time.perf_counter() - started
                self._seconds[kind] = self._seconds.get(kind, 0.0) + spent

        return timed


@dataclass(frozen=True)
class Step:
    """What one step took: seconds by the clock, of the processor (ours, and of Git for us), and by door."""

    name: str
    proposals: int
    seconds: float
    own_cpu: float
    git_cpu: float
    doors: Mapping[str, float]
    taken: Taken
    looks: int = 0

    def of(self, *kinds: str) -> float:
        """Return the seconds spent in calls whose kind begins so."""
        return sum(spent for kind, spent in self.doors.items() if kind.startswith(kinds))

    @property
    def row(self) -> tuple[str, ...]:
        """The step as a row of the table."""
        forge, moves = self.of("GitLab."), self.of("ConfigRepo.push", "ConfigRepo.fetch")
        looks = f", {self.looks} looks" if self.looks else ""
        return (
            f"{self.name}{looks}",
            f"{self.taken.total}",
            f"{self.taken.total / self.proposals:.2f}",
            f"{self.seconds:.2f} s",
            f"{forge:.2f} s",
            f"{moves:.2f} s",
            f"{self.seconds - forge - moves:.2f} s",
            f"{self.own_cpu:.2f} s",
        )


HEADS = ("step", "calls", "a proposal", "time", "GitLab", "push, fetch", "the rest", "our CPU")


@dataclass
class Bench:
    """One worker beside one double of GitLab, with nothing proposed yet."""

    gitlab: GitLabAside
    worker: Worker
    store: Store
    clock: Clock
    proposals: int
    spent: dict[str, float]
    profiles: Path | None
    steps: list[Step] = field(default_factory=list)

    def ask(self, tag: str) -> None:
        """Have an image of every chart's wished for."""
        for number in range(self.proposals):
            image = ImageReference.parse(f"{repos.image(number)}:{tag}")
            self.store.add(Wish(image=image, caller=Caller(name="ci")))

    def settle(self) -> None:
        """Work until nothing waits."""
        for _ in range(20):
            self.worker.tick()
            if not self.store.counts()["pending"]:
                return
            self.let_pass(POLL)
        raise SystemExit("Requests were not settled.")

    def look_around(self) -> None:
        """Look at everything once, as the worker does after each poll interval."""
        self.let_pass(POLL)
        self.worker.look_around()

    def let_pass(self, time: timedelta) -> None:
        """Put the clocks forward."""
        self.clock.ahead += time
        self.gitlab.advance(time)

    def merge_all(self) -> int:
        """Look around until every merge request is merged; return how often that was."""
        for looks in range(1, MOST_LOOKS):
            self.look_around()
            if not self.gitlab.states().get("opened"):
                return looks
        raise SystemExit(f"Not all was merged: {self.gitlab.states()}.")

    def step(self, name: str, act: Callable[[], int | None]) -> None:
        """Do something and note what it took."""
        self.gitlab.take_calls()
        self.spent.clear()
        profile = cProfile.Profile() if self.profiles else None
        git_cpu, own_cpu, started = _children(), time.process_time(), time.perf_counter()
        looks = profile.runcall(act) if profile else act()
        seconds, own_cpu = time.perf_counter() - started, time.process_time() - own_cpu
        if profile and self.profiles:
            profile.dump_stats(self.profiles / f"{name.replace(' ', '-').replace('.', '')}.prof")
        taken, doors = self.gitlab.take_calls(), dict(self.spent)
        git_cpu = _children() - git_cpu
        self.steps.append(Step(name, self.proposals, seconds, own_cpu, git_cpu, doors, taken, looks or 0))

    def expect(self, **states: int) -> None:
        """Make sure that what was measured is what was meant."""
        found = dict(self.gitlab.states())
        if found != states:
            raise SystemExit(f"Merge requests are {found}, not {states}.")


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def config_repo(bare: Path, charts: int, delivery: str) -> None:
    """Make a bare config repo with an overlay for prod in every chart."""
    repos.make(bare, charts, flat=True)
    overlays = {
        f"charts/{repos.app(number)}/values-prod.yaml": "image:\n  tag: master-1\n"
        for number in range(charts)
    }
    commit_as_person(bare, {".updater/rules.yaml": RULES.format(delivery=delivery), **overlays}, "Rules")


@contextmanager
def bench(folder: Path, delivery: str, options: argparse.Namespace) -> Iterator[Bench]:
    """Open a worker and a GitLab over a new config repo."""
    bare = folder / "config.git"
    config_repo(bare, options.charts, delivery)
    clock, spent = Clock(), dict[str, float]()
    data = Path(tempfile.mkdtemp(prefix="updater-bench-", dir=options.data or Path.home()))
    try:
        with GitLabAside(bare, options.latency / 1000) as gitlab:
            store = Store(data, clock=clock)
            store.lock()
            identity = Identity("Updater", "updater@example.com", "Updater", "updater@example.com")
            repo = ConfigRepo(Remote(gitlab.git_url, gitlab.token), data / "mirror.git", identity=identity)
            forge = GitLab(gitlab.url, gitlab.project, gitlab.token, ca_file=None, clock=clock)
            doors = Doors(
                store=cast("Store", Stopwatch(store, spent)),
                repo=cast("ConfigRepo", Stopwatch(repo, spent)),
                forge=cast("Forge", Stopwatch(forge, spent)),
                messages=cast("Messages", Stopwatch(Messages(wiring.templates(None)), spent)),
                clock=clock,
            )
            habits = Habits(
                give_up_after=timedelta(hours=24), poll=POLL, link=lambda commit: f"https://{commit}"
            )
            worker = Worker(doors, habits)
            worker.look_around()
            try:
                yield Bench(gitlab, worker, store, clock, options.proposals, spent, options.profile)
            finally:
                forge.hang_up()
                repo.close()
                store.close()
    finally:
        shutil.rmtree(data)


def floor(bench: Bench) -> None:
    """Ask as often as there are proposals, as many at once as the updater does, with a bare HTTP client."""
    place, here = urlsplit(bench.gitlab.url), threading.local()
    project = bench.gitlab.project.replace("/", "%2F")

    def ask(number: int) -> None:
        if not hasattr(here, "connection"):
            here.connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
        query = f"state=all&source_branch=updater%2Fprod%2F{repos.app(number)}&per_page=20"
        path = f"/api/v4/projects/{project}/merge_requests?{query}"
        here.connection.request("GET", path, headers={"PRIVATE-TOKEN": bench.gitlab.token})
        answer = here.connection.getresponse()
        if answer.read() and answer.status != 200:
            raise SystemExit(f"The double answered {answer.status}.")

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        list(threads.map(ask, range(bench.proposals)))


def by_merge_request(folder: Path, options: argparse.Namespace) -> list[Step]:
    """Propose, ask again, propose newer builds in place, look at what is open."""
    with bench(folder, "merge-request", options) as one:
        one.ask("master-100")
        one.step("a. nothing exists", one.settle)
        one.expect(opened=one.proposals)
        one.ask("master-100")
        one.step("b. the same builds again", one.settle)
        one.ask("master-101")
        one.step("c. newer builds, in place", one.settle)
        one.expect(opened=one.proposals)
        one.step("d. first look after it", one.look_around)
        one.step("d. a look at what is open", one.look_around)
        one.step("floor: one bare call each", lambda: floor(one))
    return one.steps


def by_auto_merge(folder: Path, options: argparse.Namespace) -> list[Step]:
    """Propose, look while people have to approve, and look until all is merged."""
    with bench(folder, "auto-merge", options) as one:
        one.gitlab.require_approvals(1)
        one.ask("master-100")
        one.step("e. auto-merge: nothing exists", one.settle)
        # Checked, then noted on each.
        one.look_around()
        one.look_around()
        one.step("e. a look while all wait for approval", one.look_around)
        one.gitlab.require_approvals(0)
        one.step("e. until all is merged", one.merge_all)
        one.expect(merged=one.proposals)
    return one.steps


def fastest(options: argparse.Namespace) -> list[Step]:
    """Run everything as often as asked, and return the fastest of each step."""
    found: dict[str, Step] = {}
    for measure in [by_merge_request] * options.runs + [by_auto_merge] * options.merge_runs:
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        try:
            for step in measure(folder, options):
                if step.name not in found or step.seconds < found[step.name].seconds:
                    found[step.name] = step
        finally:
            shutil.rmtree(folder)
    return list(found.values())


def _parsed() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--charts", type=int, default=100, help="charts in the config repo")
    arguments.add_argument("--proposals", type=int, default=100, help="how many of them are proposed at once")
    arguments.add_argument("--latency", type=int, default=50, help="milliseconds per API call")
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--merge-runs", type=int, default=1, help="runs with auto-merge, which take long")
    arguments.add_argument("--data", type=Path, default=None, help="a folder on a real disk")
    arguments.add_argument("--profile", type=Path, default=None, help="an existing folder for profiles")
    arguments.add_argument("--doors", action="store_true", help="also print where the time went")
    return arguments.parse_args()


def report(steps: list[Step], options: argparse.Namespace) -> Iterator[str]:
    """Return the lines of the table, and below it what each step asked of GitLab."""
    yield (
        f"{os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}, "
        f"{git(Path.cwd(), 'version')}; {options.charts:,} charts, {options.proposals} proposals, "
        f"{options.latency} ms a call, the fastest of {options.runs} runs "
        f"(auto-merge: {options.merge_runs})\n"
    )
    for row in (HEADS, ("---",) * len(HEADS), *(step.row for step in steps)):
        yield f"| {' | '.join(row)} |"
    yield ""
    for step in steps:
        yield f"{step.name}: {step.taken.text}"
        if options.doors:
            cpu = f"ours {step.own_cpu:.2f} s, Git's for us {step.git_cpu:.2f} s"
            yield f"  CPU: {cpu}, the double's {step.taken.cpu:.2f} s"
            slowest = sorted(step.doors.items(), key=lambda one: -one[1])[:12]
            yield from (f"  {spent:7.3f} s {kind}" for kind, spent in slowest)


def main() -> None:
    """Measure, and print a table."""
    options = _parsed()
    logging.disable(logging.WARNING)
    for line in report(fastest(options), options):
        print(line)


if __name__ == "__main__":
    main()
