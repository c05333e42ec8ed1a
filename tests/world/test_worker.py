"""The whole road on a real remote: what the owner says the bot does, told in verbs."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.barerepo import (
    changed_lines,
    decline,
    fsck,
    git,
    log,
    make_bare,
    protect,
    rewrite_as_person,
    tip,
    unprotect,
)
from support.world import RULES, World, chart

from updater.model import OutcomeKind, Source

KIND = OutcomeKind


def world_with(folder: Path, *names: str) -> World:
    files = {".updater/rules.yaml": RULES}
    for name in names:
        files |= chart(name)
    return World(folder, files)


def test_a_built_image_becomes_a_commit_of_one_line(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        request = world.ci_builds("iris:develop-101")
        world.tick()
        outcome = world.outcome(request)
        assert outcome.kind is KIND.COMMITTED
        assert changed_lines(world.bare, "main") == ["-  tag: develop-100", "+  tag: develop-101"]
        assert outcome.environments[0].commit == tip(world.bare)
        assert outcome.environments[0].link.endswith(tip(world.bare))
        fsck(world.bare)


def test_the_commit_says_in_trailers_what_machines_need(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        source = Source(
            project="https://gitlab.example.com/shop/iris",
            commit="0123abcd",
            ref="develop",
            pipeline_id="52666",
            pipeline_url="https://gitlab.example.com/shop/iris/-/pipelines/52666",
            author="Kim Iris <kim@example.com>",
        )
        request = world.ci_builds("iris:develop-101", source=source)
        world.tick()
        message = log(world.bare)[0].message
        trailers = git(world.bare, "log", "-1", "--format=%(trailers:only,unfold)", "main").splitlines()
        assert message.splitlines()[0] == "iris develop-101 in dev"
        assert [line for line in trailers if line] == [
            "Updater-Image: registry.example.com/iris:develop-101",
            "Updater-Previous: develop-100",
            "Updater-Environment: dev",
            "Updater-Chart: iris",
            f"Updater-Request: {request}",
            "Updater-Source: https://gitlab.example.com/shop/iris/-/commit/0123abcd",
            "Updater-Pipeline: https://gitlab.example.com/shop/iris/-/pipelines/52666",
            "Updater-Requested-By: Kim Iris",
        ]
        assert "kim@example.com" not in message


def test_no_field_of_a_request_can_forge_a_trailer(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        evil = "x\n\nUpdater-Environment: prod\r\u2028Updater-Image: evil\u202e\x1b[2J"
        world.ci_builds(
            "iris:develop-101", source=Source(ref=evil, author=evil, project=evil, pipeline_id=evil)
        )
        world.tick()
        text = git(world.bare, "log", "-1", "--format=%(trailers:only,unfold)", "main")
        assert text.count("\nUpdater-Environment:") == 1
        assert "\nUpdater-Environment: dev\n" in text
        assert not set("\x1b\u202e\u2028\r") & set(log(world.bare)[0].message)


def test_the_same_image_again_makes_no_second_commit(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.ci_builds("iris:develop-101")
        world.tick()
        again = world.ci_builds("iris:develop-101")
        world.tick()
        assert world.outcome(again).kind is KIND.UNCHANGED
        assert len(world.commits()) == 1


def test_an_older_build_is_superseded_and_both_builds_are_named(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        older = world.ci_builds("iris:develop-99")
        world.tick()
        outcome = world.outcome(older)
        assert outcome.kind is KIND.SUPERSEDED
        assert "develop-99" in outcome.reason
        assert "develop-100" in outcome.reason
        assert outcome.environments[0].superseded_by == "develop-100"
        assert world.commits() == []


def test_ten_waiting_tags_of_one_image_make_one_commit_and_nine_are_superseded(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        order = [105, 101, 110, 103, 102, 109, 104, 108, 106, 107]
        requests = {number: world.ci_builds(f"iris:develop-{number}") for number in order}
        world.tick()
        assert world.outcome(requests[110]).kind is KIND.COMMITTED
        assert {world.outcome(requests[n]).kind for n in order if n != 110} == {KIND.SUPERSEDED}
        assert {world.outcome(requests[n]).environments[0].superseded_by for n in order if n != 110} == {
            "develop-110"
        }
        assert len(world.commits()) == 1


def test_eight_requests_on_different_charts_land_with_one_push(tmp_path: Path) -> None:
    names = [f"app-{n}" for n in range(8)]
    with world_with(tmp_path, *names) as world:
        requests = [world.ci_builds(f"{name}:develop-101") for name in names]
        world.tick()
        assert {world.outcome(one).kind for one in requests} == {KIND.COMMITTED}
        assert len(world.commits()) == 8
        assert world.effects.seen.count(("after", "push")) == 1


def test_all_targets_of_an_image_in_an_environment_travel_in_one_commit(tmp_path: Path) -> None:
    files = {".updater/rules.yaml": RULES, **chart("iris"), **chart("batch")}
    files["charts/batch/values.yaml"] = files["charts/iris/values.yaml"]
    with World(tmp_path, files) as world:
        request = world.ci_builds("iris:develop-101")
        world.tick()
        outcome = world.outcome(request)
        assert {place.chart for place in outcome.environments[0].places} == {"iris", "batch"}
        assert len(world.commits()) == 1
        assert git(
            world.bare, "log", "-1", "--format=%(trailers:key=Updater-Chart,valueonly)", "main"
        ).split() == [
            "batch",
            "iris",
        ]


def test_a_person_between_planning_and_pushing_keeps_their_commit(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        request = world.ci_builds("iris:develop-101")

        def meddle(moment: str, effect: str) -> None:
            if (moment, effect) == ("before", "push"):
                world.effects.hook = None
                world.person_pushes({"README.md": "a person was here\n"})

        world.effects.hook = meddle
        world.tick()
        assert world.outcome(request).kind is KIND.COMMITTED
        assert world.commits() == ["A person's change", "iris develop-101 in dev"]
        assert world.file("README.md") == "a person was here\n"


def test_a_person_who_writes_a_newer_tag_meanwhile_wins(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        request = world.ci_builds("iris:develop-101")

        def meddle(moment: str, effect: str) -> None:
            if (moment, effect) == ("before", "push"):
                world.effects.hook = None
                world.person_pushes({"charts/iris/values-dev.yaml": "image:\n  tag: develop-500\n"})

        world.effects.hook = meddle
        world.tick()
        assert world.outcome(request).kind is KIND.SUPERSEDED
        assert world.commits() == ["A person's change"]


def test_what_is_not_pushed_is_decided_on_the_remote_as_it_is_now(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.ci_builds("iris:develop-101")
        world.tick()
        world.person_pushes(dict(chart("lily")))
        request = world.ci_builds("lily:develop-100")
        world.tick()
        assert world.outcome(request).kind is KIND.UNCHANGED, "the chart came after the last fetch"


def test_an_unknown_environment_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        request = world.ci_builds("iris:develop-101", environment="deb")
        world.tick()
        outcome = world.outcome(request)
        assert outcome.kind is KIND.REFUSED
        assert "Did you mean 'dev'?" in outcome.reason


def test_a_tag_no_environment_takes_is_refused_with_the_patterns(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        request = world.ci_builds("iris:feature-7")
        world.tick()
        outcome = world.outcome(request)
        assert outcome.kind is KIND.REFUSED
        assert "'feature-7'" in outcome.reason
        assert "^develop-" in outcome.reason


def test_an_environment_outside_the_token_is_refused(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        request = world.ci_builds("iris:develop-101", environments=("staging",))
        world.tick()
        outcome = world.outcome(request)
        assert outcome.kind is KIND.REFUSED
        assert "'ci'" in outcome.reason
        assert world.commits() == []


def test_an_image_nobody_uses_is_refused_and_look_alikes_are_untouched(tmp_path: Path) -> None:
    with world_with(tmp_path, "iris-admin") as world:
        request = world.ci_builds("iris:develop-101")
        world.tick()
        outcome = world.outcome(request)
        assert outcome.kind is KIND.REFUSED
        assert "iris-admin" in outcome.reason
        assert world.commits() == []


def test_broken_rules_keep_requests_pending_and_heal_when_mended(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.person_pushes(
            {".updater/rules.yaml": "environments:\n  dev:\n    fils: charts/*/values-dev.yaml\n"}
        )
        request = world.ci_builds("iris:develop-101")
        world.tick()
        record = world.record(request)
        assert record.outcome is None
        assert ".updater/rules.yaml:3:5" in record.reason
        assert any(".updater/rules.yaml:3:5" in problem for problem in world.worker.problems)
        world.person_pushes({".updater/rules.yaml": RULES})
        world.settle_all()
        assert world.outcome(request).kind is KIND.COMMITTED
        assert world.worker.problems == ()


def test_a_protected_branch_fails_the_request_with_the_servers_words(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        protect(world.bare, "main")
        request = world.ci_builds("iris:develop-101")
        world.tick()
        outcome = world.outcome(request)
        assert outcome.kind is KIND.FAILED
        assert "not allowed to push code to protected branches" in outcome.reason
        unprotect(world.bare)
        again = world.ci_builds("iris:develop-101")
        world.tick()
        assert world.outcome(again).kind is KIND.COMMITTED


def test_a_hook_that_says_no_is_quoted(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        decline(world.bare, "commit message needs a ticket")
        request = world.ci_builds("iris:develop-101")
        world.tick()
        assert world.outcome(request).kind is KIND.FAILED
        assert "commit message needs a ticket" in world.outcome(request).reason


def test_a_remote_that_is_away_loses_nothing(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        away = world.bare.rename(world.bare.with_suffix(".away"))
        request = world.ci_builds("iris:develop-101")
        world.tick()
        assert world.record(request).outcome is None
        assert "config" in world.record(request).reason
        away.rename(world.bare)
        world.settle_all()
        assert world.outcome(request).kind is KIND.COMMITTED


def test_a_remote_that_stays_away_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.bare.rename(world.bare.with_suffix(".away"))
        request = world.ci_builds("iris:develop-101")
        world.tick()
        world.now += world.give_up_after
        world.tick()
        outcome = world.outcome(request)
        assert outcome.kind is KIND.FAILED
        assert "24 hours" in outcome.reason


def test_an_empty_config_repo_is_waited_for(tmp_path: Path) -> None:
    bare = make_bare(tmp_path)
    with World(tmp_path, {}, bare=bare) as world:
        request = world.ci_builds("iris:develop-101")
        world.tick()
        assert "no commits yet" in world.record(request).reason
        world.person_pushes({".updater/rules.yaml": RULES, **chart("iris")})
        world.settle_all()
        assert world.outcome(request).kind is KIND.COMMITTED


def test_a_rewritten_branch_is_followed(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.ci_builds("iris:develop-101")
        world.tick()
        rewrite_as_person(world.bare, world.start)
        request = world.ci_builds("iris:develop-102")
        world.settle_all()
        assert world.outcome(request).kind is KIND.COMMITTED
        assert world.commits() == ["iris develop-102 in dev"], "what was rewritten away does not come back"


TWO_BRANCHES = """\
environments:
  dev:
    files: charts/*/values-dev.yaml
    tags: {pattern: '^develop-(?P<build>[0-9]+)$'}
  edge:
    branch: edge
    files: charts/*/values-dev.yaml
    tags: {pattern: '^develop-(?P<build>[0-9]+)$'}
