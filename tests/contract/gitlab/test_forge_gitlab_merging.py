"""Merging on GitLab: when it may happen, what its answers mean, both generations of servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.barerepo import commit_as_person, git, log, tip
from support.gitlabs import BRANCH, VALUES, Clock, connected, proposal, push
from support.gitlabworld import GitLabWorld

from updater.errors import ForgeRefused
from updater.forge import Ensured, Landed, MergeRequest, Merging, Readiness, State, Step
from updater.forge.gitlab import GitLab

MESSAGE = "Deliver iris master-2 to prod\n\nUpdater-Environment: prod"


@pytest.fixture(params=["18", "19.2"])
def generation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def settings(generation: str) -> dict[str, Any]:
    return {"generation": generation, "edition": "ee"}


def made(forge: GitLab, bare: Path, tag: str = "master-2") -> MergeRequest:
    (answer,) = forge.ensure([proposal(push(bare, tag))])
    assert isinstance(answer, Ensured), answer
    return answer.merge_request


def merged(forge: GitLab, known: MergeRequest, *, squash: bool = False, arm: bool = False) -> Merging:
    return forge.merge(known, head=known.head, message=MESSAGE, squash=squash, arm=arm)


def steps(forge: GitLab, known: MergeRequest, count: int = 8) -> list[tuple[Step, str]]:
    """Look until nothing is in flux any more; return what was seen."""
    seen = []
    for _ in range(count):
        now = forge.readiness(known, known.head)
        seen.append((now.step, now.code))
        if now.step is not Step.WAIT:
            break
    return seen


def settled(world: GitLabWorld, forge: GitLab, known: MergeRequest) -> Readiness:
    world.settle()
    return forge.readiness(known, known.head)


def test_every_transient_status_is_waited_out(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    world.preparing = 2
    known = made(forge, bare)
    assert steps(forge, known) == [
        (Step.WAIT, "preparing"),
        (Step.WAIT, "preparing"),
        (Step.WAIT, "checking"),
        (Step.MERGE, ""),
    ]


def test_a_merge_right_after_the_making_is_not_yet_and_says_why(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    world.preparing = 3
    known = made(forge, bare)
    assert merged(forge, known) == Merging(Landed.NOT_YET, "preparing", "preparing")
    assert tip(bare) != known.head


def test_what_may_be_merged_is_merged_with_the_message_and_loses_its_branch(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    assert settled(world, forge, known).step is Step.MERGE
    answer = merged(forge, known)
    assert answer == Merging(Landed.MERGED, merge_commit=tip(bare))
    assert log(bare)[0].message == MESSAGE
    assert git(bare, "rev-parse", "main^2") == known.head
    assert git(bare, "for-each-ref", f"refs/heads/{BRANCH}") == ""


def test_a_squash_repeats_the_message(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    world.settle()
    answer = merged(forge, known, squash=True)
    assert answer.landed is Landed.MERGED
    assert [commit.message for commit in log(bare)[:2]].count(MESSAGE) == 2
    assert known.head not in git(bare, "rev-list", "main")


def test_a_merge_is_pinned_to_the_head_that_was_pushed(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    world.settle()
    commit_as_person(bare, {VALUES: "image:\n  tag: mine\n"}, "Mine", BRANCH)
    world.settle()
    before = tip(bare)
    assert merged(forge, known).landed is Landed.NOT_YET
    assert merged(forge, known).code == "head-lags"
    assert tip(bare) == before


def test_servers_that_want_the_head_named_get_it(bare: Path, clock: Clock) -> None:
    with GitLabWorld(bare, clock=clock) as world, connected(world) as forge:
        world.require_sha(True)
        known = made(forge, bare)
        world.settle()
        assert merged(forge, known).landed is Landed.MERGED


def test_a_head_that_gitlab_has_not_seen_yet_is_waited_for(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    world.settle()
    world.lag = 3
    head = push(bare, "master-3")
    seen = [forge.readiness(known, head).code for _ in range(6)]
    assert seen[:3] == ["head-lags"] * 3
    assert seen[-1] == ""


def test_an_own_pipeline_under_way_lets_gitlab_finish(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    world.pipeline(BRANCH, "running")
    now = settled(world, forge, known)
    assert (now.step, now.code, now.is_armed) == (Step.ARM, "pipeline-running", False)
    assert merged(forge, known, arm=True) == Merging(Landed.ARMED)
    armed = forge.readiness(known, known.head)
    assert (armed.step, armed.code, armed.is_armed) == (Step.WAIT, "pipeline-running", True)
    before = tip(bare)
    world.pipeline(BRANCH, "success")
    assert tip(bare) != before
    ended = forge.readiness(known, known.head)
    assert (ended.step, ended.code, ended.merge_request.merge_commit) == (Step.ENDED, "merged", tip(bare))


def test_a_new_head_disarms_and_can_be_armed_again(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    world.pipeline(BRANCH, "running")
    world.settle()
    merged(forge, known, arm=True)
    head = push(bare, "master-3")
    world.settle()
    other = forge.readiness(known, head)
    assert (other.step, other.code) == (Step.WAIT, "pipeline-of-another-commit")
    world.pipeline(head, "running")
    again = settled(world, forge, other.merge_request)
    assert (again.step, again.is_armed) == (Step.ARM, False)


def test_a_green_pipeline_of_another_commit_merges_nothing(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    world.pipeline(BRANCH, "success")
    world.settle()
    head = push(bare, "master-3")
    world.settle()
    now = forge.readiness(known, head)
    assert (now.step, now.code) == (Step.WAIT, "pipeline-of-another-commit")


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_red_pipeline_is_for_people_even_where_gitlab_would_merge(
    world: GitLabWorld, forge: GitLab, bare: Path, status: str
) -> None:
    known = made(forge, bare)
    world.pipeline(BRANCH, status)
    now = settled(world, forge, known)
    assert now.words == "mergeable"
    assert (now.step, now.code) == (Step.PERSON, "pipeline-failed")


def test_a_pipeline_that_must_pass_and_has_passed_merges(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    world.require_pipeline(True)
    known = made(forge, bare)
    world.pipeline(BRANCH, "success")
    assert settled(world, forge, known).step is Step.MERGE


def test_where_pipelines_run_a_new_head_gets_a_minute_for_its_own(
    world: GitLabWorld, forge: GitLab, bare: Path, clock: Clock
) -> None:
    world.pipeline("main", "success")
    known = made(forge, bare)
    now = settled(world, forge, known)
    assert (now.step, now.code) == (Step.WAIT, "pipeline-may-come")
    clock.advance(seconds=59)
    assert forge.readiness(known, known.head).code == "pipeline-may-come"
    assert len(world.calls_to("GET pipelines")) == 1
    clock.advance(seconds=1)
    assert forge.readiness(known, known.head).step is Step.MERGE


def test_a_clock_that_differs_from_gitlabs_makes_no_difference(
    world: GitLabWorld, bare: Path, clock: Clock
) -> None:
    world.pipeline("main", "success")
    late = Clock()
    late.advance(minutes=5)
    with connected(world, clock=late) as forge:
        known = made(forge, bare)
        assert settled(world, forge, known).code == "pipeline-may-come"


def test_one_that_was_left_alone_for_long_waits_for_no_pipeline_after_a_restart(
    world: GitLabWorld, forge: GitLab, bare: Path, clock: Clock
) -> None:
    world.pipeline("main", "success")
    known = made(forge, bare)
    world.settle()
    clock.advance(days=3)
    assert forge.readiness(known, known.head).step is Step.MERGE


@pytest.mark.parametrize("case", ["no pipeline ever", "CI switched off"])
def test_where_no_pipeline_runs_none_is_waited_for(
    world: GitLabWorld, forge: GitLab, bare: Path, case: str
) -> None:
    if case == "CI switched off":
        world.pipeline("main", "success")
        world.builds_enabled = False
    known = made(forge, bare)
    assert settled(world, forge, known).step is Step.MERGE


def test_a_pipeline_that_must_pass_and_never_comes_is_for_people(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    world.require_pipeline(True)
    known = made(forge, bare)
    now = settled(world, forge, known)
    assert (now.step, now.code) == (Step.PERSON, "ci-must-pass")


def test_approvals_are_for_people_and_then_it_merges(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    world.require_approvals(1)
    known = made(forge, bare)
    now = settled(world, forge, known)
    assert (now.step, now.code) == (Step.PERSON, "not-approved")
    assert merged(forge, known) == Merging(Landed.NOT_YET, "not-approved", "not_approved", step=Step.PERSON)
    world.person_approves(1)
    assert settled(world, forge, known).step is Step.MERGE
    assert merged(forge, known).landed is Landed.MERGED


def test_the_free_edition_asks_for_no_approvals(bare: Path, generation: str, clock: Clock) -> None:
    with (
        GitLabWorld(bare, generation=generation, edition="ce", clock=clock) as world,
        connected(world) as forge,
    ):
        known = made(forge, bare)
        assert settled(world, forge, known).step is Step.MERGE


def test_threads_and_drafts_are_for_people(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    world.discussion(1)
    now = settled(world, forge, known)
    assert (now.step, now.code) == (Step.PERSON, "discussions-not-resolved")
    world.person_edits(1, title="Draft: not yet")
    now = settled(world, forge, known)
    assert (now.step, now.code) == (Step.PERSON, "draft-status")


def test_a_branch_only_maintainers_merge_into_is_for_people(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    world.protect("main", merge="maintainer")
    known = made(forge, bare)
    now = settled(world, forge, known)
    assert (now.step, now.code) == (Step.PERSON, "no-right-to-merge")
    assert merged(forge, known) == Merging(Landed.NOT_YET, "no-right-to-merge", step=Step.PERSON)


def test_a_conflict_is_planned_again(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    commit_as_person(bare, {VALUES: "image:\n  tag: by-hand\n"}, "By hand")
    now = settled(world, forge, known)
    assert (now.step, now.code) == (Step.REPLAN, "conflict")
    assert merged(forge, known) == Merging(Landed.NOT_YET, "conflict", "conflict")


def test_a_target_that_moved_is_planned_again_where_merges_are_fast_forwards(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    world.merge_method = "ff"
    known = made(forge, bare)
    commit_as_person(bare, {"README.md": "hello\n"}, "Another file")
    now = settled(world, forge, known)
    assert (now.step, now.code) == (Step.REPLAN, "need-rebase")


def test_a_status_nobody_knows_yet_is_for_people_in_gitlabs_words(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    world.force_status(1, "moon_phase")
    now = settled(world, forge, known)
    assert (now.step, now.code, now.words) == (Step.PERSON, "unknown-status", "moon_phase")


def test_what_was_armed_is_disarmed_and_nothing_happens_to_what_is_not(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    world.pipeline(BRANCH, "running")
    settled(world, forge, known)
    assert merged(forge, known, arm=True).landed is Landed.ARMED
    ((armed,),) = forge.look([BRANCH]).values()
    assert armed.is_armed is True
    forge.disarm(armed)
    assert world.mr(1).armed_by is None
    ((disarmed,),) = forge.look([BRANCH]).values()
    assert disarmed.is_armed is False
    forge.disarm(armed)
    world.person_merges(1)
    forge.disarm(armed)
    assert [call.status for call in world.calls if "cancel" in call.path] == [201, 406, 405]


def test_what_a_person_armed_is_not_called_armed(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    made(forge, bare)
    world.pipeline(BRANCH, "running")
    world.person_arms(1, by="kim")
    ((known,),) = forge.look([BRANCH]).values()
    assert known.is_armed is False


def test_a_right_to_disarm_that_is_missing_is_told_with_the_page(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    world.faults.next("POST merge_requests/1/cancel_merge_when_pipeline_succeeds", status=401)
    with pytest.raises(ForgeRefused, match="merge_requests/1"):
        forge.disarm(known)


def test_a_merge_under_way_is_awaited_as_an_open_one(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    world.merge_begins(1)
    assert forge.opened() == ()
    ((there,),) = forge.look([BRANCH]).values()
    assert there.state is State.OPENED
    now = forge.readiness(known, known.head)
    assert (now.step, now.code) == (Step.WAIT, "checking")
    world.merge_fails(1)
    assert [one.number for one in forge.opened()] == [1]
