"""How the double of GitLab merges: who may, in which order the server checks, what stands in the repo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from support.barerepo import commit_as_person, git, log, show, tip
from support.gitlabworld import GitLabWorld
from support.gitlabworlds import BRANCH, ask, gitlab_world, propose, push_proposal

STALE = "0" * 40
GENERATIONS = pytest.mark.parametrize("generation", ["18", "19.2"])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitLabWorld]:
    with gitlab_world(tmp_path) as world:
        yield world


def merge(world: GitLabWorld, iid: int, **body: object) -> requests.Response:
    return ask(world, "PUT", f"merge_requests/{iid}/merge", json={"sha": world.mr(iid).head, **body})


def status(world: GitLabWorld, iid: int) -> str:
    world.settle()
    return str(ask(world, "GET", f"merge_requests/{iid}").json()["detailed_merge_status"])


@GENERATIONS
def test_a_merge_is_a_merge_commit_that_may_take_the_branch_along(tmp_path: Path, generation: str) -> None:
    with gitlab_world(tmp_path, generation=generation) as world:
        iid, old = propose(world), tip(world.repo.bare)
        head = world.mr(iid).head
        answer = merge(
            world, iid, should_remove_source_branch=True, merge_commit_message="Merge\n\nUpdater: x"
        )
        assert (answer.status_code, answer.json()["state"]) == (200, "merged")
        assert answer.json()["detailed_merge_status"] == "not_open"
        assert answer.json()["merge_commit_sha"] == tip(world.repo.bare)
        assert git(world.repo.bare, "log", "-1", "--format=%P") == f"{old} {head}"
        newest = log(world.repo.bare)[0]
        assert (newest.message, newest.author) == (
            "Merge\n\nUpdater: x",
            "Updater Bot <updater-bot@example.com>",
        )
        assert show(world.repo.bare, "main", "iris.yaml") == b"tag: '2'\n"
        assert git(world.repo.bare, "branch", "--list", BRANCH) == ""


def test_a_branch_that_went_on_is_not_deleted(world: GitLabWorld) -> None:
    world.lag = 5
    iid = propose(world)
    push_proposal(world, "3")
    assert merge(world, iid, should_remove_source_branch=True).json()["state"] == "merged"
    assert show(world.repo.bare, "main", "iris.yaml") == b"tag: '2'\n"
    assert git(world.repo.bare, "branch", "--list", BRANCH).strip() == BRANCH


def test_fast_forward_wants_a_rebase_and_makes_no_commit(world: GitLabWorld) -> None:
    world.merge_method = "ff"
    iid = propose(world)
    commit_as_person(world.repo.bare, {"lily.yaml": "tag: '5'\n"})
    assert status(world, iid) == "need_rebase"
    other = propose(world, branch="updater/prod/rose")
    answer = merge(world, other)
    assert (answer.json()["state"], answer.json()["merge_commit_sha"]) == ("merged", None)
    assert tip(world.repo.bare) == world.mr(other).head


@pytest.mark.parametrize("method", ["merge", "ff"])
def test_squashing_makes_one_commit_of_the_branch(world: GitLabWorld, method: str) -> None:
    world.merge_method = method
    iid = propose(world)
    push_proposal(world, "3")
    world.settle()
    body = merge(world, iid, squash=True, squash_commit_message="One").json()
    squashed = body["squash_commit_sha"]
    assert git(world.repo.bare, "log", "-1", "--format=%s", squashed) == "One"
    assert (body["merge_commit_sha"] is None) == (method == "ff")
    assert show(world.repo.bare, "main", "iris.yaml") == b"tag: '3'\n"


@GENERATIONS
def test_nothing_is_merged_while_it_is_prepared_or_checked(tmp_path: Path, generation: str) -> None:
    with gitlab_world(tmp_path, generation=generation) as world:
        iid = propose(world, settled=False)
        assert merge(world, iid).status_code == 405
        assert merge(world, iid, auto_merge=True).status_code == 405


@pytest.mark.parametrize(("generation", "expected"), [("18", 405), ("19.2", 409)])
def test_a_stale_head_of_a_blocked_merge_request_is_refused_in_the_generations_order(
    tmp_path: Path, generation: str, expected: int
) -> None:
    with gitlab_world(tmp_path, generation=generation) as world:
        iid = propose(world)
        world.person_edits(iid, title="Draft: not yet")
        assert status(world, iid) == "draft_status"
        answer = merge(world, iid, sha=STALE)
        assert answer.status_code == expected


@pytest.mark.parametrize(("generation", "expected"), [("18", 422), ("19.2", 405)])
def test_a_conflict_is_refused(tmp_path: Path, generation: str, expected: int) -> None:
    with gitlab_world(tmp_path, generation=generation) as world:
        iid = propose(world)
        commit_as_person(world.repo.bare, {"iris.yaml": "tag: '9'\n"})
        assert status(world, iid) == "conflict"
        body = ask(world, "GET", f"merge_requests/{iid}").json()
        assert (body["has_conflicts"], body["merge_status"]) == (True, "cannot_be_merged")
        assert merge(world, iid).status_code == expected


@GENERATIONS
def test_who_may_not_merge_into_a_branch_is_unauthorized_whatever_else(
    tmp_path: Path, generation: str
) -> None:
    with gitlab_world(tmp_path, generation=generation) as world:
        iid = propose(world)
        world.protect("main", merge="maintainer")
        assert ask(world, "GET", f"merge_requests/{iid}").json()["user"]["can_merge"] is False
        assert merge(world, iid, sha=STALE).json() == {"message": "401 Unauthorized"}
        world.set_role("updater-bot", "maintainer")
        assert merge(world, iid).json()["state"] == "merged"


def test_a_server_may_want_the_head_on_every_merge(world: GitLabWorld) -> None:
    world.require_sha()
    iid = propose(world)
    answer = ask(world, "PUT", f"merge_requests/{iid}/merge")
    assert (answer.status_code, answer.json()) == (400, {"message": "SHA must be provided when merging"})


@GENERATIONS
def test_auto_merge_waits_for_the_pipeline_and_then_merges(tmp_path: Path, generation: str) -> None:
    with gitlab_world(tmp_path, generation=generation) as world:
        iid = propose(world)
        world.pipeline(BRANCH, "running")
        answer = merge(world, iid, auto_merge=True, merge_when_pipeline_succeeds=True)
        assert (answer.json()["state"], answer.json()["merge_when_pipeline_succeeds"]) == ("opened", True)
        assert world.mr(iid).state == "opened"
        world.pipeline(BRANCH, "success")
        assert (world.mr(iid).state, world.mr(iid).merged_by) == ("merged", world.bot)


def test_a_push_takes_auto_merge_back(world: GitLabWorld) -> None:
    iid = propose(world)
    world.pipeline(BRANCH, "running")
    assert merge(world, iid, auto_merge=True).json()["merge_when_pipeline_succeeds"] is True
    push_proposal(world, "3")
    world.settle()
    world.pipeline(BRANCH, "success")
    assert world.mr(iid).state == "opened"


@pytest.mark.parametrize(("generation", "expected"), [("18", 405), ("19.2", 200)])
def test_auto_merge_without_any_pipeline(tmp_path: Path, generation: str, expected: int) -> None:
    with gitlab_world(tmp_path, generation=generation) as world:
        iid = propose(world)
        assert merge(world, iid, auto_merge=True).status_code == expected


def test_a_red_pipeline_blocks_only_where_the_project_says_so(world: GitLabWorld) -> None:
    iid = propose(world)
    world.pipeline(BRANCH, "failed")
    assert status(world, iid) == "mergeable"
    world.require_pipeline()
    assert status(world, iid) == "ci_must_pass"
    world.pipeline(BRANCH, "running")
    assert status(world, iid) == "ci_still_running"
    world.pipeline(BRANCH, "success")
    assert status(world, iid) == "mergeable"


def test_the_head_pipeline_may_be_of_another_commit(world: GitLabWorld) -> None:
    iid, old = propose(world), tip(world.repo.bare, BRANCH)
    world.pipeline(BRANCH, "success")
    new = push_proposal(world, "3")
    world.settle()
    body = ask(world, "GET", f"merge_requests/{iid}").json()
    assert (body["sha"], body["head_pipeline"]["sha"]) == (new, old)
    world.runs_pipelines = "running"
    newest = push_proposal(world, "4")
    world.settle()
    assert ask(world, "GET", f"merge_requests/{iid}").json()["head_pipeline"]["sha"] == newest


def test_approvals_block_in_the_paid_edition_only(tmp_path: Path) -> None:
    with gitlab_world(tmp_path / "ee", edition="ee") as world:
        world.require_approvals(1)
        iid = propose(world)
        assert status(world, iid) == "not_approved"
        world.person_approves(iid, "kim")
        assert status(world, iid) == "mergeable"
        push_proposal(world, "3")
        assert status(world, iid) == "not_approved"
        world.person_approves(iid, "kim")
        world.person_requests_changes(iid, "lee")
        assert status(world, iid) == "requested_changes"
    with gitlab_world(tmp_path / "ce") as world:
        iid = propose(world)
        assert status(world, iid) == "mergeable"
        kim = world.person("kim")
        answer = ask(
            world, "POST", f"merge_requests/{iid}/approve", kim.token, json={"sha": world.mr(iid).head}
        )
        assert [one["user"]["username"] for one in answer.json()["approved_by"]] == ["kim"]
        assert ask(world, "POST", f"merge_requests/{iid}/approve", kim.token).status_code == 401
        with pytest.raises(AssertionError, match="free edition"):
            world.require_approvals(1)


def test_open_threads_and_made_up_checks_block(world: GitLabWorld) -> None:
    iid = propose(world)
    world.discussion(iid)
    assert status(world, iid) == "discussions_not_resolved"
    world.discussion(iid, resolved=True)
    assert status(world, iid) == "mergeable"
    for made_up in ("jira_association_missing", "a_status_of_tomorrow"):
        world.force_status(iid, made_up)
        assert status(world, iid) == made_up
        assert merge(world, iid).status_code == 405


def test_people_merge_close_and_reopen(world: GitLabWorld) -> None:
    iid = propose(world)
    world.person_closes(iid, by="lee")
    assert status(world, iid) == "not_open"
    body = ask(world, "GET", f"merge_requests/{iid}").json()
    assert (body["state"], body["closed_by"]["username"]) == ("closed", "lee")
    assert merge(world, iid).status_code == 405
    world.person_reopens(iid, by="lee")
    commit = world.person_merges(iid, by="kim")
    body = ask(world, "GET", f"merge_requests/{iid}").json()
    assert (body["state"], body["merged_by"]["username"]) == ("merged", "kim")
    assert body["merge_commit_sha"] == commit == tip(world.repo.bare)


def test_a_protected_branch_refuses_the_bots_push_in_gitlabs_words(
    world: GitLabWorld, tmp_path: Path
) -> None:
    address = world.git_url.replace("://", f"://oauth2:{world.token}@")
    world.protect("main")
    git(tmp_path, "clone", "-q", address, "clone")
    push = ["-c", "user.name=P", "-c", "user.email=p@example.com", "commit", "-q", "--allow-empty", "-m", "x"]
    git(tmp_path / "clone", *push)
    with pytest.raises(AssertionError, match="not allowed to push code to protected branches"):
        git(tmp_path / "clone", "push", "-q", "origin", "main")
    world.protect("main", push="developer")
    git(tmp_path / "clone", "push", "-q", "origin", "main")
    assert log(world.repo.bare)[0].subject == "x"
