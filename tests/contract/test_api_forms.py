"""Rollbacks, holds and what is told of environments have the form that the OpenAPI document tells of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import validator_for
from pydantic import BaseModel
from support.api import ALL_TOKEN, Api, body_of
from support.desks import deployment, row

from updater.model import Hold
from updater.web import asked, examples, told


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    api.desk.deployments = [deployment("b" * 40), deployment("a" * 40, chart="lily", hours=1)]
    api.desk.held = [Hold(environment="prod", chart="iris")]
    api.desk.status_rows = [row(origin="dev")]
    yield api
    api.close()


def check(model: type[BaseModel], value: object) -> None:
    problems = [error.message for error in validator_for(model.model_json_schema()).iter_errors(value)]
    assert problems == []


def names(model: type[BaseModel]) -> set[str]:
    """The fields of a model as they stand in JSON."""
    return {field.alias or name for name, field in model.model_fields.items()}


@pytest.mark.parametrize("example", examples.ROLLBACKS.values(), ids=examples.ROLLBACKS)
def test_the_examples_of_rollbacks_are_accepted(api: Api, example: dict[str, Any]) -> None:
    check(asked.Rollback, example["value"])
    dry_run = example["value"].get("dry_run", False)
    answer = api.post("/api/rollbacks", example["value"])
    assert answer.status_code == (200 if dry_run else 202)
    check(told.Request, body_of(answer))
    assert set(body_of(answer)["rollback"]) == names(told.KnownRollback)


@pytest.mark.parametrize(
    ("route", "example"),
    [
        *(("/api/holds", example) for example in examples.HOLDS.values()),
        *(("/api/releases", example) for example in examples.RELEASES.values()),
    ],
)
def test_the_examples_of_holds_and_releases_are_accepted(
    api: Api, route: str, example: dict[str, Any]
) -> None:
    check(asked.Hold, example["value"])
    answer = api.post(route, example["value"])
    assert answer.status_code == 202
    check(told.Request, body_of(answer))
    assert set(body_of(answer)["hold"]) == names(told.KnownHold)


@pytest.mark.parametrize(
    "body",
    [
        {"environment": "prod"},
        {"environment": "prod", "chart": "iris", "commit": "5d41402abc"},
        {"environment": "prod", "commit": "5d41402abc", "to": "main-5"},
        {"environment": "prod", "chart": "iris", "override": True},
        {"environment": "prod", "chart": "iris", "override": True, "reason": " "},
    ],
)
def test_the_schema_takes_no_rollback_that_is_not_taken(api: Api, body: dict[str, Any]) -> None:
    assert list(validator_for(asked.Rollback.model_json_schema()).iter_errors(body))
    assert api.post("/api/rollbacks", body).status_code == 400


def test_what_is_told_of_environments_has_the_form_of_the_document(api: Api) -> None:
    history, figures, holds, status, why = (
        body_of(api.get(f"/api/{path}", token=ALL_TOKEN))
        for path in ("history", "history/figures", "holds", "status", "why?image=registry.example.com/iris:1")
    )
    bodies: list[tuple[type[BaseModel], Any]] = [
        (told.History, history),
        (told.SpanFigures, figures),
        (told.Holds, holds),
        (told.Status, status),
        (told.Explanations, why),
    ]
    for model, body in bodies:
        check(model, body)
    (place,), (hold,), explained = status["places"], holds["holds"], why["why"][0]
    parts: list[tuple[type[BaseModel], Any]] = [
        (told.Deployment, history["deployments"][0]),
        (told.MovedChart, history["deployments"][0]["charts"][0]),
        (told.Figures, figures["figures"][0]),
        (told.Held, hold),
        (told.Standing, place),
        (told.Waiting, place["waiting"][0]),
        (told.Why, explained),
        (told.AskedBefore, explained["requests"][0]),
    ]
    for model, part in bodies + parts:
        assert set(part) == names(model)
