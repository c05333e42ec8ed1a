"""What it costs to check a config repo: by static rules, against a base, and with a real Helm.

    .venv/bin/python benchmarks/check.py [--charts 1000] [--rounds 5] [--helm-rounds 1] [--helm PATH ...]

Makes a checkout with so many copies of the example's chart (twelve files each, with questions, a fleet.yaml
and overlays for two environments), commits it, and moves one tag. Each run is a process of its own, from its
start to its end. Prints the median and the least in seconds, the least time of processors (with Helm's), and
the most memory of one process. All lies in TMPDIR (use a tmpfs). Without --helm, the Helm binaries of the
tests are used.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import repos
from bench import ROOT

sys.path.insert(0, str(ROOT))

from support.barerepo import clean_environment
from support.helm import helm_binaries

EXAMPLE = ROOT / "config-repo-example" / "overlays"
CHART = EXAMPLE / "charts" / "iris"


def make(folder: Path, charts: int) -> None:
    """Make a checkout of so many charts with one commit, and move one tag in it."""
    shutil.copytree(EXAMPLE / ".updater", folder / ".updater")
    sources = {path.relative_to(CHART): path.read_text() for path in CHART.rglob("*") if path.is_file()}
    for number in range(charts):
        for name, text in sources.items():
            target = folder / "charts" / repos.app(number) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text.replace("iris", repos.app(number)))
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=Bench", "-c", "user.email=bench@example.com", "commit", "-qm", "Start")
    values = folder / "charts" / repos.app(0) / "values-dev.yaml"
    values.write_text(values.read_text().replace("develop-", "develop-1"))


def git(folder: Path, *words: str) -> None:
    """Run Git in the checkout."""
    subprocess.run(["git", "-C", str(folder), *words], check=True, env=clean_environment())


def measure(title: str, folder: Path, options: Sequence[str], rounds: int) -> None:
    """Run the command so many times and print what it took; a finding is an error of the benchmark."""
    times, processor, most = [], [], 0
    for _ in range(rounds):
        command = [sys.executable, "-m", "updater", "check", "--strict", str(folder), *options]
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        times.append(time.perf_counter() - started)
        processor.append(usage.ru_utime + usage.ru_stime)
        most = max(most, usage.ru_maxrss // 1024)
        if status:
            sys.exit(f"{' '.join(command)} found something: {said[-2000:]}")
    last = said.splitlines()[-1]
    took = f"{statistics.median(times):.1f} s (min {min(times):.1f}) | {min(processor):.1f} s"
    print(f"| {title} | {took} | {most} MB | {last} |")


def main() -> None:
    """Measure one size of checkout."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--charts", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--helm-rounds", type=int, default=1)
    arguments.add_argument("--helm", type=Path, nargs="*")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, options.charts)
        measure("static rules", folder, ["--no-helm"], options.rounds)
        measure("and against a base", folder, ["--no-helm", "--base", "HEAD"], options.rounds)
        for helm in options.helm or helm_binaries() if options.helm_rounds else ():
            measure("with Helm", folder, ["--helm", str(helm)], options.helm_rounds)


if __name__ == "__main__":
    main()
