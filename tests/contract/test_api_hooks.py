"""GitLab's webhooks: who is heard, what is a hint, and that nothing else ever comes of one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from support.api import ALL_TOKEN, HOOK_SECRET, KEYS, Api, body_of
from werkzeug.test import TestResponse

from updater.errors import InvalidSettings
from updater.web.hooks import MAX_HOOK

SIGNING = "whsec_" + base64.b64encode(b"k" * 32).decode()
HEARD = ["Merge Request Hook", "Push Hook", "Pipeline Hook"]
NO_HEADERS: Mapping[str, str] = {}
BODY = json.dumps({"object_kind": "merge_request", "user": {"email": "kim@example.com"}}).encode()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    yield api
    api.close()


@pytest.fixture
def signed(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path, hook_secret=SIGNING)
    yield api
    api.close()


def hook(
    api: Api,
    event: str | None = "Push Hook",
    *,
    body: bytes = BODY,
    token: str | None = None,
    headers: Mapping[str, str] = NO_HEADERS,
) -> TestResponse:
    """Send a hook as GitLab does; `token` is the header X-Gitlab-Token."""
    sent = {**headers}
    if event is not None:
        sent["X-Gitlab-Event"] = event
    if token is not None:
        sent["X-Gitlab-Token"] = token
    return api.client.post("/hooks/gitlab", data=body, content_type="application/json", headers=sent)


def signature(api: Api, *, key: bytes = b"k" * 32, body: bytes = BODY, age: float = 0) -> dict[str, str]:
    """The headers of a hook signed by Standard Webhooks, `age` seconds ago."""
    sent_at = str(int((api.now - timedelta(seconds=age)).timestamp()))
    made = hmac.new(key, b"msg-1." + sent_at.encode() + b"." + body, hashlib.sha256).digest()
    return {
        "webhook-id": "msg-1",
        "webhook-timestamp": sent_at,
        "webhook-signature": f"v1,{base64.b64encode(made).decode()}",
    }


def expect_silence(api: Api, answer: TestResponse, hints: int) -> None:
    assert (answer.status_code, answer.data) == (204, b"")
    assert api.desk.hints == hints


def expect_refusal(api: Api, answer: TestResponse, said: str) -> None:
    assert answer.status_code == 401
    assert body_of(answer)["type"] == "/docs/problems#not-authenticated"
    assert said in body_of(answer)["detail"]
    assert "UPDATER_GITLAB_HOOK_SECRET" in body_of(answer)["detail"]
    assert answer.headers["WWW-Authenticate"].startswith("X-Gitlab-Token ")
    assert HOOK_SECRET not in answer.text
    assert api.desk.hints == 0


class TestHints:
    @pytest.mark.parametrize("event", HEARD)
    def test_an_event_that_matters_is_a_hint_and_answered_with_nothing(self, api: Api, event: str) -> None:
        expect_silence(api, hook(api, event, token=HOOK_SECRET), 1)

    @pytest.mark.parametrize("event", ["Note Hook", "Job Hook", "System Hook", "push hook", "", None])
    def test_any_other_event_is_taken_and_ignored(self, api: Api, event: str | None) -> None:
        expect_silence(api, hook(api, event, token=HOOK_SECRET), 0)

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 70_000, b"null"])
    def test_what_the_body_says_makes_no_difference(self, api: Api, body: bytes) -> None:
        expect_silence(api, hook(api, body=body, token=HOOK_SECRET), 1)

    def test_nothing_is_stored_or_approved_by_a_hook(self, api: Api) -> None:
        hook(api, "Merge Request Hook", token=HOOK_SECRET)
        assert api.store.counts()["pending"] == 0
        assert api.desk.acts == []
        assert set(api.desk.open) == {"prod/iris", "dev/lily"}

    def test_a_repeated_delivery_is_a_hint_again(self, api: Api) -> None:
        for _ in range(2):
            hook(api, token=HOOK_SECRET, headers={"Idempotency-Key": "one"})
        assert api.desk.hints == 2

    def test_the_store_need_not_be_there(self, api: Api) -> None:
        api.store.close()
        expect_silence(api, hook(api, token=HOOK_SECRET), 1)

    def test_no_address_of_a_person_and_no_secret_reaches_the_log(
        self, api: Api, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            hook(api, token=HOOK_SECRET)
            hook(api, token="a-wrong-secret")
        assert "POST /hooks/gitlab 204" in caplog.text
        assert "kim@example.com" not in caplog.text
        assert HOOK_SECRET not in caplog.text
        assert "a-wrong-secret" not in caplog.text


class TestSizes:
    def test_a_body_of_the_largest_size_is_heard(self, api: Api) -> None:
        expect_silence(api, hook(api, body=b"x" * MAX_HOOK, token=HOOK_SECRET), 1)

    def test_a_larger_one_is_413_and_no_hint(self, api: Api) -> None:
        answer = hook(api, body=b"x" * (MAX_HOOK + 1), token=HOOK_SECRET)
        assert answer.status_code == 413
        assert body_of(answer)["detail"] == "The body is larger than 26214400 bytes."
        assert api.desk.hints == 0


class TestPlainToken:
    @pytest.mark.parametrize(
        "token", [None, "", HOOK_SECRET[:-1], HOOK_SECRET + "x", HOOK_SECRET.upper(), "é"]
    )
    def test_who_does_not_know_it_is_401(self, api: Api, token: str | None) -> None:
        expect_refusal(api, hook(api, token=token), "X-Gitlab-Token is missing or wrong")

    @pytest.mark.parametrize("event", ["Note Hook", None])
    def test_also_for_an_event_that_would_be_ignored(self, api: Api, event: str | None) -> None:
        expect_refusal(api, hook(api, event), "X-Gitlab-Token")

    def test_a_callers_token_is_no_hooks_token(self, api: Api) -> None:
        answer = hook(api, token=ALL_TOKEN, headers={"Authorization": f"Bearer {ALL_TOKEN}"})
        expect_refusal(api, answer, "X-Gitlab-Token")

    def test_a_hooks_token_is_no_callers_token(self, api: Api) -> None:
        assert api.get("/api/updates", token=HOOK_SECRET).status_code == 401

    def test_it_may_hold_any_character(self, tmp_path: Path) -> None:
        api = Api(tmp_path, hook_secret="geheim-ü-비밀")
        # GitLab sends the bytes, which a WSGI server hands on as Latin-1.
        as_sent = "geheim-ü-비밀".encode().decode("latin-1")
        answer = hook(api, token=as_sent)
        expect_silence(api, answer, 1)
        api.close()


class TestSignature:
    def test_a_hook_signed_with_the_key_is_heard(self, signed: Api) -> None:
        expect_silence(signed, hook(signed, headers=signature(signed)), 1)

    @pytest.mark.parametrize("size", [0, 1, 65_536, 1_000_000])
    def test_the_whole_body_is_signed(self, signed: Api, size: int) -> None:
        body = b"x" * size
        expect_silence(signed, hook(signed, body=body, headers=signature(signed, body=body)), 1)
        other = hook(signed, body=body + b"y", headers=signature(signed, body=body))
        assert other.status_code == 401
        assert signed.desk.hints == 1

    def test_one_good_signature_among_several_is_enough(self, signed: Api) -> None:
        headers = signature(signed)
        others = (
            f"v1,{base64.b64encode(b'x' * 32).decode()} v2,abc v1a,ZZZ= {headers['webhook-signature']} v1,"
        )
        expect_silence(signed, hook(signed, headers=headers | {"webhook-signature": others}), 1)

    @pytest.mark.parametrize("age", [299, -299])
    def test_clocks_may_differ_by_five_minutes(self, signed: Api, age: float) -> None:
        expect_silence(signed, hook(signed, headers=signature(signed, age=age)), 1)

    @pytest.mark.parametrize("age", [302, -302, 86_400])
    def test_an_old_one_is_not_heard_again(self, signed: Api, age: float) -> None:
        answer = hook(signed, headers=signature(signed, age=age))
        assert answer.status_code == 401
        assert "more than 5 minutes from this server's clock" in body_of(answer)["detail"]
        assert signed.desk.hints == 0

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("webhook-id", "msg-2"),
            ("webhook-signature", "v1,"),
            ("webhook-signature", "v1,éé"),
            ("webhook-signature", "v2,abc"),
        ],
    )
    def test_a_wrong_part_is_401(self, signed: Api, name: str, value: str) -> None:
        answer = hook(signed, headers=signature(signed) | {name: value})
        expect_refusal(signed, answer, "None of the hook's signatures is by the right key")

    def test_a_moved_timestamp_breaks_the_signature(self, signed: Api) -> None:
        headers = signature(signed, age=60)
        moved = str(int(headers["webhook-timestamp"]) + 30)
        answer = hook(signed, headers=headers | {"webhook-timestamp": moved})
        expect_refusal(signed, answer, "None of the hook's signatures")

    @pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
    def test_a_part_that_is_missing_is_401(self, signed: Api, name: str) -> None:
        headers = signature(signed)
        del headers[name]
        expect_refusal(signed, hook(signed, headers=headers), "The hook is not signed")

    @pytest.mark.parametrize("timestamp", ["now", "1e9", "-1", "1" * 5000, "٣", "12.5"])
    def test_a_timestamp_that_is_none_is_401(self, signed: Api, timestamp: str) -> None:
        answer = hook(
            signed, headers=signature(signed) | {"webhook-timestamp": timestamp.encode().decode("latin-1")}
        )
        assert answer.status_code == 401
        assert signed.desk.hints == 0

    def test_another_key_is_401(self, signed: Api) -> None:
        expect_refusal(signed, hook(signed, headers=signature(signed, key=b"x" * 32)), "right key")

    def test_the_token_itself_in_the_plain_header_does_not_do(self, signed: Api) -> None:
        expect_refusal(signed, hook(signed, token=SIGNING), "The hook is not signed")


class TestShut:
    def test_without_a_secret_nothing_is_taken_and_the_operator_is_told_what_to_set(
        self, tmp_path: Path
    ) -> None:
        api = Api(tmp_path, hook_secret="")
        answers = [hook(api), hook(api, token=""), hook(api, token="x")]
        api.close()
        for answer in answers:
            assert answer.status_code == 403
            assert body_of(answer)["type"] == "/docs/problems#not-allowed"
            assert "must set UPDATER_GITLAB_HOOK_SECRET" in body_of(answer)["detail"]
        assert api.desk.hints == 0

    @pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "whsec_ü", "whsec_abc"])
    def test_a_signing_token_that_is_none_is_told_at_start_without_showing_it(
        self, tmp_path: Path, secret: str
    ) -> None:
        with pytest.raises(InvalidSettings, match="UPDATER_GITLAB_HOOK_SECRET begins with whsec_") as raised:
            Api(tmp_path, KEYS, hook_secret=secret)
        assert secret == "whsec_" or secret not in str(raised.value)
