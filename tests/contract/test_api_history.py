"""What is where and what was deployed, over HTTP: filters, pages, figures, and what a token may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.api import ALL_TOKEN, DEV_TOKEN, OTHER_TOKEN, RELEASE_TOKEN, TOKEN, Api, body_of
from support.desks import HEAD, deployment, row

from updater.errors import ForgeRefused, InvalidConfigRepo, Unreachable

IRIS = "registry.example.com/iris"
TWO_HOURS_AGO = "2026-03-02T07:30:00Z"
QUESTIONS = [
    "/api/history",
    "/api/history/figures",
    "/api/holds",
    "/api/status",
    f"/api/why?image={IRIS}:main-7",
]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    api.desk.deployments = [
        deployment("e" * 40, "main-9", environment="dev", hours=1),
        deployment("d" * 40, "main-8", hours=2),
        deployment("d" * 40, "main-3", chart="lily", hours=2),
        deployment("c" * 40, "main-7", environment="dev", hours=30),
        replace(deployment("b" * 40, "main-2", hours=40), reverted_by="d" * 40, reverted_charts=("iris",)),
        deployment("a" * 40, "main-1", chart="lily", hours=50),
    ]
    api.desk.status_rows = [row("dev"), row(origin="dev"), row(chart="lily", origin="dev")]
    yield api
    api.close()


def tags(api: Api, query: str = "", *, token: str = ALL_TOKEN) -> list[str]:
    answer = api.get(f"/api/history{query}", token=token)
    assert answer.status_code == 200, answer.text
    return [one["tag"] for one in body_of(answer)["deployments"]]


class TestHistory:
    def test_a_deployment_is_told_with_all_that_is_known(self, api: Api) -> None:
        first = body_of(api.get("/api/history", token=ALL_TOKEN))["deployments"][0]
        assert (first["environment"], first["image"], first["tag"]) == ("dev", IRIS, "main-9")
        assert first["charts"] == [{"chart": "iris", "previous": "main-5"}]
        assert (first["kind"], first["by"], first["commit"]) == ("update", "kim", "e" * 40)
        assert (first["at"], first["source_time"]) == (
            "2026-03-02T08:30:00.000Z",
            "2026-03-02T07:30:00.000Z",
        )

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", ["main-9", "main-8", "main-3", "main-7", "main-2", "main-1"]),
            ("?environment=dev", ["main-9", "main-7"]),
            ("?environment=&chart=&image=", ["main-9", "main-8", "main-3", "main-7", "main-2", "main-1"]),
            ("?chart=lily", ["main-3", "main-1"]),
            (f"?image={IRIS}&environment=prod", ["main-8", "main-2"]),
            (f"?image=REGISTRY.example.com/iris&since={TWO_HOURS_AGO}", ["main-9", "main-8"]),
            ("?since=2026-03-01T00:00:00Z", ["main-9", "main-8", "main-3", "main-7"]),
            ("?since=2026-03-01T09:00:00%2B09:00&until=2026-03-02T08:00:00Z", ["main-8", "main-3", "main-7"]),
            (f"?until={TWO_HOURS_AGO}", ["main-7", "main-2", "main-1"]),
            ("?chart=rose", []),
        ],
    )
    def test_filters_choose(self, api: Api, query: str, found: list[str]) -> None:
        assert tags(api, query) == found

    @pytest.mark.parametrize(
        ("token", "found"),
        [
            (TOKEN, ["main-9", "main-8", "main-7", "main-2"]),
            (OTHER_TOKEN, ["main-3", "main-1"]),
            (DEV_TOKEN, ["main-9", "main-7"]),
            (RELEASE_TOKEN, ["main-8", "main-3", "main-2", "main-1"]),
        ],
    )
    def test_a_token_sees_its_environments_and_images_whatever_it_may_do(
        self, api: Api, token: str, found: list[str]
    ) -> None:
        assert tags(api, token=token) == found

    @pytest.mark.parametrize("limit", range(1, 8))
    @pytest.mark.parametrize("token", [ALL_TOKEN, TOKEN, OTHER_TOKEN, DEV_TOKEN])
    def test_following_next_reads_everything_once(self, api: Api, limit: int, token: str) -> None:
        seen: list[str] = []
        url: str | None = f"/api/history?limit={limit}&environment="
        while url:
            body = body_of(api.get(url, token=token))
            seen += [one["tag"] for one in body["deployments"]]
            url = body["next"]
        assert seen == tags(api, token=token)

    def test_what_one_commit_deployed_stands_on_one_page(self, api: Api) -> None:
        assert tags(api, "?limit=2") == ["main-9", "main-8", "main-3"]
        assert tags(api, "?limit=2", token=TOKEN) == ["main-9", "main-8"]

    def test_the_next_page_keeps_the_filters(self, api: Api) -> None:
        answer = api.get("/api/history?environment=prod&limit=1", token=ALL_TOKEN)
        following = body_of(answer)["next"]
        assert answer.headers["Link"] == f'<{following}>; rel="next"'
        assert following.endswith(f"/api/history?environment=prod&limit=1&before={'d' * 40}")
        last = api.get(f"/api/history?environment=prod&before={'b' * 40}", token=ALL_TOKEN)
        assert [one["tag"] for one in body_of(last)["deployments"]] == ["main-1"]
        assert "Link" not in last.headers
        assert body_of(last)["next"] is None

    @pytest.mark.parametrize(
        ("query", "field", "said"),
        [
            ("?limit=0", "limit", "greater than or equal to 1"),
            ("?limit=501", "limit", "less than or equal to 500"),
            ("?since=yesterday", "since", "send a time by RFC 3339 with its zone"),
            ("?since=2026-03-02", "since", "such as 2026-03-02T09:30:00Z"),
            ("?until=2026-02-30T00:00:00Z", "until", "send a time by RFC 3339"),
            ("?until=2026-03-02T09:30:00+09:00", "until", "a + is written %2B"),
            ("?since=0", "since", "send a time"),
            ("?since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z", "until", "name a later time"),
            ("?before=nonsense", "before", "No deployment has the commit 'nonsense'"),
            (f"?image={IRIS}:main-7", "image", "name the repository alone"),
            ("?image=a/B", "image", "'a/B' is not a repository"),
            ("?environment=qa", "environment", "they know dev, prod"),
            ("?enviroment=dev", "enviroment", "There is no parameter 'enviroment'"),
        ],
    )
    def test_a_wrong_parameter_is_named(self, api: Api, query: str, field: str, said: str) -> None:
        answer = api.get(f"/api/history{query}", token=ALL_TOKEN)
        assert answer.status_code == 400
        assert answer.mimetype == "application/problem+json"
        assert body_of(answer)["field"] == field
        assert said in body_of(answer)["detail"]


class TestFigures:
    def test_they_are_told_for_each_environment_and_its_charts(self, api: Api) -> None:
        found = body_of(api.get("/api/history/figures?environment=prod", token=ALL_TOKEN))["figures"]
        assert [one["chart"] for one in found] == ["", "iris", "lily"]
        total, iris, _ = found
        assert (total["deployments"], total["lead_time"], total["lead_times"]) == (4, 3600, 4)
        assert (iris["fail_rate"], iris["restore_time"]) == (0.5, 38 * 3600)

    def test_they_are_of_a_span_and_a_chart(self, api: Api) -> None:
        query = f"environment=prod&chart=iris&since={TWO_HOURS_AGO}&until=2026-03-09T07:30:00Z"
        found = body_of(api.get(f"/api/history/figures?{query}", token=ALL_TOKEN))["figures"]
        assert [(one["chart"], one["deployments"], one["per_week"]) for one in found if one["chart"]] == [
            ("iris", 1, 1.0)
        ]

    @pytest.mark.parametrize(
        ("token", "found"),
        [
            (ALL_TOKEN, ["dev ", "dev iris", "prod ", "prod iris", "prod lily"]),
            # The total of prod counts lily as well.
            (TOKEN, ["dev ", "dev iris", "prod iris"]),
            (OTHER_TOKEN, ["prod lily"]),
            (DEV_TOKEN, ["dev ", "dev iris"]),
        ],
    )
    def test_a_token_sees_those_that_count_only_what_it_may_see(
        self, api: Api, token: str, found: list[str]
    ) -> None:
        told = body_of(api.get("/api/history/figures", token=token))["figures"]
        assert [f"{one['environment']} {one['chart']}" for one in told] == found

    def test_a_span_that_ends_before_it_begins_is_400(self, api: Api) -> None:
        query = "since=2026-03-02T00:00:00Z&until=2026-03-02T00:00:00Z"
        answer = api.get(f"/api/history/figures?{query}", token=ALL_TOKEN)
        assert (answer.status_code, body_of(answer)["field"]) == (400, "until")


class TestStatus:
    def test_a_place_is_told_with_all_that_is_known(self, api: Api) -> None:
        first, second, _ = body_of(api.get("/api/status", token=ALL_TOKEN))["places"]
        assert (first["environment"], first["chart"], first["tag"]) == ("dev", "iris", "main-7")
        assert (first["since"], first["by"], first["commit"]) == ("2026-03-02T09:30:00.000Z", "kim", HEAD)
        assert (first["origin"], first["origin_tag"]) == ("", None)
        assert [hold["build"] for hold in first["holds"]] == ["main-8"]
        assert (second["origin"], second["origin_tag"]) == ("dev", "main-9")
        assert second["waiting"] == [{"tag": "main-9", "name": "prod/iris", "link": ""}]

    @pytest.mark.parametrize(
        ("token", "query", "places"),
        [
            (ALL_TOKEN, "", ["dev iris", "prod iris", "prod lily"]),
            (ALL_TOKEN, "?environment=prod&chart=lily", ["prod lily"]),
            (TOKEN, "", ["dev iris", "prod iris"]),
            (OTHER_TOKEN, "", ["prod lily"]),
            (DEV_TOKEN, "", ["dev iris"]),
        ],
    )
    def test_a_token_sees_its_environments_and_images(
        self, api: Api, token: str, query: str, places: list[str]
    ) -> None:
        found = body_of(api.get(f"/api/status{query}", token=token))["places"]
        assert [f"{one['environment']} {one['chart']}" for one in found] == places

    def test_what_stands_in_an_environment_of_others_is_not_told_beside_its_own(self, api: Api) -> None:
        found = body_of(api.get("/api/status", token=RELEASE_TOKEN))["places"]
        assert [(one["origin"], one["origin_tag"]) for one in found] == [("", None), ("", None)]

    def test_what_could_not_be_looked_at_is_told_to_whom_it_concerns(self, api: Api) -> None:
        api.desk.status_problems = ["prod: there is no branch main."]
        for token, query in ((ALL_TOKEN, ""), (RELEASE_TOKEN, "?environment=prod")):
            told = body_of(api.get(f"/api/status{query}", token=token))
            assert told["problems"] == api.desk.status_problems
        (told,) = body_of(api.get("/api/status", token=DEV_TOKEN))["problems"]
        assert told == (
            "Not all could be looked at: ask for one environment by name to learn what is wrong there."
        )


class TestWhy:
    def test_it_is_told_for_each_environment(self, api: Api) -> None:
        dev, prod = body_of(api.get(f"/api/why?image={IRIS}:main-7", token=TOKEN))["why"]
        assert (dev["environment"], dev["stands"], dev["deployment"]["tag"]) == ("dev", True, "main-7")
        assert (prod["environment"], prod["stands"], prod["deployment"]) == ("prod", False, None)
        assert (prod["image"], prod["text"]) == (f"{IRIS}:main-7", "This is how it is in prod.")
        assert (prod["outcome"], prod["code"]) == ("proposed", "already-proposed")
        assert [one["tag"] for one in prod["standing"]] == ["main-5"]
        assert [one["outcome"] for one in prod["requests"]] == [None]

    @pytest.mark.parametrize(
        ("token", "query", "found"),
        [
            (ALL_TOKEN, "&environment=prod", ["prod"]),
            (ALL_TOKEN, "&environment=", ["dev", "prod"]),
            (DEV_TOKEN, "", ["dev"]),
            (RELEASE_TOKEN, "", ["prod"]),
        ],
    )
    def test_a_token_sees_its_environments(self, api: Api, token: str, query: str, found: list[str]) -> None:
        told = body_of(api.get(f"/api/why?image={IRIS}:main-7{query}", token=token))["why"]
        assert [one["environment"] for one in told] == found

    @pytest.mark.parametrize(
        ("query", "field", "said"),
        [
            ("", "image", "field required"),
            ("?image=", "image", "names no repository"),
            (f"?image={IRIS}", "image", "names no tag"),
            (f"?image={IRIS}:main-7&environment=qa", "environment", "they know dev, prod"),
            (f"?image={IRIS}:main-7&chart=iris", "chart", "There is no parameter 'chart'"),
        ],
    )
    def test_a_wrong_parameter_is_named(self, api: Api, query: str, field: str, said: str) -> None:
        answer = api.get(f"/api/why{query}", token=ALL_TOKEN)
        assert answer.status_code == 400
        assert body_of(answer)["field"] == field
        assert said in body_of(answer)["detail"]


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize("environment", ["prod", "nowhere"])
def test_an_environment_out_of_reach_is_403_whether_it_exists_or_not(
    api: Api, path: str, environment: str
) -> None:
    mark = "&" if "?" in path else "?"
    answer = api.get(f"{path}{mark}environment={environment}", token=DEV_TOKEN)
    assert answer.status_code == 403
    assert body_of(answer)["type"] == "/docs/problems#not-allowed"
    assert f"'dev' may not speak for the environment {environment}" in body_of(answer)["detail"]


@pytest.mark.parametrize("path", [f"/api/history?image={IRIS}", f"/api/why?image={IRIS}:main-7"])
def test_an_image_of_others_is_403(api: Api, path: str) -> None:
    answer = api.get(path, token=OTHER_TOKEN)
    assert answer.status_code == 403
    assert f"'lily' may not speak for {IRIS}" in body_of(answer)["detail"]


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize(
    ("trouble", "status", "slug"),
    [
        (Unreachable("The Git server does not answer.", after=7), 503, "try-again"),
        (InvalidConfigRepo("The branch main is gone."), 409, "not-now"),
        (ForgeRefused("GitLab says: 403 Forbidden."), 502, "failed"),
    ],
)
def test_what_the_worker_cannot_do_is_a_problem_with_its_words(
    api: Api, trouble: Exception, status: int, slug: str, path: str
) -> None:
    api.desk.trouble = trouble
    answer = api.get(path, token=ALL_TOKEN)
    assert answer.status_code == status
    assert body_of(answer)["type"] == f"/docs/problems#{slug}"
    assert body_of(answer)["detail"] == str(trouble)


def test_every_question_takes_a_seat_and_beyond_half_of_the_threads_it_is_503(tmp_path: Path) -> None:
    api = Api(tmp_path, threads=2)
    _, seats = api.app.extensions["updater"]
    with seats.taken() as seated:
        assert seated
        answers = [api.get(path, token=ALL_TOKEN) for path in QUESTIONS]
        answers.append(api.post("/api/rollbacks", {"environment": "prod", "chart": "iris", "dry_run": True}))
    assert {answer.status_code for answer in answers} == {503}
    assert all("Too many callers wait" in body_of(answer)["detail"] for answer in answers)
    assert api.get(QUESTIONS[0], token=ALL_TOKEN).status_code == 200, "the seat is free again"
    api.close()
