"""What would undo commits: the very trees that `git revert` makes, and a clash where it says conflict."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.barerepo import (
    Content,
    clean_environment,
    commit_as_person,
    git,
    make_bare,
    rewrite_as_person,
    tip,
)
from support.forges import merge_by_hand
from support.mirrors import FILES, NOW, VALUES, mirrored

from updater.configrepo import ConfigRepo, Draft
from updater.errors import TemporaryError

ROSE = "charts/rose/values.yaml"
LINES = "".join(f"line {number}: something that is not elsewhere\n" for number in range(20))


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare(tmp_path, {**FILES, "long.txt": LINES})


@pytest.fixture
def repo(bare: Path, tmp_path: Path) -> Iterator[ConfigRepo]:
    with mirrored(str(bare), tmp_path / "mirror") as opened:
        yield opened


def _undone(repo: ConfigRepo, bare: Path, *commits: str) -> Mapping[str, bytes | None] | tuple[str, ...]:
    repo.fetch()
    return repo.undone(commits, tip(bare))


def test_a_change_is_undone_and_what_came_later_stays(repo: ConfigRepo, bare: Path) -> None:
    first = commit_as_person(bare, {VALUES: "tag: 2\n", "long.txt": LINES.replace("line 3:", "line three:")})
    commit_as_person(bare, {"long.txt": LINES.replace("line 3:", "line three:") + "more\n", ROSE: "tag: 9\n"})
    assert _undone(repo, bare, first) == {
        VALUES: str(FILES[VALUES]).encode(),
        "long.txt": f"{LINES}more\n".encode(),
    }


def test_what_came_goes_and_what_went_comes_back(repo: ConfigRepo, bare: Path) -> None:
    commit = commit_as_person(bare, {ROSE: None, "new/file": "new\n"})
    assert _undone(repo, bare, commit) == {ROSE: str(FILES[ROSE]).encode(), "new/file": None}


def test_several_are_undone_one_after_the_other(repo: ConfigRepo, bare: Path) -> None:
    chain = [commit_as_person(bare, {VALUES: f"tag: {number}\n"}) for number in range(4)]
    assert _undone(repo, bare, *chain[:0:-1]) == {VALUES: b"tag: 0\n"}
    assert _undone(repo, bare, chain[1]) == (VALUES,)
    assert _undone(repo, bare, chain[3], chain[1]) == (VALUES,)


def test_nothing_is_undone_where_nothing_is_asked_or_left(repo: ConfigRepo, bare: Path) -> None:
    first = commit_as_person(bare, {VALUES: "tag: 2\n"})
    assert _undone(repo, bare) == {}
    commit_as_person(bare, {VALUES: FILES[VALUES]})
    assert _undone(repo, bare, first) == {}


def test_a_change_to_a_file_that_was_renamed_is_undone_where_it_is_now(repo: ConfigRepo, bare: Path) -> None:
    changed = commit_as_person(bare, {"long.txt": LINES.replace("line 3:", "line three:")})
    commit_as_person(bare, {"long.txt": None, "moved.txt": LINES.replace("line 3:", "line three:")})
    assert _undone(repo, bare, changed) == {"moved.txt": LINES.encode()}


def test_a_merge_is_undone_against_its_first_parent(repo: ConfigRepo, bare: Path) -> None:
    git(bare, "branch", "side", "main")
    commit_as_person(bare, {VALUES: "tag: 2\n"}, branch="side")
    commit_as_person(bare, {ROSE: "tag: 9\n"})
    merged = merge_by_hand(bare, "side")
    assert _undone(repo, bare, merged) == {VALUES: str(FILES[VALUES]).encode()}


def test_the_first_commit_is_undone_to_nothing(repo: ConfigRepo, bare: Path) -> None:
    root = tip(bare)
    assert _undone(repo, bare, root) == dict.fromkeys([*FILES, "long.txt"])


def test_a_commit_that_the_tip_does_not_hold_is_refused(repo: ConfigRepo, bare: Path) -> None:
    git(bare, "branch", "side", "main")
    aside = commit_as_person(bare, {VALUES: "tag: 2\n"}, branch="side")
    for strange in (aside, "1" * 40, "main"):
        with pytest.raises(ValueError, match="not all of"):
            _undone(repo, bare, tip(bare), strange)
    with pytest.raises(TemporaryError):
        repo.undone([aside], "1" * 40)


def _odd(bare: Path, entries: Mapping[str, tuple[str, str]]) -> str:
    """Commit `path: (mode, id)` at the root of main; the mode 0 is for gone."""
    listing = dict(line.split("\t")[::-1] for line in git(bare, "ls-tree", "main").splitlines())
    kinds = {"120000": "blob", "160000": "commit", "100755": "blob", "100644": "blob"}
    listing |= {path: f"{mode} {kinds[mode]} {name}" for path, (mode, name) in entries.items() if mode != "0"}
    lines = "".join(
        f"{what}\t{path}\n" for path, what in listing.items() if entries.get(path, ("",))[0] != "0"
    )
    tree = git(bare, "mktree", "--missing", stdin=lines.encode())
    who = ("-c", "user.name=kim", "-c", "user.email=kim@example.com")
    commit = git(bare, *who, "commit-tree", tree, "-p", "main", "-m", "Odd")
    rewrite_as_person(bare, commit)
    return commit


def test_what_contents_cannot_tell_clashes(repo: ConfigRepo, bare: Path) -> None:
    blob = git(bare, "rev-parse", f"main:{VALUES}")
    changes: list[dict[str, tuple[str, str]]] = [
        {"long.txt": ("100755", git(bare, "rev-parse", "main:long.txt"))},
        {"link": ("120000", blob)},
        {"link": ("0", "")},
        {"module": ("160000", "1" * 40)},
        {"long.txt": ("0", "")},
    ]
    for entries in changes:
        assert _undone(repo, bare, _odd(bare, entries)) == tuple(entries)


def test_an_executable_file_is_undone_by_its_contents_and_its_end(repo: ConfigRepo, bare: Path) -> None:
    blob = git(bare, "rev-parse", f"main:{VALUES}")
    made = _odd(bare, {"run.sh": ("100755", blob)})
    assert _undone(repo, bare, made) == {"run.sh": None}
    changed = _odd(bare, {"run.sh": ("100755", git(bare, "rev-parse", f"main:{ROSE}"))})
    assert _undone(repo, bare, changed) == {"run.sh": str(FILES[VALUES]).encode()}


def test_a_name_that_is_no_text_clashes(repo: ConfigRepo, bare: Path) -> None:
    commit = commit_as_person(bare, {"odd\udcff": "x\n"})
    assert _undone(repo, bare, commit) == ("odd\ufffd",)


@pytest.mark.parametrize(("homes", "named"), [(["x", "x"], "x/new"), (["x", "y"], "old/new")])
def test_a_file_whose_folder_went_elsewhere_clashes(
    repo: ConfigRepo, bare: Path, homes: list[str], named: str
) -> None:
    # Where the folder went two ways, Git says conflict and leaves no file unmerged.
    texts = ["".join(f"{number}: line {line} of this file\n" for line in range(9)) for number in range(4)]
    olds: dict[str, Content | None] = {f"old/{number}": text for number, text in enumerate(texts)}
    commit_as_person(bare, {**olds, "old/new": LINES.upper()})
    commit = commit_as_person(bare, {"old/new": None})
    moved = {f"{homes[number % 2]}/{number}": text for number, text in enumerate(texts)}
    commit_as_person(bare, {**dict.fromkeys(olds), **moved})
    assert _undone(repo, bare, commit) == (named,)


def test_undoing_leaves_nothing_that_anybody_sees(repo: ConfigRepo, bare: Path, tmp_path: Path) -> None:
    commit = commit_as_person(bare, {VALUES: "tag: 2\n"})
    repo.fetch()
    refs = git(tmp_path / "mirror", "for-each-ref")
    assert repo.undone([commit], commit) == repo.undone([commit], commit)
    assert git(tmp_path / "mirror", "for-each-ref") == refs


# What a history is generated from: edits of a line, files and folders that come, go and get another name.
_NAMES = ["a/one", "a/two", "a/three", "b/one", "b/deep/one", "c", "d"]
_EDIT = st.tuples(st.just("edit"), st.sampled_from(_NAMES), st.integers(0, 9), st.sampled_from("xyz"))
_ADD = st.tuples(st.just("add"), st.sampled_from(_NAMES), st.integers(0, 2), st.just(""))
_DROP = st.tuples(st.just("drop"), st.sampled_from(_NAMES), st.just(0), st.just(""))
_MOVE = st.tuples(
    st.just("move"), st.sampled_from([*_NAMES, "a", "b"]), st.just(0), st.sampled_from(["e", "b/f", "a/g"])
)
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["main", "main", "side", "merge"]),
        st.lists(st.one_of(_EDIT, _EDIT, _ADD, _DROP, _MOVE), max_size=3),
    ),
    min_size=2,
    max_size=9,
)
_Act = tuple[str, str, int, str]
_Step = tuple[str, list[_Act]]


class _Work:
    """A checkout, in which real Git makes a history and reverts commits of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q", "-b", "main", ".")
        for number, name in enumerate(["a/one", "a/two", "b/one", "c"]):
            self._write(name, number)
        self._commit()
        self.git("branch", "side")

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        who = {
            "GIT_AUTHOR_NAME": "k",
            "GIT_AUTHOR_EMAIL": "k@k",
            "GIT_COMMITTER_NAME": "k",
            "GIT_COMMITTER_EMAIL": "k@k",
        }
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=clean_environment() | who)

    def make(self, steps: Sequence[_Step]) -> None:
        for where, acts in steps:
            if where == "merge":
                if self.git("merge", "-q", "--no-ff", "-m", "Merge", "side").returncode:
                    self.git("merge", "--abort")
                continue
            self.git("checkout", "-q", where)
            for act in acts:
                self._act(*act)
            self._commit()
            self.git("checkout", "-q", "main")

    def _act(self, kind: str, name: str, number: int, word: str) -> None:
        path = self.folder / name
        if kind == "edit" and path.is_file():
            lines = path.read_text().splitlines()
            lines[number % len(lines)] += word
            path.write_text("\n".join(lines) + "\n")
        elif kind == "add" and not path.exists() and not any(part.is_file() for part in path.parents):
            self._write(name, number)
        elif kind == "drop" and path.is_file():
            path.unlink()
        elif kind == "move" and path.exists() and not (self.folder / word).exists():
            self.git("add", "-A")
            self.git("mv", name, word)

    def _write(self, name: str, number: int) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{number}: line {line} of a file\n" for line in range(10)))

    def _commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "m")

    def commits(self) -> dict[str, bool]:
        """Return the commits of main, the newest first, and whether each is a merge."""
        listed = [
            line.split()
            for line in self.git("rev-list", "--topo-order", "--parents", "main").stdout.splitlines()
        ]
        return {one[0]: len(one) > 2 for one in listed}

    def reverted(self, commits: Mapping[str, bool]) -> tuple[str, set[str]]:
        """Revert commits and return the tree, or no tree and what is left unmerged."""
        for commit, is_merge in commits.items():
            mainline = ("-m", "1") if is_merge else ()
            if self.git("revert", "--no-commit", *mainline, commit).returncode:
                return "", set(self.git("diff", "--name-only", "--diff-filter=U").stdout.splitlines())
            self.git("commit", "-q", "--allow-empty", "-m", "Revert")
        return self.git("rev-parse", "HEAD^{tree}").stdout.strip(), set()


@settings(max_examples=60, deadline=None)
@given(steps=_STEPS, choices=st.data())
def test_what_is_undone_is_what_git_revert_makes(
    tmp_path_factory: pytest.TempPathFactory, steps: list[_Step], choices: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("undone")
    (folder / "work").mkdir()
    work = _Work(folder / "work")
    work.make(steps)
    known = work.commits()
    chosen = choices.draw(st.lists(st.sampled_from(list(known)), min_size=1, max_size=4, unique=True))
    commits = {one: is_merge for one, is_merge in known.items() if one in chosen}
    with mirrored(str(folder / "work"), folder / "mirror") as repo:
        base = repo.snapshot("main")
        found = repo.undone(list(commits), base.commit)
        tree, clashing = work.reverted(commits)
        if isinstance(found, tuple):
            assert not tree
            assert found
            assert set(found) == (clashing or set(found))
        else:
            (commit,) = repo.commit(base, [Draft(found, "Undo", NOW)])
            assert git(folder / "mirror", "rev-parse", f"{commit}^{{tree}}") == tree
            paths = git(
                folder / "mirror", "diff-tree", "-r", "-z", "--no-renames", "--name-only", base.commit, commit
            )
            assert set(filter(None, paths.split("\0"))) == found.keys()
