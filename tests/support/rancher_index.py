"""What Rancher's Apps (2.5 and newer) make of a checkout that is registered as a ClusterRepo.

A second, independent program for tests: it builds the index as that Rancher does, where one bad chart fails
all of it. It knows nothing of the updater, reads with PyYAML and writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Index = dict[str, list[str]]

_NUMBER = r"(?:0|[1-9][0-9]*)"
_WORD = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_WORD}(?:\.{_WORD})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_LIMITS = {
    "values.yaml": 5 * 2**20,
    "questions.yaml": 5 * 2**20,
    "questions.yml": 5 * 2**20,
    "README.md": 2**20,
}


class NoIndexError(AssertionError):
    """The repo has no index: no chart of it can be installed."""


def build(root: Path) -> Index:
    """Return the versions of each chart of the checkout at `root`, in the order they were found.

    Raises:
        NoIndexError: a symlink, an index that replaces the charts, one bad chart, or a version twice.
    """
    links = [path for path in root.rglob("*") if path.is_symlink()]
    if links:
        raise NoIndexError(f"{links[0].relative_to(root)} is a symlink")
    for path in sorted(root.rglob("index.yaml"), key=lambda path: len(path.parts)):
        if _is_helm_index(path):
            raise NoIndexError(f"{path.relative_to(root)} is used instead of the charts")
    index: Index = {}
    for folder in _charts(root):
        name, version = _load(root, folder)
        if version in index.setdefault(name, []):
            raise NoIndexError(f"{folder.relative_to(root)}: {name} {version} stands there twice")
        index[name].append(version)
    return index


def _is_helm_index(path: Path) -> bool:
    try:
        content = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    except yaml.YAMLError:
        return False
    return isinstance(content, dict) and "apiVersion" in content and "entries" in content


def _charts(folder: Path) -> Iterator[Path]:
    """Give each folder that is a chart; what lies in one belongs to it."""
    if (folder / "Chart.yaml").is_file():
        yield folder
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and entry.name != ".git":
            yield from _charts(entry)


def _load(root: Path, folder: Path) -> tuple[str, str]:
    place = folder.relative_to(root)
    about = _mapping(folder / "Chart.yaml", place)
    for key in ("apiVersion", "name", "version"):
        if not isinstance(about.get(key), str) or not about[key]:
            raise NoIndexError(f"{place}: {key} is no string")
    if not isinstance(about.get("appVersion", ""), str):
        raise NoIndexError(f"{place}: appVersion is no string")
    if _SEMVER.fullmatch(about["version"]) is None:
        raise NoIndexError(f"{place}: {about['version']} is no SemVer")
    if "/" in about["name"] or about["name"] in (".", ".."):
        raise NoIndexError(f"{place}: {about['name']} is no file name")
    if (folder / "values.yaml").is_file():
        _mapping(folder / "values.yaml", place)
    for name, limit in _LIMITS.items():
        if (folder / name).is_file() and (folder / name).stat().st_size > limit:
            raise NoIndexError(f"{place}: {name} is too large")
    return about["name"], about["version"]


def _mapping(path: Path, place: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise NoIndexError(f"{place}: {path.name}: {error}".splitlines()[0]) from error
    if not isinstance(content, dict):
        raise NoIndexError(f"{place}: {path.name} is no mapping")
    return content
