"""What the updater does about open merge requests by itself, where people or GitLab act at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.barerepo import git, tip
from support.lab import Lab, chart, lab, rules

BRANCH = "updater/prod/iris"
VALUES = "charts/iris/values-prod.yaml"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Lab]:
    with lab(tmp_path) as world:
        yield world


def kind(world: Lab, request_id: str) -> str:
    return world.outcome(request_id).kind.value


def build(world: Lab, image: str = "iris:master-101") -> str:
    request = world.ci_builds(image)
    world.settle_all()
    return request


def once_before(world: Lab, effect: str, act: Callable[[], object], *, after: int = 0) -> None:
    """Let somebody act right before the updater does something, after it did so some times."""
    left = [after]

    def hook(moment: str, done: str) -> None:
        if (moment, done) == ("before", effect):
            left[0] -= 1
            if left[0] == -1:
                act()

    world.effects.hook = hook


def test_closed_right_before_it_would_be_updated_the_newer_build_gets_one_of_its_own(world: Lab) -> None:
    build(world)
    world.look_around()
    newer = world.ci_builds("iris:master-102")
    once_before(world, "push", lambda: world.gitlab.person_closes(1))
    world.settle_all()
    world.look_around(3)
    assert kind(world, newer) == "proposed", world.outcome(newer).reason
    assert [(one.iid, one.title) for one in world.gitlab.merge_requests if one.state == "opened"] == [
        (2, "iris master-102 in prod")
    ]


def test_a_persons_own_merge_request_of_the_branch_is_left_alone(world: Lab) -> None:
    build(world)
    world.look_around()
    git(world.bare, "branch", "backport", "main")
    world.gitlab.person_opens(BRANCH, "backport", "My backport")
    build(world, "iris:master-102")
    world.look_around(2)
    mine, theirs = world.gitlab.merge_requests
    assert (mine.target, mine.title) == ("main", "iris master-102 in prod")
    assert (theirs.target, theirs.title, theirs.state) == ("backport", "My backport", "opened")


def test_a_closing_by_the_owner_of_the_token_is_a_persons_no(world: Lab) -> None:
    request = build(world)
    world.gitlab.person_closes(1, by="updater-bot")
    world.look_around(2)
    assert kind(world, request) == "refused"
    assert kind(world, build(world)) == "refused"


def test_what_a_person_pushed_meanwhile_is_neither_closed_nor_deleted(world: Lab) -> None:
    build(world)
    world.look_around()
    landed = "image:\n  tag: master-101\n"
    world.person_pushes({VALUES: landed})
    mine: list[str] = []
    # Once for the look, and once more before anything is closed.
    once_before(
        world,
        "fetch",
        lambda: mine.append(world.person_pushes({VALUES: landed + "replicas: 5\n"}, branch=BRANCH)),
        after=1,
    )
    world.look_around(3)
    assert mine == [tip(world.bare, BRANCH)]
    assert world.gitlab.mr(1).state == "opened"


def test_a_branch_that_gitlab_refuses_for_good_is_asked_for_again_when_it_moves_or_an_hour_later(
    world: Lab,
) -> None:
    def dies() -> None:
        raise KeyboardInterrupt

    request = world.ci_builds("iris:master-101")
    once_before(world, "ensure", dies)
    with pytest.raises(KeyboardInterrupt):
        world.tick()
    world.effects.hook = None
    world.close()
    world.open()
    world.gitlab.merge_requests_enabled = False
    world.look_around(5)
    assert len(world.gitlab.calls_to("POST merge_requests")) == 1
    world.now += timedelta(hours=1)
    world.look_around(2)
    assert len(world.gitlab.calls_to("POST merge_requests")) == 2
    world.person_pushes({VALUES: "image:\n  tag: master-100\nreplicas: 3\n"})
    world.look_around(2)
    assert len(world.gitlab.calls_to("POST merge_requests")) == 3, "its branch was written anew"
    world.gitlab.merge_requests_enabled = True
    world.now += timedelta(hours=1)
    world.look_around()
    world.settle_all()
    assert kind(world, request) == "proposed"


def test_many_that_wait_to_be_merged_cost_a_few_calls_each(tmp_path: Path) -> None:
    names = [f"app{number}" for number in range(12)]
    files = {path: text for name in names for path, text in chart(name).items()}
    with lab(tmp_path, rules("auto-merge"), files=files) as world:
        requests = [world.ci_builds(f"{name}:master-101") for name in names]
        world.settle_all()
        before = len(world.gitlab.calls)
        for _ in range(12):
            world.look_around()
        assert {world.outcome(one).kind.value for one in requests} == {"committed"}
        assert len(world.gitlab.calls) - before <= 12 * len(names)


def test_a_closing_that_gitlab_refuses_is_tried_once_a_look_and_not_in_a_hurry(tmp_path: Path) -> None:
    with lab(tmp_path) as world:
        world.ci_builds("iris:master-101")
        world.settle_all()
        world.person_pushes({"charts/iris/values-prod.yaml": "image:\n  tag: master-101\n"})
        world.gitlab.faults.next("PUT merge_requests/1", status=403, times=100)
        world.look_around()
        assert len(world.gitlab.calls_to("PUT merge_requests/1")) == 1
        asked = len(world.gitlab.calls)
        world.now += timedelta(seconds=5)
        world.worker.look_around()
        assert len(world.gitlab.calls) == asked, "it waits for the next poll"
