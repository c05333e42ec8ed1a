"""Questions of other threads to the worker's: put in a queue, answered between its rounds.

Hides the queue, and that nobody waits for a worker that is ending. `loop` has it; `wiring` asks through
the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, TypeVar

from updater.errors import Unreachable

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Question:
    question: Callable[[], Any]
    promise: Future[Any] = field(default_factory=Future)


class Questions:
    """The questions of one worker; `wake` is called when there is a new one."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._asked: SimpleQueue[_Question] = SimpleQueue()
        self._gate = Lock()
        self._has_ended = False

    def ask(self, question: Callable[[], Answer], patience: float) -> Answer:
        """Wait for the answer to a question, and return it or raise what came of it.

        Raises:
            Unreachable: the worker is ending, or had no time for it within `patience` seconds; whether
                it was done is not known then.
        """
        asked = _Question(question)
        with self._gate:
            if self._has_ended:
                raise _ending()
            self._asked.put(asked)
        self._wake()
        try:
            answer: Answer = asked.promise.result(patience)
        except FutureTimeout:
            asked.promise.cancel()
            raise Unreachable("The updater is busy with the config repo: try again.") from None
        return answer

    def answer(self) -> None:
        """Answer all that was asked, in the worker's thread."""
        with suppress(Empty):
            while True:
                asked = self._asked.get_nowait()
                # Whoever asked may have given up meanwhile.
                if asked.promise.set_running_or_notify_cancel():
                    try:
                        asked.promise.set_result(asked.question())
                    except BaseException as problem:
                        asked.promise.set_exception(problem)
                        # What ends a thread ends this one too, but nobody waits for it in vain.
                        if not isinstance(problem, Exception):
                            raise

    def end(self) -> None:
        """Refuse whatever was asked and not begun, and whatever will be; a second call does nothing."""
        with self._gate, suppress(Empty):
            self._has_ended = True
            while True:
                asked = self._asked.get_nowait()
                if asked.promise.set_running_or_notify_cancel():
                    asked.promise.set_exception(_ending())


def _ending() -> Unreachable:
    return Unreachable("The updater is stopping.")
