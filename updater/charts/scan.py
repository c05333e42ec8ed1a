"""Finds every image place of one file, with what its base values and its anchors add.

It hides the walk: lists of containers, sub-chart sections, aliases, `<<`, duplicate keys. `survey`
calls it once per file content; it never reads a file itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from updater.charts.conflicts import Sighting, settle
from updater.charts.effective import Table, below, merge, plain_of
from updater.charts.manifests import is_kustomization, is_watch_list, kustomize_image, only_watches
from updater.charts.places import Target
from updater.charts.shapes import Found, find_images, is_tag_key, reference_in_list
from updater.charts.sight import Spot, doubled, sight
from updater.charts.views import Entry, View, fold, look
from updater.errors import EditRefused
from updater.yamledit import Alias, KeyPath, Mapping, Node, Scalar, Sequence, YamlText
from updater.yamledit.nodes import MERGE_KEY, behind, key_text

# Nodes looked at through aliases; a few nested aliases can stand for more nodes than any machine holds.
MAX_THROUGH_ALIASES = 20_000


@dataclass(frozen=True, slots=True)
class LoneTag:
    """A tag with no repository near it and none in the base values."""

    line: int
    path: KeyPath


@dataclass(frozen=True, slots=True)
class Scan:
    """What one file holds: its image places, and the tags that belong to nobody."""

    targets: tuple[Target, ...]
    lone_tags: tuple[LoneTag, ...]


def scan(text: YamlText, file: str, chart: str, base: Table) -> Scan:
    """Find every image place of a parsed file; `base` is what lies below it.

    Raises:
        EditRefused: aliases stand for too much.
    """
    targets: list[Target] = []
    lone_tags: list[LoneTag] = []
    for document, root in enumerate(text.documents):
        if isinstance(root, Mapping | Sequence) and not only_watches(root):
            walk = _Walk(file, chart, document, _globals(root, base), is_kustomization(file))
            walk.node(root, Spot((), "", base))
            targets.extend(settle(walk.sightings))
            lone_tags.extend(walk.lone_tags)
    targets.sort(key=lambda target: (target.document, target.line))
    return Scan(tuple(targets), tuple(lone_tags))


def _globals(root: Node, base: Table) -> Table:
    entries = root.entries if isinstance(root, Mapping) else ()
    own = [value for key, value in entries if key_text(key) == "global"]
    table = plain_of(own[-1]) if own else None
    under = below(base, "global")
    return merge(table, under) if isinstance(table, dict) else under


@dataclass
class _Walk:
    file: str
    chart: str
    document: int
    shared: Table
    kustomization: bool
    sightings: list[Sighting] = field(default_factory=list)
    lone_tags: list[LoneTag] = field(default_factory=list)
    left: int = MAX_THROUGH_ALIASES

    def node(self, node: Node, spot: Spot) -> None:
        if spot.ghost:
            self.left -= 1
            if self.left < 0:
                raise EditRefused(
                    f"the aliases in this file stand for more than {MAX_THROUGH_ALIASES} values: "
                    "write the images out",
                    line=node.line,
                )
        if isinstance(node, Mapping):
            self._mapping(node, spot)
        elif isinstance(node, Sequence):
            self._sequence(node, spot)

    def _sequence(self, sequence: Sequence, spot: Spot) -> None:
        for position, item in enumerate(sequence.items):
            value = behind(item)
            if not isinstance(value, Scalar):
                inner = spot.into(position, parent=spot.parent, base={}, ghost=isinstance(item, Alias))
                self.node(value, inner)
            elif spot.parent.endswith("images"):
                entry = Entry(str(position), value.value, True, item, own=True, lines=(item.line,))
                found = reference_in_list(entry)
                if found:
                    self._see(found, None, spot)

    def _mapping(self, mapping: Mapping, spot: Spot) -> None:
        view = look(mapping, spot.base)
        used: set[str] = set()
        for found in self._images(view, spot):
            used.update(fold(entry.key) for entry in (found.repository, found.tag) if entry)
            self._see(found, view, spot)
        for folded, entry in view.entries.items():
            if entry.own and is_tag_key(folded) and entry.text and folded not in used and not spot.ghost:
                self.lone_tags.append(LoneTag(entry.lines[-1], (*spot.path, entry.key)))
        for node, inner in _children(mapping, view, spot):
            self.node(behind(node), inner)

    def _images(self, view: View, spot: Spot) -> Iterable[Found]:
        found = kustomize_image(view, spot.path, spot.parent, kustomization=self.kustomization)
        return (found,) if found is not None else find_images(view, spot.parent)

    def _see(self, found: Found, view: View | None, spot: Spot) -> None:
        sighting = sight(found, view, spot, self.shared)
        if sighting is not None:
            target = replace(sighting.target, file=self.file, chart=self.chart, document=self.document)
            self.sightings.append(replace(sighting, target=target))


def _children(mapping: Mapping, view: View, spot: Spot) -> Iterator[tuple[Node, Spot]]:
    """Yield all values written here, those of duplicated keys too, then those merged in."""
    for key_node, node in mapping.entries:
        key = key_text(key_node)
        if key is None or key == MERGE_KEY or isinstance(behind(node), Scalar):
            continue
        if is_watch_list((*spot.path, key)):
            continue
        entry = view.entries[fold(key)]
        inner = spot.into(
            key,
            parent=_parent(key, spot),
            base=below(spot.base, key),
            ghost=isinstance(node, Alias),
            doubled=doubled(entry) if entry.key == key else "",
        )
        yield node, inner
    for folded, entry in view.entries.items():
        if entry.node is not None and not entry.own and not entry.scalar:
            inner = spot.into(entry.key, parent=folded, base=below(spot.base, entry.key), ghost=True)
            yield entry.node, inner


def _parent(key: str, spot: Spot) -> str:
    """Return the folded key that names what is inside; `images.tags` holds images as `images` does."""
    folded = fold(key)
    return spot.parent if folded == "tags" and spot.parent.endswith("images") else folded
