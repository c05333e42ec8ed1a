"""The OpenAPI 3.1 document: what each route takes and answers.

flask-openapi3 collects the document while the routes are added; this module holds what it cannot
read from a function. The document is made once, when the app is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_openapi3.models.info import Info
from flask_openapi3.models.tag import Tag
from flask_openapi3.openapi import OpenAPI
from pydantic.json_schema import models_json_schema

from updater.web import asked, problems, told
from updater.web.replies import PROBLEM_JSON

UPDATES = Tag(name="updates", description="Images that were built, and what became of them.")
PROPOSALS = Tag(name="proposals", description="Promotions, and proposals that wait for somebody.")
HISTORY = Tag(
    name="history", description="What stands where and why, what was deployed, taken back and held."
)
HOOKS = Tag(name="hooks", description="What GitLab tells; nothing for people to call.")
HEALTH = Tag(name="health", description="For probes; no token is needed.")

# What can happen to any request of the API.
EVERYWHERE = (problems.UNAUTHENTICATED, problems.BUG, problems.AWAY)
# What can happen to one that takes a request.
ACCEPTING = (
    problems.INVALID,
    problems.FORBIDDEN,
    problems.TOO_LARGE,
    problems.NOT_JSON,
    problems.KEY_REUSED,
    *EVERYWHERE,
)
# What can happen to one that the worker's thread answers.
AT_DESK = (problems.NOT_NOW, problems.FAILED)
# What can happen to one that asks it something about environments and images.
ASKING = (problems.INVALID, problems.FORBIDDEN, *AT_DESK, *EVERYWHERE)

_TOKEN: list[dict[str, list[Any]]] = [{"token": []}]
HOOK_SECURITY: list[dict[str, list[Any]]] = [{"hook-token": []}, {"hook-signature": []}]
_SECURITY_SCHEMES: dict[str, Any] = {
    "token": {"type": "http", "scheme": "bearer", "description": "A caller's token."},
    "hook-token": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Gitlab-Token",
        "description": "The secret token of the hook.",
    },
    "hook-signature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "By Standard Webhooks 1.0, with `webhook-id` and `webhook-timestamp`.",
    },
}
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
GITLAB_EVENT = {
    "name": "X-Gitlab-Event",
    "in": "header",
    "description": "`Merge Request Hook`, `Push Hook` and `Pipeline Hook` are heard; others do no harm.",
    "schema": {"type": "string"},
    "example": "Merge Request Hook",
}
HOOK_BODY = {
    "required": False,
    "content": {"application/json": {"schema": {}, "example": {"object_kind": "merge_request"}}},
}
_HEADERS: Mapping[str, str] = {
    "Location": "Where to ask for the request again.",
    "Preference-Applied": "The `wait` that was granted.",
    "Retry-After": "Seconds after which to try again.",
    "Link": 'The next page, as rel="next".',
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
        security_schemes=_SECURITY_SCHEMES,
        validation_error_status=400,
        validation_error_model=told.Problem,
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
    security: list[dict[str, list[Any]]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return the arguments of a route's decorator; `more` goes into the operation as it stands.

    Without `security`, a caller's token is needed wherever a caller can be unknown.
    """
    by_status: dict[int, list[problems.Kind]] = {}
    for kind in problems_of:
        by_status.setdefault(kind.status, []).append(kind)
    errors = {status: _problem_response(kinds, responses.get(status)) for status, kinds in by_status.items()}
    return {
        "operation_id": name,
        "tags": [tag],
        "responses": {**responses, **errors},
        "security": security or (_TOKEN if problems.UNAUTHENTICATED in problems_of else None),
        "openapi_extensions": more,
    }


def body(model: str, examples: Mapping[str, Any], *, required: bool = True) -> dict[str, Any]:
    """Return the description of a body in JSON."""
    content = {"application/json": {"schema": {"$ref": _REF + model}, "examples": examples}}
    return {"required": required, "content": content}


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
        [(model, "validation") for model in (*asked.ALL, *told.ALL)], ref_template=_REF + "{model}"
    )
    made["components"]["schemas"].update(definitions["$defs"])
    return made


def _problem_response(kinds: list[problems.Kind], other: dict[str, Any] | None) -> dict[str, Any]:
    """Return the description of a status with problems; `other` is what else is answered with it."""
    status = kinds[0].status
    names = {401: ("WWW-Authenticate",), 503: ("Retry-After",)}.get(status, ())
    description = " ".join(dict.fromkeys(kind.title for kind in kinds))
    content: dict[str, Any] = {
        "schema": {"$ref": f"{_REF}Problem"},
        "example": problems.members(kinds[0], kinds[0].cure) | {"instance": "/api/auto-update"},
    }
    if other is not None:
        description = f"{other['description']} Otherwise: {description}"
        content["schema"] = {"anyOf": [other["content"][PROBLEM_JSON]["schema"], content["schema"]]}
    return {
        "description": description,
        "content": {PROBLEM_JSON: content},
        "headers": {**(other or {}).get("headers", {}), **_headers(*names)},
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}
