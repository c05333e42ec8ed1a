"""Where else a value is used: anchors, aliases and merge keys.

A scalar with an anchor, or below one, is one text for several places, so changing it moves all of
them, among them perhaps another image's tag. Called by `editing` (which refuses what was not named)
and by `charts` (which decides what may move along). It changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from updater.errors import EditRefused
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
Ways: TypeAlias = "tuple[KeyPath, ...]"

# A few nested aliases can stand for more places than any machine holds.
MAX_USES = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Anchored:
    """A place that reads a scalar; `own` is the one where its text stands."""

    path: KeyPath
    node: Node
    line: int
    own: bool = False


def uses_of_anchor(text: YamlText, path: KeyPath, document: int = 0) -> tuple[Use, ...]:
    """Return the other places that would change with the scalar at `path`.

    Each is the document, the path and the line (from 1): of the anchor where `path` itself leads
    through an alias, of an alias of the scalar or of anything around it, or of the `<<` that takes it
    in. Empty where there is no scalar.

    Raises:
        EditRefused: there are more than `MAX_USES`.
    """
    node = text.find(path, document, through=True)
    scalar = behind(node) if node is not None else None
    if not isinstance(scalar, Scalar):
        return ()
    own = tuple(map(str, path))
    places = all_places(text, scalar, document)
    return tuple((document, place.path, place.line) for place in places if tuple(map(str, place.path)) != own)


def all_places(text: YamlText, scalar: Scalar, document: int) -> list[Anchored]:
    """Return every place that reads this scalar, its own one included (unless it is the only one).

    Raises:
        EditRefused: there are more than `MAX_USES`.
    """
    root = text.documents[document]
    if root is None or not _may_be_shared(text, root, scalar):
        return []
    search = _Search(scalar)
    search.visit(root, ())
    return search.places


def _may_be_shared(text: YamlText, root: Node, scalar: Scalar) -> bool:
    """Say whether an alias stands for anything around the scalar: a quick look, before the slow one."""
    targets = {id(alias.target) for alias in text.aliases}
    around = list(_around(root, scalar)) if targets else []
    return bool(targets) and (around[-1] is not scalar or not targets.isdisjoint(map(id, around)))


def _around(root: Node, scalar: Scalar) -> Iterator[Node]:
    """Yield the nodes from the top of a document down to a scalar: the last that begins before it."""
    place = (scalar.line, scalar.column)
    node: Node | None = root
    while node is not None:
        yield node
        inner: list[Node] = []
        if isinstance(node, Sequence):
            inner = list(node.items)
        elif isinstance(node, Mapping):
            inner = [part for entry in node.entries for part in entry]
        node = next((one for one in inner[::-1] if (one.line, one.column) <= place), None)


@dataclass(slots=True, eq=False)
class _Search:
    """Looks for one scalar in document order, in which an anchor always comes before its aliases.

    `ways` holds the ways from each node around the scalar to it. By identity: two scalars with equal
    text are two places. It never walks through an alias, so nested ones cost nothing (and parse caps
    the depth of everything else).
    """

    scalar: Scalar
    places: list[Anchored] = field(default_factory=list)
    _ways: dict[int, Ways] = field(default_factory=dict)

    def visit(self, node: Node, path: KeyPath) -> Ways:
        """Note the places at a node and below it, and return the ways from it to the scalar."""
        if isinstance(node, Alias):
            ways = self._ways.get(id(node.target), ())
            self._note(node, node.line, path, ways)
            return ways
        if isinstance(node, Scalar):
            if node is not self.scalar:
                return ()
            self.places.append(Anchored(path=path, node=node, line=node.line, own=True))
            ways = ((),)
        elif isinstance(node, Sequence):
            ways = tuple(self._below(node.items, path))
        else:
            ways = (*self._entries(node, path), *self._merged_in(node, path))
        if ways:
            self._ways[id(node)] = ways
        return ways

    def _below(self, items: tuple[Node, ...], path: KeyPath) -> Iterator[KeyPath]:
        for index, item in enumerate(items):
            yield from ((index, *way) for way in self.visit(item, (*path, index)))

    def _entries(self, mapping: Mapping, path: KeyPath) -> Iterator[KeyPath]:
        for key, value in mapping.entries:
            if not isinstance(key, Scalar):
                name = f"*{key.name}" if isinstance(key, Alias) else "?"
                yield from ((name, *way) for way in self.visit(key, (*path, name)))
            text = key_text(key)
            if text == MERGE_KEY:
                self._merge_source(value, (*path, MERGE_KEY))
                continue
            name = "?" if text is None else text
            yield from ((name, *way) for way in self.visit(value, (*path, name)))

    def _merge_source(self, source: Node, path: KeyPath) -> None:
        """Look into mappings that are written below a `<<`; its aliases are no places of their own."""
        if isinstance(source, Sequence):
            for index, item in enumerate(source.items):
                self._merge_source(item, (*path, index))
        elif not isinstance(source, Alias):
            self.visit(source, path)

    def _merged_in(self, mapping: Mapping, path: KeyPath) -> Iterator[KeyPath]:
        merges = [value for key, value in mapping.entries if key_text(key) == MERGE_KEY]
        if not merges:
            return
        own = {key_text(key) for key, _ in mapping.entries}
        names = {key_text(key) for source in merged(mapping) for key, _ in source.entries} - own
        for name in sorted(name for name in names if name is not None):
            node = child(mapping, name, through=True)
            ways = self._ways.get(id(behind(node)), ()) if node is not None else ()
            if node is not None:
                self._note(node, merges[0].line, (*path, name), ways)
            yield from ((name, *way) for way in ways)

    def _note(self, node: Node, line: int, path: KeyPath, ways: Ways) -> None:
        if len(self.places) + len(ways) > MAX_USES:
            raise EditRefused(
                f"the value is used in more than {MAX_USES} places through anchors, and all would change",
                line=self.scalar.line,
                column=self.scalar.column,
            )
        self.places += [Anchored(path=(*path, *way), node=node, line=line) for way in ways]
