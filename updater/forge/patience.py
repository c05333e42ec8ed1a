"""How long GitLab wants to be left alone, as the headers of an answer 429 say it.

Called by `client`; pure. The body of such an answer is plain text of the administrator's choice and
is never read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# An hour's pause (or a date in another century) would look like a hang; asking again is cheap.
LONGEST = 300.0
SHORTEST = 1.0
# GitLab counts requests by the minute.
UNTOLD = 60.0


def patience(headers: Mapping[str, str], now: datetime) -> float:
    """Return the seconds to wait: `Retry-After` (seconds or an HTTP date, RFC 9110), else `RateLimit-Reset`.

    What cannot be read counts as not told.
    """
    told = _retry_after(headers.get("Retry-After", ""), now)
    if told is None:
        reset = _number(headers.get("RateLimit-Reset", ""))
        told = None if reset is None else reset - now.timestamp()
    return UNTOLD if told is None else min(max(told, SHORTEST), LONGEST)


def _retry_after(text: str, now: datetime) -> float | None:
    seconds = _number(text)
    if seconds is not None or not text.strip():
        return seconds
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    # A date with the zone "-0000" comes without one.
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now.timestamp()


def _number(text: str) -> float | None:
    digits = text.strip()
    # More digits than that are no number of seconds since 1970.
    return float(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 12 else None
