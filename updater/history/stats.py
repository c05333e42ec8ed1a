"""The figures of a span of time: how often, how soon, how many were taken back, how long that took.

Hides how they are counted. Called for pages and reports; values in, values out.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from updater.model import Deployment

_WEEK = timedelta(weeks=1)
# A rollback or a revert is no deployment of its own; it counts against the one it takes back.
_COUNTED = ("update", "promotion", "by-hand")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a span of time says of one chart of an environment, or of all of it (`chart` is empty).

    `lead_time` is the median from the source commit to the deployment over the `lead_times` deployments
    that know it, `fail_rate` the share of deployments that were taken back, `restore_time` the median
    until they were. None: there is nothing to tell it from.
    """

    environment: str
    chart: str
    deployments: int
    per_week: float
    lead_time: timedelta | None
    lead_times: int
    fail_rate: float | None
    restore_time: timedelta | None


def figures(
    deployments: Sequence[Deployment], since: datetime, until: datetime, environments: Iterable[str] = ()
) -> Sequence[Figures]:
    """Return the figures from `since` to before `until`: for each environment a total, then its charts.

    The totals of `environments` are told even where nothing was ever deployed to them.

    `deployments` should hold those after the span, too: what took one back may have come later.
    """
    restored = _Restored(deployments)
    weeks = (until - since) / _WEEK
    groups: dict[tuple[str, str], list[Deployment]] = {(name, ""): [] for name in environments}
    for one in deployments:
        groups.setdefault((one.environment, ""), [])
        if since <= one.time < until and _is_deployed(one):
            for chart in ("", *one.charts):
                groups.setdefault((one.environment, chart), []).append(one)
    return tuple(_figures(key, groups[key], restored, weeks) for key in sorted(groups))


class _Restored:
    """When deployments were taken back: in one chart, or in all that took them back."""

    def __init__(self, deployments: Sequence[Deployment]) -> None:
        self._times = {one.commit: one.time for one in deployments}
        self._first: dict[tuple[str, str, str, str], datetime] = {}
        for one in deployments:
            for taken in one.reverts:
                for chart in one.charts:
                    key = (one.environment, one.repository, taken, chart)
                    self._first[key] = min(one.time, self._first.get(key, one.time))

    def at(self, one: Deployment, chart: str) -> datetime | None:
        """Return when a deployment was taken back in a chart, or in its last one (""); None: unknown."""
        first = self._first.get((one.environment, one.repository, one.commit, chart))
        return first or self._times.get(one.reverted_by)


def _is_deployed(one: Deployment) -> bool:
    """Say whether something was deployed; a file that came with its tag in it was not."""
    is_there = one.kind != "by-hand" or any(move.old is not None for move in one.moves)
    return one.kind in _COUNTED and one.tag is not None and is_there


def _figures(key: tuple[str, str], those: Sequence[Deployment], restored: _Restored, weeks: float) -> Figures:
    leads = [one.time - one.source_time for one in those if one.source_time is not None]
    back = [one for one in those if one.reverted_by and key[1] in ("", *one.reverted_charts)]
    ends = [(one, restored.at(one, key[1])) for one in back]
    restores = [end - one.time for one, end in ends if end is not None]
    return Figures(
        environment=key[0],
        chart=key[1],
        deployments=len(those),
        per_week=len(those) / weeks if weeks > 0 else 0.0,
        lead_time=_median(leads),
        lead_times=len(leads),
        fail_rate=len(back) / len(those) if those else None,
        restore_time=_median(restores),
    )


def _median(spans: Iterable[timedelta]) -> timedelta | None:
    seconds = [span.total_seconds() for span in spans]
    return timedelta(seconds=statistics.median(seconds)) if seconds else None
