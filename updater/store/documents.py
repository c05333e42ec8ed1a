"""The JSON form of the nouns that the store keeps whole: callers, sources, outcomes, intents.

Hides how a frozen dataclass becomes a JSON object and comes back. Fields a document has and the
class does not are ignored, and fields it lacks get the class's default, so that rows written by a
later or an earlier version can be read: a field added to one of these classes needs a default.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Hashable, Mapping
from dataclasses import is_dataclass
from enum import StrEnum
from functools import cache, partial
from typing import Any, TypeVar, cast

Noun = TypeVar("Noun")

# Escaped to ASCII: a lone surrogate, which JSON allows and UTF-8 does not, survives the way.
dumps = partial(json.dumps, ensure_ascii=True, separators=(",", ":"))
loads = json.loads


def to_document(value: object) -> Any:
    """Return `value`, a noun or a tuple of nouns, as what JSON knows."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is tuple:
        return [to_document(item) for item in value]  # type: ignore[attr-defined]
    if isinstance(value, StrEnum):
        return value.value
    return {name: to_document(getattr(value, name)) for name in _readers(cast(Hashable, kind))}


def from_document(noun: type[Noun], document: Mapping[str, Any]) -> Noun:
    """Return the `noun` that `to_document` made `document` of."""
    readers = _readers(cast(Hashable, noun))
    fields = {}
    for name, value in document.items():
        if name in readers:
            read = readers[name]
            fields[name] = value if read is None else read(value)
    return noun(**fields)


def tuple_from_document(noun: type[Noun], documents: list[Mapping[str, Any]]) -> tuple[Noun, ...]:
    """Return the nouns of a list of documents."""
    return tuple(from_document(noun, document) for document in documents)


@cache
def _readers(noun: Hashable) -> Mapping[str, Callable[[Any], Any] | None]:
    """Return how each field of `noun` is read back, None where JSON's value is the field's.

    Kept for each class: reading type hints costs more than reading the document.
    """
    return {name: _reader(kind) for name, kind in typing.get_type_hints(noun).items()}


def _reader(kind: Any) -> Callable[[Any], Any] | None:
    if typing.get_origin(kind) is tuple:
        item, _ = typing.get_args(kind)
        return partial(tuple_from_document, cast(type, item)) if is_dataclass(item) else tuple
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind
    return partial(from_document, cast(type, kind)) if is_dataclass(kind) else None
