"""The API under gunicorn as `updater serve` runs it, without the worker, in a process of its own.

Hides how the process is started and found. `make` is what gunicorn calls in its worker process.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from support.desks import MemoryDesk, open_proposal

from updater.store import Store
from updater.web import Rooms, create_app

THREADS = 32


def make() -> Flask:
    """Return the app on the store in the folder that the environment names."""
    from support.api import HOOK_SECRET, KEYS

    def clock() -> datetime:
        return datetime.now(UTC)

    desk = MemoryDesk(open_proposal())
    return create_app(
        Rooms(
            store=Store(Path(os.environ["API_FOLDER"]), clock=clock),
            keys=KEYS,
            desk=desk,
            clock=clock,
            # A hook that was heard shows as a problem: the desk is in another process than the test.
            problems=lambda: [f"{desk.hints} hooks were heard."],
            version="1.2.3",
            hook_secret=os.environ.get("API_HOOK_SECRET", HOOK_SECRET),
            threads=THREADS,
        )
    )


@contextlib.contextmanager
def running(folder: Path) -> Iterator[int]:
    """Give the port of the server for the length of a `with` block."""
    folder.mkdir()
    log = folder.parent / "gunicorn.log"
    command = [
        *(sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", str(THREADS)),
        *("--bind", "127.0.0.1:0", "--log-file", str(log), "--no-control-socket", "support.webapp:make()"),
    ]
    path = os.pathsep.join(part for part in sys.path if part)
    process = subprocess.Popen(command, env={**os.environ, "API_FOLDER": str(folder), "PYTHONPATH": path})
    try:
        yield _port(process, log)
    finally:
        process.terminate()
        process.wait(30)


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        text = log.read_text() if log.exists() else ""
        if "Listening at: http://127.0.0.1:" in text:
            port = int(text.partition("Listening at: http://127.0.0.1:")[2].partition(" ")[0])
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer,
            ):
                if answer.status == 200:
                    return port
        threading.Event().wait(0.05)
    raise AssertionError(f"gunicorn did not start:\n{log.read_text() if log.exists() else ''}")
