"""A chart as the checks see it: a folder with a Chart.yaml, and which of its files are what.

It hides which names Helm and Rancher look for in it. `ground` finds the charts; it reads no file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from updater.catalog import question_files
from updater.charts.versions import version_of

CHART_FILE = "Chart.yaml"
VALUES_FILE = "values.yaml"

_VALUES = re.compile(r".*values.*\.(?:ya?ml|json)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A folder with a Chart.yaml, and its files: those below it that belong to no chart further down.

    `is_sub` says that it lies in the `charts/` folder of another one, `is_old` that it is a version
    directory with a higher one beside it.
    """

    folder: str
    file: str
    paths: tuple[str, ...]
    is_sub: bool
    is_old: bool

    @property
    def is_version(self) -> bool:
        """Say whether it is a version directory."""
        return "/" in self.folder and version_of(self.folder.rpartition("/")[2]) is not None

    def path(self, name: str) -> str:
        """Return the path of a file in its folder."""
        return f"{self.folder}/{name}" if self.folder else name

    @property
    def values(self) -> str:
        """The chart's own values, "" where it has none."""
        path = self.path(VALUES_FILE)
        return path if path in self.paths else ""

    @property
    def questions(self) -> tuple[str, ...]:
        """The files with Rancher's questions: at the chart's root, both endings, any case."""
        return question_files(self.at_root, self.folder)

    @property
    def values_files(self) -> tuple[str, ...]:
        """Its values and overlays, by their names; `files/` is for templates to read, whatever it holds."""
        others = (self.path("templates/"), self.path("files/"))
        return tuple(
            path
            for path in self.paths
            if _VALUES.fullmatch(path.rpartition("/")[2])
            and not path.endswith(".schema.json")
            and not path.startswith(others)
        )

    @property
    def templates(self) -> tuple[str, ...]:
        """Everything in its `templates/`."""
        start = self.path("templates/")
        return tuple(path for path in self.paths if path.startswith(start))

    @property
    def at_root(self) -> tuple[str, ...]:
        """The files beside its Chart.yaml."""
        length = self.file.count("/")
        return tuple(path for path in self.paths if path.count("/") == length)
