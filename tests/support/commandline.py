"""The command line as people and scripts run it: a real process, its output and its exit code.

Hides where the process gets its environment from: everything that is set here, but no setting of the
updater and nothing of a pipeline that a test does not give.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ran:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


def updater(*arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Ran:
    """Run a command of the updater to its end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UPDATER_", "CI_"))}
    done = subprocess.run(
        [sys.executable, "-m", "updater", *arguments],
        capture_output=True,
        text=True,
        env={**kept, **(env or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def table(out: str) -> list[dict[str, str]]:
    """Return the rows of a table that was printed into a pipe, each by heading."""
    head, *lines = out.splitlines()
    starts = [found.start() for found in re.finditer(r"(?:^|(?<=  ))\S", head)]
    cuts = list(zip(starts, [*starts[1:], None], strict=True))
    headings = [head[start:end].strip() for start, end in cuts]
    return [
        dict(zip(headings, (line[start:end].strip() for start, end in cuts), strict=True)) for line in lines
    ]
