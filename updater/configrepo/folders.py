"""The folders of a branch while a batch of commits is made: each file written gives them new trees.

Hides the way from a file up to the root, which folders come and go with their files, and against which
earlier version a tree is packed. Called by `writing`; it reads trees through `Listings` and writes to
nothing but the `Pack` it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from updater.configrepo.objects import ID_BYTES, Entry, Kind, Listing, Listings, object_id
from updater.configrepo.packing import Pack, delta

# Smaller trees are packed whole: a delta and the base it needs beside it would take as much.
_WORTH_A_DELTA = 1024
_EMPTY = Listing(b"", {})


@dataclass(slots=True)
class Folder:
    """One folder: its tree as it was, as it is now, and how it changed from version to version.

    Version n is packed against the version whose number is n with its lowest bit cleared. No chain
    is then longer than n has bits, and a delta holds the changes of one version half of the time, of
    two a quarter of the time, and so on: a thousand versions hold about five thousand changes.

    A version in which entries come or go is packed whole, and counting begins anew with it.
    """

    before: Listing
    content: bytearray
    versions: list[bytes]
    # The places where each version differs from the one before it.
    _changes: list[frozenset[int]] = field(default_factory=lambda: [frozenset()])
    _now: set[int] = field(default_factory=set)
    # What comes with the next version, or goes (None).
    _moves: dict[bytes, Entry | None] = field(default_factory=dict)

    @classmethod
    def of(cls, name: bytes, listing: Listing) -> Folder:
        """Return a folder whose tree has the id `name`."""
        return cls(listing, bytearray(listing.content), [name])

    def kind(self, entry: bytes) -> Kind | None:
        """Say what an entry is; None where there is none."""
        if entry not in self._moves:
            return self.before.kind(entry)
        moved = self._moves[entry]
        return moved and Kind.of(moved[0])

    def get(self, entry: bytes) -> bytes:
        """Return the id of an entry that was there before; KeyError where there was none."""
        start = self.before.places[entry]
        return bytes(self.content[start : start + ID_BYTES])

    def put(self, entry: bytes, name: bytes, kind: Kind) -> None:
        """Give an entry another id, so that its name, its mode and its place stay; or make it."""
        if entry in self._moves or entry not in self.before.places:
            self._moves[entry] = (kind.value, name)
            return
        start = self.before.places[entry]
        if self.content[start : start + ID_BYTES] != name:
            self.content[start : start + ID_BYTES] = name
            self._now.add(start)

    def remove(self, entry: bytes) -> None:
        """Take an entry away."""
        self._moves[entry] = None

    @property
    def is_empty(self) -> bool:
        """Whether no entry is left; Git keeps no such folder, except for the root."""
        there = self.before.places
        come = sum(1 for entry, moved in self._moves.items() if moved and entry not in there)
        gone = sum(1 for entry, moved in self._moves.items() if not moved and entry in there)
        return len(there) + come == gone

    def settle(self, pack: Pack) -> bytes:
        """Pack what was put as a new version of the tree, and return the newest version's id."""
        if self._moves:
            self._begin_anew(pack)
        elif self._now:
            self.versions.append(object_id("tree", self.content))
            self._changes.append(frozenset(self._now))
            self._now.clear()
            self._pack(pack)
        return self.versions[-1]

    def _begin_anew(self, pack: Pack) -> None:
        self.before = self.listing.with_entries(self._moves)
        self.content = bytearray(self.before.content)
        self.versions = [object_id("tree", self.content)]
        self._changes = [frozenset()]
        self._now.clear()
        self._moves.clear()
        pack.add("tree", self.versions[0], self.content)

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
        """Read the trees above the files, as far as there are any.

        Raises:
            MirrorDamaged: one of them is missing or unreadable.
        """
        self._listings = listings
        self._folders: dict[str, Folder] = {}
        levels: dict[int, set[str]] = {0: {""}}
        for folder in {folder for file in files for folder in _above(file)}:
            levels.setdefault(folder.count("/") + 1 if folder else 0, set()).add(folder)
        for _, level in sorted(levels.items()):
            names = {folder: self._get(folder) if folder else root for folder in level}
            found = listings.get(name for name in names.values() if name is not None)
            for path, name in names.items():
                new = Folder.of(object_id("tree", b""), _EMPTY)
                self._folders[path] = new if name is None else Folder.of(name, found[name])

    def write(self, files: Mapping[str, bytes | None], pack: Pack) -> bytes:
        """Put the ids of files into the trees above them, pack these, and return the root's id.

        A file that is not there is made, with the folders above it; None deletes one, and the folders
        that nothing is left in.

        Raises:
            ValueError: something else than a file or a folder stands where one would, or a file to be
                deleted is not there. What was put is of no use then.
        """
        # What goes makes room: a folder may become a file, or a file a folder.
        for file, name in files.items():
            if name is None:
                self._remove(file)
        for file, name in files.items():
            if name is not None:
                self._put(file, name, Kind.FILE)
        for path in _upwards(files):
            folder = self._folders[path]
            if path and not folder.is_empty:
                self._put(path, folder.settle(pack), Kind.FOLDER)
        return self._folders[""].settle(pack)

    def keep(self) -> None:
        """Remember the newest trees: the next batch is likely to be made on them."""
        for folder in self._folders.values():
            # One that nothing is left in was not settled.
            if not folder.is_empty:
                self._listings.keep(folder.versions[-1], folder.listing)

    def _get(self, path: str) -> bytes | None:
        folder, entry = self._place(path)
        return folder.get(entry) if folder.kind(entry) is Kind.FOLDER else None

    def _put(self, path: str, name: bytes, kind: Kind) -> None:
        folder, entry = self._place(path)
        if folder.kind(entry) not in (None, kind):
            raise ValueError(f"{path!r} is there already and is no {kind.name.lower()}")
        folder.put(entry, name, kind)

    def _remove(self, path: str) -> None:
        """Take a file away, and each folder above it that nothing is left in."""
        folder, entry = self._place(path)
        if folder.kind(entry) is not Kind.FILE:
            raise ValueError(f"{path!r} is no file, so it cannot be deleted")
        folder.remove(entry)
        for above in _above(path):
            if not above or not self._folders[above].is_empty:
                break
            folder, entry = self._place(above)
            folder.remove(entry)

    def _place(self, path: str) -> tuple[Folder, bytes]:
        parent, _, entry = path.rpartition("/")
        return self._folders[parent], entry.encode()


def _upwards(files: Iterable[str]) -> list[str]:
    """Return the folders above files, each before those around it: its path is longer than theirs."""
    return sorted({folder for file in files for folder in _above(file)}, key=len, reverse=True)


def _above(path: str) -> Iterable[str]:
    """Yield the folders above a file, the root last."""
    while path:
        path = path.rpartition("/")[0]
        yield path
