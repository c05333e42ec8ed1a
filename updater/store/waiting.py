"""Threads that wait for a request to be settled, woken without polling.

Called by `inbox`. Wakes only threads of this process: with several processes, one that is not
woken asks once more when its time is over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Lock


class Waiters:
    """Who waits for which request."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._events: dict[str, set[Event]] = defaultdict(set)
        self._closed = False

    @contextmanager
    def expecting(self, request_id: str) -> Iterator[Event]:
        """Yield an event that is set as soon as the request is settled from now on."""
        event = Event()
        with self._guard:
            self._events[request_id].add(event)
            if self._closed:
                event.set()
        try:
            yield event
        finally:
            with self._guard:
                self._events[request_id].discard(event)
                if not self._events[request_id]:
                    del self._events[request_id]

    def wake(self, ids: Iterable[str]) -> None:
        """Wake all who wait for one of `ids`."""
        with self._guard:
            for request_id in ids:
                for event in self._events.get(request_id, ()):
                    event.set()

    def close(self) -> None:
        """Wake everybody, now and later: nothing will be settled any more."""
        with self._guard:
            self._closed = True
            for events in self._events.values():
                for event in events:
                    event.set()
