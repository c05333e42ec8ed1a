"""The desk: who may decide on what, and how often a look costs a question to Git and GitLab."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.barerepo import git, tip
from support.lab import Lab, chart, lab, rules
from support.world import World

from updater.errors import NotAllowed
from updater.model import Caller, OutcomeKind

GROUPED = "    merge-request: {group-by: environment}\n"
IRIS = "registry.example.com/iris"


def approver(name: str = "lily", *, images: str = "*", environments: str = "*") -> Caller:
    return Caller(name=name, images=(images,), environments=(environments,), acts=("approve",))


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[World]:
    """A plain remote where master-101 of iris and of rose wait in one proposal."""
    files = {".updater/rules.yaml": rules(more=GROUPED), **chart("iris"), **chart("rose")}
    with World(tmp_path, files) as world:
        for name in ("iris", "rose"):
            world.ci_builds(f"{name}:master-101")
        world.settle_all()
        yield world


@pytest.fixture
def on_gitlab(tmp_path: Path) -> Iterator[Lab]:
    with lab(tmp_path) as world:
        world.ci_builds("iris:master-101")
        world.settle_all()
        world.look_around()
        yield world


@pytest.mark.parametrize(
    ("caller", "said"),
    [
        (approver(images="registry.example.com/lily"), "may not speak for registry.example.com/"),
        (approver(images=IRIS), "may not speak for registry.example.com/rose"),
        (approver(environments="dev"), "may not speak for the environment prod"),
    ],
)
def test_who_may_not_speak_for_all_that_is_in_it_neither_approves_nor_closes(
    plain: World, caller: Caller, said: str
) -> None:
    before = tip(plain.bare)
    with pytest.raises(NotAllowed, match=said):
        plain.worker.desk.approve("prod/_all", caller=caller, head=None)
    with pytest.raises(NotAllowed, match=said):
        plain.worker.desk.close("prod/_all", caller=caller, reason="mine")
    assert tip(plain.bare) == before
    assert [one.name for one in plain.worker.desk.proposals()] == ["prod/_all"]


def test_what_counts_is_what_is_merged_and_not_what_was_looked_at(tmp_path: Path) -> None:
    files = {".updater/rules.yaml": rules(more=GROUPED), **chart("iris"), **chart("rose")}
    with World(tmp_path, files) as world:
        world.ci_builds("iris:master-101")
        world.settle_all()
        (seen,) = world.worker.desk.proposals()
        assert [one.image for one in seen.images] == [f"{IRIS}:master-101"]
        world.ci_builds("rose:master-101")
        world.settle_all()
        with pytest.raises(NotAllowed, match="rose"):
            world.worker.desk.approve("prod/_all", caller=approver(images=IRIS), head=None)


def test_who_may_speak_for_all_that_is_in_it_approves_in_their_own_name(plain: World) -> None:
    told = plain.worker.desk.approve("prod/_all", caller=approver(images="registry.example.com/*"), head=None)
    assert told.kind is OutcomeKind.COMMITTED
    assert "lily" in told.reason
    assert "Updater-Approved-By: lily" in git(plain.bare, "log", "-1", "--format=%B", "main")
    assert plain.worker.desk.proposals() == []


def test_looking_ten_times_within_two_seconds_asks_git_and_gitlab_once(on_gitlab: Lab) -> None:
    on_gitlab.effects.seen.clear()
    asked = len(on_gitlab.gitlab.calls)
    for _ in range(5):
        (found,) = on_gitlab.worker.desk.proposals()
        shown = on_gitlab.worker.desk.proposal("prod/iris")
        assert shown is not None
        assert (shown.head, found.diff) == (found.head, "")
        assert "+  tag: master-101" in shown.diff
    assert on_gitlab.effects.seen.count(("before", "fetch")) == 1
    assert len(on_gitlab.gitlab.calls) == asked + 1


def test_a_look_is_good_for_two_seconds_and_no_longer(on_gitlab: Lab) -> None:
    assert len(on_gitlab.worker.desk.proposals()) == 1
    on_gitlab.gitlab.person_closes(1)
    on_gitlab.now += timedelta(seconds=2)
    assert len(on_gitlab.worker.desk.proposals()) == 1
    on_gitlab.now += timedelta(seconds=0.001)
    assert on_gitlab.worker.desk.proposals() == []


def test_a_clock_that_was_set_back_keeps_no_look_alive(on_gitlab: Lab) -> None:
    assert len(on_gitlab.worker.desk.proposals()) == 1
    on_gitlab.gitlab.person_closes(1)
    on_gitlab.now -= timedelta(hours=1)
    assert on_gitlab.worker.desk.proposals() == []


def test_what_the_updater_itself_pushed_is_seen_at_once(on_gitlab: Lab) -> None:
    (before,) = on_gitlab.worker.desk.proposals()
    on_gitlab.ci_builds("iris:master-102")
    on_gitlab.tick()
    (after,) = on_gitlab.worker.desk.proposals()
    assert before.head != after.head
    assert [one.image for one in after.images] == [f"{IRIS}:master-102"]


def test_closing_looks_afresh_and_is_seen_at_once(on_gitlab: Lab) -> None:
    assert len(on_gitlab.worker.desk.proposals()) == 1
    on_gitlab.effects.seen.clear()
    on_gitlab.worker.desk.close("prod/iris", caller=approver("kim"), reason="no")
    assert ("before", "fetch") in on_gitlab.effects.seen
    assert on_gitlab.worker.desk.proposals() == []
