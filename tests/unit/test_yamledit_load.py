"""Plain values with places, and how people write key paths."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updater.errors import EditRefused, InvalidRequest
from updater.yamledit import KeyPath, load, parse_path, show_path

_FILE = b"""\
# rules
environments:
  - name: dev
    digest: off
  - {name: "prod", limit: 0x10}
1: ~
"""


def test_values_come_with_the_places_of_keys_and_values() -> None:
    loaded = load(_FILE)
    assert loaded.value == {
        "environments": [{"name": "dev", "digest": "off"}, {"name": "prod", "limit": 16}],
        "1": None,
    }
    assert loaded.positions[()] == (2, 1)
    assert loaded.positions["environments", 0, "digest"] == (4, 13)
    assert loaded.positions["environments", 1] == (5, 5)
    assert loaded.keys["environments", 1, "limit"] == (5, 20)
    assert loaded.keys["1",] == (6, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(text, None) for text in ("~", "null", "Null", "NULL", "")],
        *[(text, True) for text in ("true", "True", "TRUE")],
        *[(text, False) for text in ("false", "False", "FALSE")],
        *[
            (text, text)
            for text in ("yes", "on", "y", "1_000", "12:30", "2024-01-01", "0b1", "1.2.3", ".", "+")
        ],
        *[("12", 12), ("-3", -3), ("+3", 3), ("012", 12), ("0o17", 15), ("0xFf", 255)],
        *[
            ("1.5", 1.5),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("-1.", -1.0),
            (".inf", math.inf),
            ("-.INF", -math.inf),
        ],
        *[("'12'", "12"), ('"true"', "true"), ("!!str 12", "12"), ("! 12", "12"), ("|-\n  12", "12")],
    ],
)
def test_scalars_are_read_by_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    loaded = load(f"a: {text}\n".encode()).value
    assert loaded == {"a": value}
    assert isinstance(loaded, dict)
    assert type(loaded["a"]) is type(value)


def test_not_a_number_is_read_too() -> None:
    loaded = load(b"- .nan\n").value
    assert isinstance(loaded, list)
    assert isinstance(loaded[0], float)
    assert math.isnan(loaded[0])


@pytest.mark.parametrize("data", [b"", b"# nothing\n", b"---\n", b"~"])
def test_an_empty_file_is_nothing(data: bytes) -> None:
    loaded = load(data)
    assert loaded.value is None
    assert loaded.positions[()] == (1, 1)


@pytest.mark.parametrize(
    ("text", "line", "column", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, "the key 'a' stands here and already in line 1"),
        ("a:\n  b: 2\n  'b': 3\n", 3, 3, "the key 'b' stands here and already in line 2"),
        ("a: &x 1\nb: *x\n", 2, 4, "*x is an alias"),
        ("a: &x 1\n*x : 2\n", 2, 1, "a key must be a plain word"),
        ("[a]: 1\n", 1, 1, "a key must be a plain word"),
        ("a: !!int 1\n", 1, 4, "the tag tag:yaml.org,2002:int is not read here"),
        ("a: !env HOME\n", 1, 4, "the tag !env is not read here"),
        ("a: 1\n---\nb: 2\n", 0, 0, "the file holds 2 documents"),
        ("a: {{ x }}\n", 1, 4, "a template, not values"),
        ("a: 'x\n", 2, 1, "not YAML"),
    ],
)
def test_what_hides_its_meaning_is_refused_with_a_place(
    text: str, line: int, column: int, problem: str
) -> None:
    with pytest.raises(EditRefused) as refused:
        load(text.encode())
    assert problem in refused.value.problem
    assert (refused.value.line, refused.value.column) == (line, column)


def test_a_number_of_more_digits_than_python_reads_is_infinite() -> None:
    assert load(b"a: " + b"9" * 5000).value == {"a": math.inf}


def test_a_number_too_great_for_a_float_is_infinite() -> None:
    assert load(b"a: 1e999\n").value == {"a": math.inf}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("tag", ("tag",)),
        ("image.tag", ("image", "tag")),
        ("containers.0.image", ("containers", 0, "image")),
        ("a.01.b", ("a", "01", "b")),
        ('["image.1", "tag"]', ("image.1", "tag")),
        ('["a", 0, "0", ""]', ("a", 0, "0", "")),
        ("한글.tag", ("한글", "tag")),
    ],
)
def test_a_key_path_is_read_and_shown_the_same_way(text: str, path: KeyPath) -> None:
    assert parse_path(text) == path
    assert show_path(path) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "a..b", ".a", "a.", "[", "[]", '["a"', "[1.5]", "[-1]", "[true]", "[null]", "[[1]]"),
        "[" * 100_000,
    ],
)
def test_what_is_no_key_path_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r'\["image\.1", "tag"\]') as refused:
        parse_path(text)
    assert refused.value.field == "path"


_PART = st.one_of(
    st.text(max_size=5), st.integers(0, 10**10), st.sampled_from(["a", "0", "01", "a.b", "[", '"'])
)


@settings(deadline=None)
@given(st.lists(_PART, min_size=1, max_size=4).map(tuple))
def test_every_path_that_is_shown_reads_as_itself(path: KeyPath) -> None:
    assert parse_path(show_path(path)) == path
