"""The rows of a status: what stands at each place of one environment, since when, and what is in its way.

Hides where each part of a row is known from: the files, the history, the holds, the proposals, and what
stands where an environment's tags come from. `accounts` makes one `About` for each environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from updater.charts import Target
from updater.errors import EditRefused, InvalidConfigRepo
from updater.history import History
from updater.model import PROPOSAL_PREFIX, Deployment, Hold, Move, StatusRow, WaitingTag
from updater.plan import Ground, Guard, Standing
from updater.policy import Environment
from updater.sight import Sight
from updater.yamledit import show_path


class About:
    """What is known of one environment, for the rows of its images."""

    def __init__(
        self,
        environment: Environment,
        ground: Ground,
        history: History,
        *,
        standings: Iterable[Standing],
        pause: str,
    ) -> None:
        self._environment = environment
        self._ground = ground
        self._guard = Guard(environment, ground)
        self._pause = pause
        self._waiting: dict[tuple[str, str], list[WaitingTag]] = {}
        self._last: dict[tuple[str, str], Deployment] = {}
        for standing in standings:
            name = standing.branch.removeprefix(PROPOSAL_PREFIX)
            for carried in standing.carried:
                waiting = WaitingTag(tag=carried.image.tag, name=name, link=standing.link)
                for chart in carried.charts:
                    self._waiting.setdefault((chart, carried.image.repository), []).append(waiting)
        self._history = history
        for one in self._history.made(environment.name):
            for chart in one.charts:
                self._last.setdefault((chart, one.repository), one)

    def targets(self, chart: str) -> Sequence[Target]:
        """Return the places of a chart, or of all ("")."""
        survey, scope = self._ground.survey, self._environment.scope
        return survey.readable_in(scope, {chart}) if chart else survey.all_targets(scope)

    def row(self, sight: Sight, target: Target) -> StatusRow:
        """Return what is to be said of one place."""
        key = (target.chart, target.repository)
        last = self._last.get(key) or self._began(target)
        return StatusRow(
            environment=self._environment.name,
            chart=target.chart,
            repository=target.repository,
            tag=target.tag,
            digest=target.digest or "",
            file=target.file,
            line=target.line,
            path=show_path(target.path),
            deployment=last if last and last.tag == target.tag else None,
            origin=self._environment.promote_from,
            origin_tag=self._origin_tag(sight, target),
            holds=self._holds(*key),
            pause=self._pause,
            waiting=tuple(self._waiting.get(key, ())),
        )

    def _holds(self, chart: str, repository: str) -> tuple[Hold, ...]:
        try:
            return tuple(self._guard.holds(chart, repository))
        except InvalidConfigRepo:
            return ()  # what is wrong with them is told once

    def _began(self, target: Target) -> Deployment | None:
        """Return what made a tag stand that nobody has changed since the branch began."""
        commit = self._history.began(target.file)
        if commit is None:
            return None
        return Deployment(
            commit=commit.commit,
            time=commit.time,
            subject=commit.message.partition("\n")[0],
            kind="by-hand",
            by=commit.author,
            environment=self._environment.name,
            repository=target.repository,
            tag=target.tag,
            moves=(Move(chart=target.chart, old=None),),
        )

    def _origin_tag(self, sight: Sight, target: Target) -> str | None:
        """Return the tag that stands where this environment's come from, unless it is the same."""
        origin = next(
            (one for one in sight.rules.environments if one.name == self._environment.promote_from), None
        )
        ground = sight.seen.get(origin.name) if origin else None
        if origin is None or ground is None:
            return None
        try:
            there = ground.survey.targets(origin.scope, target.repository)
        except EditRefused:
            return None
        last = target.chart.rpartition("/")[2]
        tags = [one.tag for one in there if one.chart.rpartition("/")[2] == last]
        return next((tag for tag in tags if tag is not None and tag != target.tag), None)
