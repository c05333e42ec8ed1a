import itertools
from collections.abc import Iterable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from updater.model import is_tag
from updater.policy import DEFAULT_RULES, Tags

DEVELOP = Tags(r"^develop-(?P<build>[0-9]+)$", "numeric")
MAIN = Tags(r"^(master|main)-(?P<build>[0-9]+)$", "numeric")
RELEASES = Tags(r"^v?(?P<version>.+)$", "semver")


@pytest.mark.parametrize(
    ("tags", "tag", "taken"),
    [
        (DEVELOP, "develop-52666", True),
        (DEVELOP, "develop-", False),
        (DEVELOP, "master-52666", False),
        (Tags("develop-[0-9]+"), "develop-1", True),
        (Tags("develop-[0-9]+"), "my-develop-1", False),
        (Tags("develop-[0-9]+"), "develop-1-dirty", False),
        (Tags("^develop-[0-9]+$"), "develop-1\n", False),
        (Tags("(?i)DEVELOP-.*"), "develop-1", True),
        (Tags(".*"), "no/tag", False),
        (Tags(), "anything_legal-1.0", True),
        (Tags(), "", False),
        (Tags(), "-x", False),
        (Tags(), "x" * 129, False),
    ],
)
def test_a_pattern_takes_a_legal_tag_whole_or_not_at_all(tags: Tags, tag: str, taken: bool) -> None:
    assert tags.takes(tag) is taken


@pytest.mark.parametrize(
    ("tags", "older", "newer"),
    [
        # numeric by the group
        (DEVELOP, "develop-9", "develop-10"),
        (DEVELOP, "develop-0009", "develop-10"),
        (DEVELOP, "develop-" + "9" * 100, "develop-1" + "0" * 100),
        (MAIN, "master-7", "main-8"),
        (Tags(r"^(?P<build>[0-9]+)-[a-z]+$"), "8-zeta", "9-alpha"),
        (Tags(r"^(?P<version>[0-9]+)$", "numeric"), "8", "19"),
        # numeric by the whole tag
        (Tags(), "9", "10"),
        (Tags(r"^[0-9]+$"), "009", "10"),
        (Tags(), "develop-9", "develop-10"),
        (Tags(), "1.2.9-alpine", "1.2.10-alpine"),
        (Tags(), "develop-9", "develop-10-hotfix"),
        (Tags(), "v2", "v3-rc"),
        (Tags(), "v9", "v10"),
        # semver
        (Tags(order="semver"), "1.9.0", "1.10.0"),
        (Tags(order="semver"), "v1.9.0", "1.10.0"),
        (Tags(order="semver"), "1.0.0-rc.2", "1.0.0-rc.10"),
        (Tags(order="semver"), "1.0.0-rc.10", "1.0.0"),
        (Tags(order="semver"), "1.0.0-alpha", "1.0.0-alpha.1"),
        (Tags(order="semver"), "1.0.0-1", "1.0.0-alpha"),
        (RELEASES, "v1.9.0", "v1.10.0"),
        (Tags(r"^app-(?P<version>.+)$", "semver"), "app-v1.9.0", "app-1.10.0"),
        # alphabetical
        (Tags(order="alphabetical"), "2026-08-22", "2026-11-01"),
        (Tags(r"^nightly-(?P<build>.+)$", "alphabetical"), "nightly-10", "nightly-9"),
        (Tags(order="alphabetical"), "B", "a"),
    ],
)
def test_an_order_knows_the_newer_of_two_tags(tags: Tags, older: str, newer: str) -> None:
    assert tags.compare(older, newer) == -1
    assert tags.compare(newer, older) == 1


@pytest.mark.parametrize(
    ("tags", "a", "b"),
    [
        # one rank, two tags: neither is newer
        (MAIN, "master-7", "main-7"),
        (DEVELOP, "develop-7", "develop-07"),
        (Tags(), "7", "07"),
        (Tags(order="semver"), "v1.0.0", "1.0.0"),
        (Tags(r"^[a-z]+-(?P<build>.+)$", "alphabetical"), "a-x", "b-x"),
        # shapes that say nothing about each other
        (Tags(), "develop-9", "master-10"),
        (Tags(), "develop-9", "develop-9-hotfix"),
        (Tags(), "v3-rc", "v3"),
        (Tags(), "v3-rc1", "v3"),
        (Tags(), "1.2.9", "1.3.1"),
        (Tags(), "develop-9", "10"),
        (Tags(), "latest", "stable"),
        (Tags(), "latest", "develop-9"),
        # a part that is no number or no version
        (Tags(r"^develop-(?P<build>.+)$"), "develop-9", "develop-ten"),
        (Tags(r"^(?P<build>.+)$"), "develop-9", "develop-10"),
        (Tags(r"^x(?P<build>[0-9]+)?$"), "x", "x1"),
        (Tags(order="semver"), "1.2", "1.3"),
        (Tags(order="semver"), "1.0.0", "01.0.0"),
        (Tags(order="semver"), "latest", "1.0.0"),
        (Tags(order="semver"), "V1.0.0", "1.0.1"),
        # what is not taken here is not compared here
        (DEVELOP, "master-9", "develop-10"),
        (Tags("develop-.*", "alphabetical"), "develop-9", "latest"),
        (Tags(order="semver"), "1.0.0+5", "1.0.1"),
        (Tags(), "9" * 5000, "10"),
        # no order at all
        (Tags(order="none"), "1", "2"),
        (Tags(r"^develop-(?P<build>[0-9]+)$", "none"), "develop-1", "develop-2"),
    ],
)
def test_tags_of_which_nobody_can_say_the_newer_are_not_comparable(tags: Tags, a: str, b: str) -> None:
    assert tags.compare(a, b) is None
    assert tags.compare(b, a) is None


