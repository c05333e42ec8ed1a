"""The files at one commit that need not be a branch's: read one by one, or all names at once.

Hides that a file of a commit can be read without its tree, so that a history may look at thousands of
commits. Called by `repo`; what it returns satisfies `model.Files`. It never speaks to the remote.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from updater.configrepo.process import GitCommands
from updater.configrepo.snapshot import Snapshot
from updater.configrepo.trees import Trees

# So many files at once are worth reading the names of all.
_MANY = 16


@dataclass(frozen=True, slots=True)
class Moment:
    """The files at one commit; satisfies `model.Files`.

    Reading may raise `TemporaryError` where the mirror was damaged meanwhile. Like the `ConfigRepo`
    it came from, it belongs to one thread.
    """

    commit: str
    _trees: Trees = field(repr=False)
    _git: GitCommands = field(repr=False)
    _read: dict[str, tuple[str, bytes]] = field(default_factory=dict, repr=False)

    @property
    def paths(self) -> frozenset[str]:
        """The names of all regular files whose names are UTF-8."""
        return self._whole.paths

    @property
    def _whole(self) -> Snapshot:
        return Snapshot("", self.commit, self._trees.at(self.commit), self._git)

    @property
    def lineage(self) -> tuple[object, Collection[str]]:
        """Nothing but themselves: the whole tree need not be known."""
        return self, ()

    def version(self, path: str) -> str:
        """Return the id of the file's blob; KeyError where there is no such file."""
        return self._file(path)[0]

    def read(self, path: str) -> bytes:
        """Return the file's bytes; KeyError where there is no such file."""
        return self._file(path)[1]

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of many files."""
        wanted = sorted(paths)
        if len(wanted) > _MANY:
            return self._whole.read_many(wanted)
        return {path: self.read(path) for path in wanted}

    def _file(self, path: str) -> tuple[str, bytes]:
        if path not in self._read:
            found = self._git.object_named(f"{self.commit}:{path}")
            if found is None or found[1] != "blob":
                version = self._whole.version(path)
                found = (version, "blob", self._whole.read(path))
            self._read[path] = (found[0], found[2])
        return self._read[path]


def at(commit: str, trees: Trees, git: GitCommands) -> Moment:
    """Return the files at a commit, by its id.

    Raises:
        KeyError: the mirror has no such commit.
    """
    found = git.object_named(commit)
    if found is None or found[:2] != (commit, "commit"):
        raise KeyError(commit)
    return Moment(commit, trees, git)
