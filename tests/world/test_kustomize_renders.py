"""What an edit makes of a kustomization, as the real Kustomize in kubectl renders it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.helm import kubectl_binary, kustomize

from updater.charts import Survey
from updater.folder import Folder
from updater.model import Scope, canonical_repository

pytestmark = pytest.mark.helm

IRIS = "registry.example.com/iris"
OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: iris}
spec:
  template:
    spec:
      initContainers: [{name: wait, image: "iris:9"}]
      containers: [{name: iris, image: iris}]
"""
# the overlay's entry, the tag and digest that are written, and the image of every container afterwards
ROWS = [
    (f"- name: iris\n  newName: {IRIS}\n  newTag: v1\n", "v2", None, f"{IRIS}:v2"),
    (f"- name: iris\n  newName: {IRIS}\n  newTag: v1\n", "1234567", None, f"{IRIS}:1234567"),
    (f"- name: iris\n  newName: {IRIS}\n  newTag: v1\n", "1.10", None, f"{IRIS}:1.10"),
    (f"- name: iris\n  newName: {IRIS}\n  newTag: v1\n", "on", None, f"{IRIS}:on"),
    (f"- name: iris\n  newName: {IRIS}\n", "1e5", None, f"{IRIS}:1e5"),
    (f"- {{name: iris, newName: {IRIS}}}\n", "v2", None, f"{IRIS}:v2"),
    (f"- name: iris\n  newName: {IRIS}\n  digest: {OLD}\n", "v2", NEW, f"{IRIS}:v2@{NEW}"),
    (f"- name: iris\n  newName: {IRIS}\n  newTag: v1\n  digest: {OLD}\n", "v2", "", f"{IRIS}:v2"),
    (f"- name: iris\n  newName: {IRIS}\n- name: {IRIS}\n  newTag: v1\n", "v2", None, f"{IRIS}:v2"),
]


@pytest.mark.parametrize(("entry", "tag", "digest", "image"), ROWS)
def test_kustomize_renders_the_image_that_was_written(
    entry: str, tag: str, digest: str | None, image: str, tmp_path: Path
) -> None:
    files = {
        "base/deployment.yaml": DEPLOYMENT,
        "base/kustomization.yaml": "resources: [deployment.yaml]\n",
        "overlays/dev/kustomization.yaml": f"resources: [../../base]\nimages:\n{entry}",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    folder = Folder(tmp_path)
    survey = Survey(folder)
    file = "overlays/dev/kustomization.yaml"
    repository = canonical_repository(IRIS)
    assert repository is not None
    targets = survey.targets(Scope(files=(file,)), repository)
    assert targets
    folder.write({file: survey.write(file, [(target, tag, digest) for target in targets])})
    rendered = kustomize(kubectl_binary(), tmp_path / "overlays/dev")
    assert set(re.findall(r"image: (.*)", rendered)) <= {image, f'"{image}"', f"'{image}'"}
    assert "image: " in rendered
