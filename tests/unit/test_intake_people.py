"""The bodies of what people send: promotions, rollbacks, holds and decisions about proposals."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import InvalidRequest
from updater.intake import (
    HoldIntake,
    PromotionIntake,
    RollbackIntake,
    decode_approval,
    decode_closing,
    decode_hold,
    decode_promotion,
    decode_rollback,
    read_repository,
)

DIGEST = f"sha256:{'ab' * 32}"
HEAD = "5d41402abc4b2a76b9719d911017c592e2b5f0a1"
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def as_bytes(body: object) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


class TestPromotion:
    def test_every_field_is_read(self) -> None:
        body = decode_promotion(
            as_bytes(
                {
                    "from": "dev",
                    "to": "prod",
                    "charts": ["iris", "shop/lily"],
                    "allow_older": True,
                    "dry_run": True,
                    "reason": "Release 12, 배포",
                }
            )
        )
        assert body == PromotionIntake(
            origin="dev",
            environment="prod",
            charts=("iris", "shop/lily"),
            allow_older=True,
            dry_run=True,
            reason="Release 12, 배포",
        )

    @pytest.mark.parametrize(
        "more",
        [{}, {"charts": None}, {"allow_older": False, "dry_run": None, "reason": None}, {"reason": ""}],
    )
    def test_what_is_left_out_is_no(self, more: dict[str, object]) -> None:
        body = decode_promotion(as_bytes({"from": "dev", "to": "prod", "all": True, **more}))
        assert (body.charts, body.allow_older, body.dry_run, body.reason) == ((), False, False, "")

    @pytest.mark.parametrize("everything", [None, False])
    def test_a_chart_that_is_named_twice_counts_once_and_keeps_its_place(self, everything: object) -> None:
        charts = ["lily", "iris", "lily"]
        body = decode_promotion(as_bytes({"from": "dev", "to": "prod", "charts": charts, "all": everything}))
        assert body.charts == ("lily", "iris")

    @pytest.mark.parametrize(
        ("more", "field", "said"),
        [
            ({"from": None}, "from", 'The field "from" is missing: send {"from": "dev"'),
            ({"to": None}, "to", 'The field "to" is missing'),
            ({"from": ""}, "from", "'' is not the name of an environment"),
            ({"to": "../prod"}, "to", "The rules in the config repo name them."),
            ({"to": 7}, "to", 'The field "to" is a number'),
            ({"to": "x" * 64}, "to", "63 are allowed"),
            ({"to": "dev"}, "to", "both name 'dev'"),
            ({"charts": None}, "charts", 'Say which charts: either "charts"'),
            ({"charts": None, "all": False}, "charts", "Say which charts"),
            ({"all": True}, "charts", "Say which charts"),
            ({"charts": []}, "charts", 'The list "charts" is empty'),
            ({"charts": "iris"}, "charts", "is a string; send a list"),
            ({"charts": {"iris": True}}, "charts", "is an object; send a list"),
            ({"charts": ["iris", " "]}, "charts.1", "at place 2 of the list has no name"),
            ({"charts": [None]}, "charts.0", "at place 1 of the list has no name"),
            ({"charts": [7]}, "charts.0", 'The field "charts.0" is a number'),
            ({"charts": ["a\u2028b"]}, "charts.0", "U+2028"),
            ({"charts": ["x" * 256]}, "charts.0", "255 are allowed"),
            ({"charts": None, "all": "true"}, "all", "is a string; send true or false"),
            ({"charts": None, "all": 1}, "all", "is a number; send true or false"),
            ({"allow_older": "no"}, "allow_older", "is a string"),
            ({"dry_run": []}, "dry_run", "is a list"),
            ({"reason": "a\nb"}, "reason", "U+000A"),
            ({"environment": "prod"}, "environment", "There is no field 'environment'"),
        ],
    )
    def test_what_is_wrong_in_a_field_is_refused_with_its_name(
        self, more: dict[str, object], field: str, said: str
    ) -> None:
        with pytest.raises(InvalidRequest) as raised:
            decode_promotion(as_bytes({"from": "dev", "to": "prod", "charts": ["iris"], **more}))
        assert said in str(raised.value)
        assert raised.value.field == field

    @pytest.mark.parametrize("body", [b"", b"[]", b"from=dev", b'{"from":"dev","from":"qa"}'])
    def test_what_is_no_json_object_is_refused(self, body: bytes) -> None:
        with pytest.raises(InvalidRequest) as raised:
            decode_promotion(body)
        assert raised.value.field == ""

    @given(st.dictionaries(st.sampled_from(["from", "to", "charts", "all", "reason"]), _json))
    def test_any_json_is_a_promotion_or_an_invalid_request(self, body: dict[str, object]) -> None:
        try:
            intake = decode_promotion(json.dumps(body).encode())
        except InvalidRequest as error:
            assert str(error).isprintable()  # noqa: PT017 - what is left is no other error
        else:
            assert intake.origin != intake.environment

    def test_an_override_is_its_reason(self) -> None:
        for more in ({}, {"reason": "Mends the login"}, {"reason": ""}):
            override = {"override": {"reason": "Mends the login"}}
            body = decode_promotion(as_bytes({"from": "dev", "to": "prod", "all": True, **override, **more}))
            assert (body.override, body.reason) == (True, "Mends the login")

    def test_two_reasons_are_one_too_many(self) -> None:
        wish = {"from": "dev", "to": "prod", "all": True, "override": {"reason": "a"}, "reason": "b"}
        with pytest.raises(InvalidRequest, match=r'send the reason in "override\.reason" alone') as raised:
            decode_promotion(as_bytes(wish))
        assert raised.value.field == "reason"


class TestRollback:
    def test_every_field_is_read(self) -> None:
        body = {"environment": "prod", "chart": "shop/iris", "to": "main-5", "alone": True}
        more = {"override": True, "reason": "로그인 실패", "dry_run": True}
        assert decode_rollback(as_bytes(body | more)) == RollbackIntake(
            environment="prod",
            chart="shop/iris",
            to="main-5",
            commit="",
            alone=True,
            override=True,
            reason="로그인 실패",
            dry_run=True,
        )

    @pytest.mark.parametrize("commit", [HEAD, HEAD[:7], "ab" * 32])
    def test_a_commit_is_as_short_as_git_shows_it_or_whole(self, commit: str) -> None:
        body = decode_rollback(as_bytes({"environment": "prod", "commit": commit, "chart": None, "to": None}))
        assert (body.chart, body.to, body.commit) == ("", "", commit)
        assert (body.alone, body.override, body.dry_run) == (False, False, False)

    @given(
        st.dictionaries(
            st.sampled_from(["environment", "chart", "to", "commit", "alone", "override", "reason"]),
            _json | st.just("main-5") | st.just(HEAD),
        )
    )
    def test_any_json_is_a_rollback_or_an_invalid_request(self, body: dict[str, object]) -> None:
        try:
            intake = decode_rollback(json.dumps(body).encode())
        except InvalidRequest as error:
            assert str(error).isprintable()  # noqa: PT017 - what is left is no other error
        else:
            assert bool(intake.chart) != bool(intake.commit)
            assert intake.chart or not intake.to
            assert intake.reason or not intake.override


class TestHold:
    def test_every_field_is_read(self) -> None:
        body = {"environment": "prod", "chart": "iris", "image": "nginx", "build": "1.27", "reason": "느림"}
        assert decode_hold(as_bytes(body)) == HoldIntake(
            environment="prod",
            chart="iris",
            repository="docker.io/library/nginx",
            build="1.27",
            reason="느림",
        )

    def test_what_is_left_out_means_all(self) -> None:
        body = decode_hold(as_bytes({"environment": "prod", "chart": "iris", "image": None, "build": None}))
        assert (body.repository, body.build, body.reason) == ("", "", "")

    @pytest.mark.parametrize("name", ["iris:1", "iris@", "iris:", f"iris@{DIGEST}", "a:5000/iris:1"])
    def test_a_repository_has_no_tag_and_no_digest(self, name: str) -> None:
        with pytest.raises(InvalidRequest, match="has a tag or a digest") as raised:
            read_repository(name, field="image", cure="Leave it out.")
        assert raised.value.field == "image"

    @pytest.mark.parametrize("name", ["registry.example.com:5000/iris", "a/b", "iris"])
    def test_a_repository_may_have_a_port(self, name: str) -> None:
        assert read_repository(name, field="image", cure="").endswith(name)


class TestDecisions:
    @pytest.mark.parametrize("body", [b"", b"{}", b'{"head": null}'])
    def test_an_approval_need_not_name_a_commit(self, body: bytes) -> None:
        assert decode_approval(body) is None

    @pytest.mark.parametrize("head", [HEAD, "ab" * 32])
    def test_an_approval_names_a_whole_commit(self, head: str) -> None:
        assert decode_approval(as_bytes({"head": head})) == head

    @pytest.mark.parametrize(
        ("body", "field", "said"),
        [
            ({"head": HEAD[:39]}, "head", "send all 40 hexadecimal digits"),
            ({"head": HEAD.upper()}, "head", "in lower case"),
            ({"head": ""}, "head", "is not the id of a commit"),
            ({"head": "main"}, "head", "is not the id of a commit"),
            ({"head": 5}, "head", "is a number"),
            ({"reason": "x"}, "reason", "There is no field 'reason'"),
            ([], "", "The body is a list; send a JSON object"),
            (b" ", "", "The body is empty"),
        ],
    )
    def test_an_approval_that_makes_no_sense_is_refused(self, body: object, field: str, said: str) -> None:
        with pytest.raises(InvalidRequest) as raised:
            decode_approval(as_bytes(body))
        assert said in str(raised.value)
        assert raised.value.field == field

    def test_a_closing_says_why(self) -> None:
        assert decode_closing(as_bytes({"reason": "Not before the audit."})) == "Not before the audit."

    @pytest.mark.parametrize(
        ("body", "field", "said"),
        [
            (b"", "", 'The body is empty: send {"reason"'),
            ({}, "reason", 'The field "reason" is missing: send {"reason"'),
            ({"reason": " "}, "reason", "is missing"),
            ({"reason": True}, "reason", "is true or false"),
            ({"reason": "x" * 256}, "reason", "255 are allowed"),
        ],
    )
    def test_a_closing_without_a_reason_is_refused(self, body: object, field: str, said: str) -> None:
        with pytest.raises(InvalidRequest) as raised:
            decode_closing(as_bytes(body))
        assert said in str(raised.value)
        assert raised.value.field == field
