"""Proposals decided at the command line: listed, shown, approved, closed; and `requests` about them."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import pytest
from support.barerepo import commit_as_person, git, make_bare, show, tip
from support.commandline import Ran, updater
from support.gitlabworld import GitLabWorld
from support.lab import chart, rules
from support.world import World

BRANCH = "updater/prod/iris"
VALUES = "charts/iris/values-prod.yaml"
IRIS = "registry.example.com/iris"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A config repo where master-101 of iris is proposed for prod."""
    made = make_bare(tmp_path, {".updater/rules.yaml": rules(), **chart("iris")})
    assert run(made, "update", f"{IRIS}:master-101").code == 0
    return made


def run(bare: Path, *words: str) -> Ran:
    return updater(*words, env={"UPDATER_REPO": str(bare)})


def test_list_shows_what_waits_as_a_table_and_as_json(bare: Path) -> None:
    ran = run(bare, "proposals", "list")
    assert (ran.code, ran.err) == (0, "")
    head = tip(bare, BRANCH)
    assert [line.split() for line in ran.out.splitlines()] == [
        ["NAME", "IMAGES", "HEAD", "STATE", "LINK"],
        ["prod/iris", f"{IRIS}:master-101", head[:10], "open"],
    ]
    (found,) = json.loads(run(bare, "proposals", "list", "--json").out)
    assert (found["name"], found["head"], found["target"]) == ("prod/iris", head, "main")


def test_list_names_who_holds_a_proposal_and_says_when_there_is_none(bare: Path) -> None:
    commit_as_person(bare, {"notes.md": "Wait for me.\n"}, "Hold it", BRANCH)
    assert "held: A Person" in run(bare, "proposals", "list").out
    git(bare, "update-ref", "-d", f"refs/heads/{BRANCH}")
    empty = run(bare, "proposals", "list")
    assert empty.code == 0
    assert "No proposal waits." in empty.err
    assert run(bare, "proposals", "list", "--json").out == "[]\n"


def test_show_has_the_images_who_asked_and_the_diff(bare: Path) -> None:
    assert run(bare, "update", f"{IRIS}:master-102", "--author", "Kim").code == 0
    ran = run(bare, "proposals", "show", "prod/iris")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("iris master-102 in prod\n")
    assert "  state: open\n" in ran.out
    assert f"  head: {tip(bare, BRANCH)}\n" in ran.out
    row = next(line for line in ran.out.splitlines() if line.startswith(IRIS)).split()
    assert row == [f"{IRIS}:master-102", "iris", "master-100", "master-101", "Kim", "-"]
    assert "-  tag: master-100\n+  tag: master-102\n" in ran.out
    told = json.loads(run(bare, "proposals", "show", BRANCH, "--json").out)
    assert "+  tag: master-102\n" in told["diff"]


def test_approve_merges_what_was_looked_at_and_says_who_approved(bare: Path) -> None:
    head = tip(bare, BRANCH)
    ran = run(bare, "proposals", "approve", "prod/iris", "--head", head[:10])
    assert (ran.code, ran.err) == (0, "")
    assert f"  commit: {tip(bare)}\n" in ran.out
    assert show(bare, "main", VALUES) == b"image:\n  tag: master-101\n"
    assert git(bare, "log", "-1", "--format=%P").split()[1] == head
    assert f"Updater-Approved-By: {getpass.getuser()}" in git(bare, "log", "-1", "--format=%B")
    assert git(bare, "for-each-ref", "refs/heads/updater") == ""


def test_approve_merges_nothing_where_the_proposal_moved_on(bare: Path) -> None:
    seen, before = tip(bare, BRANCH), tip(bare)
    assert run(bare, "update", f"{IRIS}:master-102").code == 0
    for head in (seen, seen[:10], "abc"):
        ran = run(bare, "proposals", "approve", "prod/iris", "--head", head)
        assert (ran.code, ran.out) == (1, "")
        assert "look at it again" in ran.err
    assert tip(bare) == before


def test_approve_leaves_a_persons_commit_to_people(bare: Path) -> None:
    commit_as_person(bare, {"notes.md": "Wait for me.\n"}, "Hold it", BRANCH)
    before = tip(bare)
    ran = run(bare, "proposals", "approve", "prod/iris")
    assert ran.code == 1
    assert "A Person" in ran.err
    assert tip(bare) == before


