"""What was computed from names and contents, kept from one survey to the next.

It hides every cache and its bound. `knowledge` fills it; nothing here reads a file on its own.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

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
# Rancher takes its questions in any case.
_ENDINGS = (".yaml", ".yml", ".Yaml", ".Yml", ".YAML", ".YML")
# Scopes change only when the rules do.
MAX_AREAS = 64
# A branch and a draft on it; each may hold ten thousand charts.
MAX_LAYOUTS = 2
# Scans of files that are not there any more are let go beyond so many.
MAX_SCANS = 1_000


@dataclass(frozen=True, slots=True)
class Area:
    """A scope's files, for each that matters the spots that depend on it, and the spots of each chart."""

    spots: dict[str, Spot]
    readers: dict[str, tuple[Spot, ...]]
    by_chart: dict[str, tuple[Spot, ...]]


@dataclass(slots=True)
class _Layout:
    """One set of file names: its charts, and the scopes that were laid out."""

    charts: Charts
    areas: dict[Scope, Area] = field(default_factory=dict)


class Memory:
    """What was computed from contents and names; following surveys share it.

    Everything is kept under the version of the content it came from, so that two surveys of
    different commits never mislead each other.
    """

    def __init__(self) -> None:
        self._layouts: list[_Layout] = []
        self.words = Words()
        self.scans: dict[Spot, tuple[tuple[str, ...], Scan | EditRefused]] = {}
        self._texts: OrderedDict[str, YamlText] = OrderedDict()
        self._tables: OrderedDict[str, Table] = OrderedDict()
        self._parsed_bytes = 0
        self._folders: dict[str, tuple[str, ...]] = {}
        self._folders_of: frozenset[str] | None = None

    def area(self, scope: Scope, paths: frozenset[str]) -> Area:
        """Lay out a scope's files; names that were laid out before cost nothing."""
        layout = self._layout(paths)
        if len(layout.areas) > MAX_AREAS:
            layout.areas.clear()
            self.scans = {}
        if scope not in layout.areas:
            layout.areas[scope] = _area(spots(scope, layout.charts))
        return layout.areas[scope]

    def charts_of(self, paths: frozenset[str]) -> Charts:
        """Return the chart folders of a set of file names."""
        return self._layout(paths).charts

    def _layout(self, paths: frozenset[str]) -> _Layout:
        """Return what is known of a set of names; a branch and drafts on it take turns in asking."""
        for place, layout in enumerate(self._layouts):
            if layout.charts.paths is paths:
                if place:
                    self._layouts.insert(0, self._layouts.pop(place))
                return layout
        layout = self._follow(self._layouts[0], paths) if self._layouts else _Layout(Charts(paths))
        self._layouts = [layout, *self._layouts[: MAX_LAYOUTS - 1]]
        if len(self.scans) > MAX_SCANS and len(self.scans) > 2 * len(paths):
            self.scans = {spot: scanned for spot, scanned in self.scans.items() if spot.file in paths}
        return layout

    def _follow(self, before: _Layout, paths: frozenset[str]) -> _Layout:
        """Lay out anew what is otherwise now: little, where only versions of charts came or went."""
        layout = _Layout(Charts(paths, before.charts))
        changed = before.charts.paths ^ paths
        homes = changed_homes(changed, before.charts, layout.charts)
        if homes and self._folders_of is before.charts.paths:
            self._folders, self._folders_of = _moved(self._folders, changed, paths), paths
        for scope, area in before.areas.items() if homes else ():
            found = relaid(scope, area.spots, layout.charts, homes or ())
            if found is not None:
                layout.areas[scope] = _area(found)
        return layout

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
        if path.endswith(_ENDINGS):
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
