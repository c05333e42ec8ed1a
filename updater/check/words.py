"""What Helm's words mean: where in the repo they point, and when they are no fault of the chart.

It hides the forms in which Helm 3 and Helm 4 name files and lines. Called by `rendering`; the words
themselves are told as they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from updater.check.chart import VALUES_FILE, Chart

# `iris/templates/deployment.yaml:4:20`, the name of the chart first; the innermost call comes last.
_PLACE = re.compile(r"([^\s:()<>\"'`]+/[^\s:()<>\"'`]+)(?::([0-9]+))?")
_LINE = re.compile(r"yaml: line ([0-9]+)")
_VALUES = re.compile(rf"(?:failed to parse (?P<file>.+?)|cannot load {re.escape(VALUES_FILE)}): ")
# Not every machine that checks has what a cluster has.
_UNTRIED = (
    (re.compile(r"^chart requires kubeVersion"), "kubernetes"),
    (re.compile(r"missing in charts/ directory"), "dependency"),
    (re.compile(r"^helm template did not end"), "slow"),
)


def untried(words: str) -> str:
    """Return why a chart could not be tried here; "" where it is the chart that fails."""
    return next((reason for pattern, reason in _UNTRIED if pattern.search(words)), "")


def place_of(words: str, chart: Chart, paths: Collection[str], aliases: Mapping[str, str]) -> tuple[str, int]:
    """Return the file and line that Helm's words point at; the line is 0 where they name none.

    Where they name no file of the repo, it is the Chart.yaml. `aliases` are what sub-charts are called, and
    the names of their folders.
    """
    values = _VALUES.match(words)
    if values:
        file = values["file"] or chart.path(VALUES_FILE)
        line = _LINE.search(words)
        return (file, int(line[1]) if line else 0) if file in paths else (chart.file, 0)
    places = _PLACE.findall(words)[::-1]
    # Those without a line are the names of templates, or of renderings, whose lines are nobody's.
    for name, line_number in sorted(places, key=lambda place: not place[1]):
        inner = name.partition("/")[2].split("/")
        if inner[0] == "charts" and len(inner) > 1:
            inner[1] = aliases.get(inner[1], inner[1])
        for file in (chart.path("/".join(inner)), name):
            if file in paths:
                return file, int(line_number or 0)
    return chart.file, 0
