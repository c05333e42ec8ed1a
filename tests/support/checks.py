"""Config repos for `updater check`: one with overlays and one catalog in which nothing is wrong, and a repo
made of them with one thing changed."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from support.files import DictFiles

from updater import wiring
from updater.check import CODES, Around, Finding, Ground, check
from updater.messages import CheckMessages

MESSAGES = CheckMessages(wiring.templates(None), CODES)

RULES = """\
environments:
  dev:
    files: charts/*/values-dev.yaml
    tags: {pattern: '^develop-(?P<build>[0-9]+)$'}
  prod:
    files: charts/*/values-prod.yaml
    tags: {pattern: '^main-(?P<build>[0-9]+)$'}
"""
CHART = """\
apiVersion: v2
name: iris
version: 0.1.0
icon: file://icon.svg
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  selector:
    matchLabels:
      app: {{ .Release.Name }}
  template:
    metadata:
      labels:
        app: {{ .Release.Name }}
    spec:
      containers:
        - name: iris
          image: {{ .Values.image.repository }}:{{ .Values.image.tag }}
"""

OVERLAYS: Mapping[str, str] = {
    ".updater/rules.yaml": RULES,
    "charts/iris/Chart.yaml": CHART,
    "charts/iris/values.yaml": "replicas: 1\nimage:\n  repository: registry.example.com/iris\n",
    "charts/iris/values-dev.yaml": "image:\n  tag: develop-52666\n",
    "charts/iris/values-prod.yaml": "image:\n  tag: main-810\n",
    "charts/iris/templates/deployment.yaml": DEPLOYMENT,
}
CATALOG: Mapping[str, str] = {
    f"charts/iris/{version}/{name}": text.replace("0.1.0", version)
    for version, build in (("0.1.52665", "52665"), ("0.1.52666", "52666"))
    for name, text in {
        "Chart.yaml": CHART,
        "values.yaml": f"image:\n  repository: registry.example.com/iris\n  tag: develop-{build}\n",
        "templates/deployment.yaml": DEPLOYMENT,
    }.items()
}


def repo(base: Mapping[str, str], changes: Mapping[str, str | None]) -> DictFiles:
    """Return a repo with some files changed; None takes one away, and texts may be indented."""
    files: dict[str, str | bytes] = dict(base)
    for path, text in changes.items():
        if text is None:
            del files[path]
        else:
            files[path] = textwrap.dedent(text).removeprefix("\n")
    return DictFiles(files)


def changed(base: Mapping[str, str], file: str, change: str | tuple[str, str]) -> DictFiles:
    """Return a repo with one file that is new, or in which one text stands for another."""
    if isinstance(change, tuple):
        assert base[file].count(change[0]) == 1
        change = base[file].replace(*change)
    return repo(base, {file: change})


def found(
    files: DictFiles, *, links: Mapping[str, str] | None = None, above: str = "", **known: object
) -> tuple[Finding, ...]:
    """Return what is found, each with its sentences; the rest is what a `Ground` is told besides."""
    findings = check(Ground(files, around=Around(links or {}, above), **known))  # type: ignore[arg-type]
    for one in findings:
        told = MESSAGES.tell(one.code, one.facts)
        assert told.what.endswith((".", "?")) or one.code in ("E17", "E18", "W5"), told
    return findings


def places(findings: tuple[Finding, ...]) -> list[tuple[str, str, int]]:
    """Return code, file and line of each finding."""
    return [(one.code, one.file, one.line) for one in findings]
