"""Rollbacks, holds and overrides without a server: what they print, what they change, how they end."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import pytest
from support.barerepo import commit_as_person, git, log, make_bare, show, tip
from support.commandline import Ran, table, updater
from support.lab import chart, rules

IRIS = "registry.example.com/iris"
DEV = "charts/iris/values-dev.yaml"
HOLDS = ".updater/holds.yaml"
FROZEN = "    freeze: {from: '2020-01-01', until: '2999-01-01', reason: the audit}\n"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A config repo where the updater brought develop-101 of iris to dev."""
    made = make_bare(tmp_path, {".updater/rules.yaml": rules(), **chart("iris"), **chart("rose")})
    assert run(made, "update", f"{IRIS}:develop-101").code == 0
    return made


def run(bare: Path, *words: str) -> Ran:
    return updater(*words, env={"UPDATER_REPO": str(bare)})


def freeze_dev(bare: Path) -> None:
    text = rules().replace("  prod:\n", f"{FROZEN}  prod:\n")
    commit_as_person(bare, {".updater/rules.yaml": text}, "Freeze dev")


# rollback


def test_rollback_shows_first_what_would_go_back_and_be_held_and_writes_nothing(bare: Path) -> None:
    before = git(bare, "for-each-ref")
    words = ("rollback", "iris", "--environment", "dev", "--reason", "it is blank", "--dry-run")
    ran = run(bare, *words)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("dev, iris: would be committed. iris goes back in dev: ")
    assert "  note: registry.example.com/iris is held in dev for develop-101 and older builds" in ran.out
    assert "-  tag: develop-101\n+  tag: develop-100\n" in ran.out
    assert f"+++ b/{HOLDS}\n" in ran.out
    told = json.loads(run(bare, *words, "--json").out)
    assert (told["id"], told["outcome"], told["rollback"]["chart"]) == ("", "committed", "iris")
    assert "+  tag: develop-100\n" in told["diff"]
    assert git(bare, "for-each-ref") == before


def test_rollback_reverts_the_last_deployment_and_holds_what_was_taken_back(bare: Path) -> None:
    bad = tip(bare)
    ran = run(bare, "rollback", "iris", "--environment", "dev", "--reason", "it is blank")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("dev, iris: committed. ")
    assert f"  commit: {tip(bare)}\n" in ran.out
    assert show(bare, "main", DEV) == b"image:\n  tag: develop-100\n"
    assert f"Updater-Reverts: {bad}" in log(bare)[0].message
    again = run(bare, "update", f"{IRIS}:develop-101")
    assert again.code == 1
    assert again.out.startswith("dev: held. ")
    assert "it is blank" in again.out
    assert run(bare, "update", f"{IRIS}:develop-102").code == 0
    assert "Nothing is held." in run(bare, "holds").err


def test_rollback_names_what_shall_stand_again_or_what_shall_go(bare: Path) -> None:
    bad = tip(bare)
    assert run(bare, "update", f"{IRIS}:develop-102").code == 0
    foreseen = json.loads(
        run(
            bare, *("rollback", "iris", "--environment", "dev", "--to", "develop-100"), "--dry-run", "--json"
        ).out
    )
    assert "-  tag: develop-102\n+  tag: develop-100\n" in foreseen["diff"]
    overtaken = run(bare, "rollback", "--environment", "dev", "--commit", bad)
    assert overtaken.code == 1
    assert "does not stand in iris in dev any more" in overtaken.out
    ran = run(bare, "rollback", "--environment", "dev", "--commit", tip(bare), "--json")
    assert ran.code == 0
    told = json.loads(ran.out)
    assert "diff" not in told
    assert told["commit"] == tip(bare)
    assert show(bare, "main", DEV) == b"image:\n  tag: develop-101\n"


