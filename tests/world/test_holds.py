"""Holds: by command, by hand in the file, by a person's own revert; what they keep out, and how they end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.barerepo import commit_as_person, git, log
from support.world import RULES, World, chart

from updater.model import OutcomeKind

HOLDS = ".updater/holds.yaml"
VALUES = "charts/iris/values-dev.yaml"
COMMITTED, REFUSED, HELD = OutcomeKind.COMMITTED, OutcomeKind.REFUSED, OutcomeKind.HELD
UNCHANGED = OutcomeKind.UNCHANGED


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def builds(world: World, tag: str, **more: str) -> OutcomeKind:
    asked = world.ci_builds(f"iris:{tag}", **more)  # type: ignore[arg-type]
    world.settle_all()
    return world.outcome(asked).kind


def does(world: World, asked: str) -> OutcomeKind:
    world.settle_all()
    return world.outcome(asked).kind


def reason(world: World) -> str:
    return world.outcome(world.ids[-1]).reason


class TestByCommand:
    def test_a_held_chart_takes_nothing_until_it_is_released(self, world: World) -> None:
        assert does(world, world.person_holds(reason="the shop is counting")) is COMMITTED
        assert log(world.bare)[0].subject == "Hold iris in dev"
        assert builds(world, "develop-101") is HELD
        assert "kim keeps all builds out" in reason(world)
        assert "the shop is counting" in reason(world)
        waiting = world.ids[-1]
        assert does(world, world.person_releases()) is COMMITTED
        assert log(world.bare)[0].subject == "Release iris in dev"
        world.look_around()
        world.tick()
        assert world.outcome(waiting).kind is COMMITTED

    def test_a_held_build_lets_newer_ones_through(self, world: World) -> None:
        does(world, world.person_holds(build="develop-105"))
        assert builds(world, "develop-105") is HELD
        assert builds(world, "develop-104") is HELD
        assert builds(world, "develop-106") is COMMITTED

    def test_it_is_for_one_image_where_it_names_one(self, tmp_path: Path) -> None:
        files = chart("iris")
        files["charts/iris/values.yaml"] += (
            "side:\n  image:\n    repository: registry.example.com/side\n    tag: x\n"
        )
        files[VALUES] += "side:\n  image:\n    tag: develop-1\n"
        with World(tmp_path, {".updater/rules.yaml": RULES, **files}) as world:
            does(world, world.person_holds(repository="registry.example.com/side"))
            assert builds(world, "develop-101") is COMMITTED
            side = world.ci_builds("side:develop-2")
            assert does(world, side) is HELD

    def test_the_same_twice_is_one(self, world: World) -> None:
        does(world, world.person_holds(build="develop-105"))
        assert does(world, world.person_holds(build="develop-105")) is UNCHANGED

    def test_what_is_not_held_cannot_be_released(self, world: World) -> None:
        assert does(world, world.person_releases()) is UNCHANGED
        assert "Nothing like that is held" in reason(world)

    def test_an_unknown_chart_is_named_with_the_nearest(self, world: World) -> None:
        assert does(world, world.person_holds("irris")) is REFUSED
        assert "did you mean 'iris'?" in reason(world)

    def test_a_promotion_is_held_too_unless_a_person_overrides(self, tmp_path: Path) -> None:
        rules = RULES + "  prod:\n    files: charts/*/values-prod.yaml\n    promote-from: dev\n"
        prod = {"charts/iris/values-prod.yaml": "image:\n  tag: develop-50\n"}
        with World(tmp_path, {".updater/rules.yaml": rules, **chart("iris"), **prod}) as world:
            does(world, world.person_holds(environment="prod", build="develop-100"))
            assert does(world, world.person_promotes("dev", "prod", "iris")) is HELD
            override = world.person_promotes("dev", "prod", "iris", override=True, reason="agreed with kim")
            assert does(world, override) is COMMITTED
            assert "Updater-Override: yes\nUpdater-Reason: agreed with kim" in log(world.bare)[0].message


class TestByHandInTheFile:
    def test_an_entry_that_a_person_commits_works_the_same(self, world: World) -> None:
        world.person_pushes(
            {HOLDS: "holds:\n  - {environment: dev, chart: iris, build: develop-105, by: lee}\n"}
        )
        assert builds(world, "develop-104") is HELD
        assert "lee keeps develop-105 and older builds out" in reason(world)

    def test_taking_the_entry_out_lets_the_build_in(self, world: World) -> None:
        world.person_pushes({HOLDS: "holds:\n  - {environment: dev, chart: iris}\n"})
        assert builds(world, "develop-101") is HELD
        world.person_pushes({HOLDS: "holds: []\n"})
        world.look_around()
        world.tick()
        assert world.outcome(world.ids[-1]).kind is COMMITTED

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("holds: [\n", "Nothing goes out on this branch before it is mended"),
            ("holds:\n  - chart: iris\n", ":2:5: The entry names no environment"),
            ("holds:\n  - {environment: dev, chart: iris, bild: x}\n", "'bild' is no key here"),
            ("holds:\n  - {environment: dev, chart: iris, build: 7}\n", "write it in quotes"),
            ("holds:\n  - {environment: prod, chart: iris}\n", "is for 'prod', and the environments"),
            ("hold: []\n", "has one key, holds"),
        ],
    )
    def test_a_file_that_makes_no_sense_stops_what_it_might_protect(
        self, world: World, text: str, words: str
    ) -> None:
        world.person_pushes({HOLDS: text})
        world.look_around()
        asked = world.ci_builds("iris:develop-101")
        world.tick()
        record = world.record(asked)
        assert record.outcome is None
        assert words in record.reason
        assert record.reason.startswith(HOLDS)
        assert any(words in problem for problem in world.worker.problems)
        world.person_pushes({HOLDS: "holds: []\n"})
        world.settle_all()
        assert world.outcome(asked).kind is COMMITTED


class TestAPersonsOwnRevert:
    def revert(self, world: World, message: str = "", tag: str = "develop-101") -> str:
        bad = log(world.bare)[0].sha
        text = message or f'Revert "iris develop-102 in dev"\n\nThis reverts commit {bad}.'
        return commit_as_person(world.bare, {VALUES: f"image:\n  tag: {tag}\n"}, text)

    def deployed(self, world: World) -> None:
        for tag in ("develop-101", "develop-102"):
            assert builds(world, tag) is COMMITTED

    def test_git_revert_holds_what_it_took_back(self, world: World) -> None:
        self.deployed(world)
        commit = self.revert(world)
        assert builds(world, "develop-102") is HELD
        assert f"A Person took develop-102 back by hand in commit {commit[:10]}" in reason(world)
        assert builds(world, "develop-103") is COMMITTED

    def test_so_does_an_old_tag_written_back(self, world: World) -> None:
        self.deployed(world)
        self.revert(world, "Put the old one back")
        assert builds(world, "develop-102") is HELD
        assert "Put the old one back" in reason(world)

    def test_a_release_lets_it_in_without_a_file(self, world: World) -> None:
        self.deployed(world)
        self.revert(world)
        builds(world, "develop-102")
        waiting = world.ids[-1]
        assert does(world, world.person_releases()) is COMMITTED
        assert git(world.bare, "show", "--format=", "--name-only", "main") == ""
        world.look_around()
        world.tick()
        assert world.outcome(waiting).kind is COMMITTED

    def test_by_rule_it_means_nothing(self, tmp_path: Path) -> None:
        rules = RULES + "    manual-revert: ignore\n"
        with World(tmp_path, {".updater/rules.yaml": rules, **chart("iris")}) as world:
            self.deployed(world)
            self.revert(world)
            assert builds(world, "develop-102") is COMMITTED

    def test_reverting_the_revert_ends_it(self, world: World) -> None:
        self.deployed(world)
        revert = self.revert(world)
        commit_as_person(
            world.bare, {VALUES: "image:\n  tag: develop-102\n"}, f"Reapply\n\nThis reverts commit {revert}."
        )
        assert builds(world, "develop-102") is UNCHANGED
        assert builds(world, "develop-103") is COMMITTED

    def test_a_restart_forgets_nothing(self, world: World) -> None:
        self.deployed(world)
        self.revert(world)
        world.close()
        world.open()
        assert builds(world, "develop-102") is HELD
