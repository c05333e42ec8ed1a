"""What counts as taking a deployment back, and when the first one counts again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.historylog import Story, chart, repository, trailers_of

from updater.model import Deployment

IRIS = repository("iris")


def iris(build: int) -> dict[str, str | None]:
    return chart("iris", iris=f"develop-{build}")


def deployed(*builds: int) -> Story:
    """Tell of a chart that the updater gave these builds, after develop-1."""
    story = Story()
    story.person({**iris(1), **chart("rose", rose="develop-1")}, "Start")
    for old, build in zip((1, *builds), builds, strict=False):
        story.update("iris", f"develop-{build}", f"develop-{old}")
    return story


def of_iris(story: Story) -> list[Deployment]:
    return [one for one in story.told() if one.repository == IRIS]


def reverted(story: Story) -> list[tuple[str | None, bool]]:
    return [(one.tag, bool(one.reverted_by)) for one in of_iris(story)]


Phrase = Callable[[str], str]


@pytest.mark.parametrize(
    "phrase",
    [
        lambda commit: f'Revert "iris"\n\nThis reverts commit {commit}.',
        lambda commit: f"Back\n\nThis reverts commit {commit}, reversing\nchanges made to {'f' * 40}.",
        lambda commit: f'Revert "Merge branch"\n\nThis reverts commit {commit}\n',
    ],
)
def test_a_revert_names_what_it_takes_back(phrase: Phrase) -> None:
    story = deployed(7)
    taken = story.tip
    commit = story.person(iris(1), phrase(taken), "Mo Lily")
    first, second, last = of_iris(story)
    assert (last.kind, last.by, last.reverts) == ("revert", "Mo Lily", (taken,))
    assert (first.reverted_by, second.reverted_by) == ("", commit)


def test_a_revert_that_puts_in_a_tag_nobody_knew_is_one_all_the_same() -> None:
    story = deployed(7)
    taken = story.tip
    story.person(iris(3), f"This reverts commit {taken}")
    assert (of_iris(story)[-1].kind, of_iris(story)[-1].reverts) == ("revert", (taken,))


@pytest.mark.parametrize(
    "message", ["Edit", f"This reverts commit {'a' * 40}.", "This reverts merge request !9"]
)
def test_an_old_tag_written_back_takes_back_all_since_it_stood(message: str) -> None:
    story = deployed(5, 7, 9)
    commits = [one.commit for one in of_iris(story)]
    story.person(iris(5), message)
    assert (of_iris(story)[-1].kind, of_iris(story)[-1].reverts) == ("revert", (commits[3], commits[2]))
    assert reverted(story) == [
        ("develop-1", False),
        ("develop-5", False),
        ("develop-7", True),
        ("develop-9", True),
        ("develop-5", False),
    ]


def test_a_lower_tag_that_never_stood_takes_back_the_last_deployment() -> None:
    story = deployed(5, 7)
    last = story.tip
    story.person(iris(3))
    assert (of_iris(story)[-1].kind, of_iris(story)[-1].reverts) == ("revert", (last,))


def test_a_commit_that_is_reverted_together_with_others_takes_back_only_what_it_moved() -> None:
    story = deployed(7)
    other = story.update("rose", "develop-2", "develop-1")
    story.person(iris(8), f"This reverts commit {other}.")
    assert of_iris(story)[-1].kind == "by-hand"


def merged(story: Story, head: str, build: int, message: str = "") -> str:
    words = message or "Merge branch 'work' into 'main'\n\nSee merge request shop/config!7"
    return story.merge(head, iris(build), words)


@pytest.mark.parametrize(
    "names", ["the brought commit", "the merge", "the merge request", "with its project"]
)
def test_what_a_merge_brought_is_taken_back_by_any_name(names: str) -> None:
    story = deployed(5)
    head = story.log.add([story.tip], iris(7), "Work")
    merge = merged(story, head, 7)
    story.told()
    message = {
        "the brought commit": f"This reverts commit {head}.",
        "the merge": f"This reverts commit {merge}, reversing\nchanges made to {head}.",
        "the merge request": "This reverts merge request !7",
        "with its project": "This reverts merge request shop/config!7",
    }[names]
    story.person(iris(6), message)
    assert of_iris(story)[-1].reverts == (merge,)


def test_a_revert_that_comes_by_a_merge_names_what_it_takes_back() -> None:
    story = deployed(5, 7)
    taken = story.tip
    head = story.log.add([taken], iris(5), f'Revert "iris"\n\nThis reverts commit {taken}.', author="Mo")
    merged(story, head, 5, "Merge branch 'revert-iris' into 'main'")
    last = of_iris(story)[-1]
    assert (last.kind, last.reverts, last.by) == ("revert", (taken,), "Mo")


def test_a_rollback_that_was_squashed_takes_back_what_its_trailers_name() -> None:
    story = deployed(5, 7)
    taken = story.tip
    story.person(iris(6), "Squash\n\n" + trailers_of("iris", "develop-6", ["iris"], ["x"], Reverts=taken))
    assert (of_iris(story)[-1].kind, of_iris(story)[-1].reverts) == ("revert", (taken,))


def rolled_back(story: Story, taken: str, old: int, build: int) -> str:
    trailers = trailers_of("iris", f"develop-{build}", ["iris"], [f"develop-{old}"], Reverts=taken)
    return story.bot(iris(build), trailers)


@pytest.mark.parametrize("by", ["revert", "rollback", "hand"])
def test_what_was_taken_back_counts_again_when_that_is_reverted(by: str) -> None:
    story = deployed(5, 7)
    taken = story.tip
    back = rolled_back(story, taken, 7, 5) if by == "rollback" else story.revert(taken, iris(5))
    assert [one for _, one in reverted(story)] == [False, False, True, False]
    again = story.person(iris(7)) if by == "hand" else story.revert(back, iris(7))
    told = of_iris(story)
    assert (told[-1].kind, told[-1].reverts) == ("revert", (back,))
    assert [one.reverted_by for one in told] == ["", "", "", again, ""]


def test_what_was_taken_back_stays_so_when_yet_another_tag_comes() -> None:
    story = deployed(5, 7)
    taken = story.tip
    back = story.revert(taken, iris(5))
    again = story.revert(back, iris(6))
    assert [one.reverted_by for one in of_iris(story)] == ["", "", back, again, ""]


def test_what_is_taken_back_twice_was_taken_back_by_the_first() -> None:
    story = deployed(5, 7)
    back = story.revert(story.tip, iris(5))
    further = story.person(iris(1))
    assert [one.reverted_by for one in of_iris(story)] == ["", further, back, further, ""]


def test_all_that_a_rollback_took_back_counts_again_where_all_stands_as_before() -> None:
    story = deployed(5, 7)
    five, seven = (one.commit for one in of_iris(story)[1:])
    trailers = trailers_of("iris", "develop-1", ["iris"], ["develop-7"])
    back = story.bot(iris(1), trailers, f"Updater-Reverts: {seven}\nUpdater-Reverts: {five}")
    assert [one for _, one in reverted(story)] == [False, True, True, False]
    story.revert(back, iris(7))
    assert [one for _, one in reverted(story)] == [False, False, False, True, False]


def test_a_rollback_of_what_a_merge_brought_takes_back_the_merge() -> None:
    story = deployed(5)
    head = story.log.add([story.tip], iris(7), "Work")
    merge = merged(story, head, 7)
    back = rolled_back(story, head, 7, 5)
    assert of_iris(story)[-1].reverts == (merge,)
    assert of_iris(story)[-2].reverted_by == back


def test_the_same_tag_that_goes_out_again_is_an_update() -> None:
    story = deployed(5, 7)
    story.revert(story.tip, iris(5))
    story.update("iris", "develop-7", "develop-5")
    assert of_iris(story)[-1].kind == "update"
    assert [one for _, one in reverted(story)] == [False, False, True, False, False]
