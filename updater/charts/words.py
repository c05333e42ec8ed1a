"""An index from words to the files they occur in, so that few files are parsed for one image.

It hides how the index stays small and current. `survey` asks it which files may name a repository;
the answer may hold too many files, never too few. It reads bytes, not YAML.

A repository's path components are letters, digits, '.', '_' and '-' (OCI distribution specification
1.1), so in a file each one stands as a maximal run of those characters. Only an escape in a double
quoted scalar can write it otherwise (YAML 1.2.2, section 5.7); files with such escapes are always
in the answer.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from updater.model import Scope

_WORD = re.compile(rb"[a-z0-9][A-Za-z0-9._-]*")
_ESCAPE = re.compile(rb"\\[xuU\r\n]")
# Words in more files than this keep one bit per file instead of one number.
_FEW = 32
# A changed file leaves its old words behind; after so many changed files everything is read anew.
_SPARE_CHANGES = 1000
# Room for files to come, so that a word's bits need not grow with each of them.
_SPARE_BYTES = 64
# Words compared at length when a name is not found.
_MAX_NEAR = 200

Posting: TypeAlias = "tuple[int, ...] | bytearray"


def words_of(data: bytes) -> set[bytes]:
    """Return every word that may be the path component of a repository."""
    return set(_WORD.findall(data))


@dataclass(frozen=True, slots=True)
class Indexed:
    """What was indexed whole once: the files of an area at an origin, but for those that were newer then."""

    origin: object
    area: object
    newer: frozenset[str]


class Words:
    """Which words occur in which files; it only ever grows, so that it never misses one."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._paths: list[str] = []
        self._postings: dict[bytes, Posting] = {}
        self._escaped: set[int] = set()
        self._changes = 0
        self.versions: dict[str, str] = {}
        self.indexed: dict[Scope, Indexed] = {}

    @property
    def is_worn(self) -> bool:
        """Say whether so much was left behind that building anew is better."""
        return self._changes > len(self._paths) + _SPARE_CHANGES

    def add(self, path: str, version: str, data: bytes) -> None:
        """Take in a file, or the new content of a known one."""
        number = self._numbers.get(path)
        if number is None:
            number = self._numbers[path] = len(self._paths)
            self._paths.append(path)
        else:
            self._changes += 1
        self.versions[path] = version
        if _ESCAPE.search(data):
            self._escaped.add(number)
        self._post(number, words_of(data))

    def _post(self, number: int, words: set[bytes]) -> None:
        # The first start in a big repo is spent here: hence one loop without calls for common words.
        postings, byte, bit = self._postings, number >> 3, 1 << (number & 7)
        for word in words:
            known = postings.get(word)
            if known is None:
                postings[word] = (number,)
            elif isinstance(known, tuple):
                if number not in known:
                    postings[word] = (*known, number) if len(known) < _FEW else _bits((*known, number))
            elif byte < len(known):
                known[byte] |= bit
            else:
                known.extend(bytes(byte - len(known) + 1 + _SPARE_BYTES))
                known[byte] |= bit

    def holds(self, word: bytes, path: str) -> bool:
        """Say whether a file may hold a word."""
        number = self._numbers.get(path)
        return number is not None and (
            number in self._escaped or _is_in(self._postings.get(word, ()), number)
        )

    def count(self, word: bytes) -> int:
        """Return in about how many files a word occurs."""
        known = self._postings.get(word, ())
        return len(known) if isinstance(known, tuple) else sum(byte.bit_count() for byte in known)

    def files_with(self, word: bytes) -> Iterator[str]:
        """Yield every file that may hold a word."""
        known = self._postings.get(word, ())
        yield from (self._paths[number] for number in _numbers(known))
        yield from (self._paths[number] for number in self._escaped if not _is_in(known, number))

    def near(self, word: str) -> list[str]:
        """Return some words that hold `word`, or are about as long and share its beginning or its end."""
        whole = word.encode()
        start, end = whole[:2], whole[-3:]
        shortest, longest = len(whole) * 2 // 3, len(whole) * 3 // 2 + 1
        alike = (
            known
            for known in self._postings
            if whole in known
            or (shortest <= len(known) <= longest and (known.startswith(start) or known.endswith(end)))
        )
        return [
            known.decode() for known in heapq.nlargest(_MAX_NEAR, alike, key=lambda one: _shared(one, whole))
        ]


def components(repository: str) -> tuple[bytes, ...]:
    """Return the words a file must hold to name a canonical repository, its last one first."""
    _, _, path = repository.partition("/")
    parts = path.split("/")
    # Docker Hub's `library` is usually left out.
    wanted = parts[1:] if parts[0] == "library" and len(parts) > 1 else parts
    return tuple(part.encode() for part in reversed(wanted))


def _is_in(posting: Posting, number: int) -> bool:
    if isinstance(posting, tuple):
        return number in posting
    return number >> 3 < len(posting) and bool(posting[number >> 3] & 1 << (number & 7))


def _numbers(posting: Posting) -> Iterator[int]:
    if isinstance(posting, tuple):
        yield from posting
        return
    for position, byte in enumerate(posting):
        if byte:
            yield from (position * 8 + bit for bit in range(8) if byte & 1 << bit)


def _shared(left: bytes, right: bytes) -> int:
    """Return how many characters two words share at their beginning and at their end."""
    same = [one == other for one, other in zip(left, right, strict=False)]
    same_back = [one == other for one, other in zip(reversed(left), reversed(right), strict=False)]
    return sum(row.index(False) if False in row else len(row) for row in (same, same_back))


def _bits(numbers: tuple[int, ...]) -> bytearray:
    bits = bytearray((max(numbers) >> 3) + 1)
    for number in numbers:
        bits[number >> 3] |= 1 << (number & 7)
    return bits
