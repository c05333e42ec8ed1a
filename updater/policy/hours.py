"""What times in the rules may be: time zones, days with a time, durations, crons, and reasons for them.

Like `grammar`, whose manner this is: a function takes a value as written and returns it as used, or
raises ValueError with a sentence that says what is wrong and what would be right. `forms` asks
whether a value is right, `rules` takes what it means. It hides cron's five fields, and never asks
what time it is.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from cronsim import CronSim, CronSimError

from updater.policy.clocks import is_zone, moments, nearest_zone, zone_of

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=31)
# Far enough from the ends of the calendar that every zone's clock can show it.
FIRST_YEAR, LAST_YEAR = 1970, 2999
MAX_CRON = 255

# For editors only, as in `grammar`.
TIME_FORM = r"^(19[7-9]|2[0-9]{2})[0-9]-[01][0-9]-[0-3][0-9]([ T][0-2][0-9]:[0-5][0-9])?$"
DURATION_FORM = r"^(?=[0-9])([0-9]{1,5}d)?([0-9]{1,5}h)?([0-9]{1,5}m)?$"
CRON_FORM = r"^ *([^ ]+ +){4}[^ ]+ *$"
ZONE_FORM = r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$"
REASON_FORM = r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]{0,253}[^\s\x00-\x1f\x7f])?$"

_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[ T]([0-9]{2}):([0-9]{2}))?")
_DURATION = re.compile(r"(?=[0-9])(?:([0-9]{1,5})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,5})m)?")
_REASON = re.compile(REASON_FORM.replace("$", r"\Z"))

# A year that starts a cycle of leap years; what comes at all comes within the 50 years after it.
_ANY_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 (a cron is matched with what a clock shows)
_FIELDS = (
    "minute (0-59)",
    "hour (0-23)",
    "day of the month (1-31)",
    "month (1-12)",
    "day of the week (0-7; 0 and 7 are Sunday)",
)


def zone(name: str) -> str:
    """Take the name of a time zone."""
    if is_zone(name):
        return name
    near = nearest_zone(name)
    question = f"Did you mean {near!r}? " if near else ""
    raise ValueError(
        f"There is no time zone {name!r}. {question}Write a name of the IANA time zone database, "
        "such as Europe/Berlin or UTC."
    )


def time(text: str) -> str:
    """Take a day, or a day with a time, that a clock may show."""
    wall_time(text)
    return text


def wall_time(text: str) -> datetime:
    """Return what the clock shows then, which is no moment yet: that takes a zone."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text!r} is no day and time: write it like '2026-12-24 08:00', or '2026-12-24' for 00:00. The "
            "zone stands in the key timezone."
        )
    try:
        year, month, day, hour, minute = (int(part or 0) for part in found.groups())
        wall = datetime(year, month, day, hour, minute)  # noqa: DTZ001 (see above)
    except ValueError as error:
        raise ValueError(
            f"No calendar or clock shows {text!r}: write a day and a time that exist."
        ) from error
    if not FIRST_YEAR <= wall.year <= LAST_YEAR:
        raise ValueError(f"{text!r} is too far away: write a year from {FIRST_YEAR} to {LAST_YEAR}.")
    return wall


def span(start: str, until: str, timezone: str) -> tuple[datetime, datetime]:
    """Return the moments between which something is, in UTC.

    Where the clock shows a time twice, it starts at the first and ends at the second: nothing that
    keeps changes back ends before its time.
    """
    own = zone_of(timezone)
    return moments(wall_time(start), own)[0], moments(wall_time(until), own)[-1]


def duration(text: str) -> str:
    """Take how long something lasts."""
    length(text)
    return text


def length(text: str) -> timedelta:
    """Return how long a duration is."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text!r} is no duration: write days, hours and minutes in this order, such as 30m, 2h, 1h30m "
            "or 2d."
        )
    days, hours, minutes = (int(part or 0) for part in found.groups())
    result = timedelta(days=days, hours=hours, minutes=minutes)
    if not SHORTEST <= result <= LONGEST:
        raise ValueError(f"{text!r} is no duration for this: write one from 1m to {LONGEST.days}d.")
    return result


def cron(text: str) -> str:
    """Take a cron of five fields that comes at least once in 50 years."""
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f"{text!r} is no cron, which has five fields: {', '.join(_FIELDS)}. Write it like '0 14 * * 1-4'."
        )
    for index, name in enumerate(_FIELDS):
        alone = ["*"] * len(fields)
        alone[index] = fields[index]
        if not _is_cron(" ".join(alone)):
            raise ValueError(
                f"{text!r} is no cron: {fields[index]!r} is no {name}. Write it like '0 14 * * 1-4'."
            )
    if not (_is_cron(text) and next(CronSim(text, _ANY_DAY), None)):
        raise ValueError(f"The cron {text!r} never comes: no month has such a day. Write a day that exists.")
    return text


def _is_cron(text: str) -> bool:
    try:
        CronSim(text, _ANY_DAY)
    except CronSimError:
        return False
    return True


def reason(text: str) -> str:
    """Take why nothing goes out, which people read in answers."""
    if not _REASON.match(text) or not text.isprintable():
        raise ValueError(
            f"{text!r} is no reason: one line of at most 255 characters without blanks around it."
        )
    return text
