"""Holding and releasing over HTTP, and what is held; who may is told beside rollbacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.api import ALL_TOKEN, DEV_TOKEN, RELEASE_TOKEN, TOKEN, Api, body_of

from updater.model import Hold, HoldRequest, OutcomeKind

IRIS_IN_PROD = {"environment": "prod", "chart": "iris"}
COMMIT = "5d41402abc"
IRIS = "registry.example.com/iris"
LILY = "registry.example.com/lily"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    yield api
    api.close()


class TestHold:
    @pytest.mark.parametrize(("route", "releases"), [("/api/holds", False), ("/api/releases", True)])
    def test_it_is_stored_before_it_is_answered(self, api: Api, route: str, releases: bool) -> None:
        answer = api.post(route, IRIS_IN_PROD | {"image": IRIS, "build": "main-7", "reason": "Login fails"})
        assert answer.status_code == 202
        body = body_of(answer)
        assert body["hold"] == {
            "chart": "iris",
            "image": IRIS,
            "build": "main-7",
            "release": releases,
            "reason": "Login fails",
        }
        assert (body["environment"], body["rollback"], body["override"]) == ("prod", None, None)
        assert answer.headers["Location"] == body["url"]
        record = api.store.get(body["id"])
        assert record is not None
        request = record.request
        assert isinstance(request, HoldRequest)
        assert (request.environment, request.chart, request.repository) == ("prod", "iris", IRIS)
        assert (request.build, request.release, request.reason) == ("main-7", releases, "Login fails")

    def test_without_more_it_is_for_every_image_and_every_build(self, api: Api) -> None:
        body = body_of(api.post("/api/holds", IRIS_IN_PROD | {"image": None, "build": None, "reason": None}))
        assert (body["hold"]["image"], body["hold"]["build"], body["hold"]["reason"]) == ("", "", "")

    def test_a_repository_is_known_by_each_of_its_names(self, api: Api) -> None:
        body = body_of(api.post("/api/holds", IRIS_IN_PROD | {"image": "docker.io/library/nginx"}))
        assert body["hold"]["image"] == "nginx"

    def test_it_can_be_waited_for_like_any_request(self, api: Api) -> None:
        with api.worker(OutcomeKind.COMMITTED):
            answer = api.post("/api/holds", IRIS_IN_PROD, Prefer="wait=30")
        assert (answer.status_code, body_of(answer)["outcome"]) == (200, "committed")


class TestListOfHolds:
    @pytest.fixture(autouse=True)
    def three(self, api: Api) -> None:
        api.desk.held = [
            Hold(environment="prod", chart="iris", repository=IRIS, build="main-7", by="kim", reason="Slow"),
            Hold(environment="prod", chart="lily", repository=LILY, until="release", commit=COMMIT),
            Hold(environment="dev", chart="iris", by="kim"),
        ]

    def test_it_tells_all_of_each(self, api: Api) -> None:
        first, second, third = body_of(api.get("/api/holds", token=ALL_TOKEN))["holds"]
        assert first == {
            "environment": "prod",
            "chart": "iris",
            "image": IRIS,
            "build": "main-7",
            "until": "newer",
            "by": "kim",
            "at": None,
            "reason": "Slow",
            "commit": "",
        }
        assert (second["until"], second["commit"]) == ("release", COMMIT)
        assert (third["image"], third["build"]) == ("", "")

    @pytest.mark.parametrize(
        ("token", "query", "charts"),
        [
            (ALL_TOKEN, "", ["prod iris", "prod lily", "dev iris"]),
            (ALL_TOKEN, "?environment=dev", ["dev iris"]),
            (TOKEN, "", ["prod iris", "dev iris"]),
            (DEV_TOKEN, "", ["dev iris"]),
            (RELEASE_TOKEN, "", ["prod iris", "prod lily"]),
        ],
    )
    def test_a_token_sees_those_of_its_environments_and_images(
        self, api: Api, token: str, query: str, charts: list[str]
    ) -> None:
        found = body_of(api.get(f"/api/holds{query}", token=token))["holds"]
        assert [f"{one['environment']} {one['chart']}" for one in found] == charts

    def test_an_environment_that_the_token_may_not_reach_is_403(self, api: Api) -> None:
        answer = api.get("/api/holds?environment=prod", token=DEV_TOKEN)
        assert answer.status_code == 403
        assert "'dev' may not speak for the environment prod" in body_of(answer)["detail"]


@pytest.mark.parametrize("route", ["/api/holds", "/api/releases"])
@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"environment": None}, "environment", 'The field "environment" is missing'),
        ({"chart": None}, "chart", 'The field "chart" is missing: send {"environment": "prod", "chart"'),
        ({"image": ""}, "image", "leave the field out for all images of the chart"),
        ({"image": f"{IRIS}:main-7"}, "image", "has a tag or a digest: name the repository alone"),
        ({"image": "a/B"}, "image", "'a/B' is not a repository"),
        ({"image": ["iris"]}, "image", "is a list; send a string"),
        ({"build": ""}, "build", "Leave the field out for all builds."),
        ({"build": "-x"}, "build", "'-x' is not a legal tag"),
        ({"reason": 7}, "reason", "is a number"),
        ({"tag": "main-7"}, "tag", "There is no field 'tag'"),
    ],
)
def test_a_hold_or_a_release_that_makes_no_sense_is_400(
    api: Api, route: str, fields: dict[str, object], field: str, said: str
) -> None:
    answer = api.post(route, IRIS_IN_PROD | fields)
    assert answer.status_code == 400
    assert body_of(answer)["field"] == field
    assert said in body_of(answer)["detail"]
    assert api.store.counts()["pending"] == 0
