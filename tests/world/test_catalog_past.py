"""What the history tells of a catalog, and what goes on calmly there, on real Git."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from support.acts import COMMITTED, HELD, KIM, PROPOSED, builds, kind
from support.barerepo import git, log, make_bare
from support.catalogs import (
    DEV_TAGS,
    FOLDERS,
    approve,
    calm,
    names,
    rolls_back,
    rules,
    tag,
    version,
)
from support.world import REGISTRY, World, values

from updater.model import Question, Source

# The history


def rows(world: World, environment: str = "dev") -> list[tuple[str | None, str, str | None]]:
    found = world.worker.accounts.history(Question(environment=environment, chart="iris"))
    return [(one.tag, one.kind, one.moves[0].old) for one in found]


def four_builds(tmp_path: Path) -> World:
    world = World(tmp_path, {**rules(FOLDERS), **version("iris", 100, "develop-100")})
    for number in (101, 102, 103, 104):
        builds(world, f"iris:develop-{number}")
    return world


def test_every_deployment_tells_the_version_that_it_is(tmp_path: Path) -> None:
    with World(tmp_path, {**rules(FOLDERS), **version("iris", 100, "develop-100")}) as world:
        for number in (101, 102):
            builds(world, f"iris:develop-{number}")
        rolls_back(world)
        found = world.worker.accounts.history(Question(environment="dev", chart="iris"))
        told = [(one.tag, one.version) for one in found]
        assert told == [
            ("develop-101", "0.1.103"),
            ("develop-102", "0.1.102"),
            ("develop-101", "0.1.101"),
            ("develop-100", ""),
        ]


def test_the_updater_goes_on_after_a_rollback_that_follows_pruned_folders(tmp_path: Path) -> None:
    with four_builds(tmp_path) as world:
        rolls_back(world)
        assert kind(world, builds(world, "iris:develop-105")) is COMMITTED
        assert rows(world)[0] == ("develop-105", "update", "develop-103")


def test_the_updater_goes_on_after_a_persons_commit_that_follows_pruned_folders(tmp_path: Path) -> None:
    with four_builds(tmp_path) as world:
        world.person_pushes(version("iris", 300, "develop-300"))
        assert rows(world)[0] == ("develop-300", "by-hand", "develop-104")
        rolls_back(world)
        assert kind(world, builds(world, "iris:develop-400")) is COMMITTED


def test_a_persons_edit_of_the_newest_folder_is_told_against_what_stood(tmp_path: Path) -> None:
    with World(tmp_path, {**rules(FOLDERS), **version("iris", 100, "develop-100")}) as world:
        for number in (101, 102):
            builds(world, f"iris:develop-{number}")
        world.person_pushes({"charts/iris/0.1.102/values.yaml": values("iris", "develop-110")})
        world.look_around()
        assert rows(world)[0] == ("develop-110", "by-hand", "develop-102")


def test_a_persons_revert_of_a_version_holds_its_build(tmp_path: Path) -> None:
    with World(tmp_path, {**rules(FOLDERS), **version("iris", 100, "develop-100")}) as world:
        for number in (101, 102):
            builds(world, f"iris:develop-{number}")
        sha = log(world.bare)[0].sha
        world.person_pushes(
            dict.fromkeys(version("iris", 102, "x")), f'Revert "iris"\n\nThis reverts commit {sha}.'
        )
        world.look_around()
        assert rows(world)[0][:2] == ("develop-101", "revert"), rows(world)
        assert kind(world, builds(world, "iris:develop-102")) is HELD


def test_a_persons_revert_of_a_version_in_prod_holds_its_build(tmp_path: Path) -> None:
    """What the description of a merge request warns of; nothing says that nothing is held then."""
    with World(tmp_path, {**rules(FOLDERS, "merge-request"), **version("iris", 100, "develop-100")}) as world:
        for number in (101, 102):
            builds(world, f"iris:develop-{number}")
            approve(world)
        sha = log(world.bare)[0].sha
        world.person_pushes(
            dict.fromkeys(version("iris", 102, "x")), f'Revert "iris"\n\nThis reverts commit {sha}.'
        )
        world.look_around()
        assert kind(world, builds(world, "iris:develop-102")) is HELD


def test_status_after_a_restart_tells_versions_as_before(tmp_path: Path) -> None:
    with World(tmp_path, {**rules(FOLDERS), **version("iris", 100, "develop-100")}) as world:
        for number in (101, 102):
            builds(world, f"iris:develop-{number}")
        world.look_around()
        before, bare = rows(world), world.bare
    with World(tmp_path, bare=bare) as world:
        world.tick()
        assert rows(world) == before
        world.person_pushes(version("iris", 300, "develop-300"))
        world.look_around()
        assert rows(world)[0] == ("develop-300", "by-hand", "develop-102")


# Calm


def test_a_rollback_proposed_in_folders_is_calm(tmp_path: Path) -> None:
    with World(tmp_path, {**rules(FOLDERS, "merge-request"), **version("iris", 100, "develop-100")}) as world:
        for number in (101, 102):
            builds(world, f"iris:develop-{number}")
            approve(world)
        asked = rolls_back(world)
        assert kind(world, asked) is PROPOSED, world.outcome(asked).reason
        calm(world)
        approve(world)
        assert tag(world, "0.1.103") == "develop-101"
        assert kind(world, builds(world, "iris:develop-103")) is PROPOSED
        calm(world)
        approve(world)
        assert names(world)[-1] == "0.1.104"


def test_a_rollback_proposed_where_builds_are_committed_gives_no_version_twice(tmp_path: Path) -> None:
    more = "    rollback: {delivery: merge-request}\n"
    with World(tmp_path, {**rules(FOLDERS, more=more), **version("iris", 100, "develop-100")}) as world:
        for number in (101, 102):
            builds(world, f"iris:develop-{number}")
        asked = rolls_back(world)
        assert kind(world, asked) is PROPOSED, world.outcome(asked).reason
        calm(world)
        builds(world, "iris:develop-103")
        for _ in range(2):
            world.look_around()
        branches = git(world.bare, "for-each-ref", "--format=%(refname)", "refs/heads/updater/")
        if branches:
            approve(world)
        assert names(world) == sorted(set(names(world)))


@pytest.mark.parametrize(
    "source",
    [
        Source(pipeline_id="777"),
        Source(pipeline_url="https://gitlab.example.com/a/b/-/pipelines/777"),
        Source(pipeline_url="https://gitlab.example.com/a/b/-/pipelines/777/", pipeline_id="8"),
        Source(pipeline_url="gitlab.example.com/a/b/-/pipelines/777"),
    ],
)
def test_a_proposal_by_a_pipelines_number_is_calm(tmp_path: Path, source: Source) -> None:
    text = rules(FOLDERS, "merge-request")[".updater/rules.yaml"].replace(DEV_TAGS, "tags: {order: semver}")
    with World(tmp_path, {".updater/rules.yaml": text, **version("iris", 100, "v1.0.0")}) as world:
        asked = builds(world, "iris:v1.0.1", source=source)
        assert kind(world, asked) is PROPOSED, world.outcome(asked).reason
        first = names(world, "updater/dev/iris")
        calm(world)
        assert names(world, "updater/dev/iris") == first == ["0.1.100", "0.1.777"]


def test_a_commit_that_moved_two_charts_goes_back_in_both(tmp_path: Path) -> None:
    text = "log:\n  repository: " + REGISTRY + "/log\n  tag: develop-{}\n"
    files = {
        **rules(FOLDERS),
        **version("iris", 100, "x", text=text.format(90)),
        **version("rose", 200, "x", text=text.format(95)),
    }
    with World(tmp_path, files) as world:
        builds(world, "log:develop-300")
        asked = rolls_back(world, chart="", commit=log(world.bare)[0].sha)
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
        assert (names(world)[-1], names(world, home="charts/rose")[-1]) == ("0.1.301", "0.1.301")
        assert tag(world, "0.1.301") == "develop-90"
        assert tag(world, "0.1.301", home="charts/rose") == "develop-95"


def test_a_closed_proposal_and_a_newer_build(tmp_path: Path) -> None:
    with World(tmp_path, {**rules(FOLDERS, "merge-request"), **version("iris", 100, "develop-100")}) as world:
        builds(world, "iris:develop-101")
        world.worker.desk.close("dev/iris", caller=KIM, reason="no")
        assert kind(world, builds(world, "iris:develop-102")) is PROPOSED
        calm(world)
        assert names(world, "updater/dev/iris") == ["0.1.100", "0.1.102"]


# Past and pause


def test_what_a_freeze_kept_goes_out_as_a_version_once(tmp_path: Path) -> None:
    freeze = "    freeze: {from: '2026-11-22 11:00', until: '2026-11-22 23:00', reason: holidays}\n"
    with World(tmp_path, {**rules(FOLDERS, more=freeze), **version("iris", 100, "develop-100")}) as world:
        for number in (101, 102):
            world.ci_builds(f"iris:develop-{number}")
        world.tick()
        assert names(world) == ["0.1.100"]
        world.now += timedelta(hours=12)
        world.settle_all()
        world.look_around()
        assert names(world) == ["0.1.100", "0.1.102"]


def test_promotion_of_all_charts_makes_a_version_of_each(tmp_path: Path) -> None:
    text = (
        "environments:\n"
        f"  dev:\n    branch: dev\n    {DEV_TAGS}\n    chart: {FOLDERS}\n"
        "  prod:\n    tags: {pattern: '^main-(?P<build>[0-9]+)$'}\n    promote-from: dev\n"
        f"    chart: {FOLDERS}\n"
    )
    start = {**version("iris", 100, "main-100"), **version("rose", 100, "main-100")}
    bare = make_bare(tmp_path, {".updater/rules.yaml": text, **start})
    git(bare, "branch", "dev", "main")
    with World(tmp_path, bare=bare) as world:
        world.person_pushes(
            {**version("iris", 100, "develop-100"), **version("rose", 100, "develop-100")}, branch="dev"
        )
        builds(world, "iris:develop-150")
        builds(world, "rose:develop-160")
        asked = world.person_promotes("dev", "prod")
        world.settle_all()
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
        assert names(world)[-1] == "0.1.150"
        assert names(world, home="charts/rose")[-1] == "0.1.160"
        asked = world.person_promotes("dev", "prod")
        world.settle_all()
        assert world.outcome(asked).kind.value == "unchanged"
        asked = rolls_back(world, environment="prod")
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
        assert tag(world, names(world)[-1]) == "main-100"


def test_release_and_hold_are_no_versions(tmp_path: Path) -> None:
    with World(tmp_path, {**rules(FOLDERS), **version("iris", 100, "develop-100")}) as world:
        world.person_holds()
        world.settle_all()
        asked = world.ci_builds("iris:develop-101")
        world.settle_all()
        assert kind(world, asked) is HELD
        world.person_releases()
        world.settle_all()
        for _ in range(3):
            world.look_around()
            world.settle_all()
        assert names(world)[-1] == "0.1.101", world.outcome(asked).reason
        world.person_rolls_back(to="develop-100")
        world.settle_all()
        assert tag(world, names(world)[-1]) == "develop-100"


def test_a_person_who_lowers_the_newest_folder_by_deleting_two(tmp_path: Path) -> None:
    with World(tmp_path, {**rules(FOLDERS), **version("iris", 100, "develop-100")}) as world:
        for number in (101, 102):
            builds(world, f"iris:develop-{number}")
        world.person_pushes(
            {**dict.fromkeys(version("iris", 102, "x")), **dict.fromkeys(version("iris", 101, "x"))}
        )
        asked = rolls_back(world)
        assert world.record(asked).outcome is not None
        assert kind(world, builds(world, "iris:develop-103")) is COMMITTED
