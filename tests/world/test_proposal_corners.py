"""Proposals that meet rollbacks, holds and freezes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.acts import (
    COMMITTED,
    FREEZE,
    HELD,
    HOLDS,
    KIM,
    PROD,
    PROPOSED,
    SUPERSEDED,
    builds,
    kind,
    lands,
    tag_in,
)
from support.lab import chart as both
from support.lab import lab, rules
from support.world import World

from updater.errors import TemporaryError, Unreachable


def test_a_rollback_that_waits_for_the_forge_is_not_told_as_done(tmp_path: Path) -> None:
    text = rules("merge-request", "    rollback: {delivery: commit}\n")
    with World(tmp_path, {".updater/rules.yaml": text, **both("iris")}) as world:
        lands(world, "master-101", "master-102")
        real = world.forge.look

        def away(*_: object) -> Any:
            raise Unreachable("GitLab is away")

        world.forge.look = away  # type: ignore[method-assign,assignment]
        asked = world.person_rolls_back(environment="prod")
        build = world.ci_builds("iris:develop-101")
        world.tick()
        world.forge.look = real  # type: ignore[method-assign]
        world.settle_all()
        assert kind(world, build) is COMMITTED
        assert kind(world, asked) is COMMITTED
        assert tag_in(world, PROD) == "master-101"


def test_a_rollback_that_waits_for_the_forge_meets_no_bug(tmp_path: Path) -> None:
    text = rules("merge-request", "    rollback: {delivery: commit}\n")
    with World(tmp_path, {".updater/rules.yaml": text, **both("iris")}) as world:
        lands(world, "master-101", "master-102")

        def away(*_: object) -> Any:
            raise Unreachable("GitLab is away")

        world.forge.look = away  # type: ignore[method-assign,assignment]
        asked = world.person_rolls_back(environment="prod")
        world.tick()
        assert "bug" not in world.record(asked).reason


def test_a_proposal_lifts_no_hold_of_another_chart(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": rules(), **both("iris"), **both("rose")}) as world:
        for name in ("iris", "rose"):
            world.person_holds(name, "prod", repository=f"registry.example.com/{name}", build="master-102")
        world.settle_all()
        for name in ("iris", "rose"):
            world.ci_builds(f"{name}:master-103")
        world.settle_all()
        world.worker.desk.approve("prod/rose", caller=KIM, head=None)
        assert '"iris"' in world.file(HOLDS)


def test_overriding_what_is_proposed_already_merges_it_in_a_freeze(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": rules("auto-merge", FREEZE), **both("iris")}) as world:
        builds(world, "iris:master-101")
        world.look_around()
        assert tag_in(world, PROD) == "master-100"
        asked = builds(world, "iris:master-101", override="the shop is down")
        world.look_around()
        world.look_around()
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason


def test_overriding_a_rollback_that_is_proposed_already_merges_it(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": rules("auto-merge"), **both("iris")}) as world:
        for tag in (101, 102):
            builds(world, f"iris:master-{tag}")
            world.look_around()
        assert tag_in(world, PROD) == "master-102"
        world.person_pushes({".updater/rules.yaml": rules("auto-merge", FREEZE)})
        world.look_around()
        world.person_rolls_back(environment="prod")
        world.settle_all()
        world.look_around()
        assert tag_in(world, PROD) == "master-102"
        asked = world.person_rolls_back(environment="prod", override=True)
        world.settle_all()
        world.look_around()
        world.look_around()
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason


def test_a_direct_rollback_takes_its_chart_out_of_a_common_merge_request(tmp_path: Path) -> None:
    more = "    rollback: {delivery: commit}\n    merge-request: {group-by: environment}\n"
    files = {".updater/rules.yaml": rules("merge-request", more), **both("iris"), **both("rose")}
    with World(tmp_path, files) as world:
        for tag in ("master-101", "master-102"):
            builds(world, f"iris:{tag}")
            world.worker.desk.approve("prod/_all", caller=KIM, head=None)
        waiting, other = world.ci_builds("iris:master-103"), world.ci_builds("rose:master-103")
        world.settle_all()
        world.person_rolls_back(environment="prod")
        world.settle_all()
        world.look_around()
        assert tag_in(world, PROD) == "master-101"
        assert kind(world, other) is PROPOSED
        assert kind(world, waiting) is SUPERSEDED


def test_a_proposed_rollback_takes_back_no_more_than_it_was_asked_for(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": rules(), **both("iris")}) as world:
        lands(world, "master-101", "master-102")
        world.person_rolls_back(environment="prod")
        world.settle_all()
        world.person_pushes({PROD: "image:\n  tag: master-103\n"}, "Fixed by hand")
        world.look_around()
        found = [one.name for one in world.worker.desk.proposals()]
        if found:
            world.worker.desk.approve("prod/iris", caller=KIM, head=None)
        assert tag_in(world, PROD) == "master-103"


def test_a_rollback_to_be_proposed_holds_a_direct_build_of_the_same_batch(tmp_path: Path) -> None:
    text = rules().replace("  prod:", "    rollback: {delivery: merge-request}\n  prod:")
    with World(tmp_path, {".updater/rules.yaml": text, **both("iris")}) as world:
        for tag in ("develop-101", "develop-102"):
            builds(world, f"iris:{tag}")
        world.person_rolls_back()
        newer = world.ci_builds("iris:develop-103")
        world.settle_all()
        assert kind(world, newer) is HELD


def test_a_hold_accepted_before_a_build_holds_it_where_changes_are_proposed(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": rules(), **both("iris")}) as world:
        world.person_holds(environment="prod", build="master-105")
        asked = world.ci_builds("iris:master-105")
        world.settle_all()
        assert kind(world, asked) is HELD, world.outcome(asked).reason


def test_what_gives_way_to_a_rollback_is_closed_though_the_forge_was_away(tmp_path: Path) -> None:
    text = rules("auto-merge", "    rollback: {delivery: commit}\n")
    with World(tmp_path, {".updater/rules.yaml": text, **both("iris")}) as world:
        for tag in (101, 102):
            builds(world, f"iris:master-{tag}")
            world.look_around()
        waiting = builds(world, "iris:master-103")
        real = world.forge.close

        def away(*_: object, **__: object) -> Any:
            raise TemporaryError("away")

        world.forge.close = away  # type: ignore[method-assign]
        world.person_rolls_back(environment="prod")
        world.settle_all()
        world.forge.close = real  # type: ignore[method-assign]
        assert tag_in(world, PROD) == "master-101"
        for _ in range(3):
            world.look_around()
        assert tag_in(world, PROD) == "master-101"
        assert kind(world, waiting) is SUPERSEDED


def test_a_hold_disarms_what_gitlab_would_merge(tmp_path: Path) -> None:
    with lab(tmp_path, rules("auto-merge")) as world:
        world.gitlab.require_pipeline()
        world.gitlab.runs_pipelines = "running"
        builds(world, "iris:master-101")
        world.look_around(4)
        assert world.gitlab.mr(1).armed_by is not None
        world.person_holds(environment="prod", build="master-101", reason="broken")
        world.settle_all()
        world.look_around(3)
        world.gitlab.pipeline("updater/prod/iris", "success")
        world.look_around(2)
        assert world.prod() == "master-100"
