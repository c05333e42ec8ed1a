"""config-repo-example renders with every real Helm to what a cluster should get, also after an update."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import gitserver
from support.documents import ROOT
from support.examples import CATALOG, EXAMPLES, OVERLAYS, charts, container, overlays, read, render, run
from support.helm import WHEELS, helm_binaries
from support.server import running

from updater.settings import TABLE

pytestmark = pytest.mark.helm

IMAGE = "docker-registry.example.com/iris"
UPDATER = "docker-registry.example.com/gitops-updater"
DIGEST = f"sha256:{'0a' * 32}"
# Each chart of each layout with each file it is installed with; none where its own values are enough.
INSTALLED = [
    (chart, file) for chart in charts(EXAMPLES) for file in (overlays(chart) or [chart / "values.yaml"])
]


def named(path: Path) -> str:
    return str(path.relative_to(EXAMPLES))


@pytest.fixture(params=range(len(WHEELS)), ids=WHEELS)
def helm(request: pytest.FixtureRequest) -> Path:
    """Each real Helm; found when a test runs, so that the tests can be left out where there is none."""
    number: int = request.param
    return helm_binaries()[number]


@pytest.fixture
def example(tmp_path: Path) -> Path:
    return Path(shutil.copytree(OVERLAYS, tmp_path / "config"))


def installed(helm: Path, example: Path, name: str, environment: str, *settings: str) -> dict[str, Any]:
    """What an environment gets, with more values as `--set-json` takes them."""
    chart = example / "charts" / name
    words = [word for setting in settings for word in ("--set-json", setting)]
    return render(helm, chart, "-f", chart / f"values-{environment}.yaml", *words)


# Every chart


@pytest.mark.parametrize(("chart", "file"), INSTALLED, ids=named)
def test_every_chart_passes_a_strict_lint_and_runs_the_tag_of_its_file(
    helm: Path, chart: Path, file: Path
) -> None:
    done = run(helm, "lint", "--strict", chart, "-f", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[INFO]" not in done.stdout
    base, own = read(chart / "values.yaml")["image"], read(file)["image"]
    image = container(render(helm, chart, "-f", file))["image"]
    assert image == f"{base['repository']}:{own['tag']}"


@pytest.mark.parametrize(("chart", "file"), INSTALLED, ids=named)
def test_a_digest_is_never_written_as_a_tag(helm: Path, chart: Path, file: Path) -> None:
    def image(*settings: str) -> Any:
        words = [word for setting in settings for word in ("--set", setting)]
        return container(render(helm, chart, "-f", file, *words))["image"]

    repository, tag = read(chart / "values.yaml")["image"]["repository"], read(file)["image"]["tag"]
    assert image(f"image.digest={DIGEST}") == f"{repository}:{tag}@{DIGEST}"
    assert image(f"image.digest={DIGEST}", "image.tag=") == f"{repository}@{DIGEST}"
    assert image(f"image.tag={DIGEST}") == f"{repository}@{DIGEST}"


@pytest.mark.parametrize(("chart", "file"), INSTALLED, ids=named)
def test_a_new_version_of_the_chart_restarts_nothing_and_keeps_the_selector(
    helm: Path, chart: Path, file: Path, tmp_path: Path
) -> None:
    before = render(helm, chart, "-f", file)["Deployment"]
    newer = Path(shutil.copytree(chart, tmp_path / chart.name))
    about, name = newer / "Chart.yaml", read(chart / "Chart.yaml")["name"]
    lines = [
        line for line in about.read_text().splitlines() if not line.startswith(("version:", "appVersion:"))
    ]
    about.write_text("\n".join([*lines, "version: 7.2.0+build.7", 'appVersion: "other"', ""]))
    after = render(helm, newer, "-f", file)["Deployment"]
    assert after["metadata"]["labels"]["helm.sh/chart"] == f"{name}-7.2.0_build.7"
    assert after["spec"] == before["spec"]
    selector = after["spec"]["selector"]["matchLabels"]
    assert selector.items() <= after["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize("name", ["iris", "updater"])
def test_without_an_environments_file_helm_says_what_is_missing(helm: Path, name: str) -> None:
    done = run(helm, "template", name, OVERLAYS / "charts" / name)
    assert done.returncode != 0
    assert "image.tag is missing" in done.stderr


@pytest.mark.parametrize("name", ["iris", "updater"])
def test_a_package_of_a_chart_holds_no_environment(helm: Path, name: str, tmp_path: Path) -> None:
    done = run(helm, "package", OVERLAYS / "charts" / name, "-d", tmp_path)
    assert done.returncode == 0, done.stderr
    [package] = tmp_path.glob("*.tgz")
    listed = subprocess.run(["tar", "tzf", package], capture_output=True, text=True, check=True).stdout
    files = {line.removeprefix(f"{name}/") for line in listed.splitlines()}
    assert {"values.yaml", "questions.yaml", "app-readme.md", "icon.svg"} <= files
    assert not [file for file in files if file.startswith(("values-", "fleet", ".fleet"))]


# iris


def test_dev_gets_the_image_and_profile_of_its_own_file(helm: Path, example: Path) -> None:
    found = container(installed(helm, example, "iris", "dev"))
    assert found["image"] == f"{IMAGE}:develop-52665"
    assert found["imagePullPolicy"] == "IfNotPresent"
    assert found["env"] == [{"name": "SPRING_PROFILES_ACTIVE", "value": "development"}]
    assert found["ports"] == [{"name": "http", "containerPort": 8000, "protocol": "TCP"}]


def test_prod_gets_the_image_profile_and_replicas_of_its_own_file(helm: Path, example: Path) -> None:
    found = installed(helm, example, "iris", "prod")
    assert container(found)["image"] == f"{IMAGE}:main-810"
    assert container(found)["env"] == [{"name": "SPRING_PROFILES_ACTIVE", "value": "production"}]
    assert found["Deployment"]["spec"]["replicas"] == 2


def test_what_is_optional_appears_where_it_is_switched_on(helm: Path, example: Path) -> None:
    bare = installed(helm, example, "iris", "dev")
    assert "resources" not in container(bare)
    assert not {"affinity", "imagePullSecrets"} & bare["Deployment"]["spec"]["template"]["spec"].keys()

    found = installed(
        helm,
        example,
        "iris",
        "dev",
        "resources.enabled=true",
        "affinity.enabled=true",
        'imagePullSecret="registry"',
        'imagePullSecrets=[{"name":"other"}]',
        'extraEnv.WHERE="{{ .Release.Name }}"',
        'extraEnv.PORT="0123"',
    )
    assert container(found)["resources"]["limits"] == {"cpu": "200m", "memory": "128Mi"}
    assert container(found)["env"] == [
        {"name": "PORT", "value": "0123"},
        {"name": "SPRING_PROFILES_ACTIVE", "value": "development"},
        {"name": "WHERE", "value": "iris"},
    ]
    pod = found["Deployment"]["spec"]["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "registry"}, {"name": "other"}]
    rule = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    [term] = rule["nodeSelectorTerms"]
    assert term["matchExpressions"] == [
        {"key": "node-role.example.com", "operator": "In", "values": ["iris"]}
    ]


def update(example: Path, tag: str) -> None:
    command = [sys.executable, "-m", "updater", "update", f"{IMAGE}:{tag}", "--worktree", str(example)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def test_what_the_updater_writes_is_what_helm_renders(helm: Path, example: Path) -> None:
    update(example, "develop-52666")
    assert container(installed(helm, example, "iris", "dev"))["image"] == f"{IMAGE}:develop-52666"
    update(example, "develop-52664")  # older: answered, and not written
    assert container(installed(helm, example, "iris", "dev"))["image"] == f"{IMAGE}:develop-52666"


def test_a_version_that_the_updater_adds_to_the_catalog_differs_in_its_image_only(
    helm: Path, tmp_path: Path
) -> None:
    catalog = Path(shutil.copytree(CATALOG, tmp_path / "catalog"))
    update(catalog, "main-52670")
    old, new = catalog / "charts/iris/0.1.52640", catalog / "charts/iris/0.1.52670"
    done = run(helm, "lint", "--strict", new)
    assert done.returncode == 0, done.stdout + done.stderr
    before, after = render(helm, old)["Deployment"], render(helm, new)["Deployment"]
    assert container({"Deployment": after})["image"] == f"{IMAGE}:main-52670"
    container({"Deployment": after})["image"] = container({"Deployment": before})["image"]
    assert after["spec"] == before["spec"]


# The updater


def test_the_updater_runs_as_one_process_that_owns_its_data(helm: Path, example: Path) -> None:
    found = installed(helm, example, "updater", "prod")
    assert container(found)["image"] == f"{UPDATER}:main-41"
    spec = found["Deployment"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    claim = found["PersistentVolumeClaim"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    volumes = {volume["name"]: volume for volume in spec["template"]["spec"]["volumes"]}
    assert volumes["data"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container(found)["volumeMounts"]}
    assert mounts == {"data": "/var/lib/updater", "secrets": "/secrets"}

    other = installed(helm, example, "updater", "prod", 'persistence.existingClaim="mine"')
    assert "PersistentVolumeClaim" not in other


def test_the_updater_has_the_rights_it_needs_and_no_others(helm: Path, example: Path) -> None:
    found = installed(helm, example, "updater", "prod")
    pod = found["Deployment"]["spec"]["template"]["spec"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    user = pod["securityContext"]["runAsUser"]
    assert f"USER {user}:{pod['securityContext']['fsGroup']}" in dockerfile
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container(found)["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert f"EXPOSE {container(found)['ports'][0]['containerPort']}" in dockerfile


def test_the_updater_is_reached_and_probed(helm: Path, example: Path) -> None:
    found = installed(helm, example, "updater", "prod")
    probes = {name: container(found)[f"{name}Probe"]["httpGet"]["path"] for name in ("liveness", "readiness")}
    assert probes == {"liveness": "/healthz", "readiness": "/readyz"}
    pods = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert found["Service"]["spec"]["selector"].items() <= pods.items()
    [rule] = found["Ingress"]["spec"]["rules"]
    assert rule["host"] == "updater.example.com"
    [path] = rule["http"]["paths"]
    assert path["backend"]["service"]["name"] == found["Service"]["metadata"]["name"]
    assert found["Ingress"]["spec"]["tls"] == [
        {"hosts": ["updater.example.com"], "secretName": "updater-tls"}
    ]
    assert "Ingress" not in installed(helm, example, "updater", "prod", "ingress.enabled=false")


def test_the_updaters_settings_exist_and_secrets_come_as_files(helm: Path, example: Path) -> None:
    env = container(installed(helm, example, "updater", "prod"))["env"]
    values = {one["name"]: one["value"] for one in env}
    known = {row.variable for row in TABLE}
    files = {name for name, value in values.items() if value.startswith("/secrets/")}
    assert files == {"UPDATER_REPO_TOKEN_FILE", "UPDATER_TOKENS_FILE"}
    assert {name if name in known else name.removesuffix("_FILE") for name in values} <= known
    assert values["UPDATER_PUBLIC_URL"] == "https://updater.example.com"


def test_the_updater_starts_with_what_the_chart_gives_it(helm: Path, example: Path, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "repo-token").write_text(f"{gitserver.TOKEN}\n")
    (secrets / "tokens.yaml").write_text(
        f"ci:\n  sha256: '{'0a' * 32}'\n  images: ['**']\n  environments: ['*']\n"
    )
    found = container(installed(helm, example, "updater", "prod"))
    bare = gitserver.make_bare(
        tmp_path / "remote",
        {
            str(path.relative_to(OVERLAYS)): path.read_bytes()
            for path in OVERLAYS.rglob("*")
            if path.is_file()
        },
    )
    with gitserver.GitServer(bare.parent) as remote:
        given = {one["name"]: one["value"].replace("/secrets/", f"{secrets}/") for one in found["env"]}
        given |= {"UPDATER_REPO": remote.url(), "UPDATER_FORGE": "local"}
        with running(given, tmp_path / "server") as server:
            for probe in ("startup", "liveness", "readiness"):
                assert server.ask("GET", found[f"{probe}Probe"]["httpGet"]["path"]).status == 200
            assert server.ask("GET", "/readyz").json["problems"] == []


def test_no_secret_may_stand_in_the_updaters_values(helm: Path) -> None:
    chart = OVERLAYS / "charts" / "updater"
    secrets = [row.variable for row in TABLE if row.secret]
    assert secrets
    for name in secrets:
        words = ("-f", chart / "values-prod.yaml", "--set", f"settings.{name}=word")
        done = run(helm, "template", "updater", chart, *words)
        assert done.returncode != 0
        assert f"settings.{name} is a secret" in done.stderr
