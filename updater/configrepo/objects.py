"""What Git's objects look like: their ids, the bytes of a commit, the entries of a tree.

Hides the formats of git-hash-object(1) and git-mktree(1), and how a tree is read once and then kept.
Called by `writing`, `folders`, `undoing`; it writes nothing and starts no process. The mirror is a
SHA-1 repository, so an id is 20 bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from updater.configrepo.process import GitCommands

ID_BYTES = 20
# Mode, blank, name, NUL, id; in a tree that Git reads, the next entry starts where this one ends.
_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
_LONGEST_MODE = 6
_TREE_OF_COMMIT = re.compile(rb"tree ([0-9a-f]{40})\n")
# What a name and its place take in memory beside the tree's own bytes, roughly.
_PER_ENTRY = 200
_KEPT_BYTES = 8 * 1024 * 1024


def object_id(kind: str, content: bytes | bytearray) -> bytes:
    """Return the id of an object: blob, tree or commit."""
    digest = hashlib.sha1(f"{kind} {len(content)}\0".encode(), usedforsecurity=False)
    digest.update(content)
    return digest.digest()


def commit_content(
    tree: bytes, parents: Iterable[str], message: str, *, author: str, committer: str
) -> bytes:
    """Return the bytes of a commit; author and committer are `name <address> seconds zone`."""
    above = "".join(f"parent {parent}\n" for parent in parents)
    head = f"tree {tree.hex()}\n{above}author {author}\ncommitter {committer}\n\n"
    return (head + message).encode()


class Kind(Enum):
    """What an entry of a tree is; the value is the mode that a new one gets."""

    FILE = b"100644"
    FOLDER = b"40000"
    # A link or a submodule; the updater makes neither.
    OTHER = b""

    @classmethod
    def of(cls, mode: bytes) -> Kind:
        """Return what has this mode. Old tools wrote folders with a zero in front, files as 100664."""
        if mode.endswith(cls.FOLDER.value):
            return cls.FOLDER
        return cls.FILE if mode.startswith(b"100") else cls.OTHER


# An entry's mode and id.
Entry = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Listing:
    """A tree object and where in it the id of each name stands."""

    content: bytes = field(repr=False)
    places: Mapping[bytes, int] = field(repr=False)

    @classmethod
    def parse(cls, content: bytes) -> Listing:
        """Read a tree object."""
        return cls(content, {found[2]: found.end() - ID_BYTES for found in _ENTRY.finditer(content)})

    def kind(self, name: bytes) -> Kind | None:
        """Say what a name is; None where there is no such name."""
        place = self.places.get(name)
        if place is None:
            return None
        end = place - len(name) - 2
        return Kind.of(self.content[max(end - _LONGEST_MODE, 0) : end])

    def with_entries(self, moves: Mapping[bytes, Entry | None]) -> Listing:
        """Return the tree after entries came, or went where it says None."""
        entries: dict[bytes, Entry | None] = {
            found[2]: (found[1], found[3]) for found in _ENTRY.finditer(self.content)
        }
        entries.update(moves)
        ordered = sorted(((name, entry) for name, entry in entries.items() if entry), key=_rank)
        return Listing.parse(b"".join(b"%s %s\0%s" % (mode, name, at) for name, (mode, at) in ordered))

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return len(self.content) + _PER_ENTRY * len(self.places)


def _rank(named: tuple[bytes, Entry]) -> bytes:
    """Return what Git sorts an entry by: a folder stands where its name with a slash would."""
    name, (mode, _) = named
    return name + b"/" if Kind.of(mode) is Kind.FOLDER else name


@dataclass(slots=True)
class Listings:
    """The trees of a mirror; those used last stay in memory, up to a few megabytes.

    An id names its content for ever, so what is kept never gets stale.
    """

    git: GitCommands
    _kept: OrderedDict[bytes, Listing] = field(default_factory=OrderedDict, repr=False)
    _size: int = 0

    def root(self, commit: str) -> bytes:
        """Return the id of a commit's tree.

        Raises:
            MirrorDamaged: the commit is missing or unreadable.
        """
        ((_, content),) = self.git.objects([commit])
        found = _TREE_OF_COMMIT.match(content)
        if found is None:
            raise self.git.damage(f"object {commit} is no commit")
        return bytes.fromhex(found[1].decode())

    def get(self, names: Iterable[bytes]) -> dict[bytes, Listing]:
        """Return trees by their ids.

        Raises:
            MirrorDamaged: one of them is missing or unreadable.
        """
        wanted = dict.fromkeys(names)
        found = {name: self._kept[name] for name in wanted if name in self._kept}
        missing = [name.hex() for name in wanted if name not in found]
        read = {bytes.fromhex(name): Listing.parse(content) for name, content in self.git.objects(missing)}
        for name, listing in (found | read).items():
            self.keep(name, listing)
        return found | read

    def keep(self, name: bytes, listing: Listing) -> None:
        """Remember a tree as the one used last, and forget those used longest ago."""
        replaced = self._kept.pop(name, None)
        self._size += listing.size - (replaced.size if replaced else 0)
        self._kept[name] = listing
        while self._size > _KEPT_BYTES and len(self._kept) > 1:
            self._size -= self._kept.popitem(last=False)[1].size
