"""Values files and their images: what Helm reads, and what the updater would refuse (E5, E6, E19, W8, W23).

It hides what a tag must look like for every reader. Called by `inspection`; it edits nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from updater.charts import Form, Target, is_kustomization
from updater.check.chart import Chart
from updater.check.findings import Finding, Fix
from updater.check.ground import Ground
from updater.check.helmvalues import rendered
from updater.check.nodes import duplicates, is_text, mapping, scalar, value
from updater.errors import EditRefused
from updater.model import Scope, familiar_repository, is_tag
from updater.policy import Environment
from updater.yamledit import Replace, Scalar, YamlText, show_path

# Tags that people move on purpose: the same name is another image tomorrow.
_MUTABLE = frozenset(
    {"latest", "stable", "edge", "nightly", "canary", "dev", "develop", "development", "staging", "test"}
    | {"master", "main", "trunk", "release", "prod", "production", "snapshot", "current", "next"}
)


_YAML = (".yaml", ".yml")
_NOTHING = frozenset({"~", "null", "Null", "NULL"})
# What overlays are called where no rules say which files there are.
_OVERLAYS = Scope(files=tuple(f"**/values{mark}*{ending}" for mark in "-_." for ending in _YAML))


def of_chart(ground: Ground, chart: Chart) -> Iterator[Finding]:
    """Yield what is wrong with the values files of one chart."""
    for path in chart.values_files:
        yield from _readable(ground, path)


def of_repo(ground: Ground) -> Iterator[Finding]:
    """Yield what is wrong with the files of environments, and with the images in them."""
    for environment in ground.environments:
        for spot in ground.survey.laid_out(environment.scope).values():
            for path in spot.files:
                yield from _readable(ground, path)
        yield from _differing(ground, environment)
        yield from _outside(ground, environment)
    for file, targets in ground.targets_by_file.items():
        for target in targets:
            yield from _of_target(ground, file, target)
    if not ground.has_rules:
        yield from _unruled(ground)


def _unruled(ground: Ground) -> Iterator[Finding]:
    """Yield what is wrong with tags in overlays where nobody has written rules yet."""
    known = ground.targets_by_file.keys()
    files = {path for chart in ground.charts if not chart.is_old for path in chart.values_files} - known
    for target in ground.survey.all_targets(_OVERLAYS):
        # What is no tag at all is a placeholder, in an example of values.
        if target.file in files and target.tag and is_tag(target.tag) and not target.problem:
            yield from _of_target(ground, target.file, target)


def _readable(ground: Ground, path: str) -> Iterator[Finding]:
    text = ground.parsed(path)
    reader = "Kustomize" if is_kustomization(path) else "Helm"
    if isinstance(text, EditRefused):
        facts: dict[str, object] = {"fault": "unreadable", "problem": text.problem, "reader": reader}
        yield Finding(code="E5", file=path, line=text.line, facts=facts)
        return
    root = text.documents[0] if text.documents else None
    if root is not None and mapping(root) is None and value(root) not in _NOTHING and path.endswith(_YAML):
        yield Finding(code="E5", file=path, line=root.line, facts={"fault": "kind"})
    for key, line, first_line in duplicates(text):
        facts = {"fault": "twice", "key": key, "first_line": first_line, "reader": reader}
        yield Finding(code="E5", file=path, line=line, facts=facts)


def _of_target(ground: Ground, file: str, target: Target) -> Iterator[Finding]:
    image = familiar_repository(target.repository)
    place: dict[str, object] = {"image": image, "path": show_path(target.path)}
    if target.problem:
        facts = {**place, "fault": "unsafe", "problem": target.problem}
        yield Finding(code="E19", file=file, line=target.line, facts=facts)
        return
    text = ground.parsed(file)
    node = (
        scalar(text.find(target.path, target.document, through=True)) if isinstance(text, YamlText) else None
    )
    yield from _tag(ground, target, node, place)
    yield from _mutable(ground, target, place)


def _tag(ground: Ground, target: Target, node: Scalar | None, place: dict[str, object]) -> Iterator[Finding]:
    file, line = target.file, target.line
    if not target.tag:
        chart = ground.chart_under(file) if target.form is not Form.REFERENCE and not target.digest else None
        # Without a chart a missing tag is whatever stands below: Kustomize leaves it as it is.
        is_set = bool(ground.unwritten and ground.survey.overlays_setting(target))
        if chart is not None and not is_set and not _falls_back(ground, chart):
            yield Finding(code="E6", file=file, line=line, facts={**place, "fault": "empty"})
    elif not is_tag(target.tag):
        yield Finding(code="E6", file=file, line=line, facts={**place, "fault": "illegal", "tag": target.tag})
    elif target.form is Form.TAG and node is not None and not is_text(node):
        quotes = Replace(target.path, node.value, target.document)
        fix = Fix(file, (quotes,)) if node.tag is None else None
        facts = {**place, "fault": "untyped", "tag": node.value, "becomes": rendered(node.value)}
        facts["kustomize"] = is_kustomization(file)
        yield Finding(code="E6", file=file, line=line, facts=facts, fix=fix)


def _falls_back(ground: Ground, chart: Chart) -> bool:
    """Say whether the chart's templates take appVersion where no tag is written, as `helm create` does."""
    return any(b".Chart.AppVersion" in ground.files.read(path) for path in chart.templates)


