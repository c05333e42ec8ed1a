"""A Rancher catalog on real Git: a branch for each environment, a folder for each version of a chart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import catalogs
from support.acts import COMMITTED, HELD, HOLDS, KIM, PROPOSED, builds, kind
from support.barerepo import commit_as_person, git, log, make_bare
from support.catalogs import names, rolls_back, version
from support.world import World

from updater.model import Caller, Question

CHART = "{version: build, directory: true, app-version: true, keep: 3}"
RULES = f"""\
environments:
  dev:
    branch: dev
    tags: {{pattern: '^develop-(?P<build>[0-9]+)$'}}
    chart: {CHART}
  prod:
    branch: main
    tags: {{pattern: '^main-(?P<build>[0-9]+)$'}}
    delivery: merge-request
    promote-from: dev
    chart: {CHART}
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    prod = {**version("iris", 100, "main-100"), **version("rose", 100, "main-100")}
    dev = {**version("iris", 100, "develop-100"), **version("rose", 100, "develop-100")}
    bare = make_bare(tmp_path, {".updater/rules.yaml": RULES, **prod})
    git(bare, "branch", "dev", "main")
    commit_as_person(bare, dev, "Begin dev", "dev")
    with World(tmp_path, bare=bare) as world:
        yield world


def versions(world: World, branch: str = "dev", name: str = "iris") -> list[str]:
    return names(world, branch, f"charts/{name}")


def tag(world: World, number: str, branch: str = "dev") -> str:
    return catalogs.tag(world, number, branch)


def test_a_build_is_a_new_version_beside_the_old_ones_which_stay_as_they_are(world: World) -> None:
    before = git(world.bare, "rev-parse", "dev:charts/iris/0.1.100")
    assert kind(world, builds(world, "iris:develop-101")) is COMMITTED
    assert versions(world) == ["0.1.100", "0.1.101"]
    assert git(world.bare, "rev-parse", "dev:charts/iris/0.1.100") == before
    chart = world.file("charts/iris/0.1.101/Chart.yaml", "dev")
    assert "version: 0.1.101\n" in chart
    assert "appVersion: 'develop-101'\n" in chart
    assert "default: develop-101\n" in world.file("charts/iris/0.1.101/questions.yaml", "dev")
    [newest, *_] = log(world.bare, "dev")
    assert newest.message.startswith("iris develop-101 in dev\n")
    assert "\nChart iris: 0.1.100 -> 0.1.101\n" in newest.message


def test_many_builds_at_once_are_versions_one_after_the_other_in_one_push(world: World) -> None:
    asked = [
        world.ci_builds(f"{name}:develop-{number}") for name in ("iris", "rose") for number in (105, 103)
    ]
    world.settle_all()
    assert versions(world) == ["0.1.100", "0.1.105"]
    assert versions(world, name="rose") == ["0.1.100", "0.1.105"]
    assert [world.outcome(one).kind.value for one in asked] == ["committed", "superseded"] * 2
    assert [effect for _, effect in world.effects.seen].count("push") == 2  # before and after


def test_old_versions_are_removed_beyond_what_the_rules_keep(world: World) -> None:
    for number in (101, 102, 103, 104):
        builds(world, f"iris:develop-{number}")
    assert versions(world) == ["0.1.102", "0.1.103", "0.1.104"]
    assert versions(world, name="rose") == ["0.1.100"]
    reason = world.outcome(world.ids[-1]).environments[0].notes[0]
    assert reason == (
        "The chart iris rises from version 0.1.103 to 0.1.104, in charts/iris/0.1.104/, a copy of "
        "the one before but for what moves along. "
        "The folders of old versions go: charts/iris/0.1.101."
    )


def test_a_rollback_goes_forward_and_holds_what_it_takes_back(world: World) -> None:
    builds(world, "iris:develop-101")
    builds(world, "iris:develop-102")
    asked = rolls_back(world)
    assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
    assert versions(world) == ["0.1.101", "0.1.102", "0.1.103"]
    assert (
        "The chart iris rises from version 0.1.102 to 0.1.103"
        in world.outcome(asked).environments[0].notes[0]
    )
    [newest, *_] = log(world.bare, "dev")
    assert (
        "registry.example.com/iris: develop-102 -> develop-101\n"
        "Chart iris: 0.1.102 -> 0.1.103\n\n"
        "This takes the tags of iris back to before commit "
    ) in newest.message
    assert tag(world, "0.1.103") == "develop-101"
    assert "appVersion: 'develop-101'\n" in world.file("charts/iris/0.1.103/Chart.yaml", "dev")
    assert tag(world, "0.1.102") == "develop-102", "what was published stays"
    assert kind(world, builds(world, "iris:develop-102")) is HELD
    assert kind(world, builds(world, "iris:develop-103")) is COMMITTED
    assert versions(world)[-1] == "0.1.104", "a version never stands for two things"
    assert world.file(HOLDS, "dev").endswith("holds: []\n")


