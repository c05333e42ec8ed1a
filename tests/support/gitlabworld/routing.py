"""What a request and an answer of the API are, which function answers which path, paging."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from support.gitlabworld.state import Person

if TYPE_CHECKING:
    from support.gitlabworld.acts import Acts

_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
_PER_PAGE, _MOST_PER_PAGE = 20, 100


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: JSON where `body` is no bytes."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def raw(self) -> bytes:
        """The bytes that go out."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.status == 204 else json.dumps(self.body, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Asked:
    """One API request. GitLab takes parameters from the query and the body alike: `params` has both."""

    method: str
    path: str
    by: Person
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    captures: Mapping[str, str]

    @property
    def params(self) -> Mapping[str, Any]:
        """Query and body in one."""
        return {**self.query, **self.body}

    def text(self, name: str, default: str = "") -> str:
        """Return a parameter as text."""
        value = self.params.get(name)
        return default if value is None else str(value)

    def flag(self, name: str) -> bool:
        """Return a parameter as a truth value, in any of the spellings that Rails takes."""
        return self.text(name).lower() in _TRUE

    def names(self, name: str) -> list[str]:
        """Return a parameter that is a list or a text with commas."""
        value = self.params.get(name, [])
        parts = value if isinstance(value, list) else str(value).split(",")
        return [part for part in (str(part).strip() for part in parts) if part]

    def numbers(self, name: str) -> list[int]:
        """Return a parameter that is a list of numbers."""
        return [int(part) for part in self.names(name)]

    def missing(self, *names: str) -> Answer | None:
        """Return GitLab's refusal where a required parameter is not there."""
        gone = [f"{name} is missing" for name in names if self.params.get(name) is None]
        return Answer(400, {"error": ", ".join(gone)}) if gone else None


Route = Callable[["Acts", Asked], Answer]
_ROUTES: list[tuple[str, re.Pattern[str], str, Route]] = []


def route(method: str, path: str) -> Callable[[Route], Route]:
    """Register who answers a path below `/api/v4/`; `{name}` takes one part."""
    pattern = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)) + r"\Z")

    def register(function: Route) -> Route:
        _ROUTES.append((method, pattern, path, function))
        return function

    return register


def find_route(method: str, path: str) -> tuple[Route, str, Mapping[str, str]] | None:
    """Return who answers, the path's template, and the parts of the path, still percent-encoded."""
    for wanted, pattern, template, function in _ROUTES:
        found = pattern.match(path)
        if wanted == method and found:
            return function, template, found.groupdict()
    return None


def refused(status: int, message: object) -> Answer:
    """Return an error body."""
    return Answer(status, {"message": message})


def not_found(what: str) -> Answer:
    """Return GitLab's 404."""
    return refused(404, f"404 {what} Not Found")


FORBIDDEN = Answer(403, {"message": "403 Forbidden"})


def paged(world: Acts, asked: Asked, rows: Sequence[Any]) -> Answer:
    """Answer one page of a list, with the headers that lead on."""
    size = min(int(asked.text("per_page") or _PER_PAGE), _MOST_PER_PAGE)
    page = max(int(asked.text("page") or 1), 1)
    pages = max(-(-len(rows) // size), 1)
    headers = {
        "x-page": str(page),
        "x-per-page": str(size),
        "x-total": str(len(rows)),
        "x-total-pages": str(pages),
        "x-next-page": str(page + 1) if page < pages else "",
        "x-prev-page": str(page - 1) if page > 1 else "",
        "link": _links(world, asked, page, pages),
    }
    return Answer(200, list(rows[(page - 1) * size : page * size]), headers)


def _links(world: Acts, asked: Asked, page: int, pages: int) -> str:
    wanted = {"prev": page - 1, "next": page + 1, "first": 1, "last": pages}
    base = f"{world.shown_url}{asked.path}"
    return ", ".join(
        f'<{base}?{urlencode({**asked.query, "page": number}, doseq=True)}>; rel="{relation}"'
        for relation, number in wanted.items()
        if 1 <= number <= pages
    )
