"""Rolling back, holding and releasing over HTTP: what is taken, who may, the preview, who sees it later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.api import ALL_TOKEN, DEV_TOKEN, OPEN, RELEASE_TOKEN, TOKEN, Api, body_of
from werkzeug.test import TestResponse

from updater.errors import InvalidConfigRepo, InvalidRequest, Unreachable
from updater.model import OutcomeKind, RollbackRequest
from updater.store import RollbackWish

LAST = {"environment": "prod", "chart": "iris"}
COMMIT = "5d41402abc"
IRIS = "registry.example.com/iris"
ROUTES = ["/api/rollbacks", "/api/holds", "/api/releases"]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    yield api
    api.close()


def roll_back(api: Api, *, by: str | None = ALL_TOKEN, **fields: object) -> TestResponse:
    return api.post("/api/rollbacks", LAST | fields, token=by)


class TestRollback:
    def test_it_is_stored_before_it_is_answered(self, api: Api) -> None:
        answer = roll_back(api, to="main-5", alone=True, override=True, reason="Login fails")
        assert answer.status_code == 202
        body = body_of(answer)
        assert (body["state"], body["image"], body["environment"], body["caller"]) == (
            "pending",
            "",
            "prod",
            "all",
        )
        assert body["rollback"] == {
            "chart": "iris",
            "to": "main-5",
            "commit": "",
            "alone": True,
            "reason": "Login fails",
        }
        assert (body["override"], body["promotion"], body["hold"]) == ({"reason": "Login fails"}, None, None)
        assert answer.headers["Location"] == body["url"] == f"http://localhost/api/updates/{body['id']}"
        record = api.store.get(body["id"])
        assert record is not None
        request = record.request
        assert isinstance(request, RollbackRequest)
        assert (request.environment, request.chart, request.to, request.commit) == (
            "prod",
            "iris",
            "main-5",
            "",
        )
        assert (request.alone, request.override, request.reason) == (True, True, "Login fails")
        assert request.caller.name == "all"

    def test_a_commit_is_named_instead_of_a_chart(self, api: Api) -> None:
        body = body_of(api.post("/api/rollbacks", {"environment": "prod", "commit": COMMIT}))
        assert body["rollback"] == {"chart": "", "to": "", "commit": COMMIT, "alone": False, "reason": ""}
        assert body["override"] is None

    @pytest.mark.parametrize("to", ["main-5", COMMIT, "7d793037a0760186574b0282f2f435e7aaaaaaaa"])
    def test_it_goes_to_a_tag_or_a_commit(self, api: Api, to: str) -> None:
        assert body_of(roll_back(api, to=to))["rollback"]["to"] == to

    def test_it_can_be_waited_for_like_any_request(self, api: Api) -> None:
        with api.worker(OutcomeKind.COMMITTED):
            answer = api.post("/api/rollbacks", LAST, Prefer="wait=30")
        assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "wait=30")
        assert body_of(answer)["outcome"] == "committed"

    def test_one_that_is_refused_is_a_problem_that_carries_the_request(self, api: Api) -> None:
        with api.worker(OutcomeKind.REFUSED, "main-4 never stood in iris."):
            answer = api.post("/api/rollbacks", LAST | {"to": "main-4"}, Prefer="wait=30")
        assert answer.status_code == 409
        body = body_of(answer)
        assert (body["type"], body["detail"]) == ("/docs/problems#refused", "main-4 never stood in iris.")
        assert body["rollback"]["to"] == "main-4"

    def test_the_open_setting_lets_anyone_roll_back(self, tmp_path: Path) -> None:
        api = Api(tmp_path, OPEN)
        answer = roll_back(api, by=None)
        api.close()
        assert (answer.status_code, body_of(answer)["caller"]) == (202, "anyone")


class TestDryRun:
    def test_it_tells_what_would_happen_and_stores_nothing(self, api: Api) -> None:
        answer = roll_back(api, to="main-5", alone=True, override=True, reason="Login fails", dry_run=True)
        assert answer.status_code == 200
        body = body_of(answer)
        assert (body["outcome"], body["reason"]) == ("proposed", "It would be proposed.")
        assert body["rollback"]["to"] == "main-5"
        assert (body["id"], body["url"]) == ("", "")
        assert "Location" not in answer.headers
        assert api.store.counts()["pending"] == 0
        (wish,) = api.desk.previewed
        assert wish == RollbackWish(
            environment="prod",
            chart="iris",
            to="main-5",
            alone=True,
            override=True,
            reason="Login fails",
            caller=wish.caller,
        )
        assert wish.caller.name == "all"

    @pytest.mark.parametrize("token", [TOKEN, RELEASE_TOKEN, DEV_TOKEN])
    def test_who_may_not_roll_back_learns_nothing_by_it(self, api: Api, token: str) -> None:
        assert roll_back(api, by=token, dry_run=True).status_code == 403
        assert api.desk.previewed == []

    @pytest.mark.parametrize(
        ("trouble", "status", "type_"),
        [
            (Unreachable("The Git server does not answer."), 503, "try-again"),
            (InvalidConfigRepo("no such key", path=".updater/rules.yaml", line=3), 409, "not-now"),
            (InvalidRequest("There is no environment 'prd'.", field="environment"), 400, "invalid-request"),
        ],
    )
    def test_what_keeps_it_from_being_told_is_a_problem(
        self, api: Api, trouble: Exception, status: int, type_: str
    ) -> None:
        api.desk.trouble = trouble
        answer = roll_back(api, dry_run=True)
        assert answer.status_code == status
        assert body_of(answer)["type"] == f"/docs/problems#{type_}"
        assert body_of(answer)["detail"] == str(trouble)


class TestWhoMay:
    @pytest.mark.parametrize("route", ROUTES)
    @pytest.mark.parametrize(
        ("token", "said"),
        [
            (TOKEN, "'iris' may not roll-back; it may update."),
            (RELEASE_TOKEN, "'release' may not roll-back"),
            (DEV_TOKEN, "'dev' may not speak for the environment prod"),
        ],
    )
    def test_a_token_needs_the_act_and_the_environment(
        self, api: Api, route: str, token: str, said: str
    ) -> None:
        answer = api.post(route, LAST, token=token)
        assert answer.status_code == 403
        assert body_of(answer)["type"] == "/docs/problems#not-allowed"
        assert said in body_of(answer)["detail"]
        assert api.store.counts()["pending"] == 0

    @pytest.mark.parametrize("route", ROUTES)
    def test_its_own_environment_is_enough(self, api: Api, route: str) -> None:
        assert api.post(route, LAST | {"environment": "dev"}, token=DEV_TOKEN).status_code == 202


class TestWhoSees:
    @pytest.mark.parametrize("route", ROUTES)
    @pytest.mark.parametrize(
        ("token", "sees"), [(ALL_TOKEN, True), (DEV_TOKEN, True), (RELEASE_TOKEN, False), (TOKEN, False)]
    )
    def test_who_may_do_the_same_there(self, api: Api, route: str, token: str, sees: bool) -> None:
        made = body_of(api.post(route, LAST | {"environment": "dev"}))["id"]
        answer = api.get(f"/api/updates/{made}", token=token)
        listed = body_of(api.get("/api/updates", token=token))["updates"]
        assert answer.status_code == (200 if sees else 404)
        assert [update["id"] for update in listed] == ([made] if sees else [])


class TestIdempotencyKey:
    @pytest.mark.parametrize("route", ROUTES)
    def test_the_same_key_and_body_is_the_same_request(self, api: Api, route: str) -> None:
        first, again = (api.post(route, LAST, Idempotency_Key="k") for _ in range(2))
        assert [first.status_code, again.status_code] == [202, 202]
        assert body_of(first)["id"] == body_of(again)["id"]

    @pytest.mark.parametrize(
        ("route", "body", "said"),
        [
            ("/api/rollbacks", LAST | {"to": "main-5"}, "for a rollback of iris in prod"),
            ("/api/holds", LAST, "for a rollback of iris in prod"),
            ("/api/releases", LAST, "for a rollback of iris in prod"),
            ("/api/promotions", {"from": "dev", "to": "prod", "all": True}, "for a rollback of iris"),
        ],
    )
    def test_the_same_key_with_another_wish_is_422(
        self, api: Api, route: str, body: dict[str, object], said: str
    ) -> None:
        roll_back(api)
        api.post("/api/rollbacks", LAST, Idempotency_Key="k")
        answer = api.post(route, body, Idempotency_Key="k")
        assert answer.status_code == 422
        assert said in body_of(answer)["detail"]

    def test_a_hold_is_no_release(self, api: Api) -> None:
        api.post("/api/holds", LAST, Idempotency_Key="k")
        answer = api.post("/api/releases", LAST, Idempotency_Key="k")
        assert answer.status_code == 422
        assert "for a hold of iris in prod" in body_of(answer)["detail"]


class TestOverride:
    def test_a_build_with_one_needs_the_act_promote(self, api: Api) -> None:
        image = {"image": f"{IRIS}:main-7", "override": {"reason": "Mends the login"}}
        answer = api.send(image, token=TOKEN)
        assert answer.status_code == 403
        assert body_of(answer)["detail"] == (
            "The token 'iris' may not override holds and freezes, which takes the act promote; it may "
            "update. Send it without override, or ask the operator to add promote to the acts of that "
            "token's entry."
        )
        assert api.store.counts()["pending"] == 0
        taken = api.send(image, token=ALL_TOKEN)
        assert (taken.status_code, body_of(taken)["override"]) == (202, {"reason": "Mends the login"})

    @pytest.mark.parametrize("none", [{}, {"override": None}])
    def test_a_build_without_one_needs_no_more_than_before(self, api: Api, none: dict[str, object]) -> None:
        answer = api.send({"image": f"{IRIS}:main-7", **none})
        assert (answer.status_code, body_of(answer)["override"]) == (202, None)

    @pytest.mark.parametrize("more", [{}, {"reason": "Mends the login"}])
    def test_a_promotion_with_one_is_for_its_reason(self, api: Api, more: dict[str, object]) -> None:
        promotion = {"from": "dev", "to": "prod", "all": True, "override": {"reason": "Mends the login"}}
        body = body_of(api.post("/api/promotions", promotion | more, token=RELEASE_TOKEN))
        assert body["override"] == {"reason": "Mends the login"}
        assert body["promotion"]["reason"] == "Mends the login"
        previewed = api.post("/api/promotions", promotion | {"dry_run": True})
        assert body_of(previewed)["override"] == {"reason": "Mends the login"}

    @pytest.mark.parametrize(
        ("override", "field", "said"),
        [
            (True, "override", 'is true or false; send an object: {"reason": "why it must go out now"}'),
            ("Mends the login", "override", "is a string; send an object"),
            ({}, "override.reason", 'say in "override.reason" why it must go out now'),
            ({"reason": " "}, "override.reason", "An override needs a reason"),
            ({"reason": 7}, "override.reason", 'The field "override.reason" is a number'),
            ({"why": "x"}, "override.why", "There is no field 'why'"),
        ],
    )
    @pytest.mark.parametrize(
        ("route", "body"),
        [
            ("/api/auto-update", {"image": f"{IRIS}:main-7"}),
            ("/api/promotions", {"from": "dev", "to": "prod", "all": True}),
        ],
    )
    def test_one_that_makes_no_sense_is_400(
        self, api: Api, route: str, body: dict[str, object], override: object, field: str, said: str
    ) -> None:
        answer = api.post(route, body | {"override": override})
        assert answer.status_code == 400
        assert body_of(answer)["field"] == field
        assert said in body_of(answer)["detail"]
        assert api.store.counts()["pending"] == 0


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"environment": None}, "environment", 'The field "environment" is missing: send {"environment"'),
        ({"environment": ""}, "environment", "'' is not the name of an environment"),
        ({"chart": None}, "chart", 'either "chart" with the name of a chart, or "commit"'),
        ({"commit": COMMIT}, "chart", 'either "chart" with the name of a chart, or "commit"'),
        ({"chart": " "}, "chart", 'The field "chart" is missing'),
        ({"chart": 7}, "chart", "is a number; send a string"),
        ({"chart": None, "commit": "HEAD"}, "commit", "send 7 to 64 hexadecimal digits in lower case"),
        ({"chart": None, "commit": "5d4140"}, "commit", "'5d4140' is not the id of a commit"),
        ({"chart": None, "commit": COMMIT.upper()}, "commit", "in lower case"),
        ({"chart": None, "commit": COMMIT, "to": "main-5"}, "to", '"to" goes with "chart"'),
        ({"to": ""}, "to", "'' is not a legal tag"),
        ({"to": "feature/x"}, "to", "leave the field out to go one back"),
        ({"alone": "yes"}, "alone", "is a string; send true or false"),
        ({"override": {"reason": "x"}}, "override", "is an object; send true or false"),
        ({"override": True}, "reason", 'say in "reason" why it must go out now'),
        ({"override": True, "reason": " "}, "reason", "An override needs a reason"),
        ({"dry_run": 1}, "dry_run", "is a number; send true or false"),
        ({"reason": "a\nb"}, "reason", "U+000A"),
        ({"charts": ["iris"]}, "charts", "did you mean 'chart'?"),
    ],
)
def test_a_rollback_that_makes_no_sense_is_400(
    api: Api, fields: dict[str, object], field: str, said: str
) -> None:
    answer = api.post("/api/rollbacks", LAST | fields)
    assert answer.status_code == 400
    assert body_of(answer)["field"] == field
    assert said in body_of(answer)["detail"]
    assert api.store.counts()["pending"] == 0
