"""Places that share a value through an anchor: who moves whom, and where that is unsafe.

It hides how aliases and `<<` make one scalar the tag of several images. `scan` hands it everything
it saw in a document; it never looks at the file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from updater.charts.places import Form, Target
from updater.model import familiar_repository


@dataclass(frozen=True, slots=True)
class Sighting:
    """An image place as it was seen.

    `written` says that it is written there and not reached through an anchor. `reads` are the
    identities of the values it takes its tag or digest from (and of the mappings where a new key
    would become its own), `writes` of those that an edit changes. `through` are the mappings that
    only lend it their repository.
    """

    target: Target
    written: bool
    reads: frozenset[int]
    writes: frozenset[int]
    line: int
    through: frozenset[int] = frozenset()


def settle(sightings: Sequence[Sighting]) -> list[Target]:
    """Return the targets of one document, each unsafe one with its problem.

    A value that is the tag of several repositories is never edited. A place that takes its tag
    through an anchor moves along with the anchor's own place, and is a target of its own, with a
    problem, only where there is none.
    """
    readers: dict[int, list[Sighting]] = defaultdict(list)
    for sighting in sightings:
        for identity in sighting.reads:
            readers[identity].append(sighting)
    written = [one for one in sightings if one.written]
    owned = {(identity, one.target.repository) for one in written for identity in one.writes}
    lenders = {(identity, one.target.repository) for one in written for identity in one.through}
    targets = [_judged(one, readers) for one in written if not _only_lends(one, lenders)]
    for one in sightings:
        if (
            one.written
            or not one.reads
            or any((identity, one.target.repository) in owned for identity in one.reads)
        ):
            continue
        problem = (
            "the tag comes here through an anchor from a place that is not this image's own: "
            "write repository and tag in the same mapping"
        )
        targets.append(replace(one.target, problem=problem))
    return targets


def _only_lends(sighting: Sighting, lenders: set[tuple[int, str]]) -> bool:
    """Say whether a mapping without a tag is there for others, with tags of their own, to merge in."""
    target = sighting.target
    return target.form is Form.MISSING and any((one, target.repository) in lenders for one in sighting.writes)


def _judged(sighting: Sighting, readers: dict[int, list[Sighting]]) -> Target:
    target = sighting.target
    if target.problem:
        return target
    for identity in sighting.writes:
        for other in readers[identity]:
            if other.target.repository != target.repository:
                name = familiar_repository(other.target.repository)
                return replace(
                    target,
                    problem=f"this value is also the tag of {name} at line {other.line}: "
                    "give each image a tag of its own",
                )
    return target
