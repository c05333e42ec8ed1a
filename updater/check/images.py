"""Which images a rendering holds, and whether one that the updater manages is among them.

It hides where Kubernetes names images: in the containers of pods, whatever makes those pods. Called by
`rendering` for each rendering; it judges no chart.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from updater.charts import Target
from updater.check.nodes import value
from updater.errors import EditRefused
from updater.model import canonical_repository, familiar_repository, split_reference
from updater.yamledit import Mapping, Node, Scalar, Sequence, parse
from updater.yamledit.nodes import behind, child, key_text

_SOURCE = "# Source: "
_CONTAINERS = frozenset({"containers", "initContainers", "ephemeralContainers"})


@dataclass(frozen=True, slots=True)
class Shown:
    """The images of a rendering: tag and digest by canonical repository, each "" where it has none."""

    _images: dict[str, frozenset[tuple[str, str]]]
    _text: str
    _places: dict[str, tuple[str, ...]]

    def has(self, target: Target) -> bool:
        """Say whether a container gets the image as it is written; with a digest the tag may be left out."""
        wanted = target.digest or ""
        return any(
            (tag == target.tag and (not wanted or digest == wanted))
            or (not tag and wanted != "" and digest == wanted)
            for tag, digest in self._images.get(target.repository, ())
        )

    def others(self, target: Target) -> list[str]:
        """Return what containers get of the same repository."""
        name = familiar_repository(target.repository)
        found = self._images.get(target.repository, frozenset())
        return sorted(name + f":{tag}" * bool(tag) + f"@{digest}" * bool(digest) for tag, digest in found)

    def places(self, target: Target) -> tuple[str, ...]:
        """Return which containers get the same repository: the template's file, the object, the container."""
        return self._places.get(target.repository, ())

    def mentions(self, target: Target) -> bool:
        """Say whether the image stands anywhere else, in an argument or in a custom resource."""
        name = f"{target.repository.rpartition('/')[2]}:{target.tag}"
        return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", self._text) is not None


def shown_in(text: str) -> Shown:
    """Return the images of a rendering; of one that cannot be read, only what its text mentions."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    try:
        documents = parse(text.encode()).documents
    except EditRefused:
        documents = ()
    places: dict[str, dict[str, None]] = defaultdict(dict)
    lines = text.splitlines()
    for node in (one for one in documents if one is not None):
        whole = f"{_source(lines, node.line)}{value(node, 'kind')} {value(node, 'metadata', 'name')}"
        for image, container in _images(node):
            name, tag, digest = split_reference(image)
            repository = canonical_repository(name)
            if repository is not None:
                found[repository].add((tag, digest))
                places[repository][f"{whole}, container {container}"] = None
    images = {repository: frozenset(some) for repository, some in found.items()}
    return Shown(images, text, {repository: tuple(some) for repository, some in places.items()})


def _source(lines: list[str], line: int) -> str:
    """Return the template that Helm names above a document, with a comma behind it."""
    for above in reversed(lines[: line - 1]):
        if above.startswith(_SOURCE):
            return f"{above.removeprefix(_SOURCE).strip()}, "
        if above.startswith("---"):
            break
    return ""


def _images(document: Node) -> Iterator[tuple[str, str]]:
    waiting = [behind(document)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            for key, inner in node.entries:
                place = behind(inner)
                if key_text(key) in _CONTAINERS and isinstance(place, Sequence):
                    yield from _of_containers(place)
                elif not isinstance(place, Scalar):
                    waiting.append(place)
        elif isinstance(node, Sequence):
            waiting.extend(place for place in map(behind, node.items) if not isinstance(place, Scalar))


def _of_containers(containers: Sequence) -> Iterator[tuple[str, str]]:
    for container in containers.items:
        node = child(container, "image", through=True)
        image = behind(node) if node is not None else None
        if isinstance(image, Scalar):
            yield image.value, value(container, "name")
