"""What goes wrong around the updater, and what must not follow from it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.barerepo import make_bare, protect
from support.world import REGISTRY, RULES, WatchedStore, World, chart

from updater import wiring
from updater.errors import Unreachable
from updater.messages import Messages
from updater.model import OutcomeKind, Request, Source
from updater.worker import Habits, Worker

KIND = OutcomeKind
UNORDERED = RULES.replace("order: numeric", "order: none").replace("(?P<build>[0-9]+)", ".+")


def once(world: World, moment: str, effect: str, act: Callable[[], object]) -> None:
    """Do something at the first such effect."""

    def hook(when: str, what: str) -> None:
        if (when, what) == (moment, effect):
            world.effects.hook = None
            act()

    world.effects.hook = hook


def failing(problem: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise problem

    return fail


# Moved branches


def test_a_branch_that_moved_lets_the_whole_batch_be_decided_again(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.ci_builds("iris:develop-101")
        world.tick()
        world.person_pushes(dict(chart("lily")))
        iris, lily = world.ci_builds("iris:develop-102"), world.ci_builds("lily:develop-101")
        world.tick()
        assert world.outcome(iris).kind is KIND.COMMITTED
        assert world.outcome(lily).kind is KIND.COMMITTED, "its chart came after the last fetch"


def test_a_newer_tag_that_a_person_took_back_supersedes_nothing(tmp_path: Path) -> None:
    rules = RULES + "    manual-revert: ignore\n"
    with World(
        tmp_path, {".updater/rules.yaml": rules, **chart("iris"), **chart("lily", "develop-200")}
    ) as world:
        world.ci_builds("iris:develop-101")
        world.tick()
        world.person_pushes({"charts/lily/values-dev.yaml": "image:\n  tag: develop-100\n"})
        world.ci_builds("iris:develop-102")
        lily = world.ci_builds("lily:develop-150")
        world.tick()
        assert world.outcome(lily).kind is KIND.COMMITTED
        assert world.file("charts/lily/values-dev.yaml") == "image:\n  tag: develop-150\n"


def test_what_rests_on_a_refused_push_falls_with_it(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        protect(world.bare, "main")
        first = world.ci_builds("iris:develop-101")
        again = world.ci_builds("iris:develop-101", digest="sha256:" + "a" * 64)
        older = world.ci_builds("iris:develop-90")
        world.tick()
        assert {world.outcome(one).kind for one in (first, again, older)} == {KIND.FAILED}
        (failed,) = world.outcome(first).environments
        assert [(place.old, place.new) for place in failed.places] == [("develop-100", "develop-100")]


# Order over time


def test_without_an_order_an_older_request_that_was_put_off_goes_first(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": UNORDERED, **chart("iris", "develop-x")}) as world:
        away = world.bare.rename(world.bare.with_suffix(".away"))
        world.ci_builds("iris:develop-old")
        world.tick()
        away.rename(world.bare)
        world.ci_builds("iris:develop-new")
        world.tick()
        assert world.commits() == ["iris develop-old in dev", "iris develop-new in dev"]


def test_a_build_that_was_put_off_supersedes_an_older_one_that_came_later(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        away = world.bare.rename(world.bare.with_suffix(".away"))
        newer = world.ci_builds("iris:develop-110")
        world.tick()
        away.rename(world.bare)
        older = world.ci_builds("iris:develop-105")
        world.tick()
        assert world.outcome(newer).kind is KIND.COMMITTED
        assert world.outcome(older).kind is KIND.SUPERSEDED
        assert world.commits() == ["iris develop-110 in dev"]


def test_the_tag_that_was_asked_for_last_stands_where_no_order_is_known(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": UNORDERED, **chart("iris", "develop-x")}) as world:
        for tag in ("develop-aaa", "develop-bbb", "develop-aaa"):
            world.ci_builds(f"iris:{tag}")
        world.tick()
        assert world.file("charts/iris/values-dev.yaml") == "image:\n  tag: develop-aaa\n"


def test_tags_of_one_rank_both_fall_to_a_newer_one(tmp_path: Path) -> None:
    rules = RULES.replace("^develop-", "^(?:main|master)-")
    with World(tmp_path, {".updater/rules.yaml": rules, **chart("iris", "main-1")}) as world:
        requests = [world.ci_builds(f"iris:{tag}") for tag in ("main-7", "master-7", "main-8")]
        world.tick()
        assert [world.outcome(one).kind for one in requests] == [
            KIND.SUPERSEDED,
            KIND.SUPERSEDED,
            KIND.COMMITTED,
        ]
        assert len(world.commits()) == 1


# What landed unseen


def cut_off(world: World) -> None:
    """Lose the answer of the next push, which lands all the same."""
    once(world, "after", "push", failing(Unreachable("the answer was lost")))


def test_a_push_whose_answer_was_lost_is_claimed_as_ours_even_past_broken_rules(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        request = world.ci_builds("iris:develop-101")
        cut_off(world)
        world.tick()
        assert world.record(request).outcome is None
        ours = world.person_pushes({".updater/rules.yaml": "environments: 7\n"}, "break the rules")
        world.now += timedelta(seconds=31)
        world.tick()
        assert world.record(request).outcome is None
        assert ours
        world.person_pushes(
            {".updater/rules.yaml": RULES, "charts/iris/values-dev.yaml": "image:\n  tag: develop-100\n"},
            "mend the rules and take iris back",
        )
        world.settle_all()
        assert world.outcome(request).kind is KIND.COMMITTED
        assert world.commits() == [
            "iris develop-101 in dev",
            "break the rules",
            "mend the rules and take iris back",
        ]


def test_a_push_that_arrives_after_it_was_given_up_on_is_found(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        request = world.ci_builds("iris:develop-101")
        late: list[Callable[[], object]] = []
        really_push = world.repo.push

        def hang(updates: Any, **more: Any) -> Any:
            world.repo.push = really_push  # type: ignore[method-assign]
            late.append(lambda: really_push(updates, **more))
            raise Unreachable("no answer in 60 seconds")

        world.repo.push = hang  # type: ignore[method-assign]
        world.tick()
        world.now += timedelta(seconds=31)
        once(world, "before", "push", late[0])
        world.tick()
        outcome = world.outcome(request)
        assert outcome.kind is KIND.COMMITTED
        assert world.commits() == ["iris develop-101 in dev"]


# Giving up


def test_only_the_time_that_errors_took_counts_towards_giving_up(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.person_pushes({".updater/rules.yaml": "environments: 7\n"})
        request = world.ci_builds("iris:develop-101")
        world.tick()
        world.now += timedelta(hours=25)
        world.person_pushes({".updater/rules.yaml": RULES})
        away = world.bare.rename(world.bare.with_suffix(".away"))
        world.tick()
        assert world.record(request).outcome is None, "the rules were broken for a day, not the remote"
        away.rename(world.bare)
        world.settle_all()
        assert world.outcome(request).kind is KIND.COMMITTED


def test_what_may_have_landed_is_not_given_up_while_nobody_can_look(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        request = world.ci_builds("iris:develop-101")
        cut_off(world)
        world.tick()
        away = world.bare.rename(world.bare.with_suffix(".away"))
        world.now += timedelta(hours=25)
        world.tick()
        assert world.record(request).outcome is None
        away.rename(world.bare)
        world.settle_all()
        assert world.outcome(request).kind is KIND.COMMITTED


# Poison


def picky(world: World) -> Worker:
    """A worker whose own commit template trips over a source without a slash in its branch."""
    shipped = wiring.templates(None)

    def read(name: str) -> str:
        return (
            "{{ charts }} {{ tag }} {{ source_ref.split('/')[1] }}" if name == "commit.txt" else shipped(name)
        )

    habits = Habits(give_up_after=timedelta(hours=24), poll=timedelta(seconds=30), link=lambda _: "")
    return Worker(world.doors(Messages(read)), habits)


def test_a_request_that_trips_the_updater_does_not_hold_up_the_others(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": RULES, **chart("iris"), **chart("lily")}) as world:
        worker = picky(world)
        poison = world.ci_builds("lily:develop-101", source=Source(ref="plain"))
        good = [world.ci_builds(f"iris:develop-{n}", source=Source(ref="feature/x")) for n in range(101, 111)]
        worker.tick()
        assert [world.outcome(one).kind for one in good] == [KIND.SUPERSEDED] * 9 + [KIND.COMMITTED]
        assert "commit.txt" in world.record(poison).reason
        assert len(world.commits()) == 1, "the order of the others holds"
        again = world.ci_builds("iris:develop-200", source=Source(ref="feature/x"))
        world.now += timedelta(minutes=5)
        worker.tick()
        assert world.outcome(again).kind is KIND.COMMITTED
        world.now += timedelta(hours=25)
        worker.tick()
        assert world.outcome(poison).kind is KIND.FAILED


# The loop itself


class Sick(WatchedStore):
    """A store whose reads or claims fail until it is healed."""

    sick = ""
    claims = 0

    def claim(self, limit: int, lease: timedelta, *, hurry: bool = False) -> list[Request]:
        self.claims += 1
        if self.sick == "claim":
            raise Unreachable("the disk is full")
        return list(super().claim(limit, lease, hurry=hurry))

    def next_due(self) -> datetime | None:
        if self.sick == "next_due":
            raise Unreachable("the database is away")
        return super().next_due()


@pytest.mark.parametrize("where", ["claim", "next_due"])
def test_a_store_that_fails_neither_ends_nor_heats_the_loop(tmp_path: Path, where: str) -> None:
    with World(tmp_path) as world:
        world.store.__class__ = Sick
        assert isinstance(world.store, Sick)
        world.store.sick = where
        request = world.ci_builds("none:develop-1") if where == "next_due" else ""
        thread = threading.Thread(target=world.worker.run)
        thread.start()
        try:
            pause = threading.Event()
            for _ in range(100):
                if any("the d" in problem for problem in world.worker.problems):
                    break
                pause.wait(0.05)
            assert world.worker.problems, "the trouble is told"
            pause.wait(0.5)
            assert world.store.claims < 10, "it does not spin"
            world.store.sick = ""
            request = request or world.ci_builds("iris:develop-101")
            record = world.store.wait(request, 20)
            assert record is not None
            assert record.outcome is not None
        finally:
            world.worker.stop()
            thread.join(20)
            world.repo.close()
        assert not thread.is_alive()


def test_every_trouble_reaches_the_log_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bare = make_bare(tmp_path, {".updater/rules.yaml": RULES + "    branch: edge\n", **chart("iris")})
    with World(tmp_path, bare=bare) as world, caplog.at_level(logging.INFO):
        request = world.ci_builds("iris:develop-101")
        for _ in range(3):
            world.tick()
            world.now += timedelta(seconds=31)
        warnings = [one for one in caplog.records if one.levelno == logging.WARNING]
        assert len([one for one in warnings if "'edge'" in one.getMessage()]) == 1
        assert any(request in one.getMessage() and "'edge'" in one.getMessage() for one in caplog.records)


def test_the_mirror_is_tidied_under_steady_traffic(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        thread = threading.Thread(target=world.worker.run)
        tidied: list[int] = []
        world.repo.tidy = lambda: tidied.append(1)  # type: ignore[method-assign]
        thread.start()
        try:
            for number in range(101, 106):
                request = world.ci_builds(f"iris:develop-{number}")
                assert world.store.wait(request, 20)
                unknown = world.ci_builds("none:develop-1")
                assert world.store.wait(unknown, 20)
                world.now += timedelta(seconds=31)
        finally:
            world.worker.stop()
            thread.join(20)
            world.repo.close()
        assert len(tidied) > 1


def test_outside_text_cannot_begin_a_line_of_the_log(tmp_path: Path) -> None:
    from updater.logs import TextFormatter

    record = logging.makeLogRecord({"msg": "no folder %s", "args": ("x\n2026 CRITICAL forged",)})
    line = TextFormatter("%(levelname)s %(message)s").format(record)
    assert "\n" not in line
    assert "x\\n2026 CRITICAL forged" in line


def test_a_full_image_reference_stands_whole_in_its_trailer(tmp_path: Path) -> None:
    repository = f"{REGISTRY}/" + "/".join(["part" * 10] * 5)
    digest = "sha256:" + "a" * 64
    tag = "develop-" + "1" * 115
    files = {**chart("iris"), ".updater/rules.yaml": RULES}
    files["charts/iris/values.yaml"] = f"image:\n  repository: {repository}\n  tag: develop-1\n"
    with World(tmp_path, files) as world:
        world.ci_builds(f"{repository}:{tag}", digest=digest)
        world.tick()
        from support.barerepo import log

        assert f"Updater-Image: {repository}:{tag}@{digest}\n" in log(world.bare)[0].message


def test_those_who_arrive_with_a_crowd_go_with_it(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        crowd = [world.ci_builds(f"iris:develop-{number}") for number in range(101, 121)]
        late: list[str] = []
        once(world, "after", "claim", lambda: late.append(world.ci_builds("iris:develop-500")))
        world.tick()
        assert world.outcome(late[0]).kind is KIND.COMMITTED
        assert {world.outcome(one).kind for one in crowd} == {KIND.SUPERSEDED}
        assert len(world.commits()) == 1
