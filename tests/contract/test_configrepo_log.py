"""What a history is read from: commits beyond a known one, what each changed, and the files at any."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.barerepo import commit_as_person, git, make_bare, rewrite_as_person, tip
from support.forges import merge_by_hand
from support.mirrors import FILES, NOW, VALUES, draft, mirrored

from updater.configrepo import ConfigRepo, Draft, Pushed
from updater.errors import TemporaryError
from updater.model import Files, Log

ROSE = "charts/rose/values.yaml"
WHO = b"A <a@example.com> 1700000000 +0000"
SIGNATURE = (
    b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQIzBAABCAAdFiEE\n encoding none\n =abcd\n"
    b" -----END PGP SIGNATURE-----\n \n"
)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare(tmp_path, FILES)


@pytest.fixture
def repo(bare: Path, tmp_path: Path) -> Iterator[ConfigRepo]:
    with mirrored(str(bare), tmp_path / "mirror") as opened:
        yield opened


def _raw(
    bare: Path, message: bytes, *, author: bytes = WHO, committer: bytes = WHO, headers: bytes = b""
) -> str:
    """Put a commit of these very bytes on main."""
    tree, parent = git(bare, "rev-parse", "main^{tree}", "main").split()
    head = f"tree {tree}\nparent {parent}\n".encode()
    content = head + b"author " + author + b"\ncommitter " + committer + b"\n" + headers + b"\n" + message
    commit = git(bare, "hash-object", "-w", "--literally", "-t", "commit", "--stdin", stdin=content)
    rewrite_as_person(bare, commit)
    return commit


def _blob(bare: Path, revision: str, path: str) -> str:
    return git(bare, "rev-parse", f"{revision}:{path}")


def test_the_door_is_what_a_history_is_read_from(repo: ConfigRepo, bare: Path) -> None:
    log: Log = repo
    files: Files = log.at(tip(bare))
    assert files.read_many(files.paths).keys() == FILES.keys()
    assert [log.is_own(one) for one in log.commits(tip(bare))] == [False]


def test_all_commits_are_told_parents_first(repo: ConfigRepo, bare: Path) -> None:
    git(bare, "branch", "side", "main")
    side = commit_as_person(bare, {VALUES: "tag: 2\n"}, branch="side")
    main = commit_as_person(bare, {ROSE: "tag: 9\n"})
    merged = merge_by_hand(bare, "side")
    last = commit_as_person(bare, {ROSE: "tag: 10\n"})
    repo.fetch()
    told = [one.commit for one in repo.commits(last)]
    start = git(bare, "rev-parse", "main~3")
    assert (told[0], set(told[1:3]), told[3:]) == (start, {side, main}, [merged, last])
    assert {one.commit for one in repo.commits(last, main)} == {side, merged, last}
    assert [one.commit for one in repo.commits(last, merged)] == [last]
    assert repo.commits(merged, last) == []
    assert repo.commits(side, main) == [one for one in repo.commits(last) if one.commit == side]


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 30])
def test_commits_are_told_alike_however_many_they_are(repo: ConfigRepo, count: int) -> None:
    base = repo.snapshot("main")
    made = repo.commit(base, [draft(f"tag: {number}\n", f"Update {number}\n") for number in range(count)])
    tip = made[-1] if made else base.commit
    assert [one.commit for one in repo.commits(tip, base.commit)] == made
    assert repo.commits(tip, base.commit) == repo.commits(tip)[1:]


def test_a_few_commits_are_told_without_a_process(
    repo: ConfigRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$1" >> "{said}"\nexec "{shutil.which("git")}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    base = repo.snapshot("main")
    commits = repo.commit(base, [draft(f"tag: {number}\n") for number in range(9)])
    repo.push({"main": (base.commit, commits[-1])})
    before = said.read_text()
    assert len(repo.commits(commits[-1], commits[0])) == 8
    assert said.read_text() == before
    assert len(repo.commits(commits[-1], base.commit)) == 9
    assert said.read_text().removeprefix(before).split() == ["log", "log"]


def test_a_since_that_is_not_below_is_no_obstacle(repo: ConfigRepo, bare: Path) -> None:
    git(bare, "branch", "side", "main")
    side = commit_as_person(bare, {VALUES: "tag: 2\n"}, branch="side")
    main = commit_as_person(bare, {ROSE: "tag: 9\n"})
    repo.fetch()
    assert [one.commit for one in repo.commits(main, side)] == [main]


def test_a_since_that_nobody_has_is_a_missing_key_and_harms_nothing(repo: ConfigRepo, bare: Path) -> None:
    before = repo.snapshot("main")
    with pytest.raises(KeyError):
        repo.commits(tip(bare), "1" * 40)
    assert repo.snapshot("main") == before
    with pytest.raises(TemporaryError):
        repo.commits("1" * 40)


# Each beside what `git log` has to do with it.
ODD: dict[str, dict[str, bytes]] = {
    "signed": {"message": b"Signed\n\nNo line end", "headers": SIGNATURE},
    "merge tag": {"message": b"x\n", "headers": b"mergetag object 1\n type commit\n \n words\n" + SIGNATURE},
    "latin-1": {"message": "Größe\n".encode("latin-1"), "headers": b"encoding ISO-8859-1\n"},
    "unknown encoding": {"message": b"\xff\n", "headers": b"encoding none-such\n"},
    "broken bytes": {
        "message": b"\xff\xe2\x82",
        "author": b"K\xe2m <k@x> 1 +0000",
        "committer": b" <\xff> 2 -0130",
    },
    "blanks": {
        "message": b"\n\n  x \n\n\n",
        "author": b"  K \t <k@x> 1 +0000",
        "committer": b"C < c > 1 +0000",
    },
    "no author": {"message": b"", "author": b"<> 1 +0000"},
    "no time": {"message": b"m", "author": b"K <k>", "committer": b"K <k>"},
    "far off": {"message": b"m", "committer": b"K <k> 99999999999999 +0000"},
    "brackets": {"message": b"m", "author": b"K <k> <l> 1 +0000", "committer": b"K <<k> 1 +0000"},
    "a NUL": {"message": b"before\0after\n"},
    "headers in the message": {"message": b"tree 1\nparent 2\n\nencoding x\ngpgsig y\n"},
    "returns": {"message": b"a\r\n\r\nb\r\n", "author": b"K\r <k> 1 +0000"},
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_commit_is_told_alike_both_ways(repo: ConfigRepo, bare: Path, odd: str) -> None:
    start = tip(bare)
    commit = _raw(bare, **ODD[odd])
    repo.fetch()
    (told,) = repo.commits(commit, start)
    assert told == repo.commits(commit)[-1] == repo.commit_of(commit)


def test_what_an_odd_commit_says_is_not_lost(repo: ConfigRepo, bare: Path) -> None:
    start = tip(bare)
    signed, latin, broken, timeless = (
        _raw(bare, **ODD[odd]) for odd in ("signed", "latin-1", "broken bytes", "no time")
    )
    repo.fetch()
    told = {one.commit: one for one in repo.commits(tip(bare), start)}
    assert told[signed].message == "Signed\n\nNo line end"
    assert told[signed].time == datetime.fromtimestamp(1_700_000_000, UTC)
    assert told[latin].message == "Größe"
    assert (told[broken].author, told[broken].committer_email) == ("K\ufffdm", "\ufffd")
    assert told[broken].message == "\ufffd\ufffd"
    assert told[timeless].time == datetime.fromtimestamp(0, UTC)


_LINES = st.binary(max_size=12).map(lambda raw: raw.replace(b"\n", b"").replace(b"\0", b""))


@settings(max_examples=60, deadline=None)
@given(
    message=st.binary(max_size=40),
    name=_LINES,
    email=_LINES,
    headers=st.lists(
        _LINES.map(lambda raw: b"x " + raw + b"\n") | _LINES.map(lambda raw: b" " + raw + b"\n"), max_size=3
    ),
)
def test_any_commit_is_told_alike_both_ways(
    tmp_path_factory: pytest.TempPathFactory, message: bytes, name: bytes, email: bytes, headers: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("told")
    bare = make_bare(folder, {VALUES: "tag: 1\n"})
    start = tip(bare)
    who = name + b" <" + email + b"> 1700000000 +0000"
    commit = _raw(bare, message, author=who, committer=who, headers=b"".join(headers))
    with mirrored(str(bare), folder / "mirror") as repo:
        assert repo.commits(commit, start) == [repo.commit_of(commit)]


def test_changes_are_told_by_the_blobs_on_both_sides(repo: ConfigRepo, bare: Path) -> None:
    start = tip(bare)
    edited = commit_as_person(bare, {VALUES: "tag: 2\n"})
    moved = commit_as_person(bare, {ROSE: None, "new.yaml": FILES[ROSE]})
    empty = commit_as_person(bare, {})
    repo.fetch()
    blobs = {path: _blob(bare, start, path) for path in FILES}
    assert repo.changes([moved, empty, edited, start]) == {
        moved: {ROSE: (blobs[ROSE], None), "new.yaml": (None, blobs[ROSE])},
        empty: {},
        edited: {VALUES: (blobs[VALUES], _blob(bare, edited, VALUES))},
        start: {path: (None, blob) for path, blob in blobs.items()},
    }
    assert repo.changes([]) == {}


def test_a_merge_changes_what_it_brought_into_its_first_parent(repo: ConfigRepo, bare: Path) -> None:
    git(bare, "branch", "side", "main")
    side = commit_as_person(bare, {VALUES: "tag: 2\n"}, branch="side")
    commit_as_person(bare, {ROSE: "tag: 9\n"})
    merged = merge_by_hand(bare, "side")
    repo.fetch()
    both = repo.changes({side, merged})
    assert both[merged] == both[side]
    assert both[side].keys() == {VALUES}


def test_links_submodules_and_odd_names_are_no_files_that_change(repo: ConfigRepo, bare: Path) -> None:
    blob = _blob(bare, "main", VALUES)
    listing = git(bare, "ls-tree", "main") + f"\n120000 blob {blob}\tlink\n160000 commit {'1' * 40}\tmodule"
    tree = git(bare, "mktree", "--missing", stdin=listing.encode() + b"\n")
    who = ("-c", "user.name=kim", "-c", "user.email=kim@example.com")
    odd = git(bare, *who, "commit-tree", tree, "-p", "main", "-m", "Odd")
    rewrite_as_person(bare, odd)
    turned = commit_as_person(bare, {"link": FILES[VALUES], "odd\udcff": "x", 'quo"te\n\t:': FILES[VALUES]})
    repo.fetch()
    assert repo.changes([odd, turned]) == {
        odd: {},
        turned: {"link": (None, blob), 'quo"te\n\t:': (None, blob)},
    }


def test_a_file_whose_mode_alone_changed_has_one_blob_on_both_sides(repo: ConfigRepo, bare: Path) -> None:
    blob = _blob(bare, "main", "charts/iris/Chart.yaml")
    git(bare, "branch", "side", "main")
    listing = git(bare, "ls-tree", "main:charts/iris").replace("100644", "100755", 1)
    inner = git(bare, "mktree", stdin=listing.encode() + b"\n")
    listing = git(bare, "ls-tree", "main:charts").replace(git(bare, "rev-parse", "main:charts/iris"), inner)
    charts = git(bare, "mktree", stdin=listing.encode() + b"\n")
    tree = git(bare, "mktree", stdin=f"040000 tree {charts}\tcharts\n".encode())
    who = ("-c", "user.name=kim", "-c", "user.email=kim@example.com")
    commit = git(bare, *who, "commit-tree", tree, "-p", "main", "-m", "Mode")
    rewrite_as_person(bare, commit)
    repo.fetch()
    assert repo.changes([commit]) == {commit: {"charts/iris/Chart.yaml": (blob, blob)}}


def test_changes_of_a_commit_that_is_missing_are_temporary(repo: ConfigRepo, bare: Path) -> None:
    with pytest.raises(TemporaryError, match="is missing"):
        repo.changes([tip(bare), "1" * 40])
    assert repo.snapshot("main").commit == tip(bare)


def test_the_files_at_any_commit(repo: ConfigRepo, bare: Path) -> None:
    changes = [{f"new-{number}": "x", VALUES: f"tag: {number}\n"} for number in range(8)]
    chain = [tip(bare), *(commit_as_person(bare, files) for files in changes)]
    repo.fetch()
    for number, commit in [*enumerate(chain), *enumerate(chain[:3])]:
        files = repo.at(commit)
        assert files.paths == {*FILES, *(f"new-{below}" for below in range(number))}
        assert files.version(VALUES) == _blob(bare, commit, VALUES)
        assert files.commit == commit
    assert repo.at(chain[1]).read(VALUES) == b"tag: 0\n"
    assert repo.at(tip(bare)).paths == repo.snapshot("main").paths


def test_files_of_commits_between_which_none_came_or_went_share_their_names(
    repo: ConfigRepo, bare: Path
) -> None:
    start = tip(bare)
    commit_as_person(bare, {VALUES: "tag: 2\n"})
    repo.fetch()
    paths = repo.snapshot("main").paths
    assert repo.at(start).paths is paths
    assert repo.at(tip(bare)).paths is paths


def test_the_files_at_a_commit_that_was_not_pushed_yet(repo: ConfigRepo) -> None:
    base = repo.snapshot("main")
    (commit,) = repo.commit(base, [Draft({"new": b"1", ROSE: None}, "m", NOW)])
    assert repo.at(commit).paths == base.paths - {ROSE} | {"new"}
    assert repo.push({"main": (base.commit, commit)}) == {"main": Pushed.LANDED}
    assert repo.snapshot("main").paths == repo.at(commit).paths


@pytest.mark.parametrize("name", ["1" * 40, "main", "HEAD", ""])
def test_the_files_at_a_commit_that_nobody_has_are_a_missing_key(
    repo: ConfigRepo, bare: Path, name: str
) -> None:
    with pytest.raises(KeyError):
        repo.at(name)
    with pytest.raises(KeyError):
        repo.at(git(bare, "rev-parse", "main^{tree}"))
    assert repo.at(tip(bare)).paths == FILES.keys()


def test_a_mirror_made_anew_knows_what_the_remote_has(repo: ConfigRepo, bare: Path, tmp_path: Path) -> None:
    start = tip(bare)
    changed = commit_as_person(bare, {VALUES: "tag: 2\n"})
    repo.fetch()
    assert repo.at(start).read(VALUES) == str(FILES[VALUES]).encode()
    for pack in (tmp_path / "mirror").glob("objects/**/*"):
        if pack.is_file():
            pack.unlink()
    repo.close()
    assert repo.commits(changed, start) == [repo.commit_of(changed)]
    assert repo.changes([changed])[changed].keys() == {VALUES}
    assert repo.undone([changed], changed) == {VALUES: str(FILES[VALUES]).encode()}
