"""Reading requests over HTTP: one, a list of them, and only what the token may see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.api import ALL_TOKEN, OTHER_TOKEN, TOKEN, Api, body_of

from updater.model import Caller, ImageReference, OutcomeKind
from updater.store import Wish
from updater.web import listing

IRIS = "registry.example.com/iris"
LILY = "registry.example.com/lily"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    yield api
    api.close()


def listed(api: Api, query: str = "", *, token: str = ALL_TOKEN) -> list[str]:
    answer = api.get(f"/api/updates{query}", token=token)
    assert answer.status_code == 200, answer.text
    return [update["image"].rpartition(":")[2] for update in body_of(answer)["updates"]]


class TestOne:
    def test_a_request_can_be_asked_for_where_its_location_said(self, api: Api) -> None:
        sent = api.send()
        answer = api.get(sent.headers["Location"])
        assert answer.status_code == 200
        assert answer.json == sent.json

    @pytest.mark.parametrize("kind", list(OutcomeKind))
    def test_it_is_200_whatever_became_of_it(self, api: Api, kind: OutcomeKind) -> None:
        request_id = api.accepted()
        api.settle(request_id, kind, "Because.")
        answer = api.get(f"/api/updates/{request_id}", Prefer="wait=30")
        assert answer.status_code == 200
        assert (body_of(answer)["outcome"], body_of(answer)["reason"]) == (kind.value, "Because.")
        assert body_of(answer)["settled_at"] == "2026-03-02T09:30:00.002Z"

    def test_it_can_be_waited_for(self, api: Api) -> None:
        request_id = api.accepted()
        with api.worker(OutcomeKind.REFUSED):
            answer = api.get(f"/api/updates/{request_id}", Prefer="wait=30")
        assert (answer.status_code, body_of(answer)["outcome"]) == (200, "refused")
        assert answer.headers["Preference-Applied"] == "wait=30"

    def test_a_pending_one_says_what_is_wrong_just_now(self, api: Api) -> None:
        api.problems = ["The rules are broken: .updater/rules.yaml:3:5."]
        body = body_of(api.send())
        assert body["reason"] == "The rules are broken: .updater/rules.yaml:3:5."
        assert body["problems"] == api.problems
        api.settle(body["id"])
        assert body_of(api.get(body["url"]))["problems"] == []

    @pytest.mark.parametrize("request_id", ["nonsense", "0" * 26, "%00", "a%2Fb", "é"])
    def test_an_id_nobody_knows_is_404(self, api: Api, request_id: str) -> None:
        answer = api.get(f"/api/updates/{request_id}")
        assert answer.status_code == 404
        assert answer.mimetype == "application/problem+json"

    def test_a_request_for_another_image_does_not_exist_for_this_token(self, api: Api) -> None:
        request_id = api.accepted(f"{IRIS}:1")
        hidden = api.get(f"/api/updates/{request_id}", token=OTHER_TOKEN)
        unknown = api.get(f"/api/updates/{'0' * 26}", token=OTHER_TOKEN)
        assert hidden.status_code == unknown.status_code == 404
        same = {"type", "title", "status", "detail"}
        assert {key: body_of(hidden)[key] for key in same} == {key: body_of(unknown)[key] for key in same}
        assert api.get(f"/api/updates/{request_id}", token=TOKEN).status_code == 200


class TestList:
    @pytest.fixture(autouse=True)
    def four(self, api: Api) -> None:
        api.accepted(f"{IRIS}:1")
        api.settle(api.accepted(f"{IRIS}:2", environment="dev"), OutcomeKind.COMMITTED)
        api.settle(api.accepted(f"{LILY}:3"), OutcomeKind.REFUSED)
        api.send({"image": f"{IRIS}:4", "environment": "prod"})

    @pytest.mark.parametrize(
        ("query", "tags"),
        [
            ("", ["4", "3", "2", "1"]),
            ("?state=pending", ["4", "1"]),
            ("?state=settled", ["3", "2"]),
            ("?outcome=refused", ["3"]),
            ("?outcome=refused&outcome=committed", ["3", "2"]),
            ("?image=LILY", ["3"]),
            (f"?image={IRIS}:2", ["2"]),
            ("?environment=prod", ["4"]),
            ("?environment=dev", ["3", "2"]),
            ("?caller=iris", ["4"]),
            ("?state=pending&caller=all", ["1"]),
            ("?image=nothing", []),
            ("?state=pending&limit=1", ["4"]),
            ("?limit=200&image=", ["4", "3", "2", "1"]),
        ],
    )
    def test_filters_choose(self, api: Api, query: str, tags: list[str]) -> None:
        assert listed(api, query) == tags

    def test_a_token_sees_only_its_images(self, api: Api) -> None:
        assert listed(api, token=TOKEN) == ["4", "2", "1"]
        assert listed(api, token=OTHER_TOKEN) == ["3"]
        assert listed(api, "?caller=iris", token=OTHER_TOKEN) == []

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
    @pytest.mark.parametrize("token", [ALL_TOKEN, TOKEN])
    def test_following_next_reads_everything_once(self, api: Api, limit: int, token: str) -> None:
        seen: list[str] = []
        url: str | None = f"/api/updates?limit={limit}&image=registry"
        while url:
            body = body_of(api.get(url, token=token))
            assert len(body["updates"]) <= limit
            seen += [update["id"] for update in body["updates"]]
            url = body["next"]
        assert len(seen) == len(set(seen)) == (4 if token is ALL_TOKEN else 3)

    def test_the_next_page_keeps_the_filters(self, api: Api) -> None:
        answer = api.get("/api/updates?state=pending&limit=1", token=ALL_TOKEN)
        following = body_of(answer)["next"]
        assert answer.headers["Link"] == f'<{following}>; rel="next"'
        assert "state=pending&limit=1&before=" in following
        last = api.get(following, token=ALL_TOKEN)
        assert [update["image"] for update in body_of(last)["updates"]] == [f"{IRIS}:1"]
        assert "Link" not in last.headers
        assert body_of(last)["next"] is None

    @pytest.mark.parametrize(
        ("query", "field", "said"),
        [
            ("?limit=0", "limit", "greater than or equal to 1"),
            ("?limit=201", "limit", "less than or equal to 200"),
            ("?limit=ten", "limit", "valid integer"),
            ("?state=done", "state", "'pending' or 'settled'"),
            ("?outcome=lost", "outcome", "'proposed', 'superseded' or 'unchanged'"),
            ("?satte=pending", "satte", "There is no parameter 'satte'"),
            ("?before=nonsense", "before", "no request 'nonsense'"),
            (f"?image={'x' * 256}", "image", "at most 255 characters"),
        ],
    )
    def test_a_wrong_parameter_is_named(self, api: Api, query: str, field: str, said: str) -> None:
        answer = api.get(f"/api/updates{query}")
        assert answer.status_code == 400
        assert answer.mimetype == "application/problem+json"
        assert body_of(answer)["field"] == field
        assert said in body_of(answer)["detail"]


def test_a_page_ends_after_many_requests_of_others_and_says_where_to_go_on(api: Api) -> None:
    mine = api.accepted(f"{LILY}:1")
    others = Wish(image=ImageReference.parse(f"{IRIS}:1"), caller=Caller(name="iris"))
    for _ in range(listing.MAX_LOOKED_AT + 100):
        api.store.add(others)
    first = body_of(api.get("/api/updates", token=OTHER_TOKEN))
    assert first["updates"] == []
    second = body_of(api.get(first["next"], token=OTHER_TOKEN))
    assert [update["id"] for update in second["updates"]] == [mine]
    assert second["next"] is None