def test_rollback_takes_back_the_tags_alone_where_a_commit_did_more(bare: Path) -> None:
    files = {DEV: "image:\n  tag: develop-105\n", "notes.md": "More than a tag.\n"}
    commit_as_person(bare, {**files, "charts/rose/values-dev.yaml": "image:\n  tag: develop-105\n"})
    refused = run(bare, "rollback", "iris", "--environment", "dev")
    assert refused.code == 1
    assert "--alone" in refused.out
    assert run(bare, "rollback", "iris", "--environment", "dev", "--alone").code == 0
    assert show(bare, "main", DEV) == b"image:\n  tag: develop-101\n"
    assert show(bare, "main", "notes.md") == b"More than a tag.\n"


def test_rollback_is_proposed_where_the_rules_say_so(bare: Path) -> None:
    assert run(bare, "update", f"{IRIS}:master-101").code == 0
    assert run(bare, "proposals", "approve", "prod/iris").code == 0
    words = ("rollback", "iris", "--environment", "prod", "--reason", "it is blank")
    assert run(bare, *words, "--dry-run").out.startswith("prod, iris: would be proposed. ")
    ran = run(bare, *words)
    assert ran.code == 0
    assert "  proposal: prod/iris (updater proposals show prod/iris)\n" in ran.out
    assert show(bare, "updater/prod/iris", "charts/iris/values-prod.yaml") == b"image:\n  tag: master-100\n"
    assert show(bare, "main", "charts/iris/values-prod.yaml") == b"image:\n  tag: master-101\n"


