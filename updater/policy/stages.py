"""Which stage one file belongs to, told from its name: `values-dev.yaml`, or a file in `envs/dev/`.

`layout` is the only caller. This module hides the words people use for stages and where they write
them. It looks at one file at a time; what many files have in common is for `layout`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

# In the order in which a build travels, which is the order they are written in.
_EARLY = ("sandbox", "dev", "develop", "development", "test", "testing", "qa", "int", "integration", "uat")
_LATE = (
    "demo",
    "stage",
    "staging",
    "stg",
    "preprod",
    "pre-prod",
    "canary",
    "prod",
    "prd",
    "production",
    "live",
)
_STAGES = (*_EARLY, *_LATE)
# Words that name other things as well; believed only beside one that does not.
_DOUBTFUL = {"sandbox", "test", "testing", "int", "integration", "demo", "canary", "live"}
_STAGE_FOLDERS = {
    *("values", "env", "envs", "environment", "environments"),
    *("overlay", "overlays", "cluster", "clusters"),
}
# Names that say nothing of the app, so that the folder does; other manifests are called by their apps.
_KUSTOMIZATIONS = {"kustomization.yaml", "kustomization.yml", "Kustomization"}
_WORKLOAD = re.compile(
    r"(deployment|statefulset|daemonset|cronjob|job|pod|rollout|workload|helmrelease|release|app)s?\.ya?ml"
)
_NOT_ENVIRONMENTS = {"templates", "crds", "tests", "ci"}
_OVERLAY_NAMES = (
    re.compile(r"(?P<before>values[-._])(?P<stage>.+)(?P<after>\.ya?ml)"),
    re.compile(r"(?P<before>)(?P<stage>.+)(?P<after>[-._]values\.ya?ml)"),
)
_STAGE_FILE = re.compile(r"(?P<before>)(?P<stage>.+)(?P<after>\.ya?ml)")
# What `grammar` takes as the name of an environment, too.
_STAGE_NAME = re.compile(r"(?=.{1,63}\Z)(?!.*\.lock\Z)[a-z0-9]+([._-][a-z0-9]+)*")
_VERSION_FOLDER = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+.*")


@dataclass(frozen=True, slots=True)
class Charts:
    """The folders of charts that are neither hidden nor sub-charts, and the charts' names."""

    folders: frozenset[str]
    names: frozenset[str]

    @classmethod
    def among(cls, paths: frozenset[str]) -> Charts:
        """Return the charts of a config repo that holds the files `paths`."""
        every = {path.rpartition("/")[0] for path in paths if path.rpartition("/")[2] == "Chart.yaml"}
        folders = frozenset(one for one in every if not _is_hidden(one) and not _is_below(one, every))
        return cls(folders, frozenset(one.rpartition("/")[2] for one in folders))

    def around(self, path: str) -> str:
        """Return the nearest chart's folder around `path`; empty for the top of the repo and for none."""
        return next((folder for folder in folders_around(path) if folder in self.folders), "")

    def are_versions(self) -> bool:
        """Say whether there are folders of versions, which Rancher's catalogs have."""
        return any(_VERSION_FOLDER.fullmatch(name) for name in self.names)

    def has_sub_chart(self, path: str) -> bool:
        """Say whether `path` is inside a sub-chart of one of these charts."""
        return _is_below(path, self.folders)


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def _is_below(path: str, charts: Container[str]) -> bool:
    """Say whether `path` is in the folder where Helm looks for the sub-charts of a chart around it."""
    around = (folder for folder in folders_around(path) if folder in charts)
    return any(path.startswith(joined(folder, "charts/")) for folder in around)


def folders_around(path: str) -> Iterator[str]:
    """Yield the folders around `path`, the nearest first; the last is the top, as an empty text."""
    while path:
        path = path.rpartition("/")[0]
        yield path


def joined(folder: str, name: str) -> str:
    """Return the path of `name` in `folder`, which is empty for the top."""
    return f"{folder}/{name}" if folder else name


def stage_rank(stage: str) -> int | None:
    """Return a stage's place in the order builds travel: `prod-eu` is a prod, `dev2` a dev."""
    word = _stage_word(stage)
    return _STAGES.index(word) if word in _STAGES else None


def is_doubtful(stage: str) -> bool:
    """Say whether a stage's word often means something else."""
    return _stage_word(stage) in _DOUBTFUL


def _stage_word(stage: str) -> str:
    word = stage.lower()
    if word in _STAGES or not _STAGE_NAME.fullmatch(word):
        return word
    return re.split(r"[._-]", word)[0].rstrip("0123456789")


