"""What Fleet lays over a chart's values: files and values of a fleet.yaml, for each of its targets.

It hides in which order Fleet merges them (fleet, internal/bundlereader: a level's files over its values, a
target's over the bundle's). Called by `rendering`; what is wrong with a fleet.yaml is told elsewhere.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping

from updater.check.ground import Ground
from updater.errors import EditRefused
from updater.yamledit import load

Values = tuple[str | bytes, ...]


def layers(ground: Ground) -> Mapping[str, list[Values]]:
    """Return the sets of values that fleet.yaml files lay over charts, by the chart's folder."""
    found: dict[str, list[Values]] = defaultdict(list)
    for path in ground.bundles:
        folder = path.rpartition("/")[0]
        try:
            bundle = _table(load(ground.files.read(path)).value)
        except EditRefused:
            continue
        helm = _table(bundle.get("helm"))
        chart = resolved(folder, str(helm.get("chart") or "."))
        if chart is None or helm.get("repo"):
            continue
        # Beside a Chart.yaml, without `chart`, Fleet drops the files of the bundle itself.
        lowest = _level(folder, helm, ground, has_files="chart" in helm)
        targets = [_table(one) for one in _list(bundle.get("targetCustomizations"))]
        uppers = [
            _level(folder, _table(one.get("helm")), ground) for one in targets if not one.get("doNotDeploy")
        ]
        for upper in uppers or [()]:
            whole = (*lowest, *upper) if lowest is not None and upper is not None else ()
            if whole and whole not in found[chart]:
                found[chart].append(whole)
    return found


def resolved(folder: str, place: str) -> str | None:
    """Return a folder that is named from another one, None where it lies outside of the repo."""
    parts = folder.split("/") if folder else []
    for part in place.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _level(
    folder: str, helm: Mapping[str, object], ground: Ground, *, has_files: bool = True
) -> Values | None:
    """Return one level's values; None where a file of it is not there, and nothing can be tried."""
    inline = _table(helm.get("values"))
    values: list[str | bytes] = [json.dumps(inline).encode()] if inline else []
    for name in _list(helm.get("valuesFiles")) if has_files else ():
        path = resolved(folder, str(name))
        if path not in ground.files.paths:
            return None
        values.append(path)
    return tuple(values)


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
