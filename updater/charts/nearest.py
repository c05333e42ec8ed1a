"""What to tell somebody whose image has no place: what looks like it, and where.

It hides how few files are looked at for that. `survey` calls it; it decides nothing and changes
nothing, and what it says is never used to find a target.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from itertools import islice

from updater.charts.knowledge import Knowledge
from updater.charts.layout import VALUES_FILE, Spot
from updater.charts.places import Target
from updater.charts.scan import Scan
from updater.errors import EditRefused
from updater.model import Scope, canonical_repository, familiar_repository, split_reference
from updater.yamledit import Alias, KeyPath, Mapping, Node, Scalar, Sequence, show_path
from updater.yamledit.nodes import key_text

# Files looked at and phrases returned at most: this is for one sentence of an answer.
MAX_FILES = 20
MAX_PHRASES = 6

_OVERLAY = re.compile(r"values[-_.].+\.ya?ml|.+-values\.ya?ml")


def overlays_setting(known: Knowledge, target: Target) -> tuple[str, ...]:
    """Return "file:line" of every overlay beside a `values.yaml` that sets the same key."""
    folder, slash, name = target.file.rpartition("/")
    if name != VALUES_FILE:
        return ()
    found = []
    for overlay in known.beside(f"{folder}{slash}"):
        if not _OVERLAY.fullmatch(overlay.rpartition("/")[2]):
            continue
        try:
            node = known.text(overlay).find(target.path, through=True)
        except EditRefused:
            continue
        if node is not None:
            found.append(f"{overlay}:{node.line}")
    return tuple(found)


def nearest(known: Knowledge, scope: Scope, repository: str) -> tuple[str, ...]:
    """Return what stands closest to a repository that has no place, as short phrases with file:line."""
    last = repository.rpartition("/")[2]
    phrases = dict.fromkeys(
        (
            *_silent_overlays(known, scope, repository),
            *_unrecognised(known, scope, repository),
            *_lone_tags(known, scope, last),
            *_other_repositories(known, scope, repository),
        )
    )
    return tuple(islice(phrases, MAX_PHRASES))


def near_in(known: Knowledge, scope: Scope, chart: str) -> tuple[str, ...]:
    """Return what stands closest to an image in a chart that has none, as short phrases with file:line."""
    spots = known.layout(scope).by_chart.get(chart, ())[:MAX_FILES]
    return tuple(islice(dict.fromkeys((*_silent(known, spots), *_lone(known, spots))), MAX_PHRASES))


def _silent_overlays(known: Knowledge, scope: Scope, repository: str) -> Iterator[str]:
    return _silent(known, islice(known.candidates(scope, repository), MAX_FILES), repository)


def _silent(known: Knowledge, spots: Iterable[Spot], repository: str = "") -> Iterator[str]:
    """Tell of overlays that leave the tag to their base values."""
    for spot in spots:
        if not spot.base:
            continue
        for target in _targets(known, Spot(spot.base, spot.chart, "", spot.sections)):
            if not repository or target.repository == repository:
                yield f"{spot.file} does not set {show_path(target.path)}; {spot.base}:{target.line} does"


def _unrecognised(known: Knowledge, scope: Scope, repository: str) -> Iterator[str]:
    """Tell of references to the image under keys that are not an image's."""
    for spot in islice(known.candidates(scope, repository), MAX_FILES):
        try:
            documents = known.text(spot.file).documents
        except EditRefused:
            continue
        for root in documents:
            for path, scalar in _scalars(root, ()) if root is not None else ():
                name, tag, _ = split_reference(scalar.value.strip())
                if tag and canonical_repository(name) == repository:
                    yield (
                        f"{spot.file}:{scalar.line} {show_path(path)} names it, but the key is no image's "
                        "(the rules can name the place: images)"
                    )


def _scalars(node: Node, path: KeyPath) -> Iterator[tuple[KeyPath, Scalar]]:
    if isinstance(node, Scalar):
        yield path, node
    elif isinstance(node, Sequence):
        for position, item in enumerate(node.items):
            yield from _scalars(item, (*path, position))
    elif isinstance(node, Mapping):
        for key, value in node.entries:
            if not isinstance(value, Alias):
                yield from _scalars(value, (*path, key_text(key) or "?"))


def _lone_tags(known: Knowledge, scope: Scope, last: str) -> Iterator[str]:
    """Tell of tags without a repository in charts that are called like the image."""
    called = (spot for spot in known.spots(scope) if last in spot.file or last in spot.chart)
    return _lone(known, islice(called, MAX_FILES))


def _lone(known: Knowledge, spots: Iterable[Spot]) -> Iterator[str]:
    for spot in spots:
        scanned = known.scan(spot)
        for tag in scanned.lone_tags if isinstance(scanned, Scan) else ():
            below = " and none in the base values" if spot.base else ""
            yield f"{spot.file}:{tag.line} {show_path(tag.path)} has no repository near it{below}"


def _other_repositories(known: Knowledge, scope: Scope, repository: str) -> Iterator[str]:
    """Tell of the repositories with the most similar names, those of the same last part first."""
    last = repository.rpartition("/")[2]
    near = known.words_near(scope, last)
    alike = difflib.get_close_matches(last, near, n=5, cutoff=0.6)
    longer = sorted((word for word in near if last in word), key=len)[:5]  # iris-admin for iris
    words = dict.fromkeys((last, *alike, *longer))
    places: dict[str, Target] = {}
    for word in words:
        for spot in islice(dict.fromkeys(known.files_with(scope, word)), MAX_FILES):
            for target in _targets(known, spot):
                if target.repository != repository:
                    places.setdefault(target.repository, target)
    for name in _closest(repository, places):
        yield f"{familiar_repository(name)} ({places[name].file}:{places[name].line})"


def _closest(repository: str, names: Iterable[str]) -> list[str]:
    last = repository.rpartition("/")[2]
    same = [name for name in names if name.rpartition("/")[2] == last]
    close = difflib.get_close_matches(repository, names, n=3, cutoff=0.75)
    return list(dict.fromkeys((*same[:3], *close)))[:4]


def _targets(known: Knowledge, spot: Spot) -> tuple[Target, ...]:
    scanned = known.scan(spot)
    return scanned.targets if isinstance(scanned, Scan) else ()
