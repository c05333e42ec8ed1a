"""The example application's whole pipeline, run by a real CI runner against the real server and real Git.

Maven and Docker are the outside: programs of those names write down what they were asked.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from support import gitserver
from support.components import component_files, place, write_tool
from support.documents import ROOT
from support.pipeline import CodeRepo
from support.server import running

pytestmark = pytest.mark.runner

APP = ROOT / "docs/example-app"
ADDRESS = "component: $CI_SERVER_FQDN/platform/gitops-updater/auto-update@0.1.0"
PASSWORD, TOKEN = "password-of-the-registry-in-this-test", "token-nobody-asks-for-in-this-test"
# The jar must have come from the other job. The runner itself starts the service by the same name.
DOCKER = """\
case $1 in
  login | build | push) echo "docker $*" >> "$CALLS" ;;
  image) echo '[{"Config": {}}]' ;;
esac
case $1 in
  login) echo "stdin: $(cat)" >> "$CALLS" ;;
  build) test -f target/iris.jar ;;
esac
"""
MAVEN = 'echo "mvn $*" >> "$CALLS"\nmkdir -p target\necho a-jar > target/iris.jar\n'


def test_the_example_goes_from_the_code_to_the_config_repo(tmp_path: Path) -> None:
    example = ROOT / "config-repo-example/overlays"
    charts = {
        str(path.relative_to(example)): path.read_bytes() for path in example.rglob("*") if path.is_file()
    }
    bare = gitserver.make_bare(tmp_path / "remote", charts)
    settings = {"UPDATER_REPO": str(bare), "UPDATER_LET_IN": "anyone-who-reaches-the-port"}
    with running(settings, tmp_path / "server") as server:
        pipeline = (APP / ".gitlab-ci.yml").read_text()
        assert ADDRESS in pipeline
        assert "url: updater.example.com" in pipeline
        here = pipeline.replace(ADDRESS, f"local: {place('auto-update')}").replace(
            "url: updater.example.com", f"url: {server.url}\n      allow-http: true"
        )
        files = {str(path.relative_to(APP)): path.read_bytes() for path in APP.rglob("*") if path.is_file()}
        code = CodeRepo(
            tmp_path / "code", here, {**files, ".gitlab-ci.yml": here, **component_files("auto-update")}
        )
        calls = tmp_path / "calls"
        write_tool(tmp_path / "tools", "mvn", MAVEN)
        write_tool(tmp_path / "tools", "docker", DOCKER)
        variables = {
            "CALLS": str(calls),
            "CI_PIPELINE_ID": "52666",
            "REGISTRY_USER": "ci",
            "REGISTRY_PASSWORD": PASSWORD,
            "AUTO_UPDATE_TOKEN": TOKEN,
        }
        done = code.run(["--shell-isolation"], variables, tools=tmp_path / "tools")
    assert done.exit_code == 0, done.output
    image = "docker-registry.example.com/iris:develop-52666"
    assert calls.read_text().splitlines() == [
        "mvn --batch-mode clean package",
        "docker login --username ci --password-stdin docker-registry.example.com",
        f"stdin: {PASSWORD}",
        f"docker build --pull --tag {image} .",
        f"docker push {image}",
    ]
    assert f"committed: {image} goes to dev in charts/iris/values-dev.yaml." in done.output
    assert gitserver.changed_lines(bare, "main") == ["-  tag: develop-52665", "+  tag: develop-52666"]


def test_the_dockerfile_takes_what_the_pipeline_keeps_and_runs_without_rights() -> None:
    [path] = yaml.safe_load((APP / ".gitlab-ci.yml").read_text())["compile"]["artifacts"]["paths"]
    lines = (APP / "Dockerfile").read_text().splitlines()
    assert f"COPY {path} iris.jar" in lines
    assert f"!{path}" in (APP / ".dockerignore").read_text().splitlines()
    assert "USER 10001:10001" in lines
    assert 'ENTRYPOINT ["java", "-jar", "iris.jar"]' in lines
