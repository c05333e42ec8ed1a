"""How people write a place in a YAML file: `image.tag`, or a JSON list where a key has dots.

Real charts have keys such as `image.1.21` (a dot in the key), so a dotted path alone cannot name
every place. Called by the command line, by the rules and by every message that names a place.
"""

from __future__ import annotations

import json
import re

from updater.errors import InvalidRequest
from updater.yamledit.nodes import KeyPath

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
# What may stand unquoted between dots and comes back as the same key: no number, no dot, nothing
# that could be taken for JSON.
_SIMPLE_KEY = re.compile(r"[^\s.\[\]\"'\x00-\x1f\x7f]+")


def parse_path(text: str) -> KeyPath:
    """Read `image.tag`, `containers.0.image` or `["image.1", "tag"]`.

    A dotted part of digits is a position in a list (or a key that reads like it).

    Raises:
        InvalidRequest: the text is neither; the message says what would be.
    """
    if text.startswith("["):
        return _parse_list(text)
    parts = text.split(".")
    if not all(parts):
        raise InvalidRequest(
            f"{text!r} is not a key path: write keys with dots between them, such as image.tag, "
            'or a JSON list such as ["image.1", "tag"] where a key has a dot in it.',
            field="path",
        )
    return tuple(int(part) if _NUMBER.fullmatch(part) else part for part in parts)


def _parse_list(text: str) -> KeyPath:
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        parts = None
    if not isinstance(parts, list) or not parts or not all(_is_part(part) for part in parts):
        raise InvalidRequest(
            f"{text!r} is not a key path: a JSON list of keys and positions is needed, "
            'such as ["image.1", "tag"].',
            field="path",
        )
    return tuple(parts)


def _is_part(part: object) -> bool:
    return isinstance(part, str) or (type(part) is int and part >= 0)


def show_path(path: KeyPath) -> str:
    """Write a path so that `parse_path` reads the same one: dotted where that is possible."""
    if path and all(_is_simple(part) for part in path):
        return ".".join(str(part) for part in path)
    return json.dumps(list(path), ensure_ascii=False)


def _is_simple(part: str | int) -> bool:
    if isinstance(part, int):
        return _NUMBER.fullmatch(str(part)) is not None
    return _SIMPLE_KEY.fullmatch(part) is not None and _NUMBER.fullmatch(part) is None
