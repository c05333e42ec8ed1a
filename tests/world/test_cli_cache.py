"""The mirror that commands keep between runs: used again, locked, never in the way, without secrets."""

from __future__ import annotations

import fcntl
import stat
from pathlib import Path

import pytest
from support.barerepo import commit_as_person, make_bare, show
from support.commandline import Ran, updater
from support.gitserver import TOKEN, GitServer
from support.world import RULES, chart

IRIS = "registry.example.com/iris"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare(tmp_path, {".updater/rules.yaml": RULES, **chart("iris")})


def run(bare: Path, cache: Path, *words: str) -> Ran:
    return updater(*words, env={"UPDATER_REPO": str(bare), "UPDATER_CACHE": str(cache)})


def mirrors(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.git"))


def packs(mirror: Path) -> set[str]:
    return {one.name for one in (mirror / "objects" / "pack").glob("*.pack")}


def test_the_mirror_stays_and_the_next_run_fetches_only_what_is_new(bare: Path, tmp_path: Path) -> None:
    cache = tmp_path / "deep" / "cache"
    assert run(bare, cache, "status").code == 0
    (mirror,) = mirrors(cache)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    first = packs(mirror)
    assert len(first) == 1
    commit_as_person(bare, {"charts/iris/values-dev.yaml": "image:\n  tag: develop-105\n"})
    ran = run(bare, cache, "history", "--limit", "1")
    assert "develop-105" in ran.out
    assert packs(mirror) > first
    assert run(bare, cache, "update", f"{IRIS}:develop-106").code == 0
    assert show(bare, "main", "charts/iris/values-dev.yaml") == b"image:\n  tag: develop-106\n"
    assert mirrors(cache) == [mirror]


def test_each_remote_has_a_mirror_of_its_own(bare: Path, tmp_path: Path) -> None:
    other = make_bare(tmp_path, {".updater/rules.yaml": RULES, **chart("rose")}, name="other.git")
    cache = tmp_path / "cache"
    for one, name in ((bare, "iris"), (other, "rose"), (bare, "iris")):
        assert f"charts/{name}/values-dev.yaml" in run(one, cache, "status").out
    assert len(mirrors(cache)) == 2


def test_a_mirror_in_use_is_left_alone_and_the_command_works_all_the_same(bare: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert run(bare, cache, "status").code == 0
    (mirror,) = mirrors(cache)
    before = packs(mirror)
    commit_as_person(bare, {"charts/iris/values-dev.yaml": "image:\n  tag: develop-105\n"})
    with mirror.with_suffix(".lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = run(bare, cache, "status")
    assert (ran.code, ran.err) == (0, "")
    assert "develop-105" in ran.out
    assert packs(mirror) == before
    assert run(bare, cache, "status").code == 0
    assert packs(mirror) > before


def test_a_damaged_mirror_is_made_anew(bare: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert run(bare, cache, "status").code == 0
    (mirror,) = mirrors(cache)
    for pack in (mirror / "objects" / "pack").iterdir():
        pack.chmod(0o600)
        pack.write_bytes(b"torn")
    (mirror / "refs" / "heads" / "stale.lock").write_text("")
    ran = run(bare, cache, "status")
    assert (ran.code, "develop-100" in ran.out) == (0, True)


def test_a_folder_that_cannot_be_used_is_no_reason_to_fail(bare: Path, tmp_path: Path) -> None:
    below_a_file = bare / "HEAD" / "cache"
    assert run(bare, below_a_file, "status").code == 0
    taken = run(bare, bare / "HEAD", "status")
    assert taken.code == 2
    assert "UPDATER_CACHE" in taken.err
    assert "is not a folder" in taken.err


def test_a_command_that_fails_leaves_a_mirror_that_works(bare: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    moved = bare.rename(tmp_path / "away.git")
    assert run(bare, cache, "status").code == 4
    moved.rename(bare)
    assert run(bare, cache, "status").code == 0
    assert run(bare, cache, "status", "--environment", "nowhere").code == 2
    assert run(bare, cache, "status").code == 0


def test_a_mirror_holds_no_credentials(bare: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with GitServer(bare.parent) as server:
        env = {"UPDATER_REPO": server.url(), "UPDATER_REPO_TOKEN": TOKEN, "UPDATER_CACHE": str(cache)}
        env["UPDATER_FORGE"] = "local"
        assert updater("update", f"{IRIS}:develop-101", env=env).code == 0
    assert mirrors(cache)
    for file in (one for one in cache.rglob("*") if one.is_file()):
        assert TOKEN.encode() not in file.read_bytes()
