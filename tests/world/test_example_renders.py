"""config-repo-example renders with every real Helm to what a cluster should get, also after an update."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.documents import ROOT
from support.helm import WHEELS, helm_binaries

pytestmark = pytest.mark.helm

EXAMPLE = ROOT / "config-repo-example" / "overlays"
CHART = Path("charts/iris")
IMAGE = "docker-registry.example.com/iris"


@pytest.fixture(params=range(len(WHEELS)), ids=WHEELS)
def helm(request: pytest.FixtureRequest) -> Path:
    """Each real Helm; found when a test runs, so that the tests can be left out where there is none."""
    number: int = request.param
    return helm_binaries()[number]


@pytest.fixture
def example(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "config"))


def run(helm: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([helm, *words], capture_output=True, text=True, check=False)


def deployment(
    helm: Path, example: Path, settings: Mapping[str, str] | None = None, *, environment: str = "dev"
) -> Any:
    extra = [word for name, value in (settings or {}).items() for word in ("--set-json", f"{name}={value}")]
    chart = example / CHART
    done = run(helm, "template", "iris", chart, "-f", chart / f"values-{environment}.yaml", *extra)
    assert done.returncode == 0, done.stderr
    [found] = [one for one in yaml.safe_load_all(done.stdout) if one]
    assert found["kind"] == "Deployment"
    return found


def container(found: Any) -> Any:
    return found["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_chart_passes_a_strict_lint(helm: Path, example: Path, environment: str) -> None:
    chart = example / CHART
    done = run(helm, "lint", "--strict", chart, "-f", chart / f"values-{environment}.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_dev_gets_the_image_and_profile_of_its_own_file(helm: Path, example: Path) -> None:
    found = deployment(helm, example)
    assert container(found)["image"] == f"{IMAGE}:develop-52665"
    assert container(found)["imagePullPolicy"] == "IfNotPresent"
    assert container(found)["env"] == [{"name": "SPRING_PROFILES_ACTIVE", "value": "development"}]
    assert container(found)["ports"] == [{"name": "http", "containerPort": 8000, "protocol": "TCP"}]
    assert (
        found["spec"]["selector"]["matchLabels"].items()
        <= found["spec"]["template"]["metadata"]["labels"].items()
    )


def test_prod_gets_the_image_profile_and_replicas_of_its_own_file(helm: Path, example: Path) -> None:
    found = deployment(helm, example, environment="prod")
    assert container(found)["image"] == f"{IMAGE}:main-810"
    assert container(found)["env"] == [{"name": "SPRING_PROFILES_ACTIVE", "value": "production"}]
    assert found["spec"]["replicas"] == 2


def test_what_is_optional_appears_where_it_is_switched_on(helm: Path, example: Path) -> None:
    bare = deployment(helm, example)
    assert "resources" not in container(bare)
    assert not {"affinity", "imagePullSecrets"} & bare["spec"]["template"]["spec"].keys()

    settings = {
        "resources.enabled": "true",
        "affinity.enabled": "true",
        "imagePullSecrets": '[{"name":"registry"}]',
        "extraEnv": '{"WHERE":"{{ .Release.Name }}","PORT":"0123"}',
    }
    found = deployment(helm, example, settings)
    assert container(found)["resources"]["limits"] == {"cpu": "200m", "memory": "128Mi"}
    assert container(found)["env"] == [
        {"name": "PORT", "value": "0123"},
        {"name": "WHERE", "value": "iris"},
    ]
    pod = found["spec"]["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    terms = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    assert terms[0]["matchExpressions"] == [
        {"key": "node-role.example.com", "operator": "In", "values": ["iris"]}
    ]


def test_a_new_chart_version_restarts_nothing_and_keeps_the_selector(helm: Path, example: Path) -> None:
    before = deployment(helm, example)
    chart_yaml = example / CHART / "Chart.yaml"
    chart_yaml.write_text(chart_yaml.read_text().replace("version: 0.1.0", "version: 0.2.0+build.7"))
    after = deployment(helm, example)
    assert after["metadata"]["labels"]["helm.sh/chart"] == "iris-0.2.0_build.7"
    assert after["spec"] == before["spec"]


def test_without_an_environments_file_helm_says_what_is_missing(helm: Path, example: Path) -> None:
    done = run(helm, "template", "iris", example / CHART)
    assert done.returncode != 0
    assert "image.tag is missing" in done.stderr


def test_what_the_updater_writes_is_what_helm_renders(helm: Path, example: Path) -> None:
    def update(tag: str) -> None:
        command = [sys.executable, "-m", "updater", "update", f"{IMAGE}:{tag}", "--worktree", str(example)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

    update("develop-52666")
    assert container(deployment(helm, example))["image"] == f"{IMAGE}:develop-52666"
    update("develop-52664")  # older: answered, and not written
    assert container(deployment(helm, example))["image"] == f"{IMAGE}:develop-52666"
