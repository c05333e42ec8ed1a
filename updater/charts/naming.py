"""How charts are called: by the last part of their folder, by its path where two share it.

It hides what stands for the chart's folder where no Chart.yaml says so, as in a folder for each
environment or with Kustomize. `layout` calls it; it looks at names only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from updater.charts.versions import version_of

YAML_ENDINGS = (".yaml", ".yml", ".json")

_WILDCARD = re.compile(r"[*?\[]")
# Folders that hold one folder for each environment, and Kustomize's for what they share.
_AROUND_ENVIRONMENTS = frozenset(
    ("overlay", "overlays", "env", "envs", "environment", "environments", "cluster", "clusters")
)
_SHARED = "base"


def names_of(homes: Iterable[str]) -> dict[str, str]:
    """Name folders of charts by their last part, by the whole path where two share it."""
    every = set(homes)
    shared = Counter(_leaf(home) for home in every)
    return {home: (_leaf(home) if shared[_leaf(home)] == 1 else home) or "." for home in every}


def home_of(folder: str) -> str:
    """Return the folder a chart is named by: for a version directory its parent."""
    return _folder_of(folder) if version_of(_leaf(folder)) is not None and "/" in folder else folder


def home_without_chart(path: str, glob: str, first: str) -> str:
    """Return what stands for the chart's folder of a file that has no Chart.yaml.

    That is what a wildcard for a whole name took, `envs/dev/iris` of `envs/dev/iris.yaml` as well; else
    the file's folder, without `overlays/dev` at its end: that is the same chart in another environment.
    """
    wildcard = _WILDCARD.search(glob)
    start = glob.rfind("/", 0, wildcard.start()) + 1 if wildcard is not None else 0
    part = glob[start:].split("/", maxsplit=1)[0]
    if wildcard is not None and part in {"*", *(f"*{ending}" for ending in YAML_ENDINGS)} and first:
        return "/".join([*path.split("/")[: glob[:start].count("/")], first])
    folder = _folder_of(path)
    parts = folder.split("/")
    if len(parts) > 1 and parts[-2] in _AROUND_ENVIRONMENTS:
        return "/".join(parts[:-2])
    if parts[-1] in _AROUND_ENVIRONMENTS or parts[-1] == _SHARED:
        return "/".join(parts[:-1])
    return folder if folder else path.rpartition(".")[0]


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def _leaf(path: str) -> str:
    return path.rpartition("/")[2]
