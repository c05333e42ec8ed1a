"""Delivery `auto-merge`: merged when GitLab says so, pinned to the head that was pushed, never before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.barerepo import git, tip
from support.lab import Lab, lab, rules

VALUES = "charts/iris/values-prod.yaml"
DIGEST = "sha256:" + "e" * 64


@pytest.fixture(params=["18", "19.2"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    with lab(tmp_path, rules("auto-merge"), generation=request.param) as world:
        yield world


@pytest.fixture
def paid(tmp_path: Path) -> Iterator[Lab]:
    with lab(tmp_path, rules("auto-merge"), edition="ee") as world:
        yield world


def kind(world: Lab, request_id: str) -> str:
    return world.outcome(request_id).kind.value


def build(world: Lab, image: str = "iris:master-101") -> str:
    request = world.ci_builds(image)
    world.settle_all()
    return request


def merges(world: Lab) -> list[int]:
    return [call.status for call in world.gitlab.calls if call.short.endswith("/merge")]


def test_it_is_merged_by_itself_once_gitlab_has_checked_it(world: Lab) -> None:
    world.gitlab.preparing = 2
    request = build(world)
    assert kind(world, request) == "proposed"
    world.look_around()
    assert "preparing" in world.outcome(request).reason
    world.look_around(5)
    assert kind(world, request) == "committed"
    assert world.prod() == "master-101"
    assert merges(world) == [200], "it was asked once, when it could be"
    message = git(world.bare, "log", "-1", "--format=%B", "main")
    assert "Updater-Image: registry.example.com/iris:master-101" in message
    assert f"Updater-Request: {request}" in message
    assert git(world.bare, "for-each-ref", "refs/heads/updater") == ""


def test_every_merge_names_the_head_it_means_also_where_gitlab_wants_it(tmp_path: Path) -> None:
    with lab(tmp_path, rules("auto-merge")) as world:
        world.gitlab.require_sha()
        request = build(world)
        head = tip(world.bare, "updater/prod/iris")
        world.look_around(4)
        assert kind(world, request) == "committed"
        (call,) = [call for call in world.gitlab.calls if call.short.endswith("/merge")]
        assert json.loads(call.body)["sha"] == head


def test_its_own_running_pipeline_is_awaited_by_gitlab_itself(world: Lab) -> None:
    world.gitlab.require_pipeline()
    world.gitlab.runs_pipelines = "running"
    request = build(world)
    world.look_around(4)
    assert kind(world, request) == "proposed"
    assert "pipeline is running" in world.outcome(request).reason
    assert world.gitlab.mr(1).armed_by is not None
    asked = len(merges(world))
    world.look_around(2)
    assert len(merges(world)) == asked, "what is armed is not asked for again"
    world.gitlab.pipeline("updater/prod/iris", "success")
    world.look_around(2)
    assert kind(world, request) == "committed"


def test_a_new_head_is_armed_anew(world: Lab) -> None:
    world.gitlab.require_pipeline()
    world.gitlab.runs_pipelines = "running"
    build(world)
    world.look_around(4)
    newer = build(world, "iris:master-102")
    world.look_around(4)
    assert world.gitlab.mr(1).armed_by is not None
    world.gitlab.pipeline("updater/prod/iris", "success")
    world.look_around(2)
    assert kind(world, newer) == "committed"
    assert world.prod() == "master-102"


def test_a_pipeline_of_another_commit_merges_nothing(world: Lab) -> None:
    world.gitlab.runs_pipelines = "success"
    build(world)
    world.gitlab.runs_pipelines = ""
    newer = build(world, "iris:master-102")
    for _ in range(4):
        world.look_around()
        assert world.prod() == "master-100"
    assert merges(world) == []
    assert "pipeline" in world.outcome(newer).reason
    world.gitlab.pipeline("updater/prod/iris", "success")
    world.look_around(2)
    assert kind(world, newer) == "committed"


def test_a_failed_pipeline_waits_for_a_person_and_says_so_once(world: Lab) -> None:
    world.gitlab.runs_pipelines = "failed"
    request = build(world)
    world.look_around(5)
    assert kind(world, request) == "proposed"
    assert "did not succeed" in world.outcome(request).reason
    notes = [note.body for note in world.gitlab.notes(1)]
    assert len(notes) == 1
    assert "did not succeed" in notes[0]
    assert merges(world) == []


def test_an_approval_that_is_wanted_is_waited_for_and_the_note_is_edited_not_repeated(paid: Lab) -> None:
    paid.gitlab.require_approvals(1)
    request = build(paid)
    paid.look_around(4)
    assert "approval" in paid.outcome(request).reason
    assert len(paid.gitlab.notes(1)) == 1
    paid.gitlab.discussion(1)
    paid.gitlab.person_approves(1)
    paid.look_around(3)
    assert "discussion" in paid.outcome(request).reason
    (note,) = paid.gitlab.notes(1)
    assert "discussion" in note.body
    paid.gitlab.discussion(1, resolved=True)
    paid.look_around(3)
    assert kind(paid, request) == "committed"


def test_in_the_free_edition_an_approval_changes_nothing(world: Lab) -> None:
    request = build(world)
    world.gitlab.person_approves(1)
    world.look_around(4)
    assert kind(world, request) == "committed"


def test_a_right_that_is_missing_is_said_and_found_again_when_given(world: Lab) -> None:
    world.gitlab.protect("main", merge="maintainer", push="developer")
    request = build(world)
    world.look_around(4)
    assert kind(world, request) == "proposed"
    assert "may not merge" in world.outcome(request).reason
    world.gitlab.set_role("updater-bot", "maintainer")
    world.look_around(3)
    assert kind(world, request) == "committed"


def test_one_that_a_person_merged_first_counts_as_merged(world: Lab) -> None:
    request = build(world)
    world.gitlab.person_merges_anyway(1)
    world.look_around(2)
    assert kind(world, request) == "committed"


def test_a_conflict_is_planned_again_and_merged_then(world: Lab) -> None:
    request = build(world)
    world.person_pushes({"charts/iris/values-prod.yaml": "image:\n  tag: master-99\n"})
    world.look_around(6)
    assert kind(world, request) == "committed"
    assert world.prod() == "master-101"


def test_a_project_that_merges_by_fast_forward_is_planned_again_where_its_target_moved(world: Lab) -> None:
    world.gitlab.merge_method = "ff"
    request = build(world)
    world.person_pushes({"README.md": "moved\n"})
    world.look_around(6)
    assert kind(world, request) == "committed"
    assert world.file("README.md") == "moved\n"
    assert git(world.bare, "rev-list", "--merges", "main") == ""


def test_squash_by_rule_keeps_the_trailers(tmp_path: Path) -> None:
    with lab(tmp_path, rules("auto-merge", "    merge-request: {squash: true}\n")) as world:
        request = build(world)
        world.look_around(4)
        assert kind(world, request) == "committed"
        messages = git(world.bare, "log", "--format=%B", "main")
        assert f"Updater-Request: {request}" in messages


def test_405_twice_and_then_mergeable_lands_with_the_reason_shown_meanwhile(world: Lab) -> None:
    request = build(world)
    world.gitlab.faults.next("PUT merge_requests/1/merge", status=405)
    world.gitlab.faults.next("PUT merge_requests/1/merge", status=405)
    world.look_around(3)
    assert kind(world, request) in ("proposed", "committed")
    world.look_around(4)
    assert kind(world, request) == "committed"
    assert merges(world).count(405) == 2


def test_a_merge_whose_answer_was_lost_is_found_as_merged(world: Lab) -> None:
    request = build(world)
    world.gitlab.faults.next("PUT merge_requests/1/merge", status="drop")
    world.look_around(5)
    assert kind(world, request) == "committed"
    assert git(world.bare, "rev-list", "--count", "--merges", "main") == "1"


def test_a_person_who_pushes_to_the_branch_stops_the_merge(world: Lab) -> None:
    request = build(world)
    files = {"charts/iris/values-prod.yaml": "image:\n  tag: master-101\nreplicas: 5\n"}
    world.person_pushes(files, branch="updater/prod/iris")
    world.look_around(5)
    assert kind(world, request) == "proposed"
    assert merges(world) == []
    assert world.prod() == "master-100"


def test_waiting_survives_days_and_restarts(paid: Lab) -> None:
    paid.gitlab.require_approvals(1)
    request = build(paid)
    paid.look_around(2)
    for _ in range(3):
        paid.close()
        paid.now = paid.now.replace(day=paid.now.day + 1)
        paid.open()
        paid.look_around(2)
    assert kind(paid, request) == "proposed"
    assert len(paid.gitlab.notes(1)) == 1
    paid.gitlab.person_approves(1)
    paid.look_around(2)
    assert kind(paid, request) == "committed"


def test_an_unknown_status_asks_a_person(world: Lab) -> None:
    request = build(world)
    world.gitlab.force_status(1, "jira_association_missing")
    world.look_around(4)
    assert "Jira" in world.outcome(request).reason
    assert merges(world) == []


# What was not asked for, and what the rules take back


def forge_a_proposal(world: Lab, tag: str, request: str, image: str = "") -> str:
    """Push what the updater would push, with its e-mail and its trailers, as any Developer can."""
    body = f"image:\n  tag: {tag}\n"
    message = (
        f"iris {tag} in prod\n\nUpdater-Image: {image or f'registry.example.com/iris:{tag}'}\n"
        "Updater-Previous: master-100\nUpdater-Environment: prod\nUpdater-Chart: iris\n"
        f"Updater-Request: {request}\nUpdater-Requested-By: ci\n"
    )
    head = world.person_pushes({VALUES: body}, message, branch="feature/mine")
    own = ("-c", "user.name=Updater", "-c", "user.email=updater@example.com")
    tree, parent = git(world.bare, "rev-parse", f"{head}^{{tree}}"), tip(world.bare)
    forged = git(world.bare, *own, "commit-tree", tree, "-p", parent, "-m", message)
    git(world.bare, "update-ref", "refs/heads/updater/prod/iris", forged)
    git(world.bare, "update-ref", "-d", "refs/heads/feature/mine")
    return forged


def test_a_branch_that_looks_like_the_updaters_is_not_merged_unasked(world: Lab) -> None:
    forge_a_proposal(world, "evil-tag", "01abc")
    world.look_around(6)
    assert world.prod() == "master-100"
    assert merges(world) == []
    assert "Nobody asked" in world.worker.desk.proposals()[0].waits


def test_an_updater_that_was_not_asked_leaves_the_note_of_the_one_that_was(paid: Lab) -> None:
    paid.gitlab.require_approvals(1)
    build(paid)
    paid.look_around(3)
    (said,) = [note.body for note in paid.gitlab.notes(1)]
    with Lab(paid.folder / "job", paid.address, paid.bare) as job:
        job.gitlab = paid.gitlab
        build(job, "rose:master-101")
        job.look_around(3)
    assert [note.body for note in paid.gitlab.notes(1)] == [said]


def test_the_request_for_another_image_does_not_vouch_for_it(world: Lab) -> None:
    world.gitlab.runs_pipelines = "running"
    request = build(world)
    for tag, image in (("master-102", ""), ("master-101", f"registry.example.com/iris:master-101@{DIGEST}")):
        forge_a_proposal(world, tag, request, image)
        world.look_around(3)
        world.gitlab.pipeline("updater/prod/iris", "success")
        world.look_around(3)
        assert world.prod() == "master-100", tag
    assert merges(world) == []


def test_a_request_that_ended_elsewhere_does_not_vouch_for_a_branch_made_again(world: Lab) -> None:
    request = build(world)
    world.gitlab.person_closes(1)
    world.look_around(2)
    assert kind(world, request) == "refused"
    forge_a_proposal(world, "master-101", request)
    world.look_around(6)
    assert merges(world) == []
    assert world.prod() == "master-100"


def test_what_a_promotion_asked_for_is_merged(world: Lab) -> None:
    world.person_pushes({VALUES: "image:\n  tag: master-99\n"})
    build(world, "iris:develop-101")
    request = world.person_promotes("dev", "prod", "iris")
    world.settle_all()
    world.look_around(5)
    assert kind(world, request) == "committed"
    assert world.prod() == "develop-101"


def test_a_proposal_whose_request_is_not_settled_yet_waits_without_a_word(world: Lab) -> None:
    request = build(world)
    world.gitlab.settle()
    folder = world.folder / "later"
    with Lab(folder, world.address, world.bare) as later:
        # As after a kill between the push and the settling: the request is there, and not decided.
        later.gitlab = world.gitlab
        later.ci_builds("iris:master-101")
        forge_a_proposal(later, "master-101", later.ids[0])
        later.look_around(4)
        assert later.record(later.ids[0]).outcome is None
        assert (merges(world), world.gitlab.notes(1)) == ([], [])
        later.settle_all()
        later.look_around(4)
        assert later.outcome(later.ids[0]).kind.value == "committed"
    assert kind(world, request) == "proposed"


def test_rules_that_leave_it_to_people_again_disarm_what_was_armed(world: Lab) -> None:
    request = build(world)
    world.gitlab.pipeline("updater/prod/iris", "running")
    world.look_around(3)
    assert world.gitlab.mr(1).armed_by is world.gitlab.bot
    world.person_pushes({".updater/rules.yaml": rules("merge-request")})
    world.look_around(3)
    assert world.gitlab.mr(1).armed_by is None
    assert len([call for call in world.gitlab.calls if "cancel" in call.path]) == 1
    world.gitlab.pipeline("updater/prod/iris", "success")
    world.look_around()
    assert (kind(world, request), world.prod()) == ("proposed", "master-100")


def test_what_a_person_armed_stays_armed_where_people_merge(tmp_path: Path) -> None:
    with lab(tmp_path, rules("merge-request")) as world:
        request = build(world)
        world.gitlab.pipeline("updater/prod/iris", "running")
        world.gitlab.person_arms(1)
        world.look_around(3)
        assert world.gitlab.mr(1).armed_by is not None
        world.gitlab.pipeline("updater/prod/iris", "success")
        world.look_around(2)
        assert kind(world, request) == "committed"


def test_a_merge_that_takes_its_time_is_awaited(world: Lab) -> None:
    request = build(world)
    world.look_around()
    world.gitlab.merge_begins(1)
    world.look_around(3)
    assert kind(world, request) == "proposed"
    world.gitlab.merge_fails(1)
    world.look_around(3)
    assert kind(world, request) == "committed"


# Notes


def test_a_note_of_an_earlier_process_does_not_go_stale(world: Lab) -> None:
    build(world)
    world.gitlab.pipeline("updater/prod/iris", "failed")
    world.look_around(3)
    world.close()
    world.open()
    world.gitlab.pipeline("updater/prod/iris", "running")
    world.look_around(3)
    (note,) = world.gitlab.notes(1)
    assert "running" in note.body


def test_what_passes_by_itself_is_written_on_no_page(world: Lab) -> None:
    request = build(world)
    world.gitlab.pipeline("updater/prod/iris", "running")
    world.gitlab.faults.next("PUT merge_requests/1/merge", status=409)
    world.look_around(4)
    assert kind(world, request) == "proposed"
    assert world.gitlab.notes(1) == []
    asked = world.gitlab.calls_to("GET merge_requests/1/notes")
    assert len(asked) == 1, "whether there is a note is asked once"
