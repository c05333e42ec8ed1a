"""Plain Python values from a YAML file that people write for the updater itself.

This module hides how YAML scalars become Python values: the core schema of YAML 1.2 (section 10.3.2),
in which `on` and `no` are text and `0o17` is a number. Used for the rules and for the file of tokens,
which are checked by the caller; hence every value's line and column. Charts are never read
through this: for them see `parse`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from typing import TypeAlias

from updater.errors import EditRefused
from updater.yamledit.nodes import Alias, KeyPath, Mapping, Node, Scalar, Sequence
from updater.yamledit.reading import parse

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"
Position: TypeAlias = tuple[int, int]

STRING_TAG = "tag:yaml.org,2002:str"
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,4000}")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file's value, and where each part of it stands: line and column from 1.

    `positions` holds every value by its path, the whole being `()`; `keys` the key of each entry of
    a mapping by that entry's path.
    """

    value: Plain
    positions: ReadOnly[KeyPath, Position]
    keys: ReadOnly[KeyPath, Position]


def load(data: bytes) -> Loaded:
    """Read a file of one document; an empty file is None. Keys of mappings are always text.

    Raises:
        EditRefused: what `parse` refuses, and several documents, duplicate keys, aliases, keys that
            are lists or mappings, and tags other than `!!str`: they all hide what a rule says.
    """
    text = parse(data)
    if len(text.documents) > 1:
        raise EditRefused(
            f"the file holds {len(text.documents)} documents, and one is expected: remove the lines with ---"
        )
    root = text.documents[0] if text.documents else None
    if root is None:
        return Loaded(value=None, positions={(): (1, 1)}, keys={})
    building = _Building()
    value = building.value(root, ())
    return Loaded(value=value, positions=building.positions, keys=building.keys)


class _Building:
    def __init__(self) -> None:
        self.positions: dict[KeyPath, Position] = {}
        self.keys: dict[KeyPath, Position] = {}

    def value(self, node: Node, path: KeyPath) -> Plain:
        self.positions[path] = (node.line, node.column)
        if isinstance(node, Alias):
            raise EditRefused(
                f"*{node.name} is an alias, which is not read here: write the value out",
                line=node.line,
                column=node.column,
            )
        if isinstance(node, Scalar):
            return _plain_value(node)
        if isinstance(node, Sequence):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.items)]
        return self._entries(node, path)

    def _entries(self, node: Mapping, path: KeyPath) -> dict[str, Plain]:
        result: dict[str, Plain] = {}
        for key, value in node.entries:
            if not isinstance(key, Scalar):
                raise EditRefused("a key must be a plain word here", line=key.line, column=key.column)
            below = (*path, key.value)
            if key.value in result:
                raise EditRefused(
                    f"the key {key.value!r} stands here and already in line {self.keys[below][0]}: "
                    "remove one of them",
                    line=key.line,
                    column=key.column,
                )
            self.keys[below] = (key.line, key.column)
            result[key.value] = self.value(value, below)
        return result


def _plain_value(scalar: Scalar) -> Plain:
    if scalar.tag not in (None, STRING_TAG, "!"):
        raise EditRefused(
            f"the tag {scalar.tag} is not read here: remove it", line=scalar.line, column=scalar.column
        )
    if scalar.style or scalar.tag is not None:
        return scalar.value
    return core_value(scalar.value)


def core_value(text: str) -> bool | int | float | str | None:
    """Return what a plain scalar means by the core schema of YAML 1.2."""
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(text[2:], 16)
    special = _SPECIAL_FLOAT.fullmatch(text)
    if special:
        return float(text.lower().replace(".", ""))
    return float(text) if _FLOAT.fullmatch(text) else text
