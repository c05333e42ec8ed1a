"""Other tools' filters, ranges and policies as patterns and orders: what is taken, and what is newer."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.elsewhere import choices
from updater.elsewhere.ranges import at_least, version_pattern
from updater.elsewhere.regexes import translate
from updater.elsewhere.values import Choice
from updater.policy import Tags, parse_rules


def tags(choice: Choice) -> Tags:
    """The tags of an environment with this choice, by way of a rules file."""
    pattern = choice.pattern.replace("'", "''")
    written = f"pattern: '{pattern}', " if pattern else ""
    text = f"environments: {{a: {{tags: {{{written}order: {choice.order}}}}}}}"
    return parse_rules(text.encode()).environments[0].tags


# range, versions in it, versions that are not
RANGES = [
    ("*", "0.0.1 1.2.3 10.20.30", "1.2 1.2.3-rc.1 x"),
    ("", "0.0.1", "0.0.1-a"),
    (">=0.0.0", "0.0.0 1.0.0", "1.0.0-rc.1"),
    ("5.1.x", "5.1.0 5.1.99", "5.2.0 5.10.0 6.1.0"),
    ("5.*", "5.0.0 5.99.1", "6.0.0 55.0.0"),
    ("5", "5.0.0 5.99.1", "6.0.0"),
    ("1.2.3", "1.2.3", "1.2.4 1.2.30 11.2.3"),
    ("=1.2.3", "1.2.3", "1.2.4"),
    ("~1", "1.0.0 1.9.9", "2.0.0 0.9.9"),
    ("~1.26", "1.26.0 1.26.12", "1.27.0 1.25.9"),
    ("~1.26.3", "1.26.3 1.26.10", "1.26.2 1.27.3"),
    ("^1.2.3", "1.2.3 1.2.10 1.3.0 1.10.0", "1.2.2 1.1.9 2.0.0 0.9.9"),
    ("^1.x", "1.0.0 1.2.3", "2.0.0"),
    ("^0.2.3", "0.2.3 0.2.10", "0.3.0 0.2.2 1.2.3"),
    ("^0.0.3", "0.0.3", "0.0.4 0.0.30"),
    ("^0", "0.0.0 0.9.9", "1.0.0"),
    (">=1.10.0", "1.10.0 1.11.0 2.0.0 10.0.0", "1.9.9 1.1.0 0.10.0"),
    (">1.9", "1.10.0 2.0.0", "1.9.0 1.9.99"),
    (">1.2.9", "1.2.10 1.3.0", "1.2.9"),
    ("<2", "0.0.0 1.9.9", "2.0.0 10.0.0"),
    ("<=1.2", "1.2.9 0.1.0", "1.3.0"),
    ("<=1.2.3", "1.2.3 1.2.0", "1.2.4"),
    (">= 1.2, < 3.5.1", "1.2.0 2.0.0 3.5.0 3.4.9", "1.1.9 3.5.1 3.6.0 4.0.0 30.0.0"),
    (">=1.2.0 <1.3.0", "1.2.0 1.2.9", "1.3.0"),
    ("1.2 - 2.3", "1.2.0 2.3.9", "1.1.0 2.4.0"),
    ("1.2.3 - 2.3.4", "1.2.3 2.3.4", "1.2.2 2.3.5"),
    ("^1.2 || ^3", "1.2.0 3.0.0", "2.0.0 1.1.0 4.0.0"),
    (">=1.2.0-0 <2", "1.2.3 1.3.0-rc.1", "2.0.0 1.1.9"),
    ("^1.x-0", "1.2.3 1.2.3-rc.1", "2.0.0 2.0.0-rc.1"),
    (">=0.0.1-10", "0.0.1-11 0.0.2", "0.0.0"),
    ("v1.2.x", "1.2.3", "1.3.0"),
]


@pytest.mark.parametrize(("text", "inside", "outside"), RANGES)
def test_a_range_takes_its_versions_and_no_others(text: str, inside: str, outside: str) -> None:
    found = tags(choices.by_version(text))
    assert choices.by_version(text).told == ()
    assert [tag for tag in inside.split() if not found.takes(tag)] == []
    assert [tag for tag in inside.split() if not found.takes(f"v{tag}")] == []
    assert [tag for tag in outside.split() if found.takes(tag)] == []


@pytest.mark.parametrize("text", ["!=1.2.3", "=1.2.3-rc.1", "latest", ">=2 <1", ">>1"])
def test_a_range_without_an_equal_is_told_and_all_versions_are_taken(text: str) -> None:
    found = choices.by_version(text)
    assert found.pattern == choices.by_version("").pattern
    [told] = found.told
    assert told.startswith(f"the range {text!r}")


@given(number=st.integers(0, 12_000), other=st.integers(0, 120_000))
def test_numbers_from_one_on_are_those_that_are_not_lower(number: int, other: int) -> None:
    assert bool(re.fullmatch(at_least(number), str(other))) is (other >= number)


versions = st.tuples(*[st.sampled_from([0, 1, 2, 9, 10, 11, 99, 100])] * 3)


@given(low=versions, high=versions, version=versions)
def test_a_range_between_two_versions_is_what_comparing_says(
    low: tuple[int, ...], high: tuple[int, ...], version: tuple[int, ...]
) -> None:
    def dotted(parts: tuple[int, ...]) -> str:
        return ".".join(map(str, parts))

    if low < high:
        pattern = version_pattern(f">={dotted(low)} <{dotted(high)}")
        assert bool(re.fullmatch(pattern, dotted(version))) is (low <= version < high)


# RE2, the pattern as a whole, tags it takes, tags it does not
EXPRESSIONS = [
    ("^main-[0-9]+$", "^main-[0-9]+$", "main-7", "main-7-x xmain-7"),
    ("main-[0-9]+", ".*?main-[0-9]+.*", "main-7 xmain-7-x", "main-"),
    ("^main-[0-9]+", "^main-[0-9]+.*", "main-7 main-7-x", "xmain-7"),
    (".*-rc.*", ".*-rc.*", "1-rc.2", "1"),
    ("^a$|^b", "(?:.*?)".replace("(?:.*?)", ".*?") + "(?:^a$|^b).*", "a b bb", "ab aa"),
    ("^a|^b$", ".*?(?:^a|^b$).*", "ax b", "bx xa"),
    ("(a|b)$", ".*?(a|b)$", "xa b", "ac"),
    (r"^\Qa.b\E-(?<n>[[:digit:]]+)\z", r"^a\.b-([0-9]+)\Z", "a.b-7", "axb-7"),
    ("^[[:alpha:]_-]+$", "^[A-Za-z_-]+$", "a_-b", "7"),
    ("^[a[]+$", r"^[a\[]+$", "a", "b"),
    ("^[--9_-]+$", r"^[\--9_-]+$", "1.-_", "a"),
    ("^[+--]x&&~~$", r"^[+-\-]x&&~~$", "", "x"),
    ("^[a&&b~~c||d]$", r"^[a\&\&b\~\~c\|\|d]$", "a d", "e"),
    ("^[]a]$", r"^[\]a]$", "a", "b"),
    ("(?i)^MAIN-", "(?i)^MAIN-.*", "main-7", "x"),
    ("(?i:MAIN)-7$", ".*?(?i:MAIN)-7$", "main-7", "main-8"),
    (r"^v\d{1,2}\.x{,3}$", r"^v\d{1,2}\.x\{,3}$", "", "v1.xx"),
    ("^(?:a|b)-(c)$", "^(?:a|b)-(c)$", "a-c", "a-d"),
]


@pytest.mark.parametrize(("text", "pattern", "taken", "others"), EXPRESSIONS)
def test_an_expression_becomes_one_that_takes_the_same_tags_as_a_whole(
    text: str, pattern: str, taken: str, others: str
) -> None:
    assert translate(text).whole() == pattern
    found = tags(Choice(pattern=pattern))
    assert [found.takes(tag) for tag in taken.split()] == [True] * len(taken.split())
    assert [found.takes(tag) for tag in others.split()] == [False] * len(others.split())


@pytest.mark.parametrize(
    "text", [r"\pL+", r"a\C", "[[:punct:]]", r"[\p{Greek}]", "(?U)a+", "a(?i)b", "(", "[z-a]"]
)
def test_an_expression_without_an_equal_is_told(text: str) -> None:
    found = choices.by_alphabet("", text)
    assert (found.pattern, found.order) == ("", "alphabetical")
    [told] = found.told
    assert told.startswith(f"the pattern {text!r} (")


@pytest.mark.parametrize(
    ("choice", "order", "older", "newer"),
    [
        (
            choices.by_number("asc", "^main-[a-f0-9]+-(?P<ts>[0-9]+)", "$ts"),
            "numeric",
            "main-f-9",
            "main-a-10",
        ),
        (
            choices.by_number("", "^main-(?P<sha>[a-f0-9]+)-([0-9]+)$", "${2}"),
            "numeric",
            "main-f-9",
            "main-a-10",
        ),
        (choices.by_number("asc"), "numeric", "9", "10"),
        (choices.by_number("asc", "^[0-9]+$"), "numeric", "9", "10"),
        (
            choices.by_alphabet("asc", r"^RELEASE\.(?P<at>.*)Z$", "$at"),
            "alphabetical",
            "RELEASE.1Z",
            "RELEASE.2Z",
        ),
        (choices.by_alphabet(""), "alphabetical", "2026-01", "2026-02"),
        (choices.by_alphabet("", "b|c(d)", "$0"), "alphabetical", "ab", "acd"),
        (choices.by_version("^1.x-0", ".*-rc.*"), "semver", "1.9.0-rc.1", "1.10.0-rc.1"),
        (choices.by_version("", "(?i)^REL-(?P<v>.*)$", "$v"), "semver", "rel-1.9.0", "rel-1.10.0"),
        (choices.by_version("~1.2", "^.*-?alpine|.*$"), "semver", "1.2.3", "1.2.10"),
    ],
)
def test_the_part_that_a_tool_compares_is_the_part_that_is_compared(
    choice: Choice, order: str, older: str, newer: str
) -> None:
    assert (choice.order, choice.told) == (order, ())
    assert tags(choice).compare(older, newer) == -1
    assert tags(choice).compare(newer, older) == 1


def test_a_filter_and_a_range_both_count() -> None:
    found = tags(choices.by_version("^1.x-0", ".*-rc.*"))
    assert [tag for tag in ("1.2.3-rc.1", "1.2.3", "2.0.0-rc.1", "1.2.3-beta") if found.takes(tag)] == [
        "1.2.3-rc.1"
    ]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (choices.by_number("desc"), "the order desc"),
        (choices.by_alphabet("DESC", "^a"), "the order desc"),
        (choices.by_number("asc", "^(?P<y>[0-9]+)-(?P<m>[0-9]+)$", "$y$m"), "'$y$m' puts a text together"),
        (choices.by_number("asc", "^[0-9]+$", "$ts"), "'$ts' names no group"),
        (choices.by_time("^main-"), "which image was built last"),
        (choices.of_one_tag("latest"), "what the tag stands for now"),
        (choices.by_alphabet("asc", f"^{'x' * 600}$"), "which is too long"),
    ],
)
def test_an_order_that_no_rule_can_say_is_none_and_told(choice: Choice, said: str) -> None:
    assert choice.order == "none"
    assert any(said in told for told in choice.told)
    tags(choice)


def test_a_range_of_a_part_is_told_as_its_bounds_are_not_kept() -> None:
    found = choices.by_version("^1", "^rel-(.*)$", "$1")
    assert "versions outside of it are taken as well" in found.told[0]
    assert tags(found).compare("rel-1.2.3", "rel-2.0.0") == -1


def test_one_tag_whose_digest_moves_is_taken_and_no_other() -> None:
    found = tags(choices.of_one_tag("latest"))
    assert (found.takes("latest"), found.takes("latest2")) == (True, False)


@pytest.mark.parametrize(
    ("globs", "taken", "others"),
    [
        (["latest", "*-dirty"], "main-7 latest2 a.dirty", "latest main-7-dirty"),
        (["v?"], "v10", "v1"),
        (["v[0-3].*"], "v4.1", "v1.1"),
        (["*"], "", "a"),
    ],
)
def test_tags_that_a_tool_ignores_are_not_taken(globs: list[str], taken: str, others: str) -> None:
    found = tags(choices.without(choices.by_alphabet(""), globs))
    assert [found.takes(tag) for tag in taken.split()] == [True] * len(taken.split())
    assert [found.takes(tag) for tag in others.split()] == [False] * len(others.split())


@given(st.text("abc|()[]{}^$*+?.\\-&~0:<>PiQEz,", max_size=14))
def test_any_expression_is_translated_to_a_pattern_of_the_rules_or_told(text: str) -> None:
    choice = choices.by_number("", text, "$1")
    tags(choice)
    if choice.pattern == "" and text:
        assert choice.told
