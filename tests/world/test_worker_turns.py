"""The worker's turns: what counts as work, and questions of other threads when it stops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.lab import chart, rules
from support.world import World

from updater.errors import Unreachable
from updater.model import OutcomeKind

LONG = 60.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, {".updater/rules.yaml": rules(), **chart("iris")}) as world:
        yield world


def test_what_is_held_again_and_again_keeps_the_worker_neither_busy_nor_from_new_work(world: World) -> None:
    world.ci_builds("iris:master-101")
    world.settle_all()
    world.person_pushes({"charts/iris/NOTES": "x\n"}, branch="updater/prod/iris")
    held = world.ci_builds("iris:master-102")
    assert [world.worker.tick() for _ in range(3)] == [True, False, False]
    new = world.ci_builds("iris:develop-101")
    assert [world.worker.tick() for _ in range(3)] == [True, False, False]
    assert world.outcome(held).kind is OutcomeKind.HELD
    assert world.outcome(new).kind is OutcomeKind.COMMITTED
    world.worker.hint()
    world.look_around()
    assert [world.worker.tick() for _ in range(3)] == [True, False, False]


def test_a_question_to_a_worker_that_ended_or_is_stopping_is_refused_at_once(world: World) -> None:
    world.worker.stop()
    with pytest.raises(Unreachable, match="is stopping"):
        world.worker.ask(lambda: 1, patience=LONG)
    world.worker.run()
    with pytest.raises(Unreachable, match="is stopping"):
        world.worker.ask(lambda: 1, patience=LONG)


def test_questions_that_wait_when_the_worker_stops_are_refused_at_once(world: World) -> None:
    begun, release = threading.Event(), threading.Event()
    told: list[str] = []

    def slow() -> str:
        begun.set()
        release.wait(LONG)
        return "done"

    def ask(question: Callable[[], str]) -> None:
        try:
            told.append(world.worker.ask(question, LONG * 10))
        except Unreachable as problem:
            told.append(str(problem))

    first = threading.Thread(target=ask, args=(slow,))
    worker = threading.Thread(target=world.worker.run)
    worker.start()
    first.start()
    assert begun.wait(LONG)
    second = threading.Thread(target=ask, args=(lambda: "never",))
    second.start()
    while world.worker._questions._asked.empty():
        threading.Event().wait(0.001)
    world.worker.stop()
    second.join(LONG)
    assert told == ["The updater is stopping."]
    release.set()
    first.join(LONG)
    worker.join(LONG)
    assert told[1:] == ["done"], "what was begun is answered"


class Fallen(BaseException):
    """Ends a thread, as nothing that goes wrong in a round does."""


def fall() -> None:
    raise Fallen


def test_a_worker_that_falls_leaves_nobody_waiting(world: World) -> None:
    told: list[type[BaseException]] = []

    def ask() -> None:
        try:
            world.worker.ask(fall, LONG * 10)
        except (Fallen, Unreachable) as problem:
            told.append(type(problem))

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    while world.worker._questions._asked.qsize() < len(threads):
        threading.Event().wait(0.001)
    with pytest.raises(Fallen):
        world.worker.run()
    for thread in threads:
        thread.join(LONG)
    assert sorted(one.__name__ for one in told) == ["Fallen", "Unreachable"]
    assert not world.worker.is_stopping, "nobody asked it to"
    with pytest.raises(Unreachable, match="is stopping"):
        world.worker.ask(fall, LONG)
