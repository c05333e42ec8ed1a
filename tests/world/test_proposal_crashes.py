"""Killed at every effect, and a person acting on GitLab at every effect: nothing lost or doubled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.barerepo import commit_as_person, fsck, git, tip
from support.lab import Doom, Lab, lab, rules

from updater.store import Query

MOMENTS = ("before", "after")
EFFECTS = ("claim", "commit", "intend", "push", "ensure", "settle", "progress", "merge")
POINTS = [(moment, effect) for effect in EFFECTS for moment in MOMENTS]

# The effects of an update that a person's act can come between.
ON_THE_WAY = [(moment, effect) for effect in ("commit", "push", "ensure", "settle") for moment in MOMENTS]


def opened(world: Lab) -> list[str]:
    return [one.title for one in world.gitlab.merge_requests if one.state == "opened"]


def lives_on(folder: Path, world: Lab) -> Lab:
    """Start the updater again on what the dead one left."""
    survivor = Lab(folder, world.address, world.bare)
    survivor.gitlab = world.gitlab
    return survivor


@pytest.mark.parametrize("point", POINTS, ids="-".join)
def test_killed_anywhere_it_ends_with_one_merge_and_a_settled_request(
    tmp_path: Path, point: tuple[str, str]
) -> None:
    with lab(tmp_path, rules("auto-merge")) as world:
        folder = tmp_path / "doomed"
        doom = Doom(folder, world.bare, world.address, (*point, 1), ("iris:master-101",))
        assert doom.meets_its_end()
        with lives_on(folder, world) as survivor:
            survivor.settle_all()
            survivor.look_around(6)
            (record,) = survivor.store.find(Query())
            assert record.outcome is not None
            assert record.outcome.kind.value in ("committed", "unchanged")
        assert world.prod() == "master-101"
        assert [one.state for one in world.gitlab.merge_requests] == ["merged"]
        assert git(world.bare, "rev-list", "--count", "--merges", "main") == "1"
        fsck(world.bare)


@pytest.mark.parametrize("effect", ["claim", "push", "ensure", "settle"])
def test_killed_while_a_proposal_is_updated_it_ends_with_the_newest_in_the_same_one(
    tmp_path: Path, effect: str
) -> None:
    with lab(tmp_path) as world:
        world.ci_builds("iris:master-101")
        world.settle_all()
        folder = tmp_path / "doomed"
        doom = Doom(folder, world.bare, world.address, ("after", effect, 1), ("iris:master-102",))
        assert doom.meets_its_end()
        with lives_on(folder, world) as survivor:
            survivor.settle_all()
            survivor.look_around(2)
        assert opened(world) == ["iris master-102 in prod"]
        assert len(world.gitlab.merge_requests) == 1
        assert world.prod(branch="updater/prod/iris") == "master-102"


def closes(world: Lab) -> None:
    for one in world.gitlab.merge_requests:
        if one.state == "opened":
            world.gitlab.person_closes(one.iid)


def merges(world: Lab) -> None:
    for one in world.gitlab.merge_requests:
        if one.state == "opened":
            world.gitlab.person_merges_anyway(one.iid)


def commits_on_the_branch(world: Lab) -> None:
    if git(world.bare, "for-each-ref", "refs/heads/updater/prod/iris"):
        files = {"charts/iris/NOTES.md": "mine\n"}
        commit_as_person(world.bare, files, "A person's commit", "updater/prod/iris")


def commits_on_the_target(world: Lab) -> None:
    files = {"charts/iris/values-prod.yaml": "replicas: 2\nimage:\n  tag: master-100\n"}
    commit_as_person(world.bare, files, "A person's commit")


ACTS: dict[str, Callable[[Lab], None]] = {
    "closes": closes,
    "merges": merges,
    "commits-on-the-branch": commits_on_the_branch,
    "commits-on-the-target": commits_on_the_target,
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("point", ON_THE_WAY, ids="-".join)
def test_a_person_acting_at_any_point_is_neither_overwritten_nor_doubled(
    tmp_path: Path, point: tuple[str, str], act: str
) -> None:
    with lab(tmp_path) as world:
        world.ci_builds("iris:master-101")
        world.settle_all()
        acted: list[str] = []

        def hook(moment: str, effect: str) -> None:
            if (moment, effect) == point and not acted:
                acted.append(effect)
                ACTS[act](world)

        request = world.ci_builds("iris:master-102")
        world.effects.hook = hook
        for _ in range(6):
            world.tick()
            world.look_around()
        assert acted
        record = world.record(request)
        assert record.outcome is not None, record.reason
        assert len(opened(world)) <= 1
        _assert_nothing_lost(world, act)


def _assert_nothing_lost(world: Lab, act: str) -> None:
    """Whatever a person committed is still there: on a branch, or under a merge request that ended."""
    messages = git(world.bare, "log", "--all", "--format=%s")
    if act == "commits-on-the-target" and "A person's commit" in messages:
        assert "replicas: 2" in world.file("charts/iris/values-prod.yaml")
    if act == "commits-on-the-branch" and "A person's commit" in messages:
        names = git(world.bare, "for-each-ref", "--format=%(refname)", "refs/heads").split()
        held = [git(world.bare, "log", "--format=%s", name) for name in names]
        assert any("A person's commit" in one for one in held)
    assert tip(world.bare)
    fsck(world.bare)


@pytest.mark.parametrize("point", [("before", "close"), ("after", "close"), ("before", "push")], ids="-".join)
def test_killed_while_it_closes_what_landed_otherwise_it_is_closed_in_the_end(
    tmp_path: Path, point: tuple[str, str]
) -> None:
    with lab(tmp_path) as world:
        world.ci_builds("iris:master-101")
        world.settle_all()
        world.person_pushes({"charts/iris/values-prod.yaml": "image:\n  tag: master-101\n"})
        doom = Doom(tmp_path / "doomed", world.bare, world.address, (*point, 1), ())
        assert doom.meets_its_end()
        with lives_on(tmp_path / "doomed", world) as survivor:
            survivor.look_around(2)
            assert [one.state for one in world.gitlab.merge_requests] == ["closed"]
            survivor.ci_builds("iris:master-102")
            survivor.settle_all()
        assert opened(world) == ["iris master-102 in prod"]


@pytest.mark.parametrize("act", ["closes", "commits-on-the-branch", "commits-on-the-target"])
def test_a_person_acting_just_before_the_updater_merges_is_heard(tmp_path: Path, act: str) -> None:
    with lab(tmp_path, rules("auto-merge")) as world:
        request = world.ci_builds("iris:master-101")
        world.settle_all()
        acted: list[str] = []

        def hook(moment: str, effect: str) -> None:
            if (moment, effect) == ("before", "merge") and not acted:
                acted.append(effect)
                ACTS[act](world)

        world.effects.hook = hook
        world.look_around(6)
        assert acted
        outcome = world.outcome(request).kind.value
        if act == "closes":
            assert (outcome, world.prod()) == ("refused", "master-100")
        if act == "commits-on-the-branch":
            # GitLab may not have taken the push in yet: then it merges the head that was asked for.
            assert "NOTES.md" not in git(world.bare, "ls-tree", "-r", "--name-only", "main")
        if act == "commits-on-the-target":
            assert (outcome, world.prod()) == ("committed", "master-101")
            assert "replicas: 2" in world.file("charts/iris/values-prod.yaml")
        _assert_nothing_lost(world, act)
