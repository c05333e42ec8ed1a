"""Which charts are rendered with which values, and what the outcome must show (E9, E10, and two warnings).

It hides what Fleet lays over a chart's values, which charts cannot be rendered by themselves, where in the
repo Helm's words point, and which images a rendering holds. `oneshot` has the trials rendered by a real
Helm and asks what they prove; nothing here starts a program.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from updater.charts import Target
from updater.charts.layout import Spot
from updater.check.chart import VALUES_FILE, Chart
from updater.check.findings import Finding
from updater.check.ground import Ground
from updater.check.images import Shown, shown_in
from updater.check.layers import Values, layers, resolved
from updater.check.nodes import value
from updater.check.words import place_of, untried
from updater.model import Render, Rendered, familiar_repository
from updater.yamledit import Node, Sequence, show_path
from updater.yamledit.nodes import behind, child

NOT_TRIED, NOT_SHOWN = "W18", "W19"
# Where charts of the first form list what they depend on.
_OLD_LIST = "requirements.yaml"


@dataclass(slots=True)
class Trial:
    """One chart with one set of values, and the image places that these values decide."""

    render: Render
    targets: list[Target] = field(default_factory=list)


def trials(ground: Ground) -> tuple[list[Trial], list[Finding]]:
    """Return what shall be rendered, and a warning for each chart that cannot be.

    That is each chart with the files of each environment, and with what its fleet.yaml lays over it; a chart
    without any of these alone. Sub-charts are rendered with their charts, libraries and old versions never.
    """
    wanted: list[Trial] = []
    problems: list[Finding] = []
    spots, over_charts = _spots(ground), layers(ground)
    for chart in ground.charts:
        root = ground.root(chart.file)
        if chart.is_sub or chart.is_old or root is None or value(root, "type") == "library":
            continue
        borrowed, missing = _dependencies(ground, chart)
        link = next((one for one in ground.links if one.startswith(chart.path(""))), "")
        if missing or link:
            facts = {"fault": "dependency" if missing else "link", "names": list(missing), "link": link}
            problems.append(Finding(code=NOT_TRIED, file=chart.file, line=1, facts=facts))
            continue
        over = over_charts.get(chart.folder, [])
        for values, targets in _values_of(ground, chart, over, spots[chart.folder]).items():
            wanted.append(Trial(Render(chart=chart.folder, values=values, borrowed=borrowed), targets))
    return wanted, problems


def judged(ground: Ground, outcomes: Iterable[tuple[Trial, Rendered]]) -> Iterator[Finding]:
    """Yield what the renderings prove: charts that fail, and images that come out otherwise than managed."""
    failed: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial, rendered in outcomes:
        if rendered.words:
            failed[trial.render.chart, rendered.words].append(trial)
        elif trial.targets:
            shown = shown_in(rendered.text)
            for target in trial.targets:
                yield from _judged(ground, trial, target, shown)
    charts = {chart.folder: chart for chart in ground.charts}
    for (folder, words), some in failed.items():
        yield _failed(ground, charts[folder], words, [_told(trial.render.values) for trial in some])


def _failed(ground: Ground, chart: Chart, words: str, values: list[str]) -> Finding:
    reason = untried(words)
    if reason:
        facts: dict[str, object] = {"fault": reason, "words": words}
        return Finding(code=NOT_TRIED, file=chart.file, line=1, facts=facts)
    listed = _listed(ground, chart)
    aliases = {alias: value(one, "name") for one in listed if (alias := value(one, "alias"))}
    file, line = place_of(words, chart, ground.files.paths, aliases)
    return Finding(code="E9", file=file, line=line, facts={"words": words, "values": values})


def _judged(ground: Ground, trial: Trial, target: Target, shown: Shown) -> Iterator[Finding]:
    """Yield what is wrong with one managed place; an empty or unsafe tag is told by others."""
    if target.tag is None or target.problem or shown.has(target):
        return
    others = shown.others(target)
    facts: dict[str, object] = {
        "image": familiar_repository(target.repository),
        "tag": f"{target.tag}@{target.digest}" if target.digest else target.tag,
        "path": show_path(target.path),
        "values": _told(trial.render.values),
    }
    if others:
        facts |= {"shown": others, "places": list(shown.places(target))}
        yield Finding(code="E10", file=target.file, line=target.line, facts=facts)
    elif not (shown.mentions(target) or _is_off(ground, trial.render, target)):
        yield Finding(code=NOT_SHOWN, file=target.file, line=target.line, facts=facts)


def _is_off(ground: Ground, render: Render, target: Target) -> bool:
    """Say whether `enabled: false` stands beside the image or above it, as charts switch parts off."""
    own = f"{render.chart}/{VALUES_FILE}".lstrip("/")
    files = [one for one in reversed(render.values) if isinstance(one, str)]
    roots = [ground.root(file) for file in (*files, own)]
    for length in range(len(target.path)):
        words = (value(root, *target.path[:length], "enabled") for root in roots)
        if next(filter(None, words), "").lower() == "false":
            return True
    return False


def _spots(ground: Ground) -> dict[str, list[Spot]]:
    found: dict[str, dict[str, Spot]] = defaultdict(dict)
    for environment in ground.environments:
        for spot in ground.survey.laid_out(environment.scope).values():
            if spot.folder is not None:
                found[spot.folder].setdefault(spot.file, spot)
    return defaultdict(list, {folder: list(spots.values()) for folder, spots in found.items()})


def _values_of(
    ground: Ground, chart: Chart, over: list[Values], spots: list[Spot]
) -> dict[Values, list[Target]]:
    """Return each set of values that somebody lays over a chart's own, and the places it decides."""
    wanted: dict[Values, list[Target]] = {values: [] for values in over}
    own = chart.path(VALUES_FILE)
    for spot in spots:
        targets = ground.targets_by_file.get(spot.file, ())
        if spot.file == own:
            # Values that hold no tag were made for an overlay; alone they prove nothing.
            if any(target.tag for target in targets):
                wanted.setdefault((), []).extend(targets)
            continue
        whole = [values for values in wanted if spot.file in values]
        base = (spot.base,) if spot.base and spot.base != own else ()
        for values in whole or [(*base, spot.file)]:
            wanted.setdefault(values, []).extend(targets)
    return wanted or {(): []}


