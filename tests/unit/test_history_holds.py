"""When a person's taking back holds a build, and what ends that."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from support.historylog import DEV, Story, chart, repository, trailers_of

from updater.model import Hold
from updater.policy import Environment, Tags

IRIS = repository("iris")
UNORDERED = Environment(name="dev", tags=Tags(order="none"))


def iris(tag: object) -> dict[str, str | None]:
    return chart("iris", iris=name(tag))


def name(tag: object) -> str:
    return f"develop-{tag}" if isinstance(tag, int) else str(tag)


def after(*tags: object, environment: Environment = DEV) -> Story:
    """Tell of a chart that a person began and the updater gave the tags that follow."""
    story = Story(environment)
    story.person(iris(tags[0]), "Start")
    for old, tag in itertools.pairwise(tags):
        story.update("iris", name(tag), name(old))
    return story


def build(story: Story) -> str:
    hold = story.hold()
    return hold.build if hold else ""


def test_a_person_who_goes_back_holds_the_build() -> None:
    story = after(5, 7)
    commit = story.revert(story.tip, iris(5), "Mo Lily")
    hold = Hold(
        environment="dev",
        chart="iris",
        repository=IRIS,
        build="develop-7",
        by="Mo Lily",
        at=story.log.logged[commit].time,
        reason='Revert "Update"',
        commit=commit,
    )
    assert story.hold() == hold
    assert story.history.held_all() == (hold,)


@pytest.mark.parametrize(
    ("standing", "people", "held"),
    [
        ([5, 7], [6], "develop-7"),
        ([5, 7], [8], ""),
        ([5, 7], ["other"], ""),
        # A further one keeps the newest build.
        ([5, 7], [6, 5], "develop-7"),
        ([5, 9], [7, 8, 6], "develop-9"),
        # A build between does not end it, the build itself and a newer one do.
        ([5, 7], [5, 6], "develop-7"),
        ([5, 7], [5, 7], ""),
        ([5, 7], [5, 8], ""),
        # It begins again.
        ([5, 7], [5, 8, 6], "develop-8"),
        # A new tag without order ends it.
        ([5, 7], [5, "other"], ""),
        # What was taken back several builds at once is held by the newest.
        ([5, 6, 7], [5], "develop-7"),
    ],
)
def test_a_hold_is_about_the_newest_build_until_a_newer_one_stands(
    standing: Sequence[object], people: Sequence[object], held: str
) -> None:
    story = after(*standing)
    for tag in people:
        story.person(iris(tag))
    assert build(story) == held


@pytest.mark.parametrize(
    ("people", "held"),
    [
        (["a"], "b"),
        (["new"], ""),
        (["a", "new"], ""),
        (["a", "b"], ""),
        (["start"], "b"),
        (["a", "start"], "b"),
        (["start", "a"], "b"),
    ],
)
def test_without_order_a_tag_that_stood_before_goes_back(people: Sequence[str], held: str) -> None:
    story = after("start", "a", "b", environment=UNORDERED)
    for tag in people:
        story.person(iris(tag))
    assert build(story) == held


def test_without_order_a_revert_goes_back_and_its_revert_does_not() -> None:
    story = after("a", "b", environment=UNORDERED)
    back = story.revert(story.tip, iris("new"))
    assert build(story) == "b"
    story.revert(back, iris("newer"))
    assert build(story) == ""


def test_without_order_a_revert_of_a_rollback_is_no_going_back() -> None:
    story = after("a", "b", environment=UNORDERED)
    back = story.bot(iris("a"), trailers_of("iris", "a", ["iris"], ["b"], Reverts=story.tip))
    story.revert(back, iris("b"))
    assert story.hold() is None


def test_a_tag_that_goes_for_good_is_held_where_a_revert_took_it() -> None:
    story = Story()
    story.person(chart("iris", rose="develop-1"), "Start")
    story.person(iris(7))
    story.revert(story.tip, chart("iris", rose="develop-1"))
    assert build(story) == "develop-7"
    story.revert(story.tip, iris(7))
    assert build(story) == ""


def test_a_tag_that_goes_without_a_word_is_not_held() -> None:
    story = after(5, 7)
    story.person({"charts/iris/values.yaml": "empty: true\n"})
    assert story.hold() is None


def test_tags_that_came_by_promotion_compare_as_where_they_came_from() -> None:
    master = Tags(pattern="master-(?P<build>[0-9]+)")
    story = after("master-5", "master-7", environment=Environment(name="dev", tags=DEV.tags, promoted=master))
    story.person(iris("master-6"))
    assert build(story) == "master-7"


@pytest.mark.parametrize(
    ("build_", "more", "is_held"),
    [
        (6, {}, True),
        (8, {}, False),
        (6, {"Reverts": "a" * 40}, True),
        (6, {"Promoted_From": "qa"}, True),
        (6, {"Override": "yes"}, True),
    ],
    ids=["older", "newer", "rollback", "promotion", "override"],
)
def test_the_updater_ends_a_hold_by_a_newer_build_whoever_asked(
    build_: int, more: dict[str, str], is_held: bool
) -> None:
    story = after(5, 7)
    story.person(iris(5))
    story.update("iris", name(build_), "develop-5", **more)
    assert (story.hold() is not None) == is_held


def test_the_updater_never_begins_one() -> None:
    story = after(5, 7)
    story.update("iris", "develop-6", "develop-7")
    assert story.hold() is None


def release(what: str, chart_name: str = "iris") -> str:
    return f"Updater-Release: {what}\nUpdater-Environment: dev\nUpdater-Chart: {chart_name}"


@pytest.mark.parametrize(
    ("trailers", "is_held"),
    [
        (release(f"{IRIS}:develop-7"), False),
        (release("*"), False),
        (release("*:develop-7"), False),
        (release(IRIS), False),
        (release(repository("rose") + ":develop-7"), True),
        (release("*", "rose"), True),
        (release("No Image"), True),
    ],
)
@pytest.mark.parametrize("is_merged", [False, True])
def test_a_release_ends_it(trailers: str, is_merged: bool, is_held: bool) -> None:
    story = after(5, 7)
    story.person(iris(5))
    story.told()
    if is_merged:
        head = story.log.add([story.tip], {}, f"Release\n\n{trailers}", own=True)
        story.merge(head, {}, "Merge branch 'updater/dev/iris'")
    else:
        story.bot({}, trailers)
    assert (story.hold() is not None) == is_held


def test_a_release_that_a_person_wrote_ends_nothing() -> None:
    story = after(5, 7)
    story.person(iris(5))
    story.person({}, f"Release\n\n{release('*')}")
    assert story.hold() is not None


def test_a_person_who_merges_the_updaters_rollback_begins_none() -> None:
    story = after(5, 7)
    trailers = trailers_of("iris", "develop-5", ["iris"], ["develop-7"], Reverts=story.tip)
    head = story.log.add([story.tip], iris(5), f"Back\n\n{trailers}", own=True)
    story.merge(head, iris(5), "Merge branch 'updater/dev/iris'")
    assert story.hold() is None
    assert story.told()[-1].kind == "rollback"
