"""What is learned from the tags that stand in an environment's files."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.model import is_tag
from updater.policy import Tags
from updater.policy.habits import habit_of


@pytest.mark.parametrize(
    ("tags", "pattern", "order"),
    [
        (["develop-123"], "^develop-(?P<build>[0-9]+)$", "numeric"),
        (["52", "7"], "^(?P<build>[0-9]+)$", "numeric"),
        (["v7"], "^v(?P<build>[0-9]+)$", "numeric"),
        (["main-1", "release-2"], "^(main|release)-(?P<build>[0-9]+)$", "numeric"),
        (["main-1", "rel.2"], r"^(main-|rel\.)(?P<build>[0-9]+)$", "numeric"),
        (["my.app-1"], r"^my\.app-(?P<build>[0-9]+)$", "numeric"),
        (["1", "main-2"], "^(|main-)(?P<build>[0-9]+)$", "numeric"),
        (["develop-1", "latest", "", "no/tag"], "^develop-(?P<build>[0-9]+)$", "numeric"),
        (["1.2.3"], r"^(?P<version>[0-9]+\.[0-9]+\.[0-9]+)$", "semver"),
        (["v1.2.3"], r"^v(?P<version>[0-9]+\.[0-9]+\.[0-9]+)$", "semver"),
        (["v1.2.3", "1.2.3-rc.1"], r"^v?(?P<version>[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?)$", "semver"),
        (["main-12-abcdef1", "main-13-0123456"], "^main-(?P<build>[0-9]+)-[0-9a-f]{7,40}$", "numeric"),
        (["dev.7-abcdef1", "main-8-abcdef1"], r"^(dev\.|main-)(?P<build>[0-9]+)-[0-9a-f]{7,40}$", "numeric"),
        (["main-abcdef1-1700000000"], "^main-[0-9a-f]{7,40}-(?P<build>[0-9]+)$", "numeric"),
        (["main-12-0123456"], "", ""),
        (["main-12-abcdef"], "", ""),
        (["main-12-abcdef1", "main-13"], "", ""),
        ([], "", ""),
        (["latest", "stable"], "", ""),
        (["a1b2c3d"], "", ""),
        (["abcdef1"], "", ""),
        (["1.25"], "", ""),
        (["develop-1", "1.2.3"], "", ""),
        (["2026-08-22"], "", ""),
        (["x" * 70 + "-1"], "", ""),
        (["a-1", "b-1", "c-1", "d-1", "e-1"], "", ""),
    ],
)
def test_a_pattern_is_learned_from_tags_only_where_they_have_one_form(
    tags: list[str], pattern: str, order: str
) -> None:
    habit = habit_of(tags)
    assert (habit.pattern, habit.order) == (pattern, order)
    assert re.compile(habit.pattern)


tag_lists = st.lists(
    st.builds("{}{}".format, st.sampled_from(["", "v", "develop-", "main_", "x.y-"]), st.integers(0, 999))
    | st.builds("{}.{}.{}{}".format, *[st.integers(0, 20)] * 3, st.sampled_from(["", "-rc.1", "-x"]))
    | st.text("a1.-_:/\n#'", max_size=8),
    max_size=6,
)


@given(tag_lists)
def test_a_learned_pattern_takes_every_build_that_it_does_not_call_odd(standing: list[str]) -> None:
    habit = habit_of(standing)
    tags = Tags(habit.pattern or None)
    builds = [tag for tag in standing if is_tag(tag) and re.search("[0-9]", tag)]
    assert [tag for tag in builds if not tags.takes(tag)] == [tag for tag in builds if tag in habit.odd]
    assert habit.odd <= set(builds)
    assert not habit.odd or sum(tag in habit.odd for tag in builds) * 10 <= len(builds) * 4
    assert "\n" not in habit.reason


@pytest.mark.parametrize(
    ("tags", "pattern", "odd"),
    [
        (["develop-1", "develop-2", "1.10"], "^develop-(?P<build>[0-9]+)$", {"1.10"}),
        (["develop-1", "develop-1", "1.10"], "^develop-(?P<build>[0-9]+)$", {"1.10"}),
        (["develop-1", "1.10"], "", set()),
        (["develop-1", "develop-2", "1.2.3", "1.10"], "", set()),
        (["develop-1"] * 3 + ["1.2.3", "1.10"], "^develop-(?P<build>[0-9]+)$", {"1.10", "1.2.3"}),
        (["1.2.3"] * 3 + ["develop-1"], r"^(?P<version>[0-9]+\.[0-9]+\.[0-9]+)$", {"develop-1"}),
        (["a-1", "b-1", "c-1", "d-1", *["z-1"] * 6], "^z-(?P<build>[0-9]+)$", {"a-1", "b-1", "c-1", "d-1"}),
        (["develop-1", "develop-2", f"{'x' * 70}-1"], "^develop-(?P<build>[0-9]+)$", {f"{'x' * 70}-1"}),
    ],
)  # fmt: skip
def test_one_odd_tag_among_many_of_a_form_does_not_lose_the_pattern(
    tags: list[str], pattern: str, odd: set[str]
) -> None:
    habit = habit_of(tags)
    assert (habit.pattern, set(habit.odd)) == (pattern, odd)
    assert not any(tag in habit.reason.split() for tag in odd)
