"""Merge requests by the sentences of product section "The rest of the road", on a plain Git remote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.barerepo import git, tip
from support.lab import chart, rules
from support.world import World, values

from updater.model import Caller, OutcomeKind

KIM = Caller(name="kim", acts=("approve",))
RULES = rules()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, {".updater/rules.yaml": RULES, **chart("iris"), **chart("rose")}) as world:
        yield world


def kind(world: World, request_id: str) -> OutcomeKind:
    return world.outcome(request_id).kind


def prod(world: World, name: str = "iris", branch: str = "main") -> str:
    return world.file(f"charts/{name}/values-prod.yaml", branch)


def branches(world: World) -> list[str]:
    return git(world.bare, "for-each-ref", "--format=%(refname:short)", "refs/heads/updater").split()


def test_a_build_for_prod_is_proposed_on_a_branch_and_lands_when_it_is_approved(world: World) -> None:
    request = world.ci_builds("iris:master-101")
    world.settle_all()
    assert kind(world, request) is OutcomeKind.PROPOSED
    assert branches(world) == ["updater/prod/iris"]
    assert "master-101" in prod(world, branch="updater/prod/iris")
    assert "master-100" in prod(world)
    world.worker.desk.approve("prod/iris", caller=KIM, head=None)
    assert prod(world) == "image:\n  tag: master-101\n"
    assert branches(world) == []
    assert kind(world, request) is OutcomeKind.COMMITTED
    merge = git(world.bare, "log", "-1", "--format=%P%n%B", "main")
    assert len(merge.splitlines()[0].split()) == 2
    assert "Updater-Approved-By: kim" in merge


def test_a_newer_build_takes_the_place_of_the_older_one_in_the_same_proposal(world: World) -> None:
    first = world.ci_builds("iris:master-101")
    world.settle_all()
    second = world.ci_builds("iris:master-102")
    world.settle_all()
    assert branches(world) == ["updater/prod/iris"]
    log = git(world.bare, "log", "--format=%B", "main..updater/prod/iris")
    assert log.count("Updater-Image:") == 1
    assert "Updater-Replaced: master-101" in log
    world.look_around()
    assert kind(world, first) is OutcomeKind.SUPERSEDED
    assert world.outcome(first).environments[0].superseded_by == "master-102"
    assert kind(world, second) is OutcomeKind.PROPOSED


def test_an_older_build_is_superseded_by_the_one_that_is_proposed(world: World) -> None:
    world.ci_builds("iris:master-102")
    world.settle_all()
    late = world.ci_builds("iris:master-101")
    world.settle_all()
    assert kind(world, late) is OutcomeKind.SUPERSEDED
    assert "master-102" in world.outcome(late).reason
    assert "master-102" in prod(world, branch="updater/prod/iris")


def test_the_same_build_again_is_told_where_it_is_proposed(world: World) -> None:
    world.ci_builds("iris:master-101")
    world.settle_all()
    head = tip(world.bare, "updater/prod/iris")
    again = world.ci_builds("iris:master-101")
    world.settle_all()
    assert kind(world, again) is OutcomeKind.PROPOSED
    assert world.outcome(again).environments[0].code == "already-proposed"
    assert tip(world.bare, "updater/prod/iris") == head


def test_each_chart_has_a_proposal_of_its_own(world: World) -> None:
    world.ci_builds("iris:master-101")
    world.ci_builds("rose:master-101")
    world.settle_all()
    assert branches(world) == ["updater/prod/iris", "updater/prod/rose"]
    assert "master-100" in prod(world, "rose", "updater/prod/iris")


def test_with_group_by_environment_all_charts_share_one_proposal(world: World) -> None:
    text = rules(more="    merge-request: {group-by: environment}\n")
    world.person_pushes({".updater/rules.yaml": text})
    world.ci_builds("iris:master-101")
    world.settle_all()
    world.ci_builds("rose:master-101")
    world.settle_all()
    assert branches(world) == ["updater/prod/_all"]
    assert git(world.bare, "log", "--format=%s", "main..updater/prod/_all").count("\n") == 1
    (listed,) = world.worker.desk.proposals()
    assert listed.title == "iris master-101 and rose master-101 in prod"
    world.worker.desk.approve("prod/_all", caller=KIM, head=None)
    assert "master-101" in prod(world, "rose")
    assert "master-101" in prod(world, "iris")


def test_an_edit_that_a_person_made_on_the_target_closes_the_proposal(world: World) -> None:
    request = world.ci_builds("iris:master-101")
    world.settle_all()
    world.person_pushes({"charts/iris/values-prod.yaml": "image:\n  tag: master-101\n"})
    world.look_around()
    assert branches(world) == []
    assert kind(world, request) in (OutcomeKind.UNCHANGED, OutcomeKind.COMMITTED)


def test_a_newer_build_that_a_person_wrote_on_the_target_closes_the_proposal(world: World) -> None:
    request = world.ci_builds("iris:master-101")
    world.settle_all()
    world.person_pushes({"charts/iris/values-prod.yaml": "image:\n  tag: master-105\n"})
    world.look_around()
    assert branches(world) == []
    assert kind(world, request) in (OutcomeKind.SUPERSEDED, OutcomeKind.UNCHANGED)


def test_a_proposal_is_planned_again_where_its_file_changed_on_the_target(world: World) -> None:
    world.ci_builds("iris:master-101")
    world.settle_all()
    world.person_pushes({"charts/iris/values-prod.yaml": "replicas: 3\nimage:\n  tag: master-100\n"})
    world.look_around()
    assert prod(world, branch="updater/prod/iris") == "replicas: 3\nimage:\n  tag: master-101\n"
    world.worker.desk.approve("prod/iris", caller=KIM, head=None)
    assert prod(world) == "replicas: 3\nimage:\n  tag: master-101\n"


def test_a_proposal_is_left_alone_where_something_else_changed_on_the_target(world: World) -> None:
    world.ci_builds("iris:master-101")
    world.settle_all()
    head = tip(world.bare, "updater/prod/iris")
    world.person_pushes({"README.md": "hello\n"})
    world.look_around()
    assert tip(world.bare, "updater/prod/iris") == head
    world.worker.desk.approve("prod/iris", caller=KIM, head=head)
    assert world.file("README.md") == "hello\n"
    assert "master-101" in prod(world)


def test_a_persons_commit_on_the_branch_makes_the_updater_leave_it_alone(world: World) -> None:
    world.ci_builds("iris:master-101")
    world.settle_all()
    files = {"charts/iris/values-prod.yaml": "image:\n  tag: master-101\nreplicas: 5\n"}
    mine = world.person_pushes(files, branch="updater/prod/iris")
    newer = world.ci_builds("iris:master-102")
    world.tick()
    outcome = world.outcome(newer)
    assert outcome.kind is OutcomeKind.HELD
    assert "A Person" in outcome.reason
    assert tip(world.bare, "updater/prod/iris") == mine
    git(world.bare, "update-ref", "-d", "refs/heads/updater/prod/iris")
    world.worker.hint()
    world.look_around()
    world.tick()
    assert kind(world, newer) is OutcomeKind.PROPOSED
    assert "master-102" in prod(world, branch="updater/prod/iris")


def test_a_proposal_closed_by_a_person_is_a_no_to_the_same_and_older_builds(world: World) -> None:
    first = world.ci_builds("iris:master-101")
    world.settle_all()
    world.worker.desk.close("prod/iris", caller=KIM, reason="not this week")
    assert branches(world) == []
    assert kind(world, first) is OutcomeKind.REFUSED
    assert "kim" in world.outcome(first).reason
    same, older = world.ci_builds("iris:master-101"), world.ci_builds("iris:master-99")
    world.person_pushes({"charts/iris/values-prod.yaml": "image:\n  tag: master-98\n"})
    world.settle_all()
    assert kind(world, same) is OutcomeKind.REFUSED
    assert kind(world, older) is OutcomeKind.REFUSED
    assert "kim closed" in world.outcome(older).reason
    newer = world.ci_builds("iris:master-102")
    world.settle_all()
    assert kind(world, newer) is OutcomeKind.PROPOSED


def test_a_branch_merged_by_hand_is_told_as_merged(world: World, tmp_path: Path) -> None:
    request = world.ci_builds("iris:master-101")
    world.settle_all()
    git(world.bare, "update-ref", "refs/heads/main", tip(world.bare, "updater/prod/iris"))
    world.look_around()
    assert kind(world, request) is OutcomeKind.COMMITTED


def test_what_was_approved_is_what_was_looked_at(world: World) -> None:
    world.ci_builds("iris:master-101")
    world.settle_all()
    shown = world.worker.desk.proposal("prod/iris")
    assert shown is not None
    assert "+  tag: master-101" in shown.diff
    world.ci_builds("iris:master-102")
    world.settle_all()
    with pytest.raises(Exception, match="look at it again"):
        world.worker.desk.approve("prod/iris", caller=KIM, head=shown.head)
    assert "master-100" in prod(world)


def test_dev_goes_on_by_commit_beside_prod_by_proposal(world: World) -> None:
    dev, pro = world.ci_builds("iris:develop-101"), world.ci_builds("iris:master-101")
    world.settle_all()
    assert kind(world, dev) is OutcomeKind.COMMITTED
    assert kind(world, pro) is OutcomeKind.PROPOSED
    assert "develop-101" in world.file("charts/iris/values-dev.yaml")


# Promotion


def test_a_promotion_proposes_what_stands_in_dev(world: World) -> None:
    request = world.person_promotes("dev", "prod", "iris")
    world.settle_all()
    outcome = world.outcome(request)
    assert outcome.kind is OutcomeKind.PROPOSED
    assert prod(world, branch="updater/prod/iris") == "image:\n  tag: develop-100\n"
    assert branches(world) == ["updater/prod/iris"]
    world.worker.desk.approve("prod/iris", caller=KIM, head=None)
    assert kind(world, request) is OutcomeKind.COMMITTED
    later = world.ci_builds("iris:master-200")
    world.settle_all()
    assert kind(world, later) is OutcomeKind.REFUSED
    assert "promoted from dev" in world.outcome(later).reason


def test_a_promotion_of_all_charts_tells_of_each(world: World) -> None:
    world.person_pushes({"charts/rose/values-prod.yaml": "image:\n  tag: develop-100\n"})
    world.person_pushes({"charts/lily/Chart.yaml": "name: lily\n", "charts/lily/values.yaml": values("lily")})
    world.person_pushes({"charts/lily/values-dev.yaml": "image:\n  tag: develop-7\n"})
    request = world.person_promotes("dev", "prod")
    world.settle_all()
    told = {one.chart: (one.kind.value, one.code) for one in world.outcome(request).environments}
    assert told == {
        "iris": ("proposed", "proposed"),
        "rose": ("unchanged", "unchanged"),
        "lily": ("unchanged", "not-in-target"),
    }


def test_an_older_build_is_promoted_only_when_it_is_meant(world: World) -> None:
    world.person_pushes({"charts/iris/values-prod.yaml": "image:\n  tag: develop-105\n"})
    request = world.person_promotes("dev", "prod", "iris")
    world.settle_all()
    assert kind(world, request) is OutcomeKind.SUPERSEDED
    meant = world.person_promotes("dev", "prod", "iris", allow_older=True)
    world.settle_all()
    assert kind(world, meant) is OutcomeKind.PROPOSED
    world.person_pushes({"charts/iris/values-prod.yaml": "a: 1\nimage:\n  tag: develop-105\n"})
    world.look_around()
    assert prod(world, branch="updater/prod/iris") == "a: 1\nimage:\n  tag: develop-100\n"


def test_a_promotion_from_where_none_comes_is_refused(world: World) -> None:
    request = world.person_promotes("prod", "dev", "iris")
    world.settle_all()
    assert kind(world, request) is OutcomeKind.REFUSED
    assert "promote-from" in world.outcome(request).reason


def test_a_build_waits_for_a_promotion_that_nobody_approved_yet(world: World) -> None:
    world.person_promotes("dev", "prod", "iris")
    world.settle_all()
    build = world.ci_builds("iris:master-200")
    world.tick()
    outcome = world.outcome(build)
    assert outcome.kind is OutcomeKind.HELD
    assert "promotion of develop-100" in outcome.reason
    world.worker.desk.close("prod/iris", caller=Caller(name="kim"), reason="wrong one")
    world.look_around()
    world.tick()
    assert kind(world, build) is OutcomeKind.PROPOSED
    assert "master-200" in prod(world, branch="updater/prod/iris")


def test_a_promotion_over_an_open_proposal_says_what_gives_way(world: World) -> None:
    first = world.ci_builds("iris:master-101")
    world.settle_all()
    promotion = world.person_promotes("dev", "prod", "iris")
    world.settle_all()
    notes = world.outcome(promotion).environments[0].notes
    assert any("takes the place of master-101" in note for note in notes)
    world.look_around()
    assert kind(world, first) is OutcomeKind.SUPERSEDED
    world.worker.desk.close("prod/iris", caller=Caller(name="kim"), reason="wrong one")
    world.look_around()
    assert world.outcome(first).environments[0].superseded_by == "develop-100"


def test_a_branch_that_a_person_deleted_stands_in_nobodys_way(world: World) -> None:
    world.ci_builds("iris:master-105")
    world.settle_all()
    git(world.bare, "update-ref", "-d", "refs/heads/updater/prod/iris")
    older = world.ci_builds("iris:master-103")
    world.tick()
    assert kind(world, older) is OutcomeKind.PROPOSED


def test_whoever_approves_a_promotion_sees_where_from_and_why(world: World) -> None:
    world.person_promotes("dev", "prod", "iris", reason="tested on Tuesday")
    world.settle_all()
    (listed,) = world.worker.desk.proposals()
    (image,) = listed.images
    assert (image.promoted_from, image.reason, image.requested_by) == ("dev", "tested on Tuesday", "kim")
    assert image.previous == ("master-100",)
