"""Holds where something else is under way: overrides, proposals, other charts, odd files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.acts import (
    COMMITTED,
    DEV,
    FREEZE,
    HELD,
    HOLDS,
    KIM,
    PROD,
    PROPOSED,
    REFUSED,
    builds,
    kind,
    lands,
)
from support.lab import chart as both
from support.lab import rules
from support.world import RULES, World, chart

from updater.errors import ActRefused
from updater.model import Caller, ImageReference


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def test_why_changes_nothing_of_what_is_told_next(world: World) -> None:
    image = ImageReference.parse("registry.example.com/iris:develop-101", None)
    first = world.worker.accounts.why(image, "dev", has_requests=True)[0]
    assert not first.stands
    second = world.worker.accounts.why(image, "dev", has_requests=True)[0]
    rows = world.worker.accounts.status("dev").rows
    assert [one.tag for one in rows] == ["develop-100"]
    assert (second.stands, second.outcome) == (first.stands, first.outcome)


def test_a_rollback_brings_no_hold_of_another_chart(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": rules(), **both("iris"), **both("rose")}) as world:
        lands(world, "master-101", "master-102")
        lands(world, "master-101", "master-102", image="rose")
        for name in ("iris", "rose"):
            world.person_rolls_back(name, "prod")
            world.settle_all()
        world.look_around()
        assert '"iris"' not in world.file(HOLDS, "updater/prod/rose")


def test_an_override_lets_in_one_build_and_no_newer_held_one(world: World) -> None:
    for tag in (101, 102, 103):
        builds(world, f"iris:develop-{tag}")
    world.person_pushes({DEV: "image:\n  tag: develop-101\n"}, "Back")
    assert kind(world, builds(world, "iris:develop-103")) is HELD
    assert kind(world, builds(world, "iris:develop-102", override="102 was fine")) is COMMITTED
    assert kind(world, builds(world, "iris:develop-103")) is HELD


def test_an_overriding_build_goes_out_though_a_newer_one_waits(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": RULES + FREEZE, **chart("iris")}) as world:
        assert kind(world, builds(world, "iris:develop-103")) is HELD
        asked = builds(world, "iris:develop-102", override="the fix")
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason


def test_a_rollback_keeps_a_persons_hold_of_another_build(tmp_path: Path) -> None:
    text = RULES.replace(
        "tags: {pattern: '^develop-(?P<build>[0-9]+)$', order: numeric}", "tags: {order: none}"
    )
    with World(tmp_path, {".updater/rules.yaml": text, **chart("iris", "aaa")}) as world:
        builds(world, "iris:bbb")
        builds(world, "iris:ccc")
        world.person_holds(repository="registry.example.com/iris", build="ddd", reason="cve")
        world.settle_all()
        assert kind(world, builds(world, "iris:ddd")) is HELD
        world.person_rolls_back()
        world.settle_all()
        assert kind(world, builds(world, "iris:ddd")) is HELD


def test_release_of_one_build_leaves_a_persons_revert(world: World) -> None:
    for tag in (101, 102):
        builds(world, f"iris:develop-{tag}")
    world.person_pushes({DEV: "image:\n  tag: develop-101\n"}, "Back")
    world.person_holds(repository="registry.example.com/iris", build="develop-200")
    world.settle_all()
    world.person_releases(build="develop-200")
    world.settle_all()
    assert kind(world, builds(world, "iris:develop-102")) is HELD


def test_holds_file_keeps_comments_with_a_long_reason(world: World) -> None:
    world.person_pushes({HOLDS: "# keep me\nholds: []\n"}, "x")
    world.person_holds(build="develop-200", reason="a" * 299 + " bcd")
    world.settle_all()
    assert "# keep me" in world.file(HOLDS)


def test_hold_for_a_chart_with_two_blanks(tmp_path: Path) -> None:
    files = {k.replace("charts/iris", "charts/my  iris"): v for k, v in chart("iris").items()}
    with World(tmp_path, {".updater/rules.yaml": RULES, **files}) as world:
        asked = world.person_holds("my  iris", build="develop-105")
        world.settle_all()
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
        assert kind(world, builds(world, "iris:develop-105")) is HELD


def test_overriding_one_chart_of_several_still_holds(tmp_path: Path) -> None:
    """An override of a hold by hand on a newer build in the MR way"""
    with World(tmp_path, {".updater/rules.yaml": rules(), **both("iris")}) as world:
        lands(world, "master-101", "master-102", "master-103")
        world.person_pushes({PROD: "image:\n  tag: master-101\n"}, "Back")
        asked = builds(world, "iris:master-102", override="fine")
        assert kind(world, asked) is PROPOSED
        world.worker.desk.approve("prod/iris", caller=KIM, head=None)
        assert kind(world, builds(world, "iris:master-103")) is HELD


def test_hold_of_a_rollback_over_a_person_s_hold_keeps_who_and_why(world: World) -> None:
    """the reason of a person's own hold is not lost"""
    for tag in (101, 102):
        builds(world, f"iris:develop-{tag}")
    world.person_holds(repository="registry.example.com/iris", build="develop-150", reason="CVE-1")
    world.settle_all()
    world.person_rolls_back()
    world.settle_all()
    assert "CVE-1" in world.file(HOLDS), world.file(HOLDS)


