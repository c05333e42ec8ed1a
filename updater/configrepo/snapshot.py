"""The files of one branch at one commit, read from the mirror when asked for.

Hides how 60,000 names and versions are kept small and carried from commit to commit. Called by
`repo`; what it returns satisfies `model.Files`. It never speaks to the remote.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from updater.configrepo.process import GitCommands

# 100644 and 100755 are files; 120000 is a symlink, 160000 a submodule, 000000 is gone.
REGULAR = b"100644"
EXECUTABLE = b"100755"
# Mode and id of an entry that is not there any more.
GONE = (b"000000", b"")
_REGULAR = b"100"
_EXECUTABLE = {EXECUTABLE}
_IRREGULAR = {b"120000", b"160000"}
# Changes kept beside the big table before they are merged into a new one.
_OVERLAY = 2000
# `git ls-tree -r -z`: mode, type, id, name.
_LISTED = re.compile(rb"(\d{6}) \w+ ([0-9a-f]+)\t([^\0]+)\0")
# `git diff-tree -r -z`: both modes, both ids, status, name.
_CHANGED = re.compile(rb":\d{6} (\d{6}) [0-9a-f]+ ([0-9a-f]+) \w+\0([^\0]+)\0")


@dataclass(frozen=True, slots=True)
class Tree:
    """Names, versions and modes of the regular files at one commit; `irregular` are links and submodules.

    Trees that follow each other share `paths` while no file comes or goes, and the big table of ids.
    """

    paths: frozenset[str]
    executable: frozenset[str]
    irregular: frozenset[str]
    _ids: Mapping[str, bytes] = field(repr=False)
    _newer: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def id(self, path: str) -> bytes:
        """Return the id of a file's blob; KeyError where there is no such file."""
        return self._newer.get(path) or self._ids[path]

    @property
    def lineage(self) -> tuple[object, Collection[str]]:
        """The table of ids, and which files have others."""
        return self._ids, self._newer.keys()

    def with_contents(self, ids: Mapping[str, bytes]) -> Tree:
        """Return the tree after these files got new contents."""
        newer = {**self._newer, **ids}
        if len(newer) > _OVERLAY:
            return Tree(self.paths, self.executable, self.irregular, {**self._ids, **newer})
        return Tree(self.paths, self.executable, self.irregular, self._ids, newer)

    def with_changes(self, changed: Mapping[str, tuple[bytes, bytes]]) -> Tree:
        """Return the tree after these entries got new modes and ids; the mode 000000 is for gone."""
        ids = {path: name for path, (mode, name) in changed.items() if mode.startswith(_REGULAR)}
        executable = _marked(self.executable, changed, _EXECUTABLE)
        irregular = _marked(self.irregular, changed, _IRREGULAR)
        if self.paths.issuperset(ids) and len(ids) == len(changed):
            return Tree(self.paths, executable, irregular, self._ids, self._newer).with_contents(ids)
        everything = {**self._ids, **self._newer, **ids}
        for path in changed.keys() - ids.keys():
            everything.pop(path, None)
        paths = frozenset(everything)
        return Tree(self.paths if paths == self.paths else paths, executable, irregular, everything)

    def is_irregular(self, path: str) -> bool:
        """Say whether something that is no regular file stands at a path or in place of a folder above."""
        parts = path.split("/")
        above = {"/".join(parts[: count + 1]) for count in range(len(parts))}
        if path in self.paths:
            return False
        return not self.irregular.isdisjoint(above) or _is_folder(self.paths, path)


def _marked(
    before: frozenset[str], changed: Mapping[str, tuple[bytes, bytes]], modes: Container[bytes]
) -> frozenset[str]:
    """Return the paths with one of these modes after a change, the same set where they stay the same."""
    now = before - changed.keys() | {path for path, (mode, _) in changed.items() if mode in modes}
    return before if now == before else now


@functools.lru_cache(maxsize=1)
def _is_folder(paths: frozenset[str], path: str) -> bool:
    # A look at every path, for a question that is asked again and again of the same set.
    return any(one.startswith(f"{path}/") for one in paths)


EMPTY = Tree(frozenset(), frozenset(), frozenset(), {})


def whole_tree(git: GitCommands, commit: str) -> Tree:
    """Read all names at a commit."""
    listing = git.read("ls-tree", "-r", "-z", "--full-tree", commit)
    return EMPTY.with_changes(_entries(_LISTED, listing))


def changed_tree(git: GitCommands, known: Tree, old: str, new: str) -> Tree:
    """Return the tree at `new`, knowing the one at `old`: costs what changed, not what there is."""
    listing = git.read("diff-tree", "-r", "-z", "--no-renames", old, new)
    return known.with_changes(_entries(_CHANGED, listing)) if listing else known


def _entries(pattern: re.Pattern[bytes], listing: bytes) -> dict[str, tuple[bytes, bytes]]:
    entries: dict[str, tuple[bytes, bytes]] = {}
    # Charts made from one template share many blobs: equal ids are kept once.
    shared: dict[bytes, bytes] = {}
    for mode, name, path in _fields(pattern, listing):
        try:
            text = path.decode()
        except UnicodeDecodeError:
            continue
        entries[text] = (mode, shared.setdefault(name, bytes.fromhex(name.decode())))
    return entries


def _fields(pattern: re.Pattern[bytes], listing: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    for match in pattern.finditer(listing):
        yield match[1], match[2], match[3]


def blob_id(content: bytes, like: str) -> bytes:
    """Return the id Git gives to a file's content, in the hash of the commit id `like`."""
    algorithm = "sha1" if len(like) == 40 else "sha256"
    return hashlib.new(algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False).digest()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One branch at one commit; satisfies `model.Files`. Asked for by the commit alone, `branch` is empty.

    Reading may raise `TemporaryError` where the mirror was damaged meanwhile. Like the `ConfigRepo`
    it came from, it belongs to one thread.
    """

    branch: str
    commit: str
    tree: Tree = field(repr=False)
    _git: GitCommands = field(repr=False)

    @property
    def paths(self) -> frozenset[str]:
        """The names of all regular files whose names are UTF-8."""
        return self.tree.paths

    @property
    def lineage(self) -> tuple[object, Collection[str]]:
        """The big table that trees share, and what is newer than there."""
        return self.tree.lineage

    def version(self, path: str) -> str:
        """Return the id of the file's blob; KeyError where there is no such file."""
        return self.tree.id(path).hex()

    def is_irregular(self, path: str) -> bool:
        """Say whether a link, a submodule or a folder stands where a regular file `path` would.

        A link or submodule in place of a folder above counts as well. No where the file is there, and
        where nothing is.
        """
        return self.tree.is_irregular(path)

    def read(self, path: str) -> bytes:
        """Return the file's bytes; KeyError where there is no such file."""
        ((_, content),) = self._git.objects([self.version(path)])
        return content

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of many files; files with the same content share them."""
        wanted = {path: self.version(path) for path in sorted(paths)}
        contents = dict(self._git.objects(list(dict.fromkeys(wanted.values()))))
        return {path: contents[name] for path, name in wanted.items()}
