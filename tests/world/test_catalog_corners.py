"""Corners of catalogs on real Git: proposals, people, changed rules, kills."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.acts import COMMITTED, KIM, PROPOSED, builds, kind
from support.barerepo import git, log, make_bare
from support.catalogs import (
    FOLDERS,
    LIMITED,
    approve,
    flat,
    names,
    rolls_back,
    rules,
    tag,
    version,
)
from support.world import REGISTRY, World, killed_at, values

from updater.model import Caller, Question

# A caller of one image


def test_a_caller_of_one_image_rolls_back_a_chart_with_questions(tmp_path: Path) -> None:
    with World(tmp_path, {**rules("{questions: true}"), **flat("iris", "develop-100")}) as world:
        builds(world, "iris:develop-101")
        asked = rolls_back(world, caller=LIMITED)
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason


def test_a_caller_of_one_image_rolls_back_a_chart_with_questions_without_a_rule(tmp_path: Path) -> None:
    with World(tmp_path, {**flat("iris", "develop-100")}) as world:
        builds(world, "iris:develop-101")
        caller = Caller(name="kim", images=(f"{REGISTRY}/iris",), environments=("*",), acts=("roll-back",))
        asked = rolls_back(world, environment="default", caller=caller)
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason


def test_a_caller_of_one_image_rolls_back_an_app_version(tmp_path: Path) -> None:
    with World(
        tmp_path, {**rules("{questions: false, app-version: true}"), **flat("iris", "develop-100")}
    ) as world:
        builds(world, "iris:develop-101")
        asked = rolls_back(world, caller=LIMITED)
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason


def test_a_caller_of_one_image_rolls_back_in_place_with_versions(tmp_path: Path) -> None:
    with World(
        tmp_path, {**rules("{version: patch, app-version: true}"), **flat("iris", "develop-100")}
    ) as world:
        builds(world, "iris:develop-101")
        asked = rolls_back(world, caller=LIMITED)
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
        assert "version: 0.1.2\nappVersion: 'develop-100'" in world.file("charts/iris/Chart.yaml")
        assert "default: develop-100" in world.file("charts/iris/questions.yaml")


# Proposals


def test_three_images_in_one_proposal_with_few_folders_kept_are_not_proposed_again_and_again(
    tmp_path: Path,
) -> None:
    text = "".join(f"{n}:\n  repository: {REGISTRY}/{n}\n  tag: develop-1\n" for n in "abc")
    files = {
        **rules("{version: patch, directory: true, keep: 2}", "merge-request"),
        **version("iris", 100, "x", text=text),
    }
    with World(tmp_path, files) as world:
        for name in "abc":
            assert kind(world, builds(world, f"{name}:develop-2")) is PROPOSED
        before = git(world.bare, "rev-parse", "updater/dev/iris")
        for _ in range(3):
            world.look_around()
        assert git(world.bare, "rev-parse", "updater/dev/iris") == before


def test_a_proposal_that_prunes_is_not_proposed_again(tmp_path: Path) -> None:
    files = {
        **rules("{version: build, directory: true, keep: 2}", "merge-request"),
        **version("iris", 99, "develop-99"),
        **version("iris", 100, "develop-100"),
    }
    with World(tmp_path, files) as world:
        builds(world, "iris:develop-101")
        before = git(world.bare, "rev-parse", "updater/dev/iris")
        world.look_around()
        assert git(world.bare, "rev-parse", "updater/dev/iris") == before
        approve(world)
        assert names(world) == ["0.1.100", "0.1.101"]


def test_a_proposal_in_place_outlives_a_second_chart_of_its_name(tmp_path: Path) -> None:
    files = {**rules("{version: patch}", "merge-request"), **flat("iris", "develop-100")}
    with World(tmp_path, files) as world:
        builds(world, "iris:develop-101")
        world.person_pushes(version("iris", 5, "develop-5", home="other", text=values("tulip", "develop-5")))
        for _ in range(3):
            world.look_around()
        assert "updater/dev/" in git(world.bare, "for-each-ref", "--format=%(refname)", "refs/heads/updater/")


def test_two_proposals_in_place_never_give_one_version_two_contents(tmp_path: Path) -> None:
    text = (
        "environments:\n"
        "  dev:\n    files: charts/*/values-dev.yaml\n    tags: {pattern: '^develop-(?P<build>[0-9]+)$'}\n"
        "    delivery: merge-request\n    chart: {version: patch}\n"
        "  prod:\n    files: charts/*/values-prod.yaml\n    tags: {pattern: '^main-(?P<build>[0-9]+)$'}\n"
        "    delivery: merge-request\n    chart: {version: patch}\n"
    )
    files = {
        ".updater/rules.yaml": text,
        **flat("iris", "develop-100"),
        "charts/iris/values-dev.yaml": "image:\n  tag: develop-100\n",
        "charts/iris/values-prod.yaml": "image:\n  tag: main-100\n",
    }
    with World(tmp_path, files) as world:
        builds(world, "iris:develop-101")
        builds(world, "iris:main-101")
        world.worker.desk.approve("dev/iris", caller=KIM, head=None)
        one = world.file("charts/iris/Chart.yaml")
        world.worker.desk.approve("prod/iris", caller=KIM, head=None)
        for _ in range(2):
            world.look_around()
        if "main-101" not in world.file("charts/iris/values-prod.yaml"):
            world.worker.desk.approve("prod/iris", caller=KIM, head=None)
        assert "main-101" in world.file("charts/iris/values-prod.yaml")
        assert world.file("charts/iris/Chart.yaml") != one


def test_a_proposal_outlives_a_second_chart_of_its_name(tmp_path: Path) -> None:
    files = {**rules(FOLDERS, "merge-request"), **version("iris", 100, "develop-100")}
    with World(tmp_path, files) as world:
        asked = builds(world, "iris:develop-101")
        assert kind(world, asked) is PROPOSED
        world.person_pushes(version("iris", 5, "develop-5", home="other", text=values("tulip", "develop-5")))
        for _ in range(3):
            world.look_around()
        branches = git(
            world.bare, "for-each-ref", "--format=%(refname)", "refs/heads/updater/", "refs/updater/"
        ).split()
        live = [one for one in branches if one.startswith("refs/heads/updater/dev/")]
        assert live, (branches, world.outcome(asked).reason)
        assert names(world, live[0])[-1] == "0.1.101"


def test_a_rollback_proposed_in_place_is_not_proposed_again(tmp_path: Path) -> None:
    more = "    rollback: {delivery: merge-request}\n"
    files = {**rules("{version: patch, app-version: true}", more=more), **flat("iris", "develop-100")}
    with World(tmp_path, files) as world:
        builds(world, "iris:develop-101")
        asked = rolls_back(world)
        assert kind(world, asked) is PROPOSED, world.outcome(asked).reason
        before = git(world.bare, "rev-parse", "updater/dev/iris")
        world.look_around()
        assert git(world.bare, "rev-parse", "updater/dev/iris") == before


def test_all_charts_in_one_proposal_of_folders_is_calm(tmp_path: Path) -> None:
    more = "    merge-request: {group-by: environment}\n"
    files = {
        **rules(FOLDERS, "merge-request", more),
        **version("iris", 100, "develop-100"),
        **version("rose", 100, "develop-100"),
    }
    with World(tmp_path, files) as world:
        builds(world, "iris:develop-101")
        builds(world, "rose:develop-101")
        builds(world, "iris:develop-102")
        before = git(world.bare, "rev-parse", "updater/dev/_all")
        world.look_around()
        assert git(world.bare, "rev-parse", "updater/dev/_all") == before
        approve(world, "dev/_all")
        assert names(world) == ["0.1.100", "0.1.102"]
        assert names(world, home="charts/rose") == ["0.1.100", "0.1.101"]


# Folders


def test_folders_named_like_versions_above_charts_are_not_mixed_up_by_a_rollback(tmp_path: Path) -> None:
    files = {
        **rules(FOLDERS),
        **version("iris", 100, "develop-90", home="1.28"),
        **version("iris", 100, "develop-100", home="1.29"),
    }
    with World(tmp_path, files) as world:
        builds(world, "iris:develop-101")
        commit = log(world.bare)[0].sha
        asked = rolls_back(world, chart="", commit=commit)
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
        newest = [
            tag(world, names(world, home=f"{home}/iris")[-1], home=f"{home}/iris")
            for home in ("1.28", "1.29")
        ]
        assert newest == ["develop-90", "develop-100"]


def test_a_version_that_a_person_reverted_never_comes_back_with_another_content(tmp_path: Path) -> None:
    files = {
        **rules("{version: patch, directory: true}"),
        **version("iris", 100, "develop-100"),
    }
    with World(tmp_path, files) as world:
        builds(world, "iris:develop-101")
        sha = log(world.bare)[0].sha
        gone = dict.fromkeys(version("iris", 101, "x"))
        world.person_pushes(gone, f'Revert "x"\n\nThis reverts commit {sha}.')
        asked = builds(world, "iris:develop-102")
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
        assert names(world)[-1] != "0.1.101", tag(world, "0.1.101")


def test_unicode_and_binary_files_come_along(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        **rules(FOLDERS),
        **version("iris", 100, "develop-100"),
        "charts/iris/0.1.100/files/이미지.bin": b"\x00\xff\r\n",
    }
    bare = make_bare(tmp_path, files)
    with World(tmp_path, bare=bare) as world:
        asked = builds(world, "iris:develop-101")
        assert kind(world, asked) is COMMITTED
        old, new = (git(world.bare, "rev-parse", f"main:charts/iris/0.1.{n}/files") for n in (100, 101))
        assert old == new


# Rules that change


def test_a_rollback_after_the_rule_was_taken_out_lowers_no_version(tmp_path: Path) -> None:
    with World(tmp_path, {**rules("{version: patch}"), **flat("iris", "develop-100")}) as world:
        builds(world, "iris:develop-101")
        world.person_pushes(rules("{version: none}"))
        asked = rolls_back(world)
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
        assert "version: 0.1.1\n" in world.file("charts/iris/Chart.yaml")


def test_a_rollback_after_directories_were_taken_out_removes_no_published_version(tmp_path: Path) -> None:
    with World(tmp_path, {**rules(FOLDERS), **version("iris", 100, "develop-100")}) as world:
        builds(world, "iris:develop-101")
        world.person_pushes(rules("{version: none}"))
        asked = rolls_back(world)
        assert kind(world, asked) is COMMITTED, world.outcome(asked).reason
        assert names(world) == ["0.1.100", "0.1.101"]
        assert tag(world, "0.1.101") == "develop-100"
        world.person_pushes(rules("{version: patch}"))
        refused = builds(world, "iris:develop-102")
        assert "write directory: true beside version" in world.outcome(refused).reason


# Two environments, one branch

SHARED = (
    "environments:\n"
    "  dev:\n    files: charts/*/*/values-dev.yaml\n    tags: {pattern: '^develop-(?P<build>[0-9]+)$'}\n"
    "    chart: {version: build, directory: true, keep: 4}\n"
    "  prod:\n    files: charts/*/*/values-prod.yaml\n    tags: {pattern: '^main-(?P<build>[0-9]+)$'}\n"
    "    delivery: merge-request\n    promote-from: dev\n"
    "    chart: {version: build, directory: true, keep: 4}\n"
)


def shared(number: int) -> dict[str, str]:
    home = f"charts/iris/0.1.{number}"
    return {
        ".updater/rules.yaml": SHARED,
        **version("iris", number, "develop-1"),
        f"{home}/values-dev.yaml": f"image:\n  tag: develop-{number}\n",
        f"{home}/values-prod.yaml": f"image:\n  tag: main-{number}\n",
    }


def test_two_environments_in_one_folder_of_versions_lose_nothing(tmp_path: Path) -> None:
    with World(tmp_path, shared(100)) as world:
        builds(world, "iris:develop-110")
        builds(world, "iris:main-105")
        builds(world, "iris:develop-120")
        for _ in range(3):
            world.look_around()
        world.worker.desk.approve("prod/iris", caller=KIM, head=None)
        newest = f"charts/iris/{names(world)[-1]}"
        assert "develop-120" in world.file(f"{newest}/values-dev.yaml")
        assert "main-105" in world.file(f"{newest}/values-prod.yaml")
        rows = world.worker.accounts.history(Question(environment="prod", chart="iris"))
        assert [(one.tag, one.kind) for one in rows][:1] == [("main-105", "update")], [
            (one.tag, one.kind) for one in rows
        ]
        rows = world.worker.accounts.history(Question(environment="dev", chart="iris"))
        assert [(one.tag, one.kind) for one in rows][:2] == [
            ("develop-120", "update"),
            ("develop-110", "update"),
        ]
        asked = rolls_back(world)
        newest = f"charts/iris/{names(world)[-1]}"
        assert "develop-110" in world.file(f"{newest}/values-dev.yaml"), world.outcome(asked).reason
        assert "main-105" in world.file(f"{newest}/values-prod.yaml")


# Killed


@pytest.mark.parametrize(
    "point", [("after", "commit", 1), ("after", "intend", 1), ("after", "push", 1), ("before", "settle", 1)]
)
@pytest.mark.parametrize("delivery", ["commit", "merge-request"])
def test_a_version_is_made_once_whenever_the_updater_is_killed(
    tmp_path: Path, point: tuple[str, str, int], delivery: str
) -> None:
    bare = make_bare(tmp_path, {**rules(FOLDERS, delivery), **version("iris", 100, "develop-100")})
    assert killed_at(tmp_path, bare, point, ("iris:develop-101",))
    with World(tmp_path, bare=bare) as world:
        world.settle_all()
        for _ in range(2):
            world.look_around()
        branch = "main" if delivery == "commit" else "updater/dev/iris"
        assert names(world, branch) == ["0.1.100", "0.1.101"]
        assert len(log(world.bare, branch)) == 2


# What people are told


def test_a_merge_request_does_not_recommend_a_revert_that_lowers_the_version(tmp_path: Path) -> None:
    with World(
        tmp_path, {**rules("{version: patch}", "merge-request"), **flat("iris", "develop-100")}
    ) as world:
        builds(world, "iris:develop-101")
        approve(world)
        sha = log(world.bare)[0].sha
        # What the text of the merge request calls another way to roll back: the Revert button.
        world.person_pushes(
            {
                "charts/iris/Chart.yaml": flat("iris", "develop-100")["charts/iris/Chart.yaml"],
                "charts/iris/values.yaml": values("iris", "develop-100"),
                "charts/iris/questions.yaml": flat("iris", "develop-100")["charts/iris/questions.yaml"],
            },
            f"Revert\n\nThis reverts commit {sha}.",
        )
        builds(world, "iris:develop-102")
        approve(world)
        chart = world.file("charts/iris/Chart.yaml")
        assert "version: 0.1.1\n" not in chart, "0.1.1 was develop-101, and is develop-102 now"
