"""The face of the package: the images of one set of files, found and written.

It hides nothing of its own; it puts `knowledge`, `pinned`, `nearest` and `writing` behind one class.
`plan` asks for the places of one repository and has them written; `status` and `init` ask for all,
`history` for those of a few charts.
It reads only through the `Files` it is given, and is meant for one thread at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from updater.charts import nearest
from updater.charts.knowledge import Knowledge
from updater.charts.layout import Spot
from updater.charts.memory import Memory
from updater.charts.pinned import pinned_targets
from updater.charts.places import Target
from updater.charts.scan import Scan
from updater.charts.writing import write
from updater.errors import EditRefused
from updater.model import Files, Scope


class Survey:
    """The images of one `Files`. `previous` lends what it knows of equal contents and names."""

    def __init__(self, files: Files, previous: Survey | None = None) -> None:
        self._memory: Memory = previous._memory if previous is not None else Memory()  # noqa: SLF001 - its own kind
        self._known = Knowledge(files, self._memory)

    def matches(self, scope: Scope, path: str) -> bool:
        """Say whether a file belongs to a scope."""
        return path in self._known.area(scope).spots

    def files_of(self, scope: Scope) -> tuple[str, ...]:
        """Return the files of a scope in the order of their names."""
        return tuple(self._known.area(scope).spots)

    def charts_of(self, scope: Scope) -> frozenset[str]:
        """Return the names of the charts that have files in a scope."""
        return frozenset(spot.chart for spot in self._known.spots(scope))

    def unread(self, scope: Scope, repository: str) -> Iterator[str]:
        """Yield the files that `targets` would have to read, so that they can be read at once."""
        for spot in self._known.candidates(scope, repository):
            yield from self._known.unparsed(spot)

    def targets(self, scope: Scope, repository: str) -> tuple[Target, ...]:
        """Return every place of a canonical repository, in the order of files and lines.

        Reads and parses only files that may name the repository.

        Raises:
            EditRefused: a file that names it cannot be parsed; the file is named.
        """
        found: list[Target] = []
        for spot in self._known.candidates(scope, repository):
            result = self._known.scan(spot)
            if isinstance(result, Scan):
                found.extend(self._with_pins(scope, spot, result.targets))
            elif self._known.names(spot, repository):
                raise result
        return tuple(one for one in found if one.repository == repository)

    def all_targets(self, scope: Scope) -> tuple[Target, ...]:
        """Return every image place of a scope; files that cannot be parsed are left out (`problems`)."""
        return tuple(
            target
            for spot, result in self._scans(scope)
            if isinstance(result, Scan)
            for target in self._with_pins(scope, spot, result.targets)
        )

    def targets_in(self, scope: Scope, charts: Collection[str]) -> tuple[Target, ...]:
        """Return every image place of some charts of a scope.

        Raises:
            EditRefused: a file of theirs cannot be parsed; the file is named.
        """
        found: list[Target] = []
        for spot in self._known.spots(scope):
            if spot.chart in charts:
                result = self._known.scan(spot)
                if isinstance(result, EditRefused):
                    raise result
                found.extend(self._with_pins(scope, spot, result.targets))
        return tuple(found)

    def lasting(self, scope: Scope, file: str) -> str:
        """Return what a file is called in every version of its chart, so that places can be compared."""
        return self._known.lasting(scope, file)

    def beside(self, folder: str) -> tuple[str, ...]:
        """Return the YAML files directly in a folder ("" for the top)."""
        return self._known.beside(f"{folder}/" if folder else "")

    def own_places(self, file: str, chart: str) -> tuple[Target, ...]:
        """Return the image places that a file holds by itself; none where it cannot be read."""
        result = self._known.scan(Spot(file, chart, ""))
        return result.targets if isinstance(result, Scan) else ()

    def laid_out(self, scope: Scope) -> Mapping[str, Spot]:
        """Return the files of a scope, each with its chart and what lies below it; nothing is read."""
        return self._known.layout(scope).spots

    def charts_with(self, scope: Scope, files: Iterable[str]) -> frozenset[str]:
        """Return the charts of a scope whose images any of these files decides; nothing is read."""
        readers = self._known.layout(scope).readers
        return frozenset(spot.chart for file in files for spot in readers.get(file, ()))

    def readable_in(self, scope: Scope, charts: Collection[str]) -> tuple[Target, ...]:
        """Return every image place of some charts of a scope, without files that cannot be parsed.

        Reads only the files that decide those: for who looks at a few charts of many trees.
        """
        found: list[Target] = []
        by_chart = self._known.layout(scope).by_chart
        for spot in (spot for chart in sorted(charts) for spot in by_chart.get(chart, ())):
            result = self._known.scan(spot)
            if isinstance(result, Scan):
                found.extend(self._with_pins(scope, spot, result.targets))
        return tuple(found)

    def in_file(self, scope: Scope, file: str) -> tuple[Target, ...]:
        """Return every image place of one file of a scope; none where it cannot be parsed or is no part."""
        spot = self.laid_out(scope).get(file)
        result = self._known.scan(spot) if spot is not None else None
        return result.targets if isinstance(result, Scan) else ()

    def problems(self, scope: Scope) -> tuple[EditRefused, ...]:
        """Return why files of a scope cannot be read, each with its name in it."""
        return tuple(result for _, result in self._scans(scope) if isinstance(result, EditRefused))

    def write(self, file: str, changes: Sequence[tuple[Target, str, str | None]]) -> bytes:
        """Return the file's bytes with every tag written; the same bytes where nothing changes.

        A change is a target, its new tag and its digest: None leaves what is there, "" clears it,
        another is written where the place has room for one.

        Raises:
            EditRefused: an edit cannot be made safely; the file is named and nothing was changed.
        """
        text = self._known.text(file)
        try:
            return write(text, changes)
        except EditRefused as refusal:
            raise refusal.within(file) from refusal

    def overlays_setting(self, target: Target) -> tuple[str, ...]:
        """Return "file:line" of every overlay beside a `values.yaml` that sets the same key."""
        return nearest.overlays_setting(self._known, target)

    def nearest(self, scope: Scope, repository: str) -> tuple[str, ...]:
        """Return what stands closest to a repository that has no place, as short phrases with file:line."""
        return nearest.nearest(self._known, scope, repository)

    def near_in(self, scope: Scope, chart: str) -> tuple[str, ...]:
        """Return what is nearest to an image in a chart that has none, as short phrases with file:line."""
        return nearest.near_in(self._known, scope, chart)

    def _with_pins(self, scope: Scope, spot: Spot, targets: Sequence[Target]) -> Sequence[Target]:
        pins = self._known.pins(scope, spot)
        return pinned_targets(self._known.text(spot.file), spot.chart, pins, targets) if pins else targets

    def _scans(self, scope: Scope) -> Iterator[tuple[Spot, Scan | EditRefused]]:
        # Whoever wants all of them needs no index of what is where.
        return ((spot, self._known.scan(spot)) for spot in self._known.layout(scope).spots.values())
