"""What the first commit of a line brought: often every chart there is, so it is read when asked for.

Hides that the tags of a thousand charts need not be parsed to know what is held today. `following` asks
it for the deployments that began the history of a chart, or of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from updater.charts import Survey
from updater.history.looking import Row, Side
from updater.history.making import deployment
from updater.history.places import counted
from updater.history.reading import Reading, enriched
from updater.model import Deployment, Log, LoggedCommit
from updater.policy import Environment


class Arrival:
    """The first step of a line; `files` are the versions of those it brought that tell where images are."""

    def __init__(
        self, log: Log, environments: Mapping[str, Environment], reading: Reading, files: Mapping[str, str]
    ) -> None:
        self._log = log
        self._environments = environments
        self._reading = reading
        self.files = files
        self._paths = frozenset(files)
        self._survey: Survey | None = None
        self._known: dict[str, tuple[Deployment, ...]] = {}

    @property
    def commit(self) -> LoggedCommit:
        """The commit itself."""
        return self._reading.step.commit

    def deployments(self, chart: str = "") -> Sequence[Deployment]:
        """Return what came with a chart ("": with all), by the name that it had then."""
        if chart not in self._known:
            rows = [row for one in self._environments.values() for row in self._rows(one, chart)]
            found = enriched(self._reading, rows, self._environments)
            self._known[chart] = tuple(deployment(self._reading.step, one, (), "") for one in found)
        return self._known[chart]

    def _rows(self, environment: Environment, chart: str) -> Sequence[Row]:
        commit = self.commit.commit
        layout = self._survey or Survey(Side(self._log, commit, self._paths, self.files))
        spots = layout.laid_out(environment.scope).values()
        charts = {spot.chart for spot in spots if chart in ("", spot.chart)}
        files = {path for spot in spots if spot.chart in charts for path in spot.files}
        mine = {path: name for path, name in self.files.items() if path in files}
        survey = self._survey = Survey(Side(self._log, commit, self._paths, mine), layout)
        found = counted(environment, survey.readable_in(environment.scope, charts))
        return [
            Row((environment.name, *key), None, target.tag, target.digest or "")
            for key, target in found.items()
            if target.tag is not None
        ]
