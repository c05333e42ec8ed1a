"""Any order of builds, people's edits, reverts, rollbacks and promotions, on real Git: what always holds.

Nothing of a person is lost, an older build never wins, what was taken back never returns by automation, and
the history tells exactly what the files say happened.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from support.barerepo import clean_environment, fsck, git, log, show
from support.world import RULES, World, chart

from updater.model import OutcomeKind, Question

PROD = """\
  prod:
    files: charts/*/values-prod.yaml
    tags: {pattern: '^release-(?P<build>[0-9]+)$', order: numeric}
    promote-from: dev
"""
CHARTS = st.sampled_from(["iris", "rose"])
BUILDS = st.integers(101, 108)
PLACES = [(environment, name) for environment in ("dev", "prod") for name in ("iris", "rose")]
# Lines between the tag and what people write below it, so that a revert meets no edit of theirs.
APART = "a: 1\nb: 2\nc: 3\nd: 4\n"


def path_of(environment: str, name: str) -> str:
    return f"charts/{name}/values-{environment}.yaml"


def tag_in(content: bytes) -> str:
    return content.split(b"tag: ")[1].split()[0].decode()


def build_of(tag: str) -> int:
    return int(tag.rpartition("-")[2])


def files() -> dict[str, str]:
    found = {".updater/rules.yaml": RULES + PROD, **chart("iris"), **chart("rose")}
    # Both charts use one image, so that one commit moves both.
    found["charts/rose/values.yaml"] = found["charts/iris/values.yaml"]
    for environment, name in PLACES:
        found[path_of(environment, name)] = f"image:\n  tag: develop-100\n{APART}"
    return found


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="updater-test-"))
        self.world = World(self.folder, files())
        # What was taken back and must not return by itself, by chart of dev.
        self.kept_out: dict[str, int] = {}
        self.edits: dict[tuple[str, str], int] = {}

    def teardown(self) -> None:
        fsck(self.world.bare)
        self.world.close()
        shutil.rmtree(self.folder)

    def standing(self, environment: str, name: str) -> str:
        return tag_in(show(self.world.bare, "main", path_of(environment, name)))

    def builds_now(self) -> dict[str, int]:
        return {name: build_of(self.standing("dev", name)) for name in ("iris", "rose")}

    def note(self, before: dict[str, int], *, by_person: bool) -> None:
        for name, old in before.items():
            new = build_of(self.standing("dev", name))
            if by_person and new < old:
                self.kept_out[name] = max(old, self.kept_out.get(name, 0))
            if new > self.kept_out.get(name, 0):
                self.kept_out.pop(name, None)

    # Steps

    @rule(builds=st.lists(BUILDS, min_size=1, max_size=3))
    def builds_come(self, builds: list[int]) -> None:
        before = self.builds_now()
        for build in builds:
            self.world.ci_builds(f"iris:develop-{build}")
        self.world.settle_all()
        self.automation_did_no_harm(before)

    @rule()
    def time_passes(self) -> None:
        before = self.builds_now()
        self.world.look_around()
        self.world.settle_all()
        self.automation_did_no_harm(before)

    def automation_did_no_harm(self, before: dict[str, int]) -> None:
        for name, old in before.items():
            new = build_of(self.standing("dev", name))
            assert new >= old, "an older build won"
            assert new == old or new > self.kept_out.get(name, 0), "what was taken back came again"
        self.note(before, by_person=False)

    @rule(name=CHARTS, build=BUILDS)
    def a_person_writes_a_tag(self, name: str, build: int) -> None:
        before = self.builds_now()
        content = self.world.file(path_of("dev", name))
        old = self.standing("dev", name)
        self.world.person_pushes({path_of("dev", name): content.replace(old, f"develop-{build}")})
        self.note(before, by_person=True)

    @rule(environment=st.sampled_from(["dev", "prod"]), name=CHARTS)
    def a_person_edits_the_file(self, environment: str, name: str) -> None:
        key = (environment, name)
        self.edits[key] = self.edits.get(key, 0) + 1
        path = path_of(*key)
        self.world.person_pushes({path: self.world.file(path) + f"edit{self.edits[key]}: true\n"})

    @rule(back=st.integers(0, 3))
    def a_person_reverts(self, back: int) -> None:
        commits = [one.sha for one in log(self.world.bare)[:-1] if not one.subject.startswith("A person")]
        if back < len(commits):
            before = self.builds_now()
            self.git_revert(commits[back])
            self.note(before, by_person=True)

    def git_revert(self, commit: str) -> None:
        work, bare = self.folder / "work", self.world.bare
        git(bare, "worktree", "add", "-q", "--detach", str(work), "main")
        person = {f"GIT_{who}_NAME": "A Person" for who in ("AUTHOR", "COMMITTER")}
        person |= {f"GIT_{who}_EMAIL": "person@example.com" for who in ("AUTHOR", "COMMITTER")}
        done = subprocess.run(
            ["git", "revert", "--no-edit", commit],
            cwd=work,
            capture_output=True,
            env=clean_environment() | person,
        )
        if done.returncode == 0:
            git(bare, "update-ref", "refs/heads/main", git(work, "rev-parse", "HEAD"))
        git(bare, "worktree", "remove", "--force", str(work))

    @rule(name=CHARTS, alone=st.booleans(), to=st.none() | BUILDS)
    def a_person_rolls_back(self, name: str, alone: bool, to: int | None) -> None:
        before = self.builds_now()
        tip = log(self.world.bare)[0].sha
        asked = self.world.person_rolls_back(name, alone=alone, to=f"develop-{to}" if to else "")
        self.world.settle_all()
        if self.world.outcome(asked).kind is OutcomeKind.COMMITTED:
            assert 'build: "develop-' in self.world.file(".updater/holds.yaml")
            moved = [one for one in before if build_of(self.standing("dev", one)) != before[one]]
            assert moved == [name] or not alone
            if to is not None:
                assert self.standing("dev", name) == f"develop-{to}"
            for one in moved:
                self.kept_out[one] = max(before[one], self.kept_out.get(one, 0))
        else:
            assert log(self.world.bare)[0].sha == tip

    @rule(name=CHARTS)
    def a_person_releases(self, name: str) -> None:
        before = self.builds_now()
        self.kept_out.pop(name, None)
        self.world.person_releases(name)
        self.world.settle_all()
        self.automation_did_no_harm(before)

    @rule()
    def a_person_promotes(self) -> None:
        asked = self.world.person_promotes("dev", "prod", allow_older=True)
        self.world.settle_all()
        if self.world.outcome(asked).kind in (OutcomeKind.COMMITTED, OutcomeKind.UNCHANGED):
            for name in ("iris", "rose"):
                assert self.standing("prod", name) == self.standing("dev", name)

    @rule()
    def it_is_started_again(self) -> None:
        self.world.close()
        self.world.open()

    # What always holds

    @invariant()
    def nothing_of_a_person_is_lost(self) -> None:
        for key, count in self.edits.items():
            content = self.world.file(path_of(*key))
            assert content.endswith("".join(f"edit{one}: true\n" for one in range(1, count + 1)))

    @invariant()
    def the_history_tells_what_happened(self) -> None:
        self.world.now += timedelta(seconds=3)  # what was seen so long ago is looked at again
        told = [
            (one.commit, one.environment, move.chart, move.old, one.tag)
            for one in self.world.worker.accounts.history(Question(limit=10_000))
            for move in one.moves
            if move.old is not None
        ]
        commits = [one.sha for one in log(self.world.bare)]
        happened = [
            (new, environment, name, before, after)
            for new, old in pairwise(commits)
            for environment, name in PLACES
            if (before := tag_in(show(self.world.bare, old, path_of(environment, name))))
            != (after := tag_in(show(self.world.bare, new, path_of(environment, name))))
        ]
        assert sorted(told) == sorted(happened)


Life.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.target),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
TestLife = Life.TestCase
