"""Getting in: URLs, credentials, what the server says where it does not let us in, and secrets."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gitserver import TOKEN, GitServer, before_update, make_bare, tip
from support.mirrors import FILES, children, mirrored, write

from updater.configrepo import Pushed, Remote
from updater.errors import InvalidSettings, Unreachable, UpdaterError


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare(tmp_path / "srv", FILES)


@pytest.fixture
def server(bare: Path) -> Iterator[GitServer]:
    with GitServer(bare.parent) as running:
        yield running


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_folder_is_a_remote(bare: Path, tmp_path: Path, form: str) -> None:
    with mirrored(form.format(bare), tmp_path / "mirror") as repo:
        update = write(repo)
        assert repo.push({"main": update}) == {"main": Pushed.LANDED}
    assert tip(bare) == update[1]


def test_a_folder_with_blanks_in_its_name_is_a_remote(tmp_path: Path) -> None:
    bare = make_bare(tmp_path / "two words", FILES)
    with mirrored(str(bare), tmp_path / "the mirror") as repo:
        assert repo.push({"main": write(repo)}) == {"main": Pushed.LANDED}


def test_another_user_name_goes_with_the_token(bare: Path, tmp_path: Path) -> None:
    with GitServer(bare.parent, user="gitlab-deploy-token") as server:
        remote = Remote(server.url(), TOKEN, user="gitlab-deploy-token")
        with mirrored(remote, tmp_path / "mirror") as repo:
            assert repo.default_branch() == "main"


def test_a_server_that_asks_for_nothing_needs_no_token(bare: Path, tmp_path: Path) -> None:
    with GitServer(bare.parent, token=None) as server, mirrored(server.url(), tmp_path / "mirror") as repo:
        assert repo.push({"main": write(repo)}) == {"main": Pushed.LANDED}


@pytest.mark.parametrize("token", [None, "wrong", "", "glpat-with-ünïcode"])
def test_a_wrong_token_is_said(server: GitServer, tmp_path: Path, token: str | None) -> None:
    with (
        mirrored(Remote(server.url(), token), tmp_path / "mirror") as repo,
        pytest.raises(
            Unreachable, match="did not accept the updater's credentials; check that its token"
        ) as caught,
    ):
        repo.fetch()
    assert caught.value.after >= 30


def test_a_right_token_given_later_is_not_needed_to_start_anew(server: GitServer, tmp_path: Path) -> None:
    with mirrored(Remote(server.url(), "wrong"), tmp_path / "mirror") as repo:
        with pytest.raises(Unreachable):
            repo.fetch()
        server.token = "wrong"
        assert repo.default_branch() == "main"


def test_a_repo_that_is_not_there_is_said(server: GitServer, tmp_path: Path) -> None:
    for remote in (Remote(server.url("none.git"), TOKEN), Remote(str(tmp_path / "none.git"))):
        with (
            mirrored(remote, tmp_path / "mirror") as repo,
            pytest.raises(Unreachable, match="knows no such repository"),
        ):
            repo.fetch()


def test_a_name_that_does_not_resolve_is_said(tmp_path: Path) -> None:
    with (
        mirrored("http://config.invalid/repo.git", tmp_path / "mirror", timeout=20) as repo,
        pytest.raises(Unreachable, match=r"http://config\.invalid/repo\.git"),
    ):
        repo.fetch()


def test_the_token_does_not_follow_a_redirection(server: GitServer, tmp_path: Path, bare: Path) -> None:
    with GitServer(bare.parent, token=None) as elsewhere:
        server.redirect_to = elsewhere.url("").rstrip("/")
        with mirrored(server, tmp_path / "mirror") as repo, pytest.raises(Unreachable, match="redirection"):
            repo.fetch()
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "https://oauth2:glpat-secret@example.com/group/config.git",
        "https://glpat-secret@example.com/group/config.git",
        "http://:glpat-secret@example.com/config.git",
        "ssh://git:glpat-secret@example.com/config.git",
    ],
)
def test_a_url_with_a_secret_in_it_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidSettings, match="give the token in its own setting") as caught:
        Remote(url)
    assert "glpat" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ext::sh -c touch% /tmp/x",
        "git://example.com/config.git",
        "ftp://example.com/config.git",
        "config.git",
        "./config.git",
        "-oProxyCommand=x",
        "--upload-pack=x:y",
        "https://example.com/a\nb",
        "fd::3",
        "http+unix://x/y",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(InvalidSettings, match="config repo's URL"):
        Remote(url)


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("https://example.com/group/config.git", "https"),
        ("http://127.0.0.1:8080/config.git", "http"),
        ("ssh://git@example.com:2222/group/config.git", "ssh"),
        ("git@example.com:group/config.git", "ssh"),
        ("example.com:config.git", "ssh"),
        ("git@[::1]:config.git", "ssh"),
        ("file:///srv/config.git", "file"),
        ("/srv/config repo.git", "file"),
        ("/srv/a:b@c/config.git", "file"),
    ],
)
def test_the_usual_urls_are_taken(url: str, scheme: str) -> None:
    assert Remote(url).scheme == scheme


def test_the_token_is_not_shown() -> None:
    assert TOKEN not in repr(Remote("https://example.com/config.git", TOKEN))


def _everything_visible(pids: set[int]) -> bytes:
    """Return the command lines of processes; those that ended meanwhile have none."""
    lines = b""
    for pid in pids:
        try:
            lines += Path(f"/proc/{pid}/cmdline").read_bytes() + b"\n"
        except OSError:
            continue
    return lines


def test_the_token_is_nowhere_to_be_found(
    server: GitServer, bare: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = [TOKEN.encode(), server.authorization.removeprefix("Basic ").encode()]
    gate, opened = tmp_path / "arrived", tmp_path / "open"
    os.mkfifo(gate)
    os.mkfifo(opened)
    before_update(bare, f'echo > "{gate}"; cat "{opened}"')
    seen: list[bytes] = []

    def look() -> None:
        gate.read_bytes()
        seen.append(_everything_visible(children()))
        opened.write_bytes(b"")

    texts = []
    with mirrored(server, tmp_path / "mirror") as repo:
        update = write(repo)
        watcher = threading.Thread(target=look)
        watcher.start()
        assert repo.push({"main": update}) == {"main": Pushed.LANDED}
        watcher.join()
        server.status, server.words = 403, f"You sent {server.authorization} and {TOKEN}"
        for act in (repo.fetch, lambda: repo.push({"main": update})):
            try:
                texts.append(repr(act()))
            except UpdaterError as error:
                texts.append(f"{error!r} {error} {error.__cause__!r}")
        server.heal()
        server.status = 401
        with pytest.raises(Unreachable) as caught:
            repo.fetch()
        texts += [str(caught.value), repr(repo.snapshot("main")), repr(vars(repo).values())]
    assert b"push" in seen[0]
    files = [path.read_bytes() for path in (tmp_path / "mirror").rglob("*") if path.is_file()]
    logged = [caplog.text.encode(), *(repr(vars(record)).encode() for record in caplog.records)]
    everything = [*seen, *files, *logged, *(text.encode() for text in texts)]
    assert len(files) > 5
    assert not [found for found in everything for secret in secrets if secret in found]


def test_traces_asked_for_in_the_environment_cannot_show_the_token(
    server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "trace"
    for name in ("GIT_TRACE_CURL", "GIT_TRACE", "GIT_CURL_VERBOSE", "GIT_TRACE2_EVENT"):
        monkeypatch.setenv(name, str(trace))
    monkeypatch.setenv("GIT_TRACE_REDACT", "0")
    with mirrored(server, tmp_path / "mirror") as repo:
        repo.fetch()
    assert not trace.exists()
