"""The job that README.md shows, run by sh with the real curl against the real server."""

from __future__ import annotations

import hashlib
import re
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.barerepo import clean_environment, log, make_bare, protect, show
from support.documents import document
from support.server import free_port, running
from support.world import REGISTRY, RULES, chart

TOKEN = "token-of-the-job-in-the-readme"
FILES = {".updater/rules.yaml": RULES, **chart("iris")}
ADDRESS = "https://updater.example.com"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


def scripts() -> list[tuple[str, str]]:
    """The waiting jobs of both documents, as shell scripts that find the server's URL in `URL`."""
    [job] = [code for kind, code in document("README.md").code_blocks if kind == "yaml" and "curl" in code]
    found = re.search(r"^ +- \|\n(.*?)^ +rules:", job, re.MULTILINE | re.DOTALL)
    assert found is not None
    [other] = [code for kind, code in document("docs/api.md").code_blocks if kind == "sh" and "wait=" in code]
    return [("README.md", textwrap.dedent(found[1])), ("docs/api.md", other)]


def run(script: str, folder: Path, url: str, *, tag: str, image: str = "iris", job: str = "7") -> Ran:
    """Run a job as GitLab's runner does (a script of a shell with -e), with less patience."""
    folder.mkdir(exist_ok=True)
    (folder / ".curlrc").write_text("retry-max-time = 1\n")
    variables = {
        "HOME": str(folder),
        "AUTO_UPDATE_TOKEN": TOKEN,
        "CI_JOB_ID": job,
        "IMAGE": f"{REGISTRY}/{image}",
        "TAG": tag,
        "CI_REGISTRY": f"{REGISTRY}/{image}",
        "BUILD_TAG": tag,
        "WEBHOOK_URL": f"{url}/api/auto-update",
    }
    kept = {name: value for name, value in clean_environment().items() if "proxy" not in name.lower()}
    done = subprocess.run(
        ["sh", "-e", "-c", script.replace(ADDRESS, url).replace("wait=60", "wait=20")],
        cwd=folder,
        env=kept | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@contextmanager
def serving(repo: Path, folder: Path) -> Iterator[str]:
    folder.mkdir(exist_ok=True)
    tokens = folder / "tokens.yaml"
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    tokens.write_text(f"ci: {{sha256: '{digest}', images: ['**'], environments: ['*']}}\n")
    settings = {"UPDATER_REPO": str(repo), "UPDATER_TOKENS_FILE": str(tokens)}
    with running(settings, folder / "server") as server:
        yield server.url


SCRIPTS = pytest.mark.parametrize("script", [pytest.param(code, id=name) for name, code in scripts()])


@SCRIPTS
def test_the_job_is_green_when_the_tag_is_written_and_red_with_the_reason_when_refused(
    script: str, tmp_path: Path
) -> None:
    bare = make_bare(tmp_path, FILES)
    with serving(bare, tmp_path / "updater") as url:
        written = run(script, tmp_path / "job", url, tag="develop-101")
        assert (written.code, '"outcome":"committed"' in written.out) == (0, True), written
        assert b"tag: develop-101" in show(bare, "main", "charts/iris/values-dev.yaml")
        repeated = run(script, tmp_path / "job", url, tag="develop-101")
        assert (repeated.code, '"outcome":"committed"' in repeated.out) == (0, True), repeated
        refused = run(script, tmp_path / "job", url, tag="develop-1", image="nobody", job="8")
        assert refused.code != 0
        assert '"code":"no-target"' in refused.out
        wrong = run(script, tmp_path / "job", url, tag="feature/x", job="9")
        assert wrong.code != 0
        assert "is not a legal tag" in wrong.out
    assert len(log(bare)) == 2


@SCRIPTS
def test_the_job_is_red_when_the_git_server_says_no_and_stays_one_request(
    script: str, tmp_path: Path
) -> None:
    bare = make_bare(tmp_path, FILES)
    protect(bare, "main")
    with serving(bare, tmp_path / "updater") as url:
        failed = run(script, tmp_path / "job", url, tag="develop-101")
        assert failed.code != 0
        assert failed.out.count('"outcome":"failed"') == 2  # of the request and of its one environment
        assert "protected branches" in failed.out
        log_text = (tmp_path / "updater/server/server.log").read_text()
        answered = re.findall(r"auto-update 502 .*request '([^']+)'", log_text)
        assert len(answered) > 1
        assert len(set(answered)) == 1


@SCRIPTS
def test_the_job_is_red_with_the_reason_while_the_request_is_pending(script: str, tmp_path: Path) -> None:
    with serving(tmp_path / "away.git", tmp_path / "updater") as url:
        ran = run(script.replace("wait=60", "wait=1"), tmp_path / "job", url, tag="develop-101")
        assert ran.code != 0
        assert '"state":"pending"' in ran.out
        assert "away.git" in ran.out


@SCRIPTS
def test_the_job_is_red_when_the_server_is_away(script: str, tmp_path: Path) -> None:
    ran = run(script, tmp_path / "job", f"http://127.0.0.1:{free_port()}", tag="develop-101")
    assert ran.code != 0
    assert "Failed to connect" in ran.err or "Couldn't connect" in ran.err
    assert "answer.json" not in ran.err  # nothing but the reason: no file that cannot be shown
