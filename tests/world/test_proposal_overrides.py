"""Proposals that somebody overrides, approves or forges, while something else keeps them back."""

from __future__ import annotations

from pathlib import Path

from support.acts import (
    COMMITTED,
    DEV,
    FREEZE,
    HOLDS,
    KIM,
    PROD,
    PROPOSED,
    REFUSED,
    builds,
    kind,
    lands,
    tag_in,
)
from support.barerepo import forge_commit, git
from support.lab import chart as both
from support.lab import lab, rules
from support.world import World

from updater.model import ImageReference, OutcomeKind


def test_an_override_stays_armed_in_a_freeze(tmp_path: Path) -> None:
    with lab(tmp_path, rules("auto-merge", FREEZE)) as world:
        world.gitlab.require_pipeline()
        world.gitlab.runs_pipelines = "running"
        builds(world, "iris:master-101", override="agreed")
        world.look_around(4)
        armed = []
        calls = len(world.gitlab.calls)
        for _ in range(4):
            world.look_around()
            armed.append(world.gitlab.mr(1).armed_by is not None)
        writes = [
            c.short
            for c in world.gitlab.calls[calls:]
            if "merge" in c.short.rsplit("/", 1)[-1] or "cancel" in c.short
        ]
        assert all(armed), (armed, writes)
        assert not [w for w in writes if "cancel" in w], writes


