"""The double of GitLab as python-gitlab sees it: its own calls work, and answer what GitLab answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import gitlab
import pytest
from support.barerepo import commit_as_person, git, rewrite_as_person, tip
from support.gitlabworld import GitLabWorld
from support.gitlabworlds import BRANCH, ask, client, gitlab_world, propose, push_proposal


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitLabWorld]:
    with gitlab_world(tmp_path) as world:
        yield world


def test_the_caller_its_token_and_the_version_are_told(world: GitLabWorld) -> None:
    api = client(world)
    api.auth()
    assert api.user is not None
    assert api.user.username == "updater-bot"
    assert api.version() == ("19.2.6", "34042bf7d00")
    assert api.personal_access_tokens.get("self").scopes == ["api"]


@pytest.mark.parametrize("project", ["config", "ops/config", "group/sub/config"])
@pytest.mark.parametrize("root", ["", "/gitlab"])
def test_a_project_is_found_by_path_and_by_number(tmp_path: Path, project: str, root: str) -> None:
    with gitlab_world(tmp_path, project=project, root=root) as world:
        by_path = client(world).projects.get(project)
        assert by_path.id == client(world).projects.get(world.config.id).id
        assert by_path.permissions["project_access"]["access_level"] == 30


def test_a_merge_request_is_made_changed_and_closed(world: GitLabWorld) -> None:
    head = push_proposal(world)
    milestone, kim = world.add_milestone("Q3"), world.person("kim")
    project = client(world).projects.get(world.project)
    made = project.mergerequests.create(
        {
            "source_branch": BRANCH,
            "target_branch": "main",
            "title": "Draft: Update iris",
            "labels": ["prod", "iris"],
            "assignee_ids": [kim.id, 1],
            "reviewer_ids": [kim.id],
            "milestone_id": milestone.id,
            "remove_source_branch": True,
        }
    )
    assert (made.sha, made.draft, made.detailed_merge_status) == (head, True, "preparing")
    assert (made.diff_refs, made.prepared_at, made.changes_count) == (None, None, None)
    made.title, made.description = "Update iris", "Why: because."
    made.save()
    found = project.mergerequests.list(source_branch=BRANCH, state="all", order_by="created_at", sort="desc")
    assert [one.title for one in found] == ["Update iris"]
    assert found[0].labels == ["prod", "iris"]
    assert [one["username"] for one in found[0].assignees + found[0].reviewers] == ["kim", "kim"]
    assert found[0].milestone["title"] == "Q3"
    made.state_event = "close"
    made.save()
    closed = project.mergerequests.get(made.iid)
    assert (closed.state, closed.closed_by["username"]) == ("closed", "updater-bot")
    assert project.mergerequests.list(state="opened") == []


def test_a_check_takes_time_before_a_merge_request_is_mergeable(world: GitLabWorld) -> None:
    world.preparing, world.patience = 1, 2
    iid = propose(world, settled=False)
    project = client(world).projects.get(world.project)
    statuses = [project.mergerequests.get(iid).detailed_merge_status for _ in range(5)]
    assert statuses == ["preparing", "checking", "checking", "mergeable", "mergeable"]
    commit_as_person(world.repo.bare, {"lily.yaml": "tag: '3'\n"})
    assert project.mergerequests.list()[0].detailed_merge_status == "unchecked"
    assert project.mergerequests.get(iid).detailed_merge_status == "checking"


def test_the_head_of_a_merge_request_lags_behind_a_push(world: GitLabWorld) -> None:
    world.lag = 2
    iid, old = propose(world), tip(world.repo.bare, BRANCH)
    new = push_proposal(world, "3")
    project = client(world).projects.get(world.project)
    assert [project.mergerequests.get(iid).sha for _ in range(3)] == [old, old, new]


def test_the_lag_can_be_a_time(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    now = [datetime(2026, 3, 2, tzinfo=UTC)]
    with gitlab_world(tmp_path, clock=lambda: now[0]) as world:
        world.lag = timedelta(seconds=5)
        iid, old = propose(world), tip(world.repo.bare, BRANCH)
        new = push_proposal(world, "3")
        project = client(world).projects.get(world.project)
        assert [project.mergerequests.get(iid).sha for _ in range(3)] == [old] * 3
        now[0] += timedelta(seconds=5)
        assert project.mergerequests.get(iid).sha == new


def test_a_push_over_http_reaches_the_merge_request(world: GitLabWorld, tmp_path: Path) -> None:
    iid, clone = propose(world), tmp_path / "clone"
    address = world.git_url.replace("://", f"://oauth2:{world.token}@")
    git(tmp_path, "clone", "-q", "-b", BRANCH, address, str(clone))
    (clone / "iris.yaml").write_text("tag: '7'\n")
    git(clone, "-c", "user.name=P", "-c", "user.email=p@example.com", "commit", "-qam", "Seven")
    git(clone, "push", "-q", "origin", BRANCH)
    world.settle()
    assert world.mr(iid).head == git(clone, "rev-parse", "HEAD")


def test_git_wants_the_token_as_well(world: GitLabWorld, tmp_path: Path) -> None:
    address = world.git_url.replace("://", "://oauth2:wrong@")
    with pytest.raises(AssertionError, match="Authentication failed"):
        git(tmp_path, "ls-remote", address)


def test_a_second_open_merge_request_of_a_branch_is_refused_with_the_number_of_the_first(
    world: GitLabWorld,
) -> None:
    iid = propose(world)
    wanted = {"source_branch": BRANCH, "target_branch": "main", "title": "Again"}
    with pytest.raises(gitlab.exceptions.GitlabCreateError) as caught:
        client(world).projects.get(world.project).mergerequests.create(wanted)
    words = f"Another open merge request already exists for this source branch: !{iid}"
    assert caught.value.response_code == 409
    message: object = caught.value.error_message  # a list, whatever its annotation says
    assert message == [words]


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"source_branch": BRANCH, "target_branch": "main"}, 400),
        ({"source_branch": "none", "target_branch": "main", "title": "T"}, 400),
        ({"source_branch": "main", "target_branch": "main", "title": "T"}, 422),
    ],
)
def test_a_merge_request_that_makes_no_sense_is_refused(
    world: GitLabWorld, wanted: dict[str, str], status: int
) -> None:
    push_proposal(world)
    assert ask(world, "POST", "merge_requests", json=wanted).status_code == status
    assert world.merge_requests == ()


def test_no_other_target_makes_a_second_open_one_of_the_same_branches(world: GitLabWorld) -> None:
    iid = propose(world)
    git(world.repo.bare, "branch", "backport", "main")
    other = world.person_opens(BRANCH, "backport", "Mine")
    answer = ask(world, "PUT", f"merge_requests/{iid}", json={"target_branch": "backport", "title": "New"})
    assert answer.status_code == 409
    words = f"Another open merge request already exists for this source branch: !{other.iid}"
    assert answer.json()["message"] == [words]
    assert (world.mr(iid).target, world.mr(iid).title == "New") == ("main", False)
    world.person_closes(other.iid)
    answer = ask(world, "PUT", f"merge_requests/{iid}", json={"target_branch": "backport"})
    assert (answer.status_code, world.mr(iid).target) == (200, "backport")


def test_while_a_merge_is_under_way_it_is_locked_and_in_no_list_of_open_ones(world: GitLabWorld) -> None:
    iid = propose(world)
    world.merge_begins(iid)
    body = ask(world, "GET", f"merge_requests/{iid}").json()
    assert (body["state"], body["detailed_merge_status"]) == ("locked", "not_open")
    listed = {
        state: len(ask(world, "GET", "merge_requests", params={"state": state}).json())
        for state in ("opened", "locked", "all")
    }
    assert listed == {"opened": 0, "locked": 1, "all": 1}
    assert ask(world, "PUT", f"merge_requests/{iid}/merge").status_code == 405
    world.merge_fails(iid)
    assert ask(world, "GET", f"merge_requests/{iid}").json()["state"] == "opened"


def test_parameters_are_read_from_query_and_body_alike(world: GitLabWorld) -> None:
    iid = propose(world)
    head = world.mr(iid).head
    answer = ask(world, "PUT", f"merge_requests/{iid}/merge", params={"sha": "0" * 40, "squash": "true"})
    assert answer.status_code == 409
    body = {"sha": head, "squash": True, "squash_commit_message": "Squashed"}
    assert ask(world, "PUT", f"merge_requests/{iid}/merge", json=body).json()["state"] == "merged"
    assert git(world.repo.bare, "log", "-1", "--format=%s", str(world.mr(iid).squash_commit)) == "Squashed"


def test_notes_are_written_changed_and_listed(world: GitLabWorld) -> None:
    iid = propose(world)
    request = client(world).projects.get(world.project).mergerequests.get(iid)
    note = request.notes.create({"body": "Waits for a check."})
    world.person_notes(iid, "Nice.")
    note.body = "Waits for a person."
    note.save()
    assert [one.body for one in request.notes.list(sort="asc", order_by="created_at")] == [
        "Waits for a person.",
        "Nice.",
    ]
    with pytest.raises(gitlab.exceptions.GitlabUpdateError) as caught:
        request.notes.update(world.notes(iid)[1].id, {"body": "Mine now."})
    assert caught.value.response_code == 403


def test_people_and_milestones_are_found_by_name(world: GitLabWorld) -> None:
    kim, milestone = world.person("kim"), world.add_milestone("Q3")
    api = client(world)
    assert [one.id for one in api.users.list(username="Kim")] == [kim.id]
    assert api.users.list(username="nobody") == []
    milestones = api.projects.get(world.project).milestones
    assert [one.id for one in milestones.list(title="Q3")] == [milestone.id]
    assert milestones.list(title="Q4") == []


def test_branches_and_commits_are_those_of_the_repo(world: GitLabWorld) -> None:
    iid, project = propose(world), client(world).projects.get(world.project)
    branch = project.branches.get(BRANCH)
    assert (branch.commit["id"], branch.default, branch.can_push) == (world.mr(iid).head, False, True)
    assert [one.name for one in project.branches.list()] == ["main", BRANCH]
    push_proposal(world, "3")
    world.settle()
    messages = [one.message for one in project.mergerequests.get(iid).commits()]
    assert messages == ["Update iris to 3\n", "Update iris to 2\n"]
    assert [one.title for one in project.commits.list()] == ["Start"]
    project.branches.delete(BRANCH)
    assert (world.mr(iid).state, world.mr(iid).closed_by) == ("closed", world.bot)


def test_a_deleted_source_branch_closes_and_a_push_of_the_head_merges(world: GitLabWorld) -> None:
    first, second = propose(world), propose(world, branch="updater/prod/lily")
    git(world.repo.bare, "update-ref", "-d", f"refs/heads/{BRANCH}")
    rewrite_as_person(world.repo.bare, tip(world.repo.bare, "updater/prod/lily"))
    assert [one.state for one in world.merge_requests] == ["closed", "merged"]
    assert (first, second) == (1, 2)


def test_long_lists_come_in_pages_whose_links_may_name_another_host(world: GitLabWorld) -> None:
    for number in range(5):
        propose(world, branch=f"updater/prod/app{number}")
    world.shown_url = "https://gitlab.example.com"
    project = client(world).projects.get(world.project)
    assert [one.iid for one in project.mergerequests.list(per_page=2, iterator=True)] == [5, 4, 3, 2, 1]
    answer = ask(world, "GET", "merge_requests", params={"per_page": 2, "page": 2})
    assert (answer.headers["x-total"], answer.headers["x-next-page"]) == ("5", "3")
    assert answer.links["next"]["url"].startswith("https://gitlab.example.com/api/v4/projects/")


def test_a_moved_project_leads_readers_on_and_refuses_writers(world: GitLabWorld) -> None:
    push_proposal(world)
    world.move_project("platform/config")
    moved = client(world).projects.get("ops/config")
    assert (moved.id, moved.path_with_namespace) == (world.config.id, "platform/config")
    with pytest.raises(gitlab.exceptions.GitlabHttpError) as caught:
        client(world).http_post("/projects/ops%2Fconfig/merge_requests", post_data={"title": "T"})
    assert caught.value.response_code == 405


def test_deployments_are_recorded_on_projects_of_the_bot(world: GitLabWorld) -> None:
    world.add_project("team/iris")
    world.add_project("team/lily", "reporter")
    world.add_project("team/secret", "nobody")
    wanted = {"environment": "prod", "sha": "a" * 40, "ref": "main", "tag": False, "status": "running"}
    api = client(world)
    made = api.projects.get("team/iris", lazy=True).deployments.create(wanted)
    made.status = "success"
    made.save()
    assert [(one.sha, one.status) for one in world.deployments("team/iris")] == [("a" * 40, "success")]
    found = api.projects.get("team/iris", lazy=True).deployments.list(environment="prod", status="success")
    assert [one.id for one in found] == [made.id]
    for path, status in (("team/lily", 403), ("team/secret", 404), ("team/none", 404)):
        with pytest.raises(gitlab.exceptions.GitlabCreateError) as caught:
            api.projects.get(path, lazy=True).deployments.create(wanted)
        assert caught.value.response_code == status
