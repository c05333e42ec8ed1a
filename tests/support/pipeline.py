"""A real CI runner: gitlab-ci-local, which runs a `.gitlab-ci.yml` in a shell on this machine.

Hides how it is found, what it needs (a Git repo with an `origin`) and how variables reach it.
`scripts/test` installs it (part `runner`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.barerepo import clean_environment
from support.documents import ROOT

RUNNER = ROOT / "tests/runner/node_modules/gitlab-ci-local/dist/index.js"
# What GitLab predefines and the tests say themselves.
PREDEFINED = (
    "CI_PIPELINE_ID",
    "CI_PIPELINE_SOURCE",
    "CI_REGISTRY_IMAGE",
    "CI_COMMIT_BRANCH",
    "CI_COMMIT_AUTHOR",
)
_HINT = "the CI runner is not installed: run scripts/test --setup, or leave it out with --without runner"


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a job ended and everything it printed."""

    exit_code: int
    output: str


class CodeRepo:
    """A checkout with a pipeline: an application's code on the branch develop unless told otherwise."""

    def __init__(
        self,
        folder: Path,
        pipeline: str,
        files: Mapping[str, str | bytes] | None = None,
        *,
        branch: str = "develop",
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._write({".gitlab-ci.yml": pipeline, **(files or {})})
        self._git("init", "--quiet", f"--initial-branch={branch}", ".")
        self._git("remote", "add", "origin", "https://gitlab.example.com/apps/iris.git")
        self._commit("Write the application")
        # The runner compares with the default branch, where GitLab compares with what was pushed before.
        self._git("update-ref", "refs/remotes/origin/main", "HEAD")
        self._git("remote", "set-head", "origin", "main")

    def change(self, files: Mapping[str, str | bytes], message: str) -> None:
        """Make one commit more."""
        self._write(files)
        self._commit(message)

    @property
    def head(self) -> str:
        """The commit that is checked out."""
        return self._git("rev-parse", "HEAD")

    def _write(self, files: Mapping[str, str | bytes]) -> None:
        for path, content in files.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)

    def _commit(self, message: str) -> None:
        self._git("add", "--all")
        person = ("-c", "user.name=A Developer", "-c", "user.email=developer@example.com")
        self._git(*person, "commit", "--quiet", f"--message={message}")

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=clean_environment(), check=True, stdout=subprocess.PIPE
        )
        return done.stdout.decode().strip()

    def run_job(self, name: str, variables: Mapping[str, str]) -> JobResult:
        """Run one job with CI variables, those GitLab predefines included."""
        return self.run([name], variables)

    def run(
        self, arguments: Sequence[str], variables: Mapping[str, str], *, tools: Path | None = None
    ) -> JobResult:
        """Run jobs, or everything where none is named; programs in `tools` come before those on PATH."""
        assert RUNNER.is_file(), _HINT
        given = [word for key, value in variables.items() for word in ("--variable", f"{key}={value}")]
        # The option takes one list; given twice, nothing runs at all (gitlab-ci-local 4.73).
        own = ["--ignore-predefined-vars", ",".join(("CI_REGISTRY", *PREDEFINED)), "--force-shell-executor"]
        kept = {key: value for key, value in clean_environment().items() if "proxy" not in key.lower()}
        places = [str(tools)] if tools else []
        kept["PATH"] = os.pathsep.join([*places, str(Path(sys.executable).parent), kept["PATH"]])
        kept["HOME"] = str(self.folder)  # no settings of whoever runs the tests
        done = subprocess.run(
            ["node", str(RUNNER), *own, *given, *arguments],
            cwd=self.folder,
            env=kept,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return JobResult(done.returncode, done.stdout.decode(errors="replace"))
