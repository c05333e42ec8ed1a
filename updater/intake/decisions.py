"""Reads what people decide about proposals."""

from __future__ import annotations

import re

from updater.errors import InvalidRequest
from updater.intake.fields import missing, text
from updater.intake.reading import read_object

# The id of a commit, whole: what an approval is pinned to must not be open to guesses.
HEAD_FORM = r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$"
APPROVAL_FIELDS = ("head",)
CLOSING_FIELDS = ("reason",)

_HEAD = re.compile(HEAD_FORM)
_APPROVAL_HINT = '{"head": "ID OF THE COMMIT"}, or no body'
_CLOSING_HINT = '{"reason": "why it shall not go out"}'


def decode_approval(body: bytes) -> str | None:
    """Read the body of an approval, which may be empty; return the commit that was seen, or None.

    Raises:
        InvalidRequest: with the field at fault, or the place in the JSON.
    """
    value = read_object(body, APPROVAL_FIELDS, _APPROVAL_HINT) if body else {}
    head = text(value, "head")
    if value.get("head") is not None and not _HEAD.fullmatch(head):
        raise InvalidRequest(
            f"{head!r} is not the id of a commit: send all 40 hexadecimal digits of the proposal's head, "
            "in lower case, or leave the field out for whatever stands there.",
            field="head",
        )
    return head or None


def decode_closing(body: bytes) -> str:
    """Read why a proposal is closed: `{"reason": "..."}`.

    Raises:
        InvalidRequest: with the field at fault, or the place in the JSON.
    """
    reason = text(read_object(body, CLOSING_FIELDS, _CLOSING_HINT), "reason")
    if not reason.strip():
        raise missing("reason", _CLOSING_HINT)
    return reason
