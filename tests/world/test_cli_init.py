"""`updater init` in checkouts of all kinds: the rules it writes, and where an update then goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commandline import updater


def write(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def deployment(tag: str) -> str:
    return (
        "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n"
        f"        - name: iris\n          image: registry.example.com/iris:{tag}\n"
    )


def kustomization(tag: str) -> str:
    return (
        "resources: [../../base]\nimages:\n- name: iris\n  newName: registry.example.com/iris\n"
        f"  newTag: {tag} # by CI\n"
    )


KUSTOMIZE = {
    "apps/iris/base/deployment.yaml": deployment("none"),
    "apps/iris/base/kustomization.yaml": "resources: [deployment.yaml]\n",
    "apps/iris/overlays/dev/kustomization.yaml": kustomization("develop-7"),
    "apps/iris/overlays/prod/kustomization.yaml": kustomization("main-7"),
}
PLAIN = {
    "envs/dev/iris/deployment.yaml": deployment("develop-7"),
    "envs/prod/iris/deployment.yaml": deployment("main-7"),
    "envs/prod/iris/service.yaml": "apiVersion: v1\nkind: Service\n",
    "docker-compose.yaml": "services: {iris: {image: 'registry.example.com/iris:develop-7'}}\n",
}


@pytest.mark.parametrize(
    ("files", "changed"),
    [
        (KUSTOMIZE, "apps/iris/overlays/dev/kustomization.yaml"),
        (PLAIN, "envs/dev/iris/deployment.yaml"),
        ({"dev/deployment.yaml": deployment("develop-7")}, "dev/deployment.yaml"),
        ({"k8s/deployment.yaml": deployment("develop-7")}, "k8s/deployment.yaml"),
    ],
)
def test_a_repo_without_charts_gets_rules_that_work(
    files: dict[str, str], changed: str, tmp_path: Path
) -> None:
    folder = write(tmp_path, files)
    ran = updater("init", cwd=folder)
    assert ran.code == 0, ran.err
    done = updater("update", "registry.example.com/iris:develop-8", "--worktree", ".", cwd=folder)
    assert done.code == 0, done.out + done.err
    expected = files | {changed: files[changed].replace("develop-7", "develop-8")}
    assert {path: (folder / path).read_text() for path in files} == expected


def test_a_file_for_compose_is_no_manifest(tmp_path: Path) -> None:
    folder = write(tmp_path, {"docker-compose.yaml": PLAIN["docker-compose.yaml"]})
    ran = updater("init", cwd=folder)
    assert ran.code == 2
    assert "No chart was found" in ran.err


def test_init_names_images_that_no_environment_takes_and_overlays_that_set_none(tmp_path: Path) -> None:
    iris, lily = (
        f"kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: registry.example.com/{name}:1.0.0\n"
        for name in ("iris", "lily")
    )
    overlay = "resources: [../../base]\n"
    tags = f"{overlay}images:\n- {{name: registry.example.com/iris, newTag: 1.0.0}}\n"
    base, rules = tmp_path / "base", tmp_path / ".updater/rules.yaml"
    for path, text in {
        base / "pod.yaml": iris,
        base / "lily.yaml": lily,
        base / "kustomization.yaml": "resources: [pod.yaml, lily.yaml]\n",
        tmp_path / "overlays/dev/kustomization.yaml": tags,
        tmp_path / "overlays/prod/kustomization.yaml": overlay,
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    ran = updater("init", cwd=tmp_path)
    assert ran.err == (
        "Note: overlays/prod/kustomization.yaml: no image stands there, so prod cannot be told apart by "
        "tags. Write images with a newTag there, and run `updater init --force` again.\n"
        "Note: base/lily.yaml:5: registry.example.com/lily is in no environment, so no build of it goes "
        "out. Add the file to the files of one, or set its tag in a kustomization of one.\n"
    )
    assert "environment dev." in ran.out
    (tmp_path / "overlays/prod/kustomization.yaml").write_text(tags.replace("newTag", "newName: x, newTag"))
    (base / "lily.yaml").unlink()
    rules.unlink()
    assert updater("init", cwd=tmp_path).err == ""
