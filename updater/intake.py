"""Reads the body of a request into values.

This module hides the JSON of the original pipeline's `curl`, of promotions and of decisions about
proposals, and everything a body can have wrong with it. `web` calls it with the bytes it received. It
does no I/O and decides nothing that needs the config repo.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from updater.errors import InvalidRequest
from updater.model import ImageReference, Source

MAX_BODY = 64 * 1024
MAX_TEXT = 255
MAX_URL = 2048
MAX_ENVIRONMENT = 63
# The id of a commit, whole: what an approval is pinned to must not be open to guesses.
HEAD_FORM = r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$"
ENVIRONMENT_FORM = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$"

# Userinfo is left out on purpose: a pipeline URL with a password would end in a commit message.
PIPELINE_URL_FORM = r"^(?:|https?://[A-Za-z0-9.\-_\[\]:]+(?:[/?#][!-~]*)?)$"

FIELDS = ("image", "digest", "environment", "source")
PROMOTION_FIELDS = ("from", "to", "charts", "all", "allow_older", "dry_run", "reason")
APPROVAL_FIELDS = ("head",)
CLOSING_FIELDS = ("reason",)
SOURCE_FIELDS = ("project", "commit", "ref", "pipeline_id", "pipeline_url", "author")

_ENVIRONMENT = re.compile(ENVIRONMENT_FORM)
_PIPELINE_URL = re.compile(PIPELINE_URL_FORM)
_HEAD = re.compile(HEAD_FORM)

_UPDATE_HINT = '{"image": "registry/repository:tag"}'
_PROMOTION_HINT = '{"from": "dev", "to": "prod", "charts": ["iris"]}'
_APPROVAL_HINT = '{"head": "ID OF THE COMMIT"}, or no body'
_CLOSING_HINT = '{"reason": "why it shall not go out"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What a body says: an image that was built, where it should go and where it came from."""

    image: ImageReference
    environment: str | None
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionIntake:
    """What a body says: what stands in `origin` shall go to `environment`, for these charts (none: all)."""

    origin: str
    environment: str
    charts: tuple[str, ...]
    allow_older: bool
    dry_run: bool
    reason: str


def decode(body: bytes) -> Intake:
    """Read a JSON body such as `{"image": "registry.example.com/iris:develop-52666"}`.

    Raises:
        InvalidRequest: with the field at fault, or the place in the JSON.
    """
    value = _object(body, FIELDS, _UPDATE_HINT)
    # The grammar of references has a limit, and a sentence about it, of its own.
    image = _text(value, "image", limit=MAX_BODY)
    if not image:
        raise _missing("image", _UPDATE_HINT)
    digest = _text(value, "digest") or None
    return Intake(
        image=ImageReference.parse(image, digest),
        environment=_environment(value),
        source=_source(value.get("source")),
    )


def decode_promotion(body: bytes) -> PromotionIntake:
    """Read a JSON body such as `{"from": "dev", "to": "prod", "charts": ["iris"]}`.

    Raises:
        InvalidRequest: with the field at fault, or the place in the JSON.
    """
    value = _object(body, PROMOTION_FIELDS, _PROMOTION_HINT)
    origin, environment = (_needed_environment(value, name) for name in ("from", "to"))
    if origin == environment:
        raise InvalidRequest(
            f'"from" and "to" both name {origin!r}: name the environment that the tags come from and '
            "another one that they go to.",
            field="to",
        )
    return PromotionIntake(
        origin=origin,
        environment=environment,
        charts=_charts(value),
        allow_older=_flag(value, "allow_older"),
        dry_run=_flag(value, "dry_run"),
        reason=_text(value, "reason"),
    )


def decode_approval(body: bytes) -> str | None:
    """Read the body of an approval, which may be empty; return the commit that was seen, or None.

    Raises:
        InvalidRequest: with the field at fault, or the place in the JSON.
    """
    value = _object(body, APPROVAL_FIELDS, _APPROVAL_HINT) if body else {}
    head = _text(value, "head")
    if value.get("head") is not None and not _HEAD.fullmatch(head):
        raise InvalidRequest(
            f"{head!r} is not the id of a commit: send all 40 hexadecimal digits of the proposal's head, "
            "in lower case, or leave the field out for whatever stands there.",
            field="head",
        )
    return head or None


def decode_closing(body: bytes) -> str:
    """Read why a proposal is closed: `{"reason": "..."}`.

    Raises:
        InvalidRequest: with the field at fault, or the place in the JSON.
    """
    reason = _text(_object(body, CLOSING_FIELDS, _CLOSING_HINT), "reason")
    if not reason.strip():
        raise _missing("reason", _CLOSING_HINT)
    return reason


def _object(body: bytes, fields: Sequence[str], hint: str) -> Mapping[str, object]:
    value = _parse(body, hint)
    if not isinstance(value, dict):
        raise InvalidRequest(f"The body is {_kind(value)}; send a JSON object: {hint}.")
    _refuse_unknown(value, fields, "")
    return value


def _missing(name: str, hint: str) -> InvalidRequest:
    return InvalidRequest(f'The field "{name}" is missing: send {hint}.', field=name)


