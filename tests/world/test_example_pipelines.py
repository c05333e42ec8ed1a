"""The pipelines of the example config repos, run by a real CI runner: the check, and what follows a commit.

The updater's own commit is made by the real server on real Git; Rancher is a double.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import gitserver
from support.components import COMPONENTS, component_files, header, place
from support.documents import ROOT
from support.pipeline import CodeRepo
from support.rancher import TOKEN, App, Rancher
from support.server import running

pytestmark = pytest.mark.runner

EXAMPLES = ROOT / "config-repo-example"
LAYOUTS = sorted(path.parent.name for path in EXAMPLES.glob("*/.gitlab-ci.yml"))
OURS = "$CI_SERVER_FQDN/platform/gitops-updater/"


def example(layout: str) -> dict[str, str | bytes]:
    """The files of an example."""
    folder = EXAMPLES / layout
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def here(files: dict[str, str | bytes], **changed: object) -> dict[str, str | bytes]:
    """The same repo, with the components it names in it, and some of their inputs changed."""
    told = dict(files)
    for path in [path for path in files if path.endswith("gitlab-ci.yml")]:
        pipeline: dict[str, Any] = yaml.safe_load(files[path])
        for include in pipeline["include"]:
            if "component" in include:
                name = include.pop("component").removeprefix(OURS).partition("@")[0]
                include["local"] = place(name)
                include["inputs"] |= {key: value for key, value in changed.items() if key in header(name)}
        told[path] = json.dumps(pipeline)
    return {**told, **component_files(*COMPONENTS)}


def test_both_layouts_have_a_pipeline() -> None:
    assert LAYOUTS == ["catalog", "overlays"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_check_of_a_merge_request_is_green(layout: str, tmp_path: Path) -> None:
    files = here(example(layout))
    code = CodeRepo(tmp_path / "repo", str(files[".gitlab-ci.yml"]), files, branch="main")
    job = code.run(["config-check"], {"CI_PIPELINE_SOURCE": "merge_request_event"})
    assert job.exit_code == 0, job.output
    assert "0 errors" in job.output
    assert json.loads((tmp_path / "repo/gl-code-quality-report.json").read_text()) == []


def commit_by_the_updater(bare: Path, folder: Path, image: str) -> None:
    """Have the real server take an image."""
    settings = {"UPDATER_REPO": str(bare), "UPDATER_LET_IN": "anyone-who-reaches-the-port"}
    with running(settings, folder) as server:
        waits = {"Prefer": "wait=30"}
        told = server.ask("POST", "/api/auto-update", {"image": image}, headers=waits).json
        assert told["outcome"] == "committed", told


def test_a_build_comes_into_dev_by_itself_and_waits_for_a_person_in_prod(tmp_path: Path) -> None:
    files = example("catalog")
    bare = gitserver.make_bare(tmp_path / "remote", files)
    gitserver.git(bare, "branch", "dev", "main")
    with Rancher(bare, "dev") as double:
        double.catalog, double.cluster, double.namespace = "config-dev", "c-m-abcde", "iris"
        double.apps["iris"] = App("iris", "0.1.52640", values={"replicaCount": 3})
        commit_by_the_updater(bare, tmp_path / "server", "docker-registry.example.com/iris:develop-52666")
        made = gitserver.git(bare, "diff", "--name-only", "main", "dev").splitlines()
        added = {path: gitserver.show(bare, "dev", path) for path in made}
        local = here(files, url=double.url, pause=0, **{"allow-http": True})
        pushed = {"CI_PIPELINE_SOURCE": "push", "RANCHER_TOKEN": TOKEN}
        for branch, jobs in (("main", ["iris-prod;deploy;manual"]), ("dev", ["iris-dev;deploy;on_success"])):
            code = CodeRepo(tmp_path / branch, str(local[".gitlab-ci.yml"]), local, branch=branch)
            code.change(added, "Update iris")
            lines = code.run(["--list-csv"], pushed).output.splitlines()
            assert [";".join(line.split(";")[:3]) for line in lines if line.startswith("iris-")] == jobs
        done = code.run([], pushed)
        assert done.exit_code == 0, done.output
        assert "iris has iris 0.1.52666." in done.output
        values = double.running("iris")
    assert (values["image"]["tag"], values["replicaCount"]) == ("develop-52666", 3)
