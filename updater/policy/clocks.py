"""What a wall clock shows in a time zone, and at which moments it shows it.

This module hides the zone data (IANA's, of the system or of the package tzdata) and the two days a
year on which a clock is changed. `hours`, `calendar` and `rules` ask it. It never asks what time it
is, and every moment it returns is in UTC: Python compares moments of one zone by what the clock
shows there, which is wrong where it shows a time twice.
"""

from __future__ import annotations

import bisect
import difflib
import functools
import zoneinfo
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# The zone of whichever machine asks: rules mean the same everywhere.
_MACHINES_OWN = "localtime"


@functools.lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """Return the zone of a name that `is_zone`."""
    return ZoneInfo(name)


def is_zone(name: str) -> bool:
    """Say whether there is a zone of this name, written with the same capitals."""
    return name in _names()


def nearest_zone(name: str) -> str:
    """Return the zone that was probably meant, whatever the capitals; empty where none comes near.

    Abbreviations resemble each other and are far apart (KST, MST), so only places come near.
    """
    known = {zone.lower(): zone for zone in sorted(_names())}
    if name.lower() in known:
        return known[name.lower()]
    near = difflib.get_close_matches(name.lower(), [zone for zone in known if "/" in zone], n=1)
    return known[near[0]] if near else ""


@functools.lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones() - {_MACHINES_OWN})


def moments(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Return when the clock of `zone` shows `wall`: once, or twice where it was set back.

    A time that is left out as the clock is set forward is the moment at which that happens.
    """
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first == second:
        return (first,)
    if first < second:
        return (first, second)
    return (_jump(second, first, zone),)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment of the offset that holds at `after` and not at `before`."""
    offset = after.astimezone(zone).utcoffset()
    seconds = range(int((after - before) / timedelta(seconds=1)) + 1)
    index = bisect.bisect_left(
        seconds,
        1,
        key=lambda second: (before + timedelta(seconds=second)).astimezone(zone).utcoffset() == offset,
    )
    return before + timedelta(seconds=index)
