"""The OpenAPI document: valid, complete and true; schemathesis calls every operation by it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import hypothesis
import pytest
import schemathesis
from jsonschema_rs import validator_for
from pydantic import BaseModel
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode
from support.api import ALL_TOKEN, HOOK_SECRET, Api, body_of, outcome
from support.desks import deployment, open_proposal, row

from updater.answers import proposal_json, record_json
from updater.intake import (
    APPROVAL_FIELDS,
    CLOSING_FIELDS,
    FIELDS,
    HOLD_FIELDS,
    OVERRIDE_FIELDS,
    PROMOTION_FIELDS,
    ROLLBACK_FIELDS,
    SOURCE_FIELDS,
)
from updater.model import OutcomeKind, ProposalLink
from updater.web import asked, examples, told
from updater.web.problems import KINDS

OPERATIONS = {
    ("POST", "/api/auto-update"),
    ("POST", "/api/promotions"),
    ("GET", "/api/proposals"),
    ("GET", "/api/proposals/{environment}/{name}"),
    ("POST", "/api/proposals/{environment}/{name}/approve"),
    ("POST", "/api/proposals/{environment}/{name}/close"),
    ("POST", "/api/rollbacks"),
    ("POST", "/api/holds"),
    ("POST", "/api/releases"),
    ("GET", "/api/holds"),
    ("GET", "/api/history"),
    ("GET", "/api/history/figures"),
    ("GET", "/api/status"),
    ("GET", "/api/why"),
    ("POST", "/hooks/gitlab"),
    ("GET", "/api/updates"),
    ("GET", "/api/updates/{request_id}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    api = Api(tmp_path_factory.mktemp("openapi"))
    api.settle(api.accepted(), OutcomeKind.COMMITTED)
    api.settle(api.accepted(), OutcomeKind.REFUSED)
    api.desk.deployments = [deployment("b" * 40), deployment("a" * 40, chart="lily", hours=1)]
    api.desk.status_rows = [row(origin="dev")]
    yield api
    api.close()


@pytest.fixture(scope="module")
def document(api: Api) -> dict[str, Any]:
    return body_of(api.client.get("/openapi.json"))


@pytest.fixture(scope="module")
def schema(api: Api, document: dict[str, Any]) -> Any:
    """What schemathesis works by: without tokens and waiting, which test_api_errors and _requests cover."""
    plain = copy.deepcopy(document)
    for operation in operations(plain).values():
        operation.pop("security", None)
        operation["parameters"] = [
            part for part in operation.get("parameters", []) if part["name"] != "Prefer"
        ]
    loaded = schemathesis.openapi.from_dict(plain)
    loaded.app = api.app
    return loaded


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [
        *((*operation, GenerationMode.POSITIVE) for operation in sorted(OPERATIONS)),
        # The others take nothing that could be wrong: an id may be any text.
        ("POST", "/api/auto-update", GenerationMode.NEGATIVE),
        ("POST", "/api/promotions", GenerationMode.NEGATIVE),
        ("POST", "/api/proposals/{environment}/{name}/approve", GenerationMode.NEGATIVE),
        ("POST", "/api/proposals/{environment}/{name}/close", GenerationMode.NEGATIVE),
        ("POST", "/api/rollbacks", GenerationMode.NEGATIVE),
        ("POST", "/api/holds", GenerationMode.NEGATIVE),
        ("POST", "/api/releases", GenerationMode.NEGATIVE),
        ("GET", "/api/history", GenerationMode.NEGATIVE),
        ("GET", "/api/history/figures", GenerationMode.NEGATIVE),
        ("GET", "/api/why", GenerationMode.NEGATIVE),
        ("GET", "/api/updates", GenerationMode.NEGATIVE),
    ],
)
def test_every_answer_is_one_that_the_document_tells_of(
    schema: Any, method: str, path: str, mode: GenerationMode
) -> None:
    # The grammar of references says a little more than a pattern, so a body may be refused that the
    # schema allows.
    excluded: list[Any] = [
        check for check in CHECKS.get_all() if check.__name__ == "positive_data_acceptance"
    ]

    @hypothesis.settings(max_examples=40, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(case=schema[path][method].as_strategy(generation_mode=mode))
    def call(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(
            headers={"Authorization": f"Bearer {ALL_TOKEN}", "X-Gitlab-Token": HOOK_SECRET},
            excluded_checks=excluded,
        )

    call()


def test_all_checks_of_schemathesis_are_there() -> None:
    load_all_checks()
    names = {check.__name__ for check in CHECKS.get_all()}
    assert {
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "positive_data_acceptance",
        "ignored_auth",
        "unsupported_method",
    } <= names


def test_the_document_is_openapi_3_1_and_lists_every_operation(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    found = operations(document)
    assert set(found) == OPERATIONS
    ids = [operation["operationId"] for operation in found.values()]
    assert len(set(ids)) == len(ids)
    assert all(operation["summary"] for operation in found.values())


def test_every_route_of_the_app_is_in_the_document_or_a_page(api: Api, document: dict[str, Any]) -> None:
    pages = {
        "/",
        "/openapi.json",
        "/docs",
        "/docs/",
        "/docs/swagger",
        "/docs/redoc",
        "/docs/problems",
        "/docs/assets/{name}",
    }
    routes = {
        (method, rule.rule.replace("<", "{").replace(">", "}"))
        for rule in api.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {route for route in routes if route[1] not in pages} == set(operations(document))
    assert pages <= {path for _, path in routes}


def test_everything_under_api_asks_for_a_token_and_nothing_else_does(document: dict[str, Any]) -> None:
    for (_, path), operation in operations(document).items():
        guarded = path.startswith("/api/")
        assert (operation.get("security") == [{"token": []}]) == guarded
        assert ("401" in operation["responses"]) == (guarded or path.startswith("/hooks/"))
    schemes = document["components"]["securitySchemes"]
    assert schemes["token"]["scheme"] == "bearer"
    hook = operations(document)["POST", "/hooks/gitlab"]["security"]
    assert [schemes[name]["name"] for one in hook for name in one] == ["X-Gitlab-Token", "webhook-signature"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                yield part["$ref"]
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= known


def test_every_problem_stands_at_an_operation_that_can_have_it(document: dict[str, Any]) -> None:
    told = {status for operation in operations(document).values() for status in operation["responses"]}
    # What no operation has: addresses without one.
    assert {str(kind.status) for kind in KINDS} - told == {"405"}
    for operation in operations(document).values():
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and operation["operationId"] != "getReadiness":
                assert set(answer["content"]) == {"application/problem+json"}


def check(model: type[BaseModel], value: object) -> None:
    problems = [error.message for error in validator_for(model.model_json_schema()).iter_errors(value)]
    assert problems == []


@pytest.mark.parametrize("example", examples.UPDATES.values(), ids=examples.UPDATES)
def test_the_examples_of_bodies_are_accepted(api: Api, example: dict[str, Any]) -> None:
    check(asked.Update, example["value"])
    assert api.send(example["value"], token=ALL_TOKEN).status_code == 202


@pytest.mark.parametrize("example", examples.PROMOTIONS.values(), ids=examples.PROMOTIONS)
def test_the_examples_of_promotions_are_accepted(api: Api, example: dict[str, Any]) -> None:
    check(asked.Promotion, example["value"])
    dry_run = example["value"].get("dry_run", False)
    assert api.post("/api/promotions", example["value"]).status_code == (200 if dry_run else 202)


def test_the_examples_of_decisions_are_accepted(api: Api) -> None:
    approval, closing = examples.APPROVALS["pinned"]["value"], examples.CLOSINGS["closed"]["value"]
    check(asked.Approval, approval)
    check(asked.Closing, closing)
    api.desk.open["prod/a"] = open_proposal("prod/a", head=approval["head"])
    api.desk.open["prod/b"] = open_proposal("prod/b")
    approved = api.post("/api/proposals/prod/a/approve", approval)
    closed = api.post("/api/proposals/prod/b/close", closing)
    assert [approved.status_code, closed.status_code] == [200, 200]
    check(told.Decision, body_of(approved))
    check(told.Decision, body_of(closed))


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (told.Request, examples.PENDING),
        (told.Request, examples.SETTLED),
        (told.Request, examples.PENDING_PROMOTION),
        (told.Request, examples.SETTLED_PROMOTION),
        (told.Request, examples.PENDING_ROLLBACK),
        (told.Request, examples.SETTLED_ROLLBACK),
        (told.Request, examples.PENDING_HOLD),
        (told.Request, examples.SETTLED_HOLD),
        (told.Request, examples.PENDING_RELEASE),
        (told.Request, examples.SETTLED_RELEASE),
        (told.Deployment, examples.DEPLOYMENT),
        (told.Figures, examples.FIGURES),
        (told.Held, examples.HOLD),
        (told.Standing, examples.STANDING),
        (told.Why, examples.WHY),
        (told.Proposal, examples.PROPOSAL),
        (told.Decision, examples.APPROVED),
        (told.Decision, examples.CLOSED),
    ],
)
def test_the_examples_of_answers_have_the_form_of_answers(
    model: type[BaseModel], example: dict[str, Any]
) -> None:
    check(model, example)
    assert set(example) == names(model)


def names(model: type[BaseModel]) -> set[str]:
    """The fields of a model as they stand in JSON."""
    return {field.alias or name for name, field in model.model_fields.items()}


def test_the_schemas_and_the_code_know_the_same_fields(api: Api) -> None:
    assert names(asked.Update) == set(FIELDS)
    assert names(asked.Source) == set(SOURCE_FIELDS)
    assert names(asked.Promotion) == set(PROMOTION_FIELDS)
    assert names(asked.Override) == set(OVERRIDE_FIELDS)
    assert names(asked.Rollback) == set(ROLLBACK_FIELDS)
    assert names(asked.Hold) == set(HOLD_FIELDS)
    assert names(asked.Approval) == set(APPROVAL_FIELDS)
    assert names(asked.Closing) == set(CLOSING_FIELDS)
    request_id = api.accepted()
    settled = outcome(OutcomeKind.COMMITTED)
    proposed = replace(settled.environments[0], proposals=(ProposalLink(branch="updater/prod/iris"),))
    api.store.settle({request_id: replace(settled, environments=(proposed,))})
    record = api.store.get(request_id)
    assert record is not None
    rendered = record_json(record)
    assert names(told.Request) == {*rendered, "url", "problems"}
    assert names(told.Environment) == set(rendered["environments"][0])
    assert names(told.Place) == set(rendered["environments"][0]["places"][0])
    assert names(told.ProposalLink) == set(rendered["environments"][0]["proposals"][0])
    assert names(told.KnownSource) == set(rendered["source"])


def test_promotions_and_proposals_have_the_form_of_the_document(api: Api) -> None:
    promotion = {"from": "dev", "to": "prod", "all": True}
    stored = body_of(api.post("/api/promotions", promotion))
    previewed = body_of(api.post("/api/promotions", promotion | {"dry_run": True}))
    for body in (stored, previewed):
        check(told.Request, body)
        assert set(body["promotion"]) == names(told.KnownPromotion)
    api.desk.open["prod/iris"] = open_proposal("prod/iris")
    listed, shown = body_of(api.get("/api/proposals")), body_of(api.get("/api/proposals/prod/iris"))
    check(told.Proposals, listed)
    check(told.Proposal, shown)
    rendered = proposal_json(open_proposal())
    assert names(told.Proposal) == set(rendered)
    assert names(told.ProposedImage) == set(rendered["images"][0])


@pytest.mark.parametrize("kind", list(OutcomeKind))
def test_every_outcome_has_the_form_of_the_document(api: Api, kind: OutcomeKind) -> None:
    request_id = api.accepted()
    check(told.Request, body_of(api.get(f"/api/updates/{request_id}")))
    api.settle(request_id, kind)
    check(told.Request, body_of(api.get(f"/api/updates/{request_id}")))


@pytest.mark.parametrize("kind", [OutcomeKind.HELD, OutcomeKind.REFUSED, OutcomeKind.FAILED])
def test_what_did_not_succeed_has_the_form_of_the_document(api: Api, kind: OutcomeKind) -> None:
    with api.worker(kind):
        check(told.Unsuccessful, body_of(api.send(Prefer="wait=20")))


def test_the_list_and_the_probes_have_the_form_of_the_document(api: Api) -> None:
    check(told.Requests, body_of(api.get("/api/updates?limit=1")))
    check(told.Health, body_of(api.get("/healthz")))
    check(told.Readiness, body_of(api.get("/readyz")))
    check(told.Problem, body_of(api.get("/nothing")))


def test_the_document_names_the_host_the_caller_used(api: Api) -> None:
    document = api.client.get("/openapi.json", headers={"Host": "updater.example.com:8443"})
    assert body_of(document)["servers"] == [{"url": "http://updater.example.com:8443"}]
    assert json.dumps(body_of(document)).count("updater.example.com:8443") == 1
