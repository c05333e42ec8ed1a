"""What is known of one set of files: which belong to a scope, which may name a repository, what they hold.

It hides when something is laid out, indexed, parsed or scanned again. `survey` is its face; `nearest`
asks it, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from updater.charts.effective import merge, nested
from updater.charts.layout import Spot
from updater.charts.memory import Area, Memory
from updater.charts.scan import Scan, scan
from updater.charts.words import Indexed, Words, components, words_of
from updater.errors import EditRefused
from updater.model import Files, PinnedPlace, Scope, canonical_repository
from updater.yamledit import YamlText


class Knowledge:
    """What is known of one `Files`, computed when it is asked for."""

    def __init__(self, files: Files, memory: Memory) -> None:
        self.files = files
        self.memory = memory
        self._current: dict[Scope, Area] = {}
        self._current_of = files.paths
        self._words: Words = memory.words

    def layout(self, scope: Scope) -> Area:
        """Return a scope's files, by their names alone: nothing is read or indexed."""
        return self.memory.area(scope, self.files.paths)

    def lasting(self, scope: Scope, path: str) -> str:
        """Return what a file is called in every version of its chart, where only the highest counts."""
        if scope.files and not scope.highest:
            return path
        return self.memory.charts_of(self.files.paths).lasting(path)

    def pins(self, scope: Scope, spot: Spot) -> list[PinnedPlace]:
        """Return the places that the rules name in a file; named in one version, they are so in the next."""
        name = self.lasting(scope, spot.file) if scope.pinned else ""
        return [replace(pin, file=spot.file) for pin in scope.pinned if self.lasting(scope, pin.file) == name]

    def area(self, scope: Scope) -> Area:
        """Return a scope's files, with every one of them indexed at the version it had at first sight.

        Later edits of tags need no new index: they leave the repositories where they are.
        """
        if self._current_of is not self.files.paths:
            # A draft's files come and go with the versions of charts.
            self._current, self._current_of = {}, self.files.paths
        area = self._current.get(scope)
        if area is None:
            area = self._current[scope] = self.layout(scope)
            self._index(scope, area)
        return area

    def _index(self, scope: Scope, area: Area) -> None:
        if self.memory.words.is_worn:
            self.memory.words = Words()
        if self._words is not self.memory.words:
            # Another survey may have built anew what this one's earlier scopes were indexed in.
            self._words = self.memory.words
            for other_scope, other in self._current.items():
                self._index(other_scope, other)
            return
        words, version = self._words, self.files.version
        known = words.versions.get
        origin, newer = self.files.lineage
        done = words.indexed.get(scope)
        asked: Iterable[str] = area.readers
        if done is not None and done.origin is origin and done.area is area:
            # Words are never forgotten, so what was indexed once need not be looked at again.
            asked = [path for path in done.newer.union(newer) if path in area.readers]
        late = [path for path in asked if known(path) != version(path)]
        if late:
            for path, data in self.files.read_many(frozenset(late)).items():
                words.add(path, version(path), data)
        if asked is area.readers:
            words.indexed[scope] = Indexed(origin, area, frozenset(newer))

    def text(self, path: str) -> YamlText:
        """Return a parsed file; raises EditRefused with its name where it cannot be parsed."""
        return self.memory.text(self.files, path)

    def unparsed(self, spot: Spot) -> Iterator[str]:
        """Yield the files of a spot whose present content was not parsed lately."""
        version = self.files.version
        return (path for path in spot.files if not self.memory.remembers(version(path)))

    def scan(self, spot: Spot) -> Scan | EditRefused:
        """Return what a file holds, or why it cannot be read."""
        versions = tuple(map(self.files.version, spot.files))
        known = self.memory.scans.get(spot)
        if known is not None and known[0] == versions:
            return known[1]
        result: Scan | EditRefused
        try:
            base = self.memory.table(self.files, spot.base) if spot.base else {}
            for section, path in spot.sections:
                base = merge(base, nested(section, self.memory.table(self.files, path)))
            result = scan(self.text(spot.file), spot.file, spot.chart, base)
        except EditRefused as refusal:
            result = refusal if refusal.file else refusal.within(spot.file)
        self.memory.scans[spot] = (versions, result)
        return result

    def candidates(self, scope: Scope, repository: str) -> list[Spot]:
        """Return the files that may hold a place of a repository: too many perhaps, never too few."""
        area = self.area(scope)
        words = self._words
        wanted = components(repository)
        rarest = min(wanted, key=words.count)
        others = [word for word in wanted if word is not rarest]
        pinned = [pin.file for pin in scope.pinned if canonical_repository(pin.repository) == repository]
        chosen = {file for file in pinned if file in area.spots}
        if len(chosen) < len(pinned):
            lasting = {self.lasting(scope, file) for file in pinned}
            chosen.update(file for file in area.spots if self.lasting(scope, file) in lasting)
        for file in words.files_with(rarest):
            for spot in area.readers.get(file, ()):
                if all(any(words.holds(word, path) for path in spot.files) for word in others):
                    chosen.add(spot.file)
        return [area.spots[file] for file in sorted(chosen) if file in area.spots]

    def names(self, spot: Spot, repository: str) -> bool:
        """Say whether all words of a repository stand in a file or below it now (the index may be stale)."""
        held = {word for path in spot.files for word in words_of(self.files.read(path))}
        return held.issuperset(components(repository))

    def files_with(self, scope: Scope, word: str) -> Iterator[Spot]:
        """Yield the files of a scope whose own text or base may hold a word, perhaps more than once."""
        area = self.area(scope)
        for file in self._words.files_with(word.encode()):
            yield from area.readers.get(file, ())

    def spots(self, scope: Scope) -> Iterable[Spot]:
        """Return the files of a scope, with their charts and bases, in the order of their names."""
        return self.area(scope).spots.values()

    def words_near(self, scope: Scope, word: str) -> list[str]:
        """Return words of the scope's files that look somewhat like `word`."""
        self.area(scope)
        return self._words.near(word)

    def beside(self, folder: str) -> tuple[str, ...]:
        """Return the files directly in a folder, which ends with "/" (or is empty for the top)."""
        return self.memory.folders(self.files.paths).get(folder, ())
