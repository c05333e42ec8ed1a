"""The folders of a branch while a batch of commits is made: each file written gives them new trees.

Hides the way from a file up to the root, and against which earlier version a tree is packed. Called
by `writing`; it reads trees through `Listings` and writes to nothing but the `Pack` it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from updater.configrepo.objects import ID_BYTES, Listing, Listings, object_id
from updater.configrepo.packing import Pack, delta

# Smaller trees are packed whole: a delta and the base it needs beside it would take as much.
_WORTH_A_DELTA = 1024


@dataclass(slots=True)
class Folder:
    """One folder: its tree as it was, as it is now, and how it changed from version to version.

    Version n is packed against the version whose number is n with its lowest bit cleared. No chain
    is then longer than n has bits, and a delta holds the changes of one version half of the time, of
    two a quarter of the time, and so on: a thousand versions hold about five thousand changes.
    """

    before: Listing
    content: bytearray
    versions: list[bytes]
    # The places where each version differs from the one before it.
    _changes: list[frozenset[int]] = field(default_factory=lambda: [frozenset()])
    _now: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, name: bytes, listing: Listing) -> Folder:
        """Return a folder whose tree has the id `name`."""
        return cls(listing, bytearray(listing.content), [name])

    def get(self, entry: bytes) -> bytes:
        """Return the id of an entry; KeyError where there is none."""
        start = self.before.places[entry]
        return bytes(self.content[start : start + ID_BYTES])

    def put(self, entry: bytes, name: bytes) -> None:
        """Give an entry another id; its name, its mode and its place stay."""
        start = self.before.places[entry]
        if self.content[start : start + ID_BYTES] != name:
            self.content[start : start + ID_BYTES] = name
            self._now.add(start)

    def settle(self, pack: Pack) -> bytes:
        """Pack what was put as a new version of the tree, and return the newest version's id."""
        if self._now:
            self.versions.append(object_id("tree", self.content))
            self._changes.append(frozenset(self._now))
            self._now.clear()
            self._pack(pack)
        return self.versions[-1]

    def _pack(self, pack: Pack) -> None:
        newest = len(self.versions) - 1
        base = newest & (newest - 1)
        changed = frozenset().union(*self._changes[base + 1 :])
        size = len(self.content)
        if size < _WORTH_A_DELTA or len(changed) * 2 * ID_BYTES > size:
            pack.add("tree", self.versions[-1], self.content)
            return
        # Git takes no delta from a pack whose base is elsewhere, so the old tree comes along. A push
        # leaves it out: the server has it (git-pack-objects(1), --thin).
        pack.add("tree", self.versions[0], self.before.content, is_sent=False)
        if self.versions[base] not in pack or not pack.add_delta(
            self.versions[-1], self.versions[base], delta(self.content, changed, ID_BYTES)
        ):
            pack.add("tree", self.versions[-1], self.content)

    @property
    def listing(self) -> Listing:
        """The newest version of the tree."""
        return Listing(bytes(self.content), self.before.places)


class Folders:
    """All folders a batch has to do with, by their paths; "" is the root."""

    def __init__(self, listings: Listings, root: bytes, files: Iterable[str]) -> None:
        """Read the trees above the files.

        Raises:
            MirrorDamaged: one of them is missing or unreadable.
            KeyError: there is no such folder.
        """
        self._listings = listings
        self._folders: dict[str, Folder] = {}
        levels: dict[int, set[str]] = {0: {""}}
        for folder in {folder for file in files for folder in _above(file)}:
            levels.setdefault(folder.count("/") + 1 if folder else 0, set()).add(folder)
        for _, level in sorted(levels.items()):
            names = {folder: self._get(folder) if folder else root for folder in level}
            found = listings.get(names.values())
            self._folders |= {path: Folder.of(name, found[name]) for path, name in names.items()}

    def write(self, files: Mapping[str, bytes], pack: Pack) -> bytes:
        """Put the ids of files into the trees above them, pack these, and return the root's id."""
        for file, name in files.items():
            self._put(file, name)
        # A folder's path is longer than those of all folders around it.
        for path in sorted({folder for file in files for folder in _above(file)}, key=len, reverse=True):
            if path:
                self._put(path, self._folders[path].settle(pack))
        return self._folders[""].settle(pack)

    def keep(self) -> None:
        """Remember the newest trees: the next batch is likely to be made on them."""
        for folder in self._folders.values():
            self._listings.keep(folder.versions[-1], folder.listing)

    def _get(self, path: str) -> bytes:
        parent, _, name = path.rpartition("/")
        return self._folders[parent].get(name.encode())

    def _put(self, path: str, name: bytes) -> None:
        parent, _, entry = path.rpartition("/")
        self._folders[parent].put(entry.encode(), name)


def _above(path: str) -> Iterable[str]:
    """Yield the folders above a file, the root last."""
    while path:
        path = path.rpartition("/")[0]
        yield path
