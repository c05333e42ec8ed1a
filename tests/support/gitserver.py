"""A real smart-HTTP Git server for tests and benchmarks, and everything of `barerepo` beside it.

The server is a thin door in front of `git http-backend`: it checks the token, counts what it was
asked and can misbehave on purpose. Run as a program (`python -m support.gitserver ROOT`) it serves a
folder of bare repos, prints its address and ends with its input.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.barerepo import (
    PERSON,
    PROTECTED,
    Commit,
    before_update,
    changed_lines,
    clean_environment,
    commit_as_person,
    decline,
    fsck,
    git,
    locked,
    log,
    make_bare,
    protect,
    rewrite_as_person,
    show,
    tip,
    unprotect,
)

__all__ = [
    "PERSON",
    "PROTECTED",
    "TOKEN",
    "USER",
    "Commit",
    "GitServer",
    "before_update",
    "changed_lines",
    "clean_environment",
    "commit_as_person",
    "decline",
    "fsck",
    "git",
    "locked",
    "log",
    "make_bare",
    "protect",
    "rewrite_as_person",
    "show",
    "tip",
    "unprotect",
]

USER = "oauth2"
TOKEN = "glpat-test-token-not-a-secret"


class GitServer:
    """A smart-HTTP server for the bare repos of one folder, on a free loopback port.

    Its moods are attributes, changed at any time: `status` answers everything with that HTTP status,
    `push_status` only pushes, `hang` answers nothing until healed or stopped, `hang_up` closes the
    connection at once, `hang_up_after_push` lets the push happen and then loses the answer,
    `redirect_to` sends everybody elsewhere. `requests` holds (method, path, authorization) of every
    request so far.
    """

    def __init__(self, root: Path, *, token: str | None = TOKEN, user: str = USER) -> None:
        self.root = root.resolve()
        self.status: int | None = None
        self.push_status: int | None = None
        self.hang = False
        self.hang_up = False
        self.hang_up_after_push = False
        self.redirect_to = ""
        self.words = ""
        self.requests: list[tuple[str, str, str]] = []
        self.token = token
        self.user = user
        self.healed = threading.Event()
        self._http: Listener | None = None
        self._thread: threading.Thread | None = None
        self._port = 0

    def start(self) -> GitServer:
        """Listen, again on the same port after a stop."""
        self._http = Listener(("127.0.0.1", self._port), self)
        self._port = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port; a request under way is finished or dropped."""
        self.heal()
        if self._http is not None and self._thread is not None:
            self._http.shutdown()
            self._http.server_close()
            self._thread.join()
        self._http = self._thread = None

    def heal(self) -> None:
        """Behave again."""
        self.status = self.push_status = None
        self.hang = self.hang_up = self.hang_up_after_push = False
        self.redirect_to = self.words = ""
        self.healed.set()
        self.healed = threading.Event()

    def url(self, name: str = "config.git") -> str:
        """Return the address of a repo in the folder, without any credentials."""
        return f"http://127.0.0.1:{self._port}/{name}"

    @property
    def authorization(self) -> str:
        """The Authorization header that gets in."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.token}".encode()).decode()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    def __enter__(self) -> GitServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class Listener(ThreadingHTTPServer):
    """Listens for an owner; `door` is what answers (another double puts its own in front of Git)."""

    door: type[BaseHTTPRequestHandler] | None = None
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], owner: GitServer) -> None:
        self.owner = owner
        exec_path = subprocess.run(
            ["git", "--exec-path"], capture_output=True, text=True, check=True
        ).stdout.strip()
        self.backend = f"{exec_path}/git-http-backend"
        self.environment = clean_environment() | {
            "GIT_PROJECT_ROOT": str(owner.root),
            "GIT_HTTP_EXPORT_ALL": "1",
        }
        super().__init__(address, self.door or GitDoor)

    def server_bind(self) -> None:
        # HTTPServer looks up the host's name here, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away is part of the tests."""


class GitDoor(BaseHTTPRequestHandler):
    """One connection: checks the token, misbehaves as the owner's mood says, passes on to Git."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Listener

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Keep the tests' output quiet."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        owner = self.server.owner
        body = self._body()
        given = self.headers.get("Authorization", "")
        owner.requests.append((self.command, self.path, given))
        if owner.hang:
            owner.healed.wait()
        if owner.hang_up or owner.hang:
            self._hang_up()
            return
        is_push = "git-receive-pack" in self.path
        status = owner.status or (owner.push_status if is_push else None)
        if status is None and owner.token is not None and given != owner.authorization:
            status = 401
        if owner.redirect_to:
            self._send(301, {"Location": owner.redirect_to + self.path}, b"")
        elif status is not None:
            extra = {"WWW-Authenticate": 'Basic realm="git"'} if status == 401 else {}
            self._send(status, {"Content-Type": "text/plain", **extra}, owner.words.encode())
        else:
            self._pass_on(body)

    def _pass_on(self, body: bytes) -> None:
        done = subprocess.run(
            [self.server.backend], input=body, capture_output=True, env=self._cgi(len(body))
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line)
        status = int(fields.pop("Status", "200 OK").split()[0])
        if self.server.owner.hang_up_after_push and self.command == "POST" and "receive-pack" in self.path:
            self._hang_up()
            return
        self._send(status, fields, content)

    def _cgi(self, length: int) -> dict[str, str]:
        path, _, query = self.path.partition("?")
        cgi = self.server.environment | {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_USER": self.server.owner.user,
        }
        for header, name in (("Git-Protocol", "GIT_PROTOCOL"), ("Content-Encoding", "HTTP_CONTENT_ENCODING")):
            if header in self.headers:
                cgi[name] = self.headers[header]
        return cgi

    def _body(self) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()


def main() -> int:
    """Serve a folder of bare repos until the input ends or the process is stopped."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--token", default=None, help="without it everybody gets in")
    arguments = parser.parse_args()
    with GitServer(arguments.root, token=arguments.token) as server:
        sys.stdout.write(server.url("") + "\n")
        sys.stdout.flush()
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
