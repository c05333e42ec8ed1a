"""Who sent a webhook: GitLab's plain secret token, or a signature by Standard Webhooks 1.0.

This module hides headers and keys; `hooks` calls it with the headers before a body is read, and with
the body piece by piece, so that a large one is never held. It never puts a secret into a message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from updater.errors import InvalidSettings, NotAuthenticated

SIGNING_PREFIX = "whsec_"
# How far a signed hook's time may be from ours, either way (Standard Webhooks 1.0, "Verifying
# webhook authenticity": libraries use five minutes).
TOLERANCE = timedelta(minutes=5)
# More are never sent; each one costs a comparison.
_MAX_SIGNATURES = 20

_HOW_TO = "GitLab sends what is set for the hook, which must be the value of UPDATER_GITLAB_HOOK_SECRET"


class Proof(Protocol):
    """What must still hold once the body is known."""

    def update(self, part: bytes, /) -> None:
        """Take the next piece of the body."""

    def check(self) -> None:
        """Do nothing where the sender is proven.

        Raises:
            NotAuthenticated: it is not.
        """


class Sender:
    """What a hook must prove: that its sender knows `secret`, which must not be empty."""

    def __init__(self, secret: str) -> None:
        """Read the secret.

        Raises:
            InvalidSettings: it begins like a signing token and is none.
        """
        self._token = secret.encode("utf-8", "surrogateescape")
        self._key = _signing_key(secret) if secret.startswith(SIGNING_PREFIX) else None

    def proof(self, header: Callable[[str], str], now: datetime) -> Proof:
        """Judge a hook's headers, and return what is to be done with its body.

        `header` returns the value of a header, empty where there is none.

        Raises:
            NotAuthenticated: the headers alone show that the sender does not know the secret.
        """
        if self._key is not None:
            return _Signed(self._key, header, now)
        # WSGI hands over bytes as Latin-1 text (PEP 3333).
        presented = header("X-Gitlab-Token").encode("latin-1", "replace")
        if not hmac.compare_digest(presented, self._token):
            raise NotAuthenticated(
                f"The header X-Gitlab-Token is missing or wrong. {_HOW_TO} (secret token)."
            )
        return _Proven()


class _Proven:
    def update(self, part: bytes, /) -> None:
        pass

    def check(self) -> None:
        pass


class _Signed:
    """A signature over `id.timestamp.body`; several may be sent while a key is exchanged."""

    def __init__(self, key: bytes, header: Callable[[str], str], now: datetime) -> None:
        name, timestamp = header("webhook-id"), header("webhook-timestamp")
        signatures = header("webhook-signature").split()[:_MAX_SIGNATURES]
        if not (name and timestamp and signatures):
            raise NotAuthenticated(
                "The hook is not signed: webhook-id, webhook-timestamp and webhook-signature are needed. "
                f"{_HOW_TO} (signing token)."
            )
        if not _is_near(timestamp, now):
            raise NotAuthenticated(
                f"The hook's webhook-timestamp is more than {TOLERANCE.seconds // 60} minutes from this "
                "server's clock: set both clocks right, or let GitLab send it again."
            )
        self._claimed = [text.removeprefix("v1,") for text in signatures if text.startswith("v1,")]
        head = f"{name}.{timestamp}.".encode("latin-1", "replace")
        self._made = hmac.new(key, head, hashlib.sha256)

    def update(self, part: bytes, /) -> None:
        self._made.update(part)

    def check(self) -> None:
        made = base64.b64encode(self._made.digest())
        matches = [hmac.compare_digest(made, one.encode("latin-1", "replace")) for one in self._claimed]
        if not any(matches):
            raise NotAuthenticated(
                f"None of the hook's signatures is by the right key. {_HOW_TO} (signing token)."
            )


def _is_near(timestamp: str, now: datetime) -> bool:
    # Seconds since 1970; more digits are no time.
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    return abs(int(timestamp) - now.timestamp()) <= TOLERANCE.total_seconds()


def _signing_key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(SIGNING_PREFIX).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        key = b""
    if not key:
        raise InvalidSettings(
            f"UPDATER_GITLAB_HOOK_SECRET begins with {SIGNING_PREFIX} and is no signing token, which goes on "
            "in Base64: copy it from GitLab whole, or use a plain secret that begins otherwise."
        )
    return key
