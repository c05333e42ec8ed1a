"""Chart.yaml: what Helm needs in it, and what Rancher's catalogs and Apps trip over (E1-E4, W4-W7, W13, W24).

It hides the rules of names and versions. Called by `inspection` once for each chart, and once for
what charts have in common.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterator

from semver import Version

from updater.check.chart import CHART_FILE, Chart
from updater.check.findings import Finding, Fix
from updater.check.ground import Ground
from updater.check.nodes import is_text, key_line, scalar, value
from updater.errors import EditRefused
from updater.yamledit import Mapping, Replace, Scalar
from updater.yamledit.nodes import child

_NAME = re.compile(r"[a-z0-9-]+")
_NEEDED = ("apiVersion", "name", "version")
# Helm 4.3.1, pkg/chart/v2/metadata.go, and what the first form of charts had.
_KEYS = frozenset(
    {*_NEEDED, "appVersion", "kubeVersion", "description", "type", "keywords", "home", "sources"}
    | {"dependencies", "maintainers", "icon", "deprecated", "annotations", "condition", "tags"}
    | {"engine", "tillerVersion"}
)
_LOWER = {key.lower(): key for key in sorted(_KEYS)}
_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_MAX_LABEL, _MAX_SUBDOMAIN = 63, 253


def of_chart(ground: Ground, chart: Chart) -> Iterator[Finding]:
    """Yield what is wrong with one Chart.yaml."""
    root = ground.root(chart.file)
    problem = _unreadable(ground, chart, root)
    if problem is not None:
        yield problem
    if root is None:
        return
    yield from _metadata(chart, root)
    if not chart.is_sub:
        yield from _version(ground, chart, root)
    if not chart.is_sub and not chart.is_old:
        yield from _told_in_the_ui(ground, chart, root)


def of_repo(ground: Ground) -> Iterator[Finding]:
    """Yield versions that stand twice in the branch."""
    known: dict[tuple[str, str], list[Chart]] = defaultdict(list)
    for chart in ground.charts:
        root = ground.root(chart.file)
        name, version = value(root, "name"), value(root, "version")
        if not chart.is_sub and name and version:
            known[name, version].append(chart)
    for (name, version), charts in known.items():
        for chart in charts[1:]:
            root = ground.root(chart.file)
            line = key_line(root, "version") if root is not None else 0
            facts = {"name": name, "version": version, "other": charts[0].file}
            yield Finding(code="E3", file=chart.file, line=line, facts=facts)


def _unreadable(ground: Ground, chart: Chart, root: Mapping | None) -> Finding | None:
    text = ground.parsed(chart.file)
    if isinstance(text, EditRefused):
        facts: dict[str, object] = {"fault": "unreadable", "problem": text.problem}
        return Finding(code="E1", file=chart.file, line=text.line, facts=facts)
    if root is None:
        return Finding(code="E1", file=chart.file, line=1, facts={"fault": "empty"})
    if chart.file.rpartition("/")[2] != CHART_FILE:
        return Finding(code="E1", file=chart.file, line=1, facts={"fault": "case"})
    return None


def _metadata(chart: Chart, root: Mapping) -> Iterator[Finding]:
    unknown = dict(_unknown(root))
    for key in _NEEDED:
        node = scalar(child(root, key, through=True))
        if node is None or not node.value.strip():
            instead = "" if node is not None else next((one for one in unknown if unknown[one] == key), "")
            line = key_line(root, instead or key)
            facts: dict[str, object] = {"fault": "missing", "key": key, "instead": instead}
            yield Finding(code="E1", file=chart.file, line=line, facts=facts)
            unknown.pop(instead, None)
        elif key == "apiVersion" and node.value not in ("v1", "v2"):
            facts = {"fault": "api", "word": node.value}
            yield Finding(code="E1", file=chart.file, line=node.line, facts=facts)
        elif key == "name" and not chart.is_sub and (not _NAME.fullmatch(node.value) or not is_text(node)):
            lower = re.sub(r"[^a-z0-9-]+", "-", node.value.lower()).strip("-")
            facts = {"fault": "name", "word": node.value, "better": lower}
            yield Finding(code="E2", file=chart.file, line=node.line, facts=facts)

    for word, near in unknown.items():
        facts = {"key": word, "nearest": near}
        yield Finding(code="W24", file=chart.file, line=key_line(root, word), facts=facts)


def _unknown(root: Mapping) -> Iterator[tuple[str, str]]:
    """Yield keys that Helm does not know and that look like one it knows, with that one."""
    present = [value(key) for key, _ in root.entries]
    for key in present:
        near = difflib.get_close_matches(key.lower(), _LOWER, n=1, cutoff=0.75) if key not in _KEYS else []
        if near and _LOWER[near[0]] not in present:
            yield key, _LOWER[near[0]]


def _version(ground: Ground, chart: Chart, root: Mapping) -> Iterator[Finding]:
    node = scalar(child(root, "version", through=True))
    if node is None or not node.value.strip():
        return
    word = node.value
    fault = ""
    if not is_text(node) or not Version.is_valid(word):
        fault = "version"
    elif ground.is_catalog and not chart.is_old:
        fault = "build" if "+" in word else "case" if word != word.lower() else ""
    if fault:
        yield Finding(code="E2", file=chart.file, line=node.line, facts={"fault": fault, "word": word})
    else:
        yield from _long_names(ground, chart, node, value(root, "name"))
        if not chart.is_old and Version.parse(word).prerelease:
            yield Finding(code="W6", file=chart.file, line=node.line, facts={"version": word})


def _long_names(ground: Ground, chart: Chart, node: Scalar, name: str) -> Iterator[Finding]:
    for catalog in ground.catalogs:
        short, whole = f"{catalog}-{name}", f"{catalog}-{name}-{node.value}"
        fits = len(short) <= _MAX_LABEL and _SUBDOMAIN.fullmatch(short)
        if not fits or len(whole) > _MAX_SUBDOMAIN or not _SUBDOMAIN.fullmatch(whole.replace("+", "-")):
            facts = {"catalog": catalog, "name": name, "whole": whole, "length": len(short)}
            yield Finding(code="E4", file=chart.file, line=node.line, facts=facts)


def _told_in_the_ui(ground: Ground, chart: Chart, root: Mapping) -> Iterator[Finding]:
    node = scalar(child(root, "appVersion", through=True))
    stale = next(_named_after(ground, chart, node), None)
    if stale is not None:
        yield stale
    elif node is not None and not node.style and node.value:
        fix = Fix(chart.file, (Replace(("appVersion",), node.value, quoted=True),))
        facts: dict[str, object] = {
            "fault": "unquoted",
            "word": node.value,
            "is_text": is_text(node),
        }
        yield Finding(code="W4", file=chart.file, line=node.line, facts=facts, fix=fix)
    if value(root, "type") == "library":
        return
    if (ground.is_catalog or chart.questions) and not value(root, "icon"):
        yield Finding(code="W13", file=chart.file, line=1, facts={})
    if ground.is_catalog and not chart.is_version and not _wants_folders(ground, chart):
        yield Finding(code="W7", file=chart.file, line=1, facts={"name": value(root, "name")})


def _wants_folders(ground: Ground, chart: Chart) -> bool:
    """Say whether the rules want a folder for each version; where there is none, that is an error."""
    return any(
        environment.chart.directory and spot.folder == chart.folder
        for environment in ground.environments
        for spot in ground.survey.laid_out(environment.scope).values()
    )


def _named_after(ground: Ground, chart: Chart, node: Scalar | None) -> Iterator[Finding]:
    """Yield an appVersion that is not the tag of the image the rules name the chart after."""
    for environment, target in ground.named_after(chart):
        if environment.chart.app_version and target.tag and (node is None or node.value != target.tag):
            line = node.line if node is not None else 1
            fix = Fix(chart.file, (Replace(("appVersion",), target.tag, quoted=True),)) if node else None
            facts = {
                "fault": "tag",
                "word": node.value if node is not None else "",
                "tag": target.tag,
                "environment": environment.name,
                "values": target.file,
            }
            yield Finding(code="W4", file=chart.file, line=line, facts=facts, fix=fix)