@pytest.mark.parametrize("tags", [DEVELOP, RELEASES, Tags(), Tags(order="none"), Tags(order="alphabetical")])
@pytest.mark.parametrize("tag", ["develop-1", "latest", "1.0.0", "no/tag", ""])
def test_a_tag_is_the_same_as_itself_under_every_order(tags: Tags, tag: str) -> None:
    assert tags.compare(tag, tag) == 0


def test_the_default_order_compares_only_tags_of_one_shape() -> None:
    tags = DEFAULT_RULES.environments[0].tags
    assert tags.compare("develop-52665", "develop-52666") == -1
    assert tags.compare("develop-52666", "master-52665") is None


orders = st.sampled_from(
    [
        *(Tags(order=order) for order in ("numeric", "semver", "alphabetical", "none")),
        Tags(r"^[a-z]*-?(?P<build>[0-9]+)$"),
        Tags(r"^[a-z]*-?(?P<build>.+)$"),
        Tags(r"^v?(?P<version>.+)$", "semver"),
        Tags(r"^.-?(?P<build>.*)$", "alphabetical"),
    ]
)
numbers = st.integers(0, 12).map(str) | st.sampled_from(["00", "01", "9" * 40])
versions = st.builds(
    lambda v, numbers, rest: v + ".".join(numbers) + rest,
    st.sampled_from(["", "v"]),
    st.lists(st.sampled_from("0129"), min_size=3, max_size=3),
    st.sampled_from(["", "-rc.1", "-rc.2", "-rc", "-1", "-a.b"]),
)
some_tags = (
    st.builds("{}{}{}".format, st.sampled_from(["", "a-", "b-", "a"]), numbers, st.sampled_from(["", "-x"]))
    | versions
    | st.text("a1.-_", min_size=1, max_size=6)
).filter(is_tag)


@given(orders, some_tags, some_tags)
def test_comparing_the_other_way_round_says_the_opposite(tags: Tags, a: str, b: str) -> None:
    forth, back = tags.compare(a, b), tags.compare(b, a)
    assert back == (None if forth is None else -forth)
    assert (forth == 0) is (a == b)


@given(orders, st.lists(some_tags, min_size=3, max_size=8, unique=True))
def test_newer_than_newer_is_newer(tags: Tags, some: list[str]) -> None:
    for a, b, c in itertools.permutations(some, 3):
        if tags.compare(a, b) == 1 and tags.compare(b, c) == 1:
            assert tags.compare(a, c) == 1


@given(
    st.sampled_from(["", "develop-", "v", "x.y_"]), st.lists(st.integers(0, 10**30), min_size=2, unique=True)
)
def test_numeric_order_is_the_order_of_the_numbers(prefix: str, builds: list[int]) -> None:
    assert newest(Tags(), (f"{prefix}{build}" for build in builds)) == f"{prefix}{max(builds)}"


@given(st.lists(st.tuples(*[st.integers(0, 20)] * 3), min_size=2, unique=True))
def test_semver_order_is_the_order_of_the_parts(builds: list[tuple[int, int, int]]) -> None:
    expected = ".".join(map(str, max(builds)))
    assert newest(Tags(order="semver"), (".".join(map(str, build)) for build in builds)) == expected


@given(st.text(max_size=140), st.text(max_size=140))
def test_any_text_that_may_stand_in_a_file_can_be_asked_about(a: str, b: str) -> None:
    assume(a != b)
    for tags in (Tags(), Tags(order="semver"), Tags(order="alphabetical"), RELEASES, DEVELOP):
        answer = tags.compare(a, b)
        assert answer in {-1, None, 1}
        assert answer is None or (is_tag(a) and is_tag(b))


def newest(tags: Tags, some: Iterable[str]) -> str:
    best, *rest = some
    for tag in rest:
        if tags.compare(tag, best) == 1:
            best = tag
    return best
