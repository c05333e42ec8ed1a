"""What an overlay does not say itself: the values of the files below it, merged the way Helm does.

It hides Helm's merge: maps merge deeply, lists and scalars replace, null deletes (Helm's
documentation, "Values Files" and "Deleting a default key"; `chartutil.CoalesceTables`). `scan` asks
it for a chart's base values; nothing here is ever written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from updater.yamledit import Alias, KeyPath, Mapping, Node, Scalar, YamlText
from updater.yamledit.nodes import MERGE_KEY, behind, key_text, merged

# A scalar's text, None for null, an empty tuple for any list: nothing is looked for inside those,
# because an overlay's list replaces the one below.
Plain: TypeAlias = "str | tuple[()] | dict[str, Plain] | None"
Table: TypeAlias = "dict[str, Plain]"

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


def is_null(scalar: Scalar) -> bool:
    """Say whether a scalar is null for Helm's reader: empty or a plain null word."""
    return scalar.style == "" and scalar.tag is None and scalar.value in _NULLS


def text_of(node: Node) -> str | None:
    """Return a scalar's text through an alias, or None for null and for anything else."""
    scalar = behind(node)
    return scalar.value if isinstance(scalar, Scalar) and not is_null(scalar) else None


def table_of(text: YamlText) -> Table:
    """Return the first document as plain tables, with aliases and `<<` resolved.

    A mapping that many aliases stand for is converted once and shared, so that nested aliases cost
    nothing; one that contains itself is empty there.
    """
    root = text.documents[0] if text.documents else None
    plain = _Conversion().plain(root) if root is not None else None
    return plain if isinstance(plain, dict) else {}


class _Conversion:
    def __init__(self) -> None:
        self._done: dict[int, Table] = {}

    def plain(self, node: Node) -> Plain:
        place = behind(node)
        if isinstance(place, Scalar):
            return text_of(place)
        return self._table(place) if isinstance(place, Mapping) else ()

    def _table(self, mapping: Mapping) -> Table:
        if id(mapping) in self._done:
            return self._done[id(mapping)]
        table: Table = {}
        self._done[id(mapping)] = table
        for source in merged(mapping):
            for key, value in self._table(source).items():
                table.setdefault(key, value)
        for key_node, value_node in mapping.entries:
            name = key_text(key_node)
            if name is not None and name != MERGE_KEY:
                table[name] = self.plain(value_node)
        return table


def plain_of(node: Node) -> Plain:
    """Return one node as plain tables."""
    return _Conversion().plain(node)


def merge(upper: Table, lower: Table) -> Table:
    """Lay `upper` over `lower` as Helm lays an overlay over a chart's values."""
    result = dict(lower)
    for key, value in upper.items():
        below = lower.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            result[key] = merge(value, below)
        else:
            result[key] = value
    return result


def nested(path: KeyPath, table: Table) -> Table:
    """Return `table` as it looks from further up, under `path`: a sub-chart's values in its parent."""
    for part in reversed(path):
        table = {str(part): table}
    return table


def below(table: Table, key: str) -> Table:
    """Return the table under `key`, empty where there is none."""
    found = table.get(key)
    return found if isinstance(found, dict) else {}


def text_at(table: Table, *path: str) -> str:
    """Return the text at `path`, empty where there is none."""
    for part in path[:-1]:
        table = below(table, part)
    found = table.get(path[-1])
    return found if isinstance(found, str) else ""


def merged_deeply(mapping: Mapping) -> Iterator[Mapping]:
    """Yield every mapping that `<<` brings into `mapping`, the strongest first, each one once."""
    seen = {id(mapping)}
    waiting = list(merged(mapping))[::-1]
    while waiting:
        source = waiting.pop()
        if id(source) not in seen:
            seen.add(id(source))
            yield source
            waiting.extend(list(merged(source))[::-1])


def is_alias(node: Node | None) -> bool:
    """Say whether a value is written as `*name`."""
    return isinstance(node, Alias)
