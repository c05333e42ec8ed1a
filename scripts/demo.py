"""The demo: a built image goes to dev at once, to prod by approval, and is taken back, on a repo of its own.

`scripts/demo` starts it inside .venv. It hides nothing: everything it shows can be done by hand, and
the commands are printed. It changes nothing outside a temporary folder, which is gone afterwards.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
IMAGE = "docker-registry.example.com/iris"
PATIENCE = 60.0  # seconds until the server must have answered
USUAL_PORT = 8080

Json = dict[str, Any]
# A proxy of the environment is for the outside, never for the loopback.
ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def say(text: str = "") -> None:
    """Print one line at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def step(text: str) -> None:
    """Print the headline of what comes next."""
    say()
    say(f"== {text}")


def git(*words: str, environment: Mapping[str, str] | None = None) -> str:
    """Run git and return what it printed; whose configuration it is does not matter."""
    calm = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", *words], check=True, stdout=subprocess.PIPE, env={**os.environ, **calm, **(environment or {})}
    )
    return done.stdout.decode()


def make_config_repo(folder: Path) -> Path:
    """Make a bare repository that holds config-repo-example/overlays as its first commit."""
    work, bare = folder / "work", folder / "config.git"
    shutil.copytree(ROOT / "config-repo-example" / "overlays", work)
    person = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Platform team"), ("EMAIL", "platform@example.com"))
    }
    git("init", "--quiet", "--initial-branch=main", str(work))
    git("-C", str(work), "add", "--all")
    git("-C", str(work), "commit", "--quiet", "--message=Start the config repo", environment=person)
    git("clone", "--quiet", "--bare", str(work), str(bare))
    return bare


