"""A real CI runner runs the original pipeline's last job against the real server and real Git."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from support import gitserver
from support.documents import ROOT
from support.pipeline import CodeRepo
from support.server import Server, running

pytestmark = pytest.mark.runner

# The original pipeline's job and variables, with hosts of the documentation domain. The job's one
# line is what the updater promised to understand as it is.
PIPELINE = """\
stages:
  - deploy

variables:
  CI_REGISTRY: docker-registry.example.com/iris
  BUILD_TAG: $CI_COMMIT_REF_NAME-$CI_PIPELINE_ID
  WEBHOOK_URL: {webhook}

auto-update:
  stage: deploy
  script:
    - curl -X POST "${{WEBHOOK_URL}}" -H "Content-Type:application/json"{header} --data "{{\\"image\\":\\"${{CI_REGISTRY}}:${{BUILD_TAG}}\\"}}"
  only:
    - develop
"""  # noqa: E501
# No blank after the colon, as in the original: ": " would make a YAML mapping of the line.
HEADER = ' -H "Authorization:Bearer ${AUTO_UPDATE_TOKEN}"'
TOKEN = "token-of-the-ci-job-for-this-test"
VALUES = "charts/iris/values-dev.yaml"


def example_config_repo(folder: Path) -> Path:
    """A bare repo holding config-repo-example/overlays."""
    example = ROOT / "config-repo-example" / "overlays"
    files = {
        str(path.relative_to(example)): path.read_bytes() for path in example.rglob("*") if path.is_file()
    }
    return gitserver.make_bare(folder, files)


def webhook(server: Server) -> str:
    # The original names no scheme; curl takes http.
    return f"{server.url.removeprefix('http://')}/api/auto-update"


def assert_one_line_was_committed(server: Server, bare: Path, headers: dict[str, str]) -> None:
    [newest, *_] = server.ask("GET", "/api/updates", headers=headers).json["updates"]
    location = f"/api/updates/{newest['id']}"
    answer = server.ask("GET", location, headers={"Prefer": "wait=30", **headers}).json
    assert answer["outcome"] == "committed", answer
    commits = gitserver.log(bare)
    assert len(commits) == 2
    assert gitserver.changed_lines(bare, "main") == ["-  tag: develop-52665", "+  tag: develop-52666"]
    assert b"tag: develop-52666\n" in gitserver.show(bare, "main", VALUES)


def test_the_job_works_as_it_is_with_the_open_setting(tmp_path: Path) -> None:
    bare = example_config_repo(tmp_path / "remote")
    with gitserver.GitServer(bare.parent) as remote:
        settings = {
            "UPDATER_REPO": remote.url(),
            "UPDATER_REPO_TOKEN": gitserver.TOKEN,
            "UPDATER_LET_IN": "anyone-who-reaches-the-port",
        }
        with running(settings, tmp_path / "server") as server:
            code = CodeRepo(tmp_path / "code", PIPELINE.format(webhook=webhook(server), header=""))
            job = code.run_job("auto-update", {"CI_PIPELINE_ID": "52666"})
            assert job.exit_code == 0, job.output
            assert_one_line_was_committed(server, bare, {})


def test_the_job_works_with_one_header_more_where_tokens_are_set(tmp_path: Path) -> None:
    bare = example_config_repo(tmp_path / "remote")
    tokens = tmp_path / "tokens.yaml"
    tokens.write_text(
        f"ci:\n  sha256: '{hashlib.sha256(TOKEN.encode()).hexdigest()}'\n"
        "  images: ['docker-registry.example.com/iris']\n  environments: [dev]\n"
    )
    with gitserver.GitServer(bare.parent) as remote:
        settings = {
            "UPDATER_REPO": remote.url(),
            "UPDATER_REPO_TOKEN": gitserver.TOKEN,
            "UPDATER_TOKENS_FILE": str(tokens),
        }
        with running(settings, tmp_path / "server") as server:
            without = CodeRepo(tmp_path / "stranger", PIPELINE.format(webhook=webhook(server), header=""))
            stranger = without.run_job("auto-update", {"CI_PIPELINE_ID": "52666"})
            assert "Authorization" in stranger.output  # the answer says which header is missing
            assert len(gitserver.log(bare)) == 1

            code = CodeRepo(tmp_path / "code", PIPELINE.format(webhook=webhook(server), header=HEADER))
            job = code.run_job("auto-update", {"CI_PIPELINE_ID": "52666", "AUTO_UPDATE_TOKEN": TOKEN})
            assert job.exit_code == 0, job.output
            assert_one_line_was_committed(server, bare, {"Authorization": f"Bearer {TOKEN}"})
            assert TOKEN not in server.log_text()