def _parse(body: bytes, hint: str) -> object:
    if len(body) > MAX_BODY:
        raise InvalidRequest(f"The body is larger than {MAX_BODY} bytes.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The body is not UTF-8 text: byte {error.start + 1} is none.") from None
    if not text.strip():
        raise InvalidRequest(f"The body is empty: send {hint}.")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise InvalidRequest(
            f"The body is not JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        ) from None
    except RecursionError:
        raise InvalidRequest("The body is nested too deeply.") from None


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidRequest(f"The field {_shown(twice)} stands there twice: send it once.")
    return found


def _no_constant(name: str) -> object:
    raise InvalidRequest(f"{name} is not JSON.")


def _integer(digits: str) -> int:
    # int() refuses more than 4300 digits with an error of its own.
    if len(digits) > 20:
        raise InvalidRequest(f"A number of {len(digits)} digits is in the body: none is that long.")
    return int(digits)


def _refuse_unknown(value: Mapping[str, object], known: Sequence[str], within: str) -> None:
    for name in value:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}."
            field = f"{within}{name}" if len(name) <= MAX_TEXT and name.isprintable() else within.rstrip(".")
            raise InvalidRequest(f"There is no field {_shown(name)}; {hint}", field=field)


def _text(value: Mapping[str, object], name: str, within: str = "", *, limit: int = MAX_TEXT) -> str:
    """Return a text on one line; absent and null are empty."""
    return _line(value.get(name), within + name, limit)


def _line(text: object, field: str, limit: int = MAX_TEXT) -> str:
    if text is None:
        return ""
    if not isinstance(text, str):
        raise InvalidRequest(f'The field "{field}" is {_kind(text)}; send a string.', field=field)
    if len(text) > limit:
        raise InvalidRequest(
            f'The field "{field}" is {len(text)} characters long; {limit} are allowed.', field=field
        )
    if not text.isprintable():
        where = next(index for index, char in enumerate(text) if not char.isprintable())
        raise InvalidRequest(
            f'The field "{field}" has the character U+{ord(text[where]):04X} at position {where + 1}: '
            "send one line of printable characters.",
            field=field,
        )
    return text


def _environment(value: Mapping[str, object]) -> str | None:
    if value.get("environment") is None:
        return None
    # Empty too: a variable somebody forgot to set must not mean "everywhere".
    return _environment_name(value, "environment", "Leave the field out for all that take the tag.")


def _needed_environment(value: Mapping[str, object], field: str) -> str:
    if value.get(field) is None:
        raise _missing(field, _PROMOTION_HINT)
    return _environment_name(value, field, "The rules in the config repo name them.")


def _environment_name(value: Mapping[str, object], field: str, cure: str) -> str:
    name = _text(value, field, limit=MAX_ENVIRONMENT)
    if not _ENVIRONMENT.fullmatch(name):
        raise InvalidRequest(
            f"{name!r} is not the name of an environment: letters, digits, '.', '_' and '-', "
            f"starting and ending with a letter or a digit. {cure}",
            field=field,
        )
    return name


def _charts(value: Mapping[str, object]) -> tuple[str, ...]:
    """Return the charts that a promotion names, each once; none where it is for all of them."""
    charts, everything = value.get("charts"), _flag(value, "all")
    if (charts is not None) == everything:
        # Neither is no answer either: a variable somebody forgot to set must not mean "everything".
        raise InvalidRequest(
            'Say which charts: either "charts" with a list of their names, or "all": true.', field="charts"
        )
    if everything:
        return ()
    if not isinstance(charts, list):
        raise InvalidRequest(
            f'The field "charts" is {_kind(charts)}; send a list of the names of charts.', field="charts"
        )
    if not charts:
        raise InvalidRequest(
            'The list "charts" is empty: name a chart, or send "all": true instead.', field="charts"
        )
    return tuple(dict.fromkeys(_chart(chart, number) for number, chart in enumerate(charts)))


def _chart(value: object, number: int) -> str:
    field = f"charts.{number}"
    name = _line(value, field)
    if not name.strip():
        raise InvalidRequest(f"The chart at place {number + 1} of the list has no name.", field=field)
    return name


def _flag(value: Mapping[str, object], name: str) -> bool:
    flag = value.get(name)
    if flag is not None and not isinstance(flag, bool):
        raise InvalidRequest(f'The field "{name}" is {_kind(flag)}; send true or false.', field=name)
    return bool(flag)


def _source(value: object) -> Source:
    if value is None:
        return Source()
    if not isinstance(value, dict):
        raise InvalidRequest(f'The field "source" is {_kind(value)}; send an object.', field="source")
    _refuse_unknown(value, SOURCE_FIELDS, "source.")
    pipeline_id = value.get("pipeline_id")
    # CI_PIPELINE_ID is a number; some callers send it as one.
    if isinstance(pipeline_id, int) and not isinstance(pipeline_id, bool):
        value = {**value, "pipeline_id": str(pipeline_id)}
    texts = {
        name: _text(value, name, "source.", limit=MAX_URL if name == "pipeline_url" else MAX_TEXT)
        for name in SOURCE_FIELDS
    }
    url = texts["pipeline_url"]
    if not _PIPELINE_URL.fullmatch(url):
        raise InvalidRequest(
            'The field "source.pipeline_url" is not an http or https URL without user and password.',
            field="source.pipeline_url",
        )
    return Source(**texts)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _shown(name: str) -> str:
    return ascii(name if len(name) <= 60 else f"{name[:60]}...")
