"""Sending a request over HTTP: what is taken, who may send it, waiting, and keys."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.api import ALL_TOKEN, COMMIT, IMAGE, OPEN, TOKEN, Api, body_of

from updater.model import ImageReference, OutcomeKind, Source, UpdateRequest


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    yield api
    api.close()


def test_a_request_is_stored_before_it_is_answered(api: Api) -> None:
    answer = api.send()
    assert answer.status_code == 202
    body = body_of(answer)
    assert (body["state"], body["outcome"], body["image"], body["caller"]) == ("pending", None, IMAGE, "iris")
    assert answer.headers["Location"] == body["url"] == f"http://localhost/api/updates/{body['id']}"
    record = api.store.get(body["id"])
    assert record is not None
    assert isinstance(record.request, UpdateRequest)
    assert record.request.image == ImageReference.parse(IMAGE)
    assert record.request.caller.images == ("registry.example.com/iris",)


def test_every_field_reaches_the_store(api: Api) -> None:
    digest = f"sha256:{'ab' * 32}"
    source = {"project": "shop/iris", "commit": "5d41402a", "pipeline_id": 52666, "author": "김"}
    answer = api.send({"image": IMAGE, "digest": digest, "environment": "dev", "source": source})
    body = body_of(answer)
    record = api.store.get(body["id"])
    assert record is not None
    assert isinstance(record.request, UpdateRequest)
    assert record.request.image.digest == digest == body["digest"]
    assert record.request.environment == "dev" == body["environment"]
    assert record.request.source == Source(
        project="shop/iris", commit="5d41402a", pipeline_id="52666", author="김"
    )
    assert body["source"]["author"] == "김"


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "application/hal+json"]
)
def test_json_is_taken_under_each_of_its_names(api: Api, content_type: str) -> None:
    assert api.send_bytes(b'{"image": "registry.example.com/iris:1"}', content_type).status_code == 202


def test_the_location_is_the_public_url_where_one_is_set(tmp_path: Path) -> None:
    api = Api(tmp_path, public_url="https://updater.example.com/gitops")
    answer = api.send()
    api.close()
    assert answer.headers["Location"].startswith("https://updater.example.com/gitops/api/updates/")


def test_the_link_keeps_the_prefix_a_proxy_names(api: Api) -> None:
    answer = api.client.post(
        "/api/auto-update",
        json={"image": IMAGE},
        headers={"Authorization": f"Bearer {TOKEN}"},
        environ_overrides={"SCRIPT_NAME": "/gitops"},
    )
    assert answer.headers["Location"].startswith("http://localhost/gitops/api/updates/")


def test_the_open_setting_takes_the_original_request_as_it_is(tmp_path: Path) -> None:
    api = Api(tmp_path, OPEN)
    answer = api.send(token=None)
    api.close()
    assert answer.status_code == 202
    assert body_of(answer)["caller"] == "anyone"


class TestWaiting:
    @pytest.mark.parametrize(
        ("kind", "status"),
        [
            (OutcomeKind.COMMITTED, 200),
            (OutcomeKind.PROPOSED, 200),
            (OutcomeKind.UNCHANGED, 200),
            (OutcomeKind.SUPERSEDED, 200),
            (OutcomeKind.HELD, 409),
            (OutcomeKind.REFUSED, 409),
            (OutcomeKind.FAILED, 502),
        ],
    )
    def test_the_status_tells_the_outcome(self, api: Api, kind: OutcomeKind, status: int) -> None:
        with api.worker(kind, "Because."):
            answer = api.send(Prefer="wait=30")
        body = body_of(answer)
        assert answer.status_code == status
        assert answer.headers["Preference-Applied"] == "wait=30"
        assert (body["state"], body["outcome"], body["reason"]) == ("settled", kind.value, "Because.")
        assert answer.headers["Location"] == body["url"]

    @pytest.mark.parametrize(
        ("kind", "type_"),
        [
            (OutcomeKind.HELD, "/docs/problems#held"),
            (OutcomeKind.REFUSED, "/docs/problems#refused"),
            (OutcomeKind.FAILED, "/docs/problems#failed"),
        ],
    )
    def test_what_did_not_succeed_is_a_problem_that_carries_the_request(
        self, api: Api, kind: OutcomeKind, type_: str
    ) -> None:
        with api.worker(kind, "Because."):
            answer = api.send(Prefer="wait=30")
        body = body_of(answer)
        assert answer.mimetype == "application/problem+json"
        assert (body["type"], body["status"], body["detail"]) == (type_, answer.status_code, "Because.")
        assert body["environments"][0]["places"][0]["file"] == "charts/iris/values-dev.yaml"

    def test_what_succeeded_names_the_commit(self, api: Api) -> None:
        with api.worker(OutcomeKind.COMMITTED):
            body = body_of(api.send(Prefer="wait=30"))
        assert body["commit"] == COMMIT
        assert body["link"] == f"https://gitlab.example.com/c/{COMMIT}"
        assert body["environments"][0]["commit"] == COMMIT

    def test_what_is_not_settled_in_time_is_202(self, api: Api) -> None:
        answer = api.send(Prefer="wait=1")
        assert answer.status_code == 202
        assert answer.headers["Preference-Applied"] == "wait=1"
        assert body_of(answer)["state"] == "pending"

    @pytest.mark.parametrize(
        "prefer", ["wait=0", "respond-async", "wait", "wait=soon", "wait=-1", "WAITING=5", ""]
    )
    def test_other_preferences_do_not_wait(self, api: Api, prefer: str) -> None:
        answer = api.send(Prefer=prefer)
        assert answer.status_code == 202
        assert "Preference-Applied" not in answer.headers

    @pytest.mark.parametrize(
        ("prefer", "applied"),
        [
            ("wait=600", "wait=60"),
            ("respond-async, Wait = 5", "wait=5"),
            ('foo="a, wait=1"; wait=2, wait="7"', "wait=7"),
            ("wait=5, wait=50", "wait=5"),
        ],
    )
    def test_the_first_wait_counts_and_60_seconds_are_the_most(
        self, api: Api, prefer: str, applied: str
    ) -> None:
        key = "once"
        api.settle(body_of(api.send(Idempotency_Key=key))["id"])
        answer = api.send(Prefer=prefer, Idempotency_Key=key)
        assert answer.headers["Preference-Applied"] == applied

    def test_at_most_half_of_the_threads_wait_and_the_rest_is_answered_at_once(self, tmp_path: Path) -> None:
        api = Api(tmp_path, threads=4)
        waiting = [threading.Thread(target=api.send, kwargs={"Prefer": "wait=50"}) for _ in range(2)]
        for thread in waiting:
            thread.start()
        try:
            while api.store.counts()["pending"] < 2 or not _seats_are_taken(api):
                threading.Event().wait(0.01)
            answer = api.send(Prefer="wait=50")
        finally:
            with api.worker(OutcomeKind.COMMITTED):
                for thread in waiting:
                    thread.join()
        assert answer.status_code == 202
        assert int(answer.headers["Retry-After"]) >= 1
        assert "Preference-Applied" not in answer.headers
        with api.worker(OutcomeKind.COMMITTED):
            assert api.send(Prefer="wait=50").status_code == 200, "the seats are free again"
        api.close()


def _seats_are_taken(api: Api) -> bool:
    _, seats = api.app.extensions["updater"]
    with seats.taken() as seated:
        return not seated


class TestIdempotencyKey:
    def test_the_same_key_and_body_is_the_same_request(self, api: Api) -> None:
        first = api.send(Idempotency_Key="pipeline-52666")
        second = api.send(Idempotency_Key="pipeline-52666")
        assert (first.status_code, first.json) == (second.status_code, second.json)
        assert api.store.counts()["pending"] == 1

    def test_a_repeated_request_is_answered_like_the_first_also_when_it_is_settled(self, api: Api) -> None:
        first = body_of(api.send(Idempotency_Key="k"))
        api.settle(first["id"], OutcomeKind.REFUSED)
        again = api.send(Idempotency_Key="k")
        assert again.status_code == 202
        assert body_of(again)["id"] == first["id"]
        assert body_of(again)["state"] == "settled"
        assert api.send(Idempotency_Key="k", Prefer="wait=5").status_code == 409

    def test_the_same_key_with_another_body_is_refused(self, api: Api) -> None:
        api.send(Idempotency_Key="k")
        answer = api.send({"image": "registry.example.com/iris:develop-52667"}, Idempotency_Key="k")
        assert answer.status_code == 422
        assert body_of(answer)["type"] == "/docs/problems#key-reused"
        assert "develop-52666" in body_of(answer)["detail"]
        assert api.store.counts()["pending"] == 1

    def test_white_space_in_the_body_makes_no_difference(self, api: Api) -> None:
        headers = {
            "Authorization": f"Bearer {TOKEN}",
            "Idempotency-Key": "k",
            "Content-Type": "application/json",
        }
        bodies = ('{"image":"registry.example.com/iris:1"}', '{ "image" : "registry.example.com/iris:1" }\n')
        answers = [api.client.post("/api/auto-update", data=body, headers=headers) for body in bodies]
        assert answers[0].json == answers[1].json

    def test_two_callers_may_use_the_same_key(self, api: Api) -> None:
        one = body_of(api.send(Idempotency_Key="k"))
        other = body_of(api.send(token=ALL_TOKEN, Idempotency_Key="k"))
        assert one["id"] != other["id"]

    def test_without_a_key_each_is_a_request_of_its_own(self, api: Api) -> None:
        assert body_of(api.send())["id"] != body_of(api.send())["id"]

    @pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel"])
    def test_a_key_is_short_printable_ascii(self, api: Api, key: str) -> None:
        answer = api.send(Idempotency_Key=key)
        assert answer.status_code == 400
        assert body_of(answer)["field"] == "Idempotency-Key"
        assert "1 to 255 printable ASCII" in body_of(answer)["detail"]
