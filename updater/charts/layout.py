"""Which files of a repo belong to a scope, what their charts are called, and what lies below them.

It hides globs, the default without rules (product rule: every `values.yaml` beside a `Chart.yaml`,
no hidden folders, no sub-charts, of version directories only the highest) and where an overlay's
base is. `survey` builds one layout per scope and set of file names; it looks at names only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from updater.charts.manifests import KUSTOMIZATION_FILES
from updater.charts.naming import YAML_ENDINGS, home_of, home_without_chart, names_of
from updater.charts.versions import version_of
from updater.globs import compile_glob
from updater.model import Scope
from updater.yamledit import KeyPath

CHART_FILE = "Chart.yaml"
VALUES_FILE = "values.yaml"

# Kustomize reads a file of this name, too.
_ENDINGS = (*YAML_ENDINGS, *(f"/{name}" for name in KUSTOMIZATION_FILES))


@dataclass(frozen=True, slots=True)
class Spot:
    """A file of a scope: its chart's name, the base below it ("" for none), and unpacked sub-charts.

    `sections` are the values files of sub-charts with the section of a parent's values they lie below.
    `folder` is the one that holds the chart's Chart.yaml ("" for the top), None where there is none; `root`
    is that of the outermost chart around it, which is what people install.
    """

    file: str
    chart: str
    base: str
    sections: tuple[tuple[KeyPath, str], ...] = ()
    folder: str | None = None
    root: str | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """All files that decide what this one's images are, the file itself first."""
        return (self.file, *((self.base,) if self.base else ()), *(path for _, path in self.sections))


