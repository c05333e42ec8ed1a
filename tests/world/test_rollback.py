"""Rollbacks of direct deployments: what stands afterwards, what is held, and that it is `git revert`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from support.barerepo import clean_environment, git, log, show
from support.world import RULES, World, chart

from updater.model import Caller, OutcomeKind

HOLDS = ".updater/holds.yaml"
COMMITTED, REFUSED, HELD = OutcomeKind.COMMITTED, OutcomeKind.REFUSED, OutcomeKind.HELD
SUPERSEDED, UNCHANGED = OutcomeKind.SUPERSEDED, OutcomeKind.UNCHANGED


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def deploys(world: World, *tags: str, image: str = "iris") -> None:
    for tag in tags:
        built = world.ci_builds(f"{image}:{tag}")
        world.settle_all()
        assert world.outcome(built).kind is COMMITTED, world.outcome(built).reason


def rolls_back(world: World, **more: object) -> str:
    asked = world.person_rolls_back(**more)  # type: ignore[arg-type]
    world.settle_all()
    return asked


def standing(world: World, name: str = "iris") -> str:
    return world.file(f"charts/{name}/values-dev.yaml").split("tag:")[1].split()[0]


def reverted_tree(world: World, *commits: str, onto: str) -> str:
    """What real `git revert` makes of it, in a work tree of its own."""
    work = world.folder / "work"
    git(world.bare, "worktree", "add", "-q", "--detach", str(work), onto)
    names = {
        f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    for commit in commits:
        subprocess.run(
            ["git", "revert", "--no-edit", commit],
            cwd=work,
            check=True,
            capture_output=True,
            env=clean_environment() | names,
        )
    tree = subprocess.run(
        ["git", "rev-parse", "HEAD^{tree}"], cwd=work, check=True, capture_output=True, text=True
    ).stdout.strip()
    git(world.bare, "worktree", "remove", "--force", str(work))
    return tree


def files(world: World, revision: str) -> Mapping[str, str]:
    """Every file's blob but the holds, by path."""
    lines = git(world.bare, "ls-tree", "-r", revision).splitlines()
    found = {line.partition("\t")[2]: line.split()[2] for line in lines}
    found.pop(HOLDS, None)
    return found


class TestTheLastDeployment:
    def test_it_is_git_revert_and_says_so(self, world: World) -> None:
        deploys(world, "develop-101", "develop-102")
        bad, before = log(world.bare)[0].sha, log(world.bare)[0].sha
        asked = rolls_back(world)
        assert world.outcome(asked).kind is COMMITTED
        assert standing(world) == "develop-101"
        assert files(world, "main") == files(world, reverted_tree(world, bad, onto=before))
        message = log(world.bare)[0].message
        assert message.startswith('Revert "iris develop-102 in dev"\n')
        assert f"This reverts commit {bad}.\n" in message
        assert f"Updater-Reverts: {bad}\n" in message
        assert "Updater-Hold: registry.example.com/iris:develop-102\n" in message

    def test_what_was_taken_back_is_held_with_who_and_why(self, world: World) -> None:
        deploys(world, "develop-101", "develop-102")
        rolls_back(world)
        for tag in ("develop-102", "develop-101"):
            again = world.ci_builds(f"iris:{tag}")
            world.settle_all()
            expected = HELD if tag == "develop-102" else UNCHANGED
            assert world.outcome(again).kind is expected
            if expected is HELD:
                assert "kim keeps develop-102 and older builds out" in world.outcome(again).reason
                assert "it broke" in world.outcome(again).reason
        assert standing(world) == "develop-101"

    def test_a_newer_build_lifts_the_hold_in_the_commit_that_deploys_it(self, world: World) -> None:
        deploys(world, "develop-101", "develop-102")
        rolls_back(world)
        deploys(world, "develop-103")
        assert git(world.bare, "show", "--format=", "--name-only", "main").splitlines() == [
            HOLDS,
            "charts/iris/values-dev.yaml",
        ]
        assert world.file(HOLDS).endswith("holds: []\n")

    def test_asked_for_twice_at_once_it_goes_back_once(self, world: World) -> None:
        deploys(world, "develop-101", "develop-102")
        first, second = world.person_rolls_back(), world.person_rolls_back()
        world.settle_all()
        assert [world.outcome(one).kind for one in (first, second)] == [COMMITTED, COMMITTED]
        assert standing(world) == "develop-101"

    def test_a_second_rollback_goes_one_further_back(self, world: World) -> None:
        deploys(world, "develop-101", "develop-102")
        rolls_back(world)
        rolls_back(world)
        assert standing(world) == "develop-100"
        held = [line.split()[-1] for line in world.file(HOLDS).splitlines() if "build:" in line]
        assert held == ['"develop-102"', '"develop-101"']
        deploys(world, "develop-103")
        assert world.file(HOLDS).endswith("holds: []\n"), "a newer build ends both"

    def test_there_is_nothing_to_take_back_from_a_chart_that_nobody_deployed(self, world: World) -> None:
        asked = rolls_back(world)
        outcome = world.outcome(asked).environments[0]
        assert (outcome.kind, outcome.code) == (REFUSED, "nothing-to-roll-back")

    @pytest.mark.parametrize(
        ("wish", "code", "words"),
        [
            ({"chart": "iriss"}, "no-chart", "did you mean 'iris'?"),
            ({"environment": "prod"}, "unknown-environment", "they know dev"),
            ({"to": "develop-99"}, "never-stood", "develop-99"),
            ({"to": "develop-102"}, "stands-already", "develop-102"),
            ({"commit": "0123456789"}, "no-such-deployment", "0123456789"),
            (
                {"caller": Caller(name="kim", environments=("prod",), acts=("roll-back",))},
                "environment-not-allowed",
                "may not speak for dev",
            ),
            (
                {"caller": Caller(name="kim", images=("registry.example.com/rose",), acts=("roll-back",))},
                "image-not-allowed",
                "registry.example.com/iris",
            ),
        ],
    )
    def test_what_cannot_be_is_refused_in_words(
        self, world: World, wish: dict[str, object], code: str, words: str
    ) -> None:
        deploys(world, "develop-101", "develop-102")
        before = log(world.bare)[0].sha
        outcome = world.outcome(rolls_back(world, **wish)).environments[0]
        assert (outcome.kind, outcome.code) == (REFUSED, code)
        assert words in outcome.reason
        assert log(world.bare)[0].sha == before


