"""What a change does to charts that were there before: versions that did not rise with them (E11).

It hides which of a chart's files its readers see, and when a change is one of tags only. `oneshot` brings
what was there before and what differs; nothing here reads Git.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from updater.charts import Target
from updater.charts.versions import version_of
from updater.check.chart import CHART_FILE, Chart
from updater.check.findings import Finding
from updater.check.ground import Ground
from updater.check.nodes import key_line, value
from updater.globs import glob_of
from updater.model import Scope
from updater.yamledit import KeyPath, Node, Scalar, Sequence, YamlText
from updater.yamledit import Mapping as Table
from updater.yamledit.nodes import key_text

_VERSIONS: frozenset[KeyPath] = frozenset({("version",), ("appVersion",)})
# Read by Fleet and people, and by nobody who installs the chart.
_ASIDE = re.compile(r"fleet\.ya?ml|\.fleetignore|\.helmignore|values[-_.].+\.ya?ml")
_FOR_PEOPLE = re.compile(r"[^/]+\.md|questions\.ya?ml|license(?:\.txt)?", re.IGNORECASE)


def versions(before: Ground, now: Ground, changed: Collection[str]) -> Iterator[Finding]:
    """Yield charts whose version fell, or stayed where it should have risen.

    In a catalog, every change of a chart wants a higher version, and a version directory never changes.
    Elsewhere only a change wants one that Helm sees and that is more than tags.
    """
    known = {chart.folder for chart in before.charts if not chart.is_sub}
    overlays = {file for one in now.environments for file in now.survey.laid_out(one.scope)}
    contents = _by_chart((before, now), changed)
    for chart in now.charts:
        files = contents.get(chart.folder)
        if files and chart.folder in known and not chart.is_sub:
            chosen = [file for file in files if file == chart.values or file not in overlays]
            yield from _of_chart(before, now, chart, _content(before, now, chart, chosen))
    if now.is_catalog:
        yield from _lost(before, now)


def _by_chart(grounds: tuple[Ground, Ground], changed: Collection[str]) -> Mapping[str, list[str]]:
    """Return the changed files by the folder of the chart that they are packed with; sub-charts go along."""
    folders = {chart.folder for ground in grounds for chart in ground.charts if not chart.is_sub}
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(changed):
        folder = file
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in folders:
                found[folder].append(file)
                break
    return found


def _of_chart(before: Ground, now: Ground, chart: Chart, content: list[str]) -> Iterator[Finding]:
    root = now.root(chart.file)
    new, old = value(root, "version"), value(before.root(chart.file), "version")
    new_place, old_place = version_of(new), version_of(old)
    if root is None or new_place is None or old_place is None:
        return
    line = key_line(root, "version")
    facts: dict[str, object] = {"version": new, "old": old, "files": content}
    if new_place < old_place:
        yield _finding(chart.file, line, {**facts, "fault": "lowered"})
    elif now.is_catalog and chart.is_version:
        if content:
            yield _finding(content[0], 0, {**facts, "fault": "published"})
    elif new_place == old_place and content:
        yield _finding(chart.file, line, {**facts, "fault": "unraised"})


def _finding(file: str, line: int, facts: Mapping[str, object]) -> Finding:
    return Finding(code="E11", file=file, line=line, facts=facts)


def _lost(before: Ground, now: Ground) -> Iterator[Finding]:
    """Yield charts whose highest version directory went, so that a lower one is the newest."""
    highest = dict(_newest(before))
    for home, chart in _newest(now):
        rival = highest.get(home)
        new, old = _leaf(chart), _leaf(rival or chart)
        if (version_of(new) or ()) < (version_of(old) or ()):
            yield _finding(chart.file, 0, {"fault": "lowered", "version": new, "old": old, "files": []})


def _newest(ground: Ground) -> Iterator[tuple[str, Chart]]:
    for chart in ground.charts:
        if chart.is_version and not chart.is_sub and not chart.is_old:
            yield chart.folder.rpartition("/")[0], chart


def _leaf(chart: Chart) -> str:
    return chart.folder.rpartition("/")[2]


def _content(before: Ground, now: Ground, chart: Chart, files: list[str]) -> list[str]:
    """Return the changed files that want a higher version."""
    start = len(chart.path(""))
    packed = [file for file in files if not _ASIDE.fullmatch(file[start:])]
    if now.is_catalog:
        return packed
    return [
        file
        for file in packed
        if not _FOR_PEOPLE.fullmatch(file[start:]) and not _is_tags_only(before, now, file)
    ]


def _is_tags_only(before: Ground, now: Ground, file: str) -> bool:
    """Say whether nothing but tags differs in a file, or in a Chart.yaml what follows them."""
    if not (file in before.files.paths and file in now.files.paths and file.endswith((".yaml", ".yml"))):
        return False
    old, new = before.parsed(file), now.parsed(file)
    if not (isinstance(old, YamlText) and isinstance(new, YamlText)):
        return False
    was, is_now = _leaves(old), _leaves(new)
    differing = {path for path in was.keys() | is_now.keys() if was.get(path) != is_now.get(path)}
    if file.rpartition("/")[2] == CHART_FILE:
        return all(path in _VERSIONS for _, path in differing)
    tags = {
        place
        for key, target in targets_of(now, file).items()
        if (known := targets_of(before, file).get(key)) is None or known.repository == target.repository
        for place in (key, (target.document, target.digest_path))
    }
    return differing <= tags


def targets_of(ground: Ground, file: str) -> Mapping[tuple[int, KeyPath], Target]:
    """Return the image places of one file, whether an environment has it or not."""
    found = ground.survey.all_targets(Scope(files=(glob_of(file),)))
    return {(target.document, target.path): target for target in found}


def _leaves(text: YamlText) -> Mapping[tuple[int, KeyPath], tuple[str, bool]]:
    """Return every value of a file by its place, and whether it is quoted; aliases by their names."""
    found: dict[tuple[int, KeyPath], tuple[str, bool]] = {}
    waiting: list[tuple[int, KeyPath, Node]] = [
        (number, (), node) for number, node in enumerate(text.documents) if node is not None
    ]
    while waiting:
        number, path, node = waiting.pop()
        if isinstance(node, Table):
            named = ((key_text(key) or "", inner) for key, inner in node.entries)
            waiting.extend((number, (*path, name), inner) for name, inner in named)
        elif isinstance(node, Sequence):
            waiting.extend((number, (*path, place), inner) for place, inner in enumerate(node.items))
        elif isinstance(node, Scalar):
            found[number, path] = (node.value, bool(node.style))
        else:
            found[number, path] = (f"*{node.name}", False)
    return found
