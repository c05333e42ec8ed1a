"""Brings along what follows a chart's tags by the rule `chart`: questions, versions, version folders.

It hides which charts an edit touches, and which of their images they are called after. `edits` and
`rollbacks` call it once it is certain which tags move; what follows is the catalog's to say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial

from updater.catalog import Along, Moving, follow
from updater.charts import Target
from updater.charts.layout import VALUES_FILE, Spot
from updater.errors import EditRefused
from updater.model import Source
from updater.plan.draft import Ground
from updater.plan.values import Edits, Reason, Refusal, VersionMove
from updater.policy import Environment


def number_of(environment: Environment, tag: str, source: Source) -> int | None:
    """Return the number of a build: the one in its tag, else its pipeline's."""
    for tags in (environment.tags, environment.promoted):
        if tags is not None and (number := tags.number(tag)) is not None:
            return number
    for pipeline in (source.pipeline_url, source.pipeline_id):
        number_text = pipeline.rstrip("/").rpartition("/")[2]
        if number_text.isascii() and number_text.isdecimal():
            return int(number_text)
    return None


def bring_along(
    environment: Environment, ground: Ground, edits: Edits, what: str, *, number: int | None = None
) -> None:
    """Add to edits what follows them; `what` is moved, by its name, and `number` is that of the build.

    Raises:
        Refusal: something of it cannot be changed safely.
    """
    rises = environment.chart.version != "none"
    laid_out = ground.survey.laid_out(environment.scope)
    by_root: dict[str, list[Spot]] = {}
    for file in edits.files:
        spot = laid_out.get(file)
        if spot is not None and spot.root is not None:
            by_root.setdefault(spot.root, []).append(spot)
    try:
        for root, spots in by_root.items():
            chart = _chart_of(spots, laid_out.values(), root)
            moving = Moving(
                folder=root,
                edited=edits.files,
                # A sub-chart's values are not the chart's: its keys mean something else there.
                values=tuple(spot.file for spot in spots if spot.folder == root),
                beside=partial(ground.survey.beside, root),
                app_version=_app_version(environment, ground, edits, spots) or "",
                number=number,
                least=ground.past.highest_version(environment.name, chart) if rises else "",
            )
            _take(follow(environment.chart, ground.draft, moving), chart, edits)
    except EditRefused as problem:
        raise Refusal(Reason("unsafe-edit", {"problem": str(problem), "image": what})) from problem


def _chart_of(spots: Sequence[Spot], all_spots: Iterable[Spot], root: str) -> str:
    """Return what the chart in a folder is called."""
    if any(spot.folder == root for spot in spots):
        return next(spot.chart for spot in spots if spot.folder == root)
    return next((spot.chart for spot in all_spots if spot.folder == root), spots[0].chart)


def _app_version(environment: Environment, ground: Ground, edits: Edits, spots: Sequence[Spot]) -> str | None:
    """Return the new tag of the image that a chart is called after; None where that one did not move."""
    if not environment.chart.app_version:
        return None
    files = {spot.file for spot in spots if spot.folder == spot.root}
    # Only these: with the whole of a change, each of a thousand charts would look at all others.
    fork = ground.fork({path: edits.files[path] for path in files})
    before = _tags(ground, environment, spots, files)
    moved = [one for one in _targets(fork, environment, spots, files) if before.get(_key(one)) != one.tag]
    main = _main_repository(fork, spots[0], files, moved)
    return next((one.tag for one in moved if one.repository == main), None)


def _targets(
    ground: Ground, environment: Environment, spots: Sequence[Spot], files: Collection[str]
) -> list[Target]:
    charts = {spot.chart for spot in spots}
    return [one for one in ground.survey.readable_in(environment.scope, charts) if one.file in files]


def _key(target: Target) -> tuple[object, ...]:
    return target.file, target.document, target.path


def _tags(
    ground: Ground, environment: Environment, spots: Sequence[Spot], files: Collection[str]
) -> dict[tuple[object, ...], str | None]:
    return {_key(one): one.tag for one in _targets(ground, environment, spots, files)}


def _main_repository(
    ground: Ground, spot: Spot, files: Collection[str], moved: Sequence[Target]
) -> str | None:
    """Return the image a chart is called after: `image` in its own values, else the first there."""
    own = f"{spot.root}/{VALUES_FILE}" if spot.root else VALUES_FILE
    there = own in ground.draft.paths or own in files
    those = list(ground.survey.own_places(own, spot.chart)) if there else []
    those = those or list(moved)
    main = next((one for one in those if one.path[0] == "image"), those[0] if those else None)
    return main.repository if main else None


def _take(along: Along, chart: str, edits: Edits) -> None:
    edits.along.update(along.files, along.own)
    for old, new in along.renamed.items():
        edits.files.pop(old, None)
        _rename(edits, old, new)
    edits.files |= along.files
    edits.copies |= along.copies
    if along.new:
        move = VersionMove(chart, along.old, along.new, along.folder if along.renamed else "", along.removed)
        edits.versions.append(move)
        edits.notes.append(Reason("chart-version", _facts(move)))


def _rename(edits: Edits, old: str, new: str) -> None:
    """Tell places by the file that carries the tag now; notes are about what stood there before."""
    edits.places = [replace(one, file=new) if one.file == old else one for one in edits.places]


def _facts(move: VersionMove) -> dict[str, object]:
    return {
        "chart": move.chart,
        "old": move.old,
        "version": move.new,
        "folder": move.folder,
        "removed": move.removed,
    }