def free_port(wanted: int | None) -> int:
    """Return the wanted port, or the usual one, or any that is free where that is taken."""
    for port in (wanted,) if wanted else (USUAL_PORT, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise SystemExit(f"demo: port {wanted} is taken; choose another with --port.")


@contextlib.contextmanager
def serving(repo: Path, folder: Path, port: int) -> Iterator[str]:
    """Run `updater serve` for the length of the block and give its URL."""
    settings = {
        "UPDATER_REPO": str(repo),
        "UPDATER_DATA": str(folder / "data"),
        "UPDATER_LISTEN": f"127.0.0.1:{port}",
        # For a laptop only: without tokens nobody gets in unless this is said in so many words.
        "UPDATER_LET_IN": "anyone-who-reaches-the-port",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UPDATER_")}
    log = folder / "server.log"
    for name, value in settings.items():
        say(f"   {name}={value}")
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "updater", "serve"],
            cwd=ROOT,
            env={**kept, **settings},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the demo, which then stops the server itself
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(server, url, log)
        yield url
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(15)
        server.kill()
        server.wait()


def wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Return when the server answers; end the demo with its log where it does not."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), ask(f"{url}/readyz", timeout=5):
            return
        threading.Event().wait(0.1)
    raise SystemExit(f"demo: the server did not start. It said:\n{log.read_text(errors='replace')}")


def call(url: str, path: str, body: Json | None = None) -> tuple[Json, str]:
    """Ask the API as curl would, which is printed; return the answer and where more of it will be."""
    sent = None if body is None else json.dumps(body, separators=(",", ":"))
    post = f"-X POST {url}{path} -H 'Content-Type:application/json' --data '{sent}'"
    # Unquoted, a shell would take the `&` of a query for its own.
    get = f"'{url}{path}'" if "?" in path else f"{url}{path}"
    say(f"$ curl {get}" if sent is None else f"$ curl {post}")
    request = urllib.request.Request(
        f"{url}{path}",
        data=None if sent is None else sent.encode(),
        headers={} if sent is None else {"Content-Type": "application/json"},
    )
    with ask(request, timeout=PATIENCE) as response:
        answer: Json = json.load(response)
        return answer, urllib.parse.urljoin(url, str(response.headers["Location"] or ""))


def build(url: str, tag: str) -> str:
    """Send what the original pipeline sends and return the address of the stored request."""
    _, location = call(url, "/api/auto-update", {"image": f"{IMAGE}:{tag}"})
    say(f"   the request is on disk, and its fate will be at {location}")
    return location


def outcome(location: str) -> Json:
    """Ask until the request is settled and return what became of it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with ask(location, timeout=PATIENCE) as response:
            answer: Json = json.load(response)
        if answer["outcome"]:
            say(f"   {answer['outcome']}: {answer['reason']}")
            for note in (note for one in answer["environments"] for note in one["notes"]):
                say(f"   note: {note}")
            return answer
        threading.Event().wait(0.1)
    raise SystemExit(f"demo: the request is still waiting: {answer['reason']}")


def expect(answer: Json, wanted: str) -> None:
    """End the demo where the outcome is not the one it explains."""
    if answer["outcome"] != wanted:
        raise SystemExit(f"demo: this should have been '{wanted}'.")


def show_dev(repo: Path, url: str) -> None:
    """Play three requests for dev, which takes a build at once, and explain the answers."""
    step("The pipeline built develop-52666 and says so")
    expect(outcome(build(url, "develop-52666")), "committed")
    step("The config repo has one commit more, and one line differs")
    say("$ git show")
    say(git("-C", str(repo), "show", "--stat", "--patch", "main").rstrip())
    step("A slow pipeline reports the older build develop-52664: it does not win")
    expect(outcome(build(url, "develop-52664")), "superseded")
    step("The first pipeline is run again and reports develop-52666 once more: no second commit")
    expect(outcome(build(url, "develop-52666")), "unchanged")


def show_prod(repo: Path, url: str) -> None:
    """Bring a build to prod, where people decide: first by a request, then by a promotion from dev."""
    step("The pipeline built main-811, which is for prod: it is proposed, and prod stays as it is")
    built = build(url, "main-811")
    expect(outcome(built), "proposed")
    step("A person looks at the proposal and approves it: it lands")
    approve(url)
    expect(outcome(built), "committed")
    step("Somebody wants in prod what runs in dev: the difference first, nothing is written")
    wish: Json = {"from": "dev", "to": "prod", "charts": ["iris"]}
    foreseen, _ = call(url, "/api/promotions", {**wish, "dry_run": True})
    for place in (place for one in foreseen["environments"] for place in one["places"]):
        say(f"   would be {foreseen['outcome']}: {place['file']}: {place['old']} -> {place['new']}")
    step("Then the promotion itself goes the way of every change for prod")
    _, promotion = call(url, "/api/promotions", wish)
    expect(outcome(promotion), "proposed")
    approve(url)
    expect(outcome(promotion), "committed")
    say()
    say("$ git log --oneline --graph")
    say(git("-C", str(repo), "log", "--oneline", "--graph", "main").rstrip())


def show_rollback(repo: Path, url: str) -> None:
    """Take back what stands in dev, and show what is held then, how that ends, and what is told of it."""
    step("develop-52666 turns out to be broken: it is taken back from dev, which is one revert")
    wish: Json = {"environment": "dev", "chart": "iris", "reason": "the login page is blank"}
    _, rollback = call(url, "/api/rollbacks", wish)
    expect(outcome(rollback), "committed")
    say("$ git show --stat")
    say(git("-C", str(repo), "show", "--stat", "main").rstrip())
    step("The pipeline sends the same build again: it is held, and so are older ones")
    expect(outcome(build(url, "develop-52666")), "held")
    listed, _ = call(url, "/api/holds")
    for hold in listed["holds"]:
        say(f"   {hold['environment']}/{hold['chart']}: {hold['build']} by {hold['by']}: {hold['reason']}")
    step("A newer build goes out by itself, and ends the hold")
    expect(outcome(build(url, "develop-52670")), "committed")
    step("Somebody asks later what became of develop-52666")
    told, _ = call(url, f"/api/why?image={IMAGE}:develop-52666&environment=dev")
    for one in told["why"]:
        say(f"   {one['text']}")


def approve(url: str) -> None:
    """Show the proposal for iris in prod with its diff, and approve what was shown."""
    address = "/api/proposals/prod/iris"
    proposal, _ = call(url, address)
    say(f"   {proposal['title']}")
    say(proposal["diff"].rstrip())
    decision, _ = call(url, f"{address}/approve", {"head": proposal["head"]})
    say(f"   {decision['reason']}")


def main() -> int:
    """Run the demo; return 0 when everything was shown."""
    parser = argparse.ArgumentParser(prog="scripts/demo")
    parser.add_argument("--once", action="store_true", help="end after the last answer")
    parser.add_argument("--port", type=int, help="the port of 127.0.0.1 to listen on")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="updater-demo-") as name, contextlib.suppress(KeyboardInterrupt):
        folder = Path(name)
        step("A config repo of our own, from config-repo-example/overlays")
        repo = make_config_repo(folder)
        say(f"   {repo}")
        step("The updater, on SQLite, open to everybody on this machine")
        with serving(repo, folder, free_port(options.port)) as url:
            show_dev(repo, url)
            show_prod(repo, url)
            show_rollback(repo, url)
            if not options.once:
                step("It keeps serving; Ctrl-C ends it and removes everything")
                say(f"   try the API at {url}/docs, the requests at {url}/api/updates,")
                say(f"   the history at {url}/api/history, the proposals at {url}/api/proposals,")
                say(f"   the repo with: git clone {repo}")
                threading.Event().wait()
    say()
    say("demo: done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
