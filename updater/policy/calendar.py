"""Whether anything may go out at a moment: an environment's freezes and windows, and when a pause ends.

This module hides when a cron opens and what changed clocks do to it. `plan` and the worker ask it.
It never asks what time it is: the moment comes in.

Cron's own clock is the wall clock of the period's zone:

- A time that a day leaves out, as its clock is set forward, is the moment at which that happens.
- A time that a day has twice, as its clock is set back, opens once, at the first. Only where the
  minute or the hour of the cron starts with `*`, which means "again and again", it opens both times.
- A duration is elapsed time, whatever the clock shows at its end.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypeAlias

from cronsim import CronSim

from updater.policy.clocks import moments, zone_of
from updater.policy.values import Environment, Period

HORIZON = timedelta(days=400)

_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)

_Span: TypeAlias = tuple[datetime, datetime]  # moments in UTC: the first is inside, the second outside


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Nothing may go out: a freeze is on, or there are windows and none is open.

    `until` is when the pause as a whole ends: the first moment without a freeze and, where there are
    windows, with an open one. None: nothing ends it within 400 days. Reason and time zone are those of
    the freeze (of several, the one that ends last) or of the next window. Compare `until` with
    moments of the same zone in UTC only, as everywhere in Python.
    """

    kind: Literal["freeze", "window"]
    reason: str
    until: datetime | None
    timezone: str


def pause_at(environment: Environment, now: datetime) -> Pause | None:
    """Say whether nothing may go out to `environment` at `now`, a moment with a zone; None: all may."""
    moment = now.astimezone(UTC)
    frozen = _on_longest(environment.freeze, moment)
    if frozen:
        return _pause("freeze", frozen[1], _end_of_pause(environment, moment))
    if not environment.windows or _on_longest(environment.windows, moment):
        return None
    following = _next_to_start(environment.windows, moment)
    window = following[1] if following else environment.windows[0]
    return _pause("window", window, _end_of_pause(environment, moment))


def _pause(kind: Literal["freeze", "window"], period: Period, until: datetime | None) -> Pause:
    return Pause(
        kind=kind,
        reason=period.reason,
        until=until and until.astimezone(zone_of(period.timezone)),
        timezone=period.timezone,
    )


def _end_of_pause(environment: Environment, moment: datetime) -> datetime | None:
    """Return the first moment from `moment` on at which something may go out, as far as is looked ahead."""
    for days in range(HORIZON // _DAY + 1):
        for start, end in _open_on(environment.freeze, environment.windows, moment.date() + days * _DAY):
            if end > moment:
                opens = max(start, moment)
                return opens if opens <= moment + HORIZON else None
    return None


@functools.lru_cache(maxsize=4096)
def _open_on(freeze: tuple[Period, ...], windows: tuple[Period, ...], day: date) -> tuple[_Span, ...]:
    """Return when something may go out on a day of UTC: no freeze is on, and one of any windows is open."""
    first = datetime.combine(day, time(), UTC)
    last = first + _DAY
    # What changes at a moment: how many freezes are on, and how many windows are open.
    changes = [(first, 0, 0 if windows else 1), (last, 0, 0)]
    for periods, frozen, opened in ((freeze, 1, 0), (windows, 0, 1)):
        for period in periods:
            for start, end in _spans(period, first, last):
                if start < last and end > first:
                    changes += [(max(start, first), frozen, opened), (min(end, last), -frozen, -opened)]
    changes.sort()
    spans, freezes_on, windows_open = [], 0, 0
    for (start, frozen, opened), (end, _, _) in itertools.pairwise(changes):
        freezes_on, windows_open = freezes_on + frozen, windows_open + opened
        if start < end and windows_open and not freezes_on:
            spans.append((start, end))
    return tuple(spans)


def _on_longest(periods: tuple[Period, ...], moment: datetime) -> tuple[datetime, Period] | None:
    """Return which of the periods that are on ends last, and when."""
    ends = [
        (end, period)
        for period in periods
        for start, end in _spans(period, moment, moment)
        if start <= moment < end
    ]
    return max(ends, key=lambda found: found[0], default=None)


def _next_to_start(periods: tuple[Period, ...], moment: datetime) -> tuple[datetime, Period] | None:
    """Return which of the periods starts first after `moment`, and when."""
    starts = [(start, period) for period in periods if (start := _next_start(period, moment))]
    return min(starts, key=lambda found: found[0], default=None)


def _next_start(period: Period, moment: datetime) -> datetime | None:
    spans = _spans(period, moment, moment + HORIZON)
    return next((start for start, _ in spans if start > moment), None)


def _spans(period: Period, since: datetime, until: datetime) -> Iterator[_Span]:
    """Yield in order the spans of a period that are on from `since` until `until`, and some around it."""
    if period.start and period.end:
        yield period.start.astimezone(UTC), period.end.astimezone(UTC)
        return
    zone = zone_of(period.timezone)
    # A day more on either side, as what starts on a day that clocks leave out starts on the next.
    day = (since - period.duration).astimezone(zone).date() - _DAY
    last = until.astimezone(zone).date() + _DAY
    while day <= last:
        yield from _spans_of(period, day)
        day += _DAY


@functools.lru_cache(maxsize=4096)
def _spans_of(period: Period, day: date) -> tuple[_Span, ...]:
    """Return when a cron is on that opens on `day`, in order: all that starts on that day.

    Openings that run into each other are one span, but on a day on which the clock is changed.
    """
    minute, hour, *days = period.cron.split()
    if day not in _days_of(" ".join(days), day.year):
        return ()
    zone = zone_of(period.timezone)
    midnight = datetime.combine(day, time())
    usual = moments(midnight + _DAY, zone)[0] - moments(midnight, zone)[0] == _DAY
    gap = period.duration if usual else timedelta()
    times = 2 if minute.startswith("*") or hour.startswith("*") else 1
    spans = (
        (start, end + period.duration)
        for first, last in _runs(minute, hour, gap)
        for start, end in zip(
            moments(midnight + first, zone)[:times], moments(midnight + last, zone)[:times], strict=True
        )
    )
    return tuple(sorted(spans))


@functools.lru_cache(maxsize=256)
def _days_of(days: str, year: int) -> frozenset[date]:
    """Return the days of a year that the last three fields of a cron take."""
    found: set[date] = set()
    for midnight in CronSim(f"0 0 {days}", datetime.combine(date(year, 1, 1), time()) - _MINUTE):
        if midnight.year > year:
            break
        found.add(midnight.date())
    return frozenset(found)


@functools.lru_cache(maxsize=256)
def _runs(minute: str, hour: str, gap: timedelta) -> tuple[tuple[timedelta, timedelta], ...]:
    """Return a day's openings, from midnight, as first and last of each run without a longer gap."""
    runs: list[tuple[timedelta, timedelta]] = []
    midnight = datetime(2000, 1, 1)  # noqa: DTZ001 (any day of a clock that is never changed)
    for opening in CronSim(f"{minute} {hour} * * *", midnight - _MINUTE):
        after = opening - midnight
        if after >= _DAY:
            break
        if runs and after - runs[-1][1] <= gap:
            runs[-1] = (runs[-1][0], after)
        else:
            runs.append((after, after))
    return tuple(runs)
