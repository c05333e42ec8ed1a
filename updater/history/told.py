"""What the updater's own messages tell: which image got which tag where, and which holds ended.

Hides what the trailers mean. Called by `following` for every commit, so it does no more than it must.
What trailers do not tell for sure is not told, and then the values are looked at.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from updater import trailers
from updater.history.places import Facts, Moved, Place, first_of, gathered
from updater.model import Move, canonical_repository, split_reference
from updater.policy import Environment


@dataclass(frozen=True, slots=True)
class Told:
    """One image of a message. `previous` are the tags that went, in all of `charts` together."""

    environment: str
    repository: str
    tag: str
    digest: str
    charts: tuple[str, ...]
    previous: tuple[str | None, ...]
    facts: Facts


@dataclass(frozen=True, slots=True)
class Release:
    """Holds that end: those of one repository ("": of every image) in some charts."""

    environment: str
    charts: tuple[str, ...]
    repository: str
    build: str = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """What a message tells. `is_whole`: it is about deployments or holds, and nothing of it is unclear."""

    images: Sequence[Told]
    releases: Sequence[Release]
    is_whole: bool


def tell(message: str) -> Telling:
    """Read the trailers of a message."""
    groups = trailers.groups(message)
    images: list[Told] = []
    releases: list[Release] = []
    is_whole = bool(groups)
    for facts in groups:
        if "Image" in facts:
            told = _told(facts)
            if told is None:
                is_whole = False
            else:
                images.append(told)
        elif "Hold" not in facts and "Release" not in facts:
            is_whole = False
        if "Release" in facts:
            releases.extend(_releases(facts))
    return Telling(images, releases, is_whole)


def _told(facts: Facts) -> Told | None:
    name, tag, digest = split_reference(facts["Image"][0])
    repository = _canonical(name)
    environment, charts = facts.get("Environment"), facts.get("Chart")
    if repository is None or not tag or environment is None or charts is None:
        return None
    previous = tuple(None if old == "none" else sys.intern(old) for old in facts.get("Previous", ()))
    return Told(
        sys.intern(environment[0]),
        repository,
        sys.intern(tag),
        digest,
        tuple(map(sys.intern, charts)),
        previous,
        facts,
    )


def _releases(facts: Facts) -> list[Release]:
    environment, charts = facts.get("Environment", ("",))[0], facts.get("Chart", ())
    found = [split_reference(value)[:2] for value in facts["Release"]]
    named = [("" if name == "*" else _canonical(name), build) for name, build in found]
    return [Release(environment, charts, one, build) for one, build in named if one is not None]


# One string for each repository, however many commits name it.
_canonical = functools.lru_cache(maxsize=4096)(canonical_repository)


def moved(
    told: Sequence[Told],
    environments: Mapping[str, Environment],
    standing: Callable[[Place], tuple[str | None, ...]],
    *,
    merged: bool,
) -> list[Moved] | None:
    """Return what images of one step of the line moved; None: only the values know.

    `standing` is what stands in a place before the step, empty where that is not known. What a merge
    brought was written on something older, so it must agree with what stands (`merged`).
    """
    found: dict[Place, tuple[str | None, list[Told]]] = {}
    for one in told:
        for chart in one.charts:
            place = (one.environment, chart, one.repository)
            if place in found:
                first = found[place][1][0]
                # Which chart had which tag is not told, and one of them may stand again where it began.
                if merged and min(len(first.previous), len(first.charts)) > 1:
                    return None
                found[place][1].append(one)
                continue
            # Whoever asks may have to read a file for it.
            known = standing(place) if merged or len(one.previous) != 1 else ()
            olds = _old(one, environments[one.environment], known)
            if not olds or (merged and known and known != olds):
                return None
            found[place] = (olds[0], [one])
    return _grouped(found)


def _old(told: Told, environment: Environment, known: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """Return the tag that went in one of the charts; empty where the trailers leave it open."""
    previous = told.previous
    if len(previous) == 1:
        return previous
    if previous and len(told.charts) == 1:
        return (first_of(environment, previous),)
    return known if not previous or (known and known[0] in previous) else ()


def _grouped(found: Mapping[Place, tuple[str | None, list[Told]]]) -> list[Moved]:
    groups: dict[tuple[str, str, str], tuple[list[Move], dict[int, Told]]] = {}
    for (environment, chart, repository), (old, those) in found.items():
        tag = those[-1].tag
        if len(those) > 1 and tag == old:
            continue
        moves, tellers = groups.setdefault((environment, repository, tag), ([], {}))
        moves.append(Move(chart, old))
        tellers.update((id(one), one) for one in those)
    result = []
    for (environment, repository, tag), (moves, tellers) in groups.items():
        last = list(tellers.values())
        facts = last[0].facts if len(last) == 1 else gathered(one.facts for one in last)
        result.append(Moved(environment, repository, tag, last[-1].digest, tuple(moves), facts, own=True))
    return result
