"""`scripts/demo` shows what it promises, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from support.documents import ROOT
from support.server import free_port

from updater.model import OutcomeKind

OUTCOMES = {kind.value for kind in OutcomeKind} | {"would be proposed"}


def environment(scratch: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(scratch)}


def test_the_demo_shows_builds_for_dev_proposals_for_prod_and_a_rollback(tmp_path: Path) -> None:
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
    for old, new in (
        ("develop-52665", "develop-52666"),
        ("main-810", "main-811"),
        ("main-811", "develop-52666"),
    ):
        assert f"\n-  tag: {old}\n+  tag: {new}\n" in done.stdout
    told = [line.split(":")[0].strip() for line in done.stdout.splitlines() if line.startswith("   ")]
    assert [word for word in told if word in OUTCOMES] == [
        *("committed", "superseded", "unchanged"),
        *("proposed", "committed"),
        *("would be proposed", "proposed", "committed"),
        *("committed", "held", "committed"),
    ]
    assert (
        "   note: The hold on develop-52666 of iris in dev ends with this, as develop-52670 goes out.\n"
        in done.stdout
    )
    assert "   dev/iris: develop-52666 by anyone: the login page is blank\n" in done.stdout
    why = done.stdout.split("became of develop-52666\n")[1]
    assert "develop-52666 does not stand in dev. There stands develop-52670 in iris" in why
    assert re.findall(r"(?m)^\* +[0-9a-f]{7,} (.*)$", done.stdout) == [
        "Merge prod/iris: iris develop-52666 in prod",
        "Merge prod/iris: iris main-811 in prod",
        "iris develop-52666 in dev",
        "Start the config repo",
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
