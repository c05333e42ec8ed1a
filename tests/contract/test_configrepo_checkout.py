"""A checkout compared with its base: whatever way it was cloned, and wherever in it the folder is."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.barerepo import clean_environment, commit_as_person, git, make_bare, tip
from support.files import DictFiles

from updater.configrepo import Checkout
from updater.errors import InvalidSettings, TemporaryError
from updater.folder import Folder

FILES = {
    "charts/iris/values-dev.yaml": "image: {tag: develop-1}\n",
    "charts/iris/values-prod.yaml": "image: {tag: main-1}\n",
    "README.md": "Charts.\n",
    ".gitignore": "*.tgz\n",
}
DEV, PROD = list(FILES)[:2]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare(tmp_path, FILES)


def clone(bare: Path, *options: str, branch: str = "main") -> Path:
    target = bare.parent / f"checkout-{len(list(bare.parent.iterdir()))}"
    command = ["git", "clone", "-q", "-b", branch, *options, f"file://{bare}", str(target)]
    subprocess.run(command, check=True, env=clean_environment())
    return target


@pytest.fixture
def work(bare: Path) -> Path:
    """A checkout of a branch with two commits of its own; main has moved on meanwhile."""
    git(bare, "branch", "work", "main")
    commit_as_person(bare, {DEV: "image: {tag: develop-2}\n"}, "Dev", branch="work")
    commit_as_person(bare, {PROD: None, "charts/iris/new.yaml": "a: 1\n"}, "Prod", branch="work")
    commit_as_person(bare, {"README.md": "More charts.\n"}, "Elsewhere")
    return clone(bare, branch="work")


@pytest.fixture
def checkout(work: Path) -> Iterator[Checkout]:
    with closing(Checkout(work)) as opened:
        yield opened


def test_the_base_is_where_the_checkout_parted_from_a_branch(checkout: Checkout, bare: Path) -> None:
    assert checkout.base("origin/main") == git(bare, "rev-parse", "main~1")
    assert checkout.base(tip(bare, "main")) == git(bare, "rev-parse", "main~1")


def test_the_files_and_commits_are_those_since_the_base(checkout: Checkout) -> None:
    base = checkout.base("origin/main")
    files = checkout.at(base)
    assert files.paths == frozenset(FILES)
    assert files.read(DEV) == FILES[DEV].encode()
    commits = checkout.commits(base)
    assert [one.message for one in commits] == ["Dev", "Prod"]
    changes = checkout.changes([one.commit for one in commits])
    assert [sorted(changes[one.commit]) for one in commits] == [[DEV], ["charts/iris/new.yaml", PROD]]


def test_what_changed_is_seen_committed_or_not_but_no_leftovers_of_builds(
    checkout: Checkout, work: Path
) -> None:
    base = checkout.base("origin/main")
    (work / "README.md").write_text("Changed.\n")
    (work / "charts/iris/fresh.yaml").write_text("")
    (work / "charts/iris/redis.tgz").write_text("")
    now = Folder(work)
    changed = checkout.changed(checkout.at(base), now, base)
    assert changed == {DEV, PROD, "README.md", "charts/iris/new.yaml", "charts/iris/fresh.yaml"}


def test_a_folder_below_the_top_is_compared_by_its_own_names(work: Path) -> None:
    with closing(Checkout(work / "charts")) as below:
        base = below.base("origin/main")
        files = below.at(base)
        assert files.paths == {"iris/values-dev.yaml", "iris/values-prod.yaml"}
        changed = below.changed(files, Folder(work / "charts"), base)
        assert changed == {"iris/values-dev.yaml", "iris/values-prod.yaml", "iris/new.yaml"}
        assert [sorted(files) for files in below.changes([base, below.base("HEAD")]).values()] == [
            ["iris/values-dev.yaml", "iris/values-prod.yaml"],
            ["iris/new.yaml", "iris/values-prod.yaml"],
        ]


def test_a_folder_that_the_base_did_not_have_was_empty_there(work: Path) -> None:
    (work / "more").mkdir()
    (work / "more" / "a.yaml").write_text("a: 1\n")
    with closing(Checkout(work / "more")) as below:
        base = below.base("origin/main")
        assert below.at(base).paths == frozenset()
        assert below.changed(below.at(base), Folder(work / "more"), base) == {"a.yaml"}


def test_a_work_tree_of_another_checkout_is_one_too(work: Path, bare: Path) -> None:
    subprocess.run(
        ["git", "-C", str(work), "worktree", "add", "-q", "--detach", "../tree", "origin/main"],
        check=True,
        env=clean_environment(),
    )
    with closing(Checkout(work.parent / "tree")) as opened:
        assert opened.base("origin/work") == git(bare, "rev-parse", "main~1")


def test_a_shallow_checkout_without_the_base_says_how_to_get_it(work: Path, bare: Path) -> None:
    with closing(Checkout(clone(bare, "--depth=1", branch="work"))) as shallow:
        with pytest.raises(InvalidSettings, match=r"shallow and has no commit .*GIT_DEPTH: 0"):
            shallow.base(tip(bare, "main"))
        assert shallow.base("HEAD") == tip(bare, "work")
    both = clone(bare, "--depth=1", "--no-single-branch", branch="work")
    with closing(Checkout(both)) as shallow, pytest.raises(InvalidSettings, match=r"parted .*GIT_DEPTH: 0"):
        shallow.base("origin/main")


def test_a_checkout_without_the_old_contents_says_how_to_get_them(work: Path, bare: Path) -> None:
    git(bare, "config", "uploadpack.allowFilter", "true")
    partial = clone(bare, "--filter=blob:none", branch="work")
    with closing(Checkout(partial)) as opened:
        shutil.rmtree(bare)
        files = opened.at(opened.base("origin/main"))
        with pytest.raises(TemporaryError, match=r"not whole .*GIT_DEPTH: 0"):
            files.read(DEV)


@pytest.mark.parametrize("name", ["no-such-branch", "--all", "", "HEAD:README.md"])
def test_a_base_that_is_no_commit_is_named(checkout: Checkout, name: str) -> None:
    with pytest.raises(InvalidSettings, match="has no commit"):
        checkout.base(name)


def test_without_a_checkout_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="is in no Git checkout"):
        Checkout(tmp_path)


def test_histories_that_never_met_are_compared_as_they_are(bare: Path) -> None:
    who = ("-c", "user.name=A Person", "-c", "user.email=person@example.com")
    other = git(bare, *who, "commit-tree", "-m", "Anew", "main^{tree}")
    git(bare, "update-ref", "refs/heads/anew", other)
    with closing(Checkout(clone(bare, branch="anew"))) as opened:
        assert opened.base("origin/main") == tip(bare, "main")


def test_an_unchanged_folder_has_no_changes(checkout: Checkout, work: Path) -> None:
    assert checkout.changed(checkout.at(tip_of(work)), Folder(work), tip_of(work)) == frozenset()
    empty = checkout.changed(DictFiles({}), Folder(work), tip_of(work))
    assert empty == Folder(work).paths


def tip_of(work: Path) -> str:
    return git(work / ".git", "rev-parse", "HEAD")
