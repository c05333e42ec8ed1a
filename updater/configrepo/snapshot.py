"""The files of one branch at one commit, read from the mirror when asked for.

Hides how 60,000 names and versions are kept small and carried from commit to commit. Called by
`repo`; what it returns satisfies `model.Files`. It never speaks to the remote.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from updater.configrepo.process import GitCommands

# Changes kept beside the big table before they are merged into a new one.
_OVERLAY = 2000
# `git ls-tree -r -z`: mode, type, id, name.
_LISTED = re.compile(rb"(\d{6}) \w+ ([0-9a-f]+)\t([^\0]+)\0")
# `git diff-tree -r -z`: both modes, both ids, status, name.
_CHANGED = re.compile(rb":\d{6} (\d{6}) [0-9a-f]+ ([0-9a-f]+) \w+\0([^\0]+)\0")


@dataclass(frozen=True, slots=True)
class Tree:
    """Names, versions and modes of the regular files at one commit.

    Trees that follow each other share `paths` while no file comes or goes, and the big table of ids.
    """

    paths: frozenset[str]
    executable: frozenset[str]
    _ids: Mapping[str, bytes] = field(repr=False)
    _newer: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def id(self, path: str) -> bytes:
        """Return the id of a file's blob; KeyError where there is no such file."""
        return self._newer.get(path) or self._ids[path]

    def with_contents(self, ids: Mapping[str, bytes]) -> Tree:
        """Return the tree after these files got new contents."""
        newer = {**self._newer, **ids}
        if len(newer) > _OVERLAY:
            return Tree(self.paths, self.executable, {**self._ids, **newer})
        return Tree(self.paths, self.executable, self._ids, newer)

    def with_changes(self, changed: Mapping[str, tuple[bool, bytes] | None]) -> Tree:
        """Return the tree after these files changed: executable or not and the id; None for gone."""
        kept = {path: entry for path, entry in changed.items() if entry is not None}
        ids = {path: entry[1] for path, entry in kept.items()}
        marked = self.executable - changed.keys() | {path for path, entry in kept.items() if entry[0]}
        executable = self.executable if marked == self.executable else frozenset(marked)
        if self.paths.issuperset(kept) and len(kept) == len(changed):
            return Tree(self.paths, executable, self._ids, self._newer).with_contents(ids)
        everything = {**self._ids, **self._newer, **ids}
        for path in changed.keys() - kept.keys():
            everything.pop(path, None)
        paths = frozenset(everything)
        return Tree(self.paths if paths == self.paths else paths, executable, everything)


EMPTY = Tree(frozenset(), frozenset(), {})


def whole_tree(git: GitCommands, commit: str) -> Tree:
    """Read all names at a commit."""
    listing = git.read("ls-tree", "-r", "-z", "--full-tree", commit)
    return EMPTY.with_changes(_entries(_LISTED, listing))


def changed_tree(git: GitCommands, known: Tree, old: str, new: str) -> Tree:
    """Return the tree at `new`, knowing the one at `old`: costs what changed, not what there is."""
    listing = git.read("diff-tree", "-r", "-z", "--no-renames", old, new)
    return known.with_changes(_entries(_CHANGED, listing)) if listing else known


def _entries(pattern: re.Pattern[bytes], listing: bytes) -> dict[str, tuple[bool, bytes] | None]:
    entries: dict[str, tuple[bool, bytes] | None] = {}
    # Charts made from one template share many blobs: equal ids are kept once.
    shared: dict[bytes, bytes] = {}
    for mode, name, path in _fields(pattern, listing):
        try:
            text = path.decode()
        except UnicodeDecodeError:
            continue
        # 100644 and 100755 are files; 120000 is a symlink, 160000 a submodule, 000000 is gone.
        blob = shared.setdefault(name, bytes.fromhex(name.decode()))
        entries[text] = (mode == b"100755", blob) if mode.startswith(b"100") else None
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
    """One branch at one commit; satisfies `model.Files`.

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

    def version(self, path: str) -> str:
        """Return the id of the file's blob; KeyError where there is no such file."""
        return self.tree.id(path).hex()

    def read(self, path: str) -> bytes:
        """Return the file's bytes; KeyError where there is no such file."""
        ((_, content),) = self._git.objects([self.version(path)])
        return content

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of many files; files with the same content share them."""
        wanted = {path: self.version(path) for path in sorted(paths)}
        contents = dict(self._git.objects(list(dict.fromkeys(wanted.values()))))
        return {path: contents[name] for path, name in wanted.items()}
