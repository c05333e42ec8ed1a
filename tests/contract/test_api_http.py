"""What only a real connection shows: framing, large and cut-off bodies, odd hosts, curl as it is."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from support.api import ALL_TOKEN, HOOK_SECRET, IMAGE, TOKEN
from support.desks import HEAD
from support.webapp import running

from updater.web.hooks import MAX_HOOK

BODY = json.dumps({"image": IMAGE}).encode()
AUTHORIZATION = f"Authorization: Bearer {TOKEN}"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with running(tmp_path_factory.mktemp("api") / "data") as port:
        yield port


def talk(port: int, head: str, body: bytes = b"") -> tuple[int, dict[str, str], Any]:
    """Send raw bytes; return status, headers (lower-case) and the body, as JSON where it is."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body)
        response = http.client.HTTPResponse(connection)
        response.begin()
        content = response.read()
        headers = {name.lower(): value for name, value in response.getheaders()}
        is_json = headers.get("content-type", "").endswith("json")
        return response.status, headers, json.loads(content) if is_json and content else content


def post(port: int, *headers: str, body: bytes = BODY) -> tuple[int, dict[str, str], Any]:
    head = ["POST /api/auto-update HTTP/1.1", "Host: updater.example.com", "Content-Type: application/json"]
    return talk(port, "\n".join([*head, *headers]), body)


def test_curl_as_the_original_pipeline_calls_it_with_one_header_added(port: int) -> None:
    script = (
        'curl -sS -X POST "${WEBHOOK_URL}" -H "Content-Type:application/json"'
        ' -H "Authorization: Bearer ${TOKEN}" --data "{\\"image\\":\\"${CI_REGISTRY}:${BUILD_TAG}\\"}"'
    )
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "WEBHOOK_URL": f"127.0.0.1:{port}/api/auto-update",
        "CI_REGISTRY": "registry.example.com/iris",
        "BUILD_TAG": "develop-52666",
        "TOKEN": TOKEN,
    }
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, check=True)
    assert json.loads(done.stdout)["image"] == IMAGE


def test_curl_without_a_content_type_learns_which_header_is_missing(port: int) -> None:
    url = f"http://127.0.0.1:{port}/api/auto-update"
    done = subprocess.run(
        ["curl", "-sS", url, "-H", AUTHORIZATION, "--data", BODY], capture_output=True, check=True
    )
    assert json.loads(done.stdout)["status"] == 415
    assert "Content-Type: application/json" in json.loads(done.stdout)["detail"]


def test_the_location_names_the_host_the_caller_used(port: int) -> None:
    status, headers, body = post(port, AUTHORIZATION, f"Content-Length: {len(BODY)}")
    assert status == 202
    assert headers["location"] == f"http://updater.example.com/api/updates/{body['id']}"


def test_a_body_in_chunks_is_read(port: int) -> None:
    chunked = (
        b"5\r\n" + BODY[:5] + b"\r\n" + f"{len(BODY) - 5:x}".encode() + b"\r\n" + BODY[5:] + b"\r\n0\r\n\r\n"
    )
    status, _, body = post(port, AUTHORIZATION, "Transfer-Encoding: chunked", body=chunked)
    assert (status, body["image"]) == (202, IMAGE)


def test_a_body_in_chunks_that_is_too_large_is_413(port: int) -> None:
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    status, _, body = post(port, AUTHORIZATION, "Transfer-Encoding: chunked", body=chunk * 3 + b"0\r\n\r\n")
    assert (status, body["type"]) == (413, "/docs/problems#too-large")


def test_a_body_that_is_declared_too_large_is_413_before_it_is_sent(port: int) -> None:
    status, _, body = post(port, AUTHORIZATION, "Content-Length: 70000", body=b"")
    assert (status, body["type"]) == (413, "/docs/problems#too-large")


