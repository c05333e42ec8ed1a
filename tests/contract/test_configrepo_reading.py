"""The config repo as it is read: fetch, default branch, snapshots, and recovery of the mirror."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gitserver import commit_as_person, git, make_bare, rewrite_as_person, tip
from support.mirrors import FILES, VALUES, children, draft, mirrored, write

from updater.configrepo import ConfigRepo, Remote
from updater.errors import InvalidConfigRepo


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare(
        tmp_path, FILES, executable={"charts/iris/Chart.yaml"}, symlinks={"latest": "charts/iris"}
    )


@pytest.fixture
def repo(bare: Path, tmp_path: Path) -> Iterator[ConfigRepo]:
    with mirrored(str(bare), tmp_path / "mirror") as opened:
        yield opened


def test_a_snapshot_knows_the_branch_the_commit_and_the_files(repo: ConfigRepo, bare: Path) -> None:
    snapshot = repo.snapshot("main")
    assert (snapshot.branch, snapshot.commit) == ("main", tip(bare))
    assert snapshot.paths == frozenset(FILES)
    assert snapshot.read(VALUES) == str(FILES[VALUES]).encode()
    assert snapshot.version(VALUES) == git(bare, "rev-parse", f"main:{VALUES}")


def test_many_files_are_read_at_once_and_one_by_one_alike(tmp_path: Path) -> None:
    files = {f"charts/a{number}/values.yaml": f"tag: {number % 7}\n" * (number % 50) for number in range(300)}
    make_bare(tmp_path, files)
    with mirrored(str(tmp_path / "config.git"), tmp_path / "mirror") as repo:
        snapshot = repo.snapshot("main")
        contents = snapshot.read_many(snapshot.paths)
        assert contents == {path: content.encode() for path, content in files.items()}
        some = frozenset(sorted(files)[:5])
        assert snapshot.read_many(some) == {path: snapshot.read(path) for path in some}


@pytest.mark.parametrize(
    "content",
    [b"", b"\xef\xbb\xbftag: 1\r\n", b"\x00\xff\n\n", "태그: 아이리스\n".encode(), b"no end", b"x" * 300_000],
)
def test_bytes_come_as_they_are(tmp_path: Path, content: bytes) -> None:
    bare = make_bare(tmp_path, {VALUES: content})
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        snapshot = repo.snapshot("main")
        assert snapshot.read(VALUES) == content
        assert snapshot.read_many(frozenset({VALUES})) == {VALUES: content}


def test_names_with_anything_in_them_are_read(tmp_path: Path) -> None:
    names = ["차트/값.yaml", 'quo"te\\.yaml', "two words/values.yaml", "new\nline.yaml", "tab\there.yaml"]
    bare = make_bare(tmp_path, dict.fromkeys(names, "tag: 1\n"))
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        assert repo.snapshot("main").paths == frozenset(names)


def test_symlinks_submodules_and_names_that_are_not_utf8_are_no_files(repo: ConfigRepo, bare: Path) -> None:
    submodule = f"160000,{tip(bare)},module"
    git(bare, "read-tree", "main")
    git(bare, "update-index", "--add", "--cacheinfo", submodule)
    tree = git(bare, "write-tree")
    commit = git(
        bare,
        "-c",
        "user.name=P",
        "-c",
        "user.email=p@example.com",
        "commit-tree",
        tree,
        "-m",
        "sub",
        "-p",
        "main",
    )
    rewrite_as_person(bare, commit)
    commit_as_person(bare, {b"charts/\xff.yaml".decode("utf-8", "surrogateescape"): "tag: 1\n"})
    assert repo.snapshot("main").paths == frozenset(FILES)


def test_a_file_that_turns_into_a_symlink_leaves_the_snapshot(repo: ConfigRepo, bare: Path) -> None:
    repo.snapshot("main")
    stream = b"commit refs/heads/main\ncommitter P <p@example.com> 1700000100 +0000\ndata 1\nx\n"
    stream += f"from {tip(bare)}\nM 120000 inline {VALUES}\ndata 4\niris\ndone\n".encode()
    git(bare, "fast-import", "--quiet", "--done", stdin=stream)
    repo.fetch()
    assert VALUES not in repo.snapshot("main").paths
    commit_as_person(bare, {VALUES: "tag: 9\n"})
    repo.fetch()
    assert repo.snapshot("main").read(VALUES) == b"tag: 9\n"


def test_the_names_stay_the_same_object_while_no_file_comes_or_goes(repo: ConfigRepo, bare: Path) -> None:
    first = repo.snapshot("main")
    commit_as_person(bare, {VALUES: "tag: 2\n"})
    repo.fetch()
    second = repo.snapshot("main")
    assert second.paths is first.paths
    assert second.version(VALUES) != first.version(VALUES)
    assert second.version("charts/rose/values.yaml") == first.version("charts/rose/values.yaml")
    assert first.read(VALUES) == str(FILES[VALUES]).encode()
    assert second.read(VALUES) == b"tag: 2\n"


def test_files_that_come_and_go_are_seen(repo: ConfigRepo, bare: Path) -> None:
    repo.snapshot("main")
    commit_as_person(bare, {"charts/new/values.yaml": "tag: 1\n", "charts/rose/values.yaml": None})
    repo.fetch()
    expected = frozenset(FILES) - {"charts/rose/values.yaml"} | {"charts/new/values.yaml"}
    assert repo.snapshot("main").paths == expected


def test_a_snapshot_after_a_thousand_own_changes_equals_one_read_afresh(tmp_path: Path) -> None:
    files = {f"c/{number}": "0" for number in range(30)}
    bare = make_bare(tmp_path, files)
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        for start in range(0, 2400, 800):
            base = repo.snapshot("main")
            drafts = [draft(f"{start + n}", path=f"c/{n % 30}") for n in range(800)]
            repo.push({"main": (base.commit, repo.commit(base, drafts)[-1])})
        after = repo.snapshot("main")
        with mirrored(str(bare), tmp_path / "other") as fresh:
            again = fresh.snapshot("main")
            assert after.commit == again.commit
            assert {path: after.version(path) for path in after.paths} == {
                path: again.version(path) for path in again.paths
            }


def test_two_branches_are_read_side_by_side(repo: ConfigRepo, bare: Path) -> None:
    git(bare, "branch", "prod", "main")
    commit_as_person(bare, {VALUES: "tag: prod\n"}, branch="prod")
    assert repo.snapshot("main").read(VALUES) == str(FILES[VALUES]).encode()
    assert repo.snapshot("prod").read(VALUES) == b"tag: prod\n"
    assert repo.snapshot("prod").paths is repo.snapshot("main").paths


def test_a_missing_branch_is_named_with_those_there_are(repo: ConfigRepo, bare: Path) -> None:
    for name in ("production", "zebra"):
        git(bare, "branch", name, "main")
    with pytest.raises(InvalidConfigRepo, match=r"no branch 'producton'; it has production, main, zebra"):
        repo.snapshot("producton")


def test_a_branch_that_is_made_later_is_found(repo: ConfigRepo, bare: Path) -> None:
    with pytest.raises(InvalidConfigRepo):
        repo.snapshot("dev")
    git(bare, "branch", "dev", "main")
    repo.fetch()
    assert repo.snapshot("dev").commit == tip(bare)


def test_a_deleted_branch_is_gone_after_a_fetch(repo: ConfigRepo, bare: Path) -> None:
    git(bare, "branch", "dev", "main")
    repo.snapshot("dev")
    git(bare, "branch", "-D", "dev")
    repo.fetch()
    with pytest.raises(InvalidConfigRepo, match="no branch 'dev'"):
        repo.snapshot("dev")


@pytest.mark.parametrize("branch", ["main", "trunk", "release/1.0"])
def test_the_default_branch_is_what_head_names(tmp_path: Path, branch: str) -> None:
    bare = make_bare(tmp_path, FILES, branch)
    git(bare, "branch", "another", branch)
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        assert repo.default_branch() == branch


def test_a_renamed_default_branch_is_followed(repo: ConfigRepo, bare: Path) -> None:
    assert repo.default_branch() == "main"
    git(bare, "branch", "-m", "main", "trunk")
    git(bare, "symbolic-ref", "HEAD", "refs/heads/trunk")
    repo.fetch()
    assert repo.default_branch() == "trunk"


def test_the_only_branch_is_the_default_where_head_names_none(tmp_path: Path) -> None:
    bare = make_bare(tmp_path, FILES, "main")
    git(bare, "symbolic-ref", "HEAD", "refs/heads/master")
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        assert repo.default_branch() == "main"
        git(bare, "branch", "dev", "main")
        with pytest.raises(InvalidConfigRepo, match="set its default branch"):
            repo.fetch()
        git(bare, "symbolic-ref", "HEAD", "refs/heads/dev")
        repo.fetch()
        assert repo.default_branch() == "dev"


@pytest.mark.parametrize("is_restarted", [True, False], ids=["restarted", "running"])
def test_no_other_branch_takes_the_place_of_a_deleted_default(
    bare: Path, tmp_path: Path, is_restarted: bool
) -> None:
    main = tip(bare)
    git(bare, "branch", "develop", "main")
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        assert repo.default_branch() == "main"
        git(bare, "update-ref", "-d", "refs/heads/main")
        for act in (repo.fetch, repo.fetch, repo.default_branch) if not is_restarted else ():
            with pytest.raises(InvalidConfigRepo, match=r"\(it has develop\): set its default branch\.$"):
                act()
        if not is_restarted:
            git(bare, "update-ref", "refs/heads/main", main)
            assert repo.default_branch() == "main"
            return
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        for act in (repo.default_branch, repo.fetch):
            with pytest.raises(InvalidConfigRepo, match=r"\(it has develop\): set its default branch\.$"):
                act()
        git(bare, "symbolic-ref", "HEAD", "refs/heads/develop")
        assert repo.default_branch() == "develop"


def test_a_head_that_stands_at_no_branch_names_none_even_where_there_is_but_one(
    repo: ConfigRepo, bare: Path
) -> None:
    start = tip(bare)
    commit_as_person(bare, {VALUES: "tag: 2\n"})
    git(bare, "update-ref", "--no-deref", "HEAD", start)
    with pytest.raises(InvalidConfigRepo, match=r"\(it has main\): set its default branch"):
        repo.fetch()


def _irregular(repo: ConfigRepo, *paths: str) -> list[str]:
    snapshot = repo.snapshot("main")
    return [path for path in paths if snapshot.is_irregular(path)]


def test_what_is_no_regular_file_is_told_from_what_is_not_there(tmp_path: Path) -> None:
    links = {"latest": "charts/iris", ".updater": "elsewhere", "rules.yaml": "nowhere"}
    bare = make_bare(tmp_path, FILES, symlinks=links)
    asked = (
        *("latest", "latest/values.yaml", ".updater/rules.yaml", "rules.yaml", "charts/iris"),
        *(VALUES, f"{VALUES}/x", "charts/iris/missing.yaml", "charts/ir", "late", "missing", ""),
    )
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        assert _irregular(repo, *asked) == list(asked[:5])


def test_links_submodules_and_files_that_take_each_others_place_are_followed(
    repo: ConfigRepo, bare: Path
) -> None:
    rules = ".updater/rules.yaml"
    assert _irregular(repo, rules) == []
    blob = git(bare, "hash-object", "-w", "--stdin", stdin=b"elsewhere")
    for mode, name, found in (
        ("120000", blob, [rules]),
        ("100644", blob, []),
        ("160000", tip(bare), [rules]),
        ("100755", blob, []),
        ("120000", blob, [rules]),
    ):
        _commit_entry(bare, mode, name, rules)
        repo.fetch()
        assert _irregular(repo, rules) == found
        old, new = write(repo, f"tag: {mode}\n")
        repo.push({"main": (old, new)})
        assert _irregular(repo, rules) == found
    commit_as_person(bare, {rules: None})
    repo.fetch()
    assert _irregular(repo, rules) == []


def _commit_entry(bare: Path, mode: str, name: str, path: str) -> None:
    """Commit a tree with one more entry of any mode."""
    head = (
        f"commit refs/heads/main\ncommitter A <a@example.com> 1700000000 +0000\ndata 1\nx\nfrom {tip(bare)}\n"
    )
    git(bare, "fast-import", "--quiet", stdin=f"{head}M {mode} {name} {path}\n\n".encode())


def test_an_empty_config_repo_says_so_and_is_read_once_it_has_a_commit(tmp_path: Path) -> None:
    bare = make_bare(tmp_path)
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        for act in (repo.fetch, repo.default_branch, lambda: repo.snapshot("main")):
            with pytest.raises(InvalidConfigRepo, match="has no commits yet: push"):
                act()
        commit_as_person(bare, {VALUES: "tag: 1\n"})
        assert repo.snapshot("main").read(VALUES) == b"tag: 1\n"


def test_a_rewritten_history_is_followed(repo: ConfigRepo, bare: Path) -> None:
    start = tip(bare)
    commit_as_person(bare, {VALUES: "tag: 2\n"})
    repo.snapshot("main")
    rewrite_as_person(bare, start)
    other = commit_as_person(bare, {VALUES: "tag: 3\n"})
    repo.fetch()
    assert repo.snapshot("main").commit == other
    assert repo.snapshot("main").read(VALUES) == b"tag: 3\n"


def test_a_repo_put_in_the_place_of_another_is_followed(repo: ConfigRepo, bare: Path, tmp_path: Path) -> None:
    repo.snapshot("main")
    other = make_bare(tmp_path, {"other/values.yaml": "tag: 1\n"}, "trunk", name="other.git")
    shutil.rmtree(bare)
    other.rename(bare)
    repo.fetch()
    assert repo.default_branch() == "trunk"
    assert repo.snapshot("trunk").paths == {"other/values.yaml"}


def test_git_variables_of_the_caller_do_no_harm(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_bare(tmp_path, {"other": "1"}, name="other.git")
    for name, value in {
        "GIT_DIR": str(other),
        "GIT_INDEX_FILE": "/nowhere/index",
        "GIT_WORK_TREE": "/nowhere",
        "GIT_OBJECT_DIRECTORY": str(other / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "/nowhere",
        "GIT_NAMESPACE": "hidden",
        "GIT_CONFIG_PARAMETERS": "'core.bare'='false'",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "remote.config.url",
        "GIT_CONFIG_VALUE_0": str(other),
        "GIT_AUTHOR_NAME": "Intruder",
        "GIT_COMMITTER_DATE": "1999-01-01T00:00:00Z",
        "GIT_TRACE": "1",
        "GIT_SSH_COMMAND": "false",
    }.items():
        monkeypatch.setenv(name, value)
    before = os.environ["GIT_DIR"]
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        old, new = write(repo)
        repo.push({"main": (old, new)})
    assert tip(bare) == new
    assert "Intruder" not in git(bare, "log", "-1", "--format=%an %cn %cd", "main")
    assert os.environ["GIT_DIR"] == before
    assert git(other, "rev-list", "--all", "--count") == "1"


def test_another_thread_is_refused_until_the_first_one_closed_it(repo: ConfigRepo) -> None:
    repo.fetch()
    problems: list[BaseException] = []

    def read() -> None:
        try:
            repo.snapshot("main")
        except RuntimeError as error:
            problems.append(error)

    for _ in range(2):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
        repo.close()
    assert [str(problem) for problem in problems] == ["a ConfigRepo belongs to the thread that used it first"]


def test_no_process_is_left_behind(bare: Path, tmp_path: Path) -> None:
    before = children()
    for number in range(3):
        with mirrored(str(bare), tmp_path / f"mirror{number}") as repo:
            old, new = write(repo, f"tag: {number}\n")
            repo.snapshot("main").read(VALUES)
            assert children() > before
            repo.push({"main": (old, new)})
    assert children() == before


def test_what_a_branch_contains(repo: ConfigRepo, bare: Path) -> None:
    start = repo.snapshot("main").commit
    second = commit_as_person(bare, {VALUES: "tag: 2\n"})
    assert repo.contains("main", start)
    assert not repo.contains("main", second)
    repo.fetch()
    assert repo.contains("main", start)
    assert repo.contains("main", second)
    assert not repo.contains("gone", start)
    _, made = write(repo)
    assert not repo.contains("main", made)


def test_the_remote_may_move_to_another_address(bare: Path, tmp_path: Path) -> None:
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        repo.fetch()
    moved = bare.rename(tmp_path / "moved.git")
    commit = commit_as_person(moved, {VALUES: "tag: 2\n"})
    with mirrored(Remote(f"file://{moved}"), tmp_path / "mirror") as repo:
        assert repo.snapshot("main").commit == commit
