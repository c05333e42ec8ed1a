"""The double of GitLab as tests hold it: a real HTTP server over a real bare repo."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from support.gitlabworld.acts import Acts
from support.gitlabworld.core import real_clock
from support.gitlabworld.door import Call, WorldListener
from support.gitlabworld.faults import Faults
from support.gitlabworld.hook_bodies import hook_body
from support.gitlabworld.hooks import Delivery, Postman, Target
from support.gitserver import GitServer


class GitLabWorld(Acts):
    """A GitLab instance with one config project, on a free loopback port.

    `url` is the instance's address (`root` included), `git_url` the project's remote without
    credentials. `calls` are the API calls so far, `latency` the seconds each takes, `faults` what
    goes wrong next, `git` the moods of the Git side (as for `GitServer`). `shown_url` is what GitLab
    believes its own address to be. Leaving the `with` block fails where a call was not as GitLab
    describes its API.
    """

    def __init__(
        self,
        bare: Path,
        *,
        generation: str = "19.2",
        edition: str = "ce",
        root: str = "",
        project: str = "ops/config",
        clock: Callable[[], datetime] = real_clock,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(bare, generation=generation, edition=edition, project=project, clock=clock)
        self.root_path = root
        self.calls: list[Call] = []
        self.latency = 0.0
        self.faults = Faults()
        self.git = GitServer(bare.parent, token=None)
        self.is_away = False
        self.away_status: int | None = None
        self._tls = tls
        self._postman: Postman | None = None
        self._http: WorldListener | None = None
        self._thread: threading.Thread | None = None
        self._port = 0

    @property
    def git_url(self) -> str:
        """The address of the config project's repo."""
        return f"{self.url}/{self.project}.git"

    @property
    def hook_deliveries(self) -> Sequence[Delivery]:
        """All webhooks posted so far; waits for those under way."""
        if self._postman is None:
            return ()
        self._postman.wait()
        return tuple(self._postman.deliveries)

    def hook_target(self, url: str, *, secret: str = "", signing: str = "") -> None:
        """Post every event there from now on."""
        with self.lock:
            self.notice()
            if self._postman is None:
                self._postman = Postman()
            self._postman.targets.append(Target(url, secret, signing))

    def emit(self, event: str, about: object, **more: Any) -> None:
        if self._postman is not None:
            body = json.dumps(hook_body(self, event, about, more)).encode()
            self._postman.post(event, body, now=self.clock(), version=self.version)

    def calls_to(self, short: str) -> list[Call]:
        """Return the calls of one kind: `POST merge_requests`, `GET project`, `PUT merge_requests/1`."""
        return [call for call in tuple(self.calls) if call.short == short]

    def away(self, status: int | None = None) -> None:
        """Be gone: connections are refused, or everything is answered with 502."""
        assert status in (None, 502)
        self.away_status, self.is_away = status, True
        if status is None:
            self._close()

    def back(self) -> None:
        """Be there again, under the same address."""
        self.is_away, self.away_status = False, None
        if self._http is None:
            self._listen()

    def start(self) -> GitLabWorld:
        """Listen."""
        self._listen()
        scheme = "https" if self._tls else "http"
        self.url = self.shown_url = f"{scheme}://127.0.0.1:{self._port}{self.root_path}"
        self.notice()
        return self

    def stop(self) -> None:
        """Let go of everything that hangs, and close the port."""
        self.faults.heal()
        self.git.heal()
        self.is_away = True
        self._close()
        if self._postman is not None:
            self._postman.stop()
            self._postman = None

    def __enter__(self) -> GitLabWorld:
        return self.start()

    def __exit__(self, kind: object, *_: object) -> None:
        self.stop()
        if kind is None and self.breaches:
            raise AssertionError(
                "Not as GitLab describes its API:\n" + "\n".join(dict.fromkeys(self.breaches))
            )

    def _listen(self) -> None:
        self._http = WorldListener(("127.0.0.1", self._port), self)
        if self._tls is not None:
            self._http.socket = self._tls.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self._port = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def _close(self) -> None:
        if self._http is not None and self._thread is not None:
            self._http.shutdown()
            self._http.server_close()
            self._thread.join()
        self._http = self._thread = None