def test_nobody_forges_an_override_by_pushing(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": rules("auto-merge", FREEZE), **both("iris")}) as world:
        builds(world, "iris:master-101")
        world.look_around()
        forge_commit(
            world.bare, "updater/prod/iris", "Updater-Request:", "Updater-Override: yes\nUpdater-Request:"
        )
        for _ in range(3):
            world.look_around()
        assert tag_in(world, PROD) == "master-100"


def test_nobody_forges_what_a_rollback_takes_back(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": rules("auto-merge"), **both("iris")}) as world:
        other = world.person_pushes({"SECURITY.md": "keep me\n"}, "Something else")
        for tag in (101, 102):
            builds(world, f"iris:master-{tag}")
            world.look_around()
        assert tag_in(world, PROD) == "master-102"
        world.person_rolls_back(environment="prod")
        world.settle_all()
        bad = (
            git(world.bare, "log", "-1", "--format=%B", "updater/prod/iris")
            .split("Updater-Reverts: ")[1]
            .split()[0]
        )
        forge_commit(
            world.bare,
            "updater/prod/iris",
            f"Updater-Reverts: {bad}",
            f"Updater-Reverts: {bad}\nUpdater-Reverts: {other}",
        )
        for _ in range(4):
            world.look_around()
        assert world.file("SECURITY.md") == "keep me\n"


def test_a_rollback_merges_no_other_charts_build_by_itself(tmp_path: Path) -> None:
    more = "    rollback: {delivery: auto-merge}\n    merge-request: {group-by: environment}\n"
    files = {".updater/rules.yaml": rules("merge-request", more), **both("iris"), **both("rose")}
    with World(tmp_path, files) as world:
        for tag in ("master-101", "master-102"):
            builds(world, f"iris:{tag}")
            world.worker.desk.approve("prod/_all", caller=KIM, head=None)
        builds(world, "rose:master-103")
        world.look_around()
        assert tag_in(world, "charts/rose/values-prod.yaml") == "master-100"
        world.person_rolls_back(environment="prod")
        world.settle_all()
        for _ in range(3):
            world.look_around()
        assert tag_in(world, "charts/rose/values-prod.yaml") == "master-100", "nobody has looked at it"


def test_a_refused_rollback_closes_nothing(tmp_path: Path) -> None:
    with lab(tmp_path, rules("merge-request", "    rollback: {delivery: commit}\n")) as world:
        world.person_pushes({PROD: "image:\n  tag: master-102\n"}, "By hand")
        waiting = builds(world, "iris:master-103")
        world.gitlab.protect("main", merge="maintainer", push="maintainer")
        asked = world.person_rolls_back(environment="prod")
        world.settle_all()
        world.look_around(2)
        assert kind(world, asked) is OutcomeKind.FAILED, world.outcome(asked).reason
        assert world.prod() == "master-102"
        assert kind(world, waiting) is PROPOSED, world.outcome(waiting).reason


def test_a_rollback_whose_push_is_stale_first_then_refused_closes_nothing(tmp_path: Path) -> None:
    text = rules("merge-request", "    rollback: {delivery: commit}\n")
    with World(tmp_path, {".updater/rules.yaml": text, **both("iris")}) as world:
        lands(world, "master-101", "master-102")
        waiting = builds(world, "iris:master-104")

        def push_once(moment: str, effect: str) -> None:
            if (moment, effect) == ("before", "push"):
                world.effects.hook = None
                world.person_pushes({PROD: "image:\n  tag: master-103\n"})

        world.effects.hook = push_once
        asked = world.person_rolls_back(environment="prod")
        world.settle_all()
        world.look_around()
        assert tag_in(world, PROD) == "master-103"
        assert kind(world, asked) is REFUSED, world.outcome(asked).reason
        assert kind(world, waiting) is PROPOSED, world.outcome(waiting).reason


def test_a_proposed_rollback_that_is_overtaken_by_an_override(tmp_path: Path) -> None:
    text = rules().replace("  prod:", "    rollback: {delivery: merge-request}\n  prod:")
    with World(tmp_path, {".updater/rules.yaml": text, **both("iris")}) as world:
        for tag in (101, 102):
            builds(world, f"iris:develop-{tag}")
        asked = world.person_rolls_back()
        world.settle_all()
        over = builds(world, "iris:develop-103", override="fixed")
        assert kind(world, over) is COMMITTED
        world.look_around()
        for one in world.worker.desk.proposals():
            world.worker.desk.approve(one.name, caller=KIM, head=None)
        assert tag_in(world, DEV) == "develop-103", world.outcome(asked).reason


def test_an_armed_merge_request_of_a_rolled_back_chart_in_group(tmp_path: Path) -> None:
    """auto-merge with a common merge request: the rolled back chart's build must not be merged by itself"""
    more = "    rollback: {delivery: commit}\n    merge-request: {group-by: environment}\n"
    files = {".updater/rules.yaml": rules("auto-merge", more), **both("iris"), **both("rose")}
    with World(tmp_path, files) as world:
        world.person_pushes({PROD: "image:\n  tag: master-102\n"}, "By hand")
        world.ci_builds("iris:master-103")
        world.ci_builds("rose:master-103")
        world.settle_all()
        world.person_rolls_back(environment="prod")
        world.settle_all()
        for _ in range(3):
            world.look_around()
        assert tag_in(world, PROD) == "master-100"


def test_an_override_for_a_promotion_that_is_proposed_already(tmp_path: Path) -> None:
    with World(
        tmp_path, {".updater/rules.yaml": rules("auto-merge", FREEZE), **both("iris", "develop-105")}
    ) as world:
        world.person_promotes("dev", "prod", "iris")
        world.settle_all()
        world.look_around()
        asked = world.person_promotes("dev", "prod", "iris", override=True, reason="agreed")
        world.settle_all()
        world.look_around()
        world.look_around()
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason


def test_an_overridden_hold_on_what_is_proposed_already(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": rules("auto-merge"), **both("iris")}) as world:
        builds(world, "iris:master-106")
        world.person_holds(environment="prod", reason="not now")
        world.settle_all()
        world.look_around()
        asked = builds(world, "iris:master-106", override="now")
        world.look_around()
        world.look_around()
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason


def test_a_held_build_in_an_open_merge_request_by_keep_up(tmp_path: Path) -> None:
    """A hold up to the proposed build: its merge request must not take the hold away by itself."""
    with World(tmp_path, {".updater/rules.yaml": rules(), **both("iris")}) as world:
        builds(world, "iris:master-103")
        world.person_holds(
            environment="prod", repository="registry.example.com/iris", build="master-103", reason="broken"
        )
        world.settle_all()
        world.look_around()
        world.look_around()
        assert not git(world.bare, "diff", "--name-only", "main...updater/prod/iris", "--", HOLDS)


def test_why_knows_what_stands_while_a_newer_build_is_proposed(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": rules(), **both("iris")}) as world:
        lands(world, "master-102")
        builds(world, "iris:master-103")
        image = ImageReference.parse("registry.example.com/iris:master-102", None)
        told = world.worker.accounts.why(image, "prod", has_requests=True)[0]
        assert told.stands, (told.code, told.text)
