"""What Fleet reads: fleet.yaml beside a chart, and GitRepo manifests; and catalogs written down as manifests
(E13, W9, W11, W14, W25, W26).

It hides where Fleet looks for values files and what it does to them on the way. Called by `inspection`.
"""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from updater.check.chart import CHART_FILE, VALUES_FILE
from updater.check.findings import Finding
from updater.check.ground import Ground
from updater.check.nodes import items, key_line, mapping, scalars, value
from updater.errors import EditRefused
from updater.yamledit import Mapping, Node, YamlText
from updater.yamledit.nodes import child

# What Fleet fills in between ${ and }: anything else is a function it does not know, and the bundle fails.
_FILLED_IN = re.compile(
    r"\$\{-?\s*(?:[^}]*\.Cluster|[^}]*\.Values|/\*|[\"`]|(?:if|else|end|range|with|define|template|block|include)\b)"
)
# What a fleet.yaml, its targets and `helm` in both may hold (fleet, pkg/apis/fleet.cattle.io/v1alpha1).
_OPTIONS = frozenset(
    {"defaultNamespace", "namespace", "kustomize", "helm", "serviceAccount", "forceSyncGeneration", "yaml"}
    | {"diff", "keepResources", "deleteNamespace", "deleteCRDResources", "correctDrift", "ignore"}
    | {"namespaceLabels", "namespaceAnnotations", "downstreamResources"}
)
_TOP = _OPTIONS | frozenset(
    {"name", "labels", "annotations", "targets", "targetCustomizations", "targetRestrictions", "dependsOn"}
    | {"rolloutStrategy", "paused", "imageScans", "overrideTargets", "resources", "contentsId"}
)
_TARGET = _OPTIONS | frozenset(
    {"name", "clusterName", "clusterSelector", "clusterGroup", "clusterGroupSelector", "doNotDeploy"}
)
_HELM = frozenset(
    {"chart", "repo", "releaseName", "version", "timeoutSeconds", "values", "valuesFrom", "valuesFiles"}
    | {"templateValues", "force", "takeOwnership", "maxHistory", "atomic", "disablePreProcess", "disableDNS"}
    | {"skipSchemaValidation", "waitForJobs", "disableDependencyUpdate"}
)
_OPENING = re.compile(r"\$\{[^}]*\}?")


def of_repo(ground: Ground) -> Iterator[Finding]:
    """Yield what is wrong with every fleet.yaml and every manifest that tells Rancher of a repo."""
    bundles = []
    for path in ground.bundles:
        if not ground.is_template(path):
            found = list(_fleet_file(ground, path))
            yield from found
            root = ground.root(path)
            # What follows from an error of its own needs no word.
            if root is not None and not any(one.is_error for one in found):
                bundles.append(_Bundle(path, root, mapping(child(root, "helm", through=True))))
    yield from _unlaid(ground, bundles)
    yield from _releases(ground, bundles)
    for path, document in ground.manifests:
        if value(document, "kind") == "GitRepo":
            yield from _git_repo(path, document)
        elif not value(document, "spec", "branch") and ground.default_branch != "master":
            facts = {"name": value(document, "metadata", "name"), "branch": ground.default_branch}
            line = mapping(child(document, "spec")) or document
            yield Finding(code="W14", file=path, line=line.line, facts=facts)


@dataclass(frozen=True, slots=True)
class _Options:
    """The `helm` of a fleet.yaml, or of one target in it."""

    helm: Mapping
    target: str = ""

    @property
    def values_files(self) -> tuple[Node, ...]:
        return items(child(self.helm, "valuesFiles", through=True))


@dataclass(frozen=True, slots=True)
class _Bundle:
    """A fleet.yaml: its folder, the options of all, and those of each target."""

    file: str
    root: Mapping
    helm: Mapping | None

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.file)

    @property
    def options(self) -> Iterator[_Options]:
        if self.helm is not None:
            yield _Options(self.helm)
        for target in items(child(self.root, "targetCustomizations", through=True)):
            own = mapping(child(target, "helm", through=True))
            if own is not None:
                yield _Options(own, value(target, "name") or "a target without a name")

    def says(self, key: str) -> str:
        return value(self.helm, key)

    def within(self, path: str) -> str:
        """Return a path of the bundle as one of the repo; it begins with ".." where it leads out."""
        inner = posixpath.normpath(path)
        return inner if inner.startswith("..") else posixpath.normpath(posixpath.join(self.folder, inner))

    @property
    def chart_folder(self) -> str:
        """The folder of the bundle's own chart, if it has one there."""
        is_local = self.says("chart").startswith(".") and not self.says("repo")
        folder = self.within(self.says("chart")) if is_local else self.folder
        return "" if folder == "." else folder


def _fleet_file(ground: Ground, path: str) -> Iterator[Finding]:
    text = ground.parsed(path)
    if isinstance(text, EditRefused):
        facts: dict[str, object] = {"fault": "unreadable", "problem": text.problem}
        yield Finding(code="E13", file=path, line=text.line, facts=facts)
        return
    root = ground.root(path)
    if root is None:
        return
    bundle = _Bundle(path, root, mapping(child(root, "helm", through=True)))
    has_chart = posixpath.join(bundle.folder, CHART_FILE) in ground.files.paths
    yield from _unknown(bundle)
    yield from _chart(ground, bundle)
    for options in bundle.options:
        for node in options.values_files:
            yield from _values_file(ground, bundle, options, node)
    top = next(bundle.options, None)
    names_chart = bundle.says("chart") or bundle.says("repo")
    if top is not None and not top.target and top.values_files and has_chart and not names_chart:
        line = key_line(top.helm, "valuesFiles")
        yield Finding(code="E13", file=path, line=line, facts={"fault": "ignored"})
    if (has_chart or bundle.says("chart")) and not bundle.says("releaseName"):
        yield Finding(code="W9", file=path, line=key_line(root, "helm"))


