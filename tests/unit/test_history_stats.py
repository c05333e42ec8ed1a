"""The figures of a span of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from updater.history import Figures, figures
from updater.model import Deployment, Move

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEEKS = (MONDAY, MONDAY + timedelta(weeks=2))


def at(hours: float, chart: str = "iris", **more: Any) -> Deployment:
    facts: dict[str, Any] = {
        "commit": f"c{hours}",
        "time": MONDAY + hours * HOUR,
        "subject": "",
        "kind": "update",
        "by": "",
        "environment": "dev",
        "repository": "iris",
        "tag": "1",
        "moves": (Move(chart, "0"),),
    }
    return Deployment(**(facts | more))


def test_deployments_are_counted_by_chart_and_once_for_the_environment() -> None:
    both = (Move("iris", "0"), Move("rose", "0"))
    told = [at(1), at(2, moves=both), at(3, kind="promotion"), at(4, "rose", kind="by-hand")]
    counted = {(one.environment, one.chart): one.deployments for one in figures(told, *WEEKS)}
    assert counted == {("dev", ""): 4, ("dev", "iris"): 3, ("dev", "rose"): 2}
    assert [one.per_week for one in figures(told, *WEEKS)] == [2.0, 1.5, 1.0]


def test_what_takes_back_or_empties_is_no_deployment_of_its_own() -> None:
    told = [at(1, kind="rollback"), at(2, kind="revert"), at(3, kind="by-hand", tag=None)]
    (total,) = figures(told, *WEEKS)
    assert (total.chart, total.deployments, total.fail_rate) == ("", 0, None)


def test_the_span_begins_with_its_first_moment_and_ends_before_its_last() -> None:
    told = [at(-1), at(0), at(24 * 14), at(24 * 14 - 1)]
    assert figures(told, *WEEKS)[0].deployments == 2


def test_a_span_of_no_time_has_no_frequency() -> None:
    assert figures([at(0)], MONDAY, MONDAY)[0].per_week == 0.0


def test_times_are_medians_of_those_that_are_known() -> None:
    told = [
        at(10, source_time=MONDAY + 8 * HOUR, reverted_by="c12", reverted_charts=("iris",)),
        at(12, kind="rollback"),
        at(20, source_time=MONDAY + 19 * HOUR, reverted_by="c400", reverted_charts=("iris",)),
        at(30, source_time=MONDAY, reverted_by="unknown", reverted_charts=("iris",)),
        at(40),
        at(400, kind="revert"),
    ]
    total, iris = figures(told, *WEEKS)
    assert total == Figures(
        environment="dev",
        chart="",
        deployments=4,
        per_week=2.0,
        lead_time=2 * HOUR,
        lead_times=3,
        fail_rate=0.75,
        restore_time=191 * HOUR,
    )
    assert iris.restore_time == 191 * HOUR


def test_nothing_says_nothing() -> None:
    assert figures([], *WEEKS) == ()
    (total, _) = figures([at(1)], *WEEKS)
    assert (total.lead_time, total.lead_times, total.fail_rate, total.restore_time) == (None, 0, 0.0, None)


def test_a_file_that_came_with_its_tag_in_it_was_not_deployed() -> None:
    came = (Move("iris", None),)
    told = [at(1, kind="by-hand", moves=came), at(2, moves=came)]
    assert [one.deployments for one in figures(told, *WEEKS)] == [1, 1]
