"""One mapping of a file as its chart sees it: its own keys, then merged ones, then the base's.

It hides duplicate keys, aliases, `<<` and what lies below an overlay, so that `shapes` can ask for
keys. It never judges what a key means.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping as MappingType
from dataclasses import dataclass

from updater.charts.effective import Table, is_null, merged_deeply
from updater.yamledit import Mapping, Node, Scalar
from updater.yamledit.nodes import MERGE_KEY, behind, key_text


@functools.lru_cache(maxsize=8192)
def fold(key: str) -> str:
    """Return a key without the habits of its spelling: `imageTag`, `image_tag` and `ImageTag` are one."""
    return key.replace("_", "").replace("-", "").lower()


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a view. `node` is None where only a file below this one has the key.

    `text` is the scalar's text, None for null and for lists and mappings (`scalar` is False then).
    `own` says that the key is written in this very mapping; `lines` are all lines where it is.
    """

    key: str
    text: str | None
    scalar: bool
    node: Node | None
    own: bool
    lines: tuple[int, ...] = ()

    @property
    def source(self) -> int:
        """Return the identity of the scalar behind the value, 0 where it is not in this file."""
        return id(behind(self.node)) if self.node is not None else 0


@dataclass(frozen=True, slots=True)
class View:
    """A mapping as its chart sees it, by folded key. `merged` are the mappings `<<` brings in."""

    mapping: Mapping
    entries: MappingType[str, Entry]
    merged: tuple[Mapping, ...]

    def first(self, names: tuple[str, ...], *, filled: bool = False) -> Entry | None:
        """Return the first of `names` that is there (and has a text, where `filled`)."""
        for name in names:
            entry = self.entries.get(name)
            if entry is not None and (entry.text if filled else True):
                return entry
        return None


def look(mapping: Mapping, base: Table) -> View:
    """Return `mapping` laid over `base`, the way Helm would read it.

    Of a key that stands twice the last one counts, as for Helm.
    """
    entries: dict[str, Entry] = {}
    _add(entries, mapping, own=True)
    has_merge = any(key_text(key) == MERGE_KEY for key, _ in mapping.entries)
    sources = tuple(merged_deeply(mapping)) if has_merge else ()
    for source in sources:
        _add(entries, source, own=False)
    for key, value in base.items():
        if fold(key) not in entries:
            text = value if isinstance(value, str) else None
            entries[fold(key)] = Entry(key, text, text is not None or value is None, None, own=False)
    return View(mapping, entries, sources)


def _add(entries: dict[str, Entry], mapping: Mapping, *, own: bool) -> None:
    found: dict[str, Entry] = {}
    for key_node, node in mapping.entries:
        key = key_text(key_node)
        if key is None or key == MERGE_KEY:
            continue
        value = behind(node)
        scalar = isinstance(value, Scalar)
        text = value.value if isinstance(value, Scalar) and not is_null(value) else None
        earlier = found.get(key)
        lines = (*earlier.lines, key_node.line) if earlier else (key_node.line,)
        found[key] = Entry(key, text, scalar, node, own, lines)
    for key, entry in found.items():
        entries.setdefault(fold(key), entry)
