"""Where else a value is used: anchors, aliases and merge keys.

A scalar with an anchor is one text for several places, so changing it moves all of them, among them
perhaps another image's tag. Called by `editing` (which refuses what was not named) and by `charts`
(which decides what may move along). It changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from updater.yamledit.nodes import (
    MERGE_KEY,
    Alias,
    KeyPath,
    Mapping,
    Node,
    Scalar,
    Sequence,
    YamlText,
    behind,
    child,
    key_text,
    merged,
)

Use: TypeAlias = "tuple[int, KeyPath, int]"


@dataclass(frozen=True, slots=True, eq=False)
class Anchored:
    """A place that reads a scalar; `own` is the one where its text stands."""

    path: KeyPath
    node: Node
    line: int
    own: bool = False


def uses_of_anchor(text: YamlText, path: KeyPath, document: int = 0) -> tuple[Use, ...]:
    """Return the other places that would change with the scalar at `path`.

    Each is the document, the path and the line (from 1) of an alias, of the anchor where `path` itself
    is an alias, or of a mapping that takes the scalar in through `<<` and has keys of its own beside
    it. A bare alias of the whole mapping is not listed: there, everything around the scalar
    comes along, so it stays the same image. Empty where there is no scalar.
    """
    node = text.find(path, document, through=True)
    scalar = behind(node) if node is not None else None
    if not isinstance(scalar, Scalar):
        return ()
    own = tuple(map(str, path))
    places = all_places(text, scalar, document)
    return tuple((document, place.path, place.line) for place in places if tuple(map(str, place.path)) != own)


def all_places(text: YamlText, scalar: Scalar, document: int) -> list[Anchored]:
    """Return every place that reads this scalar, its own one included (unless it is the only one)."""
    root = text.documents[document]
    if root is None or not any(_may_read(alias, scalar) for alias in text.aliases):
        return []
    # By identity: two scalars with equal text are two places.
    return [place for place in _walk(root, ()) if behind(place.node) is scalar]


def _may_read(alias: Alias, scalar: Scalar) -> bool:
    target = alias.target
    if isinstance(target, Mapping):
        return any(behind(value) is scalar for _, value in target.entries)
    return target is scalar


def _walk(node: Node, path: KeyPath) -> Iterator[Anchored]:
    """Yield every scalar, alias and merged-in scalar; never through an alias (parse caps the depth)."""
    if isinstance(node, Scalar | Alias):
        yield Anchored(path=path, node=node, line=node.line, own=isinstance(node, Scalar))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from _walk(item, (*path, index))
    else:
        for key, value in node.entries:
            if isinstance(key, Alias):
                yield Anchored(path=(*path, f"*{key.name}"), node=key, line=key.line)
            name = key_text(key)
            yield from _walk(value, (*path, "?" if name is None else name))
        yield from _merged_in(node, path)


def _merged_in(mapping: Mapping, path: KeyPath) -> Iterator[Anchored]:
    merges = [value for key, value in mapping.entries if key_text(key) == MERGE_KEY]
    if not merges or (len(mapping.entries) == 1 and isinstance(merges[0], Alias)):
        return
    names = {key_text(key) for source in merged(mapping) for key, _ in source.entries} - {None, MERGE_KEY}
    names -= {key_text(key) for key, _ in mapping.entries}
    for name in sorted(name for name in names if name is not None):
        node = child(mapping, name, through=True)
        if node is not None:
            yield Anchored(path=(*path, name), node=node, line=merges[0].line)
