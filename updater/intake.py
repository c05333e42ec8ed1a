"""Reads the body of a request into values.

This module hides the JSON of the original pipeline's `curl` and everything a body can have wrong
with it. `web` calls it with the bytes it received. It does no I/O and decides nothing that needs
the config repo.
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
ENVIRONMENT_FORM = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$"

# Userinfo is left out on purpose: a pipeline URL with a password would end in a commit message.
PIPELINE_URL_FORM = r"^(?:|https?://[A-Za-z0-9.\-_\[\]:]+(?:[/?#][!-~]*)?)$"

FIELDS = ("image", "digest", "environment", "source")
SOURCE_FIELDS = ("project", "commit", "ref", "pipeline_id", "pipeline_url", "author")

_ENVIRONMENT = re.compile(ENVIRONMENT_FORM)
_PIPELINE_URL = re.compile(PIPELINE_URL_FORM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What a body says: an image that was built, where it should go and where it came from."""

    image: ImageReference
    environment: str | None
    source: Source


def decode(body: bytes) -> Intake:
    """Read a JSON body such as `{"image": "registry.example.com/iris:develop-52666"}`.

    Raises:
        InvalidRequest: with the field at fault, or the place in the JSON.
    """
    value = _parse(body)
    if not isinstance(value, dict):
        raise InvalidRequest(
            f'The body is {_kind(value)}; send a JSON object: {{"image": "registry/repository:tag"}}.'
        )
    _refuse_unknown(value, FIELDS, "")
    # The grammar of references has a limit, and a sentence about it, of its own.
    image = _text(value, "image", limit=MAX_BODY)
    if not image:
        raise InvalidRequest(
            'The field "image" is missing: send {"image": "registry/repository:tag"}.', field="image"
        )
    digest = _text(value, "digest") or None
    return Intake(
        image=ImageReference.parse(image, digest),
        environment=_environment(value),
        source=_source(value.get("source")),
    )


def _parse(body: bytes) -> object:
    if len(body) > MAX_BODY:
        raise InvalidRequest(f"The body is larger than {MAX_BODY} bytes.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The body is not UTF-8 text: byte {error.start + 1} is none.") from None
    if not text.strip():
        raise InvalidRequest('The body is empty: send {"image": "registry/repository:tag"}.')
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
    text = value.get(name)
    field = within + name
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
    name = _text(value, "environment", limit=MAX_ENVIRONMENT)
    if value.get("environment") is None:
        return None
    # Empty too: a variable somebody forgot to set must not mean "everywhere".
    if not _ENVIRONMENT.fullmatch(name):
        raise InvalidRequest(
            f"{name!r} is not the name of an environment: letters, digits, '.', '_' and '-', "
            "starting and ending with a letter or a digit. Leave the field out for all that take the tag.",
            field="environment",
        )
    return name


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
