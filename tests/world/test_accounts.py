"""What is where, since when and by whom, and why an image is or is not there; told from Git as it is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.barerepo import commit_as_person, log
from support.lab import chart, rules
from support.world import REGISTRY, World

from updater.errors import InvalidRequest
from updater.model import Caller, ImageReference, Question, Source, StatusRow, Why

KIM = Caller(name="kim", acts=("approve",))
DEV, PROD = "charts/iris/values-dev.yaml", "charts/iris/values-prod.yaml"
FREEZE = "    freeze: {from: '2026-11-22', until: '2026-11-29', reason: holidays}\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, {".updater/rules.yaml": rules(), **chart("iris"), **chart("rose")}) as world:
        yield world


def builds(world: World, *tags: str) -> None:
    for tag in tags:
        world.ci_builds(f"iris:{tag}", source=Source(author="lee"))
        world.settle_all()


def why(world: World, tag: str, environment: str | None = None) -> Why:
    image = ImageReference.parse(f"{REGISTRY}/iris:{tag}")
    (found,) = world.worker.accounts.why(image, environment, has_requests=True)
    return found


def row(world: World, environment: str, name: str = "iris") -> StatusRow:
    (found,) = world.worker.accounts.status(environment, name).rows
    return found


class TestWhy:
    def test_it_stands_there_and_since_when(self, world: World) -> None:
        builds(world, "develop-101")
        told = why(world, "develop-101")
        assert told.stands
        assert told.deployment is not None
        assert told.deployment.commit == log(world.bare)[0].sha
        assert told.text.startswith(
            f"{REGISTRY}/iris:develop-101 stands in dev: commit {log(world.bare)[0].sha[:10]} "
        )
        assert " by lee (iris develop-101 in dev). The one request for it there" in told.text

    def test_a_newer_build_took_its_place(self, world: World) -> None:
        builds(world, "develop-101", "develop-102")
        told = why(world, "develop-101")
        assert (told.stands, told.code) == (False, "newer-stands")
        assert "There stands develop-102 in iris since" in told.text
        assert "It stood there once: commit" in told.text
        assert "an older build is never written over a newer one" in told.text

    def test_nobody_ever_sent_it(self, world: World) -> None:
        told = why(world, "develop-101")
        assert told.text == (
            f"{REGISTRY}/iris:develop-101 does not stand in dev. There stands develop-100 in iris since "
            "2023-11-14 22:13 UTC. Nothing keeps it out: sent now, it would be committed. No request for it "
            "is known here."
        )

    def test_it_is_held(self, world: World) -> None:
        builds(world, "develop-101", "develop-102")
        world.person_rolls_back()
        world.settle_all()
        told = why(world, "develop-102")
        assert told.code == "held-by-hold"
        assert f"taken back by commit {log(world.bare)[0].sha[:10]}" in told.text
        assert "kim keeps develop-102 and older builds out" in told.text
        assert "is committed" in told.text

    def test_a_person_took_it_back_by_hand(self, world: World) -> None:
        builds(world, "develop-101", "develop-102")
        commit = commit_as_person(world.bare, {DEV: "image:\n  tag: develop-101\n"}, "Back to 101")
        told = why(world, "develop-102")
        assert f"A Person took develop-102 back by hand in commit {commit[:10]}" in told.text
        assert "(Back to 101)" in told.text

    def test_the_environment_is_frozen(self, world: World) -> None:
        world.person_pushes({".updater/rules.yaml": rules().replace("  prod:", FREEZE + "  prod:")})
        told = why(world, "develop-101")
        assert "which is frozen until 2026-11-29 00:00 (UTC): holidays" in told.text

    def test_it_waits_in_a_proposal(self, world: World) -> None:
        builds(world, "master-101")
        told = why(world, "master-101")
        assert (told.code, [one.name for one in told.waiting]) == ("already-proposed", ["prod/iris"])
        assert "is proposed for prod already, in updater/prod/iris." in told.text
        assert why(world, "master-102").waiting == ()

    def test_a_person_closed_it(self, world: World) -> None:
        builds(world, "master-101")
        world.worker.desk.close("prod/iris", caller=KIM, reason="not yet")
        assert "kim closed" in why(world, "master-101").text

    def test_no_environment_takes_it(self, world: World) -> None:
        told = why(world, "v1")
        assert told.text.startswith(
            f"{REGISTRY}/iris:v1 does not stand in any environment. No environment takes"
        )

    def test_an_unknown_environment_is_told_with_those_there_are(self, world: World) -> None:
        with pytest.raises(InvalidRequest, match="they know dev, prod"):
            why(world, "develop-101", "stage")


class TestStatus:
    def test_what_stands_since_when_and_by_whom(self, world: World) -> None:
        builds(world, "develop-101")
        told = row(world, "dev")
        assert (told.tag, told.file) == ("develop-101", DEV)
        assert told.deployment is not None
        assert (told.deployment.by, told.deployment.time) == ("lee", world.now)

    def test_where_it_drifts_from_where_it_comes(self, world: World) -> None:
        assert (row(world, "prod").origin, row(world, "prod").origin_tag) == ("dev", "develop-100")
        world.person_promotes("dev", "prod", "iris")
        world.settle_all()
        assert [(one.name, one.tag) for one in row(world, "prod").waiting] == [("prod/iris", "develop-100")]
        world.worker.desk.approve("prod/iris", caller=KIM, head=None)
        assert row(world, "prod").origin_tag is None
        assert row(world, "prod").waiting == ()

    def test_what_is_held_and_what_is_frozen(self, world: World) -> None:
        world.person_pushes({".updater/rules.yaml": rules(more=FREEZE)})
        world.person_holds(environment="prod", build="master-105")
        world.settle_all()
        told = row(world, "prod")
        assert [(one.build, one.by) for one in told.holds] == [("master-105", "kim")]
        assert "frozen until 2026-11-29 00:00 (UTC): holidays" in told.pause
        assert row(world, "dev").pause == ""
        assert row(world, "prod", "rose").holds == ()

    def test_what_cannot_be_looked_at_is_told(self, world: World) -> None:
        builds(world, "develop-101")
        world.person_pushes({".updater/holds.yaml": "holds: nonsense\n"})
        told = world.worker.accounts.status("dev", "iris")
        assert [one.tag for one in told.rows] == ["develop-101"]
        assert world.worker.accounts.history(Question())[0].tag == "develop-101"
        assert "begin each entry with '- '" in told.problems[0]
        assert [one.origin_tag for one in world.worker.accounts.status("prod", "iris").rows] == [
            "develop-101"
        ]


class TestHistory:
    def test_it_needs_no_database(self, world: World, tmp_path: Path) -> None:
        builds(world, "develop-101", "develop-102", "master-101")
        world.worker.desk.approve("prod/iris", caller=KIM, head=None)
        world.person_rolls_back()
        world.settle_all()
        before = world.worker.accounts.history(Question())
        world.close()
        shutil.rmtree(tmp_path / "data")
        world.open()
        assert world.worker.accounts.history(Question()) == before
        newest = before[0]
        assert (newest.kind, newest.by, newest.reason, newest.tag) == (
            "rollback",
            "kim",
            "it broke",
            "develop-101",
        )
        assert before[2].reverted_by == newest.commit
        merged = before[1]
        assert (merged.environment, merged.merge_request, merged.by) == ("prod", "prod/iris", "lee")

    def test_pages_go_on_where_the_last_one_ended(self, world: World) -> None:
        builds(world, "develop-101", "develop-102", "develop-103")
        first = world.worker.accounts.history(Question(environment="dev", chart="iris", limit=2))
        assert [one.tag for one in first] == ["develop-103", "develop-102"]
        rest = Question(environment="dev", chart="iris", before=first[-1].commit)
        assert [one.tag for one in world.worker.accounts.history(rest)] == ["develop-101", "develop-100"]
        with pytest.raises(InvalidRequest, match="No deployment has the commit"):
            world.worker.accounts.history(Question(before="0123456789"))

    def test_holds_are_listed_with_what_people_took_back(self, world: World) -> None:
        builds(world, "develop-101", "develop-102")
        commit = commit_as_person(world.bare, {DEV: "image:\n  tag: develop-101\n"}, "Back")
        world.person_holds(environment="prod", chart="rose")
        world.settle_all()
        by_hand, written = world.worker.accounts.holds()
        assert (by_hand.chart, by_hand.build, by_hand.commit) == ("iris", "develop-102", commit)
        assert (written.environment, written.chart, written.build) == ("prod", "rose", "")
        assert world.worker.accounts.holds("prod") == [written]

    def test_figures_tell_what_was_taken_back_and_how_soon(self, world: World) -> None:
        for tag in ("develop-101", "develop-102"):
            world.ci_builds(f"iris:{tag}", source=Source(committed_at="2026-11-22T11:00:00Z"))
            world.settle_all()
        world.person_rolls_back()
        world.settle_all()
        total, iris = (
            one
            for one in world.worker.accounts.figures(Question(environment="dev"))
            if one.chart in ("", "iris")
        )
        assert total.deployments == iris.deployments == 2
        assert (iris.fail_rate, iris.lead_times) == (0.5, 2)
        assert iris.lead_time is not None
        assert iris.lead_time.total_seconds() == 3600
