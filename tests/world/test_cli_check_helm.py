"""`updater check` with real Helm binaries: faults of the original pipeline's chart, tags that get lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.checks import DEPLOYMENT, OVERLAYS
from support.commandline import Ran, updater
from support.documents import ROOT
from support.helm import WHEELS, helm_binaries

pytestmark = pytest.mark.helm

TEMPLATE = "charts/iris/templates/deployment.yaml"
EXAMPLES = sorted(path.parent.parent for path in (ROOT / "config-repo-example").glob("*/.updater/rules.yaml"))


@pytest.fixture(params=range(len(WHEELS)), ids=WHEELS)
def helm(request: pytest.FixtureRequest) -> Path:
    """Each real Helm; found when a test runs, so that the tests can be left out where there is none."""
    number: int = request.param
    return helm_binaries()[number]


def checkout(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in {**OVERLAYS, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def check(helm: Path, folder: Path, *options: str) -> list[Any]:
    ran = updater("check", str(folder), "--helm", str(helm), "--format", "json", *options)
    assert ran.err == ""
    found: list[Any] = json.loads(ran.out)
    assert ran.code == int(any(one["severity"] == "error" for one in found))
    return found


def static(folder: Path) -> list[Any]:
    found: list[Any] = json.loads(updater("check", str(folder), "--no-helm", "--format", "json").out)
    return found


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_nothing_is_found_in_the_examples(helm: Path, folder: Path) -> None:
    ran = updater("check", "--strict", str(folder), "--helm", str(helm))
    assert (ran.code, ran.err) == (0, ""), ran.out
    assert "Static rules only" not in ran.out


# Each fault of the original pipeline's template, with the line it stands in and Helm's own words for it.
FAULTS = {
    "escaped for a blog": (
        "name: {{ .Release.Name }}",
        "name: {{'{{ template \"fullname\" . }}'}}",
        "parse error at (iris/templates/deployment.yaml:4): '{{ template \"fullname\" . }}'",
    ),
    "escaped wrongly": (
        "name: {{ .Release.Name }}",
        "name: {{ template \"fullname\" . }}'}} {{'x }}",
        "parse error at (iris/templates/deployment.yaml:4): unterminated character constant",
    ),
    "without its helpers": (
        "name: {{ .Release.Name }}",
        'name: {{ template "fullname" . }}',
        'template "fullname" not defined',
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_template_that_fails_is_told_in_helms_words_at_its_line(
    helm: Path, tmp_path: Path, fault: str
) -> None:
    good, bad, words = FAULTS[fault]
    folder = checkout(tmp_path, {TEMPLATE: DEPLOYMENT.replace(good, bad)})
    found = check(helm, folder)
    assert {(one["file"], one["line"]) for one in found} == {(TEMPLATE, 4)}
    assert "E9" not in [one["code"] for one in found]
    [one] = [one for one in found if "helm" in one["facts"]]
    assert words in one["facts"]["helm"]
    assert words in one["message"]
    assert [one["fingerprint"]] == [
        other["fingerprint"] for other in static(folder) if other["code"] == one["code"]
    ]


def test_a_template_that_ignores_the_tag_is_told_for_each_environment(helm: Path, tmp_path: Path) -> None:
    deaf = DEPLOYMENT.replace("{{ .Values.image.tag }}", "stable")
    found = check(helm, checkout(tmp_path, {TEMPLATE: deaf}))
    assert [(one["code"], one["file"], one["line"]) for one in found] == [
        ("E10", "charts/iris/values-dev.yaml", 2),
        ("E10", "charts/iris/values-prod.yaml", 2),
    ]
    assert found[0]["message"] == (
        "registry.example.com/iris comes out as registry.example.com/iris:stable where the chart is rendered "
        "with charts/iris/values-dev.yaml, and image.tag says develop-52666: "
        "see iris/templates/deployment.yaml, Deployment release, container iris."
    )


def test_a_tag_that_is_no_string_comes_out_as_another(helm: Path, tmp_path: Path) -> None:
    rules = OVERLAYS[".updater/rules.yaml"].replace("develop-(?P", "(?P")
    number = {"charts/iris/values-dev.yaml": "image:\n  tag: 1234567\n", ".updater/rules.yaml": rules}
    found = check(helm, checkout(tmp_path, number))
    (one,) = found
    assert one["code"] == "E6"
    assert "Helm renders 1.234567e+06." in one["breaks"]
    assert check(helm, tmp_path, "--fix") == []


def test_an_image_that_no_template_uses_is_a_warning(helm: Path, tmp_path: Path) -> None:
    found = check(helm, checkout(tmp_path, {TEMPLATE: "kind: ConfigMap\n"}))
    assert [one["code"] for one in found] == ["W19", "W19"]


def test_a_dependency_that_is_not_carried_is_a_warning(helm: Path, tmp_path: Path) -> None:
    wanting = OVERLAYS["charts/iris/Chart.yaml"] + (
        "dependencies:\n  - {name: redis, version: 1.0.0, repository: 'https://charts.example.com'}\n"
    )
    [one] = check(helm, checkout(tmp_path, {"charts/iris/Chart.yaml": wanting}))
    assert (one["code"], one["facts"]["names"]) == ("W18", ["redis"])


def last_line(ran: Ran) -> str:
    return ran.out.splitlines()[-1]


def test_the_last_line_says_whether_there_was_a_helm(helm: Path, tmp_path: Path) -> None:
    folder = checkout(tmp_path / "repo", {})
    programs = tmp_path / "bin"
    programs.mkdir()
    path = {"PATH": str(programs)}
    without = updater("check", str(folder), env=path)
    assert last_line(without).endswith("Static rules only: no Helm was used.")
    (programs / "helm").symlink_to(helm)
    found = last_line(updater("check", str(folder), env=path))
    assert "Helm v" in found
    assert found.endswith(" rendered 2 sets of values.")
    assert last_line(updater("check", "--no-helm", str(folder), env=path)) == last_line(without)


def test_what_is_no_helm_is_refused(helm: Path, tmp_path: Path) -> None:
    ran = updater("check", str(checkout(tmp_path, {})), "--helm", "/nope")
    assert "There is no file /nope" in ran.err
    ran = updater("check", str(checkout(tmp_path, {})), "--helm", "/bin/true")
    assert (ran.code, ran.out) == (2, "")
    assert "/bin/true is no Helm 3 or newer" in ran.err
