"""What every answer has in common: JSON, links, headers and one line in the log.

This module hides serialisation, the server's URL as its callers see it, and which headers keep
browsers from doing harm. It never logs a header, a query or a body, so no token.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask, Response, g, request

from updater.web.rooms import rooms

PROBLEM_JSON = "application/problem+json"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # The documentation's pages set a policy of their own; an answer of the API loads nothing.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}

_log = logging.getLogger("updater.access")
# Made once: json.dumps makes a new encoder for every call with settings of its own.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def answer(
    body: object,
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    mimetype: str = "application/json",
) -> Response:
    """Return `body` as an answer in JSON."""
    text = _encode(body) + "\n"
    content = text.encode("utf-8", "backslashreplace")
    return Response(content, status, {**_HEADERS, **(headers or {})}, mimetype=mimetype)


def link_to(path: str) -> str:
    """Return the URL of `path` on this server; without a host where the caller named no proper one."""
    if base := rooms().public_url:
        return base + path
    origin = f"{request.scheme}://{request.host}" if request.host else ""
    return f"{origin}{request.script_root}{path}"


def link_to_next(cursor: str) -> str:
    """Return the URL of the page after this one: the same query, going on after `cursor`."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "before"]
    return link_to(f"{request.path}?{urlencode([*kept, ('before', cursor)])}")


def path_of_request() -> str:
    """Return the request's path as it can stand in a URL, a log line or a sentence."""
    return quote(request.path, safe="/:@!$&'()*+,;=~")


def remember_request(request_id: str) -> None:
    """Put the id of an update request into the log line of this answer."""
    g.request_id = request_id


def install(app: Flask) -> None:
    """Give every answer its headers and its line in the log."""
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    g.began = time.perf_counter()


def _finish(response: Response) -> Response:
    # Answers in JSON were made with them; what is left are pages and what Flask answers by itself.
    if "X-Content-Type-Options" not in response.headers:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
    facts: dict[str, Any] = {
        "method": request.method,
        "path": path_of_request(),
        "status": response.status_code,
        "milliseconds": round((time.perf_counter() - g.began) * 1000, 1),
        "caller": g.caller.name if "caller" in g else "",
        "request": g.get("request_id", ""),
    }
    _log.info(
        "%(method)s %(path)s %(status)s in %(milliseconds)s ms, caller %(caller)r, request %(request)r",
        facts,
        extra=facts,
    )
    return response
