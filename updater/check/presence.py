"""What is missing as a whole: rules, anything to check, an environment's files or images (E22-E25, W21).

It hides which absence stands behind many others, and asks `charts` and `catalog` for their own words where
the next build would be refused. Called by `inspection`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from semver import Version

from updater.catalog import check_folder
from updater.charts.layout import Spot
from updater.check.chart import Chart
from updater.check.findings import Finding
from updater.check.ground import Ground
from updater.check.nodes import key_line, value
from updater.errors import EditRefused
from updater.policy import RULES_PATH, Environment


def of_repo(ground: Ground) -> Iterator[Finding]:
    """Yield what is not there: rules, anything to check, images, folders of versions."""
    if ground.around.above:
        yield Finding(code="E22", file=RULES_PATH, facts={"fault": "above", "top": ground.around.above})
    elif ground.unwritten:
        facts: dict[str, object] = {"fault": "overlays", "overlays": list(ground.unwritten)}
        yield Finding(code="E22", file=RULES_PATH, facts=facts)
    elif not ground.has_rules and RULES_PATH not in ground.files.paths and not _has_anything(ground):
        yield Finding(code="E23", file=".")
    for environment in () if ground.unwritten else ground.environments:
        yield from _images(ground, environment)
        yield from _folders(ground, environment)


def _has_anything(ground: Ground) -> bool:
    return bool(ground.charts or ground.manifests or ground.bundles or ground.kustomizations)


def _images(ground: Ground, environment: Environment) -> Iterator[Finding]:
    """Yield the charts of an environment in which no build has a place."""
    by_chart: dict[str, list[Spot]] = defaultdict(list)
    for spot in ground.survey.laid_out(environment.scope).values():
        by_chart[spot.chart].append(spot)
    found = {target.file for one, target in ground.targets if one is environment}
    found |= {refusal.file for refusal in ground.survey.problems(environment.scope)}
    for name, spots in by_chart.items():
        files = [spot.file for spot in spots]
        if any(not found.isdisjoint(spot.files) or ground.has_links(spot.folder) for spot in spots):
            continue
        near = ground.survey.near_in(environment.scope, name)
        if near or any(
            _has_image(chart, ground) for spot in spots if (chart := ground.chart_in(spot.folder))
        ):
            facts = {"environment": environment.name, "chart": name, "near": list(near)}
            yield Finding(code="W21", file=files[0], facts=facts)


def _has_image(chart: Chart, ground: Ground) -> bool:
    return any(b"image:" in ground.files.read(path) for path in chart.templates)


def _folders(ground: Ground, environment: Environment) -> Iterator[Finding]:
    """Yield charts whose folders the rules do not let rise, in the words of who would write the next one."""
    folders = {spot.folder for spot in ground.survey.laid_out(environment.scope).values()}
    for chart in (chart for folder in folders if (chart := ground.chart_in(folder)) is not None):
        root = ground.root(chart.file)
        if root is None or not Version.is_valid(value(root, "version")):
            continue
        try:
            check_folder(environment.chart, chart.folder, value(root, "version"))
        except EditRefused as refusal:
            facts = {"environment": environment.name, "problem": refusal.problem}
            yield Finding(code="E25", file=chart.file, line=key_line(root, "version"), facts=facts)