def test_rollback_and_update_pass_a_freeze_with_a_reason_only(bare: Path) -> None:
    freeze_dev(bare)
    words = ("rollback", "iris", "--environment", "dev", "--reason", "it is blank")
    held = run(bare, *words)
    assert held.code == 1
    assert "which is frozen: the audit" in held.out
    assert "run this again" in held.err
    assert run(bare, *words, "--override").code == 0
    newer = run(bare, "update", f"{IRIS}:develop-102")
    assert newer.code == 1
    assert "the audit" in newer.out
    assert run(bare, "update", f"{IRIS}:develop-102", "--override", "the shop is down").code == 0
    message = log(bare)[0].message
    assert "Updater-Override: yes" in message
    assert "Updater-Reason: the shop is down" in message


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rose", "--environment", "dev"], "Nothing was deployed to rose in dev"),
        (["irsi", "--environment", "dev"], "did you mean 'iris'?"),
        (["iris", "--environment", "devel"], "Did you mean 'dev'?"),
        (["iris", "--environment", "dev", "--to", "develop-7"], "never stood in iris in dev"),
        (["--environment", "dev", "--commit", "1234567"], "updater history --environment dev"),
    ],
)
def test_rollback_ends_with_1_and_says_why_it_cannot_be(words: list[str], said: str, bare: Path) -> None:
    ran = run(bare, "rollback", *words)
    assert ran.code == 1
    assert "refused. " in ran.out
    assert said in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rollback", "--environment", "dev"], "Name the chart to take back, or give --commit"),
        (["rollback", "iris", "--environment", "dev", "--commit", "1234567"], "one of the two"),
        (["rollback", "--environment", "dev", "--commit", "1234567", "--to", "a"], "--to says what shall"),
        (["rollback", "iris", "--environment", "dev", "--override"], "--override needs a --reason"),
        (["rollback", "iris"], "--environment"),
        (["hold", "iris"], "--environment"),
        (["hold", "iris", "--environment", "dev", "--image", f"{IRIS}:develop-1"], "name it without a tag"),
        (["hold", "iris", "--environment", "dev", "--build", f"{IRIS}:develop-1"], "is not a legal tag"),
        (["update", f"{IRIS}:develop-1", "--override", " "], "say why"),
        (["update", f"{IRIS}:develop-1", "--commit-time", "2026-11-22 12:00"], "no time by RFC 3339"),
        (
            [*("promote", "--from", "dev", "--to", "prod", "--all"), "--override", "a", "--reason", "b"],
            "leave out --reason",
        ),
    ],
)
def test_a_wrong_call_ends_with_2_and_says_what_to_do(words: list[str], said: str, tmp_path: Path) -> None:
    ran = run(tmp_path / "away.git", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_rollback_ends_with_4_where_the_remote_is_away(tmp_path: Path) -> None:
    for more in (("--timeout", "0"), ("--dry-run",)):
        ran = run(tmp_path / "away.git", "rollback", "iris", "--environment", "dev", *more)
        assert (ran.code, ran.out) == (4, "")
        assert "away.git" in ran.err


# hold, release, holds


def test_hold_keeps_builds_out_until_they_are_released(bare: Path) -> None:
    ran = run(bare, "hold", "iris", "--environment", "dev", "--reason", "the shop is counting")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("dev, iris: committed. iris in dev is held from now on")
    assert f"  commit: {tip(bare)}\n" in ran.out
    (held,) = table(run(bare, "holds").out)
    assert held.pop("SINCE").endswith(" UTC")
    assert list(held.values()) == [
        *("dev", "iris", "every image", "every build"),
        *("release", getpass.getuser(), "the shop is counting"),
    ]
    assert run(bare, "update", f"{IRIS}:develop-102").code == 1
    done = run(bare, "release", "iris", "--environment", "dev", "--json")
    assert done.code == 0
    assert json.loads(done.out)["hold"]["release"] is True
    assert run(bare, "update", f"{IRIS}:develop-102").code == 0
    nothing = run(bare, "release", "iris", "--environment", "dev")
    assert nothing.code == 0
    assert "unchanged. Nothing like that is held" in nothing.out


def test_hold_of_one_build_of_one_image_is_listed_so_and_ended_alone(bare: Path) -> None:
    both = ("iris", "--environment", "dev", "--image", IRIS, "--build", "develop-200")
    assert run(bare, "hold", *both).code == 0
    assert "held already" in run(bare, "hold", *both).out
    assert run(bare, "hold", "iris", "--environment", "dev").code == 0
    rows = [(one["IMAGE"], one["BUILD"], one["UNTIL"]) for one in table(run(bare, "holds").out)]
    assert rows == [(IRIS, "up to develop-200", "newer build"), ("every image", "every build", "release")]
    assert run(bare, "release", *both).code == 0
    (left,) = json.loads(run(bare, "holds", "--environment", "dev", "--json").out)
    assert (left["image"], left["build"], left["until"], left["commit"]) == ("", "", "release", "")
    assert json.loads(run(bare, "holds", "--environment", "prod", "--json").out) == []
    assert run(bare, "holds", "--environment", "nowhere").code == 2


def test_holds_names_the_commit_by_which_a_person_took_a_build_back(bare: Path) -> None:
    bad = tip(bare)
    message = f'Revert "iris develop-101 in dev"\n\nThis reverts commit {bad}.\n'
    revert = commit_as_person(bare, {DEV: "image:\n  tag: develop-100\n"}, message)
    (held,) = table(run(bare, "holds").out)
    assert (held["BUILD"], held["BY"]) == ("up to develop-101", "A Person")
    assert held["REASON"].startswith(f"revert {revert[:10]}")
    assert run(bare, "release", "iris", "--environment", "dev").code == 0
    assert run(bare, "update", f"{IRIS}:develop-101").code == 0


def test_promote_passes_a_hold_with_a_reason_only(tmp_path: Path) -> None:
    bare = make_bare(tmp_path, {".updater/rules.yaml": rules("commit"), **chart("iris")})
    assert run(bare, "hold", "iris", "--environment", "prod", "--reason", "counting").code == 0
    words = ("promote", "--from", "dev", "--to", "prod", "iris")
    held = run(bare, *words)
    assert held.code == 1
    assert "counting" in held.out
    assert run(bare, *words, "--override", "The shop is down").code == 0
    assert "Updater-Reason: The shop is down" in log(bare)[0].message
    assert show(bare, "main", "charts/iris/values-prod.yaml") == b"image:\n  tag: develop-100\n"
