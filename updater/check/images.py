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
from updater.errors import EditRefused
from updater.model import canonical_repository, familiar_repository, split_reference
from updater.yamledit import Mapping, Node, Scalar, Sequence, parse
from updater.yamledit.nodes import behind, child, key_text

_CONTAINERS = frozenset({"containers", "initContainers", "ephemeralContainers"})


@dataclass(frozen=True, slots=True)
class Shown:
    """The images of a rendering: tag and digest by canonical repository, each "" where it has none."""

    _images: dict[str, frozenset[tuple[str, str]]]
    _text: str

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
    for image in (image for node in documents if node is not None for image in _images(node)):
        name, tag, digest = split_reference(image)
        repository = canonical_repository(name)
        if repository is not None:
            found[repository].add((tag, digest))
    return Shown({repository: frozenset(images) for repository, images in found.items()}, text)


def _images(document: Node) -> Iterator[str]:
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


def _of_containers(containers: Sequence) -> Iterator[str]:
    for container in containers.items:
        node = child(container, "image", through=True)
        image = behind(node) if node is not None else None
        if isinstance(image, Scalar):
            yield image.value
