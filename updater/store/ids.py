"""Ids of requests: ULIDs in lower case (https://github.com/ulid/spec), 26 characters.

They sort by time, stand in a URL without quoting, and carry 80 random bits, so that nobody finds
another one's request by counting.
"""

from __future__ import annotations

import secrets
from datetime import datetime

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BITS = 80
_LENGTH = 26


def new_id(moment: datetime) -> str:
    """Return a new id made at `moment`, to the millisecond."""
    milliseconds = int(moment.timestamp() * 1000)
    number = milliseconds << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return "".join(_CROCKFORD[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))
