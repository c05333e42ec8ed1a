"""The real server process over real HTTP, writing to a real smart-HTTP remote that asks for a token."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.barerepo import changed_lines, commit_as_person, fsck, git, log, make_bare, show
from support.gitserver import TOKEN, GitServer
from support.server import Answer, Server, running
from support.world import REGISTRY, RULES, chart

CALLER = "caller-token-with-enough-characters"


@dataclass
class Site:
    """A served config repo and a server that writes to it; `posts` speaks as a pipeline with a token."""

    bare: Path
    remote: GitServer
    server: Server

    def posts(self, image: str, wait: int | None = 30, **headers: str) -> Answer:
        sent = {"Authorization": f"Bearer {CALLER}", **headers}
        if wait is not None:
            sent["Prefer"] = f"wait={wait}"
        return self.server.ask("POST", "/api/auto-update", {"image": f"{REGISTRY}/{image}"}, headers=sent)

    def asks(self, path: str) -> Any:
        answer = self.server.ask("GET", path, headers={"Authorization": f"Bearer {CALLER}"})
        assert answer.status == 200, answer
        return answer.json

    def settled(self) -> list[dict[str, Any]]:
        """Wait until nothing is pending and return every request."""
        pause = threading.Event()
        for _ in range(600):
            if not self.asks("/api/updates?state=pending")["updates"]:
                return list(self.asks("/api/updates?limit=200")["updates"])
            pause.wait(0.1)
        lines = [line for line in self.server.log_text().splitlines() if "updater.access" not in line]
        raise AssertionError("still pending:\n" + "\n".join(lines[-20:]))


@contextmanager
def site(folder: Path, *names: str) -> Iterator[Site]:
    files = {".updater/rules.yaml": RULES}
    for name in names or ("iris",):
        files |= chart(name)
    (folder / "srv").mkdir()
    bare = make_bare(folder / "srv", files)
    tokens = folder / "tokens.yaml"
    digest = hashlib.sha256(CALLER.encode()).hexdigest()
    tokens.write_text(f"ci:\n  sha256: '{digest}'\n  images: ['**']\n  environments: ['*']\n")
    secret = folder / "remote-token"
    secret.write_text(TOKEN + "\n")
    with GitServer(folder / "srv") as remote:
        settings = {
            "UPDATER_REPO": remote.url(),
            "UPDATER_REPO_TOKEN_FILE": str(secret),
            "UPDATER_TOKENS_FILE": str(tokens),
            "UPDATER_POLL": "1s",
            "UPDATER_LOG": "json",
        }
        with running(settings, folder / "server") as server:
            yield Site(bare, remote, server)


def test_a_post_becomes_a_commit_and_the_answer_names_it(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        answer = here.posts("iris:develop-101")
        assert answer.status == 200
        assert answer.json["outcome"] == "committed"
        assert answer.json["commit"] == log(here.bare)[0].sha
        assert changed_lines(here.bare, "main") == ["-  tag: develop-100", "+  tag: develop-101"]
        again, older, refused = (
            here.posts(f"iris:{tag}") for tag in ("develop-101", "develop-99", "master-1")
        )
        assert (again.status, again.json["outcome"]) == (200, "unchanged")
        assert (older.status, older.json["outcome"]) == (200, "superseded")
        assert (refused.status, refused.json["outcome"]) == (409, "refused")
        assert here.asks(f"/api/updates/{answer.json['id']}")["outcome"] == "committed"
        assert len(log(here.bare)) == 2


def test_without_a_token_nobody_gets_in(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        body = {"image": f"{REGISTRY}/iris:develop-101"}
        for headers in ({}, {"Authorization": "Bearer wrong-token-of-enough-length"}):
            answer = here.server.ask("POST", "/api/auto-update", body, headers=headers)
            assert answer.status == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert here.settled() == []
        assert len(log(here.bare)) == 1


def test_eight_parallel_requests_on_different_charts_all_land(tmp_path: Path) -> None:
    names = [f"app-{number}" for number in range(8)]
    with site(tmp_path, *names) as here:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda name: here.posts(f"{name}:develop-101"), names))
        assert [answer.json["outcome"] for answer in answers] == ["committed"] * 8
        assert len(log(here.bare)) == 9
        assert not git(here.bare, "rev-list", "--merges", "main")
        fsck(here.bare)


def test_eight_parallel_requests_on_one_key_are_all_answered_and_the_newest_wins(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda number: here.posts(f"iris:develop-{number}"), range(101, 109)))
        assert {answer.status for answer in answers} == {200}
        assert {answer.json["outcome"] for answer in answers} <= {"committed", "superseded"}
        assert show(here.bare, "main", "charts/iris/values-dev.yaml") == b"image:\n  tag: develop-108\n"
        tags = [int(commit.subject.split("-")[1].split()[0]) for commit in reversed(log(here.bare)[:-1])]
        assert tags == sorted(tags), "an older build was never written over a newer one"


def test_killed_under_load_it_finishes_everything_it_accepted_once(tmp_path: Path) -> None:
    names = [f"app-{number}" for number in range(10)]
    with site(tmp_path, *names) as here:
        accepted: list[str] = []
        for round_ in range(3):
            posted = threading.Event()

            def post(number: int, round_: int = round_, posted: threading.Event = posted) -> None:
                try:
                    answer = here.posts(
                        f"{names[number % 10]}:develop-{101 + 10 * round_ + number // 10}", wait=None
                    )
                except OSError:
                    return  # the server died under it: not accepted, so nothing is promised
                if answer.status == 202:
                    accepted.append(answer.json["id"])
                    posted.set()

            with ThreadPoolExecutor(8) as pool:
                for number in range(40):
                    pool.submit(post, number)
                posted.wait(10)
                here.server.kill9()
            here.server.restart()
        requests = {one["id"]: one for one in here.settled()}
        assert accepted
        assert set(accepted) <= requests.keys(), "nothing accepted is lost"
        assert {requests[one]["outcome"] for one in accepted} <= {"committed", "superseded", "unchanged"}
        subjects = [commit.subject for commit in log(here.bare)]
        assert len(subjects) == len(set(subjects)), "nothing is written twice"
        fsck(here.bare)


def test_a_person_who_pushes_all_the_time_loses_nothing(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        stop = threading.Event()
        pushed: list[str] = []

        def push() -> None:
            while not stop.is_set():
                try:
                    pushed.append(commit_as_person(here.bare, {"README.md": f"{len(pushed)}\n"}))
                except AssertionError:
                    continue  # the updater was first; a person tries again
                stop.wait(0.4)  # quicker than anybody, slower than one push

        person = threading.Thread(target=push)
        person.start()
        try:
            outcomes = [here.posts(f"iris:develop-{number}").json["outcome"] for number in range(101, 109)]
        finally:
            stop.set()
            person.join()
        assert outcomes == ["committed"] * 8
        history = {commit.sha for commit in log(here.bare)}
        assert pushed
        assert set(pushed) <= history
        assert len(history) == len(pushed) + 9


def test_a_remote_that_comes_back_is_served_without_a_restart(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        here.remote.status = 503
        answer = here.posts("iris:develop-101", wait=1)
        assert answer.status == 202
        ready = here.server.ask("GET", "/readyz")
        assert ready.status == 200, "requests can still be stored"
        assert ready.json["problems"]
        here.remote.heal()
        assert [one["outcome"] for one in here.settled()] == ["committed"]
        assert here.server.ask("GET", "/readyz").json["problems"] == []


def test_a_push_whose_answer_was_lost_is_found_again(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        here.remote.hang_up_after_push = True
        answer = here.posts("iris:develop-101", wait=1)
        assert answer.status == 202
        here.remote.heal()
        (request,) = here.settled()
        assert request["outcome"] == "committed"
        assert request["commit"] == log(here.bare)[0].sha
        assert len(log(here.bare)) == 2


def test_a_stop_finishes_what_is_under_way(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        for number in range(101, 111):
            here.posts(f"iris:develop-{number}", wait=None)
        assert here.server.stop() == 0
        assert "Traceback" not in here.server.log_text()
        here.server.restart()
        assert {one["outcome"] for one in here.settled()} <= {"committed", "superseded"}
        assert show(here.bare, "main", "charts/iris/values-dev.yaml") == b"image:\n  tag: develop-110\n"


def processes_naming(text: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environ = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            if text.encode() in environ:
                found.append(process.name)
    return found


def test_a_stop_answers_who_waits_and_does_not_wait_for_a_remote_that_hangs(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        here.remote.hang = True
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(here.posts, "iris:develop-101", 60)
            pause = threading.Event()
            while not here.asks("/api/updates?state=pending")["updates"]:
                pause.wait(0.05)
            assert here.server.stop() == 0
            assert waiting.result().status == 202
        assert processes_naming(str(here.server.folder / "data")) == []
        here.remote.heal()
        here.server.restart()
        assert [one["outcome"] for one in here.settled()] == ["committed"]


def test_a_worker_process_that_is_killed_is_replaced_and_its_work_goes_on(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        here.remote.status = 503
        assert here.posts("iris:develop-101", wait=1).status == 202
        main = here.server.process.pid
        (child,) = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
        here.remote.heal()
        pause = threading.Event()
        for _ in range(200):
            with suppress(OSError):
                if here.server.ask("GET", "/healthz").status == 200:
                    break
            pause.wait(0.1)
        assert [one["outcome"] for one in here.settled()] == ["committed"]


def test_no_secret_reaches_a_log_a_file_or_an_argument(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        seen: list[str] = []
        stop = threading.Event()

        def watch() -> None:
            while not stop.is_set():
                for process in Path("/proc").glob("[0-9]*/cmdline"):
                    try:
                        seen.append(process.read_bytes().decode(errors="replace"))
                    except OSError:
                        continue

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            here.posts("iris:develop-101")
            here.remote.token = "changed-meanwhile"
            here.posts("iris:develop-102", wait=1)
        finally:
            stop.set()
            watcher.join()
        header = re.escape(here.remote.authorization.split()[1])
        for secret in (TOKEN, CALLER):
            assert not any(secret in line for line in seen)
            assert secret not in here.server.log_text()
        data = here.server.folder / "data"
        for path in [one for one in data.rglob("*") if one.is_file()]:
            content = path.read_bytes()
            assert TOKEN.encode() not in content, path
            assert CALLER.encode() not in content, path
            assert not re.search(header.encode(), content), path
        assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_every_line_of_the_json_log_is_an_object(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        here.posts("iris:develop-101")
        lines = [json.loads(line) for line in here.server.log_text().splitlines()]
        assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
        assert any("is committed" in line["message"] for line in lines)
