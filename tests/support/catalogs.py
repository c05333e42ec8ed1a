"""Config repos for Rancher's catalogs: charts in folders of versions or in one place, and what people do."""

from __future__ import annotations

from support.acts import KIM
from support.barerepo import git
from support.world import REGISTRY, World, values

from updater.model import Caller

DEV_TAGS = "tags: {pattern: '^develop-(?P<build>[0-9]+)$'}"
FOLDERS = "{version: build, directory: true, app-version: true, keep: 3}"
LIMITED = Caller(name="kim", images=(f"{REGISTRY}/iris",), environments=("*",), acts=("roll-back", "approve"))


def version(name: str, number: int, tag: str, home: str = "charts", text: str = "") -> dict[str, str]:
    folder = f"{home}/{name}/0.1.{number}"
    return {
        f"{folder}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 0.1.{number}\nappVersion: '{tag}'\n",
        f"{folder}/values.yaml": text or values(name, tag),
        f"{folder}/questions.yaml": "questions:\n- variable: image.tag\n  default: old\n",
    }


def flat(name: str, tag: str) -> dict[str, str]:
    return {
        f"charts/{name}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 0.1.0\nappVersion: '{tag}'\n",
        f"charts/{name}/values.yaml": values(name, tag),
        f"charts/{name}/questions.yaml": f"questions:\n- variable: image.tag\n  default: {tag}\n",
    }


def rules(chart: str, delivery: str = "commit", more: str = "") -> dict[str, str]:
    text = f"environments:\n  dev:\n    {DEV_TAGS}\n    delivery: {delivery}\n    chart: {chart}\n{more}"
    return {".updater/rules.yaml": text}


def names(world: World, branch: str = "main", home: str = "charts/iris") -> list[str]:
    found = git(world.bare, "ls-tree", "--name-only", branch, f"{home}/").split()
    return sorted((one.rpartition("/")[2] for one in found), key=lambda one: [*map(int, one.split("."))])


def tag(world: World, number: str, branch: str = "main", home: str = "charts/iris") -> str:
    return world.file(f"{home}/{number}/values.yaml", branch).split("tag: ")[1].split()[0]


def rolls_back(world: World, **more: object) -> str:
    asked = world.person_rolls_back(**more)  # type: ignore[arg-type]
    world.settle_all()
    return asked


def approve(world: World, name: str = "dev/iris") -> object:
    return world.worker.desk.approve(name, caller=KIM, head=None)


def calm(world: World, branch: str = "updater/dev/iris") -> None:
    before = git(world.bare, "rev-parse", branch)
    for _ in range(2):
        world.look_around()
    assert git(world.bare, "rev-parse", branch) == before