def _dependencies(ground: Ground, chart: Chart) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Return the charts of this repo that one depends on without carrying them, and what is nowhere here."""
    borrowed, missing = [], []
    listed = _listed(ground, chart)
    start = chart.path("charts/")
    carried = (
        {path[len(start) :].split("/")[0] for path in ground.files.paths if path.startswith(start)}
        if listed
        else ()
    )
    for one in listed:
        name, place = value(one, "name"), value(one, "repository")
        if name in carried or any(file.startswith(f"{name}-") and file.endswith(".tgz") for file in carried):
            continue
        folder = (
            resolved(chart.folder, place.removeprefix("file://")) if place.startswith("file://") else None
        )
        if any(other.folder == folder for other in ground.charts):
            borrowed.append((str(folder), name))
        else:
            missing.append(name)
    return tuple(borrowed), tuple(missing)


def _listed(ground: Ground, chart: Chart) -> list[Node]:
    """Return the entries of what a chart depends on."""
    found: list[Node] = []
    for file in (chart.file, chart.path(_OLD_LIST)):
        root = ground.root(file)
        node = child(root, "dependencies", through=True) if root is not None else None
        listed = behind(node) if node is not None else None
        found += listed.items if isinstance(listed, Sequence) else ()
    return found


def _told(values: Values) -> str:
    """Return values as people name them; "" for a chart alone."""
    return " + ".join(one if isinstance(one, str) else "the values in fleet.yaml" for one in values)
