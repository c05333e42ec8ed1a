"""One API request from its token to its answer: who asks, which project, which route, what was breached."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from support.gitlabworld import routes_project, routes_requests, spec
from support.gitlabworld.acts import Acts
from support.gitlabworld.routing import Answer, Asked, find_route, not_found, refused
from support.gitlabworld.state import Person

PREFIX = "/api/v4/"
# Imported for the routes that they register.
ROUTES = (routes_project, routes_requests)
_SELF = "personal_access_tokens/self"


def answer(world: Acts, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Answer a request whose path begins with `/api/v4/`; the caller holds the world's lock."""
    bare_path, _, query_text = path.partition("?")
    inner = bare_path.removeprefix(PREFIX)
    person = _caller(world, headers)
    if not isinstance(person, Person):
        return person
    world.notice()
    refusal = _lacks_scope(person, method, inner) or _other_project(world, method, bare_path, query_text)
    if refusal:
        return refusal
    found = find_route(method, inner)
    if found is None:
        world.breaches.append(f"{method} {bare_path}: the double of GitLab does not know this call.")
        return Answer(404, {"error": "404 Not Found"})
    function, template, captures = found
    asked = Asked(method, bare_path, person, _parameters(query_text), _body(headers, body), captures)
    answered = function(world, asked)
    if method != "GET":
        world.notice(person)
    _check(world, asked, template, answered)
    return answered


def _caller(world: Acts, headers: Mapping[str, str]) -> Person | Answer:
    given = headers.get("PRIVATE-TOKEN") or (headers.get("Authorization") or "").removeprefix("Bearer ")
    for person in world.people:
        if given and person.token == given:
            return _token_problem(world, person) or person
    return refused(401, "401 Unauthorized")


def _token_problem(world: Acts, person: Person) -> Answer | None:
    words = ""
    if person.revoked:
        words = "Token was revoked. You have to re-authorize from the user."
    elif person.expires and person.expires <= world.clock().date():
        words = "Token is expired. You can either do re-authorization or token refresh."
    return Answer(401, {"error": "invalid_token", "error_description": words}) if words else None


def _lacks_scope(person: Person, method: str, inner: str) -> Answer | None:
    enough = {"api", "read_api"} if method == "GET" else {"api"}
    enough |= {"read_user"} if inner == "user" else set()
    if inner == _SELF or enough & set(person.scopes):
        return None
    words = "The request requires higher privileges than provided by the access token."
    return Answer(
        403, {"error": "insufficient_scope", "error_description": words, "scope": " ".join(sorted(enough))}
    )


def _other_project(world: Acts, method: str, path: str, query: str) -> Answer | None:
    """Refuse what is asked of a project nobody knows; lead on from a former path."""
    parts = path.removeprefix(PREFIX).split("/")
    if parts[0] != "projects" or len(parts) < 2:
        return None
    project = routes_project.project_of(world, parts[1])
    if project is None or not project.level:
        return not_found("Project")
    current = (str(project.id), project.path.lower().replace("/", "%2f"))
    if parts[1].lower() in current:
        return None
    if method != "GET":
        return refused(405, "Non GET methods are not allowed for moved projects")
    rest = "/".join([PREFIX.strip("/"), "projects", str(project.id), *parts[2:]])
    target = f"{world.shown_url}/{rest}" + (f"?{query}" if query else "")
    return Answer(301, b"", {"Location": target})


def _parameters(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name.endswith("[]"):
            found.setdefault(name.removesuffix("[]"), []).append(value)
        else:
            found[name] = value
    return found


def _body(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    if "json" in (headers.get("Content-Type") or ""):
        parsed = json.loads(body)
        return parsed if isinstance(parsed, dict) else {}
    return _parameters(body.decode())


def _check(world: Acts, asked: Asked, template: str, answered: Answer) -> None:
    """Hold request and answer to the description; a request that was refused as malformed may be so."""
    path = spec.where()
    if path is None:
        return
    described = spec.load(path)
    if answered.status != 400:
        world.breaches += described.about_request(asked.method, template, asked.query, asked.body)
    forced = {request.forced_status for request in world.requests}
    world.breaches += described.about_answer(asked.method, template, answered.status, answered.body, forced)
