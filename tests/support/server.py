"""The real server as a process of its own: `updater serve` on a free port, asked over HTTP.

Hides how it is started, waited for, stopped and killed. Tests give it settings (the `UPDATER_*`
names) and a folder; nothing of the test's own environment that could steer it gets through.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 60.0
# A proxy of the environment is for the outside, never for the loopback.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def free_port() -> int:
    """Return a TCP port on the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered: header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Server:
    """One `updater serve` process. `url` stays the same over `restart`."""

    def __init__(self, settings: Mapping[str, str], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = folder / "server.log"
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.settings = {
            "UPDATER_LISTEN": f"127.0.0.1:{port}",
            "UPDATER_DATA": str(folder / "data"),
            **settings,
        }
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("UPDATER_", "GIT_"))
        }
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "updater", "serve"],
                env={**kept, **self.settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # kill9 takes the whole group, as a machine that loses power does
            )
        try:
            self._wait_until_it_answers(process)
        except BaseException:
            _kill_group(process)
            raise
        return process

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise AssertionError(f"The server ended with {process.returncode}:\n{self.log_text()}")
            with contextlib.suppress(OSError):
                if self.ask("GET", "/healthz").status == 200:
                    return
            threading.Event().wait(0.05)
        raise AssertionError(f"The server did not answer within {START_SECONDS} s:\n{self.log_text()}")

    def log_text(self) -> str:
        """Return everything the server has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 90.0,
    ) -> Answer:
        """Send one request; return the answer whatever its status. `body` goes as JSON, bytes as they are."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = (
            {"Content-Type": "application/json", **(headers or {})}
            if data is not None
            else dict(headers or {})
        )
        request = urllib.request.Request(self.url + path, data=data, headers=sent, method=method)
        try:
            with _open(request, timeout=timeout) as response:
                return Answer(response.status, _lower(response.headers), response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _lower(error.headers), error.read())

    def stop(self) -> int:
        """End the server politely (SIGTERM) and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise AssertionError(f"The server did not stop within 30 s:\n{self.log_text()}") from None

    def kill9(self) -> None:
        """Kill the server and every process it started, at once, without a chance to say goodbye."""
        _kill_group(self.process)

    def restart(self) -> None:
        """Start it again on the same port, settings and data; it must have ended before."""
        assert self.process.poll() is not None, "stop or kill the server before restarting it"
        self.process = self._start()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@contextlib.contextmanager
def running(settings: Mapping[str, str], folder: Path) -> Iterator[Server]:
    """Give a server for the length of a `with` block; it is gone afterwards, however the block ends."""
    server = Server(settings, folder)
    try:
        yield server
    finally:
        server.kill9()
