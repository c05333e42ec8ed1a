"""Writes objects into a mirror as one pack file with its index.

Hides the formats of gitformat-pack(5) (version 2 of both files) and the order in which the two files
must appear. Called by `writing`; it reads nothing and starts no process.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path

_KINDS = {"commit": 1, "tree": 2, "blob": 3}
_OFS_DELTA = 6
# gitformat-pack(5), "Deltified representation": three bytes of size, and seven bits of literal length.
_LONGEST_COPY = 0xFFFFFF
_LONGEST_INSERT = 0x7F
# Git gives up a chain of more than 50 deltas when it packs again (git-pack-objects(1), --depth).
_DEEPEST = 40
_FAST = 1
_LONGEST_STORED = 0xFFFF
_INDEX_HEAD = b"\xfftOc\x00\x00\x00\x02"
# Beyond this the index would need its table of eight-byte offsets.
_LARGEST = 0x7FFFFFFF


class Pack:
    """A pack in the making; each object is written once, a delta after what it is based on."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 12
        # Of each object: where it starts, the check sum of its bytes, how many deltas lead to it.
        self._entries: dict[bytes, tuple[int, int, int]] = {}

    def __len__(self) -> int:
        """Return how many objects are in the pack."""
        return len(self._entries)

    def __contains__(self, name: bytes) -> bool:
        """Say whether an object is in the pack already."""
        return name in self._entries

    def add(self, kind: str, name: bytes, content: bytes | bytearray, *, is_sent: bool = True) -> None:
        """Add a whole object, unless it is there; `is_sent` says that a push will send it."""
        if name not in self._entries:
            body = zlib.compress(content, _FAST) if is_sent and kind != "tree" else _stored(content)
            self._append(name, _head(_KINDS[kind], len(content)), body, 0)

    def add_delta(self, name: bytes, base: bytes, delta: bytes) -> bool:
        """Add an object as what differs from one that is there; return False where the chain is too long."""
        if name in self._entries:
            return True
        start, _, depth = self._entries[base]
        if depth >= _DEEPEST:
            return False
        head = _head(_OFS_DELTA, len(delta)) + _distance(self._size - start)
        self._append(name, head, _stored(delta), depth + 1)
        return True

    def _append(self, name: bytes, head: bytes, body: bytes, depth: int) -> None:
        self._entries[name] = (self._size, zlib.crc32(body, zlib.crc32(head)), depth)
        self._parts += (head, body)
        self._size += len(head) + len(body)

    def save(self, folder: Path) -> None:
        """Write the pack and its index into an `objects/pack` folder.

        Git looks for indexes, so the pack gets its name first: Git never meets a half of the two. A
        crash in between leaves files that `mirror` sweeps away.

        Raises:
            OSError: they cannot be written.
            ValueError: the pack would exceed two gigabytes.
        """
        if self._size > _LARGEST:
            raise ValueError("the commits of one batch take more than two gigabytes")
        pack = b"".join((struct.pack(">4sII", b"PACK", 2, len(self._entries)), *self._parts))
        trailer = _sha1(pack)
        path = folder / f"pack-{trailer.hex()}"
        _write(path.with_suffix(".pack"), pack, trailer)
        index = self._index(trailer)
        _write(path.with_suffix(".idx"), index, _sha1(index))

    def _index(self, trailer: bytes) -> bytes:
        names = sorted(self._entries)
        counts = [0] * 256
        for name in names:
            counts[name[0]] += 1
        entries = [self._entries[name] for name in names]
        return b"".join(
            (
                _INDEX_HEAD,
                struct.pack(">256I", *accumulate(counts)),
                *names,
                struct.pack(f">{len(names)}I", *(entry[1] for entry in entries)),
                struct.pack(f">{len(names)}I", *(entry[0] for entry in entries)),
                trailer,
            )
        )


def _write(path: Path, content: bytes, trailer: bytes) -> None:
    # The prefix is Git's own for what is not ready; `mirror` and `git gc` delete it.
    draft = path.with_name(f"tmp_{path.name}")
    with draft.open("wb") as file:
        file.write(content)
        file.write(trailer)
    draft.replace(path)


def _stored(content: bytes | bytearray) -> bytes:
    """Return content as a zlib stream without compression: most of a tree is random ids (RFC 1950, 1951)."""
    size = len(content)
    if size > _LONGEST_STORED:
        return zlib.compress(content, 0)
    head = struct.pack("<3sHH", b"\x78\x01\x01", size, size ^ _LONGEST_STORED)
    return b"".join((head, content, zlib.adler32(content).to_bytes(4, "big")))


def _sha1(content: bytes) -> bytes:
    return hashlib.sha1(content, usedforsecurity=False).digest()


def _head(kind: int, size: int) -> bytes:
    """Return an entry's kind and size: four bits of the size in the first byte, then seven each."""
    first, size = kind << 4 | size & 0x0F, size >> 4
    return bytes([first | 0x80]) + _number(size) if size else bytes([first])


def _number(value: int) -> bytes:
    """Return a number in bytes of seven bits, the lowest first."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _distance(value: int) -> bytes:
    """Return how far back a delta's base starts, the highest bits first (the page's "offset encoding")."""
    found = [value & 0x7F]
    while value := value >> 7:
        value -= 1
        found.append(value & 0x7F | 0x80)
    return bytes(reversed(found))


def delta(content: bytes | bytearray, changed: Iterable[int], width: int) -> bytes:
    """Return what makes `content` of bytes of the same length that differ in some places only.

    `changed` holds where the places of `width` bytes start; they do not overlap.
    """
    size = len(content)
    parts = [_number(size), _number(size)]
    at = 0
    for start in sorted(changed):
        parts += _copies(at, start)
        at = start + width
        parts += _inserts(bytes(content[start:at]))
    parts += _copies(at, size)
    return b"".join(parts)


def _inserts(literal: bytes) -> Iterable[bytes]:
    for at in range(0, len(literal), _LONGEST_INSERT):
        part = literal[at : at + _LONGEST_INSERT]
        yield bytes([len(part)]) + part


def _copies(start: int, end: int) -> Iterable[bytes]:
    """Yield instructions that copy a span; bytes that are zero are left out, and a bit each says so."""
    while start < end:
        size = min(end - start, _LONGEST_COPY)
        numbers = start.to_bytes(4, "little") + size.to_bytes(3, "little")
        bits = sum(1 << place for place, byte in enumerate(numbers) if byte)
        yield bytes([0x80 | bits]) + numbers.replace(b"\0", b"")
        start += size
