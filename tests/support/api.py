"""The API over a real store, asked through Flask's test client, with a clock that stands still.

Hides how rooms are put together. What the worker does, settling, tests do themselves with `settle`.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from support.desks import MemoryDesk, open_proposal
from werkzeug.test import TestResponse

from updater.auth import Keys
from updater.model import (
    APPROVE,
    PROMOTE,
    ROLL_BACK,
    UPDATE,
    Caller,
    EnvironmentOutcome,
    Outcome,
    OutcomeKind,
    PlaceOutcome,
)
from updater.store import Store
from updater.web import Rooms, create_app

IMAGE = "registry.example.com/iris:develop-52666"
TOKEN = "iris-token-0123456789abcdef"
OTHER_TOKEN = "lily-token-0123456789abcdef"
ALL_TOKEN = "all-token-0123456789abcdef"
DEV_TOKEN = "dev-token-0123456789abcdef"
RELEASE_TOKEN = "release-token-0123456789abcdef"
HOOK_SECRET = "hook-secret-0123456789abcdef"
COMMIT = "1f0b7c2a9d3e4f5061728394a5b6c7d8e9f0a1b2"
CALLERS = {
    TOKEN: Caller(name="iris", images=("registry.example.com/iris",)),
    OTHER_TOKEN: Caller(name="lily", images=("registry.example.com/lily",)),
    ALL_TOKEN: Caller(name="all", acts=(UPDATE, PROMOTE, APPROVE, ROLL_BACK)),
    # May promote to dev, approve and roll back there, and may not say that an image was built.
    DEV_TOKEN: Caller(name="dev", images=("*",), environments=("dev*",), acts=(PROMOTE, APPROVE, ROLL_BACK)),
    # Makes promotions to prod, and decides nothing.
    RELEASE_TOKEN: Caller(name="release", images=("*",), environments=("prod",), acts=(PROMOTE,)),
}
KEYS = Keys(
    callers=tuple((hashlib.sha256(token.encode()).hexdigest(), who) for token, who in CALLERS.items())
)
OPEN = Keys(open_to_anyone=True)


def outcome(kind: OutcomeKind, reason: str = "So it went.") -> Outcome:
    """Return an outcome of that kind in one environment, `dev`."""
    committed = kind is OutcomeKind.COMMITTED
    place = PlaceOutcome(
        chart="iris",
        file="charts/iris/values-dev.yaml",
        line=3,
        path="image.tag",
        old="develop-1",
        new="develop-52666" if committed else "develop-1",
    )
    environment = EnvironmentOutcome(
        environment="dev",
        kind=kind,
        code=kind.value,
        reason=reason,
        commit=COMMIT if committed else "",
        link=f"https://gitlab.example.com/c/{COMMIT}" if committed else "",
        places=(place,),
    )
    return Outcome(kind=kind, reason=reason, environments=(environment,))


class Api:
    """One app and its store. `problems` is what the worker complains about; `now` is the clock.

    `desk` holds two open proposals, `prod/iris` and `dev/lily`.
    """

    def __init__(
        self,
        folder: Path,
        keys: Keys = KEYS,
        *,
        threads: int = 8,
        public_url: str = "",
        hook_secret: str = HOOK_SECRET,
    ) -> None:
        self.desk = MemoryDesk(open_proposal("prod/iris"), open_proposal("dev/lily"))
        self.now = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
        self.problems: list[str] = []
        self.store = Store(folder, clock=self._tick)
        self.app = create_app(
            Rooms(
                store=self.store,
                keys=keys,
                desk=self.desk,
                clock=lambda: self.now,
                hook_secret=hook_secret,
                problems=lambda: self.problems,
                version="1.2.3",
                threads=threads,
                public_url=public_url,
            )
        )
        self.client: FlaskClient = self.app.test_client()

    def _tick(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def send(self, body: object = None, *, token: str | None = TOKEN, **headers: str) -> TestResponse:
        """POST a body (by default that of the original pipeline); `Idempotency_Key` is the header."""
        return self.client.post(
            "/api/auto-update",
            json={"image": IMAGE} if body is None else body,
            headers=_headers(token, headers),
        )

    def send_bytes(self, body: bytes, content_type: str | None = "application/json") -> TestResponse:
        """POST bytes as they are."""
        return self.client.post(
            "/api/auto-update", data=body, content_type=content_type, headers=_headers(TOKEN, {})
        )

    def post(
        self, url: str, body: object = None, *, token: str | None = ALL_TOKEN, **headers: str
    ) -> TestResponse:
        """POST a body in JSON, or none."""
        sent = {} if body is None else {"json": body}
        return self.client.post(url, headers=_headers(token, headers), **sent)

    def get(self, url: str, *, token: str | None = TOKEN, **headers: str) -> TestResponse:
        """GET a URL or a path."""
        return self.client.get(url, headers=_headers(token, headers))

    def accepted(self, image: str = IMAGE, **fields: object) -> str:
        """Send a request as somebody who may send anything; return its id."""
        answer = self.send({"image": image, **fields}, token=ALL_TOKEN)
        assert answer.status_code == 202, answer.text
        request_id: str = answer.json["id"] if answer.json else ""
        return request_id

    def settle(
        self, request_id: str, kind: OutcomeKind = OutcomeKind.COMMITTED, reason: str = "Done."
    ) -> None:
        """Settle one request; one that is held is due again in an hour."""
        again = {request_id: self.now + timedelta(hours=1)} if kind is OutcomeKind.HELD else {}
        self.store.settle({request_id: outcome(kind, reason)}, again=again)

    @contextlib.contextmanager
    def worker(self, kind: OutcomeKind, reason: str = "Done.") -> Iterator[None]:
        """Settle every request that arrives, as a worker would, while the block runs."""
        stopped = threading.Event()

        def work() -> None:
            while not stopped.is_set():
                self.store.arrived.wait(0.05)
                self.store.arrived.clear()
                for request in self.store.claim(100, timedelta(minutes=1)):
                    self.settle(request.id, kind, reason)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def _headers(token: str | None, more: dict[str, str]) -> dict[str, str]:
    sent = {name.replace("_", "-"): value for name, value in more.items()}
    return sent if token is None else {"Authorization": f"Bearer {token}", **sent}


def body_of(answer: TestResponse) -> dict[str, Any]:
    """Return an answer's JSON object."""
    body = answer.json
    assert isinstance(body, dict), answer.text
    return body
