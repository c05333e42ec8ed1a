"""A real sshd on a free loopback port, for tests of Git over SSH (marked `openssh`)."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

_MISSING = (
    "These tests need a real sshd: install the package openssh-server, "
    "or leave them out by name with scripts/test --without openssh."
)


class SshServer:
    """sshd with keys of its own in `folder`; lets in the running user with `key_file`, nobody else.

    `known_hosts_file` names the host key; `other_key_file` is a key that does not get in.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.key_file = folder / "bot key"
        self.other_key_file = folder / "other key"
        self.known_hosts_file = folder / "known hosts"
        self._folder = folder
        self._sshd = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
        self._process: subprocess.Popen[bytes] | None = None
        self._port = _free_port()

    def url(self, bare: Path) -> str:
        """Return the address of a repo on this machine."""
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self._port}{bare}"

    def __enter__(self) -> SshServer:
        if self._sshd is None:
            pytest.fail(_MISSING)
        host_key = self._folder / "host"
        for path in (host_key, self.key_file, self.other_key_file):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
        kind, public, *_ = host_key.with_suffix(".pub").read_text().split()
        self.known_hosts_file.write_text(f"[127.0.0.1]:{self._port} {kind} {public}\n")
        authorized = self._folder / "authorized_keys"
        authorized.write_bytes(Path(f"{self.key_file}.pub").read_bytes())
        if os.getuid() == 0:
            # sshd separates its privileges in this folder, which a service manager would make.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = self._folder / "sshd_config"
        config.write_text(
            f"Port {self._port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nPidFile none\n"
            f"AuthorizedKeysFile {authorized}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
        )
        log = (self._folder / "sshd.log").open("wb")
        self._process = subprocess.Popen([self._sshd, "-D", "-e", "-f", str(config)], stderr=log)
        log.close()
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def _wait(self) -> None:
        pause = threading.Event()
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            pause.wait(0.02)
        pytest.fail("sshd did not start: " + (self._folder / "sshd.log").read_text())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
