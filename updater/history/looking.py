"""What the values tell: which tags differ between a commit and its first parent.

Hides how a commit is compared without reading a whole tree. Called by `following` for what people
did; it reads only files of charts that a commit touches, through the `Log` it is given.

Charts are named by the names of all files. Those that matter for that are carried along the branch's
line; a commit that adds none and takes none away leaves every name as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from updater.charts import Survey
from updater.globs import compile_glob
from updater.history.places import Place, counted
from updater.model import BlobChange, Files, Log, LoggedCommit, Scope
from updater.policy import Environment

Changes = Mapping[str, BlobChange]


@dataclass(frozen=True, slots=True)
class Row:
    """A tag that a commit moved."""

    place: Place
    old: str | None
    tag: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class Look:
    """What a commit moved, and the new names of charts that are called otherwise since."""

    rows: Sequence[Row] = ()
    renamed: Mapping[tuple[str, str], str] = field(default_factory=dict)


class Looker:
    """Looks at commits of one line, each after those before it."""

    def __init__(self, log: Log, environments: Sequence[Environment]) -> None:
        self._log = log
        self._environments = environments
        self._matters = _mattering([one.scope for one in environments])
        self.paths: frozenset[str] = frozenset()
        self._last: Survey | None = None

    def rest(self) -> None:
        """Forget what was parsed: the next commit to look at may be weeks away."""
        self._last = None

    def moves_files(self, changes: Changes) -> bool:
        """Say whether files come or go that tell where images are."""
        return any(None in change and self._matters(path) for path, change in changes.items())

    def begin(self, changes: Changes) -> dict[str, str]:
        """Take in what the first commit of the line brought, without reading it.

        Returns the versions of the files that tell where images are.
        """
        found = {path: new for path, (_, new) in changes.items() if new is not None and self._matters(path)}
        self.paths = frozenset(found)
        return found

    def look(self, commit: LoggedCommit, changes: Changes) -> Look:
        """Return what a commit moved against its first parent; a file that cannot be parsed holds no tag."""
        changed = {path: change for path, change in changes.items() if self._matters(path)}
        if not changed:
            return Look()
        paths = self._after(changed)
        old = {path: name for path, (name, _) in changed.items() if name}
        new = {path: name for path, (_, name) in changed.items() if name}
        parent = commit.parents[0] if commit.parents else ""
        before = Survey(Side(self._log, parent, self.paths, old), self._last)
        shared = before if paths is self.paths else None
        after = Survey(Side(self._log, commit.commit, paths, new), shared)
        rows: list[Row] = []
        renamed: dict[tuple[str, str], str] = {}
        for environment in self._environments:
            names = _renamed(environment.scope, before, after) if shared is None else {}
            rows.extend(_rows(environment, (before, after), changed, names))
            renamed.update({(environment.name, name): later for name, later in names.items()})
        self.paths, self._last = paths, after
        return Look(rows, renamed)

    def carry(self, changes: Changes) -> None:
        """Take in which files came and went, without reading them."""
        changed = {path: change for path, change in changes.items() if self._matters(path)}
        self.paths = self._after(changed)

    def _after(self, changed: Changes) -> frozenset[str]:
        """Return the files that matter after a change: the same set where none came or went."""
        gone = {path for path, (_, new) in changed.items() if new is None}
        there = changed.keys() - gone
        if self.paths.issuperset(there) and self.paths.isdisjoint(gone):
            return self.paths
        return (self.paths - gone) | there


def _mattering(scopes: Sequence[Scope]) -> Callable[[str], bool]:
    """Return which files tell where images are: the scopes' own, those below them, and charts."""
    globs = [compile_glob(glob) for scope in scopes for glob in scope.files]
    bases = [re.escape(scope.base).replace(r"\{chart\}", ".*") for scope in scopes if scope.base]
    layout = re.compile("|".join([r"(?:.*/)?(?:Chart|values)\.yaml", *bases]))

    def matters(path: str) -> bool:
        return layout.fullmatch(path) is not None or any(glob.match(path) for glob in globs)

    return matters


class Side:
    """The files that matter on one side of a commit, as `model.Files`; `changed` are known versions."""

    def __init__(self, log: Log, commit: str, paths: frozenset[str], changed: Mapping[str, str]) -> None:
        self.paths = paths
        self._log = log
        self._commit = commit
        self._changed = changed
        self._files: Files | None = None
        self._read: Mapping[str, bytes] | None = None

    @property
    def _whole(self) -> Files:
        if self._files is None:
            self._files = self._log.at(self._commit)
        return self._files

    @property
    def lineage(self) -> tuple[object, Collection[str]]:
        """Nothing but themselves."""
        return self, ()

    def version(self, path: str) -> str:
        """Return a name of the file's content."""
        return self._changed.get(path) or self._whole.version(path)

    def read(self, path: str) -> bytes:
        """Return the file's bytes."""
        if path not in self._changed:
            return self._whole.read(path)
        if self._read is None:
            # Of a commit that brings a thousand charts, all at once.
            self._read = self._whole.read_many(frozenset(self._changed))
        return self._read[path]

    def read_many(self, paths: frozenset[str]) -> Mapping[str, bytes]:
        """Return the bytes of many files."""
        return self._whole.read_many(paths)


def _renamed(scope: Scope, before: Survey, after: Survey) -> dict[str, str]:
    """Return what charts are called now whose old name is gone while a file of theirs is still there."""
    now = after.laid_out(scope)
    names = {spot.chart for spot in now.values()}
    found: dict[str, str] = {}
    for file, spot in before.laid_out(scope).items():
        if spot.chart not in names and file in now:
            found.setdefault(spot.chart, now[file].chart)
    return found


def _rows(
    environment: Environment, sides: tuple[Survey, Survey], changed: Collection[str], names: Mapping[str, str]
) -> list[Row]:
    """Return the tags that differ; `names` are charts that are called otherwise now."""
    (before, after), scope = sides, environment.scope
    files = {*changed, *_laid_out_anew(scope, before, after, names)}
    touched = {names.get(chart, chart) for chart in before.charts_with(scope, files)}
    touched |= after.charts_with(scope, files)
    former = touched | {name for name, later in names.items() if later in touched}
    old = {
        (names.get(chart, chart), repository): target.tag
        for (chart, repository), target in counted(environment, before.readable_in(scope, former)).items()
    }
    new = counted(environment, after.readable_in(scope, touched))
    rows = [
        Row((environment.name, *key), old.get(key), target.tag, target.digest or "")
        for key, target in new.items()
        if old.get(key) != target.tag
    ]
    gone = [(key, tag) for key, tag in old.items() if key not in new and tag is not None]
    return rows + [Row((environment.name, *key), tag, None, "") for key, tag in gone]


def _laid_out_anew(scope: Scope, before: Survey, after: Survey, names: Mapping[str, str]) -> list[str]:
    """Return files that stay, but have another chart or other files below them than before."""
    old, new = before.laid_out(scope), after.laid_out(scope)
    if old is new:
        return []
    return [
        file
        for file, spot in old.items()
        if file in new
        and (names.get(spot.chart, spot.chart), spot.files) != (new[file].chart, new[file].files)
    ]
