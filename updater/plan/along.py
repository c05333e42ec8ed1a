"""Brings along what follows a chart's tags by the rule `chart`: questions, versions, version folders.

It hides which charts an edit touches, and which of their images they are called after. `edits` and
`rollbacks` call it once it is certain which tags move; what follows is the catalog's to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from updater.catalog import Along, Moving, follow, unversioned
from updater.charts import Target
from updater.charts.layout import Spot
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
    pipeline = source.pipeline_url.rstrip("/").rpartition("/")[2] or source.pipeline_id
    return int(pipeline) if pipeline.isascii() and pipeline.isdecimal() else None


def bring_along(
    environment: Environment, ground: Ground, edits: Edits, what: str, *, number: int | None = None
) -> None:
    """Add to edits what follows them; `what` is moved, by its name, and `number` is that of the build.

    Raises:
        Refusal: something of it cannot be changed safely.
    """
    laid_out = ground.survey.laid_out(environment.scope)
    by_folder: dict[str, list[Spot]] = {}
    for file in edits.files:
        spot = laid_out.get(file)
        if spot is not None and spot.folder is not None:
            by_folder.setdefault(spot.folder, []).append(spot)
    try:
        for folder, spots in by_folder.items():
            moving = Moving(
                folder=folder,
                edited=edits.files,
                values=tuple(spot.file for spot in spots),
                app_version=_app_version(environment, ground, edits, spots) or "",
                number=number,
            )
            _take(follow(environment.chart, ground.draft, moving), spots[0].chart, edits)
    except EditRefused as problem:
        raise Refusal(Reason("unsafe-edit", {"problem": str(problem), "image": what})) from problem


def lasting(environment: Environment, file: str) -> str:
    """Return what a file is called in every version of its chart, so that places can be compared."""
    return unversioned(file) if environment.chart.directory else file


def _app_version(environment: Environment, ground: Ground, edits: Edits, spots: Sequence[Spot]) -> str | None:
    """Return the new tag of the image that a chart is called after; None where that one did not move."""
    if not environment.chart.app_version:
        return None
    charts, files = {spots[0].chart}, {spot.file for spot in spots}
    fork = ground.fork(edits.files)
    before = {(one.file, one.path): one.tag for one in ground.survey.readable_in(environment.scope, charts)}
    after = (one for one in fork.survey.readable_in(environment.scope, charts) if one.file in files)
    main = _main(after)
    moved = main is not None and before.get((main.file, main.path)) != main.tag
    return main.tag if main is not None and moved else None


def _main(targets: Iterable[Target]) -> Target | None:
    """Return the place of the image a chart is called after: `image` at the top, else the first one."""
    those = list(targets)
    return next((one for one in those if one.path[0] == "image"), those[0] if those else None)


def _take(along: Along, chart: str, edits: Edits) -> None:
    edits.along.update(along.files)
    for old, new in along.renamed.items():
        edits.files.pop(old, None)
        _rename(edits, old, new)
    edits.files |= along.files
    if along.new:
        move = VersionMove(chart, along.old, along.new, along.folder if along.renamed else "", along.removed)
        edits.versions.append(move)
        edits.notes.append(Reason("chart-version", _facts(move)))


def _rename(edits: Edits, old: str, new: str) -> None:
    """Tell places and notes by the file that carries the tag now."""
    edits.places = [replace(one, file=new) if one.file == old else one for one in edits.places]
    edits.notes = [
        Reason(one.code, {**one.facts, "file": new}) if one.facts.get("file") == old else one
        for one in edits.notes
    ]


def _facts(move: VersionMove) -> dict[str, object]:
    return {
        "chart": move.chart,
        "old": move.old,
        "version": move.new,
        "folder": move.folder,
        "removed": move.removed,
    }
