"""Commits that make and delete files: the folders come and go with them, as Git itself would have it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.gitserver import clean_environment, fsck, git, log, make_bare, show, tip
from support.mirrors import FILES, NOW, VALUES, draft, mirrored

from updater.configrepo import ConfigRepo, Draft, Pushed, Signing, Snapshot

HOLDS = ".updater/holds.yaml"
CHART = "charts/iris/Chart.yaml"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare(
        tmp_path,
        {**FILES, "run.sh": "#!/bin/sh\n"},
        executable={"run.sh"},
        symlinks={"latest": "charts/iris"},
    )


@pytest.fixture
def repo(bare: Path, tmp_path: Path) -> Iterator[ConfigRepo]:
    with mirrored(str(bare), tmp_path / "mirror") as opened:
        yield opened


def _write(message: str = "m", **files: bytes | None) -> Draft:
    return Draft({name.replace("__", "/"): content for name, content in files.items()}, message, NOW)


def _land(repo: ConfigRepo, *drafts: Draft) -> list[str]:
    base = repo.snapshot("main")
    commits = repo.commit(base, drafts)
    assert repo.push({"main": (base.commit, commits[-1])}) == {"main": Pushed.LANDED}
    return commits


def test_a_file_is_made_with_the_folder_it_needs(repo: ConfigRepo, bare: Path) -> None:
    before = repo.snapshot("main").paths
    _land(repo, Draft({HOLDS: b"holds: []\n"}, "Hold", NOW))
    assert show(bare, "main", HOLDS) == b"holds: []\n"
    assert git(bare, "ls-tree", "main", HOLDS).startswith("100644 blob ")
    assert git(bare, "show", "--format=", "--name-status", "main") == f"A\t{HOLDS}"
    assert repo.snapshot("main").paths == before | {HOLDS}
    assert repo.snapshot("main").read(HOLDS) == b"holds: []\n"
    fsck(bare)


def test_a_deleted_file_takes_the_folders_along_that_nothing_is_left_in(repo: ConfigRepo, bare: Path) -> None:
    before = repo.snapshot("main").paths
    _land(repo, Draft({"a/b/c/d": b"1", "a/e": b"2"}, "One", NOW))
    _land(repo, Draft({"a/b/c/d": None}, "Two", NOW))
    assert git(bare, "ls-tree", "-r", "-t", "--name-only", "main", "a").split() == ["a", "a/e"]
    _land(repo, Draft({"a/e": None}, "Three", NOW))
    assert git(bare, "rev-parse", "main^{tree}") == git(bare, "rev-parse", "main~3^{tree}")
    assert repo.snapshot("main").paths == before
    with pytest.raises(KeyError):
        repo.snapshot("main").version("a/e")
    fsck(bare)


def test_the_last_file_leaves_an_empty_commit(tmp_path: Path) -> None:
    bare = make_bare(tmp_path, {VALUES: "tag: 1\n"})
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        commits = _land(repo, Draft({VALUES: None}, "Gone", NOW))
        assert git(bare, "rev-parse", "main^{tree}") == EMPTY_TREE
        assert repo.snapshot("main").paths == frozenset()
        _land(repo, draft("tag: 2\n"))
        assert repo.snapshot("main").read(VALUES) == b"tag: 2\n"
    assert [entry.sha for entry in log(bare)][1] == commits[0]
    fsck(bare)


def test_later_drafts_go_on_with_what_earlier_ones_did(repo: ConfigRepo, bare: Path) -> None:
    commits = _land(
        repo,
        Draft({HOLDS: b"1"}, "Made", NOW),
        Draft({HOLDS: b"2", VALUES: b"tag: 2\n"}, "Edited", NOW),
        Draft({HOLDS: None, CHART: None}, "Deleted", NOW),
        Draft({HOLDS: b"4"}, "Made again", NOW),
    )
    assert [show(bare, commits[at], HOLDS) for at in (0, 1, 3)] == [b"1", b"2", b"4"]
    assert git(bare, "ls-tree", "--name-only", commits[2]).split() == ["charts", "latest", "run.sh"]
    assert repo.snapshot("main").read_many([HOLDS, VALUES]) == {HOLDS: b"4", VALUES: b"tag: 2\n"}
    assert CHART not in repo.snapshot("main").paths
    fsck(bare)


def test_a_file_made_and_deleted_in_one_batch_was_never_there(repo: ConfigRepo) -> None:
    before = repo.snapshot("main")
    _land(repo, Draft({HOLDS: b"1"}, "Made", NOW), Draft({HOLDS: None}, "Deleted", NOW))
    assert repo.snapshot("main").paths is before.paths


def test_a_file_becomes_a_folder_and_a_folder_a_file(repo: ConfigRepo, bare: Path) -> None:
    start = git(bare, "rev-parse", "main^{tree}")
    turned = Draft(
        {"run.sh": None, "run.sh/a": b"1", "charts/rose/values.yaml": None, "charts/rose": b"2"}, "m", NOW
    )
    _land(repo, turned)
    assert repo.snapshot("main").paths == {"run.sh/a", "charts/rose", VALUES, CHART}
    back = Draft(
        {"run.sh": b"#!/bin/sh\n", "run.sh/a": None, "charts/rose": None, "charts/rose/values.yaml": b"3"},
        "m",
        NOW,
    )
    _land(repo, back)
    assert git(bare, "diff-tree", "-r", "--name-only", start, "main").split() == [
        "charts/rose/values.yaml",
        "run.sh",
    ]
    fsck(bare)


def test_an_executable_file_that_was_deleted_comes_back_as_a_plain_one(repo: ConfigRepo, bare: Path) -> None:
    _land(repo, _write(a=b"1"), Draft({"run.sh": b"2"}, "Edited", NOW))
    assert repo.snapshot("main").tree.executable == {"run.sh"}
    _land(repo, Draft({"run.sh": None}, "Deleted", NOW), Draft({"run.sh": b"3"}, "Made", NOW))
    assert repo.snapshot("main").tree.executable == frozenset()
    assert git(bare, "ls-tree", "main", "run.sh").startswith("100644 ")


@pytest.mark.parametrize("path", ["latest", "charts", "none", "none/below", f"{VALUES}/below", ""])
def test_what_is_no_file_cannot_be_deleted(repo: ConfigRepo, path: str) -> None:
    base = repo.snapshot("main")
    with pytest.raises(ValueError, match=r"is no file|no names of files"):
        repo.commit(base, [Draft({path: None}, "m", NOW)])
    (commit,) = repo.commit(base, [draft()])
    assert repo.commit_of(commit).parents == (base.commit,)


def test_a_file_cannot_be_deleted_twice_nor_stand_in_a_file_made_before(repo: ConfigRepo) -> None:
    base = repo.snapshot("main")
    with pytest.raises(ValueError, match="is no file"):
        repo.commit(base, [Draft({VALUES: None}, "m", NOW), Draft({VALUES: None}, "m", NOW)])
    with pytest.raises(ValueError, match="'new' is there already and is no folder"):
        repo.commit(base, [_write(new=b""), _write(new__below=b"")])
    with pytest.raises(ValueError, match="'new' is there already and is no folder"):
        repo.commit(base, [_write(new=b"", new__below=b"")])


def test_a_refused_draft_leaves_nothing_behind(repo: ConfigRepo, bare: Path) -> None:
    start = tip(bare)
    base = repo.snapshot("main")
    with pytest.raises(ValueError, match="is no file"):
        repo.commit(base, [Draft({HOLDS: b"lost"}, "m", NOW), Draft({"none": None}, "m", NOW)])
    _land(repo, draft("tag: 2\n"))
    assert git(bare, "diff-tree", "-r", "--name-only", start, "main") == VALUES


def test_signed_commits_make_and_delete_files_too(bare: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with mirrored(str(bare), tmp_path / "mirror", signing=Signing("ssh", str(key))) as repo:
        _land(repo, Draft({HOLDS: b"1", CHART: None}, "One", NOW), Draft({HOLDS: b"2"}, "Two", NOW))
        assert repo.snapshot("main").read(HOLDS) == b"2"
    assert git(bare, "cat-file", "commit", "main").count("-----BEGIN SSH SIGNATURE-----") == 1
    assert git(bare, "ls-tree", "-r", "--name-only", "main", ".updater", "charts/iris").split() == [
        HOLDS,
        VALUES,
    ]
    fsck(bare)


def test_a_large_folder_takes_edits_as_deltas_before_and_after_a_file_comes(tmp_path: Path) -> None:
    bare = make_bare(tmp_path, {f"charts/app-{number:04d}.yaml": f"tag: {number}\n" for number in range(300)})
    mirror = tmp_path / "mirror"
    with mirrored(str(bare), mirror) as repo:
        base = repo.snapshot("main")
        before = set(mirror.glob("objects/pack/*.pack"))
        edits = [draft(f"tag: new-{n}\n", "m", f"charts/app-{n:04d}.yaml") for n in range(200)]
        commits = repo.commit(base, [*edits[:100], draft("new", "m", "charts/app-0050.json"), *edits[100:]])
        (pack,) = set(mirror.glob("objects/pack/*.pack")) - before
        # Two trees of 300 entries lie in it whole, of 12,000 bytes each, and the changes of 200.
        assert pack.stat().st_size < 200_000
        assert repo.push({"main": (base.commit, commits[-1])}) == {"main": Pushed.LANDED}
    assert show(bare, "main", "charts/app-0199.yaml") == b"tag: new-199\n"
    fsck(bare)


# Names that sort apart as file and as folder, one of them inside another, and some beside many others.
_POOL = [
    "a",
    "a/b",
    "a/b/c",
    "a/d",
    "a.b",
    "a-b",
    "a0",
    "a0/x",
    HOLDS,
    "crowd/000",
    "crowd/0000",
    "값/x",
    "z/link",
    "z/sub",
]
_MODES = st.sampled_from(["100644", "100644", "100755", "120000", "160000"])
_SUBMODULE = "5" * 40
_FILES = st.dictionaries(st.sampled_from(_POOL), st.none() | st.binary(max_size=8), min_size=1, max_size=5)
# What stands at a path: its mode, and its content.
_Model = dict[str, tuple[str, bytes]]


def _fits(path: str, others: Mapping[str, object]) -> bool:
    return not any(other.startswith(f"{path}/") or path.startswith(f"{other}/") for other in others)


@st.composite
def _models(draw: st.DrawFn) -> _Model:
    model: _Model = {"values.yaml": ("100644", b"0")}
    for path in draw(st.lists(st.sampled_from(_POOL), unique=True)):
        if _fits(path, model):
            model[path] = (draw(_MODES), b"old")
    crowd = draw(st.sampled_from([0, 40]))
    return model | {f"crowd/{number:03d}": ("100644", b"%d" % number) for number in range(1, crowd)}


def _after(model: _Model, files: Mapping[str, bytes | None]) -> _Model | None:
    """Return what a draft should leave; None where it should be refused."""
    gone = {path for path, content in files.items() if content is None}
    if any(model.get(path, ("",))[0] not in ("100644", "100755") for path in gone):
        return None
    left = {path: entry for path, entry in model.items() if path not in gone}
    for path, content in files.items():
        if content is not None:
            mode = left.get(path, ("100644",))[0]
            if mode not in ("100644", "100755") or not _fits(path, left):
                return None
            left[path] = (mode, content)
    return left


def _tree_by_git(bare: Path, model: _Model) -> str:
    """Let Git make a tree through an index."""
    environment = clean_environment() | {"GIT_INDEX_FILE": str(bare / "oracle")}
    blobs = {
        content: git(bare, "hash-object", "-w", "--stdin", stdin=content) for _, content in model.values()
    }
    lines = b"".join(
        f"{mode} {_SUBMODULE if mode == '160000' else blobs[content]}\t{path}\0".encode()
        for path, (mode, content) in model.items()
    )
    for arguments in (["read-tree", "--empty"], ["update-index", "-z", "--index-info"], ["write-tree"]):
        command = ["git", "-C", str(bare), *arguments]
        stdin = lines if arguments[0] == "update-index" else b""
        done = subprocess.run(command, input=stdin, env=environment, capture_output=True, check=True)
    return done.stdout.decode().strip()


def _start(bare: Path, model: _Model) -> None:
    tree = _tree_by_git(bare, model)
    who = ("-c", "user.name=kim", "-c", "user.email=kim@example.com")
    git(bare, "update-ref", "refs/heads/main", git(bare, *who, "commit-tree", tree, "-m", "Start"))


def _told(files: Snapshot) -> tuple[object, ...]:
    versions = {path: files.version(path) for path in files.paths}
    return versions, files.tree.executable, files.tree.irregular, files.commit


@settings(max_examples=40, deadline=None)
@given(model=_models(), batch=st.lists(_FILES, min_size=1, max_size=8))
def test_every_batch_makes_the_trees_git_makes(
    tmp_path_factory: pytest.TempPathFactory, model: _Model, batch: list[dict[str, bytes | None]]
) -> None:
    folder = tmp_path_factory.mktemp("moves")
    bare = make_bare(folder)
    _start(bare, model)
    drafts: list[Draft] = [Draft({"values.yaml": b"1"}, "m", NOW)]
    models = [model | {"values.yaml": ("100644", b"1")}]
    with mirrored(str(bare), folder / "mirror") as repo:
        base = repo.snapshot("main")
        for files in batch:
            made = _after(models[-1], files)
            if made is None:
                with pytest.raises(ValueError, match=r"is no"):
                    repo.commit(base, [*drafts, Draft(files, "m", NOW)])
            else:
                drafts.append(Draft(files, "m", NOW))
                models.append(made)
        commits = repo.commit(base, drafts)
        for commit, made in zip(commits, models, strict=True):
            assert git(folder / "mirror", "rev-parse", f"{commit}^{{tree}}") == _tree_by_git(bare, made)
        git(folder / "mirror", "fsck", "--full", "--strict", "--no-dangling")
        assert repo.push({"main": (base.commit, commits[-1])}) == {"main": Pushed.LANDED}
        known = _told(repo.snapshot("main"))
    fsck(bare)
    with mirrored(str(bare), folder / "again") as repo:
        assert _told(repo.snapshot("main")) == known
