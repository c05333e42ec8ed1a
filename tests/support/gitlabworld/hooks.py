"""Posts webhooks as GitLab does: in order, on a thread of its own, never twice, never minding the answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_NAMES = {"merge_request": "Merge Request Hook", "push": "Push Hook", "pipeline": "Pipeline Hook"}
_TIMEOUT_SECONDS = 10.0
# A proxy of the environment is for the outside, never for the loopback.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook of the project: a plain `secret`, a `whsec_` `signing` token, both or neither."""

    url: str
    secret: str = ""
    signing: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A hook that was posted; `status` is 0 where nobody answered."""

    event: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    status: int

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def signature(signing: str, name: str, timestamp: str, body: bytes) -> str:
    """Return the `webhook-signature` of a body (Standard Webhooks, version 1)."""
    key = base64.b64decode(signing.removeprefix("whsec_"))
    mac = hmac.new(key, f"{name}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


def headers_of(event: str, target: Target, body: bytes, *, now: datetime, version: str) -> dict[str, str]:
    """Return the headers of one delivery."""
    name = str(uuid.uuid4())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"GitLab/{version}",
        "X-Gitlab-Event": _NAMES[event],
        "X-Gitlab-Instance": "https://gitlab.example.com",
        "X-Gitlab-Webhook-UUID": str(uuid.uuid4()),
        "X-Gitlab-Event-UUID": str(uuid.uuid4()),
        "Idempotency-Key": name,
    }
    if target.secret:
        headers["X-Gitlab-Token"] = target.secret
    if target.signing:
        timestamp = str(int(now.timestamp()))
        headers["webhook-id"] = name
        headers["webhook-timestamp"] = timestamp
        headers["webhook-signature"] = signature(target.signing, name, timestamp, body)
    return headers


class Postman:
    """Posts what is handed to it, one after the other."""

    def __init__(self) -> None:
        self.targets: list[Target] = []
        self.deliveries: list[Delivery] = []
        self._queue: queue.Queue[tuple[str, Target, dict[str, str], bytes] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def post(self, event: str, body: bytes, *, now: datetime, version: str) -> None:
        """Hand over one body for all targets."""
        for target in self.targets:
            headers = headers_of(event, target, body, now=now, version=version)
            self._queue.put((event, target, headers, body))

    def wait(self) -> None:
        """Return when everything handed over was posted."""
        self._queue.join()

    def stop(self) -> None:
        """Post what is left and end."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            event, target, headers, body = item
            self.deliveries.append(Delivery(event, target.url, headers, body, _post(target, headers, body)))
            self._queue.task_done()
        self._queue.task_done()


def _post(target: Target, headers: dict[str, str], body: bytes) -> int:
    request = urllib.request.Request(target.url, data=body, headers=headers, method="POST")
    try:
        with _open(request, timeout=_TIMEOUT_SECONDS) as answer:
            answer.read()
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0
