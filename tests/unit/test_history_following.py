"""What is read when a history follows its branch, and what can be asked of it."""

from __future__ import annotations

import pytest
from support.historylog import DEV, Story, chart, repository, values

from updater.history import History, keeping
from updater.model import Scope
from updater.policy import Environment, Tags

IRIS, ROSE = repository("iris"), repository("rose")


def garden(*environments: Environment) -> Story:
    story = Story(*environments)
    story.person({**chart("iris", iris="develop-1"), **chart("rose", rose="develop-1")}, "Start")
    return story


def test_following_reads_what_is_new_and_nothing_where_nothing_is() -> None:
    story = garden()
    story.told()
    story.update("iris", "develop-2", "develop-1")
    walked = story.log.walked
    assert len(story.told()) == 3
    assert len(story.told()) == 3
    assert story.log.walked == walked + 1


@pytest.mark.parametrize("back_to", ["root", "beside", "gone"])
def test_a_branch_that_was_moved_elsewhere_is_read_anew(back_to: str) -> None:
    story = garden()
    root = story.tip
    story.update("iris", "develop-2", "develop-1")
    story.told()
    lost = story.tip
    story.tip = root
    if back_to != "root":
        story.update("iris", "develop-3", "develop-1")
    if back_to == "gone":
        del story.log.logged[lost]
    assert [one.tag for one in story.told()[2:]] == ([] if back_to == "root" else ["develop-3"])
    assert story.history.stood("dev", "iris", IRIS) == {"develop-1"} | (
        set() if back_to == "root" else {"develop-3"}
    )


def test_a_line_that_reaches_the_old_tip_by_another_parent_is_read_anew() -> None:
    story = garden()
    root = story.tip
    old = story.update("iris", "develop-2", "develop-1")
    story.told()
    story.tip = root
    story.person(chart("rose", rose="develop-5"))
    merge = story.merge(old, chart("iris", iris="develop-2"), "Merge branch 'main' into 'work'")
    assert [(one.commit, one.tag) for one in story.told()[3:]] == [(merge, "develop-2")]


def test_other_files_of_an_environment_are_read_anew() -> None:
    story = garden()
    assert len(story.told()) == 2
    story.environments = (Environment(name="dev", scope=Scope(files=("charts/rose/*",)), tags=DEV.tags),)
    assert [one.repository for one in story.told()] == [ROSE]


def test_a_history_of_nothing_knows_nothing() -> None:
    history = History(Story().log)
    assert list(history.deployments()) == []
    assert history.last("dev", "iris", IRIS) is None
    assert history.stood("dev", "iris", IRIS) == frozenset()
    assert history.held_by_hand("dev", "iris", IRIS) is None


def test_deployments_are_told_by_environment_and_chart_the_newest_first() -> None:
    qa = Environment(name="qa", scope=Scope(files=("qa/*.yaml",)), tags=Tags())
    story = garden(DEV, qa)
    story.person({"qa/iris.yaml": values(iris="develop-1")})
    story.update("iris", "develop-2", "develop-1")
    story.told()

    def asked(environment: str = "", chart: str = "") -> list[tuple[str, str | None]]:
        return [(one.environment, one.tag) for one in story.history.deployments(environment, chart)]

    assert asked("qa") == [("qa", "develop-1")]
    assert asked("dev", "iris") == [("dev", "develop-2"), ("dev", "develop-1")]
    assert asked(chart="iris") == [("dev", "develop-2"), ("qa", "develop-1"), ("dev", "develop-1")]
    assert asked("dev", "gone") == []
    assert len(asked()) == 4
    assert len(asked("dev")) == 3


def kept_and_restored(story: Story, *environments: Environment) -> History:
    story.told()
    restored = History(story.log)
    restored.restore(story.history.packed(), environments or story.environments)
    return restored


def test_what_was_kept_is_all_that_was_known() -> None:
    story = garden()
    story.update("iris", "develop-3", "develop-1")
    story.person(chart("iris", iris="develop-2"), "back")
    story.person(chart("rose", rose="develop-7"), "on")
    restored = kept_and_restored(story)
    walked = story.log.walked
    restored.follow(story.tip, story.environments)
    assert story.log.walked == walked, "nothing is read again"
    assert restored.deployments() == story.history.deployments()
    assert restored.held_all() == story.history.held_all() != ()
    assert restored.held_all(strict=True) == story.history.held_all(strict=True) != ()
    assert restored.last("dev", "rose", ROSE) == story.history.last("dev", "rose", ROSE)
    assert restored.began("charts/iris/values.yaml") == story.history.began("charts/iris/values.yaml")


def test_what_was_kept_with_other_fields_is_of_no_use(monkeypatch: pytest.MonkeyPatch) -> None:
    story = garden()
    story.told()
    content = story.history.packed()
    monkeypatch.setattr(keeping, "_DEPLOYMENT", (*keeping._DEPLOYMENT, "a_later_field"))
    restored = History(story.log)
    restored.restore(content, story.environments)
    assert restored.is_empty


def test_it_goes_on_from_there() -> None:
    story = garden()
    story.update("iris", "develop-3", "develop-1")
    story.history = kept_and_restored(story)
    story.person(chart("iris", iris="develop-2"), "back")
    assert [one.tag for one in story.told()][-2:] == ["develop-3", "develop-2"]
    hold = story.hold()
    assert hold is not None
    assert hold.build == "develop-3"


def test_for_other_environments_it_is_of_no_use() -> None:
    story = garden()
    other = Environment(name="dev", scope=Scope(exclude=("charts/rose/*",)), tags=DEV.tags)
    assert kept_and_restored(story, other).is_empty


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_damaged_it_is_read_anew(damage: bytes) -> None:
    story = garden()
    restored = History(story.log)
    restored.restore(damage, story.environments)
    assert restored.is_empty
    restored.follow(story.tip, story.environments)
    assert len(restored.deployments()) == 2
