"""Proposals over HTTP: listing, showing, approving and closing, and who may do which."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.api import ALL_TOKEN, DEV_TOKEN, OTHER_TOKEN, RELEASE_TOKEN, TOKEN, Api, body_of
from support.desks import HEAD, MERGED, open_proposal
from werkzeug.test import TestResponse

from updater.auth import Keys
from updater.errors import (
    ActRefused,
    ForgeRefused,
    InvalidConfigRepo,
    PushForbidden,
    RateLimited,
    Unreachable,
)
from updater.model import APPROVE, Caller
from updater.store import Query

PROD = "/api/proposals/prod/iris"
DEV = "/api/proposals/dev/lily"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    yield api
    api.close()


def expect(answer: TestResponse, status: int, slug: str, said: str, *, field: str | None = None) -> None:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    body = body_of(answer)
    assert (body["type"], body["status"]) == (f"/docs/problems#{slug}", status)
    assert said in body["detail"]
    assert body.get("field") == field


class TestLooking:
    def test_the_list_tells_all_but_the_diff(self, api: Api) -> None:
        answer = api.get("/api/proposals", token=ALL_TOKEN)
        assert answer.status_code == 200
        first, second = body_of(answer)["proposals"]
        assert (first["name"], second["name"]) == ("prod/iris", "dev/lily")
        assert (first["branch"], first["target"], first["head"]) == ("updater/prod/iris", "main", HEAD)
        assert (first["number"], first["title"]) == (7, "prod: iris main-7")
        assert first["images"][0]["replaced"] == ["main-6"]
        assert first["diff"] == ""

    @pytest.mark.parametrize(
        ("token", "names"),
        [
            (ALL_TOKEN, ["prod/iris", "dev/lily"]),
            (TOKEN, ["prod/iris"]),
            (OTHER_TOKEN, ["dev/lily"]),
            (RELEASE_TOKEN, ["prod/iris"]),
            (DEV_TOKEN, ["dev/lily"]),
        ],
    )
    def test_a_token_sees_those_of_its_environments_and_images_whatever_it_may_do(
        self, api: Api, token: str, names: list[str]
    ) -> None:
        found = body_of(api.get("/api/proposals", token=token))["proposals"]
        assert [proposal["name"] for proposal in found] == names

    def test_one_is_shown_with_its_diff(self, api: Api) -> None:
        answer = api.get(PROD, token=TOKEN)
        assert answer.status_code == 200
        assert body_of(answer)["diff"] == "-  tag: main-5\n+  tag: main-7\n"
        assert body_of(answer)["name"] == "prod/iris"

    def test_one_of_another_environment_does_not_exist_for_this_token(self, api: Api) -> None:
        hidden = api.get(PROD, token=DEV_TOKEN)
        unknown = api.get("/api/proposals/prod/none", token=ALL_TOKEN)
        for answer in (hidden, unknown):
            expect(answer, 404, "no-such-proposal", "No open proposal that this token may see")
        assert body_of(hidden)["detail"] == body_of(unknown)["detail"]

    def test_one_with_an_image_of_somebody_else_does_not_exist_for_this_token(self, api: Api) -> None:
        hidden = api.get(PROD, token=OTHER_TOKEN)
        expect(hidden, 404, "no-such-proposal", "No open proposal that this token may see")
        lily, iris = api.desk.open["dev/lily"], api.desk.open["prod/iris"]
        api.desk.open["dev/lily"] = replace(lily, images=(*lily.images, *iris.images))
        assert body_of(api.get("/api/proposals", token=OTHER_TOKEN))["proposals"] == []
        assert api.get(DEV, token=OTHER_TOKEN).status_code == 404
        assert api.get(DEV, token=DEV_TOKEN).status_code == 200

    def test_a_name_that_lies_about_its_environment_opens_no_door(self, api: Api) -> None:
        api.desk.open["dev/secret"] = open_proposal("prod/secret")
        assert api.get("/api/proposals/dev/secret", token=DEV_TOKEN).status_code == 404
        assert api.get("/api/proposals/dev/secret", token=ALL_TOKEN).status_code == 200


class TestApproving:
    def test_it_is_merged_in_the_callers_name_and_the_commit_is_told(self, api: Api) -> None:
        answer = api.post(f"{PROD}/approve")
        assert answer.status_code == 200
        assert body_of(answer) == {
            "name": "prod/iris",
            "environment": "prod",
            "outcome": "committed",
            "code": "approved",
            "reason": "all approved it.",
            "commit": MERGED,
            "link": f"https://gitlab.example.com/c/{MERGED}",
        }
        assert api.desk.acts == [("approve", "prod/iris", "all", "")]

    @pytest.mark.parametrize("body", [{}, {"head": None}, {"head": HEAD}])
    def test_it_can_be_pinned_to_the_commit_that_was_seen(self, api: Api, body: dict[str, object]) -> None:
        assert api.post(f"{PROD}/approve", body).status_code == 200
        assert api.desk.acts == [("approve", "prod/iris", "all", str(body.get("head") or ""))]

    def test_another_commit_than_the_one_seen_is_not_merged(self, api: Api) -> None:
        answer = api.post(f"{PROD}/approve", {"head": MERGED})
        expect(answer, 409, "not-now", f"is at {HEAD} now")
        assert api.desk.acts == []

    @pytest.mark.parametrize(
        ("body", "field", "said"),
        [
            ({"head": HEAD[:12]}, "head", "send all 40 hexadecimal digits"),
            ({"head": ""}, "head", "is not the id of a commit"),
            ({"head": 7}, "head", "is a number"),
            ({"haed": HEAD}, "haed", "did you mean 'head'?"),
            ([], None, "The body is a list"),
        ],
    )
    def test_a_body_that_makes_no_sense_is_400_and_merges_nothing(
        self, api: Api, body: object, field: str | None, said: str
    ) -> None:
        expect(api.post(f"{PROD}/approve", body), 400, "invalid-request", said, field=field)
        assert api.desk.acts == []

    def test_a_body_that_is_not_declared_as_json_is_415(self, api: Api) -> None:
        answer = api.client.post(
            f"{PROD}/approve", data=f"head={MERGED}", headers={"Authorization": f"Bearer {ALL_TOKEN}"}
        )
        expect(answer, 415, "not-json", "Content-Type: application/json")
        assert api.desk.acts == []

    def test_what_is_open_no_more_is_404(self, api: Api) -> None:
        api.post(f"{PROD}/approve")
        expect(api.post(f"{PROD}/approve"), 404, "no-such-proposal", "no open proposal 'prod/iris'")


class TestClosing:
    def test_it_is_closed_in_the_callers_name_with_the_reason(self, api: Api) -> None:
        answer = api.post(f"{DEV}/close", {"reason": "Not before the audit."}, token=DEV_TOKEN)
        assert answer.status_code == 200
        body = body_of(answer)
        assert (body["name"], body["outcome"], body["commit"]) == ("dev/lily", "refused", "")
        assert body["reason"] == "dev closed it: Not before the audit."
        assert body["link"] == "https://gitlab.example.com/ops/config/-/merge_requests/7"
        assert api.desk.acts == [("close", "dev/lily", "dev", "Not before the audit.")]

    @pytest.mark.parametrize(
        ("body", "field", "said"),
        [
            ({}, "reason", 'The field "reason" is missing: send {"reason"'),
            ({"reason": None}, "reason", "is missing"),
            ({"reason": "  "}, "reason", "is missing"),
            ({"reason": "a\nUpdater-Closed-By: kim"}, "reason", "U+000A"),
            ({"reason": "x" * 256}, "reason", "255 are allowed"),
        ],
    )
    def test_it_needs_a_reason_on_one_line(
        self, api: Api, body: object, field: str | None, said: str
    ) -> None:
        expect(api.post(f"{PROD}/close", body), 400, "invalid-request", said, field=field)
        assert api.desk.acts == []

    def test_what_is_open_no_more_is_404(self, api: Api) -> None:
        answer = api.post("/api/proposals/prod/none/close", {"reason": "x"})
        expect(answer, 404, "no-such-proposal", "no open proposal 'prod/none'")


@pytest.mark.parametrize("act", ["approve", "close"])
@pytest.mark.parametrize(
    ("token", "said"),
    [
        (TOKEN, "'iris' may not approve"),
        (RELEASE_TOKEN, "'release' may not approve"),
        (DEV_TOKEN, "'dev' may not speak for the environment prod"),
    ],
)
def test_deciding_needs_the_act_and_the_environment(api: Api, act: str, token: str, said: str) -> None:
    for name in (PROD, "/api/proposals/prod/none"):
        expect(api.post(f"{name}/{act}", {"reason": "x"}, token=token), 403, "not-allowed", said)
    assert api.desk.acts == []


@pytest.mark.parametrize("act", ["approve", "close"])
def test_deciding_needs_every_image_that_is_in_it(tmp_path: Path, act: str) -> None:
    token = "approver-token-0123456789abcdef"
    who = Caller(name="approver", images=("registry.example.com/lily",), acts=(APPROVE,))
    api = Api(tmp_path, Keys(callers=((hashlib.sha256(token.encode()).hexdigest(), who),)))
    answer = api.post(f"{PROD}/{act}", {"reason": "x"} if act == "close" else {}, token=token)
    expect(answer, 403, "not-allowed", "'approver' may not speak for registry.example.com/iris")
    assert api.desk.acts == []
    assert api.post(f"{DEV}/{act}", {"reason": "x"} if act == "close" else {}, token=token).status_code == 200
    assert api.desk.acts[0][2] == "approver"
    api.close()


@pytest.mark.parametrize(
    ("trouble", "status", "slug"),
    [
        (Unreachable("The Git server does not answer.", after=7), 503, "try-again"),
        (RateLimited("GitLab asks for patience.", after=30.2), 503, "try-again"),
        (InvalidConfigRepo("The branch main is gone."), 409, "not-now"),
        (ActRefused("kim pushed a commit of their own."), 409, "not-now"),
        (PushForbidden("The branch main is protected."), 502, "failed"),
        (ForgeRefused("GitLab says: 403 Forbidden."), 502, "failed"),
    ],
)
@pytest.mark.parametrize("path", ["/api/proposals", PROD, f"{PROD}/approve", f"{PROD}/close"])
def test_what_the_worker_cannot_do_is_a_problem_with_its_words(
    api: Api, trouble: Exception, status: int, slug: str, path: str
) -> None:
    api.desk.trouble = trouble
    if path.endswith(("approve", "close")):
        answer = api.post(path, {"reason": "x"} if path.endswith("close") else {})
    else:
        answer = api.get(path, token=ALL_TOKEN)
    expect(answer, status, slug, str(trouble))
    if isinstance(trouble, Unreachable | RateLimited):
        assert answer.headers["Retry-After"] == ("7" if trouble.after == 7 else "31")
    assert api.desk.acts == []


def test_who_asks_the_worker_takes_a_seat_and_beyond_half_of_the_threads_it_is_503(tmp_path: Path) -> None:
    api = Api(tmp_path, threads=2)
    waiting = threading.Thread(target=api.send, kwargs={"Prefer": "wait=50"})
    waiting.start()
    try:
        while api.store.counts()["pending"] < 1 or not _seat_is_taken(api):
            threading.Event().wait(0.01)
        answer = api.get("/api/proposals")
        hook = api.client.post("/hooks/gitlab", headers={"X-Gitlab-Token": "wrong"})
    finally:
        for request in api.store.find(Query()):
            api.settle(request.request.id)
        waiting.join()
    expect(answer, 503, "try-again", "Too many callers wait")
    assert int(answer.headers["Retry-After"]) >= 1
    assert hook.status_code == 401
    assert api.get("/api/proposals").status_code == 200, "the seat is free again"
    api.close()


def _seat_is_taken(api: Api) -> bool:
    _, seats = api.app.extensions["updater"]
    with seats.taken() as seated:
        return not seated