@pytest.mark.parametrize("chunks", [b"zz\r\n{}\r\n0\r\n\r\n", b"5\r\n{}", b"5\r\n{}xxxxxxxx\r\n0\r\n\r\n"])
def test_chunks_that_are_none_are_400(port: int, chunks: bytes) -> None:
    head = (
        "POST /api/auto-update HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Transfer-Encoding: chunked\r\n{AUTHORIZATION}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head.encode() + chunks)
        connection.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 400


@pytest.mark.parametrize("headers", [[], ["Content-Length: 0"]])
def test_no_body_is_400(port: int, headers: list[str]) -> None:
    status, _, body = post(port, AUTHORIZATION, *headers, body=b"")
    assert status == 400
    assert "The body is empty" in body["detail"]


def test_a_body_that_is_cut_off_is_400_and_nothing_is_accepted(port: int) -> None:
    before = talk(port, "GET /readyz HTTP/1.1\nHost: x")[2]["pending"]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(
            b"POST /api/auto-update HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            + f"{AUTHORIZATION}\r\nContent-Length: 1000\r\n\r\n".encode()
            + BODY
        )
        connection.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 400
        assert json.loads(response.read())["type"] == "/docs/problems#invalid-request"
    assert talk(port, "GET /readyz HTTP/1.1\nHost: x")[2]["pending"] == before


def test_one_connection_carries_many_requests_errors_included(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    statuses = []
    for body in (BODY, b"nonsense", b"", BODY):
        connection.request("POST", "/api/auto-update", body, headers)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    assert statuses == [202, 400, 400, 202]


@pytest.mark.parametrize("host", ["", "a b", 'x"><script>', "example.com/path", "\xe9"])
def test_an_odd_host_breaks_nothing_and_is_not_repeated(port: int, host: str) -> None:
    head = f"POST /api/auto-update HTTP/1.1\nHost: {host}\nContent-Type: application/json\n{AUTHORIZATION}"
    status, headers, body = talk(port, f"{head}\nContent-Length: {len(BODY)}", BODY)
    if status == 202:
        assert headers["location"] == f"/api/updates/{body['id']}"
    else:
        assert status == 400


def test_an_old_client_without_a_host_is_answered(port: int) -> None:
    status, _, _ = talk(port, "GET /healthz HTTP/1.0")
    assert status == 200


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 5", "Content-Length: 41"],
        ["Content-Length: -1"],
        ["Content-Length: 41", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: gzip"],
    ],
)
def test_a_body_whose_length_is_unclear_is_never_accepted(port: int, headers: list[str]) -> None:
    status, _, _ = post(port, AUTHORIZATION, *headers)
    assert 400 <= status < 600
    assert status != 500


def test_expect_100_continue_is_honoured(port: int) -> None:
    url = f"http://127.0.0.1:{port}/api/auto-update"
    headers = ["-H", "Expect: 100-continue", "-H", "Content-Type: application/json", "-H", AUTHORIZATION]
    command = ["curl", "-sS", "-w", "\n%{http_code}", url, *headers, "--data", BODY.decode()]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout.endswith(b"\n202")


def test_no_header_tells_versions(port: int) -> None:
    _, headers, _ = talk(port, "GET /healthz HTTP/1.1\nHost: x")
    assert headers["server"] == "gunicorn"
    assert "x-powered-by" not in headers


def test_an_asset_is_no_path(port: int) -> None:
    status, _, body = talk(port, "GET /docs/assets/..%2f..%2fsetup.cfg HTTP/1.1\nHost: x")
    assert (status, body["type"]) == (404, "/docs/problems#no-such-page")


def hooks_heard(port: int) -> str:
    problems = talk(port, "GET /readyz HTTP/1.1\nHost: x")[2]["problems"]
    return str(problems[0])


def send_hook(port: int, *headers: str, body: bytes = BODY) -> tuple[int, dict[str, str], Any]:
    head = ["POST /hooks/gitlab HTTP/1.1", "Host: x", "X-Gitlab-Event: Push Hook"]
    return talk(port, "\n".join([*head, *headers]), body)


class TestHooks:
    def test_a_hook_is_a_hint_and_its_answer_empty(self, port: int) -> None:
        before = hooks_heard(port)
        status, headers, body = send_hook(
            port, f"X-Gitlab-Token: {HOOK_SECRET}", f"Content-Length: {len(BODY)}"
        )
        assert (status, body) == (204, b"")
        assert "content-type" not in headers or headers.get("content-length", "0") == "0"
        assert hooks_heard(port) != before

    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_hook_of_25_megabytes_is_read_to_its_end(self, port: int, chunked: bool) -> None:
        content = b"x" * MAX_HOOK
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {MAX_HOOK}"
        sent = f"{MAX_HOOK:x}\r\n".encode() + content + b"\r\n0\r\n\r\n" if chunked else content
        before = hooks_heard(port)
        status, _, _ = send_hook(port, f"X-Gitlab-Token: {HOOK_SECRET}", framing, body=sent)
        assert status == 204
        assert hooks_heard(port) != before

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            (["X-Gitlab-Token: wrong", f"Content-Length: {len(BODY)}"], 401),
            ([f"Content-Length: {len(BODY)}"], 401),
            ([f"X-Gitlab-Token: {HOOK_SECRET}", f"Content-Length: {MAX_HOOK + 1}"], 413),
        ],
    )
    def test_what_is_not_taken_is_no_hint(self, port: int, headers: list[str], status: int) -> None:
        before = hooks_heard(port)
        assert send_hook(port, *headers)[0] == status
        assert hooks_heard(port) == before

    def test_one_that_is_cut_off_is_no_hint(self, port: int) -> None:
        before = hooks_heard(port)
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(
                b"POST /hooks/gitlab HTTP/1.1\r\nHost: x\r\nX-Gitlab-Event: Push Hook\r\n"
                + f"X-Gitlab-Token: {HOOK_SECRET}\r\nContent-Length: 1000\r\n\r\n".encode()
                + BODY
            )
            connection.shutdown(socket.SHUT_WR)
            response = http.client.HTTPResponse(connection)
            response.begin()
            assert response.status == 400
        assert hooks_heard(port) == before


def curl(port: int, path: str, *more: str) -> Any:
    command = ["curl", "-sS", f"http://127.0.0.1:{port}{path}", "-H", f"Authorization: Bearer {ALL_TOKEN}"]
    return json.loads(subprocess.run([*command, *more], capture_output=True, check=True).stdout)


def test_curl_promotes_looks_and_approves(port: int) -> None:
    as_json = ("-H", "Content-Type: application/json", "--data")
    promoted = curl(port, "/api/promotions", *as_json, '{"from": "dev", "to": "prod", "charts": ["iris"]}')
    assert (promoted["state"], promoted["promotion"]["charts"]) == ("pending", ["iris"])
    (listed,) = curl(port, "/api/proposals")["proposals"]
    assert listed["name"] == "prod/iris"
    address = f"/api/proposals/{listed['name']}"
    assert curl(port, address)["diff"].startswith("-  tag:")
    stale = curl(port, f"{address}/approve", *as_json, json.dumps({"head": "0" * 40}))
    assert (stale["status"], stale["type"]) == (409, "/docs/problems#not-now")
    # Without any body, as a person types it.
    assert curl(port, f"{address}/approve", "-X", "POST")["outcome"] == "committed"
    gone = curl(port, f"{address}/close", *as_json, json.dumps({"reason": f"{HEAD} is wrong."}))
    assert gone["type"] == "/docs/problems#no-such-proposal"