def test_release_reaches_no_image_of_others(world: World) -> None:
    world.person_pushes(
        {
            HOLDS: "holds:\n"
            "  - {environment: dev, chart: iris, image: registry.example.com/rose, build: develop-105}\n"
        },
        "x",
    )
    asked = world.person_releases(
        caller=Caller(name="lee", images=("registry.example.com/iris",), acts=("roll-back",))
    )
    world.settle_all()
    assert "rose" in world.file(HOLDS), world.outcome(asked).reason


def test_a_limited_token_releases_no_hold_of_every_image_of_a_chart_that_is_gone(world: World) -> None:
    world.person_pushes(
        {
            HOLDS: "holds:\n"
            "  - {environment: dev, chart: gone, image: registry.example.com/rose, build: develop-105}\n"
        },
        "x",
    )
    asked = world.person_releases(
        "gone", caller=Caller(name="lee", images=("registry.example.com/iris",), acts=("roll-back",))
    )
    world.settle_all()
    assert "rose" in world.file(HOLDS), world.outcome(asked).reason


def test_hold_and_rollback_requests_of_one_batch(world: World) -> None:
    for tag in (101, 102):
        builds(world, f"iris:develop-{tag}")
    a = world.person_holds(repository="registry.example.com/iris", build="develop-105")
    b = world.person_rolls_back()
    c = world.person_releases(build="develop-105")
    world.settle_all()
    assert [kind(world, one) for one in (a, b, c)] == [COMMITTED] * 3
    # The release was of the hold up to 105, and the rollback's own stays.
    assert kind(world, builds(world, "iris:develop-102")) is HELD


