"""Parsed files as the checks ask them: through aliases, with text for what is not there.

It hides which kind of node stands somewhere. Every room of the package reads nodes with it; it judges
nothing, and never walks through an alias more than one step, because a few can stand for millions of nodes.
"""

from __future__ import annotations

from collections.abc import Iterator

from updater.yamledit import Mapping, Node, Scalar, Sequence, YamlText, reads_as_string
from updater.yamledit.nodes import behind, child, merged

_STRING = "tag:yaml.org,2002:str"


def mapping(node: Node | None) -> Mapping | None:
    """Return a node that is a mapping, through an alias."""
    place = behind(node) if node is not None else None
    return place if isinstance(place, Mapping) else None


def scalar(node: Node | None) -> Scalar | None:
    """Return a node that is a single value, through an alias."""
    place = behind(node) if node is not None else None
    return place if isinstance(place, Scalar) else None


def is_text(node: Scalar) -> bool:
    """Say whether every reader of YAML takes a single value for a string."""
    return bool(node.style) or node.tag == _STRING or (node.tag is None and reads_as_string(node.value))


def fields(holder: Mapping) -> dict[str, Node]:
    """Return what stands under each key of a mapping, `<<` included, the last one of keys that stand twice.

    For mappings that are asked for many keys: looking up one at a time costs a walk each.
    """
    found: dict[str, Node] = {}
    for source in (*reversed(tuple(merged(holder))), holder):
        found.update((name.value, inner) for key, inner in source.entries if (name := scalar(key)))
    return found


def items(node: Node | None) -> tuple[Node, ...]:
    """Return what stands in a list; nothing where there is none."""
    place = behind(node) if node is not None else None
    return place.items if isinstance(place, Sequence) else ()


def scalars(text: YamlText) -> Iterator[Scalar]:
    """Yield every single value of a file; what aliases stand for comes once."""
    waiting: list[Node] = [node for node in text.documents if node is not None]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Scalar):
            yield node
        elif isinstance(node, Mapping):
            waiting.extend(inner for _, inner in node.entries)
        elif isinstance(node, Sequence):
            waiting.extend(node.items)


def value(node: Node | None, *path: str | int) -> str:
    """Return the text at a path below a node, "" where there is none."""
    for part in path:
        node = child(node, part, through=True) if node is not None else None
    found = scalar(node)
    return found.value if found is not None else ""


def key_line(holder: Mapping, key: str) -> int:
    """Return the line of a key, of the mapping where it does not stand there."""
    lines = [name.line for name, _ in holder.entries if (one := scalar(name)) and one.value == key]
    return lines[-1] if lines else holder.line


def duplicates(text: YamlText) -> Iterator[tuple[str, int, int]]:
    """Yield each key that stands twice in one mapping: its name, its later line and its first."""
    waiting = [node for node in text.documents if node is not None]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            first: dict[str, int] = {}
            for key, inner in node.entries:
                if isinstance(key, Scalar):
                    if key.value in first:
                        yield key.value, key.line, first[key.value]
                    first.setdefault(key.value, key.line)
                if not isinstance(inner, Scalar):
                    waiting.append(inner)
        elif isinstance(node, Sequence):
            waiting.extend(item for item in node.items if not isinstance(item, Scalar))
