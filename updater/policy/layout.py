"""Which environments a config repo seems to have, told from the names of its files.

`suggest` is the only caller. This module hides the habits people have: an overlay file beside each
chart, a folder for each environment, or neither, with Helm, Kustomize or plain manifests. It proposes
and never decides: what it finds is written into a file that a person reads first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from updater.globs import MAX_LENGTH, compile_glob, glob_of
from updater.policy.stages import (
    Charts,
    Family,
    Member,
    folders_around,
    is_doubtful,
    is_kustomization,
    joined,
    may_be_manifest,
    place_of,
    stage_rank,
)


@dataclass(frozen=True, slots=True)
class Found:
    """An environment that was found: `files` are those its globs were made from."""

    name: str
    globs: tuple[str, ...] = ()
    base: str = ""
    files: tuple[str, ...] = ()


def manifest_candidates(paths: frozenset[str]) -> tuple[str, ...]:
    """Return the files that may be manifests or kustomizations, those that show a stage first."""
    charts = Charts.among(paths)
    found = [path for path in sorted(paths) if may_be_manifest(path, charts)]
    every = frozenset(found)
    return tuple(sorted(found, key=lambda path: place_of(path, charts, every) is None))


def environments_in(paths: frozenset[str], manifests: frozenset[str] = frozenset()) -> tuple[Found, ...]:
    """Return the environments whose names stand in file or folder names, in the order builds travel.

    `manifests` are the files of `manifest_candidates` that hold images.
    """
    charts = Charts.among(paths)
    manifests = _uncovered(manifests)
    families: dict[Family, list[Member]] = defaultdict(list)
    for path in sorted(paths):
        place = place_of(path, charts, manifests)
        if place:
            families[place[0]].append(place[1])
    found = _accepted(families, charts)
    return tuple(
        replace(found[name], base=_base(found[name], paths - manifests, charts))
        for name in sorted(found, key=lambda name: (stage_rank(name) or 0, name))
    )


def share_out(groups: Sequence[Collection[str]], paths: frozenset[str]) -> Iterator[tuple[int, Found]]:
    """Share out the files of each group by their stages, in the order builds travel; none is left out.

    Yields the group's number with each. Files that show no stage come last, under an empty name. Globs
    take those files alone of `paths`.
    """
    charts = Charts.among(paths)
    every = {path for group in groups for path in group}
    manifests = frozenset(path for path in every if place_of(path, charts) is None)
    shared: dict[tuple[str, int], set[str]] = defaultdict(set)
    for number, group in enumerate(groups):
        for path in group:
            place = place_of(path, charts, manifests)
            shared[place[1].environment if place else "", number].add(path)
    known = {one.name: one for one in environments_in(paths, manifests)}
    for name, number in sorted(shared, key=lambda one: (not one[0], stage_rank(one[0]) or 0, one)):
        own = shared[name, number]
        found = known.get(name)
        if found is None or own != set(found.files) or not _take_only(found.globs, own, paths):
            found = Found(name, tuple(map(glob_of, sorted(own))), files=tuple(sorted(own)))
        yield number, found


def _take_only(globs: Collection[str], own: Collection[str], paths: frozenset[str]) -> bool:
    patterns = [compile_glob(glob) for glob in globs]
    return {path for path in paths if any(pattern.match(path) for pattern in patterns)} == own


def values_globs(paths: frozenset[str]) -> tuple[str, ...]:
    """Return globs of the values.yaml files beside a Chart.yaml; none where names alone cannot say.

    That is so for folders of versions: only the highest version counts there, which no glob can say.
    """
    charts = Charts.among(paths)
    if charts.are_versions():
        return ()
    found = [path for chart in charts.folders if (path := joined(chart, "values.yaml")) in paths]
    return _by_length(found)


def manifest_globs(manifests: frozenset[str]) -> tuple[str, ...]:
    """Return globs of manifests and kustomizations that show no stage, for want of charts."""
    return _by_length(_uncovered(manifests))


def _uncovered(manifests: frozenset[str]) -> frozenset[str]:
    """Leave out manifests beside a kustomization that sets images itself: what it says is what runs."""
    kustomized = {path.rpartition("/")[0] for path in manifests if is_kustomization(path)}
    return frozenset(
        path for path in manifests if is_kustomization(path) or path.rpartition("/")[0] not in kustomized
    )


def _by_length(paths: Collection[str]) -> tuple[str, ...]:
    by_length: dict[int, list[str]] = defaultdict(list)
    for path in sorted(paths):
        by_length[path.count("/")].append(path)
    globs = tuple(_glob(by_length[length], {length - 1}, {}) for length in sorted(by_length))
    return globs if _are_short(globs) else ()


def _accepted(families: dict[Family, list[Member]], charts: Charts) -> dict[str, Found]:
    """Return the environments of families that do not contradict each other.

    The largest family goes first; one whose globs would take another environment's files is left out.
    """
    accepted: dict[str, Found] = {}
    for family, members in sorted(families.items(), key=lambda item: (-len(item[1]), str(item[0]))):
        if all(is_doubtful(member.stage) for member in members):
            continue
        more = dict(accepted)
        for one in _environments(family, members, charts):
            known = more.get(one.name, Found(one.name))
            more[one.name] = Found(one.name, known.globs + one.globs, files=known.files + one.files)
        if _are_apart(more.values()):
            accepted = more
    return accepted


def _environments(family: Family, members: list[Member], charts: Charts) -> Iterator[Found]:
    """Yield each environment of one family, with a glob for each spelling of its stage."""
    paths = [member.path for member in members]
    loose = {index for path in paths if (index := family.loose_index(path, charts)) is not None}
    by_name: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        by_name[member.environment].append(member)
    for name, own in by_name.items():
        globs = [
            _glob(paths, loose, _fixed_parts(family, stage)) for stage in sorted({one.stage for one in own})
        ]
        yield Found(name, tuple(globs), files=tuple(member.path for member in own))


def _fixed_parts(family: Family, stage: str) -> dict[int, str]:
    fixed = {family.stage_index: glob_of(family.before + stage + family.after)}
    return fixed | {family.length - 1: family.name} if family.name else fixed


def _glob(paths: list[str], loose: set[int], fixed: dict[int, str]) -> str:
    """Return one glob for paths of one length: a part in which they differ becomes a wildcard."""
    parts = []
    for index, column in enumerate(zip(*(path.split("/") for path in paths), strict=True)):
        same = len(set(column)) == 1 and index not in loose
        parts.append(fixed.get(index) or (glob_of(column[0]) if same else "*"))
    return "/".join(parts)


def _are_apart(environments: Collection[Found]) -> bool:
    """Say whether every environment's globs take its own files and nobody else's."""
    if not all(_are_short(one.globs) for one in environments):
        return False
    for one in environments:
        patterns = [compile_glob(glob) for glob in one.globs]
        for other in environments:
            for path in other.files:
                if any(pattern.match(path) for pattern in patterns) is not (one is other):
                    return False
    return True


def _are_short(globs: Collection[str]) -> bool:
    return all(len(glob) <= MAX_LENGTH for glob in globs)


def _base(environment: Found, paths: frozenset[str], charts: Charts) -> str:
    """Return where the base values are, where they do not stand upwards beside a Chart.yaml."""
    bases = {chart for chart in charts.folders if joined(chart, "values.yaml") in paths}
    if len(environment.globs) > 1 or not paths.issuperset(environment.files):
        return ""
    if any(not bases.isdisjoint(folders_around(path)) for path in environment.files):
        return ""
    pattern = compile_glob(environment.globs[0])
    matches = [pattern.match(path) for path in environment.files] if pattern.groups else []
    names = {found[1] for found in matches if found}
    around = {chart.rpartition("/")[0] for chart in bases if chart.rpartition("/")[2] in names}
    folder = around.pop() if len(around) == 1 else None
    # A base is a path and no glob, so a folder that a path cannot name here is left to the reader.
    return joined(folder, "{chart}/values.yaml") if folder is not None and glob_of(folder) == folder else ""
