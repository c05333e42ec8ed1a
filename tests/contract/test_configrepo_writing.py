"""Commits: made as objects, byte for byte, with any message, signed where that is asked for."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.gitserver import changed_lines, clean_environment, fsck, git, log, make_bare, show, tip
from support.mirrors import FILES, NOW, VALUES, draft, mirrored

from updater.configrepo import ConfigRepo, Draft, Identity, Pushed, Signing
from updater.errors import InvalidSettings, TemporaryError


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


def _land(repo: ConfigRepo, *drafts: Draft) -> list[str]:
    base = repo.snapshot("main")
    commits = repo.commit(base, drafts)
    assert repo.push({"main": (base.commit, commits[-1])}) == {"main": Pushed.LANDED}
    return commits


def test_drafts_become_a_chain_of_commits(repo: ConfigRepo, bare: Path) -> None:
    start = tip(bare)
    rose = "charts/rose/values.yaml"
    commits = _land(
        repo, draft("tag: 2\n", "One"), draft("tag: 9\n", "Two", rose), draft("tag: 3\n", "Three")
    )
    assert [commit.sha for commit in log(bare)] == [*reversed(commits), start]
    assert [commit.subject for commit in log(bare)] == ["Three", "Two", "One", "Start"]
    assert git(bare, "show", "--format=", "--name-only", commits[1]) == rose
    assert show(bare, commits[0], VALUES) == b"tag: 2\n"
    assert show(bare, "main", VALUES) == b"tag: 3\n"
    fsck(bare)


def test_one_commit_holds_several_files(repo: ConfigRepo, bare: Path) -> None:
    both = {VALUES: b"tag: 2\n", "charts/rose/values.yaml": b"tag: 2\n"}
    (commit,) = _land(repo, Draft(both, "Both", NOW))
    assert git(bare, "show", "--format=", "--name-only", commit).split() == sorted(both)


def test_nobody_sees_a_commit_before_it_is_pushed(repo: ConfigRepo, bare: Path) -> None:
    before = git(bare, "for-each-ref")
    repo.commit(repo.snapshot("main"), [draft()])
    assert git(bare, "for-each-ref") == before
    repo.fetch()
    assert repo.snapshot("main").read(VALUES) == str(FILES[VALUES]).encode()


def test_a_commit_changes_one_line_only(repo: ConfigRepo, bare: Path) -> None:
    content = repo.snapshot("main").read(VALUES).replace(b"develop-1", b"develop-2")
    (commit,) = _land(repo, draft(content))
    assert changed_lines(bare, commit) == ["-  tag: develop-1", "+  tag: develop-2"]


@pytest.mark.parametrize(
    "content", [b"", b"\xef\xbb\xbftag: 1\r\n", b"\x00\xff\ndone\n", b"no end", b"x" * 3_000_000]
)
def test_any_bytes_arrive_as_they_are(repo: ConfigRepo, bare: Path, content: bytes) -> None:
    _land(repo, draft(content))
    assert show(bare, "main", VALUES) == content
    assert repo.snapshot("main").read(VALUES) == content


def test_an_executable_file_stays_executable(repo: ConfigRepo, bare: Path) -> None:
    _land(repo, draft("#!/bin/sh\ntrue\n", path="run.sh"), draft("tag: 2\n"))
    assert git(bare, "ls-tree", "main", "run.sh").startswith("100755 ")
    assert git(bare, "ls-tree", "main", VALUES).startswith("100644 ")


@pytest.mark.parametrize(
    "name", ["차트/값.yaml", 'quo"te\\n.yaml', "two words.yaml", "new\nline.yaml", " x", "-f"]
)
def test_files_of_any_name_can_be_written(tmp_path: Path, name: str) -> None:
    bare = make_bare(tmp_path, {name: "tag: 1\n", "other": "1"})
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        _land(repo, draft("tag: 2\n", path=name))
        assert repo.snapshot("main").paths == {name, "other"}
    assert show(bare, "main", name) == b"tag: 2\n"


@pytest.mark.parametrize("path", ["latest", "charts/iris", "latest/values.yaml", f"{VALUES}/below"])
def test_what_stands_in_the_way_of_a_regular_file_is_left_alone(repo: ConfigRepo, path: str) -> None:
    with pytest.raises(ValueError, match="is there already and is no"):
        repo.commit(repo.snapshot("main"), [draft(path=path)])


@pytest.mark.parametrize(
    "path", ["", "../outside", "/absolute", "charts//x", "./x", ".git/hooks/x", "a/.GIT", "a\0b"]
)
def test_a_name_that_git_would_not_take_is_refused(repo: ConfigRepo, path: str) -> None:
    with pytest.raises(ValueError, match="no names of files"):
        repo.commit(repo.snapshot("main"), [draft(path=path)])


HOSTILE = [
    "One line",
    "Subject\n\nBody\n\nUpdater-Image: a:b\n",
    "data 5\nhello",
    "x\ndone\n",
    "\nfrom 0000000000000000000000000000000000000000\nM 100644 inline a\ndata 1\nx\n",
    "commit refs/heads/main\n",
    "# not a comment\n\n\n\nspaces  \t\n",
    "한국어 \U0001f984 \x01\x7f",
    "",
    "x" * 100_000,
]


@pytest.mark.parametrize("message", HOSTILE)
def test_a_message_is_kept_to_the_letter(repo: ConfigRepo, bare: Path, message: str) -> None:
    start = tip(bare)
    (commit,) = _land(repo, draft(message=message))
    raw = subprocess.run(["git", "-C", str(bare), "cat-file", "commit", commit], capture_output=True).stdout
    assert raw.partition(b"\n\n")[2] == message.encode()
    assert [entry.sha for entry in log(bare)] == [commit, start]
    assert git(bare, "show", "--format=", "--name-only", commit) == VALUES


@settings(max_examples=25, deadline=None)
@given(
    message=st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    content=st.binary(max_size=200),
)
def test_the_stream_cannot_be_broken_out_of(
    tmp_path_factory: pytest.TempPathFactory, message: str, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("stream")
    with mirrored(str(make_bare(folder, FILES)), folder / "mirror") as repo:
        base = repo.snapshot("main")
        first, second = repo.commit(base, [draft(content, message), draft(b"after", "After")])
        mirror = folder / "mirror"
        assert show(mirror, first, VALUES) == content
        assert git(mirror, "rev-list", f"{base.commit}..{second}").split() == [second, first]


def test_a_message_with_a_nul_is_refused(repo: ConfigRepo) -> None:
    with pytest.raises(ValueError, match="NUL"):
        repo.commit(repo.snapshot("main"), [draft(message="a\0b")])


def test_a_time_without_a_zone_is_refused(repo: ConfigRepo) -> None:
    naive = Draft({VALUES: b""}, "m", NOW.replace(tzinfo=None))
    with pytest.raises(ValueError, match="time zone"):
        repo.commit(repo.snapshot("main"), [naive])


def test_author_committer_and_time_are_those_given(repo: ConfigRepo, bare: Path) -> None:
    seoul = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=9)))
    _land(repo, Draft({VALUES: b"tag: 2\n"}, "m", seoul))
    assert git(bare, "log", "-1", "--format=%an <%ae> %aI, %cn <%ce> %cI", "main") == (
        "Updater <updater@example.com> 2026-01-02T03:04:05+09:00, "
        "Updater Bot <bot@example.com> 2026-01-02T03:04:05+09:00"
    )


@pytest.mark.parametrize("name", ["", " ", "a<b", "a\nb", "a>b", "a\0b"])
def test_an_identity_that_would_break_a_commit_is_a_wrong_setting(name: str) -> None:
    with pytest.raises(InvalidSettings, match="cannot be a Git author"):
        Identity(name, "a@example.com", "b", "b@example.com")
    with pytest.raises(InvalidSettings, match="cannot be a Git author"):
        Identity("a", "a@example.com", "b", name)


def test_no_draft_is_no_commit(repo: ConfigRepo) -> None:
    assert repo.commit(repo.snapshot("main"), []) == []


def test_what_is_left_of_a_batch_never_pushed_does_no_harm(bare: Path, tmp_path: Path) -> None:
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        repo.commit(repo.snapshot("main"), [draft("tag: lost\n", "Lost")])
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        _land(repo, draft("tag: 2\n", "Kept"))
    assert [commit.subject for commit in log(bare)] == ["Kept", "Start"]


def test_two_branches_get_their_own_commits(repo: ConfigRepo, bare: Path) -> None:
    git(bare, "branch", "prod", "main")
    main, prod = repo.snapshot("main"), repo.snapshot("prod")
    on_main = repo.commit(main, [draft("tag: 2\n", "For main")])
    on_prod = repo.commit(prod, [draft("tag: 3\n", "For prod")])
    updates = {"main": (main.commit, on_main[0]), "prod": (prod.commit, on_prod[0])}
    assert repo.push(updates) == {"main": Pushed.LANDED, "prod": Pushed.LANDED}
    assert (show(bare, "main", VALUES), show(bare, "prod", VALUES)) == (b"tag: 2\n", b"tag: 3\n")


@pytest.fixture
def ssh_key(tmp_path: Path) -> Path:
    key = tmp_path / "signing key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    return key


def test_commits_are_signed_with_an_ssh_key(bare: Path, tmp_path: Path, ssh_key: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.write_text("bot@example.com " + Path(f"{ssh_key}.pub").read_text())
    with mirrored(str(bare), tmp_path / "mirror", signing=Signing("ssh", str(ssh_key))) as repo:
        commits = _land(repo, draft("tag: 2\n", "One\n\nBody"), draft("tag: 3\n", "Two"))
        assert repo.snapshot("main").read(VALUES) == b"tag: 3\n"
    for commit in commits:
        git(bare, "-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-commit", commit)
    assert [commit.subject for commit in log(bare)] == ["Two", "One", "Start"]
    assert log(bare)[1].message == "One\n\nBody"
    assert log(bare)[0].committer == "Updater Bot <bot@example.com>"
    fsck(bare)


def test_merges_are_signed_as_well(bare: Path, tmp_path: Path, ssh_key: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.write_text("bot@example.com " + Path(f"{ssh_key}.pub").read_text())
    with mirrored(str(bare), tmp_path / "mirror", signing=Signing("ssh", str(ssh_key))) as repo:
        base = repo.snapshot("main")
        (head,) = repo.commit(base, [draft("tag: 2\n")])
        merged = repo.merge(base, head, Draft({}, "Merge\n", NOW, parents=(head,)))
        assert merged is not None
        assert repo.push({"main": (base.commit, merged)}) == {"main": Pushed.LANDED}
    git(bare, "-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-commit", merged)
    assert git(bare, "rev-parse", "main^1", "main^2").split() == [base.commit, head]
    assert show(bare, "main", VALUES) == b"tag: 2\n"
    fsck(bare)


def test_commits_are_signed_with_a_gpg_key(bare: Path, tmp_path: Path) -> None:
    home = tmp_path / "g"
    home.mkdir(mode=0o700)
    environment = clean_environment() | {"GNUPGHOME": str(home)}
    make_key = [
        "gpg",
        "--batch",
        "--quiet",
        "--passphrase",
        "",
        "--quick-gen-key",
        "bot@example.com",
        "ed25519",
    ]
    try:
        subprocess.run(make_key, check=True, env=environment, capture_output=True)
        signing = Signing("gpg", "bot@example.com", gnupg_home=home)
        with mirrored(str(bare), tmp_path / "mirror", signing=signing) as repo:
            (commit,) = _land(repo, draft())
        verify = ["git", "-C", str(bare), "verify-commit", commit]
        subprocess.run(verify, check=True, env=environment, capture_output=True)
    finally:
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=environment, check=True)


@pytest.mark.parametrize("message", HOSTILE)
def test_a_signed_commit_keeps_its_message_too(
    bare: Path, tmp_path: Path, ssh_key: Path, message: str
) -> None:
    with mirrored(str(bare), tmp_path / "mirror", signing=Signing("ssh", str(ssh_key))) as repo:
        (commit,) = _land(repo, draft(message=message))
    raw = subprocess.run(["git", "-C", str(bare), "cat-file", "commit", commit], capture_output=True).stdout
    assert raw.partition(b"\n\n")[2] == message.encode()


def test_a_missing_signing_key_is_said_and_nothing_is_written(bare: Path, tmp_path: Path) -> None:
    with mirrored(str(bare), tmp_path / "mirror", signing=Signing("ssh", str(tmp_path / "none"))) as repo:
        base = repo.snapshot("main")
        with pytest.raises(
            TemporaryError, match="could not be signed, so nothing was written: check the signing key"
        ):
            repo.commit(base, [draft()])
    assert tip(bare) == base.commit


def test_a_signing_program_of_ones_own_is_used(bare: Path, tmp_path: Path, ssh_key: Path) -> None:
    program = tmp_path / "sign"
    program.write_text(f'#!/bin/sh\ntouch "{tmp_path}/used"\nexec ssh-keygen "$@"\n')
    program.chmod(0o755)
    signing = Signing("ssh", str(ssh_key), program=str(program))
    with mirrored(str(bare), tmp_path / "mirror", signing=signing) as repo:
        _land(repo, draft())
    assert (tmp_path / "used").exists()
