"""Folders of versions, `charts/iris/0.1.52666/`, each of which stays as it is once it is published.

It hides how a new one is made of the newest, and which old ones go. Rancher takes a chart's name and
version from Chart.yaml only; here the folder is named like the version, so that people find it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from updater.charts.versions import version_of
from updater.errors import EditRefused


def new_folder(paths: Collection[str], folder: str, old: str, new: str) -> str:
    """Return the folder for version `new` beside the one of version `old`.

    `paths` are all files in the folder that holds both.

    Raises:
        EditRefused: `folder` is not named like its version, or there are files in the new one already.
    """
    target = f"{beside(folder, old)}{new}"
    if any(path.startswith(f"{target}/") for path in paths):
        raise EditRefused(f"there are files in {target} already: remove them, or make it a whole chart")
    return target


def beside(folder: str, old: str) -> str:
    """Return what the folder of any version begins with, told from the one of version `old`.

    Raises:
        EditRefused: `folder` is not named like its version.
    """
    home, _, name = folder.rpartition("/")
    prefix = name.removesuffix(old)
    if not home or prefix not in ("", "v") or not name.endswith(old):
        example = f"{folder or 'charts/<name>'}/{old}"
        if version_of(name) is not None:
            example = f"{home or 'charts/<name>'}/{old}"
        raise EditRefused(
            f"the rules want a folder for each version (chart.directory), and version {old} stands in "
            f"{folder or 'the top folder'}: move the chart to {example}"
        )
    return f"{home}/{prefix}"


def copied(folder: str, target: str, contents: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
    """Return the contents of a version's folder as those of another one."""
    start = f"{folder}/"
    kept = {path: data for path, data in contents.items() if path.startswith(start) and data is not None}
    return {f"{target}/{path[len(start) :]}": data for path, data in sorted(kept.items())}


def outdated(paths: Collection[str], new: str, keep: int) -> tuple[str, ...]:
    """Return the folders of versions beside `new` that are not among the newest `keep`, `new` included.

    `paths` are all files in the folder that holds them.
    """
    home = new.rpartition("/")[0]
    ending = "/Chart.yaml"
    charts = (
        path.removesuffix(ending) for path in paths if path.startswith(f"{home}/") and path.endswith(ending)
    )
    beside = {one for one in charts if one.rpartition("/")[0] == home}
    ranked = sorted((rank, one) for one in beside if (rank := version_of(one.rpartition("/")[2])) is not None)
    return tuple(one for _, one in ranked[: max(len(ranked) - (keep - 1), 0)])


def removed(paths: Collection[str], folders: Collection[str]) -> dict[str, bytes | None]:
    """Return all files of some folders as files that go."""
    starts = tuple(f"{folder}/" for folder in folders)
    return dict.fromkeys(sorted(path for path in paths if path.startswith(starts))) if starts else {}
