"""What the token lacks is told early; deployments are recorded on other projects; over real HTTP."""

from __future__ import annotations

import datetime as dt

import pytest
from support.gitlabs import Clock
from support.gitlabworld import GitLabWorld

from updater.errors import ForgeRefused
from updater.forge.gitlab import GitLab
from updater.model import Source


def test_a_sound_access_has_no_problems_and_is_asked_about_hourly(
    world: GitLabWorld, forge: GitLab, clock: Clock
) -> None:
    assert forge.problems(clock()) == ()
    asked = len(world.calls)
    clock.advance(minutes=59)
    assert forge.problems(clock()) == ()
    assert len(world.calls) == asked == 2
    clock.advance(minutes=1)
    forge.problems(clock())
    assert len(world.calls) == 2 * asked


@pytest.mark.parametrize(("days", "words"), [(14, "expires in 14 days"), (1, "expires in 1 day,"), (15, "")])
def test_a_token_about_to_expire_is_told_early(
    world: GitLabWorld, forge: GitLab, clock: Clock, days: int, words: str
) -> None:
    world.expire_token(clock().date() + dt.timedelta(days=days))
    problems = forge.problems(clock())
    assert len(problems) == bool(words)
    assert words in "".join(problems)


def test_a_token_that_expired_is_told(world: GitLabWorld, forge: GitLab, clock: Clock) -> None:
    world.expire_token(clock().date())
    (problem,) = forge.problems(clock())
    assert "expired" in problem


def test_a_missing_scope_is_told_before_anything_fails(
    world: GitLabWorld, forge: GitLab, clock: Clock
) -> None:
    world.scopes = ["read_api", "write_repository"]
    (problem,) = forge.problems(clock())
    assert "read_api, write_repository, but not api" in problem


def test_a_token_that_sees_nothing_of_the_api_is_told(
    world: GitLabWorld, forge: GitLab, clock: Clock
) -> None:
    world.scopes = ["write_repository"]
    assert any("scope api" in problem for problem in forge.problems(clock()))


def test_too_small_a_role_and_switched_off_merge_requests_are_told(
    world: GitLabWorld, forge: GitLab, clock: Clock
) -> None:
    world.bot.level = 20
    world.merge_requests_enabled = False
    role, off = forge.problems(clock())
    assert "Developer" in role
    assert "switched off" in off


def test_servers_that_cannot_tell_of_tokens_are_no_problem(
    world: GitLabWorld, forge: GitLab, clock: Clock
) -> None:
    world.has_token_endpoint = False
    assert forge.problems(clock()) == ()


def test_an_outage_is_no_problem_of_access(world: GitLabWorld, forge: GitLab, clock: Clock) -> None:
    world.away()
    assert forge.problems(clock()) == ()
    world.back()
    world.scopes = ["read_api"]
    assert forge.problems(clock()) == ()
    clock.advance(minutes=5)
    assert len(forge.problems(clock())) == 1
    world.away()
    clock.advance(hours=1)
    assert len(forge.problems(clock())) == 1


SOURCE = Source(project="apps/iris", commit="a" * 40, ref="main")


def test_a_deployment_is_recorded_on_the_source_project_and_brought_to_its_end(
    world: GitLabWorld, forge: GitLab
) -> None:
    world.add_project("apps/iris")
    for _ in range(2):
        forge.record_deployment(SOURCE, "prod", "running")
    (record,) = world.deployments("apps/iris")
    assert (record.environment, record.sha, record.ref, record.status) == (
        "prod",
        "a" * 40,
        "main",
        "running",
    )
    for _ in range(2):
        forge.record_deployment(SOURCE, "prod", "success")
    assert [one.status for one in world.deployments("apps/iris")] == ["success"]


def test_one_that_is_running_is_not_recorded_twice_though_another_came_after(
    world: GitLabWorld, forge: GitLab, clock: Clock
) -> None:
    world.add_project("apps/iris")
    for commit in ("a", "b", "a"):
        clock.advance(minutes=1)
        forge.record_deployment(
            Source(project="apps/iris", commit=commit * 40, ref="main"), "prod", "running"
        )
    assert [one.sha[0] for one in world.deployments("apps/iris")] == ["a", "b"]


def test_a_direct_commit_is_recorded_as_done_at_once(world: GitLabWorld, forge: GitLab) -> None:
    world.add_project("apps/iris")
    forge.record_deployment(SOURCE, "dev", "success")
    assert [(one.environment, one.status) for one in world.deployments("apps/iris")] == [("dev", "success")]


def test_a_canceled_deployment_that_was_never_recorded_stays_so(world: GitLabWorld, forge: GitLab) -> None:
    world.add_project("apps/iris")
    forge.record_deployment(SOURCE, "prod", "canceled")
    assert world.deployments("apps/iris") == []


def test_the_same_commit_is_recorded_again_after_another_one_was_there(
    world: GitLabWorld, forge: GitLab, clock: Clock
) -> None:
    world.add_project("apps/iris")
    for commit in ("a", "b", "a"):
        clock.advance(minutes=1)
        forge.record_deployment(Source(project="apps/iris", commit=commit * 40, ref="main"), "dev", "success")
    assert [one.sha[0] for one in world.deployments("apps/iris")] == ["a", "b", "a"]


@pytest.mark.parametrize(
    "source",
    [
        Source(),
        Source(project="apps/iris", ref="main"),
        Source(project="apps/iris", commit="a" * 40),
        Source(project="https://gitlab.example.com/apps/iris", commit="a" * 40, ref="main"),
    ],
)
def test_a_source_that_cannot_be_recorded_asks_nothing(
    world: GitLabWorld, forge: GitLab, source: Source
) -> None:
    forge.record_deployment(source, "prod", "success")
    assert world.calls == []


def test_a_project_without_the_right_says_so(world: GitLabWorld, forge: GitLab) -> None:
    world.add_project("apps/iris", role="reporter")
    with pytest.raises(ForgeRefused, match="apps/iris"):
        forge.record_deployment(SOURCE, "prod", "success")


@pytest.mark.parametrize("role", ["", "nobody"])
def test_a_source_project_nobody_knows_or_shows_is_no_outage_and_no_setting(
    world: GitLabWorld, forge: GitLab, role: str
) -> None:
    if role:
        world.add_project("apps/iris", role=role)
    with pytest.raises(ForgeRefused) as problem:
        forge.record_deployment(SOURCE, "prod", "success")
    assert "source project 'apps/iris'" in str(problem.value)
    assert "UPDATER_GITLAB_PROJECT" not in str(problem.value)
