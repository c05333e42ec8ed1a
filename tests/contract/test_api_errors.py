"""Every error over HTTP is problem details with the right status, type, field and a helpful sentence."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from support.api import IMAGE, OTHER_TOKEN, RELEASE_TOKEN, TOKEN, Api, body_of
from werkzeug.test import TestResponse

from updater.auth import Keys
from updater.errors import EditRefused, InvalidSettings, PermanentError
from updater.intake import MAX_BODY
from updater.web.problems import KINDS


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    yield api
    api.close()


def expect(answer: TestResponse, status: int, slug: str, said: str, *, field: str | None = None) -> None:
    """Check an answer against everything RFC 9457 asks for."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    body = body_of(answer)
    assert body["type"] == f"/docs/problems#{slug}"
    assert body["status"] == status
    assert body["title"].endswith(".")
    assert said in body["detail"]
    assert body["instance"]
    assert body.get("field") == field
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        (b"", None, "The body is empty: send {"),
        (b"image=a/b:1", None, "not JSON: line 1, column 1"),
        (b'{"image":', None, "line 1, column 10"),
        (b"[]", None, "The body is a list"),
        (b"\xff", None, "not UTF-8"),
        (b"[" * 60_000, None, "nested too deeply"),
        (b'{"image":"a/b:1","image":"a/b:1"}', None, "twice"),
        (b"{}", "image", 'The field "image" is missing'),
        (b'{"image": 7}', "image", "is a number; send a string"),
        (b'{"image": "a/b"}', "image", "names no tag"),
        (b'{"image": "a/B:1"}', "image", "use 'a/b'"),
        (b'{"image": "a/b:.1"}', "image", "not a legal tag"),
        (b'{"image": "a/b:1", "tag": "1"}', "tag", "There is no field 'tag'"),
        (b'{"image": "a/b:1", "source": {"commit": ["x"]}}', "source.commit", "is a list"),
        (b'{"image": "a/b:1", "digest": "sha256:1"}', "digest", "is not a digest"),
        (b'{"image": "a/b:1", "environment": "a b"}', "environment", "not the name of an environment"),
        (b'{"image": "a/b:1\\n"}', "image", "U+000A"),
        (b'{"image": "a/b:1", "source": {"ref": "\\ud800"}}', "source.ref", "U+D800"),
    ],
)
def test_a_body_that_makes_no_sense_is_400(api: Api, body: bytes, field: str | None, said: str) -> None:
    expect(api.send_bytes(body), 400, "invalid-request", said, field=field)
    assert api.store.counts()["pending"] == 0


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (None, "Send the header Authorization: Bearer TOKEN"),
        ("Basic dTpw", "not of the form Bearer TOKEN"),
        (f"Bearer {TOKEN}x", "not known here"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/auto-update"),
        ("GET", "/api/updates"),
        ("GET", "/api/updates/1"),
        ("HEAD", "/api/updates"),
        ("POST", "/api/promotions"),
        ("GET", "/api/proposals"),
        ("GET", "/api/proposals/prod/iris"),
        ("POST", "/api/proposals/prod/iris/approve"),
        ("POST", "/api/proposals/prod/iris/close"),
    ],
)
def test_without_a_known_token_it_is_401(
    api: Api, header: str | None, said: str, method: str, path: str
) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = api.client.open(path, method=method, json={"image": IMAGE}, headers=headers)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="updater"'
    if method == "HEAD":
        assert (answer.status_code, answer.data) == (401, b"")
    else:
        expect(answer, 401, "not-authenticated", said)
    assert api.store.counts()["pending"] == 0
    assert api.desk.acts == []


@pytest.mark.parametrize("path", ["//api/updates", "/api/updates", "///api/updates/1", "/%61pi/updates"])
def test_however_the_path_is_written_the_token_is_asked_for(api: Api, path: str) -> None:
    answer = api.client.get("/", environ_overrides={"PATH_INFO": unquote(path)})
    assert answer.status_code == 401


def test_who_is_not_known_learns_nothing_about_bodies_and_parameters(api: Api) -> None:
    assert api.client.post("/api/auto-update", data=b"nonsense").status_code == 401
    assert api.client.post("/api/auto-update", data=b"x" * (MAX_BODY + 1)).status_code == 401
    assert api.client.get("/api/updates?limit=0").status_code == 401


def test_without_any_tokens_the_operator_is_told_what_to_set(tmp_path: Path) -> None:
    api = Api(tmp_path, Keys())
    answer = api.send()
    api.close()
    expect(answer, 401, "not-authenticated", "must set UPDATER_TOKENS_FILE")


def test_an_image_the_token_does_not_speak_for_is_403(api: Api) -> None:
    answer = api.send(token=OTHER_TOKEN)
    expect(
        answer, 403, "not-allowed", "'lily' may not speak for registry.example.com/iris; it may for registry"
    )
    assert api.store.counts()["pending"] == 0


def test_a_token_without_the_act_update_may_not_say_that_an_image_was_built(api: Api) -> None:
    answer = api.send(token=RELEASE_TOKEN)
    expect(answer, 403, "not-allowed", "'release' may not update; it may promote.")
    assert api.store.counts()["pending"] == 0


