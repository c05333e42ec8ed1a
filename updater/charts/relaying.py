"""A layout after versions of charts came or went: only their charts are laid out anew.

It hides when that is enough. In a catalog each change of a tag is a new folder; laying out a thousand
charts for each would be most of the work. `memory` calls it; where it gives up, all is laid out anew.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from updater.charts.layout import Charts, Spot, spots
from updater.charts.naming import home_of
from updater.charts.versions import version_of
from updater.model import Scope


def changed_homes(changed: Collection[str], before: Charts, after: Charts) -> frozenset[str] | None:
    """Return the folders in which versions came or went; None where something else did."""
    homes: set[str] = set()
    known: dict[str, str] = {}
    for path in changed:
        folder = path.rpartition("/")[0]
        if folder not in known:
            known[folder] = _home(folder, before, after)
        if not known[folder]:
            return None
        homes.add(known[folder])
    return frozenset(homes)


def _home(folder: str, before: Charts, after: Charts) -> str:
    """Return what the outermost folder of a version around a folder lies in; empty where there is none."""
    parts = folder.split("/")
    for count in range(1, len(parts)):
        if version_of(parts[count]) is not None:
            version = "/".join(parts[: count + 1])
            if version in before.folders or version in after.folders:
                return "/".join(parts[:count])
    return ""


def relaid(
    scope: Scope, before: dict[str, Spot], charts: Charts, homes: Collection[str]
) -> dict[str, Spot] | None:
    """Return a scope's files, where only the charts in `homes` are not as before; None: nobody can say so."""
    starts = tuple(f"{home}/" for home in homes)
    gone = {path: spot for path, spot in before.items() if path.startswith(starts)}
    part = Charts(frozenset(path for path in charts.paths if path.startswith(starts)))
    come = spots(replace(scope, pinned=()), part) if not scope.base else {}
    names = {home_of(spot.folder): spot.chart for spot in gone.values() if spot.folder}
    new_homes = {home_of(spot.folder) if spot.folder else "" for spot in come.values()}
    # Charts are called by their paths where two share a name, so none may come or go.
    if scope.base or not all(spot.folder for spot in gone.values()) or new_homes != names.keys():
        return None
    renamed = {
        path: replace(spot, chart=names[home_of(spot.folder)]) for path, spot in come.items() if spot.folder
    }
    kept = {path: spot for path, spot in before.items() if path not in gone}
    return dict(sorted({**kept, **renamed}.items()))
