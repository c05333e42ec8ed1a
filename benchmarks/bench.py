"""What the updater costs, side by side with the floor and with what people do today.

    .venv/bin/python benchmarks/bench.py [--charts 10 1000 10000] [--rounds 9] [--markdown FILE]

For each size it makes a config repo, serves it over smart HTTP with a token check, starts the real
server and measures, in turns so that a noisy machine is noisy for all:

  floor   a bare `git push` of one ready commit
  update  a request accepted -> its commit visible on the remote
  today   git clone --depth 1, sed, commit, push
  burst   many requests on different charts: accepted a second, p99, landed a second,
          against as many ready commits in one push
  server  memory of the serving process, cold and second start

All repos lie in TMPDIR (use a tmpfs); the server's data lies in --data, on a real disk by default,
because a 202 is a promise about a disk.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import repos

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.gitserver import TOKEN, USER, clean_environment, git, tip  # noqa: E402 - lies in tests/
from support.server import Server  # noqa: E402

CALLERS = 32
HEADER = "Authorization: Basic " + base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()


def pushing_environment() -> dict[str, str]:
    """Return what lets a plain `git` push over HTTP without a prompt or a second round trip."""
    return clean_environment() | {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": HEADER,
        "GIT_TERMINAL_PROMPT": "0",
    }


@dataclass
class Bench:
    """One size: its remote, its clone with ready commits, its server, and how often each chart moved."""

    charts: int
    flat: bool
    folder: Path
    remote: str
    bare: Path
    tag: int = 1000
    rows: list[tuple[str, str]] = field(default_factory=list)

    def next_tag(self) -> str:
        """Return a tag newer than all before."""
        self.tag += 1
        return f"develop-{self.tag}"

    def visible(self, before: str) -> str:
        """Wait until the branch has moved from `before`; return where it stands."""
        ref = self.bare / "refs" / "heads" / "main"
        while True:
            now = ref.read_text().strip() if ref.exists() else before
            if now and now != before:
                return now
            time.sleep(0.001)

    # The floor

    def ready(self, count: int) -> tuple[Path, str]:
        """Make `count` commits on the remote's tip in a mirror; nothing is pushed yet."""
        mirror = self.folder / "floor.git"
        if not mirror.exists():
            subprocess.run(["git", "clone", "-q", "--mirror", str(self.bare), str(mirror)], check=True)
            for name, value in (
                ("remote.origin.url", self.remote),
                ("gc.auto", "0"),
                ("fastimport.unpackLimit", "1"),
            ):
                git(mirror, "config", name, value)
        git(mirror, "fetch", "-q", str(self.bare), "+main:refs/heads/main")
        stream, parent = [], tip(self.bare)
        for number in range(count):
            content = repos.values(number, self.next_tag()).encode()
            path = repos.values_path(number, flat=self.flat)
            origin = parent if number == 0 else f":{number}"
            stream.append(
                b"commit refs/bench/ready\nmark :%d\n"
                b"committer Bench <bench@example.com> %d +0000\ndata 5\nready\n"
                b"from %s\nM 100644 inline %s\ndata %d\n%s\n"
                % (number + 1, 1_800_000_000 + number, origin.encode(), path.encode(), len(content), content)
            )
        git(mirror, "fast-import", "--quiet", "--force", stdin=b"".join(stream))
        return mirror, git(mirror, "rev-parse", "refs/bench/ready")

    def floor(self, count: int = 1) -> float:
        """Push `count` ready commits with a bare `git push`; return the seconds."""
        mirror, commit = self.ready(count)
        started = time.perf_counter()
        subprocess.run(
            ["git", "-C", str(mirror), "push", "-q", self.remote, f"{commit}:refs/heads/main"],
            check=True,
            env=pushing_environment(),
        )
        return time.perf_counter() - started

    def today(self) -> float:
        """Clone, edit, commit and push as a script does; return the seconds."""
        number = self.tag % self.charts
        started = time.perf_counter()
        subprocess.run(
            [
                str(ROOT / "benchmarks" / "today.sh"),
                self.remote,
                repos.values_path(number, flat=self.flat),
                self.next_tag(),
            ],
            check=True,
            env=pushing_environment() | {"TMPDIR": str(self.folder)},
        )
        return time.perf_counter() - started

    def update(self, server: Server) -> float:
        """Post one image; return the seconds from the answer 202 to the commit on the remote."""
        number = (self.tag * 7) % self.charts
        before = tip(self.bare)
        answer = server.ask("POST", "/api/auto-update", {"image": f"{repos.image(number)}:{self.next_tag()}"})
        started = time.perf_counter()
        if answer.status != 202:
            raise SystemExit(f"not accepted: {answer.status} {answer.body!r}")
        self.visible(before)
        return time.perf_counter() - started

    def burst(self, server: Server, count: int) -> dict[str, float]:
        """Post `count` images at once on different charts; return rates and the 99th percentile."""
        tag, before = self.next_tag(), tip(self.bare)
        jobs = list(range(count))
        taken = threading.Lock()
        times: list[float] = []
        host, port = server.url.removeprefix("http://").split(":")

        def call() -> None:
            connection = http.client.HTTPConnection(host, int(port), timeout=60)
            while True:
                with taken:
                    if not jobs:
                        break
                    number = jobs.pop()
                body = json.dumps({"image": f"{repos.image(number)}:{tag}"})
                started = time.perf_counter()
                connection.request("POST", "/api/auto-update", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 202:
                    raise SystemExit(f"not accepted: {answer.status}")
                times.append(time.perf_counter() - started)
            connection.close()

        callers = [threading.Thread(target=call) for _ in range(min(CALLERS, count))]
        started = time.perf_counter()
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        accepted = time.perf_counter() - started
        while int(git(self.bare, "rev-list", "--count", f"{before}..main")) < count:
            time.sleep(0.005)
        landed = time.perf_counter() - started
        return {
            "accepted_per_s": count / accepted,
            "p99_ms": sorted(times)[int(len(times) * 0.99) - 1] * 1000,
            "landed_per_s": count / landed,
            "seconds": landed,
        }


def worker_memory(server: Server) -> float:
    """Return the resident memory of the serving process (gunicorn's only child), in MB."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    status = Path(f"/proc/{children[0]}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@contextmanager
def remote(root: Path) -> Iterator[str]:
    """Serve the folder of bare repos in a process of its own, as a Git server would be."""
    process = subprocess.Popen(
        [sys.executable, "-m", "support.gitserver", str(root), "--token", TOKEN],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip().rstrip("/")
    finally:
        process.communicate()


def settings(url: str) -> Mapping[str, str]:
    """Return the server's settings."""
    return {
        "UPDATER_REPO": url,
        "UPDATER_REPO_TOKEN": TOKEN,
        "UPDATER_LET_IN": "anyone-who-reaches-the-port",
        "UPDATER_LOG_LEVEL": "warning",
    }


def started(config: Mapping[str, str], data: Path, bench: Bench) -> tuple[Server, str]:
    """Start the server; return it with the seconds until it answered and its first update was visible."""
    begin = time.perf_counter()
    server = Server({**config, "UPDATER_DATA": str(data)}, bench.folder)
    answers = time.perf_counter() - begin
    bench.update(server)
    return server, f"{answers:.1f} s / {time.perf_counter() - begin:.1f} s"


def measure(bench: Bench, data: Path, rounds: int) -> None:
    """Fill in the rows of one size."""
    config = settings(bench.remote)
    server, cold = started(config, data, bench)
    try:
        floor, update, today = [], [], []
        for turn in range(rounds):
            floor.append(bench.floor())
            bench.update(server)  # finds the branch moved, and plans again
            update.append(bench.update(server))
            if turn < max(2, rounds // 3):
                today.append(bench.today())
                bench.update(server)
        bench.rows += [
            ("a. floor: git push of one ready commit", _ms(floor)),
            ("b. request accepted -> commit visible", f"{_ms(update)}, {_ratio(update, floor)} the floor"),
            ("c. today: clone, edit, commit, push", f"{_ms(today)}, {_ratio(today, floor)} the floor"),
        ]
        for count in (100, 1000):
            if count <= bench.charts:
                _measure_burst(bench, server, count)
        memory = worker_memory(server)
        server.stop()
        server, second = started(config, data, bench)
        bench.rows.append(("e. memory of the serving process", f"{memory:.0f} MB"))
        bench.rows.append(("e. cold start: answers / first commit visible", cold))
        bench.rows.append(("e. second start: answers / first commit visible", second))
    finally:
        server.kill9()


def _measure_burst(bench: Bench, server: Server, count: int) -> None:
    floors = [bench.floor(count) for _ in range(3)]
    bench.update(server)
    bursts = [bench.burst(server, count) for _ in range(3)]
    middle = sorted(bursts, key=lambda one: one["seconds"])[1]
    floor = statistics.median(floors)
    bench.rows.append(
        (f"d. floor: {count} ready commits in one push", f"{floor:.2f} s, {count / floor:.0f}/s")
    )
    bench.rows.append(
        (
            f"d. burst of {count}: accepted, p99; landed",
            f"{middle['accepted_per_s']:.0f}/s, {middle['p99_ms']:.0f} ms; {middle['landed_per_s']:.0f}/s "
            f"in {middle['seconds']:.2f} s, {middle['seconds'] / floor:.2f}x the floor",
        )
    )


def _ms(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f} ms (min {min(seconds) * 1000:.0f})"


def _ratio(seconds: list[float], floor: list[float]) -> str:
    return f"{statistics.median(seconds) / statistics.median(floor):.2f}x"


def main() -> None:
    """Measure all sizes and print a table each."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--charts", type=int, nargs="+", default=[10, 1000, 10000])
    arguments.add_argument("--rounds", type=int, default=9)
    arguments.add_argument("--data", type=Path, default=None, help="a folder on a real disk")
    arguments.add_argument("--markdown", type=Path, help="write the tables there too")
    options = arguments.parse_args()
    lines = [
        f"{os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}, "
        f"{git(Path.cwd(), 'version')}"
    ]
    for charts in options.charts:
        for flat in [False, True] if charts > repos.PER_FOLDER else [True]:
            lines += _one_size(charts, flat=flat, options=options)
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")


def _one_size(charts: int, *, flat: bool, options: argparse.Namespace) -> list[str]:
    shape = "in one folder" if flat else f"in folders of {repos.PER_FOLDER}"
    lines = ["", f"### {charts:,} charts {shape}", "", "| what | measured |", "| --- | --- |"]
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    data = Path(tempfile.mkdtemp(prefix="updater-bench-", dir=options.data or Path.home()))
    try:
        (folder / "srv").mkdir()
        bare = folder / "srv" / "config.git"
        repos.make(bare, charts, flat=flat)
        with remote(folder / "srv") as url:
            bench = Bench(charts, flat, folder, f"{url}/config.git", bare)
            measure(bench, data, options.rounds)
        lines += [f"| {name} | {figure} |" for name, figure in bench.rows]
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(data)
    print("\n".join(lines), flush=True)
    return lines


if __name__ == "__main__":
    main()
