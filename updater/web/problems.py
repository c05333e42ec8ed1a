"""Every error the server answers with: problem details (RFC 9457), from one table.

This module hides how errors become answers: the types of `errors`, what Flask and Werkzeug raise,
and bugs. `create_app` installs it. A bug is logged with its traceback and told without any detail.
"""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from updater.errors import (
    ActRefused,
    ForgeRefused,
    InvalidConfigRepo,
    InvalidRequest,
    KeyReused,
    NotAllowed,
    NotAuthenticated,
    PushForbidden,
    TemporaryError,
    UpdaterError,
)
from updater.web.replies import PROBLEM_JSON, answer, path_of_request

PAGE = "/docs/problems"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table: `slug` ends the problem's type, `cure` is for the page of that name."""

    slug: str
    status: int
    title: str
    cure: str

    @property
    def type(self) -> str:
        """The problem's type: a path on this server where the problem is explained."""
        return f"{PAGE}#{self.slug}"


INVALID = Kind(
    "invalid-request",
    400,
    InvalidRequest.title,
    "Change the part that `field` names, as `detail` says; sending it again unchanged cannot help.",
)
UNAUTHENTICATED = Kind(
    "not-authenticated",
    401,
    NotAuthenticated.title,
    "Send `Authorization: Bearer TOKEN`. The operator makes tokens; none at all means nobody gets in. "
    "A webhook needs the secret that the operator set for it.",
)
FORBIDDEN = Kind(
    "not-allowed",
    403,
    NotAllowed.title,
    "The token is for other images, environments or acts. Ask the operator to add these to its entry.",
)
NO_PAGE = Kind(
    "no-such-page", 404, "There is nothing at this address.", "Compare the address with the list at /docs."
)
NO_REQUEST = Kind(
    "no-such-request",
    404,
    "There is no such request.",
    "The id is wrong, or the request is for an image or an environment that the token does not speak for.",
)
NO_PROPOSAL = Kind(
    "no-such-proposal",
    404,
    "There is no such open proposal.",
    "`GET /api/proposals` lists those that wait. This one was merged or closed, or the token may not see it.",
)
WRONG_METHOD = Kind(
    "wrong-method",
    405,
    "This address does not take this method.",
    "Use one of the methods in the answer's `Allow` header.",
)
TOO_LARGE = Kind(
    "too-large",
    413,
    "The body is too large.",
    "`detail` says how many bytes are allowed; a request needs a few hundred.",
)
NOT_JSON = Kind(
    "not-json",
    415,
    "The body is not declared as JSON.",
    "Send `Content-Type: application/json` and no `Content-Encoding`.",
)
KEY_REUSED = Kind(
    "key-reused",
    422,
    KeyReused.title,
    "Use a new Idempotency-Key for each request that differs from the last.",
)
BUG = Kind(
    "internal-error",
    500,
    "The updater has a bug.",
    "Nothing was accepted. The operator finds the traceback in the log by the answer's `instance`.",
)
AWAY = Kind(
    "try-again",
    503,
    TemporaryError.title,
    "No request was stored. Send it again after the seconds in `Retry-After`; where it was about a "
    "proposal, look first whether that is still open.",
)
REFUSED = Kind(
    "refused",
    409,
    "The request was refused.",
    "`detail` and the environments say why, and what would let it through.",
)
HELD = Kind(
    "held",
    409,
    "The request is held.",
    "`detail` says by what or whom. It goes out by itself when that ends; nothing needs to be sent again.",
)
NOT_NOW = Kind(
    "not-now",
    409,
    ActRefused.title,
    "`detail` says what stands against it. Look again at what is open before you decide anew.",
)
FAILED = Kind(
    "failed",
    502,
    "The request failed.",
    "`detail` holds the words of the Git server or GitLab, or the last of the errors that went on too long.",
)


class NotJson(HTTPException):
    """The body is declared as something else than plain JSON."""

    code = 415


KINDS = (
    INVALID,
    UNAUTHENTICATED,
    FORBIDDEN,
    NO_PAGE,
    NO_REQUEST,
    NO_PROPOSAL,
    WRONG_METHOD,
    REFUSED,
    HELD,
    NOT_NOW,
    TOO_LARGE,
    NOT_JSON,
    KEY_REUSED,
    BUG,
    FAILED,
    AWAY,
)
_BY_STATUS = {404: NO_PAGE, 405: WRONG_METHOD, 413: TOO_LARGE, 415: NOT_JSON}
_BY_ERROR: tuple[tuple[type[UpdaterError], Kind], ...] = (
    (KeyReused, KEY_REUSED),
    (InvalidRequest, INVALID),
    (NotAuthenticated, UNAUTHENTICATED),
    (NotAllowed, FORBIDDEN),
    (ActRefused, NOT_NOW),
    (InvalidConfigRepo, NOT_NOW),
    (PushForbidden, FAILED),
    (ForgeRefused, FAILED),
    (TemporaryError, AWAY),
)


def members(kind: Kind, detail: str) -> dict[str, Any]:
    """Return the members of a problem that every problem has."""
    return {"type": kind.type, "title": kind.title, "status": kind.status, "detail": detail}


def problem(
    kind: Kind, detail: str, *, field: str = "", instance: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """Return the answer for one problem."""
    body = members(kind, detail) | {"instance": instance or path_of_request()}
    if field:
        body["field"] = field
    return answer(body, kind.status, headers=headers, mimetype=PROBLEM_JSON)


def wrong_parameter(error: ValidationError) -> Response:
    """Return the answer for a query that a model does not take."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        detail = f"There is no parameter {name!a}; /docs/redoc lists those that there are."
    else:
        detail = f"The parameter {name!a} is wrong: {first['msg'][:1].lower()}{first['msg'][1:]}."
    return problem(INVALID, detail, field=name)


def install(app: Flask) -> None:
    """Make the app answer every error with problem details."""
    app.register_error_handler(UpdaterError, _updater_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _bug)


def _updater_error(error: UpdaterError) -> Response:
    kind = next((kind for type_, kind in _BY_ERROR if isinstance(error, type_)), None)
    if kind is None:
        return _bug(error)
    headers = {}
    if isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="updater"'
    if isinstance(error, TemporaryError):
        headers["Retry-After"] = str(math.ceil(error.after))
    return problem(kind, str(error), field=getattr(error, "field", ""), headers=headers)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    path = path_of_request()
    details = {
        404: f"There is nothing at {path}: requests go to POST /api/auto-update, and /docs lists the rest.",
        405: f"{path} takes {_allowed(error)}, not {request.method}.",
    }
    kind = _BY_STATUS.get(status) or Kind(INVALID.slug, status, HTTPStatus(status).phrase, "")
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    return problem(kind, details.get(status) or error.description or kind.title, headers=headers)


def _allowed(error: HTTPException) -> str:
    return " or ".join(sorted(set(getattr(error, "valid_methods", None) or ()) - {"HEAD", "OPTIONS"}))


def _bug(error: Exception) -> Response:
    instance = f"urn:uuid:{uuid.uuid4()}"
    _log.error("Bug while answering %s %s (%s)", request.method, path_of_request(), instance, exc_info=error)
    return problem(BUG, "The log holds the traceback, under the name in instance.", instance=instance)
