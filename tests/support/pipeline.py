"""A real CI runner: gitlab-ci-local, which runs a `.gitlab-ci.yml` in a shell on this machine.

Hides how it is found, what it needs (a Git repo with an `origin`) and how variables reach it.
`scripts/test` installs it (part `runner`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.barerepo import clean_environment
from support.documents import ROOT

RUNNER = ROOT / "tests/runner/node_modules/gitlab-ci-local/dist/index.js"
_HINT = "the CI runner is not installed: run scripts/test --setup, or leave it out with --without runner"


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a job ended and everything it printed."""

    exit_code: int
    output: str


class CodeRepo:
    """A checkout of an application's code with a pipeline, on the branch develop."""

    def __init__(self, folder: Path, pipeline: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        (folder / ".gitlab-ci.yml").write_text(pipeline, encoding="utf-8")
        self._git("init", "--quiet", "--initial-branch=develop", ".")
        self._git("remote", "add", "origin", "https://gitlab.example.com/apps/iris.git")
        self._git("add", "--all")
        person = ("-c", "user.name=A Developer", "-c", "user.email=developer@example.com")
        self._git(*person, "commit", "--quiet", "--message=Write the application")

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.folder, env=clean_environment(), check=True)

    def run_job(self, name: str, variables: Mapping[str, str]) -> JobResult:
        """Run one job with CI variables, those GitLab predefines included."""
        assert RUNNER.is_file(), _HINT
        given = [word for key, value in variables.items() for word in ("--variable", f"{key}={value}")]
        # The option takes one list; given twice, nothing runs at all (gitlab-ci-local 4.73).
        own = ["--ignore-predefined-vars", "CI_REGISTRY,CI_PIPELINE_ID"]
        kept = {key: value for key, value in clean_environment().items() if "proxy" not in key.lower()}
        kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
        kept["HOME"] = str(self.folder)  # no settings of whoever runs the tests
        done = subprocess.run(
            ["node", str(RUNNER), *own, *given, name],
            cwd=self.folder,
            env=kept,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return JobResult(done.returncode, done.stdout.decode(errors="replace"))
