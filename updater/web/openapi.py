"""The OpenAPI 3.1 document: what each route takes and answers.

flask-openapi3 collects the document while the routes are added; this module holds what it cannot
read from a function. The document is made once, when the app is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask_openapi3.models.info import Info
from flask_openapi3.models.tag import Tag
from flask_openapi3.openapi import OpenAPI
from pydantic.json_schema import models_json_schema

from updater.web import examples, problems, schemas
from updater.web.replies import PROBLEM_JSON

UPDATES = Tag(name="updates", description="Images that were built, and what became of them.")
HEALTH = Tag(name="health", description="For probes; no token is needed.")

# What can happen to any request of the API.
EVERYWHERE = (problems.UNAUTHENTICATED, problems.BUG, problems.AWAY)

_TOKEN: list[dict[str, list[Any]]] = [{"token": []}]
_REF = "#/components/schemas/"

PREFER = {
    "name": "Prefer",
    "in": "header",
    "description": "`wait=N`: answer when the request is settled, or after N seconds (60 at most).",
    "schema": {"type": "string"},
    "example": "wait=30",
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key with the same body is the same request, however often it is sent.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    "example": "pipeline-52666",
}
BODY = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": f"{_REF}Update"}, "examples": examples.UPDATES}},
}
_HEADERS: Mapping[str, str] = {
    "Location": "Where to ask for the request again.",
    "Preference-Applied": "The `wait` that was granted.",
    "Retry-After": "Seconds after which to try again.",
    "Link": 'The next page, as rel="next".',
    "Allow": "The methods this address takes.",
    "WWW-Authenticate": "How to authenticate.",
}


def new_app(name: str, version: str) -> OpenAPI:
    """Return an app without routes that collects its document."""
    app = OpenAPI(
        name,
        info=Info(
            title="GitOps updater",
            version=version,
            description="Turns a built image into a commit in the config repo.",
        ),
        security_schemes={"token": {"type": "http", "scheme": "bearer", "description": "A caller's token."}},
        validation_error_status=400,
        validation_error_model=schemas.Problem,
        validation_error_callback=problems.wrong_parameter,
        doc_ui=False,
        static_folder=None,
        template_folder="html",
    )
    # Two slashes are no address: a redirect would only hide a wrong URL from those who do not follow it.
    app.url_map.merge_slashes = False
    return app


def operation(
    name: str,
    tag: Tag,
    responses: Mapping[int, dict[str, Any]],
    *,
    problems_of: tuple[problems.Kind, ...] = (),
    **more: Any,
) -> dict[str, Any]:
    """Return the arguments of a route's decorator; `more` goes into the operation as it stands."""
    by_status: dict[int, list[problems.Kind]] = {}
    for kind in problems_of:
        by_status.setdefault(kind.status, []).append(kind)
    errors = {status: _problem_response(kinds) for status, kinds in by_status.items()}
    return {
        "operation_id": name,
        "tags": [tag],
        "responses": {**responses, **errors},
        "security": _TOKEN if problems.UNAUTHENTICATED in problems_of else None,
        "openapi_extensions": more,
    }


def response(
    model: str,
    description: str,
    *,
    example: object = None,
    headers: tuple[str, ...] = (),
    mimetype: str = "application/json",
) -> dict[str, Any]:
    """Return the description of one answer."""
    content: dict[str, Any] = {"schema": {"$ref": _REF + model}}
    if example is not None:
        content["example"] = example
    return {"description": description, "content": {mimetype: content}, "headers": _headers(*headers)}


def unsuccessful(description: str) -> dict[str, Any]:
    """Return the description of an answer that is a problem and carries the settled request."""
    return response(
        "Unsuccessful", description, mimetype=PROBLEM_JSON, headers=("Location", "Preference-Applied")
    )


def document(app: OpenAPI) -> dict[str, Any]:
    """Return the document of the app with all its routes."""
    made: dict[str, Any] = app.api_doc
    # The parameters that flask-openapi3 reads from a function take the place of any given beside it.
    made["paths"]["/api/updates/{request_id}"]["get"]["parameters"].append(PREFER)
    for item in made["paths"].values():
        for operation in item.values():
            # It adds a 400 of a form of its own to every route that declares none.
            declared = operation["responses"].get("400", {}).get("content", {})
            if "application/json" in declared:
                del operation["responses"]["400"]
    _, definitions = models_json_schema(
        [(model, "validation") for model in schemas.ALL], ref_template=_REF + "{model}"
    )
    made["components"]["schemas"].update(definitions["$defs"])
    return made


def _problem_response(kinds: list[problems.Kind]) -> dict[str, Any]:
    status = kinds[0].status
    names = {401: ("WWW-Authenticate",), 405: ("Allow",), 503: ("Retry-After",)}.get(status, ())
    return {
        "description": " ".join(dict.fromkeys(kind.title for kind in kinds)) or HTTPStatus(status).phrase,
        "content": {
            PROBLEM_JSON: {
                "schema": {"$ref": f"{_REF}Problem"},
                "example": problems.members(kinds[0], kinds[0].cure) | {"instance": "/api/auto-update"},
            }
        },
        "headers": _headers(*names),
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}
