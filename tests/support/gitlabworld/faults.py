"""Faults on demand: the next call of a kind goes wrong in one way, then all is well again."""

from __future__ import annotations

import fnmatch
import threading
from dataclasses import dataclass

KINDS = ("drop", "hang", "reset")


@dataclass(slots=True)
class Fault:
    """One thing that will go wrong. `acts`: the call has its effect all the same."""

    method: str
    pattern: str
    status: int | str
    retry_after: str
    acts: bool
    body: str
    left: int


class Faults:
    """The faults that wait for their call; threads of the server ask, tests add."""

    def __init__(self) -> None:
        self.healed = threading.Event()
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def next(
        self,
        call: str,
        *,
        status: int | str,
        retry_after: str | float = "",
        acts: bool = False,
        body: str = "",
        times: int = 1,
    ) -> None:
        """Let the next calls of a kind fail.

        `call` is a method (or `*`) and a path below the project or the API, with wildcards:
        `POST merge_requests`, `PUT merge_requests/*/merge`, `GET user`, `POST git-receive-pack`.
        `status` is an HTTP status, or `drop` (act, then lose the answer), `reset` (lose the
        connection before acting), `hang` (answer nothing until healed). A 429 is plain text, with
        `retry_after` as its header: seconds or an HTTP date.
        """
        assert isinstance(status, int) or status in KINDS, status
        method, _, pattern = call.partition(" ")
        fault = Fault(method, pattern, status, str(retry_after), acts or status == "drop", body, times)
        with self._lock:
            self._waiting.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that this call meets, and count it."""
        with self._lock:
            for fault in self._waiting:
                if fault.method in ("*", method) and _takes(fault.pattern, path):
                    fault.left -= 1
                    if not fault.left:
                        self._waiting.remove(fault)
                    return fault
        return None

    def heal(self) -> None:
        """Forget all faults and let go of what hangs."""
        with self._lock:
            self._waiting.clear()
        self.healed.set()
        self.healed = threading.Event()

    @property
    def waiting(self) -> int:
        """How many faults no call met yet."""
        with self._lock:
            return len(self._waiting)


def _takes(pattern: str, path: str) -> bool:
    # A wildcard takes one part of the path only.
    wanted, given = pattern.split("/"), path.split("/")
    return pattern == "*" or (
        len(wanted) == len(given)
        and all(fnmatch.fnmatchcase(part, want) for part, want in zip(given, wanted, strict=True))
    )
