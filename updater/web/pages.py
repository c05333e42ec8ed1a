"""The documentation's pages: an index, Swagger UI, Redoc and the list of problems, all offline.

This module hides where the assets lie (in the wheels of flask-openapi3's plugins) and the policy
that lets a page load nothing from anywhere else. Pages need no token: they show no requests.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, redirect, request

from updater.web import problems
from updater.web.replies import answer, link_to

# Both programs write style attributes; nothing but our own scripts may run or be asked.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_OWN = Path(__file__).parent / "html"
_ASSETS = {
    "docs.css": ("", "docs.css"),
    "swagger.js": ("", "swagger.js"),
    "redoc.js": ("", "redoc.js"),
    "swagger-ui.css": ("flask_openapi3_swagger", "templates/swagger/css/swagger-ui.css"),
    "swagger-ui-bundle.js": ("flask_openapi3_swagger", "templates/swagger/js/swagger-ui-bundle.js"),
    "redoc.standalone.js": ("flask_openapi3_redoc", "templates/redoc/js/redoc.standalone.js"),
}


def install(app: Flask, document: Mapping[str, Any]) -> None:
    """Add the pages; `document` is the OpenAPI document they show."""
    assets = {name: _folder(package) / path for name, (package, path) in _ASSETS.items()}

    def openapi_json() -> Response:
        return answer({**document, "servers": [{"url": link_to("") or "/"}]})

    def asset(name: str) -> Response:
        if name not in assets:
            abort(404)
        mimetype = "text/css" if name.endswith(".css") else "text/javascript"
        found = Response(assets[name].read_bytes(), mimetype=mimetype)
        found.headers["Cache-Control"] = "public, max-age=3600"
        found.add_etag()
        found.make_conditional(request)
        return found

    app.add_url_rule("/", "root", lambda: redirect("docs"))
    app.add_url_rule("/openapi.json", "openapi_json", openapi_json)
    # The page's links count from an address without the slash.
    app.add_url_rule("/docs/", "docs_slash", lambda: redirect("../docs"))
    app.add_url_rule("/docs", "docs", _page(app, "index.html", _index(document)))
    app.add_url_rule("/docs/swagger", "swagger", _page(app, "swagger.html", {}))
    app.add_url_rule("/docs/redoc", "redoc", _page(app, "redoc.html", {}))
    app.add_url_rule("/docs/problems", "problems", _page(app, "problems.html", {"kinds": problems.KINDS}))
    app.add_url_rule("/docs/assets/<name>", "asset", asset)


def _index(document: Mapping[str, Any]) -> dict[str, Any]:
    operations = [
        (method.upper(), path, operation["summary"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    return {"version": document["info"]["version"], "operations": operations}


def _page(app: Flask, name: str, facts: Mapping[str, Any]) -> Callable[[], Response]:
    """Return a view of a page, which is made once: nothing on it changes while the server runs."""
    text = app.jinja_env.get_template(name).render(facts)

    def view() -> Response:
        return Response(text, mimetype="text/html", headers={"Content-Security-Policy": POLICY})

    return view


def _folder(package: str) -> Path:
    return Path(str(importlib.resources.files(package))) if package else _OWN
