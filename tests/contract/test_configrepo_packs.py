"""The packs the updater writes: Git itself finds them sound, and makes the same trees."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.gitserver import clean_environment, fsck, git, log, make_bare, show, tip
from support.mirrors import FILES, NOW, VALUES, draft, mirrored

from updater.configrepo import ConfigRepo, Draft, Pushed
from updater.configrepo.objects import Listing, Listings, commit_content, object_id
from updater.configrepo.packing import Pack, delta
from updater.configrepo.process import GitCommands
from updater.configrepo.remote import Environment
from updater.errors import TemporaryError


def _packs(mirror: Path) -> list[Path]:
    return sorted((mirror / "objects/pack").glob("*.pack"))


def _verify(mirror: Path) -> None:
    """Let Git check every pack against its index and every object against the rules."""
    for pack in _packs(mirror):
        git(mirror, "verify-pack", str(pack))
        # Says the same from the pack alone: a new index must be the one written.
        made = pack.with_suffix(".again")
        git(mirror, "index-pack", "--strict", "-o", str(made), str(pack))
        assert made.read_bytes() == pack.with_suffix(".idx").read_bytes()
        made.unlink()
        made.with_suffix(".rev").unlink(missing_ok=True)
    git(mirror, "fsck", "--full", "--strict", "--no-dangling")


def _many(folder: str, count: int) -> dict[str, str]:
    return {f"{folder}/app-{number:04d}.yaml": f"tag: {number}\n" for number in range(count)}


def _depths(mirror: Path, pack: Path) -> list[int]:
    rows = [line.split() for line in git(mirror, "verify-pack", "-v", str(pack)).splitlines()]
    return [int(row[5]) for row in rows if len(row) == 7]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare(tmp_path, FILES)


@pytest.fixture
def repo(bare: Path, tmp_path: Path) -> Iterator[ConfigRepo]:
    with mirrored(str(bare), tmp_path / "mirror") as opened:
        yield opened


def test_a_batch_becomes_one_pack_and_no_loose_objects(repo: ConfigRepo, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    base = repo.snapshot("main")
    before = set(_packs(mirror))
    commits = repo.commit(base, [draft("tag: 2\n"), draft("tag: 3\n"), draft("tag: 2\n")])
    assert len(set(_packs(mirror)) - before) == 1
    assert git(mirror, "count-objects", "-v").startswith("count: 0\n")
    assert git(mirror, "rev-parse", "refs/updater/batch") == commits[-1]
    _verify(mirror)


def test_an_empty_draft_and_one_that_changes_nothing_are_commits_too(repo: ConfigRepo, bare: Path) -> None:
    base = repo.snapshot("main")
    same = repo.snapshot("main").read(VALUES)
    commits = repo.commit(base, [Draft({}, "Nothing", NOW), draft(same, "The same")])
    assert repo.push({"main": (base.commit, commits[-1])}) == {"main": Pushed.LANDED}
    assert [entry.subject for entry in log(bare)] == ["The same", "Nothing", "Start"]
    assert git(bare, "rev-parse", "main^{tree}") == git(bare, "rev-parse", "main~2^{tree}")
    fsck(bare)


def test_a_thousand_drafts_make_short_chains_of_deltas(tmp_path: Path) -> None:
    bare = make_bare(tmp_path, _many("charts", 300))
    mirror = tmp_path / "mirror"
    with mirrored(str(bare), mirror) as repo:
        base = repo.snapshot("main")
        before = set(_packs(mirror))
        drafts = [
            draft(f"tag: new-{n}\n", f"Update {n}", f"charts/app-{n * 7 % 300:04d}.yaml") for n in range(1000)
        ]
        commits = repo.commit(base, drafts)
        (pack,) = set(_packs(mirror)) - before
        depths = _depths(mirror, pack)
        assert len(depths) == 1000
        assert max(depths) <= 10
        assert pack.stat().st_size < 1_000_000
        _verify(mirror)
        assert repo.push({"main": (base.commit, commits[-1])}) == {"main": Pushed.LANDED}
        assert repo.snapshot("main").read("charts/app-0007.yaml") == b"tag: new-901\n"
    assert len(log(bare)) == 1001
    assert show(bare, commits[500], "charts/app-0200.yaml") == b"tag: new-500\n"
    fsck(bare)


def test_a_push_sends_the_changes_of_a_large_folder_and_not_the_folder(tmp_path: Path) -> None:
    bare = make_bare(tmp_path, _many("charts", 3000))
    git(bare, "config", "transfer.unpackLimit", "1")
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        base = repo.snapshot("main")
        before = set(_packs(bare))
        drafts = [draft(f"tag: new-{n}\n", "m", f"charts/app-{n:04d}.yaml") for n in range(20)]
        commits = repo.commit(base, drafts)
        repo.push({"main": (base.commit, commits[-1])})
    (pack,) = set(_packs(bare)) - before
    # One tree of 3,000 entries has over 100,000 bytes; the server adds the one it knew to the pack.
    assert pack.stat().st_size < 150_000
    fsck(bare)


def test_a_batch_goes_on_where_the_last_one_ended(repo: ConfigRepo, bare: Path, tmp_path: Path) -> None:
    for number in range(5):
        base = repo.snapshot("main")
        (commit,) = repo.commit(base, [draft(f"tag: {number}\n")])
        assert repo.push({"main": (base.commit, commit)}) == {"main": Pushed.LANDED}
        rose = "charts/rose/values.yaml"
        assert show(bare, commit, rose) == str(FILES[rose]).encode()
    assert len(log(bare)) == 6
    _verify(tmp_path / "mirror")


# Names that sort apart as file and as folder, need quotes, or look like an entry of a tree.
_NAMES = st.one_of(
    st.sampled_from(['quo"te', "new\nline", "값", "a", "a.b", "a-b", "a0", "100644 a", "\\", "-f", " "]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0/.~"), min_size=1, max_size=12),
).filter(lambda name: not name.lower().strip().startswith("git"))
_PATHS = st.lists(_NAMES, min_size=1, max_size=4).map("/".join)
_MODES = st.sampled_from(["100644", "100644", "100755", "120000", "160000"])
_SUBMODULE = "5" * 40


def _fits(path: str, others: Mapping[str, str]) -> bool:
    return not any(other.startswith(f"{path}/") or path.startswith(f"{other}/") for other in others)


@st.composite
def _repos(draw: st.DrawFn) -> dict[str, str]:
    """Return paths and modes, none of them inside another one; some folders are large."""
    modes = {"values.yaml": "100644"}
    for path in draw(st.lists(_PATHS, max_size=12, unique=True)):
        if _fits(path, modes):
            modes[path] = draw(_MODES)
    crowd = {f"crowd/{number:03d}": "100644" for number in range(draw(st.sampled_from([0, 40, 300])))}
    return modes | (crowd if _fits("crowd", modes) and "crowd" not in modes else {})


def _tree_by_git(bare: Path, base: str, entries: Mapping[str, tuple[str, str]]) -> str:
    """Let Git put `path: (mode, id)` on a tree through an index, as `git add` does."""
    environment = clean_environment() | {"GIT_INDEX_FILE": str(bare / "oracle")}
    lines = b"".join(f"{mode} {name}\t{path}\0".encode() for path, (mode, name) in entries.items())
    commands: list[tuple[list[str], bytes]] = [
        (["read-tree", base] if base else ["read-tree", "--empty"], b""),
        (["update-index", "-z", "--index-info"], lines),
        (["write-tree"], b""),
    ]
    for arguments, stdin in commands:
        done = subprocess.run(
            ["git", "-C", str(bare), *arguments], input=stdin, env=environment, capture_output=True
        )
        assert done.returncode == 0, done.stderr
    return done.stdout.decode().strip()


def _blob(bare: Path, content: bytes) -> str:
    return git(bare, "hash-object", "-w", "--stdin", stdin=content)


def _start(bare: Path, modes: Mapping[str, str]) -> None:
    old = _blob(bare, b"old")
    entries = {path: (mode, _SUBMODULE if mode == "160000" else old) for path, mode in modes.items()}
    tree = _tree_by_git(bare, "", entries)
    start = "person <person@example.com> 1700000000 +0000"
    commit = f"tree {tree}\nauthor {start}\ncommitter {start}\n\nStart\n".encode()
    name = git(bare, "hash-object", "-w", "-t", "commit", "--stdin", stdin=commit)
    git(bare, "update-ref", "refs/heads/main", name)


@settings(max_examples=25, deadline=None)
@given(modes=_repos(), choices=st.data())
def test_every_tree_is_the_one_git_makes(
    tmp_path_factory: pytest.TempPathFactory, modes: dict[str, str], choices: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("trees")
    bare = make_bare(folder)
    _start(bare, modes)
    regular = sorted(path for path, mode in modes.items() if mode.startswith("100"))
    edit = st.dictionaries(st.sampled_from(regular), st.binary(max_size=60), max_size=5)
    edits = choices.draw(st.lists(edit, min_size=1, max_size=8))
    with mirrored(str(bare), folder / "mirror") as repo:
        base = repo.snapshot("main")
        commits = repo.commit(base, [Draft(files, "m", NOW) for files in edits])
        expected = base.commit
        for files, commit in zip(edits, commits, strict=True):
            entries = {path: (modes[path], _blob(bare, content)) for path, content in files.items()}
            expected = _tree_by_git(bare, expected, entries)
            assert git(folder / "mirror", "rev-parse", f"{commit}^{{tree}}") == expected
        _verify(folder / "mirror")
        assert repo.push({"main": (base.commit, commits[-1])}) == {"main": Pushed.LANDED}
    assert git(bare, "rev-parse", "main^{tree}") == expected


@settings(max_examples=50, deadline=None)
@given(
    size=st.integers(1, 70_000),
    changed=st.sets(st.integers(0, 3499)),
    width=st.sampled_from([1, 20, 200]),
)
def test_git_applies_every_delta(
    tmp_path_factory: pytest.TempPathFactory, size: int, changed: set[int], width: int
) -> None:
    bare = make_bare(tmp_path_factory.mktemp("delta"))
    old = os.urandom(size)
    new = bytearray(old)
    places = {place * width for place in changed if (place + 1) * width <= size}
    for place in places:
        new[place : place + width] = os.urandom(width)
    _save_delta(bare, old, bytes(new), places, width)


@pytest.mark.parametrize("size", [1, 0xFFFF, 0x10000, 0x10001, 0xFFFFFF + 700])
def test_git_applies_deltas_of_any_length(bare: Path, size: int) -> None:
    old = os.urandom(20) + bytes(size)
    _save_delta(bare, old, old[:-1] + b"x", {len(old) - 1}, 1)
    _save_delta(bare, b"y" * len(old), b"z" + b"y" * (len(old) - 1), {0}, 1)


def _save_delta(bare: Path, old: bytes, new: bytes, places: set[int], width: int) -> None:
    base, name = object_id("blob", old), object_id("blob", new)
    pack = Pack()
    pack.add("blob", base, old)
    assert pack.add_delta(name, base, delta(new, places, width))
    pack.save(bare / "objects/pack")
    for wanted, content in ((base, old), (name, new)):
        command = ["git", "-C", str(bare), "cat-file", "blob", wanted.hex()]
        assert subprocess.run(command, capture_output=True, check=True).stdout == content


def test_a_chain_of_deltas_ends_before_git_would_break_it(bare: Path) -> None:
    pack = Pack()
    contents = [bytes([number]) + bytes(99) for number in range(60)]
    names = [object_id("blob", content) for content in contents]
    pack.add("blob", names[0], contents[0])
    taken = [
        pack.add_delta(name, names[number], delta(content, {0}, 1))
        for number, (name, content) in enumerate(zip(names[1:41], contents[1:41], strict=True))
    ]
    assert all(taken)
    assert not pack.add_delta(names[41], names[40], delta(contents[41], {0}, 1))
    pack.save(bare / "objects/pack")
    (path,) = [path for path in _packs(bare) if max(_depths(bare, path), default=0) == 40]
    git(bare, "verify-pack", str(path))


def test_an_object_is_written_once(bare: Path) -> None:
    pack = Pack()
    name, other = object_id("blob", b"twice"), object_id("blob", b"Twice")
    assert name not in pack
    for _ in range(2):
        pack.add("blob", name, b"twice")
        assert pack.add_delta(other, name, delta(b"Twice", {0}, 1))
    pack.save(bare / "objects/pack")
    assert "in-pack: 2\n" in git(bare, "count-objects", "-v")


def test_trees_used_long_ago_are_forgotten_and_read_again(tmp_path: Path) -> None:
    files = {f"f{folder}/{number:04d}": str(folder) for folder in range(12) for number in range(4000)}
    bare = make_bare(tmp_path, files)
    listings = Listings(GitCommands(bare, Environment({"GIT_DIR": str(bare)}, {}), ()))
    (root,) = listings.get([listings.root(tip(bare))]).values()
    names = [root.content[start : start + 20] for start in root.places.values()]
    first = [listings.get([name])[name] for name in names]
    assert listings.get(names[-1:])[names[-1]] is first[-1]
    again = listings.get(names[:1])[names[0]]
    assert again is not first[0]
    assert again == first[0]
    listings.git.close()


def test_a_tree_is_read_by_its_entries_and_not_by_what_ids_look_like() -> None:
    trap = b"100644 b\0" + b"y" * 11
    content = b"100644 a\0" + trap + b"100644 b\0" + b"z" * 20
    assert Listing.parse(content).places == {b"a": 9, b"b": 38}


def test_a_commit_has_the_bytes_git_writes(bare: Path) -> None:
    start = "A <a@example.com> 1700000000 +0900"
    tree = git(bare, "rev-parse", "main^{tree}")
    content = commit_content(bytes.fromhex(tree), [tip(bare)], "m\n", author=start, committer=start)
    by_git = git(bare, "hash-object", "-t", "commit", "--stdin", stdin=content)
    assert object_id("commit", content).hex() == by_git


def _truncate_packs(mirror: Path) -> None:
    for pack in _packs(mirror):
        os.truncate(pack, pack.stat().st_size // 2)


def _empty_packs(mirror: Path) -> None:
    for pack in _packs(mirror):
        os.truncate(pack, 0)


def _truncate_indexes(mirror: Path) -> None:
    for index in mirror.glob("objects/pack/*.idx"):
        os.truncate(index, index.stat().st_size // 2)


def _empty_indexes(mirror: Path) -> None:
    for index in mirror.glob("objects/pack/*.idx"):
        os.truncate(index, 0)


def _lose_indexes(mirror: Path) -> None:
    for index in mirror.glob("objects/pack/*.idx"):
        index.unlink()


DAMAGES = [_truncate_packs, _empty_packs, _truncate_indexes, _empty_indexes, _lose_indexes]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("is_pushed", [True, False], ids=["pushed", "not pushed"])
def test_a_pack_cut_short_by_a_crash_does_not_stop_the_next_process(
    bare: Path, tmp_path: Path, damage: Callable[[Path], None], is_pushed: bool
) -> None:
    mirror = tmp_path / "mirror"
    with mirrored(str(bare), mirror) as repo:
        base = repo.snapshot("main")
        repo.close()
        fetched = _packs(mirror)
        (commit,) = repo.commit(base, [draft("tag: lost\n", "Lost")])
        if is_pushed:
            repo.push({"main": (base.commit, commit)})
    aside = tmp_path / "aside"
    aside.mkdir()
    for file in [path for pack in fetched for path in mirror.glob(f"objects/pack/{pack.stem}.*")]:
        file.rename(aside / file.name)
    damage(mirror)
    for file in aside.iterdir():
        file.rename(mirror / "objects/pack" / file.name)
    with mirrored(str(bare), mirror) as repo:
        _land_in_time(repo)
        assert repo.snapshot("main").read(VALUES) == b"tag: kept\n"
    assert [entry.subject for entry in log(bare)] == ["Kept", *(["Lost"] if is_pushed else []), "Start"]
    fsck(bare)


def _land_in_time(repo: ConfigRepo) -> None:
    """Write as the worker does: what is temporary is tried again."""
    for _ in range(4):
        try:
            repo.fetch()
            base = repo.snapshot("main")
            (commit,) = repo.commit(base, [draft("tag: kept\n", "Kept")])
            if repo.push({"main": (base.commit, commit)}) == {"main": Pushed.LANDED}:
                return
        except TemporaryError:
            continue
    raise AssertionError("the mirror did not recover in four rounds")


def test_what_a_crash_left_of_a_pack_is_swept_away(bare: Path, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    with mirrored(str(bare), mirror) as repo:
        repo.fetch()
    before = sorted((mirror / "objects/pack").iterdir())
    (mirror / "objects/pack/tmp_pack-1.pack").write_bytes(b"half")
    (mirror / f"objects/pack/pack-{'1' * 40}.pack").write_bytes(b"no index")
    with mirrored(str(bare), mirror) as repo:
        repo.fetch()
    assert sorted((mirror / "objects/pack").iterdir()) == before


def test_a_mirror_that_cannot_be_written_is_made_anew(repo: ConfigRepo, bare: Path, tmp_path: Path) -> None:
    base = repo.snapshot("main")
    packs = tmp_path / "mirror/objects/pack"
    packs.rename(tmp_path / "mirror/objects/gone")
    with pytest.raises(TemporaryError, match="made anew"):
        repo.commit(base, [draft()])
    _land_in_time(repo)
    assert show(bare, "main", VALUES) == b"tag: kept\n"
