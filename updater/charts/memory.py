"""What was computed from names and contents, kept from one survey to the next.

It hides every cache and its bound. `knowledge` fills it; nothing here reads a file on its own.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from updater.charts.effective import Table, table_of
from updater.charts.layout import Charts, Spot, spots
from updater.charts.relaying import changed_homes, relaid
from updater.charts.scan import Scan
from updater.charts.words import Words
from updater.errors import EditRefused
from updater.model import Files, Scope
from updater.yamledit import YamlText, parse

# Parsed files kept for the edit that follows, by the size of their bytes: a parsed file takes some
# thirty times as much.
MAX_PARSED_BYTES = 1_000_000
MAX_TABLES = 2_000
# Scopes change only when the rules do.
MAX_AREAS = 64


@dataclass(frozen=True, slots=True)
class Area:
    """A scope's files, for each that matters the spots that depend on it, and the spots of each chart."""

    spots: dict[str, Spot]
    readers: dict[str, tuple[Spot, ...]]
    by_chart: dict[str, tuple[Spot, ...]]


class Memory:
    """What was computed from contents and names; following surveys share it.

    Everything is kept under the version of the content it came from, so that two surveys of
    different commits never mislead each other.
    """

    def __init__(self) -> None:
        self._charts: Charts | None = None
        self.areas: dict[Scope, Area] = {}
        self.words = Words()
        self.scans: dict[Spot, tuple[tuple[str, ...], Scan | EditRefused]] = {}
        self._texts: OrderedDict[str, YamlText] = OrderedDict()
        self._tables: OrderedDict[str, Table] = OrderedDict()
        self._parsed_bytes = 0
        self._folders: dict[str, tuple[str, ...]] = {}
        self._folders_of: frozenset[str] | None = None

    def area(self, scope: Scope, paths: frozenset[str]) -> Area:
        """Lay out a scope's files; names that were laid out before cost nothing."""
        charts = self.charts_of(paths)
        if len(self.areas) > MAX_AREAS:
            self.areas, self.scans = {}, {}
        if scope not in self.areas:
            self.areas[scope] = _area(spots(scope, charts))
        return self.areas[scope]

    def charts_of(self, paths: frozenset[str]) -> Charts:
        """Return the chart folders of a set of file names; what is laid out is for these from here on."""
        if self._charts is None or self._charts.paths is not paths:
            before, self._charts = self._charts, Charts(paths, self._charts)
            self._lay_out(before, self._charts)
        return self._charts

    def _lay_out(self, before: Charts | None, charts: Charts) -> None:
        """Forget what is laid out otherwise now: little, where only versions of charts came or went."""
        areas, self.areas, paths = self.areas, {}, charts.paths
        self.scans = {spot: scanned for spot, scanned in self.scans.items() if spot.file in paths}
        if before is None:
            return
        changed = before.paths ^ paths
        homes = changed_homes(changed, before, charts)
        if homes and self._folders_of is before.paths:
            self._folders, self._folders_of = _moved(self._folders, changed, paths), paths
        for scope, area in areas.items() if homes else ():
            found = relaid(scope, area.spots, charts, homes or ())
            if found is not None:
                self.areas[scope] = _area(found)

    def folders(self, paths: frozenset[str]) -> dict[str, tuple[str, ...]]:
        """Return the YAML files of each folder, whose name ends with "/"."""
        if self._folders_of is not paths:
            self._folders = _moved({}, paths, paths)
            self._folders_of = paths
        return self._folders

    def remembers(self, version: str) -> bool:
        """Say whether content of this version was parsed lately."""
        return version in self._texts

    def text(self, files: Files, path: str) -> YamlText:
        """Return a parsed file.

        Raises:
            EditRefused: it cannot be parsed; the file is named.
        """
        version = files.version(path)
        text = self._texts.get(version)
        if text is not None:
            self._texts.move_to_end(version)
            return text
        data = files.read(path)
        try:
            text = parse(data)
        except EditRefused as refusal:
            raise refusal.within(path) from refusal
        self._texts[version] = text
        self._parsed_bytes += len(data)
        while self._parsed_bytes > MAX_PARSED_BYTES and len(self._texts) > 1:
            _, oldest = self._texts.popitem(last=False)
            self._parsed_bytes -= len(oldest.data)
        return text

    def table(self, files: Files, path: str) -> Table:
        """Return a file's values as plain tables; raises as `text` does."""
        version = files.version(path)
        table = self._tables.get(version)
        if table is None:
            table = self._tables[version] = table_of(self.text(files, path))
            if len(self._tables) > MAX_TABLES:
                self._tables.popitem(last=False)
        return table


def _moved(
    folders: Mapping[str, tuple[str, ...]], changed: Iterable[str], paths: frozenset[str]
) -> dict[str, tuple[str, ...]]:
    """Return the YAML files of each folder after some files came or went."""
    touched: dict[str, list[str]] = defaultdict(list)
    for path in changed:
        if path.endswith((".yaml", ".yml")):
            folder, slash, _ = path.rpartition("/")
            touched[folder + slash].append(path)
    found = {
        folder: tuple(sorted(path for path in {*folders.get(folder, ()), *files} if path in paths))
        for folder, files in touched.items()
    }
    return {folder: files for folder, files in {**folders, **found}.items() if files}


def _area(found: dict[str, Spot]) -> Area:
    readers: dict[str, list[Spot]] = defaultdict(list)
    charts: dict[str, list[Spot]] = defaultdict(list)
    for spot in found.values():
        charts[spot.chart].append(spot)
        for file in dict.fromkeys(spot.files):
            readers[file].append(spot)
    return Area(found, _frozen(readers), _frozen(charts))


def _frozen(lists: dict[str, list[Spot]]) -> dict[str, tuple[Spot, ...]]:
    return {key: tuple(those) for key, those in lists.items()}