def _unknown(bundle: _Bundle) -> Iterator[Finding]:
    """Yield keys that Fleet does not know and that look like one it knows."""
    targets = items(child(bundle.root, "targetCustomizations", through=True))
    holders = [(bundle.root, _TOP), *((found, _TARGET) for one in targets if (found := mapping(one)))]
    holders += [(found, _HELM) for one, _ in holders if (found := mapping(child(one, "helm", through=True)))]
    for holder, known in holders:
        present = [value(key) for key, _ in holder.entries]
        for key in present:
            lower = {one.lower(): one for one in sorted(known)}
            near = difflib.get_close_matches(key.lower(), lower, n=1, cutoff=0.8) if key not in known else []
            if near and lower[near[0]] not in present:
                facts = {"fault": "key", "key": key, "nearest": lower[near[0]]}
                yield Finding(code="E13", file=bundle.file, line=key_line(holder, key), facts=facts)


def _unlaid(ground: Ground, bundles: Sequence[_Bundle]) -> Iterator[Finding]:
    """Yield files that the rules have written and no target of their chart's bundle lays over it."""
    laid = {
        bundle.within(value(one)) for bundle in bundles for two in bundle.options for one in two.values_files
    }
    homes = {bundle.chart_folder: bundle.file for bundle in reversed(bundles)}
    for environment in ground.environments:
        for spot in ground.survey.laid_out(environment.scope).values():
            bundle = homes.get(spot.folder) if spot.folder is not None else None
            is_own = spot.file == posixpath.join(spot.folder or "", VALUES_FILE)
            if bundle is not None and not is_own and spot.file not in laid:
                facts = {"bundle": bundle, "environment": environment.name}
                yield Finding(code="W25", file=spot.file, facts=facts)


def _releases(ground: Ground, bundles: Sequence[_Bundle]) -> Iterator[Finding]:
    """Yield releases of different charts with one name in one namespace."""
    known: dict[tuple[str, str], tuple[str, str]] = {}
    for bundle in bundles:
        root = ground.root(posixpath.join(bundle.chart_folder, CHART_FILE))
        chart = value(root, "name") or bundle.says("chart")
        release = bundle.says("releaseName")
        if not (chart and release):
            continue
        space = value(bundle.root, "namespace") or value(bundle.root, "defaultNamespace")
        other, file = known.setdefault((release, space), (chart, bundle.file))
        if other != chart and bundle.helm is not None:
            facts = {"release": release, "other": file}
            line = key_line(bundle.helm, "releaseName")
            yield Finding(code="W26", file=bundle.file, line=line, facts=facts)


def _chart(ground: Ground, bundle: _Bundle) -> Iterator[Finding]:
    chart = bundle.says("chart")
    if bundle.helm is None or not chart.startswith((".", "/")) or bundle.says("repo"):
        return
    facts: dict[str, object] = {"chart": chart}
    if chart.startswith("/") or bundle.within(chart).startswith(".."):
        facts["fault"] = "outside"
    elif not _is_there(ground, posixpath.join(bundle.chart_folder, CHART_FILE)):
        facts["fault"] = "no-chart"
    else:
        return
    yield Finding(code="E13", file=bundle.file, line=key_line(bundle.helm, "chart"), facts=facts)


def _is_there(ground: Ground, path: str) -> bool:
    return path in ground.files.paths or ground.is_behind_a_link(path)


def _values_file(ground: Ground, bundle: _Bundle, options: _Options, node: Node) -> Iterator[Finding]:
    name = value(node)
    if not name or "://" in name:
        return
    path = bundle.within(name)
    facts: dict[str, object] = {"name": name, "target": options.target}
    if not _is_there(ground, path):
        yield Finding(code="E13", file=bundle.file, line=node.line, facts={**facts, "fault": "no-file"})
    if path not in ground.files.paths:
        return
    own = posixpath.join(bundle.chart_folder, VALUES_FILE)
    if posixpath.basename(path) == VALUES_FILE and path != own and own in ground.files.paths:
        facts = {**facts, "fault": "base-name", "own": own}
        yield Finding(code="E13", file=bundle.file, line=node.line, facts=facts)
    if "true" in (bundle.says("disablePreProcess").lower(), value(options.helm, "disablePreProcess").lower()):
        return
    text = ground.parsed(path)
    for leaf in scalars(text) if isinstance(text, YamlText) and "${" in text.text else ():
        found = next((one for one in _OPENING.findall(leaf.value) if not _FILLED_IN.match(one)), None)
        if found is not None:
            facts = {"fault": "dollar", "example": found, "fleet": bundle.file}
            yield Finding(code="E13", file=path, line=leaf.line, facts=facts)


def _git_repo(path: str, document: Mapping) -> Iterator[Finding]:
    spec = mapping(child(document, "spec"))
    if spec is None:
        return
    name = value(document, "metadata", "name")
    paths = [value(one) for one in items(child(spec, "paths", through=True))]
    if not paths or any(one.strip("./") == "" for one in paths):
        facts: dict[str, object] = {"fault": "paths", "name": name}
        yield Finding(code="W11", file=path, line=key_line(spec, "paths"), facts=facts)
    if not value(spec, "webhookSecret") and not value(spec, "revision"):
        facts = {"fault": "webhook", "name": name}
        yield Finding(code="W11", file=path, line=spec.line, facts=facts)