class Charts:
    """The chart folders of a set of file names; `before` are those of nearly the same names."""

    def __init__(self, paths: frozenset[str], before: Charts | None = None) -> None:
        self.paths = paths
        moved = _chart_folders(paths if before is None else paths ^ before.paths)
        self.folders: frozenset[str] = moved if before is None else before.folders ^ moved
        self._children: dict[str, list[str]] = defaultdict(list)
        for folder in sorted(self.folders):
            parent = _parent_chart(folder)
            if parent in self.folders:
                self._children[parent].append(folder)
        self.newest = _newest(self.folders)

    def is_sub_chart(self, folder: str) -> bool:
        """Say whether a folder lies in the `charts/` folder of a chart."""
        return self.outermost(folder) != folder

    def outermost(self, folder: str) -> str:
        """Return the chart in whose package the one in a folder is, which may be itself."""
        path, position = f"/{folder}", -1
        while (position := path.find("/charts/", position + 1)) >= 0:
            if path[1:position] in self.folders:
                return path[1:position]
        return folder

    def lasting(self, path: str) -> str:
        """Return what a file is called in every version of its chart."""
        folder = path
        while folder := _folder_of(folder):
            home = _folder_of(folder)
            if home in self.newest and version_of(_leaf(folder)) is not None:
                return home + path[len(folder) :]
        return path

    def is_old_version(self, folder: str) -> bool:
        """Say whether a folder is a version directory with a higher one beside it."""
        parent = _folder_of(folder)
        return version_of(_leaf(folder)) is not None and self.newest.get(parent, folder) != folder

    def is_in_old_version(self, path: str) -> bool:
        """Say whether a file lies in a version directory with a higher one beside it."""
        folder = path
        while folder := _folder_of(folder):
            if folder in self.folders and self.is_old_version(folder):
                return True
        return False

    def upwards(self, path: str) -> str | None:
        """Return the nearest chart folder at or above a file, the highest of version directories."""
        folder = _folder_of(path)
        while True:
            if folder in self.folders:
                return folder
            if folder in self.newest:
                return self.newest[folder]
            if not folder:
                return None
            folder = _folder_of(folder)

    def sections(self, folder: str, above: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
        """Yield the values files of unpacked sub-charts, outer ones first."""
        for child in self._children.get(folder, ()):
            section = (*above, _leaf(child))
            values = _join(child, VALUES_FILE)
            if values in self.paths:
                yield section, values
            yield from self.sections(child, section)


def _chart_folders(paths: Iterable[str]) -> frozenset[str]:
    ending = f"/{CHART_FILE}"
    return frozenset(path[: -len(ending)] for path in paths if path.endswith(ending) or path == CHART_FILE)


def spots(scope: Scope, charts: Charts) -> dict[str, Spot]:
    """Return the files of a scope in the order of their names."""
    if scope.files:
        found = {path: _chosen(path, match, scope, charts) for path, match in _matched(scope, charts)}
    else:
        found = {path: (folder, "", home_of(folder)) for path, folder in _default(scope, charts)}
    names = names_of(home for _, _, home in found.values())
    result = {}
    for path in sorted(found):
        folder, base, home = found[path]
        sections = tuple(charts.sections(folder)) if folder is not None else ()
        root = charts.outermost(folder) if folder is not None else None
        below = tuple(one for one in sections if one[1] != path)
        result[path] = Spot(path, names[home], base, below, folder, root)
    return result


def _default(scope: Scope, charts: Charts) -> Iterator[tuple[str, str]]:
    excluded = [compile_glob(glob) for glob in scope.exclude]
    for folder in charts.folders:
        path = _join(folder, VALUES_FILE)
        if (
            path in charts.paths
            and "/." not in f"/{path}"
            and not charts.is_sub_chart(folder)
            and not charts.is_old_version(folder)
            and not any(glob.match(path) for glob in excluded)
        ):
            yield path, folder


def _matched(scope: Scope, charts: Charts) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the files the globs take, each with its first glob and what the first wildcard matched."""
    excluded = [compile_glob(glob) for glob in scope.exclude]
    globs = [(glob, compile_glob(glob)) for glob in scope.files]
    for path in charts.paths:
        if not f"/{path}".endswith(_ENDINGS):
            continue
        for glob, pattern in globs:
            match = pattern.match(path)
            if match is None:
                continue
            if (
                not any(one.match(path) for one in excluded)
                and not _is_helms_own(path, charts)
                and not (scope.highest and charts.is_in_old_version(path))
            ):
                yield path, (glob, match.group(1) if pattern.groups else "")
            break


def _is_helms_own(path: str, charts: Charts) -> bool:
    """Say whether a file is Helm's and no values: `Chart.yaml`, or anything in a chart's `templates/`."""
    parts = path.split("/")
    return parts[-1] in {CHART_FILE, "Chart.lock", "values.schema.json"} or any(
        part == "templates" and "/".join(parts[:position]) in charts.folders
        for position, part in enumerate(parts)
    )


def _chosen(path: str, match: tuple[str, str], scope: Scope, charts: Charts) -> tuple[str | None, str, str]:
    """Return a file's chart folder (None: there is none), its base, and the folder it is named by."""
    glob, first = match
    folder = charts.upwards(path)
    if scope.base:
        base = scope.base.replace("{chart}", first)
        folder = charts.upwards(base) if charts.upwards(base) is not None else folder
    else:
        base = _join(folder, VALUES_FILE) if folder is not None else ""
    if base == path or base not in charts.paths:
        base = ""
    return folder, base, home_without_chart(path, glob, first) if folder is None else home_of(folder)


def _newest(folders: frozenset[str]) -> dict[str, str]:
    """Return the highest version directory of each folder that has some."""
    newest: dict[str, str] = {}
    for folder in sorted(folders):
        version = version_of(_leaf(folder))
        if version is None:
            continue
        rival = version_of(_leaf(newest.get(_folder_of(folder), "")))
        if rival is None or version > rival:
            newest[_folder_of(folder)] = folder
    return newest


def _parent_chart(folder: str) -> str | None:
    parts = folder.split("/")
    return "/".join(parts[:-2]) if len(parts) >= 2 and parts[-2] == "charts" else None


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def _leaf(path: str) -> str:
    return path.rpartition("/")[2]


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
