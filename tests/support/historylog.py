"""A `model.Log` in memory, and stories told with it: commits by the updater and by people, files as dicts."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from support.files import DictFiles

from updater.history import History
from updater.model import BlobChange, Deployment, Hold, LoggedCommit
from updater.policy import Environment, Tags
from updater.trailers import written

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
UPDATER = "updater@example.com"

Contents = Mapping[str, str | None]


class MemoryLog:
    """`asked` records what was read: the ids given to `changes` and `at`."""

    def __init__(self) -> None:
        self.logged: dict[str, LoggedCommit] = {}
        self.trees: dict[str, DictFiles] = {}
        self.asked: list[tuple[str, str]] = []
        self.walked = 0

    def add(
        self,
        parents: Sequence[str],
        changes: Contents,
        message: str,
        *,
        author: str = "Kim Iris",
        own: bool = False,
    ) -> str:
        """Add a commit that changes its first parent's files; None takes one away."""
        number = len(self.logged)
        commit = hashlib.sha1(f"{number}".encode()).hexdigest()
        tree = self.trees[parents[0]] if parents else DictFiles({})
        self.trees[commit] = tree.changed(changes)
        email = UPDATER if own else "kim@example.com"
        time = START + timedelta(hours=number)
        name = "updater" if own else author
        self.logged[commit] = LoggedCommit(commit, tuple(parents), name, email, message, time)
        return commit

    def commits(self, tip: str, since: str = "") -> Sequence[LoggedCommit]:
        """Commits are made after their parents, so that the order they were made in will do."""
        held = self._held(tip) - (self._held(since) if since else set())
        found = [one for one in self.logged.values() if one.commit in held]
        self.walked += len(found)
        return found

    def _held(self, tip: str) -> set[str]:
        found: set[str] = set()
        waiting = [tip]
        while waiting:
            commit = waiting.pop()
            if commit not in found:
                found.add(commit)
                waiting.extend(self.logged[commit].parents)
        return found

    def changes(self, commits: Collection[str]) -> Mapping[str, Mapping[str, BlobChange]]:
        self.asked.extend(("changes", commit) for commit in commits)
        return {commit: self._changes(commit) for commit in commits}

    def _changes(self, commit: str) -> Mapping[str, BlobChange]:
        parents = self.logged[commit].parents
        new, old = self.trees[commit], self.trees[parents[0]] if parents else DictFiles({})
        found = {
            path: (
                old.version(path) if path in old.paths else None,
                new.version(path) if path in new.paths else None,
            )
            for path in sorted(new.paths | old.paths)
        }
        return {path: (before, after) for path, (before, after) in found.items() if before != after}

    def at(self, commit: str) -> DictFiles:
        self.asked.append(("at", commit))
        return self.trees[commit]

    def is_own(self, commit: LoggedCommit) -> bool:
        return commit.committer_email == UPDATER


REGISTRY = "registry.example.com"
DEV = Environment(name="dev", tags=Tags(pattern="develop-(?P<build>[0-9]+)"))


def repository(name: str) -> str:
    return f"{REGISTRY}/{name}"


def values(**tags: str) -> str:
    """Return a values file with a place for each image."""
    parts = (f"{name}:\n  image: {{repository: {repository(name)}, tag: {tags[name]}}}\n" for name in tags)
    return "".join(parts) or "empty: true\n"


def chart(name: str, **tags: str) -> dict[str, str | None]:
    return {f"charts/{name}/Chart.yaml": f"name: {name}\n", f"charts/{name}/values.yaml": values(**tags)}


def trailers_of(name: str, tag: str, charts: Sequence[str], previous: Sequence[str], **more: str) -> str:
    """Return the trailers the updater writes for one image; in `more`, `_` stands for `-`."""
    pairs = [("Image", f"{repository(name)}:{tag}"), *(("Previous", old) for old in previous)]
    pairs += [("Environment", more.pop("Environment", "dev")), *(("Chart", one) for one in charts)]
    return written([*pairs, *((key.replace("_", "-"), value) for key, value in more.items())])


class Story:
    """One branch, whose tip moves with every commit, and its history."""

    def __init__(self, *environments: Environment) -> None:
        self.log = MemoryLog()
        self.environments = environments or (DEV,)
        self.history = History(self.log)
        self.tip = ""

    @property
    def _parents(self) -> tuple[str, ...]:
        return (self.tip,) if self.tip else ()

    def person(self, changes: Contents, message: str = "By hand", author: str = "Kim Iris") -> str:
        self.tip = self.log.add(self._parents, changes, message, author=author)
        return self.tip

    def bot(self, changes: Contents, *trailers: str, subject: str = "Update") -> str:
        message = f"{subject}\n\nwhat changes\n\n" + "\n".join(trailers)
        self.tip = self.log.add(self._parents, changes, message, own=True)
        return self.tip

    def update(self, name: str, tag: str, previous: str, **more: str) -> str:
        """Have the updater set the image of the chart of the same name."""
        return self.bot(chart(name, **{name: tag}), trailers_of(name, tag, [name], [previous], **more))

    def revert(self, commit: str, changes: Contents, author: str = "Kim Iris") -> str:
        subject = self.log.logged[commit].message.partition("\n")[0]
        return self.person(changes, f'Revert "{subject}"\n\nThis reverts commit {commit}.', author)

    def merge(self, head: str, changes: Contents, message: str, *, own: bool = False) -> str:
        self.tip = self.log.add((self.tip, head), changes, message, author="Lee Rose", own=own)
        return self.tip

    def told(self) -> list[Deployment]:
        """Follow, and return all deployments, the oldest first."""
        self.history.follow(self.tip, self.environments)
        return list(self.history.deployments())[::-1]

    def hold(self, name: str = "iris") -> Hold | None:
        self.told()
        return self.history.held_by_hand("dev", name, repository(name))
