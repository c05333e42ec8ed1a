"""Rollbacks where changes are proposed: in place of what waits, held meanwhile, direct by rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.barerepo import git, log, tip
from support.lab import chart, rules
from support.world import World

from updater.model import Caller, OutcomeKind

KIM = Caller(name="kim", acts=("approve", "roll-back"))
COMMITTED, PROPOSED, HELD = OutcomeKind.COMMITTED, OutcomeKind.PROPOSED, OutcomeKind.HELD
SUPERSEDED = OutcomeKind.SUPERSEDED
BRANCH = "updater/prod/iris"


def world_with(folder: Path, more: str = "", delivery: str = "merge-request") -> World:
    text = rules(delivery, more)
    return World(folder, {".updater/rules.yaml": text, **chart("iris"), **chart("rose")})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_with(tmp_path) as world:
        lands(world, "master-101", "master-102")
        yield world


def lands(world: World, *tags: str) -> None:
    for tag in tags:
        built = world.ci_builds(f"iris:{tag}")
        world.settle_all()
        world.worker.desk.approve("prod/iris", caller=KIM, head=None)
        assert world.outcome(built).kind is COMMITTED


def prod(world: World, branch: str = "main") -> str:
    return world.file("charts/iris/values-prod.yaml", branch).split()[-1]


def back(world: World, **more: Any) -> str:
    asked = world.person_rolls_back(environment="prod", **more)
    world.settle_all()
    return asked


def kind(world: World, request_id: str) -> OutcomeKind:
    return world.outcome(request_id).kind


def branches(world: World) -> list[str]:
    return git(world.bare, "for-each-ref", "--format=%(refname:short)", "refs/heads/updater").split()


def test_a_rollback_is_proposed_like_any_change_and_reverts_the_merge(world: World) -> None:
    merge = log(world.bare)[0].sha
    asked = back(world)
    assert kind(world, asked) is PROPOSED, world.outcome(asked).reason
    assert (prod(world), prod(world, BRANCH)) == ("master-102", "master-101")
    (listed,) = world.worker.desk.proposals()
    assert listed.name == "prod/iris"
    message = git(world.bare, "log", "-1", "--format=%B", BRANCH)
    assert f"This reverts commit {merge}." in message
    world.worker.desk.approve("prod/iris", caller=KIM, head=None)
    assert prod(world) == "master-101"
    assert kind(world, asked) is COMMITTED
    assert '"master-102"' in world.file(".updater/holds.yaml")


def test_until_it_is_merged_its_hold_counts_already(world: World) -> None:
    back(world)
    again, newer = world.ci_builds("iris:master-102"), world.ci_builds("iris:master-103")
    world.settle_all()
    assert [kind(world, one) for one in (again, newer)][1] is HELD
    assert "a rollback is proposed there in" in world.outcome(newer).reason
    world.worker.desk.approve("prod/iris", caller=KIM, head=None)
    world.look_around()
    world.tick()
    assert kind(world, newer) is PROPOSED
    assert prod(world, BRANCH) == "master-103"


def test_it_takes_the_place_of_what_was_proposed(world: World) -> None:
    waiting = world.ci_builds("iris:master-103")
    world.settle_all()
    assert kind(world, waiting) is PROPOSED
    asked = back(world)
    assert kind(world, asked) is PROPOSED
    assert branches(world) == [BRANCH]
    assert prod(world, BRANCH) == "master-101"
    world.look_around()
    assert kind(world, waiting) is SUPERSEDED
    assert world.outcome(waiting).environments[0].superseded_by == "master-101"


def test_asked_for_again_it_stays_as_it_is(world: World) -> None:
    first = back(world)
    head = tip(world.bare, BRANCH)
    second = back(world)
    assert tip(world.bare, BRANCH) == head
    assert kind(world, first) is kind(world, second) is PROPOSED


def test_looking_again_and_again_writes_nothing_anew(world: World) -> None:
    back(world, reason="broke  twice")
    head = tip(world.bare, BRANCH)
    for _ in range(3):
        world.look_around()
    assert tip(world.bare, BRANCH) == head


def test_when_the_target_moves_it_is_written_anew_on_it(world: World) -> None:
    back(world)
    world.person_pushes({"charts/iris/values-prod.yaml": "image:\n  tag: master-102\n# a\n# b\n# c\n# d\n"})
    world.look_around()
    assert world.file("charts/iris/values-prod.yaml", BRANCH).startswith("image:\n  tag: master-101\n")
    world.worker.desk.approve("prod/iris", caller=KIM, head=None)
    assert prod(world).endswith("d")


def test_closed_by_a_person_it_does_not_go_back(world: World) -> None:
    asked = back(world)
    world.worker.desk.close("prod/iris", caller=KIM, reason="it works after all")
    assert kind(world, asked) is OutcomeKind.REFUSED
    assert prod(world) == "master-102"
    newer = world.ci_builds("iris:master-103")
    world.settle_all()
    assert kind(world, newer) is PROPOSED


def test_by_rule_it_is_direct_and_closes_what_was_proposed(tmp_path: Path) -> None:
    with world_with(tmp_path, "    rollback: {delivery: commit}\n") as world:
        lands(world, "master-101", "master-102")
        waiting = world.ci_builds("iris:master-103")
        world.settle_all()
        asked = back(world)
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
        assert prod(world) == "master-101"
        world.look_around()
        assert branches(world) == []
        assert kind(world, waiting) is SUPERSEDED
        assert "was rolled back to master-101 by kim" in world.outcome(waiting).reason


def test_by_rule_it_is_proposed_where_changes_are_direct(tmp_path: Path) -> None:
    text = rules().replace("  prod:", "    rollback: {delivery: merge-request}\n  prod:")
    with World(tmp_path, {".updater/rules.yaml": text, **chart("iris")}) as world:
        for tag in ("develop-101", "develop-102"):
            world.ci_builds(f"iris:{tag}")
            world.settle_all()
        asked = world.person_rolls_back()
        world.settle_all()
        assert kind(world, asked) is PROPOSED
        newer = world.ci_builds("iris:develop-103")
        world.settle_all()
        assert kind(world, newer) is HELD
        world.worker.desk.approve("dev/iris", caller=KIM, head=None)
        assert "develop-101" in world.file("charts/iris/values-dev.yaml")
        world.look_around()
        world.tick()
        assert "develop-103" in world.file("charts/iris/values-dev.yaml")


def test_an_auto_merged_rollback_is_merged(tmp_path: Path) -> None:
    with world_with(tmp_path, "    rollback: {delivery: auto-merge}\n") as world:
        lands(world, "master-101", "master-102")
        asked = back(world)
        world.look_around()
        assert kind(world, asked) is COMMITTED
        assert prod(world) == "master-101"


def test_a_persons_commit_on_the_branch_holds_it(world: World) -> None:
    world.ci_builds("iris:master-103")
    world.settle_all()
    world.person_pushes({"README.md": "mine\n"}, branch=BRANCH)
    asked = back(world)
    assert kind(world, asked) is HELD
    assert "made a commit on updater/prod/iris" in world.outcome(asked).reason


def test_a_held_build_is_not_merged_by_itself(tmp_path: Path) -> None:
    with world_with(tmp_path, delivery="auto-merge") as world:
        world.person_holds(environment="prod", build="master-105")
        world.settle_all()
        asked = world.ci_builds("iris:master-106")
        world.settle_all()
        world.person_holds(environment="prod", reason="not now")
        world.settle_all()
        world.look_around()
        assert kind(world, asked) is PROPOSED
        assert "not now" in world.outcome(asked).reason
        assert prod(world) == "master-100"
        world.person_releases(environment="prod")
        world.settle_all()
        world.look_around()
        assert kind(world, asked) is COMMITTED
