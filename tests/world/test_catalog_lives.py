"""Any order of builds, promotions, rollbacks and people's versions: Rancher lists all that stands in Git.

After every commit of every branch both readers of Rancher take the whole tree, no version falls or is changed
after it was published, and each new one is an upgrade that Rancher's old UI offers.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from support import rancher_index, rancher_legacy
from support.acts import KIM
from support.barerepo import fsck, git
from support.examples import CATALOG, read
from support.world import World

from updater.errors import ActRefused
from updater.model import OutcomeKind

REGISTRY = "docker-registry.example.com"
IMAGES = {"iris": "iris", "updater": "gitops-updater"}
KEEP = 2
CHARTS = st.sampled_from(sorted(IMAGES))
PREFIXES = {"dev": "develop", "prod": "main"}
BRANCHES = {"dev": "dev", "prod": "main"}
ENVIRONMENTS = st.sampled_from(sorted(BRANCHES))
# Around the builds of the example: some are older than what stands there.
BUILDS = st.integers(52635, 52650)


def example() -> dict[str, str]:
    """The catalog's files; prod also takes promotions, and few versions stay."""
    files = {
        str(path.relative_to(CATALOG)): path.read_text() for path in CATALOG.rglob("*") if path.is_file()
    }
    rules = files[".updater/rules.yaml"].replace("keep: 10", f"keep: {KEEP}")
    assert rules.count(f"keep: {KEEP}") == 2
    return files | {".updater/rules.yaml": f"{rules}    promote-from: dev\n"}


def flat() -> dict[str, str]:
    """The same charts without folders of versions: each version takes the place of the one before."""
    files = example()
    rules = files[".updater/rules.yaml"].replace(
        f", directory: true, app-version: true, keep: {KEEP}", ", app-version: true"
    )
    rules = "version: patch".join(rules.rsplit("version: build", 1))
    assert (rules.count("directory"), rules.count("patch"), rules.count("version: build")) == (0, 1, 1)
    newest = ("charts/iris/0.1.52640/", "charts/updater/0.1.52480/")
    moved = {
        f"{home.rsplit('/', 2)[0]}/{path.removeprefix(home)}": text
        for path, text in files.items()
        for home in newest
        if path.startswith(home)
    }
    return {"README.md": files["README.md"], ".updater/rules.yaml": rules} | moved


@dataclass
class Shelf:
    """What Rancher has seen of one branch: every version ever, by chart, with the id of its folder."""

    published: dict[tuple[str, str], str] = field(default_factory=dict)
    standing: dict[str, list[str]] = field(default_factory=dict)
    commit: str = ""


class Rancher:
    """Looks at every commit of every branch, as a Rancher would that never sleeps."""

    def __init__(self, bare: Path, tree: Path, *, immutable: bool) -> None:
        self.bare, self.tree, self.immutable = bare, tree, immutable
        self.shelves: dict[str, Shelf] = {}
        git(bare, "worktree", "add", "-q", "--detach", str(tree), "main")

    def look(self) -> None:
        for branch in BRANCHES.values():
            shelf = self.shelves.setdefault(branch, Shelf())
            span = f"{shelf.commit}..{branch}" if shelf.commit else f"{branch}"
            for commit in git(self.bare, "rev-list", "--first-parent", "--reverse", span).split():
                self.sees(shelf, commit)
        for line in git(self.bare, "for-each-ref", "--format=%(objectname)", "refs/heads/updater").split():
            # What is proposed is judged after what it was proposed for, and forgotten again.
            scratch = Shelf(dict(self.shelves["main"].published))
            self.sees(scratch, f"{line}^")
            self.sees(scratch, line)

    def sees(self, shelf: Shelf, commit: str) -> None:
        """Judge one tree after the one that was seen before it."""
        git(self.tree, "checkout", "-q", "--detach", commit)
        catalog = rancher_legacy.sync(self.tree, "config-prod")
        assert catalog.complaints == []
        index = rancher_index.build(self.tree)
        assert {name: set(found) for name, found in catalog.entries.items()} == {
            name: set(found) for name, found in index.items()
        }
        for name, found in index.items():
            self.versions_rise(shelf, commit, name, sorted(found, key=number))
        assert shelf.standing.keys() <= index.keys(), "a chart has gone"
        shelf.standing, shelf.commit = (
            {name: sorted(found, key=number) for name, found in index.items()},
            commit,
        )

    def versions_rise(self, shelf: Shelf, commit: str, name: str, found: list[str]) -> None:
        before = shelf.standing.get(name, [])
        if self.immutable and set(found) - set(before) and before and self.is_the_updaters(commit):
            assert len(found) <= KEEP, "old versions stay for ever"
        for version in found:
            home = f"charts/{name}/{version}" if self.immutable else f"charts/{name}"
            content = git(self.tree, "rev-parse", f"{commit}:{home}")
            known = shelf.published.setdefault((name, version), content)
            assert content == known, f"{name} {version} is two things"
            assert not before or version in before or rancher_legacy.upgrade_is_offered(before[-1], version)
            self.is_of_one_piece(self.tree / home)
        gone = [version for version in before if version not in found]
        assert not self.immutable or gone == before[: len(gone)], "the newest went"

    def is_the_updaters(self, commit: str) -> bool:
        return git(self.bare, "show", "-s", "--format=%an", commit) == "Updater"

    def is_of_one_piece(self, home: Path) -> None:
        """The tag stands wherever Rancher reads it."""
        tag = read(home / "values.yaml")["image"]["tag"]
        assert read(home / "Chart.yaml")["appVersion"] == tag
        gate = read(home / "questions.yaml")["questions"][0]
        assert {one["variable"]: one["default"] for one in gate["subquestions"]}["image.tag"] == tag


