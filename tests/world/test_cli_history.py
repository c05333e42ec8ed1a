"""What people ask without a server: what was deployed, the figures of it, what stands where, and why."""

from __future__ import annotations

import getpass
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from support.barerepo import commit_as_person, git, make_bare, tip
from support.commandline import Ran, table, updater
from support.gitlabworld import GitLabWorld
from support.gitserver import GitServer
from support.lab import chart, rules
from support.world import RULES, World
from support.world import chart as chart_for_dev

from updater.cli import show

IRIS = "registry.example.com/iris"
DEV = "charts/iris/values-dev.yaml"
FREEZE = "    freeze: {from: '2020-01-01', until: '2999-01-01', reason: the audit}\n"
ME = getpass.getuser()


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config repo where develop-102 was taken back from dev, and master-101 waits for prod.

    What people committed is of 2023, what the updater did of now.
    """
    charts = {**chart("iris"), **chart("rose")}
    made = make_bare(tmp_path_factory.mktemp("lived"), {".updater/rules.yaml": rules(), **charts})
    first = ("update", f"{IRIS}:develop-101", "--author", "Kim", "--commit-time", "2026-01-01T09:00:00+09:00")
    for words in (
        first,
        ("update", f"{IRIS}:develop-102"),
        ("rollback", "iris", "--environment", "dev", "--reason", "it is blank"),
        ("update", f"{IRIS}:master-101"),
    ):
        assert run(made, *words).code == 0
    return made


def run(bare: Path, *words: str) -> Ran:
    return updater(*words, env={"UPDATER_REPO": str(bare)})


def commits(bare: Path) -> list[str]:
    return git(bare, "log", "--format=%H", "main").split()


# history


def test_history_tells_what_was_deployed_the_newest_first(lived: Path) -> None:
    ran = run(lived, "history", "iris")
    assert (ran.code, ran.err) == (0, "")
    rollback, bad, good, start = (one[:10] for one in commits(lived))
    rows = table(ran.out)
    assert [(one["TAG"], one["WAS"], one["BY"], one["KIND"], one["COMMIT"]) for one in rows] == [
        ("develop-101", "develop-102", ME, "rollback", rollback),
        ("develop-102", "develop-101", ME, "update", bad),
        ("develop-101", "develop-100", "Kim", "update", good),
        ("master-100", "(none)", "A Person", "by-hand", start),
        ("develop-100", "(none)", "A Person", "by-hand", start),
    ]
    assert [one["NOTES"] for one in rows[:3]] == [
        f"takes back {bad}; it is blank",
        f"taken back by {rollback}",
        "-",
    ]
    assert {one["CHART"] for one in rows} == {"iris"}
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} UTC", rows[0]["WHEN"])
    assert len(rows[0]["REQUEST"]) == 26
    assert not {"IMAGE", "MERGE REQUEST"} & set(rows[0])


def test_history_is_narrowed_by_place_image_time_and_number(lived: Path) -> None:
    def tags(*words: str) -> list[str]:
        return [one["tag"] for one in json.loads(run(lived, "history", "--json", *words).out)]

    assert tags("--environment", "prod", "--image", IRIS) == ["master-100"]
    assert tags("--since", "2024-01-01") == ["develop-101", "develop-102", "develop-101"]
    assert tags("--since", "4w", "--limit", "1") == ["develop-101"]
    assert tags("iris", "--until", "2024-01-01T00:00:00Z") == ["master-100", "develop-100"]
    nothing = run(lived, "history", "tulip")
    assert nothing.code == 0
    assert "Nothing like that was deployed" in nothing.err


def test_history_for_scripts_is_that_of_the_api(lived: Path) -> None:
    newest, taken_back, *_ = json.loads(run(lived, "history", "--json").out)
    assert newest["commit"] == tip(lived)
    assert newest["reverts"] == [taken_back["commit"]]
    assert taken_back["reverted_by"] == newest["commit"]
    assert (newest["kind"], newest["charts"]) == ("rollback", [{"chart": "iris", "previous": "develop-102"}])


def test_history_names_the_image_where_a_chart_has_several_and_the_branch_of_a_merge(tmp_path: Path) -> None:
    files = chart("iris")
    files[DEV] = f"image: {{tag: develop-100}}\nproxy: {{repository: {IRIS}-proxy, tag: develop-5}}\n"
    bare = make_bare(tmp_path, {".updater/rules.yaml": rules(), **files})
    assert run(bare, "update", f"{IRIS}:master-101").code == 0
    assert run(bare, "proposals", "approve", "prod/iris").code == 0
    rows = table(run(bare, "history").out)
    assert rows[0]["MERGE REQUEST"] != "-"
    assert (rows[0]["TAG"], rows[0]["BY"]) == ("master-101", ME)
    assert {one["IMAGE"] for one in rows} == {IRIS, f"{IRIS}-proxy"}


def test_history_has_figures_of_a_span_of_time(lived: Path) -> None:
    rows = table(run(lived, "history", "--stats").out)
    assert [(one["ENVIRONMENT"], one["CHART"], one["DEPLOYMENTS"], one["FAIL RATE"]) for one in rows] == [
        ("dev", "(all)", "2", "50%"),
        ("dev", "iris", "2", "50%"),
        ("prod", "(all)", "0", "-"),
    ]
    assert re.fullmatch(r"[0-9]+d( [0-9]+h)?", rows[1]["LEAD TIME"])
    assert re.fullmatch(r"[0-9]+[ms]", rows[1]["RESTORE"])
    words = ("history", "iris", "--stats", "--json")
    (told,) = json.loads(run(lived, *words, "--since", "2024-01-01").out)
    assert (told["environment"], told["chart"], told["deployments"]) == ("dev", "iris", 2)
    assert told["lead_times"] == 1
    # What stood there from the first commit on is no deployment.
    assert json.loads(run(lived, *words, "--until", "2024-01-01").out) == []


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (None, "-"),
        (timedelta(days=3, hours=4, minutes=5), "3d 4h"),
        (timedelta(days=3, minutes=5), "3d"),
        (timedelta(hours=5, minutes=7, seconds=59), "5h 7m"),
        (timedelta(minutes=12, seconds=3), "12m"),
        (timedelta(seconds=2), "2s"),
        (timedelta(0), "0s"),
        (-timedelta(hours=1), "-1h"),
    ],
)
def test_spans_of_time_are_told_as_people_say_them(length: timedelta | None, said: str) -> None:
    assert show.span(length) == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["history", "--since", "yesterday"], "how long ago it was (12h, 7d, 4w)"),
        (["history", "--image", f"{IRIS}:develop-1"], "name it without a tag"),
        (["history", "--environment", "devel"], "they know dev, prod"),
        (["status", "--environment", "devel"], "they know dev, prod"),
        (["why", f"{IRIS}:develop-1", "--environment", "devel"], "they know dev, prod"),
        (["why", IRIS], "names no tag"),
        (["why", f"{IRIS}:develop-1", "--data", "/nowhere/at/all"], "/nowhere/at/all"),
    ],
)
def test_a_wrong_question_ends_with_2_and_says_what_to_do(words: list[str], said: str, lived: Path) -> None:
    ran = run(lived, *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


@pytest.mark.parametrize("words", [["history"], ["holds"], ["status"], ["why", f"{IRIS}:develop-1"]])
def test_questions_end_with_4_where_the_remote_is_away(words: list[str], tmp_path: Path) -> None:
    ran = run(tmp_path / "away.git", *words)
    assert (ran.code, ran.out) == (4, "")
    assert "away.git" in ran.err


# status


def test_status_says_since_when_by_whom_and_what_is_in_the_way(lived: Path) -> None:
    ran = run(lived, "status", "iris")
    assert (ran.code, ran.err) == (0, "")
    dev, prod = table(ran.out)
    assert (dev["TAG"], dev["BY"], dev["PLACE"]) == ("develop-101", ME, f"{DEV}:2")
    assert dev["NOTES"] == f"held up to develop-102 by {ME}"
    assert (prod["TAG"], prod["SINCE"], prod["BY"]) == ("master-100", "2023-11-14 22:13 UTC", "A Person")
    assert prod["NOTES"] == "master-101 waits in prod/iris; dev is at develop-101"
    told = json.loads(run(lived, "status", "--environment", "prod", "--json").out)
    assert [(one["chart"], one["origin_tag"]) for one in told["places"]] == [
        ("iris", "develop-101"),
        ("rose", "develop-100"),
    ]
    assert told["places"][0]["waiting"] == [{"tag": "master-101", "name": "prod/iris", "link": ""}]
    assert told["problems"] == []


def test_status_tells_of_a_freeze_once_below_the_table(tmp_path: Path) -> None:
    text = rules(more=FREEZE)
    bare = make_bare(tmp_path, {".updater/rules.yaml": text, **chart("iris"), **chart("rose")})
    out = run(bare, "status", "--environment", "prod").out
    assert out.count("nothing goes out now, see below") == 2
    assert out.count("the audit") == 1
    assert out.splitlines()[-1].startswith("What is sent now waits for prod, which is frozen")


def test_status_of_a_folder_has_the_same_form_with_what_nobody_knows_left_empty(lived: Path) -> None:
    folder = lived.parent / "clone"
    git(lived.parent, "clone", "-q", str(lived), str(folder))
    ran = updater("status", "iris", "--worktree", str(folder))
    assert (ran.code, ran.err) == (0, "")
    assert list(table(ran.out)[0]) == ["ENVIRONMENT", "CHART", "IMAGE", "TAG", "PLACE"]
    told = json.loads(updater("status", "iris", "--worktree", str(folder), "--json").out)
    remote = json.loads(run(lived, "status", "iris", "--json").out)
    assert [one.keys() for one in told["places"]] == [one.keys() for one in remote["places"]]
    assert (told["places"][0]["tag"], told["places"][0]["since"]) == ("develop-101", None)
    assert updater("status", "--environment", "lab", "--worktree", str(folder)).code == 2
    missing = updater("status", "tulip", "--worktree", str(folder))
    assert "No image was found in a chart 'tulip'" in missing.err


def test_status_shows_what_stands_where_gitlab_lets_nobody_in(tmp_path: Path) -> None:
    make_bare(tmp_path / "ops", {".updater/rules.yaml": rules(), **chart("iris")})
    with GitServer(tmp_path, token=None) as server:
        ran = updater("status", env={"UPDATER_REPO": server.url("ops/config.git")})
    assert ran.code == 0
    assert [one["TAG"] for one in table(ran.out)] == ["develop-100", "master-100"]
    assert "warning: There is no token for http://127.0.0.1:" in ran.err


def test_status_links_the_merge_request_that_waits(tmp_path: Path) -> None:
    bare = make_bare(tmp_path, {".updater/rules.yaml": rules(), **chart("iris")})
    with GitLabWorld(bare) as world:
        env = {"UPDATER_REPO": world.git_url, "UPDATER_REPO_TOKEN": world.token}
        assert updater("update", f"{IRIS}:master-101", env=env).code == 0
        told = json.loads(updater("status", "--environment", "prod", "--json", env=env).out)
    (waiting,) = told["places"][0]["waiting"]
    assert waiting["link"] == f"{world.url}/ops/config/-/merge_requests/1"


# why


def test_why_says_what_took_a_build_back_and_what_would_become_of_it(lived: Path) -> None:
    ran = run(lived, "why", f"{IRIS}:develop-102")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"{IRIS}:develop-102 does not stand in dev. There stands develop-101")
    assert f"taken back by commit {tip(lived)[:10]}" in ran.out
    assert "it is blank" in ran.out
    assert ran.out.count("\n") == 1
    (told,) = json.loads(run(lived, "why", f"{IRIS}:develop-102", "--environment", "dev", "--json").out)
    assert (told["stands"], told["outcome"], told["requests"]) == (False, "held", [])
    assert told["text"] == ran.out.strip()


def test_why_has_a_paragraph_for_each_environment_it_concerns(tmp_path: Path) -> None:
    text = rules().replace("master-(?P<build>", "develop-(?P<build>")
    files = {".updater/rules.yaml": text, **chart("iris", "develop-100", "develop-90")}
    bare = make_bare(tmp_path, files)
    prod, dev = run(bare, "why", f"{IRIS}:develop-100").out.rstrip("\n").split("\n\n")
    assert dev.startswith(f"{IRIS}:develop-100 stands in dev: ")
    assert prod.startswith(f"{IRIS}:develop-100 does not stand in prod. ")
    assert prod.endswith("it would be proposed.")
    assert "request" not in dev


def test_why_tells_of_requests_where_it_is_given_the_servers_folder(tmp_path: Path) -> None:
    with World(tmp_path, {".updater/rules.yaml": RULES, **chart_for_dev("iris")}) as world:
        asked = world.ci_builds("iris:develop-101")
        world.settle_all()
        env = {"UPDATER_REPO": str(world.bare)}
        data = str(tmp_path / "data")
        ran = updater("why", f"{IRIS}:develop-101", "--data", data, env=env)
        assert "The one request for it there, of 2026-11-22 12:00 UTC, is committed" in ran.out
        words = ("why", f"{IRIS}:develop-101", "--json")
        (told,) = json.loads(updater(*words, env={**env, "UPDATER_DATA": data}).out)
        assert [one["id"] for one in told["requests"]] == [asked]
        unknown = updater("why", f"{IRIS}:develop-100", "--data", data, env=env)
        assert "No request for it is known here." in unknown.out


def test_questions_see_what_a_person_changed_by_hand(lived: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(lived), "copy.git")
    bare = tmp_path / "copy.git"
    commit = commit_as_person(bare, {DEV: "image:\n  tag: develop-300\n"}, "By hand")
    (row, *_) = table(run(bare, "history", "--limit", "1").out)
    assert (row["TAG"], row["KIND"], row["COMMIT"]) == ("develop-300", "by-hand", commit[:10])
    assert "A Person (By hand)" in run(bare, "why", f"{IRIS}:develop-300").out
