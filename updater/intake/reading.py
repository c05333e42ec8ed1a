"""From bytes to an object of JSON with no field that nobody knows.

Hides what JSON can have wrong with it as a whole. Called by the other modules of this package, one for each
kind of body; what a field holds is judged in `fields`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence

from updater.errors import InvalidRequest

MAX_BODY = 64 * 1024
MAX_TEXT = 255


def read_object(body: bytes, fields: Sequence[str], hint: str) -> Mapping[str, object]:
    """Return the object that a body is, with none but the known fields; `hint` shows one that is right.

    Raises:
        InvalidRequest: with the field at fault, or the place in the JSON.
    """
    value = _parse(body, hint)
    if not isinstance(value, dict):
        raise InvalidRequest(f"The body is {kind(value)}; send a JSON object: {hint}.")
    refuse_unknown(value, fields, "")
    return value


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


def refuse_unknown(value: Mapping[str, object], known: Sequence[str], within: str) -> None:
    """Do nothing where an object has known fields only; `within` is the path to it, with its dot.

    Raises:
        InvalidRequest: it has another one; the message names the nearest that is known.
    """
    for name in value:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}."
            field = f"{within}{name}" if len(name) <= MAX_TEXT and name.isprintable() else within.rstrip(".")
            raise InvalidRequest(f"There is no field {_shown(name)}; {hint}", field=field)


def kind(value: object) -> str:
    """Return what a value of JSON is, in words."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _shown(name: str) -> str:
    return ascii(name if len(name) <= 60 else f"{name[:60]}...")