@pytest.mark.parametrize(
    "path",
    [
        "/api/auto-update/",
        "/api",
        "/api/update",
        "/favicon.ico",
        "//api/updates",
        "/docs/assets/x",
        "/hooks/gitlab/",
        "/api/proposals/prod",
        "/api/proposals/prod/a%2Fb",
        "/a%0Ab",
    ],
)
def test_an_address_with_nothing_at_it_is_404(api: Api, path: str) -> None:
    expect(api.client.get(path), 404, "no-such-page", "requests go to POST /api/auto-update")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/api/auto-update", {"POST", "OPTIONS"}),
        ("PUT", "/api/auto-update", {"POST", "OPTIONS"}),
        ("DELETE", "/api/updates/1", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/api/updates", {"GET", "HEAD", "OPTIONS"}),
        ("PROPFIND", "/healthz", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/api/promotions", {"POST", "OPTIONS"}),
        ("DELETE", "/api/proposals/prod/iris", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/api/proposals/prod/iris/approve", {"POST", "OPTIONS"}),
        ("GET", "/hooks/gitlab", {"POST", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_405_and_names_the_right_ones(
    api: Api, method: str, path: str, allow: set[str]
) -> None:
    answer = api.client.open(path, method=method)
    expect(answer, 405, "wrong-method", f"takes {'POST' if 'POST' in allow else 'GET'}, not {method}.")
    assert set(answer.headers["Allow"].split(", ")) == allow


@pytest.mark.parametrize("path", ["/api/auto-update", "/api/updates"])
def test_options_needs_no_token_and_tells_only_the_methods(api: Api, path: str) -> None:
    answer = api.client.options(path)
    assert (answer.status_code, answer.data) == (200, b"")
    assert "OPTIONS" in answer.headers["Allow"]
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("size", [MAX_BODY + 1, 5_000_000])
def test_a_body_that_is_too_large_is_413(api: Api, size: int) -> None:
    expect(api.send_bytes(b"x" * size), 413, "too-large", "larger than 65536 bytes")


def test_a_body_of_the_largest_size_is_read(api: Api) -> None:
    body = json.dumps({"image": IMAGE}).encode()
    assert api.send_bytes(body + b" " * (MAX_BODY - len(body))).status_code == 202


@pytest.mark.parametrize(
    "content_type", [None, "application/x-www-form-urlencoded", "text/plain", "text/json", "nonsense"]
)
def test_a_body_that_is_not_declared_as_json_is_415(api: Api, content_type: str | None) -> None:
    answer = api.send_bytes(b'{"image": "registry.example.com/iris:1"}', content_type)
    expect(answer, 415, "not-json", "Content-Type: application/json")


def test_a_compressed_body_is_415(api: Api) -> None:
    answer = api.send(None, Content_Encoding="gzip")
    expect(answer, 415, "not-json", "without Content-Encoding")


def test_a_store_that_is_away_is_503_and_says_when_to_try_again(api: Api) -> None:
    api.store.close()
    for answer in (api.send(), api.get("/api/updates"), api.get("/api/updates/1")):
        expect(answer, 503, "try-again", "is closed")
        assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("s3cret"),
        KeyError("s3cret"),
        InvalidSettings("s3cret"),
        PermanentError("s3cret"),
        EditRefused("s3cret"),
    ],
)
def test_a_bug_is_500_without_details_and_its_traceback_is_in_the_log(
    api: Api, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def broken() -> str:
        raise error

    api.app.view_functions["healthz_that_breaks"] = broken
    api.app.url_map.add(api.app.url_rule_class("/broken", endpoint="healthz_that_breaks"))
    with caplog.at_level(logging.ERROR):
        answer = api.client.get("/broken")
    expect(answer, 500, "internal-error", "The log holds the traceback")
    assert "s3cret" not in answer.text
    logged = next(record for record in caplog.records if record.exc_info)
    assert body_of(answer)["instance"] in logged.getMessage()
    assert logged.exc_info is not None
    assert logged.exc_info[1] is error


def test_every_kind_of_problem_is_explained_on_the_page_its_type_names(api: Api) -> None:
    page = api.client.get("/docs/problems").text
    for kind in KINDS:
        assert kind.type.startswith("/docs/problems#")
        assert f'<h2 id="{kind.slug}">' in page
        assert kind.cure


class TestLog:
    def lines(self, caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
        return [record for record in caplog.records if record.name == "updater.access"]

    def test_each_answer_is_one_line_with_the_facts_and_without_the_token(
        self, api: Api, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO):
            request_id = body_of(api.send(Idempotency_Key="private-key"))["id"]
            api.get("/api/updates?image=private", token=None)
        sent, read = self.lines(caplog)
        facts = vars(sent)
        assert (facts["method"], facts["path"], facts["status"]) == ("POST", "/api/auto-update", 202)
        assert (facts["caller"], facts["request"]) == ("iris", request_id)
        assert re.fullmatch(
            rf"POST /api/auto-update 202 in [0-9.]+ ms, caller 'iris', request '{request_id}'",
            sent.getMessage(),
        )
        assert read.getMessage().startswith("GET /api/updates 401 in ")
        assert TOKEN not in caplog.text
        assert "private" not in caplog.text

    def test_a_path_cannot_forge_a_line(self, api: Api, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO):
            api.client.get("/x%0A2026-01-01 INFO forged")
        (line,) = self.lines(caplog)
        assert "\n" not in line.getMessage()
        assert "/x%0A2026-01-01%20INFO%20forged" in line.getMessage()
