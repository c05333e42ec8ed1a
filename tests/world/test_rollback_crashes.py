"""Killed at any effect of a rollback or a hold, or met by a person there: it is done once."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from support.barerepo import fsck, git, make_bare
from support.lab import Address, Lab, lab, rules
from support.world import EFFECTS, RULES, World, chart

from updater.model import OutcomeKind
from updater.store import Query

POINTS = [(moment, effect) for effect in EFFECTS for moment in ("before", "after")]
# A hold and a release take the same road as a rollback: a few points tell.
KILLS = [
    *((point, "rollback") for point in POINTS),
    *((("after", effect), act) for effect in ("commit", "push") for act in ("hold", "release")),
]


def asks(world: World, act: str) -> str:
    if act == "rollback":
        return world.person_rolls_back()
    return world.person_holds() if act == "hold" else world.person_releases()


def prepared(world: World, act: str) -> None:
    for tag in ("develop-101", "develop-102"):
        world.ci_builds(f"iris:{tag}")
        world.settle_all()
    if act == "release":
        world.person_rolls_back()
        world.settle_all()


def dies(folder: Path, bare: Path, point: tuple[str, str], act: str) -> None:
    def hook(moment: str, effect: str) -> None:
        if (moment, effect) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    with World(folder, bare=bare) as world:
        asks(world, act)
        world.effects.hook = hook
        world.tick()


@pytest.mark.parametrize(
    ("point", "act"), KILLS, ids=lambda one: one if isinstance(one, str) else "-".join(one)
)
def test_killed_at_any_effect_it_is_done_once(tmp_path: Path, point: tuple[str, str], act: str) -> None:
    bare = make_bare(tmp_path, {".updater/rules.yaml": RULES, **chart("iris")})
    with World(tmp_path / "before", bare=bare) as world:
        prepared(world, act)
    count = int(git(bare, "rev-list", "--count", "main"))
    doomed = multiprocessing.get_context("spawn").Process(
        target=dies, args=(tmp_path / "a", bare, point, act)
    )
    doomed.start()
    doomed.join()
    assert doomed.exitcode == -signal.SIGKILL, f"nothing happened {point}"
    with World(tmp_path / "a", bare=bare) as world:
        (record,) = world.store.find(Query())
        world.ids = [record.request.id]
        world.settle_all()
        assert world.outcome(record.request.id).kind is OutcomeKind.COMMITTED
        assert int(git(bare, "rev-list", "--count", "main")) == count + 1
        holds = world.file(".updater/holds.yaml")
        assert holds.count("- environment:") == (0 if act == "release" else 1)
        tag = world.file("charts/iris/values-dev.yaml").split()[-1]
        assert tag == ("develop-102" if act == "hold" else "develop-101")
        fsck(bare)


@pytest.mark.parametrize("point", POINTS, ids="-".join)
def test_a_person_at_any_effect_keeps_their_commit(tmp_path: Path, point: tuple[str, str]) -> None:
    with World(tmp_path) as world:
        prepared(world, "rollback")
        asked = asks(world, "rollback")
        pushed: list[str] = []

        def meddle(moment: str, effect: str) -> None:
            if (moment, effect) == point and not pushed:
                pushed.append(world.person_pushes({"README.md": "mine\n"}))

        world.effects.hook = meddle
        if point[1] == "fetch":
            world.look_around()
        world.settle_all()
        assert pushed, f"nothing happened {point}"
        assert world.outcome(asked).kind is OutcomeKind.COMMITTED
        assert world.file("README.md") == "mine\n"
        fsck(world.bare)


# What comes before the push is the same without GitLab.
GITLAB_EFFECTS = ("push", "ensure", "settle", "merge")


def dies_beside_gitlab(folder: Path, bare: Path, address: Address, point: tuple[str, str]) -> None:
    def hook(moment: str, effect: str) -> None:
        if (moment, effect) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    with Lab(folder, address, bare) as world:
        world.person_rolls_back(environment="prod")
        world.effects.hook = hook
        world.tick()
        for _ in range(4):
            world.look_around()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("effect", GITLAB_EFFECTS)
def test_killed_anywhere_a_rollback_by_merge_request_lands_once(
    tmp_path: Path, moment: str, effect: str
) -> None:
    with lab(tmp_path, rules("auto-merge")) as world:
        for tag in ("master-101", "master-102"):
            world.ci_builds(f"iris:{tag}")
            world.settle_all()
            world.look_around(3)
        assert world.prod() == "master-102"
        merges = git(world.bare, "rev-list", "--count", "--merges", "main")
        doomed = multiprocessing.get_context("spawn").Process(
            target=dies_beside_gitlab, args=(tmp_path / "doomed", world.bare, world.address, (moment, effect))
        )
        doomed.start()
        doomed.join()
        assert doomed.exitcode == -signal.SIGKILL, f"nothing happened {moment} {effect}"
        survivor = Lab(tmp_path / "doomed", world.address, world.bare)
        survivor.gitlab = world.gitlab
        with survivor:
            survivor.settle_all()
            survivor.look_around(6)
            (record,) = survivor.store.find(Query())
            assert record.outcome is not None
            assert record.outcome.kind is OutcomeKind.COMMITTED, record.outcome.reason
        assert world.prod() == "master-101"
        assert int(git(world.bare, "rev-list", "--count", "--merges", "main")) == int(merges) + 1
        fsck(world.bare)
