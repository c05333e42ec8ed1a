"""What stands in a YAML file and where: the values the rest of the package passes around.

This module hides how a parsed file is held in memory. `reading` builds the nodes, everybody else
reads them; nothing here parses, resolves types or changes a byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

KeyPath: TypeAlias = "tuple[str | int, ...]"
MERGE_KEY = "<<"


class Scalar(NamedTuple):
    """One scalar. A named tuple, because a big file has hundreds of thousands of them.

    `style` is "" (plain), "'", '"', "|" or ">". `start` and `end` are character indices of the token
    itself in `YamlText.text`, without anchor and tag; they are equal where the value is empty. `line`
    and `column` count from 1 and are those of the anchor or tag where there is one. `flow` says
    that the scalar stands inside `[]` or `{}`. `event` is its place in the stream of parser events.
    """

    value: str
    style: str
    start: int
    end: int
    line: int
    column: int
    anchor: str | None
    tag: str | None
    flow: bool
    event: int


class Mapping(NamedTuple):
    """A mapping in the order of the file; a key that stands there twice is here twice."""

    entries: tuple[tuple[Node, Node], ...]
    line: int
    column: int
    anchor: str | None
    flow: bool


class Sequence(NamedTuple):
    """A list."""

    items: tuple[Node, ...]
    line: int
    column: int
    anchor: str | None
    flow: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Alias:
    """`*name`, and the node that the name's anchor stands for at that point of the file.

    Compared by identity and never followed by `repr`: a few nested aliases can stand for more
    nodes than any machine holds.
    """

    name: str
    line: int
    column: int
    end: int
    event: int
    target: Scalar | Mapping | Sequence

    def __repr__(self) -> str:
        return f"Alias({self.name!r}, line={self.line}, column={self.column})"


Node: TypeAlias = "Scalar | Mapping | Sequence | Alias"


def behind(node: Node) -> Scalar | Mapping | Sequence:
    """Return the node itself, or what it stands for where it is an alias."""
    return node.target if isinstance(node, Alias) else node


def key_text(key: Node) -> str | None:
    """Return a key as text, or None for a key that is a list or a mapping."""
    scalar = behind(key)
    return scalar.value if isinstance(scalar, Scalar) else None


def entries_named(mapping: Mapping, part: str | int) -> list[tuple[Node, Node]]:
    """Return every entry whose key reads `part`; more than one means a duplicated key."""
    name = str(part)
    return [entry for entry in mapping.entries if key_text(entry[0]) == name]


def merged(mapping: Mapping) -> Iterator[Mapping]:
    """Yield the mappings that `<<` merges in, the strongest first (YAML 1.1 merge key type).

    What those merge in themselves comes after each of them. Every mapping comes once: nested merges
    of the same few anchors could otherwise be endless.
    """
    seen = {id(mapping)}
    waiting = [iter(_merge_sources(mapping))]
    while waiting:
        source = next(waiting[-1], None)
        if source is None:
            waiting.pop()
        elif id(source) not in seen:
            seen.add(id(source))
            yield source
            waiting.append(iter(_merge_sources(source)))


def _merge_sources(mapping: Mapping) -> list[Mapping]:
    sources: list[Mapping] = []
    for _, value in entries_named(mapping, MERGE_KEY):
        node = behind(value)
        candidates = node.items if isinstance(node, Sequence) else (node,)
        sources.extend(inner for inner in map(behind, candidates) if isinstance(inner, Mapping))
    return sources


def child(node: Node, part: str | int, *, through: bool = False) -> Node | None:
    """Return what stands in `node` under a key or a position, the last one of duplicated keys.

    Helm's reader takes the last one, too. `through` also looks through an alias and into what `<<`
    merges in.
    """
    place = behind(node) if through else node
    if isinstance(place, Sequence):
        return place.items[part] if isinstance(part, int) and 0 <= part < len(place.items) else None
    if not isinstance(place, Mapping):
        return None
    for source in (place, *merged(place)) if through else (place,):
        found = entries_named(source, part)
        if found:
            return found[-1][1]
    return None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class YamlText:
    """A parsed file: its bytes, its text without the byte order mark, and its documents.

    A document without content is None. `aliases` are those of all documents. `events` is the compact
    signature of the parser's events (see `events`), which is what an edit is proved against.
    """

    data: bytes
    text: str
    documents: tuple[Node | None, ...]
    aliases: tuple[Alias, ...]
    events: list[object]

    def find(self, path: KeyPath, document: int = 0, *, through: bool = False) -> Node | None:
        """Return the node at `path`, or None where there is none.

        A number in the path is a position in a list, or a key that reads like it. `through` follows
        aliases on the way and takes what `<<` merges in; the last node is returned as it is, so it
        may be an `Alias`.
        """
        if not 0 <= document < len(self.documents):
            return None
        node = self.documents[document]
        for part in path:
            if node is None:
                return None
            node = child(node, part, through=through)
        return node
