"""Reading a body to its end, and no further than a request may be long.

Werkzeug's own limit returns the first part of a longer body in chunks instead of refusing it, and
leaves it open whether a body that stopped early was whole (seen with Werkzeug 3.1 and gunicorn 27).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from werkzeug.exceptions import RequestEntityTooLarge

from updater.errors import InvalidRequest
from updater.intake import MAX_BODY

_PART = 64 * 1024


def read_body(stream: IO[bytes], declared: int | None) -> bytes:
    """Return what the stream holds; `declared` is its Content-Length, None for a body in chunks.

    Raises:
        RequestEntityTooLarge: it is longer than `MAX_BODY` bytes.
        InvalidRequest: it ended early, or its chunks are none.
    """
    return b"".join(read_parts(stream, declared, limit=MAX_BODY))


def read_parts(stream: IO[bytes], declared: int | None, *, limit: int) -> Iterator[bytes]:
    """Give what the stream holds, in pieces of at most 64 KiB.

    Raises:
        RequestEntityTooLarge: it is longer than `limit` bytes; none of what came is to be used.
        InvalidRequest: it ended early, or its chunks are none.
    """
    if declared is not None and declared > limit:
        raise too_large(limit)
    length = 0
    while part := _read(stream, min(_PART, limit + 1 - length)):
        length += len(part)
        if length > limit:
            raise too_large(limit)
        yield part
    if declared is not None and length < declared:
        raise InvalidRequest(f"Only {length} of {declared} bytes of the body arrived: send it again.")


def too_large(limit: int) -> RequestEntityTooLarge:
    """Return the error for a body of more than `limit` bytes."""
    return RequestEntityTooLarge(f"The body is larger than {limit} bytes.")


def _read(stream: IO[bytes], size: int) -> bytes:
    try:
        return stream.read(size)
    except Exception as error:
        # Every server raises types of its own for framing that is wrong and connections that end.
        raise InvalidRequest("The body could not be read to its end: send it again.") from error