def test_close_is_a_no_to_this_build_and_older_ones(bare: Path) -> None:
    ran = run(bare, "proposals", "close", "prod/iris", "--reason", "Not before the launch")
    assert (ran.code, ran.err) == (0, "")
    assert f"{getpass.getuser()} closed prod/iris" in ran.out
    kept = git(bare, "log", "-1", "--format=%B", "refs/updater/closed/prod/iris/1")
    assert "Not before the launch" in kept
    again = run(bare, "update", f"{IRIS}:master-101")
    assert again.code == 1
    assert again.out.startswith("prod: refused. ")
    assert f"{getpass.getuser()} closed" in again.out
    assert run(bare, "update", f"{IRIS}:master-102").code == 0
    assert show(bare, BRANCH, VALUES) == b"image:\n  tag: master-102\n"


@pytest.mark.parametrize("act", ["show", "approve", "close"])
def test_a_proposal_that_is_not_there_ends_with_1(act: str, bare: Path) -> None:
    ran = run(bare, "proposals", act, "prod/none")
    assert (ran.code, ran.out) == (1, "")
    assert "no open proposal 'prod/none'" in ran.err


def test_a_wrong_call_ends_with_2_and_a_remote_that_is_away_with_4(tmp_path: Path) -> None:
    assert updater("proposals", "approve").code == 2
    assert updater("proposals", "aprove", "x").code == 2
    assert updater("proposals", "list").code == 2  # nobody says where the config repo is
    away = run(tmp_path / "away.git", "proposals", "list")
    assert (away.code, away.out) == (4, "")
    assert "away.git" in away.err


def test_on_gitlab_proposals_are_shown_with_their_pages_and_approved_there(tmp_path: Path) -> None:
    bare = make_bare(tmp_path, {".updater/rules.yaml": rules(), **chart("iris")})
    with GitLabWorld(bare) as world:
        env = {"UPDATER_REPO": world.git_url, "UPDATER_REPO_TOKEN": world.token}
        assert updater("update", f"{IRIS}:master-101", env=env).code == 0
        page = f"{world.url}/ops/config/-/merge_requests/1"
        listed = updater("proposals", "list", env=env)
        assert listed.out.splitlines()[1].split()[-1] == page
        shown = updater("proposals", "show", "prod/iris", env=env)
        assert f"  merge request: {page}\n" in shown.out
        before = tip(bare)
        approved = updater("proposals", "approve", "prod/iris", env=env)
        assert (approved.code, approved.out) == (1, "")
        assert page in approved.err
        assert tip(bare) == before
        closed = updater("proposals", "close", "prod/iris", "--reason", "Not today", env=env)
        assert closed.code == 0, closed.err
        assert world.mr(1).state == "closed"
        assert any("Not today" in note.body for note in world.notes(1))
        for ran in (listed, shown, approved, closed):
            assert world.token not in ran.out + ran.err


# requests


def test_requests_tell_of_promotions_proposals_and_what_is_held(tmp_path: Path) -> None:
    files = {".updater/rules.yaml": rules(), **chart("iris"), **chart("rose")}
    with World(tmp_path, files) as world:
        proposed = world.ci_builds("iris:master-101")
        world.settle_all()
        world.person_pushes({"notes.md": "Wait for me.\n"}, "Hold it", BRANCH)
        world.look_around()
        held = world.person_promotes("dev", "prod", "iris")
        world.worker.tick()
        data = str(tmp_path / "data")
        table = updater("requests", "--data", data).out.splitlines()
        assert [cell for cell in table[1].split("  ") if cell][2:4] == [
            "promotion of iris from dev to prod",
            "held",
        ]
        found = json.loads(updater("requests", "--data", data, "--outcome", "held", "--json").out)
        assert [(one["id"], one["promotion"]["to"]) for one in found] == [(held, "prod")]
        one = updater("requests", proposed, "--data", data).out
        assert "prod: proposed. " in one
        assert "  proposal: prod/iris (updater proposals show prod/iris)\n" in one
        assert "tried again" not in one
        waiting = updater("requests", held, "--data", data).out
        assert waiting.startswith("promotion of iris from dev to prod from kim, ")
        assert "prod, iris: held. " in waiting
        assert "It is tried again at 2026-11-22 12:01:01 UTC." in waiting