def number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


class Life(RuleBasedStateMachine):
    immutable: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="updater-test-"))
        self.world = World(self.folder, example() if self.immutable else flat())
        git(self.world.bare, "branch", "dev", "main")
        self.rancher = Rancher(self.world.bare, self.folder / "look", immutable=self.immutable)

    def teardown(self) -> None:
        fsck(self.world.bare)
        self.world.close()
        shutil.rmtree(self.folder)

    def newest(self, environment: str, name: str) -> str:
        """The folder of the version that counts."""
        branch = BRANCHES[environment]
        if not self.immutable:
            return f"charts/{name}"
        found = git(self.world.bare, "ls-tree", "--name-only", branch, f"charts/{name}/").split()
        return max(found, key=lambda path: number(path.rpartition("/")[2]))

    def tag(self, environment: str, name: str) -> str:
        path = f"{self.newest(environment, name)}/values.yaml"
        return self.world.file(path, BRANCHES[environment]).split("  tag: ")[1].split()[0]

    # Steps

    @rule(environment=ENVIRONMENTS, name=CHARTS, builds=st.lists(BUILDS, min_size=1, max_size=3))
    def builds_come(self, environment: str, name: str, builds: list[int]) -> None:
        for build in builds:
            self.world.ci_builds(f"{REGISTRY}/{IMAGES[name]}:{PREFIXES[environment]}-{build}")
        self.world.settle_all()

    @rule(name=CHARTS)
    def a_person_merges_what_is_proposed(self, name: str) -> None:
        self.decides(self.world.worker.desk.approve, name, head=None)

    @rule(name=CHARTS)
    def a_person_closes_what_is_proposed(self, name: str) -> None:
        self.decides(self.world.worker.desk.close, name, reason="not now")

    def decides(self, act: Any, name: str, **more: Any) -> None:
        """Do it; where the branch moved below what was read, the person looks again and does it then."""
        with contextlib.suppress(ActRefused):
            self.decides_at_once(act, name, **more)
        self.decides_at_once(act, name, **more)

    def decides_at_once(self, act: Any, name: str, **more: Any) -> None:
        ref = f"refs/heads/updater/prod/{name}"
        if git(self.world.bare, "for-each-ref", ref):
            act(f"prod/{name}", caller=KIM, **more)
            self.world.settle_all()

    @rule(name=CHARTS)
    def a_person_promotes(self, name: str) -> None:
        self.world.person_promotes("dev", "prod", name, allow_older=True)
        self.world.settle_all()

    @rule(environment=ENVIRONMENTS, name=CHARTS, to=st.none() | BUILDS)
    def a_person_rolls_back(self, environment: str, name: str, to: int | None) -> None:
        before = self.tag(environment, name)
        tag = f"{PREFIXES[environment]}-{to}" if to else ""
        asked = self.world.person_rolls_back(name, environment, to=tag)
        self.world.settle_all()
        if self.world.outcome(asked).kind is OutcomeKind.COMMITTED:
            assert self.tag(environment, name) != before
            assert self.tag(environment, name) == tag or not tag

    @rule(environment=ENVIRONMENTS, name=CHARTS)
    def a_person_releases(self, environment: str, name: str) -> None:
        self.world.person_releases(name, environment)
        self.world.settle_all()

    @rule(environment=ENVIRONMENTS, name=CHARTS)
    def a_person_changes_the_chart(self, environment: str, name: str) -> None:
        branch, old = BRANCHES[environment], self.newest(environment, name)
        paths = git(self.world.bare, "ls-tree", "-r", "--name-only", branch, f"{old}/").split()
        files = {path.removeprefix(f"{old}/"): self.world.file(path, branch) for path in paths}
        version = files["Chart.yaml"].split("\nversion: ")[1].split()[0]
        major, minor, _ = number(version)
        new = f"{major}.{minor + 1}.0"
        files["Chart.yaml"] = files["Chart.yaml"].replace(f"version: {version}", f"version: {new}", 1)
        files["templates/_helpers.tpl"] += f"{{{{/* {new} */}}}}\n"
        home = f"charts/{name}/{new}" if self.immutable else f"charts/{name}"
        self.world.person_pushes({f"{home}/{path}": text for path, text in files.items()}, branch=branch)

    @rule()
    def time_passes(self) -> None:
        self.world.look_around()
        self.world.settle_all()

    @rule()
    def it_is_started_again(self) -> None:
        self.world.close()
        self.world.open()

    # What always holds

    @invariant()
    def rancher_lists_everything(self) -> None:
        self.rancher.look()


class FlatLife(Life):
    immutable = False


SIZE = settings(
    max_examples=6,
    stateful_step_count=12,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.target),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
Life.TestCase.settings = SIZE
FlatLife.TestCase.settings = SIZE
TestFoldersOfVersions = Life.TestCase
TestVersionsInPlace = FlatLife.TestCase
