"""Killed or disturbed at any effect, the worker ends in the same state: one commit, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.barerepo import changed_lines, fsck, make_bare
from support.world import EFFECTS, RULES, World, chart, killed_at

from updater.model import OutcomeKind
from updater.store import Query

POINTS = [(moment, effect) for effect in EFFECTS for moment in ("before", "after")]


@pytest.mark.parametrize(("moment", "effect"), POINTS)
def test_killed_at_any_effect_it_finishes_once(tmp_path: Path, moment: str, effect: str) -> None:
    bare = make_bare(tmp_path, {".updater/rules.yaml": RULES, **chart("iris"), **chart("lily")})
    images = ("iris:develop-101", "iris:develop-102", "lily:develop-101")
    assert killed_at(tmp_path, bare, (moment, effect, 1), images), f"nothing happened {moment} {effect}"
    with World(tmp_path, bare=bare) as world:
        world.ids = [record.request.id for record in reversed(world.store.find(Query()))]
        assert len(world.ids) == 3, "nothing accepted is lost"
        world.settle_all()
        kinds = [world.outcome(one).kind for one in world.ids]
        assert kinds == [OutcomeKind.SUPERSEDED, OutcomeKind.COMMITTED, OutcomeKind.COMMITTED]
        assert sorted(world.commits()) == ["iris develop-102 in dev", "lily develop-101 in dev"]
        fsck(bare)


@pytest.mark.parametrize(("moment", "effect"), POINTS)
def test_a_person_at_any_effect_keeps_their_commit(tmp_path: Path, moment: str, effect: str) -> None:
    with World(tmp_path) as world:
        request = world.ci_builds("iris:develop-101")
        mirror_is_warm = effect != "fetch"
        if mirror_is_warm and effect != "claim":
            world.repo.fetch()
        pushed: list[str] = []

        def meddle(when: str, what: str) -> None:
            if (when, what) == (moment, effect) and not pushed:
                pushed.append(world.person_pushes({"README.md": "mine\n"}))

        world.effects.hook = meddle
        world.settle_all()
        assert pushed, f"nothing happened {moment} {effect}"
        assert world.outcome(request).kind is OutcomeKind.COMMITTED
        assert sorted(world.commits()) == ["A person's change", "iris develop-101 in dev"]
        assert world.file("README.md") == "mine\n"
        assert "tag: develop-101" in world.file("charts/iris/values-dev.yaml")
        fsck(world.bare)


def test_a_person_on_the_very_same_file_keeps_their_line(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        request = world.ci_builds("iris:develop-101")

        def meddle(when: str, what: str) -> None:
            if (when, what) == ("before", "push"):
                world.effects.hook = None
                world.person_pushes(
                    {"charts/iris/values-dev.yaml": "replicaCount: 7\nimage:\n  tag: develop-100\n"}
                )

        world.effects.hook = meddle
        world.settle_all()
        assert world.outcome(request).kind is OutcomeKind.COMMITTED
        assert world.file("charts/iris/values-dev.yaml") == "replicaCount: 7\nimage:\n  tag: develop-101\n"
        assert changed_lines(world.bare, "main") == ["-  tag: develop-100", "+  tag: develop-101"]
