"""Makes config repos of any size for the benchmarks, in one `git fast-import`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

REGISTRY = "docker-registry.example.com"
PER_FOLDER = 256

_VALUES = """\
## 1. pods
replicaCount: {replicas}

## 2. image
image:
  repository: {image}
  tag: {tag}   # written by the updater
  pullPolicy: IfNotPresent

imagePullSecrets: []
containerPort: 8080

## 3. environment
extraEnv:
  SPRING_PROFILES_ACTIVE: development
  JAVA_OPTS: "-Xms128m -Xmx512m"
  APP_ID: '{number:05d}'

## 4. resources
resources:
  enabled: false
  resource:
    requests: {{cpu: 200m, memory: 128Mi}}
    limits: {{cpu: 200m, memory: 128Mi}}

## 5. where it may run
affinity:
  enabled: false
  nodeAffinityKey: node-role
  nodeAffinityValue: app-{number}

## 6. service
service:
  type: ClusterIP
  port: 80
  annotations: {{}}
"""
_QUESTIONS = """\
questions:
- variable: replicaCount
  default: {replicas}
  label: Replica Count
  type: int
"""
_TEMPLATE = """\
apiVersion: {api}
kind: {kind}
metadata:
  name: {{{{ .Chart.Name }}}}
spec: {{{{ toYaml .Values.{kind} }}}}
"""


def app(number: int) -> str:
    """Return the name of chart `number`."""
    return f"app-{number:05d}"


def image(number: int) -> str:
    """Return the repository of chart `number`'s image."""
    return f"{REGISTRY}/{app(number)}"


def values_path(number: int, *, flat: bool) -> str:
    """Return where chart `number` keeps its values: all in one folder, or 256 charts to a folder."""
    return f"{_folder(number, flat=flat)}/values.yaml"


def _folder(number: int, *, flat: bool) -> str:
    return f"charts/{app(number)}" if flat else f"charts/group-{number // PER_FOLDER:03d}/{app(number)}"


def values(number: int, tag: str) -> str:
    """Return chart `number`'s values.yaml with `tag` in it."""
    return _VALUES.format(replicas=1 + number % 3, image=image(number), tag=tag, number=number)


def make(bare: Path, charts: int, *, flat: bool) -> None:
    """Make a bare repo with so many charts of six files each."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
    for name, value in (("http.receivepack", "true"), ("uploadpack.allowFilter", "true"), ("gc.auto", "0")):
        subprocess.run(["git", "-C", str(bare), "config", name, value], check=True)
    stream = b"".join(_stream(charts, flat=flat))
    subprocess.run(["git", "-C", str(bare), "fast-import", "--quiet", "--done"], input=stream, check=True)


def _stream(charts: int, *, flat: bool) -> Iterator[bytes]:
    yield b"commit refs/heads/main\ncommitter Bench <bench@example.com> 1700000000 +0000\ndata 5\nStart\n"
    for number in range(charts):
        folder = _folder(number, flat=flat)
        for name, text in _files(number):
            content = text.encode()
            yield b"M 100644 inline %s\ndata %d\n%s\n" % (f"{folder}/{name}".encode(), len(content), content)
    yield b"done\n"


def _files(number: int) -> Iterator[tuple[str, str]]:
    yield "Chart.yaml", f"apiVersion: v2\nname: {app(number)}\nversion: 0.1.0\n"
    yield "values.yaml", values(number, "develop-1")
    yield "questions.yml", _QUESTIONS.format(replicas=1 + number % 3)
    for api, kind in (("apps/v1", "Deployment"), ("v1", "Service"), ("v1", "ConfigMap")):
        yield f"templates/{kind.lower()}.yaml", _TEMPLATE.format(api=api, kind=kind)
