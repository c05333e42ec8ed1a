"""The component auto-update, run by a real CI runner against the real server and real Git."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support import gitserver
from support.certificates import self_signed
from support.components import as_component, component_files, including, write_tool
from support.pipeline import CodeRepo, JobResult
from support.server import Server, free_port, running
from support.world import REGISTRY, chart, values

from updater.web.examples import SETTLED

pytestmark = pytest.mark.runner

TOKEN = "token-of-the-component-in-this-test"
EVIL = "feature/a\"b$(>hit)';&`c"
RULES = r"""
environments:
  dev:
    files: charts/*/values-dev.yaml
    tags: {pattern: '^(develop|feature-[a-z-]+)-(?P<build>[0-9]+)$', order: numeric}
  prod:
    files: charts/*/values-prod.yaml
    tags: {pattern: '^main-(?P<build>[0-9]+)$', order: numeric}
    delivery: merge-request
  frozen:
    files: frozen/*/values.yaml
    tags: {pattern: '^frozen-(?P<build>[0-9]+)$', order: numeric}
    freeze: {from: '2020-01-01 00:00', until: '2999-01-01 00:00', reason: nobody works today}
"""
FILES = {
    ".updater/rules.yaml": RULES,
    **chart("iris"),
    "charts/iris/values-prod.yaml": "image:\n  tag: main-1\n",
    "frozen/rose/Chart.yaml": "apiVersion: v2\nname: rose\nversion: 0.1.0\n",
    "frozen/rose/values.yaml": values("rose", "frozen-1"),
}


@dataclass(frozen=True)
class House:
    """A server with tokens, and the Git server of its config repo."""

    server: Server
    remote: gitserver.GitServer
    bare: Path


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    bare = gitserver.make_bare(folder / "remote", FILES)
    tokens = folder / "tokens.yaml"
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    tokens.write_text(f"ci: {{sha256: '{digest}', images: ['**'], environments: ['*']}}\n")
    with gitserver.GitServer(bare.parent) as remote:
        settings = {
            "UPDATER_REPO": remote.url(),
            "UPDATER_REPO_TOKEN": gitserver.TOKEN,
            "UPDATER_TOKENS_FILE": str(tokens),
            "UPDATER_COMMIT_URL": "https://gitlab.example.com/config/-/commit/{commit}",
        }
        with running(settings, folder / "server") as server:
            yield House(server, remote, bare)


@contextlib.contextmanager
def answering(status: int, text: bytes, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that gives every request one answer, in the clear unless there is a `context`."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.send_response_only(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET  # noqa: N815 (the base class's name)

    http = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    if context is not None:
        http.socket = context.wrap_socket(http.socket, server_side=True)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if context else ''}://127.0.0.1:{http.server_address[1]}"
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def run(
    folder: Path,
    url: str,
    inputs: Mapping[str, object] | None = None,
    *,
    branch: str = "develop",
    tools: Path | None = None,
) -> JobResult:
    """Build an image on a branch: the pipeline's one job tells the updater."""
    usual = {"url": url, "image": f"{REGISTRY}/iris", "branches": "/./", "allow-http": True}
    given = usual | dict(inputs or {})
    code = CodeRepo(folder, including("auto-update", given), component_files("auto-update"), branch=branch)
    author = 'Jörg "J" <developer@example.com>'
    variables = {"CI_PIPELINE_ID": "52666", "AUTO_UPDATE_TOKEN": TOKEN, "CI_COMMIT_AUTHOR": author}
    return code.run(["auto-update"], variables, tools=tools)


def test_a_branch_of_any_name_is_told_as_it_is_and_the_token_stays_secret(
    house: House, tmp_path: Path
) -> None:
    write_tool(
        tmp_path / "tools",
        "curl",
        f'printf "%s\\n" "$@" >> "{tmp_path}/typed"\nexec {shutil.which("curl")} "$@"\n',
    )
    job = run(tmp_path / "code", house.server.url, branch=EVIL, tools=tmp_path / "tools")
    assert job.exit_code == 0, job.output
    tag = "feature-a-b-hit-c-52666"
    commit = gitserver.tip(house.bare)
    assert f"committed: {REGISTRY}/iris:{tag} goes to dev" in job.output
    assert f"https://gitlab.example.com/config/-/commit/{commit}" in job.output
    assert f"tag: {tag}\n".encode() in gitserver.show(house.bare, "main", "charts/iris/values-dev.yaml")

    headers = {"Authorization": f"Bearer {TOKEN}"}
    [newest, *_] = house.server.ask("GET", "/api/updates", headers=headers).json["updates"]
    source = newest["source"]
    assert (source["ref"], source["project"], source["pipeline_id"]) == (EVIL, "apps/iris", "52666")
    assert len(source["commit"]) == 40
    assert source["committed_at"]
    assert source["author"] == 'Jörg "J"'

    assert not (tmp_path / "code/hit").exists()
    typed = (tmp_path / "typed").read_text()
    assert "--data-binary" in typed
    assert TOKEN not in typed + job.output + house.server.log_text()


def test_the_component_is_found_by_its_address_and_a_proposal_is_green(house: House, tmp_path: Path) -> None:
    inputs = {"url": f"{house.server.url}/api/auto-update", "allow-http": True, "job": "tell"}
    code = CodeRepo(
        tmp_path / "code",
        as_component("auto-update", inputs),
        component_files("auto-update"),
        branch="main",
    )
    listed = code.run(["--list-csv"], {}).output
    assert "\ntell;" in listed
    variables = {"CI_PIPELINE_ID": "7", "CI_REGISTRY_IMAGE": f"{REGISTRY}/iris", "AUTO_UPDATE_TOKEN": TOKEN}
    job = code.run(["tell"], variables)
    assert job.exit_code == 0, job.output
    assert "proposed: " in job.output
    assert b"tag: main-7\n" in gitserver.show(house.bare, "updater/prod/iris", "charts/iris/values-prod.yaml")


def test_only_the_branches_named_tell_the_updater(tmp_path: Path) -> None:
    code = CodeRepo(
        tmp_path / "code",
        including("auto-update", {"url": "updater.example.com"}),
        component_files("auto-update"),
        branch="feature/x",
    )
    listed = code.run(["--list-csv"], {}).output
    assert "name;stage;when;" in listed
    assert "auto-update" not in listed


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        # A tag that YAML reads as a number stays the text it is.
        ({"image": f"{REGISTRY}/nobody", "tag": "1.10"}, r"(?s)/nobody:1\.10 -> .*refused: "),
        ({"image": f"{REGISTRY}/rose", "tag": "frozen-2"}, "held: .*nobody works today"),
        ({"tag": "a/b"}, "status 400: .*is not a legal tag"),
        ({"environment": "nowhere"}, "refused: .*nowhere"),
        ({"digest": "sha256:1"}, "status 400: .*digest"),
        ({"token-variable": "NO_SUCH_TOKEN"}, r"\$NO_SUCH_TOKEN is empty here"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_does_not_go_out_is_red_and_says_why(
    house: House, tmp_path: Path, inputs: dict[str, object], said: str
) -> None:
    before = gitserver.tip(house.bare)
    job = run(tmp_path / "code", house.server.url, inputs)
    assert job.exit_code == 1, job.output
    assert re.search(said, job.output), job.output
    assert gitserver.tip(house.bare) == before


def test_what_is_not_settled_in_time_is_red_with_the_reason_and_goes_on(house: House, tmp_path: Path) -> None:
    house.remote.status = 503
    try:
        job = run(tmp_path / "code", house.server.url, {"tag": "develop-60000", "wait": 3})
    finally:
        house.remote.heal()
    # The runner ends with 1 whatever a job ended with, and prints that.
    assert "FAIL 4" in job.output, job.output
    assert "pending after 3 s: " in job.output
    assert "503" in job.output
    assert "goes on by itself" in job.output


def test_what_one_environment_took_is_no_outcome_while_another_waits(tmp_path: Path) -> None:
    taken = {**SETTLED, "state": "pending", "outcome": None, "reason": "GitLab is away.", "settled_at": None}
    assert taken["environments"][0]["outcome"] == "committed"
    with answering(202, json.dumps(taken, separators=(",", ":")).encode()) as url:
        job = run(tmp_path / "code", url, {"wait": 1})
    assert "FAIL 4" in job.output, job.output
    assert "pending after 1 s: GitLab is away." in job.output
    assert "committed" not in job.output


def test_a_server_that_was_away_is_asked_again(house: House, tmp_path: Path) -> None:
    house.server.kill9()
    back = threading.Timer(2, house.server.restart)
    back.start()
    try:
        job = run(tmp_path / "code", house.server.url, {"tag": "develop-70000"})
    finally:
        back.join()
    assert job.exit_code == 0, job.output
    assert job.output.count("status 000: curl: (7)") == 1
    assert f"committed: {REGISTRY}/iris:develop-70000 goes to dev" in job.output


def test_a_certificate_that_nobody_trusts_is_told_at_once(tmp_path: Path) -> None:
    with answering(200, b"{}", self_signed(tmp_path).context) as url:
        job = run(tmp_path / "code", url, {"wait": 5, "allow-http": False})
    assert job.exit_code == 1
    assert "curl: (60)" in job.output
    assert "took nothing within" not in job.output  # it did not ask on


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("127.0.0.1:{port}", "https://127.0.0.1:{port}, status 000: curl: (7)"),
        ("http://127.0.0.1:{port}", "would show the token"),
        ("ftp://127.0.0.1:{port}", "is no address"),
    ],
)
def test_the_address_is_asked_by_https(tmp_path: Path, url: str, said: str) -> None:
    port = free_port()
    job = run(tmp_path / "code", url.format(port=port), {"wait": 1, "allow-http": False})
    assert job.exit_code == 1, job.output
    assert said.format(port=port) in job.output
