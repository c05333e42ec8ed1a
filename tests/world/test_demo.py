"""`scripts/demo` shows what it promises, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from support.documents import ROOT
from support.server import free_port


def environment(scratch: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(scratch)}


def test_the_demo_shows_a_commit_an_older_build_and_a_repeated_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "demo", "--once", "--port", str(free_port())],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "\n-  tag: develop-52665\n+  tag: develop-52666\n" in done.stdout
    told = [line.split(":")[0].strip() for line in done.stdout.splitlines() if line.startswith("   ")]
    assert [word for word in told if word in {"committed", "superseded", "unchanged"}] == [
        "committed",
        "superseded",
        "unchanged",
    ]
    assert list(tmp_path.iterdir()) == []


# Its Python part alone, because a signal must reach the right process.
def test_without_once_the_demo_keeps_serving_until_interrupted(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, ROOT / "scripts" / "demo.py", "--port", str(free_port())],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        assert any("keeps serving" in line for line in demo.stdout)
        demo.send_signal(signal.SIGINT)
        assert "demo: done" in demo.stdout.read()
        assert demo.wait() == 0
    assert list(tmp_path.iterdir()) == []
