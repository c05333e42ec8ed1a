"""Promoting over HTTP: what is taken, who may, the preview, and who sees it later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.api import ALL_TOKEN, CALLERS, DEV_TOKEN, IMAGE, OPEN, RELEASE_TOKEN, TOKEN, Api, body_of
from werkzeug.test import TestResponse

from updater.errors import InvalidConfigRepo, InvalidRequest, Unreachable
from updater.model import PromotionRequest
from updater.store import PromotionWish

ONE = {"from": "dev", "to": "prod", "charts": ["iris"]}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    yield api
    api.close()


def promote(api: Api, *, by: str | None = ALL_TOKEN, **fields: object) -> TestResponse:
    return api.post("/api/promotions", ONE | fields, token=by)


def test_a_promotion_is_stored_before_it_is_answered(api: Api) -> None:
    answer = promote(api, charts=["iris", "lily"], allow_older=True, reason="Release 12")
    assert answer.status_code == 202
    body = body_of(answer)
    assert (body["state"], body["image"], body["environment"], body["caller"]) == (
        "pending",
        "",
        "prod",
        "all",
    )
    assert body["promotion"] == {
        "from": "dev",
        "to": "prod",
        "charts": ["iris", "lily"],
        "allow_older": True,
        "reason": "Release 12",
    }
    assert answer.headers["Location"] == body["url"] == f"http://localhost/api/updates/{body['id']}"
    record = api.store.get(body["id"])
    assert record is not None
    request = record.request
    assert isinstance(request, PromotionRequest)
    assert (request.origin, request.environment, request.charts) == ("dev", "prod", ("iris", "lily"))
    assert (request.allow_older, request.reason, request.caller.name) == (True, "Release 12", "all")


def test_all_charts_are_no_charts_by_name(api: Api) -> None:
    body = body_of(promote(api, charts=None, all=True))
    assert body["promotion"]["charts"] == []
    assert body["promotion"]["allow_older"] is False


def test_it_can_be_waited_for_like_any_request(api: Api) -> None:
    sent = body_of(api.post("/api/promotions", ONE, Idempotency_Key="k"))
    api.settle(sent["id"])
    again = api.post("/api/promotions", ONE, Idempotency_Key="k", Prefer="wait=5")
    assert (again.status_code, again.headers["Preference-Applied"]) == (200, "wait=5")
    assert (body_of(again)["id"], body_of(again)["outcome"]) == (sent["id"], "committed")


def test_the_same_key_with_another_promotion_or_an_image_is_422(api: Api) -> None:
    api.post("/api/promotions", ONE, Idempotency_Key="k")
    other = api.post("/api/promotions", ONE | {"charts": ["lily"]}, Idempotency_Key="k")
    image = api.send({"image": IMAGE}, token=ALL_TOKEN, Idempotency_Key="k")
    assert [other.status_code, image.status_code] == [422, 422]
    assert api.store.counts()["pending"] == 1


def test_the_open_setting_lets_anyone_promote(tmp_path: Path) -> None:
    api = Api(tmp_path, OPEN)
    answer = promote(api, by=None)
    api.close()
    assert (answer.status_code, body_of(answer)["caller"]) == (202, "anyone")


class TestDryRun:
    def test_it_tells_what_would_happen_and_stores_nothing(self, api: Api) -> None:
        answer = promote(api, dry_run=True, reason="Release 12", allow_older=True)
        assert answer.status_code == 200
        body = body_of(answer)
        assert (body["outcome"], body["reason"]) == ("proposed", "It would be proposed.")
        assert body["environments"][0]["image"] == "registry.example.com/iris:main-7"
        assert body["promotion"]["allow_older"] is True
        assert (body["id"], body["url"]) == ("", "")
        assert "Location" not in answer.headers
        assert api.store.counts()["pending"] == 0
        (wish,) = api.desk.previewed
        assert wish == PromotionWish(
            origin="dev",
            environment="prod",
            charts=("iris",),
            allow_older=True,
            reason="Release 12",
            caller=wish.caller,
        )
        assert wish.caller.name == "all"

    def test_who_may_not_promote_learns_nothing_by_it(self, api: Api) -> None:
        assert promote(api, by=TOKEN, dry_run=True).status_code == 403
        assert api.desk.previewed == []

    @pytest.mark.parametrize(
        ("trouble", "status", "type_"),
        [
            (Unreachable("The Git server does not answer."), 503, "try-again"),
            (InvalidConfigRepo("no such key", path=".updater/rules.yaml", line=3), 409, "not-now"),
            (InvalidRequest("There is no environment 'dve'.", field="from"), 400, "invalid-request"),
        ],
    )
    def test_what_keeps_it_from_being_told_is_a_problem(
        self, api: Api, trouble: Exception, status: int, type_: str
    ) -> None:
        api.desk.trouble = trouble
        answer = promote(api, dry_run=True)
        assert answer.status_code == status
        assert body_of(answer)["type"] == f"/docs/problems#{type_}"
        assert body_of(answer)["detail"] == str(trouble)


class TestWhoMay:
    @pytest.mark.parametrize(
        ("token", "said"),
        [
            (TOKEN, "'iris' may not promote"),
            (DEV_TOKEN, "'dev' may not speak for the environment prod"),
        ],
    )
    def test_a_token_needs_the_act_and_the_environment(self, api: Api, token: str, said: str) -> None:
        answer = promote(api, by=token)
        assert answer.status_code == 403
        assert body_of(answer)["type"] == "/docs/problems#not-allowed"
        assert said in body_of(answer)["detail"]
        assert api.store.counts()["pending"] == 0

    def test_the_environment_that_tags_come_from_need_not_be_the_tokens(self, api: Api) -> None:
        assert promote(api, by=RELEASE_TOKEN).status_code == 202


class TestWhoSees:
    @pytest.fixture
    def to_prod(self, api: Api) -> str:
        return str(body_of(promote(api, by=ALL_TOKEN))["id"])

    @pytest.mark.parametrize(
        ("token", "sees"), [(ALL_TOKEN, True), (RELEASE_TOKEN, True), (DEV_TOKEN, False), (TOKEN, False)]
    )
    def test_who_may_promote_there(self, api: Api, to_prod: str, token: str, sees: bool) -> None:
        answer = api.get(f"/api/updates/{to_prod}", token=token)
        listed = body_of(api.get("/api/updates", token=token))["updates"]
        assert answer.status_code == (200 if sees else 404)
        assert [update["id"] for update in listed] == ([to_prod] if sees else [])

    def test_who_made_it(self, api: Api) -> None:
        # Made while the token could promote, which it can no longer.
        mine = PromotionWish(origin="dev", environment="prod", caller=CALLERS[TOKEN])
        record, _ = api.store.add(mine)
        assert api.get(f"/api/updates/{record.request.id}", token=TOKEN).status_code == 200

    def test_the_list_tells_promotions_and_images_side_by_side(self, api: Api, to_prod: str) -> None:
        image = api.accepted()
        listed = body_of(api.get("/api/updates", token=ALL_TOKEN))["updates"]
        assert [(one["id"], one["image"], one["promotion"] is None) for one in listed] == [
            (image, IMAGE, True),
            (to_prod, "", False),
        ]

    def test_pages_go_on_past_promotions_of_others(self, api: Api, to_prod: str) -> None:
        images = [api.accepted() for _ in range(2)]
        seen: list[str] = []
        url: str | None = "/api/updates?limit=1"
        while url:
            body = body_of(api.get(url, token=TOKEN))
            seen += [update["id"] for update in body["updates"]]
            url = body["next"]
        assert seen == images[::-1]

    def test_the_filter_by_environment_finds_them(self, api: Api, to_prod: str) -> None:
        found = body_of(api.get("/api/updates?environment=prod", token=ALL_TOKEN))["updates"]
        assert [update["id"] for update in found] == [to_prod]
        assert body_of(api.get("/api/updates?environment=qa", token=ALL_TOKEN))["updates"] == []


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"from": None}, "from", 'The field "from" is missing: send {"from": "dev"'),
        ({"to": ""}, "to", "'' is not the name of an environment"),
        ({"to": "dev"}, "to", "both name 'dev'"),
        ({"charts": None}, "charts", 'either "charts" with a list of their names, or "all": true'),
        ({"all": True}, "charts", 'either "charts"'),
        ({"charts": []}, "charts", 'send "all": true instead'),
        ({"charts": "iris"}, "charts", "is a string; send a list"),
        ({"charts": ["iris", ""]}, "charts.1", "at place 2 of the list has no name"),
        ({"charts": ["a\nb"]}, "charts.0", "U+000A"),
        ({"dry_run": "yes"}, "dry_run", "is a string; send true or false"),
        ({"chart": "iris"}, "chart", "did you mean 'charts'?"),
    ],
)
def test_a_promotion_that_makes_no_sense_is_400(
    api: Api, fields: dict[str, object], field: str, said: str
) -> None:
    answer = api.post("/api/promotions", ONE | fields)
    assert answer.status_code == 400
    assert body_of(answer)["field"] == field
    assert said in body_of(answer)["detail"]
    assert api.store.counts()["pending"] == 0
