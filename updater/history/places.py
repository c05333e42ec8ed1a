"""Where a tag stands in a history, and how the tags of one environment count there.

Values and small questions that all of the room shares; nothing here knows a commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from updater.charts import Target
from updater.model import Move
from updater.policy import Environment

# Environment, chart and repository.
Place: TypeAlias = tuple[str, str, str]
Facts: TypeAlias = Mapping[str, tuple[str, ...]]
# What several commits of one merge add to; of all else, the last word counts.
_GATHERED = ("Request", "Reverts")


@dataclass(frozen=True, slots=True)
class Moved:
    """One image that got one tag in charts of an environment, before it is said what that means.

    `facts` are the trailers that tell of it; `own` says that the updater did it.
    """

    environment: str
    repository: str
    tag: str | None
    digest: str
    moves: tuple[Move, ...]
    facts: Facts
    own: bool


def compare(environment: Environment | None, a: str | None, b: str | None) -> int | None:
    """Return -1, 0 or 1 as `a` is older than, the same as or newer than `b`; None: nobody can say.

    Tags that came by promotion compare as those of their origin do.
    """
    if environment is None or a is None or b is None:
        return None
    known = environment.tags.compare(a, b)
    if known is None and environment.promoted is not None:
        return environment.promoted.compare(a, b)
    return known


def takes(environment: Environment, tag: str | None) -> bool:
    """Say whether a tag may come to an environment, by itself or by promotion."""
    if tag is None:
        return False
    return environment.tags.takes(tag) or (
        environment.promoted is not None and environment.promoted.takes(tag)
    )


def first_of(environment: Environment, tags: Iterable[str | None]) -> str | None:
    """Return the tag that counts of several in one chart: the first that is taken, else the first."""
    those = list(tags)
    return next((tag for tag in those if takes(environment, tag)), those[0])


def counted(environment: Environment, targets: Iterable[Target]) -> dict[tuple[str, str], Target]:
    """Return the one place of each chart and repository whose tag counts, as `first_of` says."""
    found: dict[tuple[str, str], Target] = {}
    for target in targets:
        key = (target.chart, target.repository)
        known = found.get(key)
        if known is None or (takes(environment, target.tag) and not takes(environment, known.tag)):
            found[key] = target
    return found


def gathered(all_facts: Iterable[Facts]) -> Facts:
    """Return the trailers of several messages about one image as one."""
    result: dict[str, tuple[str, ...]] = {}
    for facts in all_facts:
        more = {name: (*result.get(name, ()), *facts.get(name, ())) for name in _GATHERED}
        result.update(facts)
        result.update({name: tuple(dict.fromkeys(values)) for name, values in more.items() if values})
    return result


def fact(facts: Facts, name: str) -> str:
    """Return the only value of a trailer, empty where there is none."""
    values = facts.get(name)
    return values[0] if values else ""
