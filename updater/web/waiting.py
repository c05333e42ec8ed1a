"""Callers who wait for an outcome: what they may ask for, and how many may wait at once.

This module hides the grammar of `Prefer` (RFC 7240) and the counting of seats. A caller who waits
holds a thread of the server, so only half of the threads are seats: the rest keep answering.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

MAX_WAIT = 60
# Seconds until a caller who found no seat asks again; requests settle within a few as a rule.
BUSY_RETRY_AFTER = 2

_QUOTED = re.compile(r'"[^"]*"')
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


def wait_asked_for(headers: Iterable[str]) -> int:
    """Return the seconds of the first `wait` in the `Prefer` headers, at most `MAX_WAIT`; 0 is none.

    What cannot be understood is ignored, as RFC 7240 section 2 demands.
    """
    for header in headers:
        # A comma or semicolon inside quotes separates nothing.
        plain = _QUOTED.sub(lambda quoted: re.sub("[,;]", " ", quoted[0]), header)
        for preference in plain.split(","):
            name, _, value = preference.partition(";")[0].partition("=")
            if name.strip().lower() == "wait":
                seconds = value.strip().strip('"')
                return min(int(seconds), MAX_WAIT) if _SECONDS.fullmatch(seconds) else 0
    return 0


class Seats:
    """How many callers may wait at once: half of the server's threads."""

    def __init__(self, threads: int) -> None:
        self._free = BoundedSemaphore(max(1, threads // 2))

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Take a seat for the length of a `with` block; gives false where none is free."""
        got = self._free.acquire(blocking=False)
        try:
            yield got
        finally:
            if got:
                self._free.release()
