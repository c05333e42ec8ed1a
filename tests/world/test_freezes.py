"""Freezes and windows: nothing goes out, then the newest does; overrides are recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.barerepo import git, log
from support.lab import chart as both
from support.lab import rules
from support.world import RULES, World, chart

from updater.model import Caller, OutcomeKind

COMMITTED, PROPOSED, HELD = OutcomeKind.COMMITTED, OutcomeKind.PROPOSED, OutcomeKind.HELD
SUPERSEDED, UNCHANGED = OutcomeKind.SUPERSEDED, OutcomeKind.UNCHANGED
# The world begins on Sunday 2026-11-22 at 12:00 UTC.
FREEZE = """\
    freeze: {from: '2026-11-22 20:00', until: '2026-11-22 23:00', timezone: Asia/Seoul, reason: holidays}
"""
WINDOW = "    windows: {cron: '0 14 * * 1-4', duration: 2h, timezone: Europe/Berlin}\n"
KIM = Caller(name="kim", acts=("approve",))


def dev(folder: Path, more: str) -> World:
    return World(folder, {".updater/rules.yaml": RULES + more, **chart("iris")})


def builds(world: World, tag: str, **more: str) -> str:
    asked = world.ci_builds(f"iris:{tag}", **more)  # type: ignore[arg-type]
    world.settle_all()
    return asked


def standing(world: World, environment: str = "dev") -> str:
    return world.file(f"charts/iris/values-{environment}.yaml").split()[-1]


def passes(world: World, until: datetime) -> None:
    world.now = until
    world.worker.look_around()
    world.tick()


def test_in_a_freeze_requests_wait_and_only_the_newest_goes_out_when_it_ends(tmp_path: Path) -> None:
    with dev(tmp_path, FREEZE) as world:
        world.now = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
        first, second, third = (builds(world, f"develop-{one}") for one in (101, 103, 102))
        assert standing(world) == "develop-100"
        assert world.outcome(second).kind is HELD
        words = world.outcome(second).reason
        assert "dev, which is frozen until 2026-11-22 23:00 (Asia/Seoul): holidays" in words
        passes(world, datetime(2026, 11, 22, 13, 59, 59, tzinfo=UTC))
        assert standing(world) == "develop-100"
        passes(world, datetime(2026, 11, 22, 14, 0, 31, tzinfo=UTC))
        assert standing(world) == "develop-103"
        assert [world.outcome(one).kind for one in (first, second, third)] == [
            SUPERSEDED,
            COMMITTED,
            SUPERSEDED,
        ]
        assert len(world.commits()) == 1


def test_what_changes_nothing_does_not_wait(tmp_path: Path) -> None:
    with dev(tmp_path, FREEZE) as world:
        world.now += timedelta(minutes=30)
        assert world.outcome(builds(world, "develop-100")).kind is UNCHANGED
        assert world.outcome(builds(world, "develop-99")).kind is SUPERSEDED


def test_outside_of_its_windows_nothing_goes_out(tmp_path: Path) -> None:
    with dev(tmp_path, WINDOW) as world:
        asked = builds(world, "develop-101")
        assert world.outcome(asked).kind is HELD
        assert "the next one is 2026-11-23 14:00 (Europe/Berlin)" in world.outcome(asked).reason
        passes(world, datetime(2026, 11, 23, 13, 0, 31, tzinfo=UTC))
        assert world.outcome(asked).kind is COMMITTED


def test_an_override_goes_out_and_is_recorded(tmp_path: Path) -> None:
    with dev(tmp_path, WINDOW) as world:
        asked = builds(world, "develop-101", override="the shop is down")
        assert world.outcome(asked).kind is COMMITTED
        message = log(world.bare)[0].message
        assert "Updater-Override: yes\nUpdater-Reason: the shop is down" in message


def test_a_rollback_waits_too_unless_it_is_overridden(tmp_path: Path) -> None:
    with dev(tmp_path, "") as world:
        for tag in ("develop-101", "develop-102"):
            builds(world, tag)
        world.person_pushes({".updater/rules.yaml": RULES + WINDOW})
        world.look_around()
        waits = world.person_rolls_back()
        world.settle_all()
        assert world.outcome(waits).kind is HELD
        assert standing(world) == "develop-102"
        at_once = world.person_rolls_back(override=True)
        world.settle_all()
        assert world.outcome(at_once).kind is COMMITTED
        assert standing(world) == "develop-101"
        # What waited meant the same deployment, and not one more.
        passes(world, datetime(2026, 11, 23, 13, 0, 31, tzinfo=UTC))
        assert standing(world) == "develop-101"


def test_holds_and_releases_deploy_nothing_and_do_not_wait(tmp_path: Path) -> None:
    with dev(tmp_path, WINDOW) as world:
        held = world.person_holds()
        world.settle_all()
        assert world.outcome(held).kind is COMMITTED


def test_merge_requests_are_opened_and_updated_in_a_freeze(tmp_path: Path) -> None:
    text = rules("merge-request", FREEZE)
    with World(tmp_path, {".updater/rules.yaml": text, **both("iris")}) as world:
        world.now += timedelta(minutes=30)
        for tag in ("master-101", "master-102"):
            assert world.outcome(builds(world, tag)).kind is PROPOSED
        assert "master-102" in world.file("charts/iris/values-prod.yaml", "updater/prod/iris")


def test_auto_merge_waits_for_the_window_and_says_so(tmp_path: Path) -> None:
    text = rules("auto-merge", WINDOW)
    with World(tmp_path, {".updater/rules.yaml": text, **both("iris")}) as world:
        asked = builds(world, "master-101")
        world.look_around()
        assert world.outcome(asked).kind is PROPOSED
        assert "the next one is 2026-11-23 14:00 (Europe/Berlin)" in world.outcome(asked).reason
        assert standing(world, "prod") == "master-100"
        passes(world, datetime(2026, 11, 23, 13, 0, 31, tzinfo=UTC))
        assert world.outcome(asked).kind is COMMITTED
        assert standing(world, "prod") == "master-101"


def test_an_overriding_build_is_merged_in_a_freeze(tmp_path: Path) -> None:
    text = rules("auto-merge", FREEZE)
    with World(tmp_path, {".updater/rules.yaml": text, **both("iris")}) as world:
        world.now += timedelta(minutes=30)
        asked = builds(world, "master-101", override="agreed")
        world.look_around()
        assert world.outcome(asked).kind is COMMITTED
        assert "Updater-Override: yes" in git(world.bare, "log", "-2", "--format=%B", "main")
