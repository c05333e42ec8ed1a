"""The double of GitLab in trouble: tokens that end, limits, lost answers, outages, slow days."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import gitlab
import pytest
import requests
from support.barerepo import git
from support.gitlabworld import GitLabWorld
from support.gitlabworlds import BRANCH, ask, client, gitlab_world, propose, push_proposal

WANTED = {"source_branch": BRANCH, "target_branch": "main", "title": "Update iris"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitLabWorld]:
    with gitlab_world(tmp_path) as world:
        yield world


def test_a_token_that_nobody_has_an_expired_and_a_revoked_one_are_refused_each_in_its_words(
    world: GitLabWorld,
) -> None:
    assert ask(world, "GET", "", "wrong").json() == {"message": "401 Unauthorized"}
    today = world.clock().date()
    world.expire_token(today + timedelta(days=3))
    answer = client(world).personal_access_tokens.get("self")
    assert answer.expires_at == (today + timedelta(days=3)).isoformat()
    world.expire_token(today)
    assert "expired" in ask(world, "GET", "").json()["error_description"]
    world.revoke_token()
    expected = ("invalid_token", "Token was revoked. You have to re-authorize from the user.")
    assert tuple(ask(world, "GET", "").json().values()) == expected


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [(["api"], 200, 201), (["read_api"], 200, 403), (["write_repository"], 403, 403)],
)
def test_a_token_does_what_its_scopes_say(
    world: GitLabWorld, scopes: list[str], reads: int, writes: int
) -> None:
    push_proposal(world)
    world.scopes = scopes
    assert ask(world, "GET", "merge_requests").status_code == reads
    assert ask(world, "POST", "merge_requests", json=WANTED).status_code == writes
    assert client(world).personal_access_tokens.get("self").scopes == scopes


def test_an_older_server_tells_nothing_of_tokens(world: GitLabWorld) -> None:
    world.has_token_endpoint = False
    with pytest.raises(gitlab.exceptions.GitlabGetError) as caught:
        client(world).personal_access_tokens.get("self")
    assert caught.value.response_code == 404


def test_a_reporter_may_read_and_not_write(world: GitLabWorld) -> None:
    push_proposal(world)
    world.set_role("updater-bot", "reporter")
    assert ask(world, "GET", "").json()["permissions"]["project_access"]["access_level"] == 20
    assert ask(world, "POST", "merge_requests", json=WANTED).status_code == 403


@pytest.mark.parametrize("after", ["17", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_limit_is_plain_text_with_a_time_to_wait(world: GitLabWorld, after: str) -> None:
    world.faults.next("GET project", status=429, retry_after=after, times=2)
    for _ in range(2):
        answer = ask(world, "GET", "")
        assert (answer.status_code, answer.text) == (429, "Retry later\n")
        assert (answer.headers["Retry-After"], answer.headers["Content-Type"]) == (after, "text/plain")
    assert ask(world, "GET", "").status_code == 200
    assert [call.status for call in world.calls_to("GET project")] == [429, 429, 200]


@pytest.mark.parametrize(("acts", "made"), [(False, 0), (True, 1)])
def test_an_error_may_hide_that_the_call_had_its_effect(world: GitLabWorld, acts: bool, made: int) -> None:
    push_proposal(world)
    world.faults.next("POST merge_requests", status=503, acts=acts)
    assert ask(world, "POST", "merge_requests", json=WANTED).status_code == 503
    assert len(world.merge_requests) == made


@pytest.mark.parametrize(("kind", "made"), [("drop", 1), ("reset", 0)])
def test_an_answer_or_a_whole_call_may_get_lost(world: GitLabWorld, kind: str, made: int) -> None:
    push_proposal(world)
    world.faults.next("POST merge_requests", status=kind)
    with pytest.raises(requests.ConnectionError):
        ask(world, "POST", "merge_requests", json=WANTED)
    assert len(world.merge_requests) == made
    assert world.calls_to("POST merge_requests")[0].status == 0


def test_a_fault_meets_only_its_own_kind_of_call(world: GitLabWorld) -> None:
    iid = propose(world)
    world.faults.next("PUT merge_requests/*/merge", status=502)
    assert ask(world, "PUT", f"merge_requests/{iid}", json={"title": "T"}).status_code == 200
    assert world.faults.waiting == 1
    assert ask(world, "PUT", f"merge_requests/{iid}/merge").status_code == 502
    assert world.faults.waiting == 0


def test_a_call_may_hang_until_it_is_healed(world: GitLabWorld) -> None:
    world.faults.next("GET project", status="hang")
    ended = threading.Event()

    def call() -> None:
        with pytest.raises(requests.ConnectionError):
            ask(world, "GET", "")
        ended.set()

    thread = threading.Thread(target=call)
    thread.start()
    assert not ended.wait(0.2)
    world.faults.heal()
    thread.join()
    assert ended.is_set()


def test_gitlab_may_be_away_and_come_back_under_the_same_address(world: GitLabWorld) -> None:
    url = world.url
    with requests.Session() as session:
        session.trust_env = False
        session.headers["PRIVATE-TOKEN"] = world.token
        assert session.get(f"{url}/api/v4/user", timeout=10).status_code == 200
        world.away()
        with pytest.raises(requests.ConnectionError):
            session.get(f"{url}/api/v4/user", timeout=10)
        world.back()
        assert session.get(f"{url}/api/v4/user", timeout=10).status_code == 200
        world.away(502)
        assert session.get(f"{url}/api/v4/user", timeout=10).status_code == 502
        world.back()
        assert session.get(f"{url}/api/v4/user", timeout=10).status_code == 200


def test_the_git_side_has_its_own_moods(world: GitLabWorld, tmp_path: Path) -> None:
    address = world.git_url.replace("://", f"://oauth2:{world.token}@")
    world.git.status = 503
    with pytest.raises(AssertionError, match="503"):
        git(tmp_path, "ls-remote", address)
    assert ask(world, "GET", "").status_code == 200
    world.git.heal()
    assert git(tmp_path, "ls-remote", address).endswith("refs/heads/main")


def test_over_tls_only_those_who_know_the_ca_get_in(tmp_path: Path) -> None:
    certificate, key = tmp_path / "ca.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", *kind, *files, *subject], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with gitlab_world(tmp_path, tls=context) as world:
        assert client(world, ssl_verify=str(certificate)).version()[0] == "19.2.6"
        with pytest.raises(requests.exceptions.SSLError):
            client(world).http_get("/version")
