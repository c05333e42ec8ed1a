"""GitLab's JSON read, and the marks that the updater leaves in texts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.forge import MergeRequest, State
from updater.forge.access import project_problems, token_problems
from updater.forge.deployments import source_path
from updater.forge.patience import patience
from updater.forge.reading import (
    closed_description,
    is_draft,
    is_of_own_branch,
    merge_request,
    told_description,
    told_note,
    told_title,
)
from updater.forge.recent import Recent
from updater.model import Source

HEAD = "b" * 40
BOT, KIM = {"id": 3, "username": "updater-bot"}, {"id": 9, "username": "kim", "name": "Kim"}


def body(**changes: Any) -> dict[str, Any]:
    return {
        "iid": 7,
        "title": "Update iris",
        "description": None,
        "state": "opened",
        "source_branch": "updater/prod/iris",
        "target_branch": "main",
        "source_project_id": 1,
        "target_project_id": 1,
        "sha": HEAD,
        "web_url": "https://gitlab.example.com/ops/config/-/merge_requests/7",
        "created_at": "2026-11-02T09:00:00.123Z",
        "author": BOT,
        "merged_by": None,
        "merge_user": None,
        "closed_by": None,
        "merge_commit_sha": None,
        "squash_commit_sha": None,
        **changes,
    }


def read(**changes: Any) -> MergeRequest:
    return merge_request(body(**changes), lambda: 3)


def test_an_open_one_is_read_without_asking_who_the_updater_is() -> None:
    def nobody() -> int:
        raise AssertionError

    found = merge_request(body(), nobody)
    assert found == MergeRequest(
        branch="updater/prod/iris",
        target="main",
        state=State.OPENED,
        head=HEAD,
        number=7,
        url="https://gitlab.example.com/ops/config/-/merge_requests/7",
        title="Update iris",
        created_at=datetime(2026, 11, 2, 9, 0, 0, 123000, UTC),
    )
    assert found.name == "!7"


def test_a_merge_under_way_counts_as_open() -> None:
    assert read(state="locked").state is State.OPENED


def test_a_source_branch_of_a_fork_or_of_a_deleted_project_is_not_the_updaters() -> None:
    assert is_of_own_branch(body())
    assert not is_of_own_branch(body(source_project_id=2))
    assert not is_of_own_branch(body(source_project_id=None))


@pytest.mark.parametrize(
    ("commits", "expected"),
    [
        ({"merge_commit_sha": "m", "squash_commit_sha": "s"}, "m"),
        ({"merge_commit_sha": None, "squash_commit_sha": "s"}, "s"),
        ({"merge_commit_sha": None, "squash_commit_sha": None}, HEAD),
    ],
)
def test_what_stands_on_the_target_depends_on_how_it_was_merged(
    commits: dict[str, Any], expected: str
) -> None:
    assert read(state="merged", merge_user=KIM, **commits).merge_commit == expected
    assert read(state="closed", closed_by=KIM, **commits).merge_commit == ""


def test_who_merged_is_told_by_both_names_of_the_field() -> None:
    assert read(state="merged", merge_user=KIM).ended_by == "kim"
    assert read(state="merged", merged_by=KIM).ended_by == "kim"
    assert read(state="merged").ended_by == ""


@pytest.mark.parametrize(
    ("closer", "mark", "ended_by", "is_own_end"),
    [
        (KIM, None, "kim", False),
        (KIM, "", "kim", False),
        (KIM, "lee", "kim", False),
        (BOT, None, "updater-bot", False),  # a personal token's owner, on the page
        (BOT, "", "", True),
        (BOT, "lee", "lee", False),
        (None, None, "", False),
        (None, "lee", "lee", False),
        ({"id": 4, "username": "older-bot"}, None, "older-bot", False),
    ],
)
def test_who_closed_is_told_from_the_closer_and_the_mark(
    closer: dict[str, Any] | None, mark: str | None, ended_by: str, is_own_end: bool
) -> None:
    text = "Text" if mark is None else closed_description("Text", mark)
    found = read(state="closed", closed_by=closer, description=text)
    assert (found.ended_by, found.is_own_end) == (ended_by, is_own_end)


def test_an_older_token_that_made_and_closed_it_left_a_mark() -> None:
    older = {"id": 4, "username": "older-bot"}
    marked = closed_description("Text", "")
    assert read(state="closed", author=older, closed_by=older, description=marked).is_own_end
    assert not read(state="closed", author=older, closed_by=older, description="Text").is_own_end


@given(st.text())
def test_any_name_survives_in_the_mark_and_ends_no_comment(name: str) -> None:
    text = closed_description("Text", name.encode("utf-8", "replace").decode())
    assert text.count("-->") == 1
    found = read(state="closed", closed_by=BOT, description=text)
    assert found.ended_by == name.encode("utf-8", "replace").decode()


def test_a_second_closing_replaces_the_mark_of_the_first() -> None:
    text = closed_description(closed_description("Text", "kim"), "")
    assert text.count("updater-closed-by") == 1
    assert read(state="closed", closed_by=BOT, description=text).is_own_end


@given(st.text())
def test_the_head_that_a_description_tells_of_is_read_back(text: str) -> None:
    told = told_description(text, HEAD)
    assert read(description=told).told_head == HEAD


def test_a_mark_in_the_text_itself_does_not_count_against_the_one_at_the_end() -> None:
    text = told_description(f"<!-- updater-head: {'a' * 40} -->", HEAD)
    assert read(description=text).told_head == HEAD
    assert read(description="nothing").told_head == ""


@given(st.text(alphabet="/ab \n\t>\\"))
def test_no_line_begins_like_a_quick_action(text: str) -> None:
    for line in told_note(text).split("\n"):
        assert not (line.lstrip(" \t>")[:1] == "/" and line.lstrip(" \t>")[1:2].isalpha())


@pytest.mark.parametrize("title", ["Draft: x", "draft:x", "[Draft] x", "(draft) x", " Draft: x"])
def test_every_form_of_a_draft_is_known(title: str) -> None:
    assert is_draft(title)


@pytest.mark.parametrize("title", ["Drafty x", "x Draft: y", "Redraft: x"])
def test_what_only_looks_like_a_draft_is_none(title: str) -> None:
    assert not is_draft(title)


def test_a_title_of_exactly_gitlabs_length_is_not_cut() -> None:
    assert told_title("t" * 255, is_draft=False) == "t" * 255
    assert told_title("t" * 256, is_draft=False) == "t" * 254 + "…"
    assert len(told_title("t" * 255, is_draft=True)) == 255


NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
IN_42 = NOW + timedelta(seconds=42)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 60),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": " 7 "}, 7),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "99999"}, 300),
        ({"Retry-After": "9" * 400}, 60),
        ({"Retry-After": "-7"}, 60),
        ({"Retry-After": "7.5"}, 60),
        ({"Retry-After": "soon"}, 60),
        ({"Retry-After": format_datetime(IN_42, usegmt=True)}, 42),
        ({"Retry-After": "Mon, 02 Nov 2026 09:00:42 -0000"}, 42),
        ({"Retry-After": "Mon, 02 Nov 2026 08:00:00 GMT"}, 1),
        ({"Retry-After": "Mon, 32 Nov 2026 09:00:42 GMT"}, 60),
        ({"RateLimit-Reset": str(int(IN_42.timestamp()))}, 42),
        ({"RateLimit-Reset": "1"}, 1),
        ({"Retry-After": "7", "RateLimit-Reset": str(int(IN_42.timestamp()))}, 7),
        ({"Retry-After": "soon", "RateLimit-Reset": str(int(IN_42.timestamp()))}, 42),
    ],
)
def test_patience_is_read_from_the_headers_and_never_endless(headers: dict[str, str], seconds: float) -> None:
    assert patience(headers, NOW) == seconds


@given(st.text())
def test_no_header_can_break_the_reading(text: str) -> None:
    for name in ("Retry-After", "RateLimit-Reset"):
        assert 1 <= patience({name: text}, NOW) <= 300


TODAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ({"scopes": ["api"], "expires_at": None}, []),
        ({"scopes": ["api"], "expires_at": "2026-11-17"}, []),
        ({"scopes": ["api"], "expires_at": "2026-11-16"}, ["expires in 14 days, on 2026-11-16"]),
        ({"scopes": ["api"], "expires_at": "2026-11-02"}, ["expired on 2026-11-02"]),
        ({"scopes": [], "expires_at": None}, ["scopes none"]),
        ({"scopes": ["read_api"], "expires_at": "2026-11-03"}, ["not api", "expires in 1 day,"]),
        ({"scopes": ["api"], "revoked": True}, ["revoked"]),
        ({"scopes": ["api"], "active": False, "expires_at": "2026-11-16"}, ["revoked or expired"]),
        ({}, []),
    ],
)
def test_what_a_token_lacks_is_said(token: dict[str, Any], words: list[str]) -> None:
    problems = token_problems({"name": "updater", **token}, TODAY)
    assert len(problems) == len(words)
    for problem, part in zip(problems, words, strict=True):
        assert part in problem
        assert "'updater'" in problem


@pytest.mark.parametrize(
    ("permissions", "is_enough"),
    [
        ({"project_access": {"access_level": 30}, "group_access": None}, True),
        ({"project_access": None, "group_access": {"access_level": 40}}, True),
        ({"project_access": {"access_level": 20}, "group_access": {"access_level": 30}}, True),
        ({"project_access": {"access_level": 20}, "group_access": None}, False),
        ({"project_access": None, "group_access": None}, True),
        (None, True),
    ],
)
def test_the_greater_role_counts_and_administrators_need_none(
    permissions: dict[str, Any] | None, is_enough: bool
) -> None:
    problems = project_problems({"path_with_namespace": "ops/config", "permissions": permissions})
    assert bool(problems) is not is_enough


def test_an_archived_project_is_told() -> None:
    (problem,) = project_problems({"path_with_namespace": "ops/config", "archived": True})
    assert "archived" in problem


@pytest.mark.parametrize(
    ("source", "path"),
    [
        (Source(project="apps/iris"), "apps/iris"),
        (Source(project="/apps/iris/"), "apps/iris"),
        (Source(project="42"), "42"),
        (Source(project="https://gitlab.example.com/git/apps/iris"), "apps/iris"),
        (Source(project="https://gitlab.example.com/git/apps/iris.git"), "apps/iris"),
        (Source(project="https://gitlab.example.com/git/a/b/-/tree/main"), "a/b"),
        (Source(pipeline_url="https://gitlab.example.com/git/a/b/-/pipelines/5"), "a/b"),
        (Source(project="https://gitlab.example.com/elsewhere/apps/iris"), ""),
        (Source(project="https://gitlab.example.com/gitty/apps/iris"), ""),
        (Source(project="https://other.example.com/git/apps/iris"), ""),
        (Source(pipeline_url="https://ci.example.com/job/5"), ""),
        (Source(), ""),
    ],
)
def test_the_source_project_is_found_only_on_the_same_gitlab(source: Source, path: str) -> None:
    assert source_path(source, "https://gitlab.example.com/git") == path


def test_what_was_learnt_first_is_forgotten_first() -> None:
    recent: Recent[str, int] = Recent(limit=2)
    for number, key in enumerate(("a", "b", "a", "c")):
        recent[key] = number
    assert recent == {"b": 1, "c": 3}
