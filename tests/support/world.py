"""The whole updater in one process on a real bare remote, speaking the sentences of its users.

Only the server's HTTP face is missing; the store, the mirror, the worker and Git are the real ones.
Effects (everything the worker does to the store or the remote) can be counted, preceded by a
person's act, or end in a kill.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self

from support.barerepo import commit_as_person, log, make_bare, show

from updater import wiring
from updater.configrepo import ConfigRepo, Identity, Remote
from updater.forge import Forge
from updater.forge.local import Local
from updater.messages import Messages
from updater.model import Caller, ImageReference, Outcome, Record, Source
from updater.sight import target_of
from updater.store import AnyWish, HoldWish, PromotionWish, RollbackWish, Store, Wish
from updater.worker import Doors, Habits, Worker

REGISTRY = "registry.example.com"

RULES = """\
environments:
  dev:
    files: charts/*/values-dev.yaml
    tags: {pattern: '^develop-(?P<build>[0-9]+)$', order: numeric}
"""


def values(name: str, tag: str = "develop-100") -> str:
    return f"""\
# {name}
image:
  repository: {REGISTRY}/{name}
  tag: {tag}  # written by the updater
"""


def chart(name: str, tag: str = "develop-100") -> dict[str, str]:
    """The files of one chart with an overlay for dev."""
    return {
        f"charts/{name}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n",
        f"charts/{name}/values.yaml": values(name, "master-1"),
        f"charts/{name}/values-dev.yaml": f"image:\n  tag: {tag}\n",
    }


Hook = Callable[[str, str], None]


@dataclass
class Effects:
    """What the worker did, in order, as (moment, effect); `hook` may act or kill there."""

    hook: Hook | None = None
    seen: list[tuple[str, str]] = field(default_factory=list)

    def around(self, effect: str, act: Callable[[], Any]) -> Any:
        self._tell("before", effect)
        result = act()
        self._tell("after", effect)
        return result

    def _tell(self, moment: str, effect: str) -> None:
        self.seen.append((moment, effect))
        if self.hook is not None:
            self.hook(moment, effect)


class WatchedRepo(ConfigRepo):
    """The real config repo; its effects pass through `effects`."""

    effects: Effects

    def fetch(self) -> None:
        self.effects.around("fetch", super().fetch)

    def commit(self, base: Any, drafts: Any) -> list[str]:
        result: list[str] = self.effects.around(
            "commit", lambda: super(WatchedRepo, self).commit(base, drafts)
        )
        return result

    def push(self, updates: Any, **more: Any) -> Any:
        if not updates:
            return {}
        return self.effects.around("push", lambda: super(WatchedRepo, self).push(updates, **more))


class WatchedStore(Store):
    """The real store; the worker's effects on it pass through `effects`."""

    effects: Effects

    def claim(self, limit: int, lease: timedelta, *, hurry: bool = False) -> Any:
        return self.effects.around(
            "claim", lambda: super(WatchedStore, self).claim(limit, lease, hurry=hurry)
        )

    def intend(self, intents: Any) -> None:
        self.effects.around("intend", lambda: super(WatchedStore, self).intend(intents))

    def settle(self, outcomes: Any, *, again: Any = None) -> None:
        self.effects.around("settle", lambda: super(WatchedStore, self).settle(outcomes, again=again))

    def progress(self, outcomes: Any) -> None:
        if outcomes:
            self.effects.around("progress", lambda: super(WatchedStore, self).progress(outcomes))

    def defer(self, deferrals: Any) -> None:
        self.effects.around("defer", lambda: super(WatchedStore, self).defer(deferrals))


EFFECTS = ("claim", "fetch", "commit", "intend", "push", "settle")
# Storing and giving back are no effects of a round that goes well.


class World:
    """A config repo, an updater and the people around them. `now` moves only when told to."""

    def __init__(
        self, folder: Path, files: dict[str, str] | None = None, *, bare: Path | None = None
    ) -> None:
        self.folder = folder
        self.bare = bare or make_bare(
            folder, {".updater/rules.yaml": RULES, **chart("iris")} if files is None else files
        )
        self.start = log(self.bare)[-1].sha if files != {} else ""
        self.now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
        self.effects = Effects()
        self.url = str(self.bare)
        self.give_up_after = timedelta(hours=24)
        self.ids: list[str] = []
        self.open()

    def open(self) -> None:
        """Start the updater, on the data an earlier one may have left."""
        self.store = WatchedStore(self.folder / "data", clock=lambda: self.now)
        self.store.effects = self.effects
        self.store.lock()
        identity = Identity("Updater", "updater@example.com", "Updater", "updater@example.com")
        self.repo = WatchedRepo(Remote(self.url), self.folder / "data" / "mirror.git", identity=identity)
        self.repo.effects = self.effects
        self.forge = self.make_forge()
        self.worker = Worker(
            self.doors(),
            Habits(
                give_up_after=self.give_up_after,
                poll=timedelta(seconds=30),
                link=lambda commit: f"https://gitlab.example.com/config/-/commit/{commit}",
            ),
        )

    def doors(self, messages: Messages | None = None) -> Doors:
        """The doors of this world's worker."""
        return Doors(
            store=self.store,
            repo=self.repo,
            forge=self.forge,
            messages=messages or Messages(wiring.templates(None)),
            clock=lambda: self.now,
        )

    def make_forge(self) -> Forge:
        """Return the forge of this world: a plain Git remote, unless a world says otherwise."""
        return Local(self.repo, lambda: self.now, partial(target_of, self.repo))

    def close(self) -> None:
        self.repo.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What happens

    def ci_builds(
        self,
        image: str,
        *,
        environment: str | None = None,
        environments: tuple[str, ...] = ("*",),
        digest: str | None = None,
        source: Source | None = None,
        override: str = "",
    ) -> str:
        """A pipeline tells the updater of an image (`iris:develop-1` is in the world's registry)."""
        name = image if "/" in image else f"{REGISTRY}/{image}"
        wish = Wish(
            image=ImageReference.parse(name, digest),
            caller=Caller(name="ci", environments=environments),
            environment=environment,
            source=source or Source(),
            override=bool(override),
            reason=override,
        )
        return self._adds(wish)

    def person_promotes(
        self,
        origin: str,
        environment: str,
        *charts: str,
        allow_older: bool = False,
        by: str = "kim",
        reason: str = "",
        override: bool = False,
    ) -> str:
        wish = PromotionWish(
            origin=origin,
            environment=environment,
            caller=Caller(name=by, acts=("promote",)),
            charts=charts,
            allow_older=allow_older,
            reason=reason,
            override=override,
        )
        return self._adds(wish)

    def person_rolls_back(self, chart: str = "iris", environment: str = "dev", **more: Any) -> str:
        """A person asks for a rollback; `more` are further fields of the wish."""
        more = {"caller": Caller(name="kim", acts=("roll-back",)), "reason": "it broke", **more}
        return self._adds(RollbackWish(environment=environment, chart=chart, **more))

    def person_holds(self, chart: str = "iris", environment: str = "dev", **more: Any) -> str:
        more = {"caller": Caller(name="kim", acts=("roll-back",)), **more}
        return self._adds(HoldWish(environment=environment, chart=chart, **more))

    def person_releases(self, chart: str = "iris", environment: str = "dev", **more: Any) -> str:
        return self.person_holds(chart, environment, release=True, **more)

    def _adds(self, wish: AnyWish) -> str:
        record, _ = self.store.add(wish)
        self.ids.append(record.request.id)
        return record.request.id

    def tick(self) -> None:
        self.worker.tick()

    def look_around(self) -> None:
        """Time passes and nothing is asked: the updater tends to what is open."""
        self.now += timedelta(seconds=31)
        self.worker.look_around()

    def settle_all(self, rounds: int = 20) -> None:
        """Let the updater work until nothing is pending, time passing between rounds."""
        for _ in range(rounds):
            self.worker.tick()
            if not self.store.counts()["pending"]:
                return
            self.now += timedelta(seconds=31)
        raise AssertionError(f"still pending: {[self.record(one).reason for one in self.ids]}")

    def person_pushes(
        self, files: Mapping[str, str | None], message: str = "A person's change", branch: str = "main"
    ) -> str:
        return commit_as_person(self.bare, files, message, branch)

    # What can be seen

    def record(self, request_id: str) -> Record:
        record = self.store.get(request_id)
        assert record is not None
        return record

    def outcome(self, request_id: str) -> Outcome:
        outcome = self.record(request_id).outcome
        assert outcome is not None, f"pending: {self.record(request_id).reason}"
        return outcome

    def commits(self, branch: str = "main") -> list[str]:
        """The subjects of all commits since the start, oldest first."""
        return [commit.subject for commit in reversed(log(self.bare, branch)[: self._since(branch)])]

    def _since(self, branch: str) -> int:
        shas = [commit.sha for commit in log(self.bare, branch)]
        return shas.index(self.start) if self.start in shas else len(shas)

    def file(self, path: str, branch: str = "main") -> str:
        return show(self.bare, branch, path).decode()


def killed_at(folder: Path, bare: Path, point: tuple[str, str, int], images: tuple[str, ...]) -> bool:
    """Run a world in a process of its own, killed with -9 at an effect; say whether it came to that.

    `point` is (moment, effect, how often it must have come); the process accepts `images` first.
    """
    doomed = multiprocessing.get_context("spawn").Process(
        target=_live_until, args=(folder, bare, point, images)
    )
    doomed.start()
    doomed.join()
    exitcode = doomed.exitcode
    doomed.close()
    return exitcode == -signal.SIGKILL


def _live_until(folder: Path, bare: Path, point: tuple[str, str, int], images: tuple[str, ...]) -> None:
    left = [point[2]]

    def hook(moment: str, effect: str) -> None:
        if (moment, effect) == point[:2]:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    with World(folder, bare=bare) as world:
        for image in images:
            world.ci_builds(image)
        world.effects.hook = hook
        world.tick()