def test_two_rollbacks_go_two_steps_back_in_two_versions(world: World) -> None:
    for number in (101, 102):
        builds(world, f"iris:develop-{number}")
    rolls_back(world)
    rolls_back(world)
    assert tag(world, versions(world)[-1]) == "develop-100"
    assert versions(world)[-1] == "0.1.104"
    assert not git(world.bare, "diff", "--stat", "HEAD", "main")


def test_a_rollback_to_a_tag_whose_version_is_gone_still_works(world: World) -> None:
    for number in (101, 102, 103, 104, 105):
        builds(world, f"iris:develop-{number}")
    asked = rolls_back(world, to="develop-101")
    assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
    assert tag(world, "0.1.106") == "develop-101"


def test_a_caller_of_one_image_may_roll_its_chart_back(world: World) -> None:
    builds(world, "iris:develop-101")
    caller = Caller(
        name="kim", images=("registry.example.com/iris",), environments=("dev",), acts=("roll-back",)
    )
    assert kind(world, rolls_back(world, caller=caller)) is COMMITTED


def test_prod_is_proposed_as_a_new_version_that_a_newer_build_replaces(world: World) -> None:
    assert kind(world, builds(world, "iris:main-200")) is PROPOSED
    again = builds(world, "iris:main-201")
    assert kind(world, again) is PROPOSED
    [told] = world.outcome(again).environments
    assert [(one.file, one.old, one.new) for one in told.places] == [
        ("charts/iris/0.1.201/values.yaml", "main-100", "main-201")
    ]
    branch = "updater/prod/iris"
    assert versions(world, branch) == ["0.1.100", "0.1.201"]
    assert versions(world, "main") == ["0.1.100"]
    world.worker.desk.approve("prod/iris", caller=KIM, head=None)
    assert versions(world, "main") == ["0.1.100", "0.1.201"]
    assert tag(world, "0.1.201", "main") == "main-201"


def test_a_proposal_is_shown_by_what_differs_from_the_version_before(world: World) -> None:
    builds(world, "iris:main-200")
    builds(world, "rose:main-300")
    shown = world.worker.desk.proposal("prod/iris")
    assert shown is not None
    assert (
        "copy from charts/iris/0.1.100/values.yaml\ncopy to charts/iris/0.1.200/values.yaml\n" in shown.diff
    )
    changed = [
        line for line in shown.diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert len(changed) == 8


def test_what_is_proposed_is_not_proposed_anew_by_a_look(world: World) -> None:
    builds(world, "iris:main-200")
    before = git(world.bare, "rev-parse", "updater/prod/iris")
    world.look_around()
    assert git(world.bare, "rev-parse", "updater/prod/iris") == before


def test_a_proposal_is_a_higher_version_still_when_a_person_raised_it_meanwhile(world: World) -> None:
    builds(world, "iris:main-200")
    world.person_pushes(version("iris", 300, "main-90"))
    world.look_around()
    assert versions(world, "updater/prod/iris") == ["0.1.100", "0.1.300", "0.1.301"]


def test_a_promotion_takes_the_tag_and_prods_own_next_version(world: World) -> None:
    builds(world, "iris:develop-150")
    asked = world.person_promotes("dev", "prod", "iris")
    world.settle_all()
    assert kind(world, asked) is PROPOSED, world.outcome(asked).reason
    assert tag(world, "0.1.150", "updater/prod/iris") == "develop-150"


def test_a_rollback_in_prod_is_proposed_forward_too(world: World) -> None:
    for number in (200, 201):
        builds(world, f"iris:main-{number}")
        world.worker.desk.approve("prod/iris", caller=KIM, head=None)
    asked = rolls_back(world, environment="prod")
    assert kind(world, asked) is PROPOSED, world.outcome(asked).reason
    world.worker.desk.approve("prod/iris", caller=KIM, head=None)
    assert tag(world, "0.1.202", "main") == "main-200"


def test_the_history_tells_versions_of_one_chart_as_one(world: World) -> None:
    builds(world, "iris:develop-101")
    world.person_pushes(version("iris", 102, "develop-102"), branch="dev")
    world.settle_all()
    rows = world.worker.accounts.history(Question(environment="dev", chart="iris"))
    assert [(one.tag, one.kind) for one in rows][:2] == [
        ("develop-102", "by-hand"),
        ("develop-101", "update"),
    ]