@dataclass(frozen=True, slots=True)
class Family:
    """Files that differ in nothing but the chart and the stage: one habit, one glob for each stage.

    Paths have `length` parts, and the stage stands in the one at `stage_index`: in the file's name
    between `before` and `after`, or as a folder; then `name` is how the file's name is written in a glob.
    `manifest` says that they are no values of charts.
    """

    length: int
    stage_index: int
    before: str = ""
    after: str = ""
    name: str = ""
    manifest: bool = False

    def loose_index(self, path: str, charts: Charts) -> int | None:
        """Return which part of `path` is the chart's folder, so that the next chart is taken as well."""
        parts = path.split("/")
        chart = charts.around(path)
        if chart:
            return chart.count("/")
        index = len(parts) - 2
        if self.name:
            if index > self.stage_index:
                return index
            # A name of its own is the app's.
            is_named = not self.manifest or self.name.startswith("*")
            return None if is_named else _app_above(parts, self.stage_index)
        return index if index >= 0 and parts[index] not in _STAGE_FOLDERS else None


@dataclass(frozen=True, slots=True)
class Member:
    """A file and its stage, spelled as in the path."""

    path: str
    stage: str

    @property
    def environment(self) -> str:
        """The name the stage has as an environment."""
        return self.stage.lower()


def may_be_manifest(path: str, charts: Charts) -> bool:
    """Say whether a file may be a manifest or a kustomization: whether it holds an image only it can say."""
    *folders, name = path.split("/")
    return (
        (name.endswith((".yaml", ".yml")) or name in _KUSTOMIZATIONS)
        and _NOT_ENVIRONMENTS.isdisjoint(folders)
        and not _is_hidden(path)
        and not any(folder in charts.folders for folder in folders_around(path))
        and not name.startswith("values")
        and not any(form.fullmatch(name) for form in _OVERLAY_NAMES)
    )


def is_kustomization(path: str) -> bool:
    """Say whether Kustomize would read a file of this name."""
    return path.rpartition("/")[2] in _KUSTOMIZATIONS


def place_of(
    path: str, charts: Charts, manifests: Container[str] = frozenset()
) -> tuple[Family, Member] | None:
    """Return the family a file belongs to and its stage; None where it shows no stage."""
    *folders, name = path.split("/")
    if path in manifests:
        return _place_by_name(path, charts) or _manifest_by_folder(path)
    if not name.endswith((".yaml", ".yml")) or not _NOT_ENVIRONMENTS.isdisjoint(folders):
        return None
    if _is_hidden(path) or charts.has_sub_chart(path):
        return None
    return _place_by_name(path, charts) or _place_by_folder(path, charts)


def _place_by_name(path: str, charts: Charts) -> tuple[Family, Member] | None:
    *folders, name = path.split("/")
    forms = [*_OVERLAY_NAMES]
    if folders and (folders[-1] in _STAGE_FOLDERS or "/".join(folders) in charts.folders):
        forms.append(_STAGE_FILE)
    for form in forms:
        found = form.fullmatch(name)
        if found and stage_rank(found["stage"]) is not None:
            family = Family(len(folders) + 1, len(folders), before=found["before"], after=found["after"])
            return family, Member(path, found["stage"])
    return None


def _place_by_folder(path: str, charts: Charts) -> tuple[Family, Member] | None:
    *folders, name = path.split("/")
    stem, _, ending = name.rpartition(".")
    if stem != "values" and stem not in charts.names:
        return None
    written = name if stem == "values" else f"*.{ending}"
    index = _stage_index(folders)
    return (
        None
        if index is None
        else (Family(len(folders) + 1, index, name=written), Member(path, folders[index]))
    )


def _manifest_by_folder(path: str) -> tuple[Family, Member] | None:
    *folders, name = path.split("/")
    index = _stage_index(folders)
    if index is None:
        return None
    plain = name in _KUSTOMIZATIONS or _WORKLOAD.fullmatch(name)
    written = name if plain else f"*.{name.rpartition('.')[2]}"
    return Family(len(folders) + 1, index, name=written, manifest=True), Member(path, folders[index])


def _stage_index(folders: list[str]) -> int | None:
    ranked = (index for index in reversed(range(len(folders))) if stage_rank(folders[index]) is not None)
    return next(ranked, None)


def _app_above(parts: list[str], stage_index: int) -> int | None:
    """Return which part is the app's folder where the stage's is below it: `iris` of `iris/overlays/dev`."""
    above = (index for index in reversed(range(stage_index)) if parts[index] not in _STAGE_FOLDERS)
    return next(above, None)
