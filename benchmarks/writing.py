"""What commits cost without the server around them: made in the mirror, then pushed.

    .venv/bin/python benchmarks/writing.py [--charts 1000] [--folders] [--drafts 1 100 1000] [--rounds 5]

Prints the median and the least of each, in milliseconds. All lies in TMPDIR (use a tmpfs); the remote
is a smart-HTTP server in a process of its own.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import repos
from bench import ROOT, remote

sys.path.insert(0, str(ROOT))

from support.gitserver import TOKEN

from updater.configrepo import ConfigRepo, Draft, Identity, Remote

IDENTITY = Identity("Bench", "bench@example.com", "Bench", "bench@example.com")


def drafts(count: int, charts: int, *, flat: bool, turn: int) -> list[Draft]:
    """Return drafts that each give a chart a tag of its own."""
    made = []
    for number in range(count):
        chart, tag = (turn + number) * 37 % charts, f"develop-{turn}-{number}"
        path = repos.values_path(chart, flat=flat)
        message = f"Update {repos.app(chart)} to {tag}\n\nUpdater-Image: {repos.image(chart)}:{tag}\n"
        made.append(Draft({path: repos.values(chart, tag).encode()}, message, datetime.now(UTC)))
    return made


def measure(repo: ConfigRepo, batch: list[Draft]) -> tuple[float, float]:
    """Commit and push a batch; return the seconds each took."""
    base = repo.snapshot("main")
    started = time.perf_counter()
    commits = repo.commit(base, batch)
    made = time.perf_counter()
    repo.push({"main": (base.commit, commits[-1])})
    return made - started, time.perf_counter() - made


def main() -> None:
    """Measure one size of config repo."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--charts", type=int, default=1000)
    arguments.add_argument("--folders", action="store_true", help="256 charts to a folder, not one for all")
    arguments.add_argument("--drafts", type=int, nargs="+", default=[1, 100, 1000])
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    flat, turn = not options.folders, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "srv").mkdir()
        repos.make(folder / "srv" / "config.git", options.charts, flat=flat)
        with remote(folder / "srv") as url:
            repo = ConfigRepo(Remote(f"{url}/config.git", TOKEN), folder / "mirror", identity=IDENTITY)
            measure(repo, drafts(1, options.charts, flat=flat, turn=turn))
            for count in options.drafts:
                rows = []
                for _ in range(options.rounds):
                    turn += 1
                    rows.append(measure(repo, drafts(count, options.charts, flat=flat, turn=turn)))
                sys.stdout.write(f"{count:5} drafts: commit {_ms(rows, 0)}, push {_ms(rows, 1)}\n")
            repo.close()


def _ms(rows: list[tuple[float, float]], part: int) -> str:
    times = [row[part] * 1000 for row in rows]
    return f"{statistics.median(times):.1f} (min {min(times):.1f}) ms"


if __name__ == "__main__":
    main()