class TestBackToATag:
    def test_several_deployments_are_reverted_one_after_the_other(self, world: World) -> None:
        deploys(world, "develop-101", "develop-102", "develop-103")
        newest = [one.sha for one in log(world.bare)[:2]]
        asked = rolls_back(world, to="develop-101")
        assert world.outcome(asked).kind is COMMITTED
        assert standing(world) == "develop-101"
        assert files(world, "main") == files(world, reverted_tree(world, *newest, onto=newest[0]))
        message = log(world.bare)[0].message
        assert message.startswith("Roll back iris in dev\n")
        for commit in newest:
            assert f"This reverts commit {commit}." in message
        assert '"develop-103"' in world.file(HOLDS)

    def test_it_may_be_what_stood_before_the_first_deployment(self, world: World) -> None:
        deploys(world, "develop-101", "develop-102")
        rolls_back(world, to="develop-100")
        assert standing(world) == "develop-100"

    def test_it_may_be_a_commit(self, world: World) -> None:
        deploys(world, "develop-101")
        at = log(world.bare)[0].sha
        deploys(world, "develop-102", "develop-103")
        rolls_back(world, to=at[:10])
        assert standing(world) == "develop-101"


TWO = {".updater/rules.yaml": RULES, **chart("iris"), **chart("rose")}


