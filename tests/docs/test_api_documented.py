"""Routes, the OpenAPI document and docs/api.md say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from support.desks import MemoryDesk
from support.documents import document

from updater.auth import Keys
from updater.store import Store
from updater.web import Rooms, create_app
from updater.web.problems import KINDS

PAGE = document("docs/api.md")
# Pages for people: they are no part of the API that the OpenAPI document describes.
PAGES = {
    "/",
    "/openapi.json",
    "/docs",
    "/docs/",
    "/docs/swagger",
    "/docs/redoc",
    "/docs/problems",
    "/docs/assets/{name}",
}


# Whose fields the page explains.
SCHEMAS = (
    "Update",
    "Source",
    "Override",
    "Promotion",
    "Rollback",
    "Hold",
    "Approval",
    "Closing",
    "Proposal",
    "KnownRollback",
    "KnownHold",
    "Deployment",
    "Figures",
    "Held",
    "Standing",
    "Why",
)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    def clock() -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    store = Store(tmp_path, clock=clock)
    rooms = Rooms(store=store, keys=Keys(), desk=MemoryDesk(), clock=clock, problems=tuple, version="0")
    yield create_app(rooms)
    store.close()


def routes(app: Flask) -> set[tuple[str, str]]:
    """Method and path of every route, paths as OpenAPI writes them."""
    return {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def openapi(app: Flask) -> Any:
    return app.test_client().get("/openapi.json").json


def test_every_route_is_documented_and_every_documented_route_exists(app: Flask) -> None:
    documented = set(re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`\s]*)`", PAGE.text))
    assert documented == routes(app)


def test_the_openapi_document_has_every_route_of_the_api(app: Flask) -> None:
    described = {
        (method.upper(), path) for path, methods in openapi(app)["paths"].items() for method in methods
    }
    assert described == {(method, path) for method, path in routes(app) if path not in PAGES}


def test_every_parameter_and_field_is_documented(app: Flask) -> None:
    found = openapi(app)
    parameters = {
        parameter["name"]
        for methods in found["paths"].values()
        for operation in methods.values()
        for parameter in operation.get("parameters", [])
    }
    fields = {field for name in SCHEMAS for field in found["components"]["schemas"][name]["properties"]}
    said = {re.split(r"[:=]", span)[0] for span in PAGE.code_spans} | {"request_id"}
    assert (parameters | fields) - said == set()


def test_every_type_of_problem_is_documented_with_its_status() -> None:
    rows = {
        name: row[1]
        for row in PAGE.section("Errors").table_rows
        for name in re.findall(r"`([a-z-]+)`", row[0])
    }
    assert {kind.slug: str(kind.status) for kind in KINDS} == rows
