"""The mirror on disk: used again, swept, tidied, and made anew where it is damaged."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gitserver import commit_as_person, git, make_bare, tip
from support.mirrors import FILES, VALUES, mirrored, write

from updater.configrepo import ConfigRepo
from updater.errors import InvalidSettings, TemporaryError


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare(
        tmp_path, FILES, executable={"charts/iris/Chart.yaml"}, symlinks={"latest": "charts/iris"}
    )


@pytest.fixture
def repo(bare: Path, tmp_path: Path) -> Iterator[ConfigRepo]:
    with mirrored(str(bare), tmp_path / "mirror") as opened:
        yield opened


def test_a_mirror_is_used_again_by_the_next_process(bare: Path, tmp_path: Path) -> None:
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        before = repo.snapshot("main").commit
    mark = tmp_path / "mirror" / "left-here"
    mark.touch()
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        assert repo.snapshot("main").commit == before
    assert mark.exists()


def test_locks_of_a_killed_process_do_not_stop_the_next_one(bare: Path, tmp_path: Path) -> None:
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        repo.fetch()
    commit = commit_as_person(bare, {VALUES: "tag: 2\n"})
    (tmp_path / "mirror/refs/remotes/config/main.lock").parent.mkdir(parents=True, exist_ok=True)
    for name in ("refs/remotes/config/main.lock", "packed-refs.lock", "config.lock"):
        (tmp_path / "mirror" / name).touch()
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        assert repo.snapshot("main").commit == commit


def _lose_packs(mirror: Path) -> None:
    for pack in mirror.glob("objects/**/*"):
        if pack.is_file():
            pack.unlink()


def _garble_objects(mirror: Path) -> None:
    for pack in mirror.glob("objects/**/*"):
        if pack.is_file():
            pack.chmod(0o644)
            pack.write_bytes(b"garbage")


def _garble_refs(mirror: Path) -> None:
    (mirror / "packed-refs").write_text("garbage\n")


def _lose_everything(mirror: Path) -> None:
    shutil.rmtree(mirror)


def _garble_config(mirror: Path) -> None:
    (mirror / "config").write_text("[core\n")


@pytest.mark.parametrize(
    "damage",
    [_lose_packs, _garble_objects, _garble_refs, _lose_everything, _garble_config],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("is_restarted", [True, False], ids=["restarted", "running"])
def test_a_damaged_mirror_is_made_anew_without_anybody_asking(
    bare: Path, tmp_path: Path, damage: object, is_restarted: bool
) -> None:
    assert callable(damage)
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        repo.snapshot("main")
        commit = commit_as_person(bare, {VALUES: "tag: 2\n"})
        damage(tmp_path / "mirror")
        if not is_restarted:
            repo.fetch()
            assert _read_in_time(repo) == (commit, b"tag: 2\n")
            return
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        assert _read_in_time(repo) == (commit, b"tag: 2\n")


def _read_in_time(repo: ConfigRepo) -> tuple[str, bytes]:
    """Read as the worker does: what is temporary is tried again."""
    for _ in range(3):
        try:
            snapshot = repo.snapshot("main")
            return snapshot.commit, snapshot.read(VALUES)
        except TemporaryError:
            continue
    raise AssertionError("the mirror did not recover in three rounds")


def test_an_object_lost_under_a_snapshot_is_temporary_and_heals(
    repo: ConfigRepo, bare: Path, tmp_path: Path
) -> None:
    snapshot = repo.snapshot("main")
    repo.close()
    _lose_packs(tmp_path / "mirror")
    with pytest.raises(TemporaryError, match="made anew"):
        snapshot.read(VALUES)
    assert repo.snapshot("main").read(VALUES) == str(FILES[VALUES]).encode()


def test_a_folder_with_something_else_in_it_is_left_alone(bare: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "home"
    theirs.mkdir()
    (theirs / "letter.txt").write_text("dear")
    with mirrored(str(bare), theirs) as repo, pytest.raises(InvalidSettings, match="folder of its own"):
        repo.fetch()
    with mirrored(str(bare), bare) as repo, pytest.raises(InvalidSettings, match="folder of its own"):
        repo.fetch()
    assert (theirs / "letter.txt").read_text() == "dear"
    assert tip(bare)


def test_a_folder_that_cannot_be_made_is_a_wrong_setting(bare: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        mirrored(str(bare), tmp_path / "file/mirror") as repo,
        pytest.raises(InvalidSettings, match="cannot write"),
    ):
        repo.fetch()


def test_a_mirror_with_many_packs_is_tidied_and_loses_nothing(
    repo: ConfigRepo, bare: Path, tmp_path: Path
) -> None:
    for number in range(45):
        old, new = write(repo, f"tag: {number}\n")
        repo.push({"main": (old, new)})
    packs = tmp_path / "mirror/objects/pack"
    before = len(list(packs.glob("*.pack")))
    waiting = write(repo, "tag: waiting\n")
    repo.tidy()
    assert before > 40
    assert len(list(packs.glob("*.pack"))) < 10
    assert repo.snapshot("main").read(VALUES) == b"tag: 44\n"
    repo.push({"main": waiting})
    assert tip(bare) == waiting[1]
    git(tmp_path / "mirror", "fsck", "--full", "--strict", "--no-dangling")


def test_a_few_packs_are_left_as_they_are(repo: ConfigRepo, tmp_path: Path) -> None:
    old, new = write(repo)
    repo.push({"main": (old, new)})
    before = sorted((tmp_path / "mirror/objects/pack").iterdir())
    repo.tidy()
    assert sorted((tmp_path / "mirror/objects/pack").iterdir()) == before
