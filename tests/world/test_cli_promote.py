"""One shot without a server where people decide: proposing a build, and promoting from dev to prod."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from support.barerepo import commit_as_person, git, make_bare, show, tip
from support.commandline import updater
from support.gitlabworld import GitLabWorld
from support.lab import chart, rules

BRANCH = "updater/prod/iris"
VALUES = "charts/iris/values-prod.yaml"
IRIS = "registry.example.com/iris"


def config_repo(folder: Path, delivery: str = "merge-request", **files: str) -> Path:
    """Make a config repo with iris, and what else a test needs by chart name (dev's and prod's tag)."""
    charts: dict[str, str] = {}
    for name, tags in {"iris": "develop-100 master-100", **files}.items():
        dev, _, prod = tags.partition(" ")
        charts.update(chart(name, dev, prod))
    return make_bare(folder, {".updater/rules.yaml": rules(delivery), **charts})


def on(bare: Path) -> dict[str, str]:
    return {"UPDATER_REPO": str(bare)}


def on_gitlab(world: GitLabWorld) -> dict[str, str]:
    return {"UPDATER_REPO": world.git_url, "UPDATER_REPO_TOKEN": world.token}


def branches(bare: Path) -> list[str]:
    return git(bare, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()


def rows(out: str) -> dict[str, list[str]]:
    """The rows of a promotion's table by chart: image, what stood, what became of it."""
    lines = [line.split("  ") for line in out.splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    return {line[0]: line[1:4] for line in cells[1:] if len(line) > 4}


# update and plan where changes are proposed


def test_plan_shows_what_would_be_proposed_and_pushes_nothing(tmp_path: Path) -> None:
    bare = config_repo(tmp_path)
    before = git(bare, "for-each-ref")
    ran = updater("plan", f"{IRIS}:master-101", env=on(bare))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("prod: would be proposed. ")
    assert f"--- a/{VALUES}\n" in ran.out
    assert "-  tag: master-100\n+  tag: master-101\n" in ran.out
    assert git(bare, "for-each-ref") == before


def test_plan_knows_what_is_proposed_already(tmp_path: Path) -> None:
    bare = config_repo(tmp_path)
    assert updater("update", f"{IRIS}:master-102", env=on(bare)).code == 0
    same = updater("plan", f"{IRIS}:master-102", env=on(bare))
    assert same.out.startswith("prod: proposed. ")
    assert "+++" not in same.out
    older = json.loads(updater("plan", f"{IRIS}:master-101", "--json", env=on(bare)).out)
    assert (older["outcome"], older["diff"]) == ("superseded", "")
    newer = json.loads(updater("plan", f"{IRIS}:master-103", "--json", env=on(bare)).out)
    assert "-  tag: master-100\n+  tag: master-103\n" in newer["diff"]


def test_update_proposes_a_build_on_a_branch_and_says_how_to_look_at_it(tmp_path: Path) -> None:
    bare = config_repo(tmp_path)
    ran = updater("update", f"{IRIS}:master-101", env=on(bare))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("prod: proposed. ")
    assert "  proposal: prod/iris (updater proposals show prod/iris)\n" in ran.out
    assert show(bare, "main", VALUES) == b"image:\n  tag: master-100\n"
    assert show(bare, BRANCH, VALUES) == b"image:\n  tag: master-101\n"


def test_update_ends_with_1_where_a_person_has_the_branch(tmp_path: Path) -> None:
    bare = config_repo(tmp_path)
    assert updater("update", f"{IRIS}:master-101", env=on(bare)).code == 0
    commit_as_person(bare, {"notes.md": "Wait for me.\n"}, "Hold it", BRANCH)
    head = tip(bare, BRANCH)
    ran = updater("update", f"{IRIS}:master-102", env=on(bare))
    assert ran.code == 1
    assert ran.out.startswith("prod: held. ")
    assert "A Person" in ran.out
    assert "run this again" in ran.err
    assert tip(bare, BRANCH) == head


def test_update_merges_at_once_where_the_rules_let_the_updater(tmp_path: Path) -> None:
    bare = config_repo(tmp_path, "auto-merge")
    ran = updater("update", f"{IRIS}:master-101", env=on(bare))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("prod: committed. ")
    assert "  commit: " in ran.out
    assert show(bare, "main", VALUES) == b"image:\n  tag: master-101\n"
    assert branches(bare) == ["main"]


def test_update_of_a_checkout_writes_what_would_be_proposed_on_a_remote(tmp_path: Path) -> None:
    bare = config_repo(tmp_path)
    git(tmp_path, "clone", "-q", str(bare), "clone")
    ran = updater("update", f"{IRIS}:master-101", "--worktree", str(tmp_path / "clone"))
    assert ran.code == 0, ran.err
    assert ran.out.startswith("prod: written. ")
    assert (tmp_path / "clone" / VALUES).read_text() == "image:\n  tag: master-101\n"


def test_update_prints_the_page_of_the_merge_request_and_never_the_token(tmp_path: Path) -> None:
    bare = config_repo(tmp_path)
    with GitLabWorld(bare) as world:
        ran = updater("update", f"{IRIS}:master-101", env=on_gitlab(world))
        assert (ran.code, ran.err) == (0, "")
        assert f"  merge request: {world.url}/ops/config/-/merge_requests/1\n" in ran.out
        again = updater("plan", f"{IRIS}:master-101", env=on_gitlab(world))
        assert again.out.startswith("prod: proposed. ")
        (opened,) = world.merge_requests
        assert opened.source == BRANCH
        world.expire_token(date(2020, 1, 1))
        refused = updater("update", f"{IRIS}:master-102", "--timeout", "0", env=on_gitlab(world))
        assert refused.code in (1, 4)
        away = {**on_gitlab(world), "UPDATER_REPO": str(bare), "UPDATER_FORGE": "gitlab"}
        away |= {"UPDATER_GITLAB_URL": "http://127.0.0.1:9", "UPDATER_GITLAB_PROJECT": "ops/config"}
        away |= {"UPDATER_GITLAB_TOKEN": world.token}
        gone = updater("plan", f"{IRIS}:master-102", env=away)
        assert gone.code == 4
        assert "127.0.0.1:9" in gone.err
        for one in (ran, again, refused, gone):
            assert world.token not in one.out + one.err


# promote


def test_promote_shows_the_difference_first_and_writes_nothing(tmp_path: Path) -> None:
    bare = config_repo(
        tmp_path,
        rose="develop-7 develop-7",
        lily="develop-5 develop-9",
        tulip="develop-3 ",
    )
    commit_as_person(bare, {"charts/tulip/values-prod.yaml": None})
    before = git(bare, "for-each-ref")
    ran = updater("promote", "--from", "dev", "--to", "prod", "--all", "--dry-run", env=on(bare))
    assert (ran.code, ran.err) == (0, "")
    assert rows(ran.out) == {
        "iris": [f"{IRIS}:develop-100", "master-100", "would be proposed"],
        "rose": ["registry.example.com/rose:develop-7", "develop-7", "equal"],
        "lily": ["registry.example.com/lily:develop-5", "develop-9", "overtaken"],
        "tulip": ["registry.example.com/tulip:develop-3", "-", "missing"],
    }
    assert ran.out.count("+++ b/") == 1
    assert "-  tag: master-100\n+  tag: develop-100\n" in ran.out
    assert git(bare, "for-each-ref") == before


def test_promote_proposes_with_the_reason_in_the_commit(tmp_path: Path) -> None:
    bare = config_repo(tmp_path, rose="develop-7 master-7")
    ran = updater(
        *("promote", "--from", "dev", "--to", "prod", "iris", "--reason", "The launch is today"),
        env=on(bare),
    )
    assert (ran.code, ran.err) == (0, "")
    assert rows(ran.out) == {"iris": [f"{IRIS}:develop-100", "master-100", "proposed"]}
    assert "iris: proposal: prod/iris (updater proposals show prod/iris)\n" in ran.out
    assert branches(bare) == ["main", BRANCH]
    message = git(bare, "log", "-1", "--format=%B", BRANCH)
    assert "Updater-Promoted-From: dev" in message
    assert "The launch is today" in message


def test_promote_goes_back_to_an_older_build_only_when_it_is_told_to(tmp_path: Path) -> None:
    bare = config_repo(tmp_path, iris="develop-100 develop-105")
    ran = updater("promote", "--from", "dev", "--to", "prod", "iris", env=on(bare))
    assert (ran.code, branches(bare)) == (0, ["main"])
    assert rows(ran.out)["iris"][2] == "overtaken"
    assert "--allow-older" in ran.out
    meant = updater("promote", "--from", "dev", "--to", "prod", "iris", "--allow-older", env=on(bare))
    assert meant.code == 0
    assert show(bare, BRANCH, VALUES) == b"image:\n  tag: develop-100\n"


def test_promote_commits_where_the_rules_say_so(tmp_path: Path) -> None:
    bare = config_repo(tmp_path, "commit")
    foreseen = updater("promote", "--from", "dev", "--to", "prod", "iris", "--dry-run", env=on(bare))
    assert rows(foreseen.out)["iris"][2] == "would be committed"
    ran = updater("promote", "--from", "dev", "--to", "prod", "iris", env=on(bare))
    assert ran.code == 0, ran.err
    assert rows(ran.out)["iris"][2] == "committed"
    assert f"iris: commit: {tip(bare)}\n" in ran.out


def test_promote_tells_scripts_the_same_as_the_api_with_the_diff_of_a_dry_run(tmp_path: Path) -> None:
    bare = config_repo(tmp_path)
    words = ("promote", "--from", "dev", "--to", "prod", "--all", "--json")
    foreseen = json.loads(updater(*words, "--dry-run", env=on(bare)).out)
    assert (foreseen["id"], foreseen["outcome"], foreseen["promotion"]["from"]) == ("", "proposed", "dev")
    assert "+  tag: develop-100\n" in foreseen["diff"]
    done = json.loads(updater(*words, env=on(bare)).out)
    assert "diff" not in done
    assert done["environments"][0]["proposals"] == [{"branch": BRANCH, "number": 0, "link": ""}]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "dev", "--to", "prod", "rosy"], "did you mean 'rose'?"),
        (["--from", "prod", "--to", "dev", "iris"], "promote-from: prod"),
        (["--from", "dev", "--to", "prd", "--all"], "Did you mean 'prod'?"),
    ],
)
def test_promote_ends_with_1_and_says_why_it_cannot_be(words: list[str], said: str, tmp_path: Path) -> None:
    bare = config_repo(tmp_path, rose="develop-7 master-7")
    for more in ([], ["--dry-run"]):
        ran = updater("promote", *words, *more, env=on(bare))
        assert ran.code == 1
        assert "refused" in ran.out
        assert said in ran.out
    assert branches(bare) == ["main"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "dev", "--to", "prod"], "--all"),
        (["--from", "dev", "--to", "prod", "iris", "--all"], "one of the two"),
        (["--to", "prod", "iris"], "--from"),
        (["--from", "dev", "iris"], "--to"),
    ],
)
def test_promote_wants_both_environments_and_either_charts_or_all(words: list[str], said: str) -> None:
    ran = updater("promote", *words, env={"UPDATER_REPO": "/nowhere.git"})
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_promote_ends_with_4_where_the_remote_is_away(tmp_path: Path) -> None:
    away = {"UPDATER_REPO": str(tmp_path / "away.git")}
    words = ("promote", "--from", "dev", "--to", "prod", "iris")
    for more in (("--timeout", "0"), ("--dry-run",)):
        ran = updater(*words, *more, env=away)
        assert (ran.code, ran.out) == (4, "")
        assert "away.git" in ran.err


def test_promote_on_gitlab_links_the_merge_request(tmp_path: Path) -> None:
    bare = config_repo(tmp_path)
    with GitLabWorld(bare) as world:
        words = ("promote", "--from", "dev", "--to", "prod", "--all")
        assert rows(updater(*words, "--dry-run", env=on_gitlab(world)).out)["iris"][2] == "would be proposed"
        assert not world.merge_requests
        ran = updater(*words, env=on_gitlab(world))
        assert (ran.code, ran.err) == (0, "")
        assert f"iris: merge request: {world.url}/ops/config/-/merge_requests/1\n" in ran.out
        assert world.token not in ran.out
