"""Which tags an environment takes, and which of two is the newer build.

This module hides how tags are ordered: by number, by Semantic Versioning 2.0.0, by the alphabet or
not at all. `plan` asks it for every request. It never guesses: where nobody could say for sure which
of two tags is newer, they are not comparable.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

from semver import Version

from updater.model import is_tag

# The groups of a pattern that choose the part of a tag that is compared.
COMPARED_GROUPS = ("build", "version")

_LAST_DIGITS = re.compile(r"(.*?)([0-9]+)[^0-9]*", re.DOTALL)
_DIGITS = re.compile(r"[0-9]+")


class _Rank(Protocol):
    def __lt__(self, other: Self, /) -> bool: ...


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of one environment: `pattern` says which (None: any legal tag), `order` how they compare."""

    pattern: str | None = None
    order: str = "numeric"

    def takes(self, tag: str) -> bool:
        """Say whether `tag` is legal and the pattern takes all of it, not just a part."""
        return is_tag(tag) and (self.pattern is None or _compiled(self.pattern).fullmatch(tag) is not None)

    def compare(self, a: str, b: str) -> int | None:
        """Return -1, 0 or 1 as `a` is older than, the same as or newer than `b`; None: nobody can say.

        Only equal tags are the same. Two tags of one rank (`v1.0.0` and `1.0.0`, `main-7` and
        `main-7-slim`) are not comparable, and neither is a tag that is not taken here.
        """
        if a == b:
            return 0
        if not (self.takes(a) and self.takes(b)):
            return None
        (family, rank), (other_family, other_rank) = self._rank(a), self._rank(b)
        if rank is None or other_rank is None or family != other_family or rank == other_rank:
            return None
        return -1 if rank < other_rank else 1

    def number(self, tag: str) -> int | None:
        """Return the number by which a tag is compared; None where it is not taken, or by no number."""
        if self.order != "numeric" or not self.takes(tag):
            return None
        _, rank = self._rank(tag)
        return rank if isinstance(rank, int) else None

    def _rank(self, tag: str) -> tuple[object, _Rank | None]:
        """Return what must be equal for two tags to be comparable, and what is then compared."""
        if self.order == "none":
            return None, None
        pattern = _compiled(self.pattern or "")
        group = next((name for name in COMPARED_GROUPS if name in pattern.groupindex), None)
        if group is None:
            return _shape_and_number(tag) if self.order == "numeric" else (None, _RANKS[self.order](tag))
        found = pattern.fullmatch(tag)
        # A group in a branch of the pattern that was not taken matched nothing.
        part = found[group] if found else None
        return None, None if part is None else _RANKS[self.order](part)


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _shape_and_number(tag: str) -> tuple[object, _Rank | None]:
    found = _LAST_DIGITS.fullmatch(tag)
    return (None, None) if found is None else (found[1], _number(found[2]))


def _number(text: str) -> _Rank | None:
    return int(text) if _DIGITS.fullmatch(text) else None


def _version(text: str) -> _Rank | None:
    try:
        return Version.parse(text.removeprefix("v"))
    except ValueError:
        return None


_RANKS: dict[str, Callable[[str], _Rank | None]] = {
    "numeric": _number,
    "semver": _version,
    "alphabetical": str,
}
