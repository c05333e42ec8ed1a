"""The way from a key path to one place in the text, with a reason where the way is not clear.

`YamlText.find` answers "what stands there"; this module answers "may it be changed there": every key
on the way must be written once, and an alias is passed only when the caller asked for it. Called by
`changes` only.
"""

from __future__ import annotations

from dataclasses import dataclass

from updater.errors import EditRefused
from updater.yamledit.nodes import (
    MERGE_KEY,
    Alias,
    KeyPath,
    Mapping,
    Node,
    Sequence,
    YamlText,
    child,
    entries_named,
    key_text,
)
from updater.yamledit.paths import show_path

# More keys than this in a refusal hide the one that was meant.
_KEYS_SHOWN = 12


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a value stands: its node, and the key in front of it (None for an item of a list)."""

    node: Node
    key: Node | None


def refusal(problem: str, node: Node | None, path: KeyPath) -> EditRefused:
    """Return a refusal to edit `path`, at a node's line and column; `problem` has no period at its end."""
    line, column = (node.line, node.column) if node else (0, 0)
    return EditRefused(f"{show_path(path)}: {problem}", line=line, column=column)


def locate(text: YamlText, path: KeyPath, document: int, *, follow: bool = False) -> Place:
    """Walk from the top of a document to the place at `path`.

    `follow` also walks through an alias on the way to the text that its anchor names; the alias
    at the end is returned as it is.

    Raises:
        EditRefused: a key is missing, written twice, or stands behind an alias or a `<<`.
    """
    if not 0 <= document < len(text.documents):
        problem = (
            f"there is no document number {document} (counted from 0); the file has {len(text.documents)}"
        )
        raise refusal(problem, None, path)
    root = text.documents[document]
    if root is None:
        raise refusal("the document is empty, so there is no such key", None, path)
    place = Place(node=root, key=None)
    for depth, part in enumerate(path):
        node = place.node
        if isinstance(node, Alias):
            if not follow:
                raise _behind_alias(node, path, depth)
            node = node.target
        place = _step(node, part, path, depth)
    return place


def _behind_alias(alias: Alias, path: KeyPath, depth: int) -> EditRefused:
    problem = (
        f"{_shown(path, depth)} is the alias *{alias.name}, so the value stands below line "
        f"{alias.target.line} and would change wherever *{alias.name} is used"
    )
    return refusal(problem, alias, path)


def _step(node: Node, part: str | int, path: KeyPath, depth: int) -> Place:
    if isinstance(node, Mapping):
        found = entries_named(node, part)
        if not found:
            raise _missing_key(node, part, path, depth)
        if len(found) > 1:
            lines = " and ".join(str(key.line) for key, _ in found)
            problem = (
                f"the key {str(part)!r} stands in lines {lines}, and only one can count: remove the others"
            )
            raise refusal(problem, found[1][0], path)
        return Place(node=found[0][1], key=found[0][0])
    if isinstance(node, Sequence):
        item = child(node, part)
        if item is not None:
            return Place(node=item, key=None)
        raise refusal(f"the list has {len(node.items)} items and no item {part!r}", node, path)
    raise refusal(f"{_shown(path, depth)} is a single value, not a mapping", node, path)


def _missing_key(mapping: Mapping, part: str | int, path: KeyPath, depth: int) -> EditRefused:
    merged_in = child(mapping, part, through=True)
    if merged_in is not None:
        problem = (
            f"{_shown(path, depth)} has no key {str(part)!r} of its own; it comes through {MERGE_KEY!r} "
            f"from line {merged_in.line}. Change it there, or write the key here"
        )
        return refusal(problem, mapping, path)
    keys = [text for text in (key_text(key) for key, _ in mapping.entries) if text is not None]
    more = f" and {len(keys) - _KEYS_SHOWN} more" if len(keys) > _KEYS_SHOWN else ""
    shown = ", ".join(keys[:_KEYS_SHOWN]) + more
    there = f"it has {shown}" if keys else "it is empty"
    return refusal(f"{_shown(path, depth)} has no key {str(part)!r}; {there}", mapping, path)


def _shown(path: KeyPath, depth: int) -> str:
    return show_path(path[:depth]) if depth else "the top of the file"