def _mutable(ground: Ground, target: Target, place: dict[str, object]) -> Iterator[Finding]:
    if target.digest:
        return
    is_open = not target.tag and target.form is Form.REFERENCE and not _is_tagged(ground, target)
    if not is_open and (target.tag or "").lower() not in _MUTABLE:
        return
    text = ground.parsed(target.file)
    root = text.documents[target.document] if isinstance(text, YamlText) else None
    policies = [value(root, *target.path[:-1], key) for key in ("pullPolicy", "imagePullPolicy")]
    facts = {**place, "tag": target.tag or "", "policy": next(filter(None, policies), "")}
    yield Finding(code="W8", file=target.file, line=target.line, facts=facts)


def _is_tagged(ground: Ground, target: Target) -> bool:
    """Say whether another place gives the tag to a manifest that has none, as Kustomize's `images` do."""
    return ground.chart_under(target.file) is None and any(
        one.repository == target.repository and one.tag for _, one in ground.targets
    )


def _differing(ground: Ground, environment: Environment) -> Iterator[Finding]:
    """Yield images whose places in one file carry different tags, so that nobody can say which is meant."""
    places: dict[tuple[str, str], list[Target]] = defaultdict(list)
    for one, target in ground.targets:
        if one is environment and target.tag and not target.problem and _takes(environment, target.tag):
            places[target.file, target.repository].append(target)
    for (file, repository), targets in places.items():
        if len({target.tag for target in targets}) > 1:
            facts = {
                "fault": "differ",
                "image": familiar_repository(repository),
                "tags": [f"{target.tag} ({show_path(target.path)})" for target in targets],
            }
            yield Finding(code="E19", file=file, line=targets[0].line, facts=facts)


def _outside(ground: Ground, environment: Environment) -> Iterator[Finding]:
    """Yield tags that the environment's pattern does not take, although the image is one of the builds.

    That is one whose tag another environment takes, or an image of which another one holds a build. Others
    are nobody's builds, such as a database's.
    """
    if not environment.tags.pattern:
        return
    others = [one for one in ground.environments if one is not environment and one.tags.pattern]
    builds = {target.repository for one, target in ground.targets if one in others and _fits(one, target)}
    own = [target for one, target in ground.targets if one is environment and not target.problem]
    fitting = {target.repository for target in own if _fits(environment, target)}
    for target in own:
        tag = target.tag or ""
        takers = [one for one in others if one.tags.takes(tag)]
        # Where nobody knows the branch, the file may be that of an environment on another one.
        is_shared = any(target.file in ground.survey.laid_out(one.scope) for one in takers)
        is_build = is_tag(tag) and tag.lower() not in _MUTABLE and (target.repository in builds or takers)
        if is_build and not is_shared and target.repository not in fitting:
            facts = {
                "image": familiar_repository(target.repository),
                "path": show_path(target.path),
                "tag": tag,
                "environment": environment.name,
                "pattern": environment.tags.pattern,
                "takers": [one.name for one in takers],
            }
            yield Finding(code="W23", file=target.file, line=target.line, facts=facts)


def _fits(environment: Environment, target: Target) -> bool:
    return target.tag is not None and _takes(environment, target.tag)


def _takes(environment: Environment, tag: str) -> bool:
    promoted = environment.promoted
    return environment.tags.takes(tag) or (promoted is not None and promoted.takes(tag))