def test_why_names_hold_for_group_and_does_not_touch(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": rules(), **both("iris")}) as world:
        lands(world, "master-101", "master-102")
        world.person_rolls_back(environment="prod")
        world.settle_all()
        image = ImageReference.parse("registry.example.com/iris:master-102", None)
        told = world.worker.accounts.why(image, "prod", has_requests=True)[0]
        assert told.stands, (told.code, told.text)


def test_nobody_approves_into_a_hold(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": rules(), **both("iris")}) as world:
        builds(world, "iris:master-101")
        world.person_holds(environment="prod", build="master-101")
        world.settle_all()
        with pytest.raises(ActRefused, match="To merge it now, ask for it with an override first"):
            world.worker.desk.approve("prod/iris", caller=KIM, head=None)
        assert "master-101" not in world.file(PROD)
        world.person_releases(environment="prod")
        world.settle_all()
        world.worker.desk.approve("prod/iris", caller=KIM, head=None)
        assert "master-101" in world.file(PROD)


def test_nobody_approves_into_a_freeze(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": rules(), **both("iris")}) as world:
        builds(world, "iris:master-101")
        world.person_pushes({".updater/rules.yaml": rules(more=FREEZE)})
        with pytest.raises(ActRefused, match="holidays"):
            world.worker.desk.approve("prod/iris", caller=KIM, head=None)
        assert "master-101" not in world.file(PROD)


def test_a_hold_of_a_chart_with_one_image_ends_with_a_newer_build(world: World) -> None:
    world.person_holds(build="develop-102")
    world.settle_all()
    assert kind(world, builds(world, "iris:develop-102")) is HELD
    assert kind(world, builds(world, "iris:develop-103")) is COMMITTED
    assert "develop-102" not in world.file(HOLDS)


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (
            {"repository": "registry.example.com/lotus"},
            "hold-no-image",
            "iris in dev uses no image registry.example.com/lotus; it uses registry.example.com/iris",
        ),
        ({"build": "v1.2"}, "tag-not-taken", "v1.2"),
    ],
)
def test_a_hold_that_would_protect_nothing_is_refused(
    world: World, more: dict[str, str], code: str, said: str
) -> None:
    asked = world.person_holds(**more)
    world.settle_all()
    outcome = world.outcome(asked)
    assert (outcome.kind, outcome.environments[0].code) == (REFUSED, code)
    assert said in outcome.reason


def test_until_release_a_persons_revert_holds_though_one_build_was_let_in(tmp_path: Path) -> None:
    text = RULES + "    rollback: {hold: until-release}\n"
    with World(tmp_path, {".updater/rules.yaml": text, **chart("iris")}) as world:
        builds(world, "iris:develop-101")
        builds(world, "iris:develop-102")
        world.person_pushes({DEV: "image:\n  tag: develop-101\n"}, "Back")
        assert kind(world, builds(world, "iris:develop-103")) is HELD
        assert kind(world, builds(world, "iris:develop-104", override="the fix")) is COMMITTED
        assert kind(world, builds(world, "iris:develop-105")) is HELD
        world.person_releases()
        world.settle_all()
        assert kind(world, builds(world, "iris:develop-106")) is COMMITTED


UNTIL_RELEASE = RULES + "    rollback: {hold: until-release}\n"


def test_until_release_whoever_goes_forth_again_ends_a_hold_of_their_own(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": UNTIL_RELEASE, **chart("iris")}) as world:
        builds(world, "iris:develop-101")
        builds(world, "iris:develop-102")
        world.person_pushes({DEV: "image:\n  tag: develop-101\n"}, "Back")
        world.person_pushes({DEV: "image:\n  tag: develop-102\n"}, "It was not that")
        assert kind(world, builds(world, "iris:develop-103")) is COMMITTED


def test_until_release_revives_no_hold_that_ended_before_it_was_the_rule(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": RULES, **chart("iris")}) as world:
        builds(world, "iris:develop-101")
        builds(world, "iris:develop-102")
        world.person_pushes({DEV: "image:\n  tag: develop-101\n"}, "Back")
        assert kind(world, builds(world, "iris:develop-103")) is COMMITTED
        world.person_pushes({".updater/rules.yaml": UNTIL_RELEASE})
        assert kind(world, builds(world, "iris:develop-104")) is COMMITTED


def test_a_chart_with_a_broken_file_can_be_held(tmp_path: Path) -> None:
    text = RULES.replace("values-dev", "values-*")
    with World(tmp_path, {".updater/rules.yaml": text, **chart("iris")}) as world:
        world.person_pushes({"charts/iris/values-x.yaml": "a: [\n"})
        asked = world.person_holds(repository="registry.example.com/iris", build="develop-101")
        world.settle_all()
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
        world.person_pushes({"charts/iris/values-x.yaml": None})
        assert kind(world, builds(world, "iris:develop-101")) is HELD


def test_why_tells_where_an_image_stands_in_part(tmp_path: Path) -> None:
    files = {**chart("iris"), **chart("lily")}
    files["charts/lily/values.yaml"] = files["charts/iris/values.yaml"]
    with World(tmp_path, {".updater/rules.yaml": RULES, **files}) as world:
        builds(world, "iris:develop-101")
        builds(world, "iris:develop-102")
        world.person_rolls_back(alone=True)
        world.settle_all()
        image = ImageReference.parse("registry.example.com/iris:develop-102", None)
        text = world.worker.accounts.why(image, "dev", has_requests=True)[0].text
        assert "stands in dev in part, in lily" in text
        assert ". Deployed: commit " in text
        assert " in iris. develop-102 is held for iris in dev" in text