class TestWhatStandsInTheWay:
    def test_a_later_edit_of_other_lines_stays(self, world: World) -> None:
        path = "charts/iris/values-dev.yaml"
        world.person_pushes({path: world.file(path) + "a: 1\nb: 2\nc: 3\nd: 4\n"})
        deploys(world, "develop-101", "develop-102")
        bad = log(world.bare)[0].sha
        world.person_pushes({path: world.file(path) + "replicas: 2\n"})
        onto = log(world.bare)[0].sha
        assert world.outcome(rolls_back(world)).kind is COMMITTED
        assert files(world, "main") == files(world, reverted_tree(world, bad, onto=onto))
        assert world.file(path).endswith("replicas: 2\n")

    def test_an_edit_beside_the_tag_stops_git_and_not_the_updater(self, world: World) -> None:
        deploys(world, "develop-101", "develop-102")
        path = "charts/iris/values-dev.yaml"
        world.person_pushes({path: world.file(path).replace("image:", "# edited\nimage: # here")})
        with pytest.raises(subprocess.CalledProcessError):
            reverted_tree(world, log(world.bare)[1].sha, onto=log(world.bare)[0].sha)
        assert world.outcome(rolls_back(world)).kind is COMMITTED
        assert world.file(path) == "# edited\nimage: # here\n  tag: develop-101\n"

    def test_a_clash_names_the_file_and_offers_the_tags_alone(self, world: World) -> None:
        path = "charts/iris/values-dev.yaml"
        world.person_pushes({path: "image:\n  tag: develop-102\n  pullPolicy: Always\n"}, "By hand")
        world.person_pushes({path: world.file(path).replace("Always", "Never")})
        outcome = world.outcome(rolls_back(world)).environments[0]
        assert (outcome.kind, outcome.code) == (REFUSED, "rollback-clashes")
        assert path in outcome.reason
        assert "--alone" in outcome.reason
        outcome = world.outcome(rolls_back(world, alone=True)).environments[0]
        assert outcome.kind is COMMITTED
        assert world.file(path) == "image:\n  tag: develop-100\n  pullPolicy: Never\n"

    def test_a_commit_that_moved_other_charts_is_named_with_them(self, tmp_path: Path) -> None:
        shared = chart("rose")
        shared["charts/rose/values.yaml"] = shared["charts/rose/values.yaml"].replace("/rose", "/iris")
        with World(tmp_path, {".updater/rules.yaml": RULES, **chart("iris"), **shared}) as world:
            deploys(world, "develop-101", "develop-102")
            bad = log(world.bare)[0].sha
            outcome = world.outcome(rolls_back(world)).environments[0]
            assert (outcome.kind, outcome.code) == (REFUSED, "rollback-moves-others")
            assert "rose" in outcome.reason
            assert bad[:10] in outcome.reason
            rolls_back(world, alone=True)
            assert (standing(world), standing(world, "rose")) == ("develop-101", "develop-102")
            assert "Updater-Alone: yes" in log(world.bare)[0].message

    def test_by_its_commit_all_its_charts_go_back(self, tmp_path: Path) -> None:
        shared = chart("rose")
        shared["charts/rose/values.yaml"] = shared["charts/rose/values.yaml"].replace("/rose", "/iris")
        with World(tmp_path, {".updater/rules.yaml": RULES, **chart("iris"), **shared}) as world:
            deploys(world, "develop-101", "develop-102")
            bad = log(world.bare)[0].sha
            asked = rolls_back(world, chart="", commit=bad[:12])
            assert world.outcome(asked).kind is COMMITTED, world.outcome(asked).reason
            assert (standing(world), standing(world, "rose")) == ("develop-101", "develop-101")
            assert world.file(HOLDS).count("build:") == 2

    def test_an_older_commit_is_not_taken_out_from_under_a_later_one(self, world: World) -> None:
        deploys(world, "develop-101")
        old = log(world.bare)[0].sha
        deploys(world, "develop-102")
        outcome = world.outcome(rolls_back(world, chart="", commit=old)).environments[0]
        assert (outcome.kind, outcome.code) == (REFUSED, "rollback-overtaken")
        assert log(world.bare)[0].sha[:10] in outcome.reason

    def test_another_charts_deployment_is_left_alone(self, tmp_path: Path) -> None:
        with World(tmp_path, TWO) as world:
            deploys(world, "develop-101", "develop-102")
            deploys(world, "develop-107", image="rose")
            rolls_back(world)
            assert (standing(world), standing(world, "rose")) == ("develop-101", "develop-107")

    def test_a_person_pushes_just_before_and_nothing_is_lost(self, world: World) -> None:
        deploys(world, "develop-101", "develop-102")
        path = "README.md"

        def push_once(moment: str, effect: str) -> None:
            if (moment, effect) == ("before", "push"):
                world.effects.hook = None
                world.person_pushes({path: "hello\n"})

        world.effects.hook = push_once
        rolls_back(world)
        assert standing(world) == "develop-101"
        assert show(world.bare, "main", path) == b"hello\n"


def test_a_digest_goes_back_with_its_tag(tmp_path: Path) -> None:
    digests = [f"sha256:{digit * 64}" for digit in "ab"]
    values = f"image:\n  tag: develop-100\n  digest: {'sha256:' + '0' * 64}\n"
    with World(
        tmp_path, {".updater/rules.yaml": RULES, **chart("iris"), "charts/iris/values-dev.yaml": values}
    ) as world:
        for tag, digest in zip(("develop-101", "develop-102"), digests, strict=True):
            world.ci_builds(f"iris:{tag}", digest=digest)
            world.settle_all()
        for alone in (False, True):
            rolls_back(world, alone=alone)
        assert world.file("charts/iris/values-dev.yaml") == values


def test_with_until_release_a_newer_build_waits_for_a_release(tmp_path: Path) -> None:
    rules = RULES + "    rollback: {hold: until-release}\n"
    with World(tmp_path, {".updater/rules.yaml": rules, **chart("iris")}) as world:
        deploys(world, "develop-101", "develop-102")
        rolls_back(world)
        newer = world.ci_builds("iris:develop-103")
        world.settle_all()
        assert world.outcome(newer).kind is HELD
        released = world.person_releases()
        world.settle_all()
        assert world.outcome(released).kind is COMMITTED
        world.look_around()
        world.tick()
        assert world.outcome(newer).kind is COMMITTED
        assert standing(world) == "develop-103"


def test_an_override_lets_a_held_build_in_and_is_recorded(world: World) -> None:
    deploys(world, "develop-101", "develop-102")
    rolls_back(world)
    asked = world.ci_builds("iris:develop-102", override="it was the database")
    world.settle_all()
    assert world.outcome(asked).kind is COMMITTED
    message = log(world.bare)[0].message
    assert "Updater-Override: yes\nUpdater-Reason: it was the database" in message
    assert standing(world) == "develop-102"
