"""The order of version directories: `charts/iris/0.9.0` is older than `charts/iris/0.10.0`.

It hides how such names compare. `layout` asks it which one is the highest; it judges no image tag
(`policy` does, by rules).
"""

from __future__ import annotations

import functools
import re
from typing import TypeAlias

_VERSION = re.compile(r"v?([0-9]{1,18}(?:\.[0-9]{1,18}){1,3})(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.+-]+))?")

_Identifiers: TypeAlias = tuple[tuple[bool, int, str], ...]
Version: TypeAlias = tuple[tuple[int, ...], bool, _Identifiers, _Identifiers]


# A catalog is laid out anew with each version, and most of its folders are versions.
@functools.lru_cache(maxsize=1 << 16)
def version_of(name: str) -> Version | None:
    """Return a name's place in the order of Semantic Versioning 2.0.0, section 11.

    Build metadata, which has no order there, breaks ties: Rancher's charts differ by `+up1.2.3` only.
    """
    match = _VERSION.fullmatch(name)
    if match is None:
        return None
    numbers = tuple(int(part) for part in match[1].split("."))
    padded = numbers + (0,) * (4 - len(numbers))
    return (
        padded,
        match[2] is None,
        _identifiers(match[2], r"\."),
        _identifiers(match[3], r"\.|(?<=[a-z])(?=[0-9])"),
    )


def _identifiers(text: str | None, separator: str) -> _Identifiers:
    parts = re.split(separator, text) if text else []
    # Numbers rank below words, and by value among themselves.
    return tuple(
        (False, int(part), "") if part.isdecimal() and len(part) < 19 else (True, 0, part) for part in parts
    )
