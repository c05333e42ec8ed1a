"""The ledger of one branch: its deployments in order, what stands in each place, what was taken back.

Hides the indexes, and how a reverted deployment comes to count again. `following` writes into it and
reads it; it decides nothing about messages or values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from updater.history.places import Place
from updater.model import Deployment


@dataclass(slots=True)
class Row:
    """One place's deployments by number, oldest first, and the tag that stands.

    `tags` says for every tag that ever stood how many of the deployments came before it stood last.
    """

    numbers: list[int] = field(default_factory=list)
    tags: dict[str | None, int] = field(default_factory=dict)
    tag: str | None = None


class Ledger:
    """Deployments, the oldest first; a deployment's number is its place in that order."""

    def __init__(self) -> None:
        self.all: list[Deployment] = []
        self.rows: dict[Place, Row] = {}
        # By number and chart: the commit that took it back.
        self.back: dict[int, dict[str, str]] = {}

    def standing(self, place: Place) -> tuple[str | None, ...]:
        """Return the tag that stands in a place, nothing where no deployment is known there."""
        row = self.rows.get(place)
        return () if row is None else (row.tag,)

    def stood(self, place: Place) -> frozenset[str]:
        """Return every tag that ever stood in a place."""
        row = self.rows.get(place)
        return frozenset() if row is None else frozenset(tag for tag in row.tags if tag is not None)

    def has_stood(self, place: Place, tag: str) -> bool:
        """Say whether a tag ever stood in a place."""
        row = self.rows.get(place)
        return row is not None and tag in row.tags

    def last(self, place: Place) -> Deployment | None:
        """Return the last deployment of a place."""
        row = self.rows.get(place)
        return None if row is None else self._shown(row.numbers[-1], place[1])

    def since(self, place: Place, tag: str | None) -> Sequence[int]:
        """Return the deployments of a place since a tag stood, newest first; none where it never did."""
        row = self.rows.get(place)
        if row is None or tag is None or tag not in row.tags:
            return ()
        return row.numbers[row.tags[tag] :][::-1]

    def newest(self, place: Place) -> Sequence[int]:
        """Return the last deployment of a place, if there is any."""
        row = self.rows.get(place)
        return row.numbers[-1:] if row is not None else ()

    def by(self, place: Place, commits: Collection[str]) -> Sequence[int]:
        """Return the deployments that some commits made in a place, newest first."""
        row = self.rows.get(place)
        if row is None or not commits:
            return ()
        return [number for number in reversed(row.numbers) if self.all[number].commit in commits]

    def shown(self, environment: str, chart: str) -> Iterator[Deployment]:
        """Yield the deployments of an environment and a chart ("": of all), newest first."""
        if not chart:
            for number in range(len(self.all) - 1, -1, -1):
                if not environment or self.all[number].environment == environment:
                    yield self._shown(number)
            return
        numbers: set[int] = set()
        for place, row in self.rows.items():
            if place[1] == chart and environment in ("", place[0]):
                numbers.update(row.numbers)
        for number in sorted(numbers, reverse=True):
            yield self._shown(number, chart)

    def _shown(self, number: int, chart: str = "") -> Deployment:
        """Return a deployment with what took it back: for one chart, or else for any."""
        deployment = self.all[number]
        back = self.back.get(number)
        if not back:
            return deployment
        by = back.get(chart, "") if chart else next(reversed(back.values()))
        return replace(deployment, reverted_by=by, reverted_charts=tuple(back))

    def record(self, deployment: Deployment, undone: Mapping[str, Sequence[int]]) -> None:
        """Take in a deployment; `undone` are those that it takes back, by chart."""
        number = len(self.all)
        self.all.append(deployment)
        for move in deployment.moves:
            place = (deployment.environment, move.chart, deployment.repository)
            row = self.rows.get(place)
            if row is None:
                row = self.rows[place] = Row()
            row.tags[move.old] = len(row.numbers)
            row.numbers.append(number)
            row.tags[deployment.tag] = len(row.numbers)
            row.tag = deployment.tag
            for one in undone.get(move.chart, ()):
                self._take_back(one, move.chart, deployment)

    def _take_back(self, number: int, chart: str, by: Deployment) -> None:
        """Note that a deployment was taken back; what it had taken back itself may count again."""
        reverted = self.all[number]
        self.back.setdefault(number, {}).setdefault(chart, by.commit)
        if not reverted.reverts:
            return
        is_as_before = any(move.chart == chart and move.old == by.tag for move in reverted.moves)
        for earlier in self.by((by.environment, chart, by.repository), reverted.reverts):
            back = self.back.get(earlier, {})
            if back.get(chart) == reverted.commit and (is_as_before or self.all[earlier].tag == by.tag):
                del back[chart]

    def rename(self, environment: str, chart: str, later: str) -> None:
        """Carry on what is known of a chart under its new name."""
        for place in [one for one in self.rows if one[:2] == (environment, chart)]:
            self.rows.setdefault((environment, later, place[2]), self.rows.pop(place))
