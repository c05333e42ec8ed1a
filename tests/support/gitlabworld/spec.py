"""Holds the double, and whoever calls it, to GitLab's published API description, where that is at hand.

The file is not part of the project (it is under another licence). `UPDATER_GITLAB_OPENAPI` names it;
without that a copy is looked for beside the checkout. Elsewhere the layer is off, and `told` says so.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml
from support.documents import ROOT

VARIABLE = "UPDATER_GITLAB_OPENAPI"
_BESIDE = Path("shared", "gitlab", "openapi.yaml")
# GitLab has these; its published description, or our copy of it, does not.
NOT_DESCRIBED = frozenset(
    {
        ("GET", "users"),
        ("GET", "projects/{}/milestones"),
        ("GET", "projects/{}/merge_requests/{}/notes/{}"),
        ("PUT", "projects/{}/merge_requests/{}/notes/{}"),
    }
)


def where() -> Path | None:
    """Return the file, None where there is none."""
    named = os.environ.get(VARIABLE, "")
    path = Path(named) if named else ROOT.parent / _BESIDE
    assert path.is_file() or not named, f"{VARIABLE} names {named}, which is no file."
    return path if path.is_file() else None


def examples() -> Mapping[str, Path]:
    """Return the recorded bodies that lie beside the file, by name; none where the layer is off."""
    path = where()
    return {one.name: one for one in sorted((path.parent / "examples").glob("*.json"))} if path else {}


def told() -> str:
    """Say in one line whether the layer is on."""
    path = where()
    if path is None:
        return f"GitLab's API description: not at hand ({VARIABLE} names none), its double is not checked"
    return f"GitLab's API description: {path.name}, every call of its double is checked"


@functools.cache
def load(path: Path) -> Spec:
    """Read a description once."""
    return Spec(yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader))


def normal(template: str) -> str:
    """Return a path's template without the names of its parts."""
    return re.sub(r"\{\w+\}", "{}", template.removeprefix("/api/v4/"))


class Spec:
    """One OpenAPI 3.1 description; complaints are sentences."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._operations = {
            (method.upper(), normal(path)): operation
            for path, item in document["paths"].items()
            for method, operation in item.items()
            if method in ("get", "post", "put", "delete")
        }
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def about_request(
        self, method: str, template: str, query: Mapping[str, Any], body: Mapping[str, Any]
    ) -> Iterator[str]:
        """Yield what is wrong with a request."""
        key = (method, normal(template))
        operation = self._operations.get(key)
        if operation is None:
            if key not in NOT_DESCRIBED:
                yield f"{method} {template} is not described."
            return
        known = {one["name"]: one for one in operation.get("parameters", []) if one["in"] == "query"}
        for name, value in query.items():
            if name not in known:
                yield f"{method} {template} takes no query parameter {name!r}."
            else:
                schema = known[name]["schema"]
                yield from self._complaints(f"{key} ?{name}", schema, _coerced(value, schema))
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            if body:
                yield f"{method} {template} takes no body, got {sorted(body)}."
            return
        yield from self._about_body(key, content["schema"], {**self._described(query, content), **body})

    def about_answer(
        self, method: str, template: str, status: int, body: object, forced: Collection[str] = ()
    ) -> Iterator[str]:
        """Yield what is wrong with an answer; `forced` are statuses that a test made up."""
        operation = self._operations.get((method, normal(template)))
        if operation is None or status >= 500 or 300 <= status < 400:
            return
        described = operation["responses"].get(str(status))
        if described is None and status < 400:
            yield f"{method} {template} never answers {status}."
            return
        content = (described or {}).get("content", {}).get("application/json")
        if described is None:
            content = {"schema": {"$ref": "#/components/schemas/Error"}}
        if content is not None:
            name = f"{method} {normal(template)} {status}"
            yield from self._complaints(name, content["schema"], body, forced)

    def _described(self, query: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
        # Required parameters may come in the query as well.
        properties = self._resolved(content["schema"]).get("properties", {})
        return {
            name: _coerced(value, properties[name]) for name, value in query.items() if name in properties
        }

    def _about_body(self, key: tuple[str, str], schema: Mapping[str, Any], body: object) -> Iterator[str]:
        known = self._resolved(schema).get("properties", {})
        assert isinstance(body, dict)
        yield from (f"{' '.join(key)} takes no {name!r}." for name in body if name not in known)
        yield from self._complaints(f"{' '.join(key)} request", schema, body)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        name = schema.get("$ref", "").rpartition("/")[2]
        found: Mapping[str, Any] = self._document["components"]["schemas"][name] if name else schema
        return found

    def _complaints(
        self, name: str, schema: Mapping[str, Any], value: object, forced: Collection[str] = ()
    ) -> Iterator[str]:
        if name not in self._validators:
            whole = {**schema, "components": self._document["components"]}
            self._validators[name] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        for error in self._validators[name].iter_errors(value):
            path = list(error.instance_path)
            if path[-1:] == ["detailed_merge_status"] and error.instance in forced:
                continue
            yield f"{name} at {'/'.join(map(str, path)) or 'the top'}: {error.message}"


def _coerced(value: object, schema: Mapping[str, Any]) -> object:
    """Read a query parameter as what it should be; what cannot be read stays text."""
    kind = schema.get("type")
    text = str(value)
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "boolean" and text.lower() in ("true", "false", "1", "0"):
        return text.lower() in ("true", "1")
    return value
