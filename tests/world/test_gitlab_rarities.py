"""Rare situations around merge requests on GitLab: each was found by looking for what could go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.barerepo import git
from support.lab import Lab, chart, lab, rules

from updater.model import Source


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Lab]:
    with lab(tmp_path) as world:
        yield world


def kind(world: Lab, request_id: str) -> str:
    return world.outcome(request_id).kind.value


def test_a_promotion_that_waits_takes_along_what_stood_there_when_it_was_asked_for(world: Lab) -> None:
    world.ci_builds("rose:master-101")
    world.settle_all()
    world.person_pushes({"charts/rose/NOTES.md": "mine\n"}, branch="updater/prod/rose")
    promotion = world.person_promotes("dev", "prod")
    world.tick()
    assert kind(world, promotion) == "held"
    world.ci_builds("iris:develop-101")
    world.ci_builds("rose:develop-101")
    for _ in range(3):
        world.look_around()
        world.tick()
    assert world.prod("iris", "updater/prod/iris") == "develop-100"
    git(world.bare, "update-ref", "-d", "refs/heads/updater/prod/rose")
    world.gitlab.notice()
    world.worker.hint()
    for _ in range(3):
        world.look_around()
        world.tick()
    assert world.prod("rose", "updater/prod/rose") == "develop-100"
    assert world.prod("iris", "updater/prod/iris") == "develop-100"


def test_grouped_charts_keep_their_own_tags_of_one_image(tmp_path: Path) -> None:
    more = "    merge-request: {group-by: environment}\n"
    shared = "image:\n  repository: registry.example.com/shared\n  tag: none\n"
    files = {**chart("iris", dev="develop-5"), **chart("rose", dev="develop-7")}
    files |= {"charts/iris/values.yaml": shared, "charts/rose/values.yaml": shared}
    with lab(tmp_path, rules(more=more), files=files) as world:
        world.person_promotes("dev", "prod")
        world.settle_all()
        branch = "updater/prod/_all"
        assert (world.prod("iris", branch), world.prod("rose", branch)) == ("develop-5", "develop-7")
        world.person_pushes({"charts/iris/values-dev.yaml": "image:\n  tag: develop-6\n"})
        world.person_promotes("dev", "prod", "iris")
        world.settle_all()
        assert (world.prod("iris", branch), world.prod("rose", branch)) == ("develop-6", "develop-7")


def test_one_image_that_cannot_be_written_any_more_does_not_stop_another(tmp_path: Path) -> None:
    two = (
        "image:\n  repository: registry.example.com/iris\n  tag: master-100\n"
        "sidecar:\n  image:\n    repository: registry.example.com/rose\n    tag: master-100\n"
    )
    files = {"charts/iris/Chart.yaml": "name: iris\n", "charts/iris/values-prod.yaml": two}
    files |= {"charts/iris/values-dev.yaml": "a: 1\n", "charts/iris/values.yaml": "a: 1\n"}
    with lab(tmp_path, files=files) as world:
        world.ci_builds("iris:master-101")
        world.settle_all()
        broken = two + "other:\n  image:\n    repository: registry.example.com/iris\n    tag: master-99\n"
        world.person_pushes({"charts/iris/values-prod.yaml": broken})
        request = world.ci_builds("rose:master-101")
        world.settle_all()
        assert kind(world, request) == "proposed"


def test_a_second_chart_of_the_same_name_does_not_end_the_first_ones_proposal(world: Lab) -> None:
    request = world.ci_builds("iris:master-101")
    world.settle_all()
    world.person_pushes({"team/iris/Chart.yaml": "name: iris\n", "team/iris/values.yaml": "a: 1\n"})
    world.look_around(2)
    assert kind(world, request) == "proposed"
    assert world.gitlab.mr(1).state == "opened"


def test_what_is_held_in_one_chart_is_not_lost_by_a_no_in_another(tmp_path: Path) -> None:
    shared = "image:\n  repository: registry.example.com/shared\n  tag: none\n"
    files = {**chart("iris"), **chart("rose")}
    files |= {"charts/iris/values.yaml": shared, "charts/rose/values.yaml": shared}
    with lab(tmp_path, files=files) as world:
        world.ci_builds("shared:master-101")
        world.settle_all()
        numbers = {one.source: one.iid for one in world.gitlab.merge_requests}
        world.gitlab.person_closes(numbers["updater/prod/iris"])
        world.person_pushes({"charts/rose/NOTES.md": "mine\n"}, branch="updater/prod/rose")
        again = world.ci_builds("shared:master-101", digest=None)
        world.tick()
        assert kind(world, again) == "held"
        assert any("closed" in note for note in world.outcome(again).environments[0].notes)


def test_an_older_build_does_not_wait_beside_a_newer_one_that_is_held(world: Lab) -> None:
    world.ci_builds("iris:master-101")
    world.settle_all()
    world.person_pushes({"charts/iris/NOTES.md": "mine\n"}, branch="updater/prod/iris")
    newer, older = world.ci_builds("iris:master-103"), world.ci_builds("iris:master-102")
    world.tick()
    assert (kind(world, newer), kind(world, older)) == ("held", "superseded")


def test_a_no_counts_for_what_was_shown_also_while_gitlab_lags(world: Lab) -> None:
    world.ci_builds("iris:master-101")
    world.settle_all()
    world.gitlab.lag = 1000
    world.ci_builds("iris:master-102")
    world.settle_all()
    world.gitlab.person_closes(1)
    again = world.ci_builds("iris:master-102")
    world.settle_all()
    assert kind(world, again) == "refused"
    assert len(world.gitlab.merge_requests) == 1


def test_held_requests_record_no_deployment_twice(tmp_path: Path) -> None:
    text = rules(more="    deployments: true\n").replace("  prod:", "    deployments: true\n  prod:")
    text = text.replace("'^master-", "'^develop-")
    with lab(tmp_path, text, files={**chart("iris", prod="develop-100")}) as world:
        world.gitlab.add_project("shop/iris")
        source = Source(project="shop/iris", commit="5d41402abc4b2a76b9719d911017c592e2b5f0a1", ref="develop")
        world.ci_builds("iris:develop-101", source=source)
        world.settle_all()
        world.person_pushes({"charts/iris/NOTES.md": "mine\n"}, branch="updater/prod/iris")
        held = world.ci_builds("iris:develop-102", source=source)
        world.tick()
        assert kind(world, held) == "held"
        recorded = len([call for call in world.gitlab.calls if "deployments" in call.path])
        for _ in range(4):
            world.look_around()
            world.tick()
        assert len([call for call in world.gitlab.calls if "deployments" in call.path]) == recorded
