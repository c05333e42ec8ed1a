"""What the history of deployments costs, and what is told from it: history, status, why; and its memory.

    .venv/bin/python benchmarks/history.py [--charts 1000] [--folders] [--commits 50000] [--rounds 5]

Makes a config repo with so many commits, of which every 100th is a person's and all others carry the
updater's trailers, and mirrors it over smart HTTP. Prints the median and the least of each, in
milliseconds. What people ask is asked of the worker as a server would, once without being measured and
then again and again, each time with a fetch. All lies in TMPDIR (use a tmpfs).
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import repos
from bench import ROOT, remote

sys.path.insert(0, str(ROOT))

from support.gitserver import TOKEN

from updater import wiring
from updater.configrepo import ConfigRepo, Draft, Identity, Remote
from updater.forge.local import Local
from updater.history import History
from updater.messages import Messages
from updater.model import ImageReference, Question
from updater.policy import Environment, Tags
from updater.store import Store
from updater.trailers import written
from updater.worker import Doors, Habits, Worker

IDENTITY = Identity("Bench", "updater@example.com", "Bench", "updater@example.com")
ENVIRONMENTS = [Environment(name="dev", tags=Tags(pattern="develop-(?P<build>[0-9]+)"))]
EVERY = 100
RULES = b"environments: {dev: {tags: {pattern: 'develop-(?P<build>[0-9]+)'}}}\n"
START = 1_700_000_000


def message(chart: int, tag: str, old: str) -> str:
    """Return what the updater says of one update."""
    name, project = repos.app(chart), f"https://gitlab.example.com/shop/{repos.app(chart)}"
    image = f"{repos.image(chart)}:{tag}"
    number = int(tag.rpartition("-")[2])
    trailers = written(
        [
            ("Image", image),
            ("Previous", old),
            ("Environment", "dev"),
            ("Chart", name),
            ("Request", f"01990000-0000-7000-8000-{number:012x}"),
            ("Source", f"{project}/-/commit/{number:040x}"),
            ("Pipeline", f"{project}/-/pipelines/{number}"),
            ("Requested-By", "Kim Iris"),
            ("Source-Time", datetime.fromtimestamp(START + number, UTC).isoformat()),
        ]
    )
    return f"{name} {tag} in dev\n\n{image}: {old} -> {tag}\n\n{trailers}\n"


def grow(bare: Path, charts: int, commits: int, *, every: int, flat: bool) -> list[str]:
    """Add so many commits to the branch; return the tag that each chart has."""
    tags = ["develop-1"] * charts
    command = ["git", "-C", str(bare), "fast-import", "--quiet", "--done"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as importing:
        assert importing.stdin
        # Bit by bit: the memory of this process is measured.
        importing.stdin.writelines(_stream(tags, commits, every=every, flat=flat))
    if importing.returncode:
        raise SystemExit("git fast-import failed.")
    return tags


def _stream(tags: list[str], commits: int, *, every: int, flat: bool) -> Iterator[bytes]:
    for number in range(2, commits + 2):
        chart, tag = number * 37 % len(tags), f"develop-{number}"
        is_own = number % every != 0
        text = (message(chart, tag, tags[chart]) if is_own else "By hand\n").encode()
        who = b"Bench <updater@example.com>" if is_own else b"Kim Iris <kim@example.com>"
        origin = b"refs/heads/main^0" if number == 2 else b":%d" % (number - 1)
        path, content = repos.values_path(chart, flat=flat).encode(), repos.values(chart, tag).encode()
        yield b"commit refs/heads/main\nmark :%d\ncommitter %s %d +0000\n" % (number, who, START + number)
        yield b"data %d\n%s\nfrom %s\n" % (len(text), text, origin)
        yield b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(content), content)
        if number == every:
            yield b"M 100644 inline .updater/rules.yaml\ndata %d\n%s\n" % (len(RULES), RULES)
        tags[chart] = tag
    yield b"done\n"


def more(repo: ConfigRepo, chart: int, tag: str, old: str, *, flat: bool) -> None:
    """Have the updater make one more commit."""
    base = repo.snapshot("main")
    files = {repos.values_path(chart, flat=flat): repos.values(chart, tag).encode()}
    (commit,) = repo.commit(base, [Draft(files, message(chart, tag, old), datetime.now(UTC))])
    repo.push({"main": (base.commit, commit)})


def measure(
    repo: ConfigRepo, tags: list[str], rounds: int, *, flat: bool
) -> Iterator[tuple[str, list[float]]]:
    """Yield what was measured, and its times in seconds."""
    rows: dict[str, list[float]] = {
        "from nothing": [],
        "kept": [],
        "restored": [],
        "one more": [],
        "all deployments": [],
        "one chart's": [],
    }
    for turn in range(rounds):
        history = History(repo)
        rows["from nothing"].append(_follow(history, repo))
        started = time.perf_counter()
        content = history.packed()
        rows["kept"].append(time.perf_counter() - started)
        started = time.perf_counter()
        history = History(repo)
        history.restore(content, ENVIRONMENTS)
        rows["restored"].append(time.perf_counter() - started)
        tag = f"develop-{10_000_000 + turn}"
        more(repo, turn, tag, tags[turn], flat=flat)
        rows["one more"].append(_follow(history, repo))
        for name, chart in (("all deployments", ""), ("one chart's", repos.app(turn))):
            started = time.perf_counter()
            found = history.deployments("dev", chart)
            rows[name].append(time.perf_counter() - started)
            if found[-1].kind != "by-hand" or found[0].tag != tag:
                raise SystemExit(f"The history is wrong: {found[0]}")
    yield from rows.items()


def ask(repo: ConfigRepo, folder: Path, tags: list[str], rounds: int) -> Iterator[tuple[str, list[float]]]:
    """Yield what people ask a worker that has answered before, and the times in seconds."""
    clock = [datetime.now(UTC)]
    store = Store(folder / "data", clock=lambda: clock[0])
    forge = Local(repo, lambda: clock[0], lambda _: "main")
    doors = Doors(
        store=store,
        repo=repo,
        forge=forge,
        messages=Messages(wiring.templates(None)),
        clock=lambda: clock[0],
    )
    habits = Habits(give_up_after=timedelta(days=1), poll=timedelta(seconds=30), link=lambda _: "")
    accounts = Worker(doors, habits).accounts
    image = ImageReference.parse(f"{repos.image(7)}:{tags[7]}")
    questions: dict[str, Callable[[], object]] = {
        "history, newest 50": lambda: accounts.history(Question()),
        "history of a chart": lambda: accounts.history(Question(chart=repos.app(7))),
        "figures": lambda: accounts.figures(Question()),
        "status": accounts.status,
        "why": lambda: accounts.why(image, None, has_requests=True),
    }
    for name, question in questions.items():
        question()
        times: list[float] = []
        for _ in range(rounds):
            clock[0] += timedelta(seconds=3)  # what was seen so long ago is fetched and looked at again
            started = time.perf_counter()
            question()
            times.append(time.perf_counter() - started)
        yield name, times
    store.close()


def command(url: str, folder: Path, rounds: int) -> Iterator[tuple[str, list[float]]]:
    """Yield commands as whole processes, with a mirror that is kept, and their times in seconds."""
    variables = {
        "UPDATER_REPO": url,
        "UPDATER_REPO_TOKEN": TOKEN,
        "UPDATER_CACHE": str(folder / "cache"),
        "UPDATER_COMMITTER": f"{IDENTITY.committer_name} <{IDENTITY.committer_email}>",
    }
    for words in (["history"], ["history", repos.app(7)], ["status"], ["status", repos.app(7)]):
        times: list[float] = []
        for _ in range(rounds + 1):
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "updater", *words],
                check=True,
                cwd=ROOT,
                env={**os.environ, **variables},
                stdout=subprocess.DEVNULL,
            )
            times.append(time.perf_counter() - started)
        yield f"updater {' '.join(words)}", times[1:]


def _follow(history: History, repo: ConfigRepo) -> float:
    tip = repo.snapshot("main").commit
    started = time.perf_counter()
    history.follow(tip, ENVIRONMENTS)
    return time.perf_counter() - started


def main() -> None:
    """Measure one history."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--charts", type=int, default=1000)
    arguments.add_argument("--folders", action="store_true", help="256 charts to a folder, not one for all")
    arguments.add_argument("--commits", type=int, default=50_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--every", type=int, default=EVERY, help="how many commits to one of a person")
    arguments.add_argument("--commands", action="store_true", help="the command line with UPDATER_CACHE, too")
    options = arguments.parse_args()
    flat = not options.folders
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "srv").mkdir()
        bare = folder / "srv" / "config.git"
        repos.make(bare, options.charts, flat=flat)
        tags = grow(bare, options.charts, options.commits, every=options.every, flat=flat)
        with remote(folder / "srv") as url:
            repo = ConfigRepo(Remote(f"{url}/config.git", TOKEN), folder / "mirror", identity=IDENTITY)
            repo.snapshot("main")
            before = _memory()
            _follow(History(repo), repo)
            peak = _memory() - before
            for what, times in measure(repo, tags, options.rounds, flat=flat):
                sys.stdout.write(f"{what:20} {_ms(times)}\n")
            for what, times in ask(repo, folder, tags, options.rounds):
                sys.stdout.write(f"{what:20} {_ms(times)}\n")
            if options.commands:
                for what, times in command(f"{url}/config.git", folder, options.rounds):
                    sys.stdout.write(f"{what:20} {_ms(times)}\n")
            sys.stdout.write(f"{'memory':20} {peak} MB more at most than before\n")
            repo.close()


def _memory() -> int:
    """Return the most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _ms(times: list[float]) -> str:
    return f"{statistics.median(times) * 1000:.2f} (min {min(times) * 1000:.2f}) ms"


if __name__ == "__main__":
    main()
