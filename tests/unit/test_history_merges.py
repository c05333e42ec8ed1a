"""Merges on a branch's line: what they brought, whose it is, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from support.historylog import MemoryLog, Story, chart, repository, trailers_of

from updater.history.line import steps
from updater.model import Deployment

IRIS = repository("iris")
MERGED = "Merge branch 'updater/dev/iris' into 'main'\n\nSee merge request shop/config!7"


def brief(deployment: Deployment) -> tuple[str, str | None, list[tuple[str, str | None]]]:
    return deployment.kind, deployment.tag, [(move.chart, move.old) for move in deployment.moves]


def garden() -> Story:
    story = Story()
    story.person({**chart("iris", iris="develop-1"), **chart("rose", rose="develop-1")}, "Start")
    story.told()
    story.log.asked.clear()
    return story


def proposed(story: Story, *tags: str, base: str = "", **more: str) -> str:
    """Have the updater propose tags of iris, one after the other, beside the branch."""
    base = base or story.tip
    previous = "develop-1"
    for tag in tags:
        message = f"iris {tag}\n\n" + trailers_of("iris", tag, ["iris"], [previous], Request=tag, **more)
        base = story.log.add([base], chart("iris", iris=tag), message, own=True)
        previous = tag
    return base


def test_a_merge_of_the_updaters_commits_is_told_by_their_trailers() -> None:
    story = garden()
    head = proposed(story, "develop-2", "develop-3")
    merge = story.merge(head, chart("iris", iris="develop-3"), MERGED)
    (last,) = story.told()[2:]
    assert brief(last) == ("update", "develop-3", [("iris", "develop-1")])
    assert (last.commit, last.requests, last.merge_request) == (merge, ("develop-2", "develop-3"), "!7")
    assert (last.by, last.time) == ("Lee Rose", story.log.logged[merge].time)
    assert story.log.asked == []


def test_whoever_asked_for_a_merged_build_is_told() -> None:
    story = garden()
    story.merge(proposed(story, "develop-2", Requested_By="Mo"), chart("iris", iris="develop-2"), MERGED)
    assert story.told()[-1].by == "Mo"


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (MERGED, "!7"),
        ("Iris\n\nSee merge request !8", "!8"),
        ("Merge branch 'updater/dev/iris'", "updater/dev/iris"),
        ("Merge remote-tracking branch 'origin/updater/dev/iris'", "origin/updater/dev/iris"),
        ("Merge dev/iris: iris develop-2 in dev", "dev/iris"),
        ("Bring it in", ""),
    ],
)
def test_a_merge_request_is_called_as_the_message_says(message: str, name: str) -> None:
    story = garden()
    story.merge(proposed(story, "develop-2"), chart("iris", iris="develop-2"), message)
    assert story.told()[-1].merge_request == name


def test_the_updaters_own_merge_tells_the_trailers_of_all_it_brought() -> None:
    story = garden()
    head = proposed(story, "develop-2")
    message = "Merge dev/iris: iris develop-2 in dev\n\n" + trailers_of(
        "iris", "develop-2", ["iris"], ["develop-1"], Request="r", Approved_By="Lee"
    )
    story.merge(head, chart("iris", iris="develop-2"), message, own=True)
    (last,) = story.told()[2:]
    assert (last.kind, last.requests, last.merge_request) == ("update", ("r",), "dev/iris")
    assert story.log.asked == []


def test_a_merge_of_a_branch_that_left_one_chart_where_it_began_moves_it_nowhere() -> None:
    def both(iris: str, rose: str) -> dict[str, str | None]:
        return {**chart("iris", web=iris), **chart("rose", web=rose)}

    story = Story()
    start = story.person(both("develop-3", "develop-2"), "Start")
    first = trailers_of("web", "develop-1", ["iris", "rose"], ["develop-3", "develop-2"], Request="a")
    head = story.log.add([start], both("develop-1", "develop-1"), f"Propose\n\n{first}", own=True)
    second = trailers_of("web", "develop-2", ["iris", "rose"], ["develop-1"], Request="b")
    head = story.log.add([head], both("develop-2", "develop-2"), f"Propose\n\n{second}", own=True)
    story.person(both("develop-3", "develop-3"))
    story.merge(head, both("develop-2", "develop-3"), "Merge branch 'x'")
    assert brief(story.told()[-1])[1:] == ("develop-2", [("iris", "develop-3")])


def test_a_build_that_a_merge_brings_and_takes_back_is_no_deployment() -> None:
    story = garden()
    head = proposed(story, "develop-2", "develop-1")
    story.merge(head, {}, MERGED)
    assert len(story.told()) == 2


def test_a_merge_of_a_persons_commits_is_told_by_the_values() -> None:
    story = garden()
    head = story.log.add([story.tip], chart("iris", iris="develop-5"), "Work", author="Mo Lily")
    merge = story.merge(head, chart("iris", iris="develop-5"), MERGED)
    (last,) = story.told()[2:]
    assert brief(last) == ("by-hand", "develop-5", [("iris", "develop-1")])
    assert (last.commit, last.by, last.merge_request) == (merge, "Mo Lily", "!7")


def test_a_merge_of_several_peoples_commits_is_whose_merged_it() -> None:
    story = garden()
    head = story.log.add([story.tip], chart("iris", iris="develop-4"), "Work", author="Mo Lily")
    head = story.log.add([head], chart("iris", iris="develop-5"), "More", author="Kim Iris")
    story.merge(head, chart("iris", iris="develop-5"), MERGED)
    assert [(one.by, one.tag) for one in story.told()[2:]] == [("Lee Rose", "develop-5")]


def test_a_persons_commit_on_a_proposal_leaves_the_trailers_of_the_image_that_moved() -> None:
    story = garden()
    head = story.log.add([proposed(story, "develop-2")], chart("rose", rose="develop-9"), "And rose")
    story.merge(head, {**chart("iris", iris="develop-2"), **chart("rose", rose="develop-9")}, MERGED)
    iris, rose = story.told()[2:]
    assert (iris.kind, iris.requests) == ("by-hand", ("develop-2",))
    assert (rose.kind, rose.requests) == ("by-hand", ())


@pytest.mark.parametrize(
    ("resolved", "told"),
    [("develop-2", []), ("develop-3", [("update", "develop-3", [("iris", "develop-2")])])],
)
def test_a_proposal_that_was_overtaken_is_told_as_it_was_resolved(
    resolved: str, told: Sequence[tuple[object, ...]]
) -> None:
    story = garden()
    head = proposed(story, "develop-3")
    story.person(chart("iris", iris="develop-2"), "Meanwhile")
    story.merge(head, chart("iris", iris=resolved), MERGED)
    assert [brief(one) for one in story.told()[3:]] == told


def test_commits_of_another_branch_are_told_of_the_environment_that_lives_here() -> None:
    story = garden()
    story.merge(proposed(story, "develop-2", Environment="other"), chart("iris", iris="develop-2"), "Merge")
    (last,) = story.told()[2:]
    assert (last.environment, last.kind, last.requests) == ("dev", "by-hand", ("develop-2",))


def test_a_merge_of_commits_about_holds_is_no_deployment() -> None:
    story = garden()
    head = story.log.add([story.tip], {}, f"Hold\n\nUpdater-Hold: {IRIS}:develop-7", own=True)
    story.merge(head, {}, MERGED)
    assert len(story.told()) == 2
    assert story.log.asked == []


def test_a_merge_that_brings_nothing_is_told_as_any_commit() -> None:
    story = garden()
    earlier = story.tip
    story.update("rose", "develop-2", "develop-1")
    story.merge(earlier, chart("iris", iris="develop-4"), "Merge branch 'old'")
    (last,) = story.told()[3:]
    assert (brief(last), last.by) == (("by-hand", "develop-4", [("iris", "develop-1")]), "Lee Rose")


def test_what_came_with_one_merge_does_not_come_with_the_next() -> None:
    log = MemoryLog()
    root = log.add([], {}, "root")
    shared = log.add([root], {}, "shared")
    branch = log.add([shared], {}, "branch")
    first = log.add([root, shared], {}, "first merge")
    inner = log.add([branch, first], {}, "inner merge")
    work = log.add([first], {}, "work")
    last = log.add([work, inner, root], {}, "last merge")
    found = steps(log.commits(last), last) or []
    assert [(one.commit.message, [each.message for each in one.brought]) for one in found] == [
        ("root", []),
        ("first merge", ["shared"]),
        ("work", []),
        ("last merge", ["branch", "inner merge"]),
    ]
    assert [one.commit.commit for one in steps(log.commits(last, first), last, first) or []] == [work, last]
    assert steps(log.commits(last, shared), last, shared) is None
