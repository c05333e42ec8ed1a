"""Reading a body to its end, and no further than a request may be long.

Werkzeug's own limit returns the first part of a longer body in chunks instead of refusing it, and
leaves it open whether a body that stopped early was whole (seen with Werkzeug 3.1 and gunicorn 27).
"""

from __future__ import annotations

from typing import IO

from werkzeug.exceptions import RequestEntityTooLarge

from updater.errors import InvalidRequest
from updater.intake import MAX_BODY


def read_body(stream: IO[bytes], declared: int | None) -> bytes:
    """Return what the stream holds; `declared` is its Content-Length, None for a body in chunks.

    Raises:
        RequestEntityTooLarge: it is longer than `MAX_BODY` bytes.
        InvalidRequest: it ended early, or its chunks are none.
    """
    if declared is not None and declared > MAX_BODY:
        raise RequestEntityTooLarge
    content = bytearray()
    try:
        while len(content) <= MAX_BODY and (part := stream.read(MAX_BODY + 1 - len(content))):
            content += part
    except Exception as error:
        # Every server raises types of its own for framing that is wrong and connections that end.
        raise InvalidRequest("The body could not be read to its end: send it again.") from error
    if len(content) > MAX_BODY:
        raise RequestEntityTooLarge
    if declared is not None and len(content) < declared:
        raise InvalidRequest(f"Only {len(content)} of {declared} bytes of the body arrived: send it again.")
    return bytes(content)
