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

_APART = (
    "the tag comes here through an anchor, and repository, tag and digest would not move together: "
    "write them in the same mapping"
)
# Stands for a digest that another file gives.
ELSEWHERE = -1


@dataclass(frozen=True, slots=True)
class Sighting:
    """An image place as it was seen; values are told apart by identities.

    `written` says that it is written there and not reached through an anchor. `reads` are the values
    it takes its tag and digest from (and the mappings where a new key would become its own), `tag`
    those for the tag alone, `writes` those that an edit changes. `through` are the mappings that only
    lend it their repository, `digest` is the digest of its own (0 for none).
    """

    target: Target
    written: bool
    tag: frozenset[int]
    reads: frozenset[int]
    writes: frozenset[int]
    through: frozenset[int] = frozenset()
    digest: int = 0


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
    apart = (one for one in sightings if not one.written and one.reads and not _moves_along(one, owned))
    targets.extend(replace(one.target, problem=_APART) for one in apart)
    return targets


def _moves_along(sighting: Sighting, owned: set[tuple[int, str]]) -> bool:
    """Say whether a place behind an anchor gets its new tag, and its digest if it has one, from there."""
    repository, digest = sighting.target.repository, sighting.digest
    if digest and (digest, repository) not in owned:
        return False
    return any((identity, repository) in owned for identity in sighting.tag)


def _only_lends(sighting: Sighting, lenders: set[tuple[int, str]]) -> bool:
    """Say whether a mapping without a tag is there for others, with tags of their own, to merge in."""
    target = sighting.target
    if target.form is not Form.MISSING or target.tag or target.digest:
        return False
    return any((identity, target.repository) in lenders for identity in sighting.writes)


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
                    problem=f"this value is also the tag of {name} at line {other.target.line}: "
                    "give each image a tag of its own",
                )
    return target
