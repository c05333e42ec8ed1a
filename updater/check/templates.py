"""Templates of charts, as text: what Helm cannot parse, and versions where they restart pods (E15, E21, W5).

It hides how far an included template is followed. Called by `inspection` once for each chart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from updater.check import gotext
from updater.check.chart import Chart
from updater.check.findings import Finding
from updater.check.ground import Ground
from updater.check.marks import CONFLICT
from updater.check.nodes import items, value
from updater.yamledit.nodes import child

_ESCAPED = re.compile(r"\{\{-?\s*'[^'\n]{2,}|\{%-?\s*(?:end)?raw\s*-?%\}")
_VERSION = re.compile(r"\.Chart\.(?:Version|AppVersion)\b|(?:helm\.sh/chart|app\.kubernetes\.io/version)\s*:")
_FILES = (".yaml", ".yml", ".tpl", ".txt", ".json")


def of_chart(ground: Ground, chart: Chart) -> Iterator[Finding]:
    """Yield what is wrong with the templates of one chart; sub-charts are read for their names only."""
    if chart.is_old:
        return
    named = ground.named(chart)
    for path in chart.templates:
        if not path.endswith(_FILES):
            continue
        text = ground.template(path)
        yield from _escapes(path, text)
        if not chart.is_sub:
            yield from _unknown_names(ground, chart, path, named)
            yield from _versions(path, text, named)


def _escapes(path: str, text: str) -> Iterator[Finding]:
    told: set[int] = set()
    for pattern, fault in ((CONFLICT, "conflict"), (_ESCAPED, "escaped")):
        for found in pattern.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            if line not in told:
                told.add(line)
                yield Finding(code="E15", file=path, line=line, facts={"fault": fault, "example": found[0]})
    for action in gotext.actions(text) if "'" in text else ():
        if action.line not in told and action.has_stray_quote:
            facts = {"fault": "quote", "example": action.inside.strip()}
            yield Finding(code="E15", file=path, line=action.line, facts=facts)


def _unknown_names(ground: Ground, chart: Chart, path: str, named: Mapping[str, str]) -> Iterator[Finding]:
    """Yield names that are defined nowhere; a dependency that is not unpacked here may define them."""
    text = ground.template(path)
    if "include" not in text and "template" not in text:
        return
    root = ground.root(chart.file)
    if items(child(root, "dependencies")) if root is not None else ():
        return
    is_whole = chart.path("requirements.yaml") not in chart.at_root and not ground.has_links(chart.folder)
    if not is_whole or value(root, "type") == "library":
        return
    for action in gotext.actions(text):
        for name in action.includes:
            if name not in named:
                yield Finding(code="E21", file=path, line=action.line, facts={"name": name})


def _versions(path: str, text: str, named: Mapping[str, str]) -> Iterator[Finding]:
    if "selector" not in text and "labels" not in text:
        return
    for line, content, above, key in gotext.places(text):
        # `labels: {{ include "iris.labels" . | nindent 8 }}` holds them on the key's own line.
        where = _where(above) or _where((*above, key))
        found = _version_in(content, named, set()) if where else ""
        if found:
            facts = {"where": where, "text": found, "example": content.strip()}
            yield Finding(code="W5", file=path, line=line, facts=facts)


def _where(above: tuple[str, ...]) -> str:
    """Say which of the two a line stands in: what selects pods, or what pods carry."""
    if "selector" in above:
        return "selector"
    return "pod template" if above[-3:] == ("template", "metadata", "labels") else ""


def _version_in(text: str, named: Mapping[str, str], seen: set[str]) -> str:
    """Return what of a chart's version a text renders, itself or through what it includes."""
    found = _VERSION.search(gotext.uncommented(text))
    if found:
        return found[0].rstrip(": ")
    for action in gotext.actions(text):
        for name in action.includes:
            if name in seen:
                continue
            seen.add(name)
            inner = _version_in(named.get(name, ""), named, seen)
            if inner:
                return inner
    return ""
