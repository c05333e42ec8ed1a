"""Rollbacks where something else is under way: other charts, other requests, other people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.acts import (
    COMMITTED,
    DEV,
    HELD,
    HOLDS,
    PROD,
    REFUSED,
    builds,
    kind,
    tag_in,
)
from support.barerepo import log
from support.lab import chart as both
from support.lab import rules
from support.world import RULES, World, chart

from updater.model import Caller, Question


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def two_images() -> dict[str, str]:
    """The files of a chart with the images iris and rose, in lines that are far from each other."""
    files = chart("iris")
    files["charts/iris/values.yaml"] = (
        "a:\n  image: {repository: registry.example.com/iris, tag: x}\n"
        "b:\n  image: {repository: registry.example.com/rose, tag: x}\n"
    )
    far = "# 1\n# 2\n# 3\n# 4\n# 5\n"
    files[DEV] = f"a:\n  image:\n    tag: develop-100\n{far}b:\n  image:\n    tag: develop-100\n"
    return files


def test_a_rollback_after_a_persons_revert_keeps_what_the_person_took_back_out(world: World) -> None:
    for tag in (101, 102, 103):
        builds(world, f"iris:develop-{tag}")
    bad = log(world.bare)[0].sha
    world.person_pushes({DEV: "image:\n  tag: develop-102\n"}, f'Revert "x"\n\nThis reverts commit {bad}.')
    assert kind(world, builds(world, "iris:develop-103")) is HELD
    world.person_rolls_back()
    world.settle_all()
    assert tag_in(world, DEV) == "develop-101"
    assert kind(world, builds(world, "iris:develop-103")) is HELD


def test_rolling_back_does_not_bring_back_what_a_person_took_back(world: World) -> None:
    builds(world, "iris:develop-105")
    world.person_pushes({DEV: "image:\n  tag: develop-103\n"}, "105 is broken")
    world.person_rolls_back()
    world.settle_all()
    assert tag_in(world, DEV) != "develop-105"


def test_two_rollbacks_of_one_chart_at_once_do_not_undo_each_other(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": RULES, **two_images()}) as world:
        builds(world, "iris:develop-101")
        one = log(world.bare)[0].sha
        builds(world, "rose:develop-101")
        two = log(world.bare)[0].sha
        first = world.person_rolls_back(chart="", commit=two)
        second = world.person_rolls_back(chart="", commit=one)
        world.settle_all()
        outcomes = [(kind(world, each), world.outcome(each).reason) for each in (first, second)]
        told = [each[0] for each in outcomes]
        left = world.file(DEV).count("develop-101")
        assert left == told.count(REFUSED), (outcomes, world.file(DEV), world.file(HOLDS))


def test_never_stood_does_not_mean_the_very_same(world: World) -> None:
    for tag in (101, 102):
        builds(world, f"iris:develop-{tag}")
    world.person_rolls_back()
    world.settle_all()
    builds(world, "iris:develop-103")
    asked = world.person_rolls_back(to="develop-102")
    world.settle_all()
    assert "did you mean 'develop-102'" not in world.outcome(asked).reason


def test_a_limited_token_takes_no_other_environments_files_back(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": rules(), **both("iris")}) as world:
        world.person_pushes(
            {
                DEV: "image:\n  tag: develop-102\n",
                PROD: "image:\n  tag: master-100\nreplicas: 5\n",
                ".updater/rules.yaml": rules("merge-request", "    digest: clear\n"),
            },
            "By hand",
        )
        asked = world.person_rolls_back(
            caller=Caller(
                name="d", environments=("dev",), images=("registry.example.com/iris",), acts=("roll-back",)
            )
        )
        world.settle_all()
        assert "replicas: 5" in world.file(PROD), kind(world, asked)
        assert "clear" in world.file(".updater/rules.yaml")


LATER = "    freeze: {from: '2026-11-22 12:30', until: '2026-11-22 23:00', reason: later}\n"


def test_rollbacks_that_waited_mean_what_they_meant(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": RULES + LATER, **chart("iris")}) as world:
        for tag in (101, 102):
            builds(world, f"iris:develop-{tag}")
        world.now += timedelta(minutes=40)
        first = world.person_rolls_back()
        world.settle_all()
        over = world.person_rolls_back(override=True)
        world.settle_all()
        assert kind(world, over) is COMMITTED
        second = world.person_rolls_back()
        world.settle_all()
        assert kind(world, second) is HELD, world.outcome(second).reason
        world.now = datetime(2026, 11, 22, 23, 1, tzinfo=UTC)
        world.look_around()
        world.settle_all()
        assert tag_in(world, DEV) == "develop-100", (
            world.outcome(first).reason,
            world.outcome(second).reason,
        )


def test_a_deleted_chart_comes_back_or_it_is_refused(world: World) -> None:
    builds(world, "iris:develop-101")
    world.person_pushes(dict.fromkeys(chart("iris")), "Gone")
    asked = world.person_rolls_back()
    world.settle_all()
    assert kind(world, asked) in (COMMITTED, REFUSED), world.outcome(asked).reason


def test_two_images_of_one_chart(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": RULES, **two_images()}) as world:
        for image in ("iris:develop-101", "rose:develop-101", "iris:develop-102"):
            builds(world, image)
        asked = world.person_rolls_back(to="develop-100")
        world.settle_all()
        assert world.file(DEV).count("develop-100") == 2, (
            kind(world, asked),
            world.outcome(asked).reason,
            world.file(DEV),
        )


def test_two_images_back_to_a_tag_that_one_has_and_the_other_not(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": RULES, **two_images()}) as world:
        for image in ("iris:develop-101", "iris:develop-102", "rose:develop-101"):
            builds(world, image)
        asked = world.person_rolls_back(to="develop-101")
        world.settle_all()
        assert world.outcome(asked).environments[0].code != "stands-already", world.outcome(asked).reason


def test_who_may_not_roll_back_refuses_nobody_else(world: World) -> None:
    for tag in (101, 102):
        builds(world, f"iris:develop-{tag}")
    world.person_rolls_back(
        caller=Caller(name="lee", images=("registry.example.com/rose",), acts=("roll-back",))
    )
    asked = world.person_rolls_back()
    world.settle_all()
    assert kind(world, asked) is COMMITTED, world.outcome(asked).reason


def test_back_to_a_commit_that_deployed_nothing(world: World) -> None:
    builds(world, "iris:develop-101")
    at = world.person_pushes({"README.md": "x\n"}, "Docs")
    builds(world, "iris:develop-102")
    asked = world.person_rolls_back(to=at[:10])
    world.settle_all()
    assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
    assert tag_in(world, DEV) == "develop-101"


def test_a_persons_step_back_to_what_never_stood_counts_as_going_back(world: World) -> None:
    builds(world, "iris:develop-105")
    world.person_pushes({DEV: "image:\n  tag: develop-103\n"}, "105 is broken")
    newest, before = world.worker.accounts.history(Question(environment="dev", chart="iris"))[:2]
    assert (newest.kind, newest.reverts) == ("revert", (before.commit,))
    assert (before.reverted_by, before.reverted_charts) == (newest.commit, ("iris",))


def test_what_was_taken_back_itself_is_no_place_to_go_back_to(world: World) -> None:
    for tag in (101, 102):
        builds(world, f"iris:develop-{tag}")
    at = log(world.bare)[0].sha
    world.person_rolls_back()
    world.settle_all()
    builds(world, "iris:develop-103")
    asked = world.person_rolls_back(to=at)
    world.settle_all()
    assert (kind(world, asked), world.outcome(asked).environments[0].code) == (REFUSED, "taken-back-itself")
    assert "develop-102 was taken back in iris in dev itself" in world.outcome(asked).reason
    assert tag_in(world, DEV) == "develop-103"


def test_one_chart_alone_is_taken_back_and_then_the_other(tmp_path: Path) -> None:
    files = {**chart("iris"), **chart("lily")}
    files["charts/lily/values.yaml"] = files["charts/iris/values.yaml"]
    with World(tmp_path, {".updater/rules.yaml": RULES, **files}) as world:
        builds(world, "iris:develop-101")
        builds(world, "iris:develop-102")
        for name in ("iris", "lily"):
            asked = world.person_rolls_back(name, alone=True)
            world.settle_all()
            assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
        told = world.worker.accounts.history(Question(environment="dev"))
        (taken,) = [one for one in told if one.tag == "develop-102"]
        assert sorted(taken.reverted_charts) == ["iris", "lily"]
        assert tag_in(world, "charts/lily/values-dev.yaml") == "develop-101"


@pytest.mark.parametrize("to", ["develop-100", "develop-101"])
def test_past_a_persons_step_to_what_never_stood(world: World, to: str) -> None:
    builds(world, "iris:develop-101")
    builds(world, "iris:develop-105")
    world.person_pushes({DEV: "image:\n  tag: develop-103\n"}, "105 is broken")
    asked = world.person_rolls_back()
    world.settle_all()
    assert world.outcome(asked).environments[0].code == "rollback-overtaken"
    assert "by A Person changed it (105 is broken)" in world.outcome(asked).reason
    asked = world.person_rolls_back(to=to)
    world.settle_all()
    assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
    assert tag_in(world, DEV) == to


def test_back_to_a_persons_step_to_what_never_stood(world: World) -> None:
    builds(world, "iris:develop-105")
    at = world.person_pushes({DEV: "image:\n  tag: develop-103\n"}, "105 is broken")
    builds(world, "iris:develop-106")
    asked = world.person_rolls_back(to=at)
    world.settle_all()
    assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
    assert tag_in(world, DEV) == "develop-103"


def test_the_first_build_that_was_taken_back_is_no_place_to_go_back_to(world: World) -> None:
    builds(world, "iris:develop-102")
    at = log(world.bare)[0].sha
    world.person_rolls_back()
    world.settle_all()
    builds(world, "iris:develop-103")
    asked = world.person_rolls_back(to=at)
    world.settle_all()
    assert (kind(world, asked), world.outcome(asked).environments[0].code) == (REFUSED, "taken-back-itself")
    assert tag_in(world, DEV) == "develop-103"


def test_back_to_a_commit_where_one_of_two_images_was_taken_back_later(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": RULES, **two_images()}) as world:
        for image in ("iris:develop-101", "rose:develop-201", "iris:develop-102"):
            builds(world, image)
        at = log(world.bare)[0].sha
        world.person_rolls_back()
        world.settle_all()
        builds(world, "rose:develop-202")
        asked = world.person_rolls_back(to=at)
        world.settle_all()
        assert world.outcome(asked).environments[0].code == "taken-back-itself"
        assert "develop-202" in world.file(DEV)


def test_the_time_to_restore_is_each_charts_own(tmp_path: Path) -> None:
    files = {**chart("iris"), **chart("lily")}
    files["charts/lily/values.yaml"] = files["charts/iris/values.yaml"]
    with World(tmp_path, {".updater/rules.yaml": RULES, **files}) as world:
        builds(world, "iris:develop-101")
        builds(world, "iris:develop-102")
        for hours, name in ((1, "iris"), (24, "lily")):
            world.now += timedelta(hours=hours)
            world.person_rolls_back(name, alone=True)
            world.settle_all()
        told = world.worker.accounts.figures(Question(environment="dev"))
        assert [(one.chart, one.restore_time) for one in told] == [
            ("", timedelta(hours=25)),
            ("iris", timedelta(hours=1)),
            ("lily", timedelta(hours=25)),
        ]
