"""The config repo over SSH, with a real sshd."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.gitserver import PROTECTED, commit_as_person, make_bare, protect, show, tip
from support.mirrors import FILES, VALUES, children, left_behind, mirrored, write
from support.sshserver import SshServer

from updater.configrepo import Pushed, Remote
from updater.errors import PushForbidden, Unreachable

pytestmark = pytest.mark.openssh


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare(tmp_path, FILES)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with SshServer(tmp_path / "sshd") as running:
        yield running


@pytest.fixture
def remote(server: SshServer, bare: Path) -> Remote:
    return Remote(server.url(bare), ssh_key_file=server.key_file, known_hosts_file=server.known_hosts_file)


def test_a_push_over_ssh_lands(remote: Remote, bare: Path, tmp_path: Path) -> None:
    before = children()
    with mirrored(remote, tmp_path / "mirror") as repo:
        update = write(repo, "tag: 2\n")
        assert repo.push({"main": update}) == {"main": Pushed.LANDED}
        commit_as_person(bare, {VALUES: "tag: 3\n"})
        assert repo.push({"main": (update[1], update[1])}) == {"main": Pushed.MOVED}
        repo.fetch()
        assert repo.snapshot("main").read(VALUES) == b"tag: 3\n"
    assert show(bare, update[1], VALUES) == b"tag: 2\n"
    assert left_behind(before) == set(), "but for sshd's own, which ends by itself"


def test_a_protected_branch_is_forbidden_over_ssh_too(remote: Remote, bare: Path, tmp_path: Path) -> None:
    protect(bare, "main")
    with mirrored(remote, tmp_path / "mirror") as repo:
        update = write(repo)
        answer = repo.push({"main": update})["main"]
    assert isinstance(answer, PushForbidden)
    assert PROTECTED in str(answer)
    assert tip(bare) == update[0]


def test_a_key_that_does_not_get_in_is_said(remote: Remote, server: SshServer, tmp_path: Path) -> None:
    wrong = replace(remote, ssh_key_file=server.other_key_file)
    with (
        mirrored(wrong, tmp_path / "mirror") as repo,
        pytest.raises(
            Unreachable, match=r"did not accept the updater's credentials.*Permission denied \(publickey"
        ),
    ):
        repo.fetch()


def test_an_unknown_host_key_is_never_taken(remote: Remote, server: SshServer, tmp_path: Path) -> None:
    server.known_hosts_file.write_text("")
    with (
        mirrored(remote, tmp_path / "mirror") as repo,
        pytest.raises(Unreachable, match="another host key than the known hosts file names"),
    ):
        repo.fetch()


def test_a_repo_that_is_not_there_is_said_over_ssh(server: SshServer, remote: Remote, tmp_path: Path) -> None:
    elsewhere = replace(remote, url=server.url(tmp_path / "none.git"))
    with (
        mirrored(elsewhere, tmp_path / "mirror") as repo,
        pytest.raises(Unreachable, match="knows no such repository"),
    ):
        repo.fetch()