"""


def test_a_missing_branch_holds_up_only_its_own_environment(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": TWO_BRANCHES, **chart("iris")}) as world:
        request = world.ci_builds("iris:develop-101")
        world.tick()
        record = world.record(request)
        assert record.outcome is None
        assert "'edge'" in record.reason
        assert [one.environment for one in record.request.done] == ["dev"]
        assert world.commits() == ["iris develop-101 in dev"]
        git(world.bare, "branch", "edge", world.start)
        world.settle_all()
        outcome = world.outcome(request)
        assert outcome.kind is KIND.COMMITTED
        assert sorted(one.environment for one in outcome.environments) == ["dev", "edge"]
        assert world.commits() == ["iris develop-101 in dev"]


def test_a_forbidden_branch_fails_alone(tmp_path: Path) -> None:
    bare = make_bare(tmp_path, {".updater/rules.yaml": TWO_BRANCHES, **chart("iris")})
    git(bare, "branch", "edge")
    protect(bare, "edge")
    with World(tmp_path, bare=bare) as world:
        request = world.ci_builds("iris:develop-101")
        world.settle_all()
        outcome = world.outcome(request)
        assert outcome.kind is KIND.FAILED
        by_name = {one.environment: one.kind for one in outcome.environments}
        assert by_name == {"dev": KIND.COMMITTED, "edge": KIND.FAILED}


def test_rules_that_change_meanwhile_are_the_rules_that_count(tmp_path: Path) -> None:
    bare = make_bare(tmp_path, {".updater/rules.yaml": TWO_BRANCHES, **chart("iris")})
    git(bare, "branch", "edge")
    with World(tmp_path, bare=bare) as world:
        world.ci_builds("iris:develop-101", environment="edge")
        world.tick()
        request = world.ci_builds("iris:develop-102", environment="edge")
        world.person_pushes({".updater/rules.yaml": RULES}, "edge is no more")
        world.settle_all()
        assert world.outcome(request).kind is KIND.REFUSED
        assert world.commits("edge") == ["iris develop-101 in edge"]


@pytest.mark.parametrize("order", [("master-5", "develop-101"), ("develop-101", "master-5")])
def test_tags_without_an_order_are_written_in_the_order_received(
    tmp_path: Path, order: tuple[str, str]
) -> None:
    files = {
        "charts/iris/Chart.yaml": chart("iris")["charts/iris/Chart.yaml"],
        "charts/iris/values.yaml": chart("iris")["charts/iris/values.yaml"],
    }
    with World(tmp_path, files) as world:
        requests = [world.ci_builds(f"iris:{tag}") for tag in order]
        world.tick()
        assert [world.outcome(one).kind for one in requests] == [KIND.COMMITTED, KIND.COMMITTED]
        assert f"tag: {order[1]} " in world.file("charts/iris/values.yaml")
        notes = world.outcome(requests[1]).environments[0].notes
        assert any("no order is known" in note for note in notes)
