"""A certificate of the loopback address that no authority of this machine signed."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate: `file` is at once what a client trusts, `context` what a server shows."""

    file: Path
    context: ssl.SSLContext


def self_signed(folder: Path) -> Certificate:
    """Make one for 127.0.0.1."""
    file, key = folder / "certificate.pem", folder / "key.pem"
    options = {
        "-newkey": "ec",
        "-pkeyopt": "ec_paramgen_curve:prime256v1",
        "-days": "2",
        "-subj": "/CN=127.0.0.1",
        "-addext": "subjectAltName=IP:127.0.0.1",
        "-keyout": str(key),
        "-out": str(file),
    }
    words = [word for option in options.items() for word in option]
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", *words],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return Certificate(file, context)
