"""What a history tells of commits: the updater's by their trailers, everybody else's by their values."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from support.historylog import DEV, START, Story, chart, repository, trailers_of, values

from updater.model import Deployment, Move, PinnedPlace, Scope
from updater.policy import Environment

IRIS, ROSE = repository("iris"), repository("rose")
VALUES = "charts/iris/values.yaml"


def brief(deployment: Deployment) -> tuple[str, str | None, list[tuple[str, str | None]]]:
    return deployment.kind, deployment.tag, [(move.chart, move.old) for move in deployment.moves]


def garden(*environments: Environment) -> Story:
    story = Story(*environments)
    story.person({**chart("iris", iris="develop-1"), **chart("rose", rose="develop-1")}, "Start")
    return story


# The updater's own commits


def test_the_updaters_commit_is_told_by_its_trailers_and_no_file_is_read() -> None:
    story = garden()
    story.told()
    story.log.asked.clear()
    commit = story.bot(
        {},
        trailers_of(
            "iris",
            f"develop-7@sha256:{'a' * 64}",
            ["iris", "rose"],
            ["develop-1"],
            Request="one",
            Source="https://gitlab.example.com/iris/-/commit/c",
            Source_Time="2026-01-05T10:00:00+09:00",
            Pipeline="77",
            Requested_By="Kim Iris",
            Promoted_From="qa",
            Reason="wanted",
            Override="yes",
        ),
        "Updater-Request: two",
        subject="iris develop-7 in dev",
    )
    assert story.told()[-1] == Deployment(
        commit=commit,
        time=story.log.logged[commit].time,
        subject="iris develop-7 in dev",
        kind="promotion",
        by="Kim Iris",
        environment="dev",
        repository=IRIS,
        tag="develop-7",
        digest=f"sha256:{'a' * 64}",
        moves=(Move("iris", "develop-1"), Move("rose", "develop-1")),
        requests=("one", "two"),
        source="https://gitlab.example.com/iris/-/commit/c",
        source_time=datetime(2026, 1, 5, 1, tzinfo=UTC),
        pipeline="77",
        promoted_from="qa",
        reason="wanted",
        override=True,
    )
    assert story.log.asked == []


@pytest.mark.parametrize("time", ["yesterday", "2026-01-05T10:00:00", "2026-13-05T10:00:00Z"])
def test_a_time_that_is_none_is_not_told(time: str) -> None:
    story = garden()
    story.update("iris", "develop-7", "develop-1", Source_Time=time)
    assert story.told()[-1].source_time is None


def test_a_place_without_a_tag_was_none_before() -> None:
    story = garden()
    story.update("iris", "develop-7", "none")
    assert story.told()[-1].moves == (Move("iris", None),)


def test_of_several_old_tags_of_one_chart_the_one_that_is_taken_counts() -> None:
    story = garden()
    story.bot({}, trailers_of("iris", "develop-7", ["iris"], ["slim", "develop-2", "develop-1"]))
    assert story.told()[-1].moves == (Move("iris", "develop-2"),)


def test_several_old_tags_of_several_charts_are_those_that_stood_there() -> None:
    story = garden()
    story.person(chart("rose", iris="develop-2"))
    story.told()
    story.log.asked.clear()
    story.bot({}, trailers_of("iris", "develop-7", ["iris", "rose"], ["develop-1", "develop-2"]))
    assert story.told()[-1].moves == (Move("iris", "develop-1"), Move("rose", "develop-2"))
    assert story.log.asked == []


def test_several_old_tags_that_did_not_stand_there_are_told_by_the_values() -> None:
    story = garden()
    story.person(chart("rose", iris="develop-2"))
    changed = {**chart("iris", iris="develop-7"), **chart("rose", iris="develop-7")}
    story.bot(
        changed, trailers_of("iris", "develop-7", ["iris", "rose"], ["develop-1", "develop-3"], Request="r")
    )
    (last,) = story.told()[-1:]
    assert brief(last) == ("update", "develop-7", [("iris", "develop-1"), ("rose", "develop-2")])
    assert last.requests == ("r",)


@pytest.mark.parametrize(
    "trailers",
    ["", "Updater-Image: iris:develop-7", trailers_of("iris", "", ["iris"], ["develop-1"])],
)
def test_an_own_commit_that_does_not_tell_all_is_told_by_its_values(trailers: str) -> None:
    story = garden()
    story.bot(chart("iris", iris="develop-7"), trailers)
    assert brief(story.told()[-1]) == ("update", "develop-7", [("iris", "develop-1")])


def test_trailers_of_an_environment_that_lives_elsewhere_are_told_by_the_values() -> None:
    story = garden()
    story.update("iris", "develop-7", "develop-1", Environment="old-name", Requested_By="Lee")
    (last,) = story.told()[-1:]
    assert brief(last) == ("update", "develop-7", [("iris", "develop-1")])
    assert (last.environment, last.by) == ("dev", "Lee")


def test_a_commit_about_holds_is_no_deployment_and_nothing_is_looked_at() -> None:
    story = garden()
    story.told()
    story.log.asked.clear()
    story.bot({".updater/holds.yaml": "a"}, f"Updater-Hold: {IRIS}:develop-7\nUpdater-Chart: iris")
    assert len(story.told()) == 2
    assert story.log.asked == []


def test_a_rollback_names_its_commits_once_for_all_images() -> None:
    story = garden()
    first = story.update("iris", "develop-7", "develop-1")
    second = story.update("rose", "develop-8", "develop-1")
    commit = story.bot(
        {**chart("iris", iris="develop-1"), **chart("rose", rose="develop-1")},
        trailers_of("iris", "develop-1", ["iris"], ["develop-7"], Hold=f"{IRIS}:develop-7"),
        trailers_of("rose", "develop-1", ["rose"], ["develop-8"], Hold=f"{ROSE}:develop-8"),
        f"Updater-Reverts: {second}\nUpdater-Reverts: {first}\nUpdater-Reason: broken",
    )
    told = story.told()
    assert [brief(one) for one in told[-2:]] == [
        ("rollback", "develop-1", [("iris", "develop-7")]),
        ("rollback", "develop-1", [("rose", "develop-8")]),
    ]
    assert {one.reverts for one in told[-2:]} == {(second, first)}
    assert [one.reason for one in told[-2:]] == ["broken", "broken"]
    assert [one.reverted_by for one in told] == ["", "", commit, commit, "", ""]


def test_a_rollback_may_take_files_back_so_that_charts_are_named_anew() -> None:
    story = garden()
    commit = story.person({"other/iris/Chart.yaml": "", "other/iris/values.yaml": values(iris="develop-5")})
    story.told()
    assert story.history.last("dev", "charts/iris", IRIS) is not None
    story.bot(
        {"other/iris/Chart.yaml": None, "other/iris/values.yaml": None},
        trailers_of("iris", "develop-5", ["charts/iris"], ["develop-1"], Reverts=commit, Reason="broken"),
    )
    (last,) = story.told()[-1:]
    assert brief(last) == ("rollback", None, [("other/iris", "develop-5")])
    assert (last.reverts, last.reason) == ((commit,), "broken")
    story.person(chart("iris", iris="develop-6"))
    assert brief(story.told()[-1]) == ("by-hand", "develop-6", [("iris", "develop-1")])


# What people did


def test_the_first_commit_brings_all_that_stands() -> None:
    told = garden().told()
    assert [(one.repository, brief(one)) for one in told] == [
        (IRIS, ("by-hand", "develop-1", [("iris", None)])),
        (ROSE, ("by-hand", "develop-1", [("rose", None)])),
    ]
    assert [(one.subject, one.by, one.time) for one in told] == [("Start", "Kim Iris", START)] * 2


def test_one_tag_in_several_charts_is_one_deployment_and_each_other_tag_another() -> None:
    story = garden()
    story.person({**chart("iris", iris="develop-2"), **chart("rose", rose="develop-1", iris="develop-2")})
    story.person({**chart("iris", iris="develop-3"), **chart("rose", rose="develop-1", iris="develop-4")})
    assert [brief(one) for one in story.told()[2:]] == [
        ("by-hand", "develop-2", [("iris", "develop-1"), ("rose", None)]),
        ("by-hand", "develop-3", [("iris", "develop-2")]),
        ("by-hand", "develop-4", [("rose", "develop-2")]),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"README.md": "text", "charts/iris/templates/a.yaml": "a: 1\n"},
        {VALUES: values(iris="develop-1") + "other: 1\n"},
        {VALUES: None, "apps/iris/Chart.yaml": "", "apps/iris/values.yaml": values(iris="develop-1")}
        | {"charts/iris/Chart.yaml": None},
    ],
    ids=["other files", "another key", "the chart moves to another folder"],
)
def test_what_moves_no_tag_is_no_deployment(changes: dict[str, str | None]) -> None:
    story = garden()
    story.person(changes)
    assert len(story.told()) == 2


def test_a_tag_that_goes_is_told_without_a_new_one() -> None:
    story = garden()
    story.person({VALUES: "empty: true\n"})
    story.person({"charts/rose/values.yaml": None})
    assert [brief(one) for one in story.told()[2:]] == [
        ("by-hand", None, [("iris", "develop-1")]),
        ("by-hand", None, [("rose", "develop-1")]),
    ]


def test_a_file_that_cannot_be_parsed_holds_no_tags() -> None:
    story = garden()
    story.person({VALUES: "a: [\n"})
    story.person({VALUES: values(iris="develop-2")})
    assert [brief(one) for one in story.told()[2:]] == [
        ("by-hand", None, [("iris", "develop-1")]),
        ("by-hand", "develop-2", [("iris", None)]),
    ]


def test_of_several_places_the_first_that_is_taken_counts() -> None:
    places = (
        "a:\n  image: {{repository: {0}, tag: slim}}\nb:\n  image: {{repository: {0}, tag: {1}}}\n"
        "c:\n  image: {{repository: {0}, tag: {2}}}\n"
    )
    story = garden()
    story.person({VALUES: places.format(IRIS, "develop-2", "develop-3")})
    story.person({VALUES: places.format(IRIS, "develop-2", "develop-9")})
    assert [brief(one) for one in story.told()[2:]] == [("by-hand", "develop-2", [("iris", "develop-1")])]


def test_all_files_of_a_chart_count_though_only_one_was_changed() -> None:
    scope = Scope(files=("charts/*/values-*.yaml",))
    story = Story(Environment(name="dev", scope=scope, tags=DEV.tags))
    first, second = "charts/iris/values-a.yaml", "charts/iris/values-b.yaml"
    story.person(
        {**chart("iris"), first: values(iris="develop-1"), second: values(iris="develop-2")}, "Start"
    )
    story.person({second: values(iris="develop-3")})
    assert [brief(one) for one in story.told()] == [("by-hand", "develop-1", [("iris", None)])]


def test_an_overlay_is_told_when_its_base_changes() -> None:
    scope = Scope(files=("envs/dev/*.yaml",), base="bases/{chart}/main.yaml")
    story = Story(Environment(name="dev", scope=scope))
    base = "bases/iris/main.yaml"
    story.person({base: values(iris="1"), "envs/dev/iris.yaml": "iris:\n  image: {tag: '5'}\n"})
    story.person({base: values(rose="1")})
    story.person({base: values(iris="1")})
    assert [brief(one) for one in story.told()] == [
        ("by-hand", "5", [("iris", None)]),
        ("by-hand", None, [("iris", "5")]),
        ("revert", "5", [("iris", None)]),
    ]


def test_a_chart_that_begins_beside_a_file_gives_it_a_base() -> None:
    scope = Scope(files=("charts/*/values-dev.yaml",))
    story = Story(Environment(name="dev", scope=scope))
    overlay = {"charts/iris/values-dev.yaml": "iris:\n  image: {tag: '5'}\n"}
    story.person({**overlay, VALUES: values(iris="1")})
    story.person({"charts/iris/Chart.yaml": "name: iris\n"})
    assert [brief(one) for one in story.told()] == [("by-hand", "5", [("iris", None)])]


def test_a_chart_that_gets_another_name_keeps_its_history() -> None:
    story = garden()
    story.update("iris", "develop-3", "develop-1")
    story.person(chart("iris", iris="develop-2"), "back")
    story.person({"other/iris/Chart.yaml": "", "other/iris/values.yaml": values(iris="develop-5")})
    story.person({VALUES: values(iris="develop-1")})
    assert [brief(one) for one in story.told()[4:]] == [
        ("by-hand", "develop-5", [("other/iris", None)]),
        ("revert", "develop-1", [("charts/iris", "develop-2")]),
    ]
    assert story.history.stood("dev", "charts/iris", IRIS) == {"develop-1", "develop-2", "develop-3"}
    assert story.history.last("dev", "iris", IRIS) is None
    assert [one.build for one in story.history.held_all()] == ["develop-3"]
    assert len(story.history.deployments("dev", "charts/iris")) == 4


def test_a_place_that_the_rules_name_is_told() -> None:
    pin = PinnedPlace(repository=IRIS, file=VALUES, path=("app", "version"))
    story = Story(Environment(name="dev", scope=Scope(pinned=(pin,))))
    story.person(chart("iris") | {VALUES: "app: {version: '1'}\n"})
    story.person({VALUES: "app: {version: '2'}\n"})
    assert [brief(one) for one in story.told()] == [
        ("by-hand", "1", [("iris", None)]),
        ("by-hand", "2", [("iris", "1")]),
    ]


def test_only_files_of_touched_charts_are_read() -> None:
    story = garden()
    story.told()
    tree = story.log.trees[story.person(chart("iris", iris="develop-2"))]
    tree.reads.clear()
    story.told()
    assert set(tree.reads) == {VALUES}


def test_trailers_that_a_squash_kept_are_told_of_the_image_that_moved() -> None:
    story = garden()
    story.person(
        {**chart("iris", iris="develop-7"), **chart("rose", rose="develop-9")},
        "Squashed\n\nSee merge request shop/config!12\n\n"
        + trailers_of("iris", "develop-7", ["iris"], ["develop-1"], Request="r", Requested_By="Lee"),
    )
    iris, rose = story.told()[-2:]
    assert (iris.kind, iris.requests, iris.by, iris.merge_request) == ("by-hand", ("r",), "Lee", "!12")
    assert (rose.kind, rose.requests, rose.by) == ("by-hand", (), "Kim Iris")
