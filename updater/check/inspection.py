"""All checks that need no program: each chart by itself, then the repo as a whole.

It hides the list of rooms. Called through the package's face; who draws a bar is told how far it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from updater.check import charts, fleet, marks, presence, questions, repo, rules, templates, values
from updater.check.chart import Chart
from updater.check.findings import Finding, gathered, ordered
from updater.check.folding import folded
from updater.check.ground import Ground
from updater.check.mending import feasible

_OF_CHARTS: tuple[Callable[[Ground, Chart], Iterator[Finding]], ...] = (
    charts.of_chart,
    values.of_chart,
    questions.of_chart,
    templates.of_chart,
)
_OF_REPO: tuple[Callable[[Ground], Iterator[Finding]], ...] = (
    presence.of_repo,
    rules.of_repo,
    charts.of_repo,
    values.of_repo,
    fleet.of_repo,
    repo.of_repo,
    marks.of_repo,
)


def check(ground: Ground, progress: Callable[[int, int], None] | None = None) -> tuple[Finding, ...]:
    """Return every finding of the static checks, by file and line.

    `progress` is called with how many steps of how many are done.
    """
    found: list[Finding] = []
    steps = len(ground.charts) + len(_OF_REPO)
    for done, chart in enumerate(ground.charts):
        for of_chart in _OF_CHARTS:
            found.extend(of_chart(ground, chart))
        if progress is not None:
            progress(done + 1, steps)
    for done, of_repo in enumerate(_OF_REPO, len(ground.charts)):
        found.extend(of_repo(ground))
        if progress is not None:
            progress(done + 1, steps)
    return ordered(feasible(ground, gathered(folded(found))))
