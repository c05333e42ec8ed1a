"""Adding a key behind another: one line more, and everything else as it was."""

from __future__ import annotations

import pytest

from updater.errors import EditRefused
from updater.yamledit import Insert, KeyPath, Replace, edit, parse

_TAG: KeyPath = ("image", "tag")


def _inserted(text: str, value: str = "v1", path: KeyPath = _TAG, after: str = "repository") -> str:
    return edit(parse(text.encode()), [Insert(path, value, after)]).decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image:\n  repository: r\n", "image:\n  repository: r\n  tag: v1\n"),
        ("image:\n  repository: r\n  b: 1\n", "image:\n  repository: r\n  tag: v1\n  b: 1\n"),
        ("image:\n  repository: r # c\nb: 1\n", "image:\n  repository: r # c\n  tag: v1\nb: 1\n"),
        ("image:\r\n  repository: r\r\nb: 1\r\n", "image:\r\n  repository: r\r\n  tag: v1\r\nb: 1\r\n"),
        ("image:\r  repository: r\rb: 1\r", "image:\r  repository: r\r  tag: v1\rb: 1\r"),
        ("image:\n  repository: r", "image:\n  repository: r\n  tag: v1"),
        ("image:\n  repository: r # c", "image:\n  repository: r # c\n  tag: v1"),
        ("image:\r\n  repository: r", "image:\r\n  repository: r\r\n  tag: v1"),
        ("image:\n      'repository': \"r\"  \n", "image:\n      'repository': \"r\"  \n      tag: v1\n"),
        ("image:\n  repository:\n  b: 1\n", "image:\n  repository:\n  tag: v1\n  b: 1\n"),
        ("image:\n  repository: &r r\n", "image:\n  repository: &r r\n  tag: v1\n"),
        ("r: &r r\nimage:\n  repository: *r # c\n", "r: &r r\nimage:\n  repository: *r # c\n  tag: v1\n"),
        ("image: {repository: r}\n", 'image: {repository: r, tag: "v1"}\n'),
        ("image: { repository: 'r' , b: 1 } # c\n", "image: { repository: 'r', tag: \"v1\" , b: 1 } # c\n"),
        ('{"image":{"repository":"r"}}', '{"image":{"repository":"r", "tag": "v1"}}'),
        ("image: {repository: }\n", 'image: {repository: , tag: "v1"}\n'),
        ("\ufeffimage:\n  repository: 한글\n", "\ufeffimage:\n  repository: 한글\n  tag: v1\n"),
        ("image:\n  repository: r\n...\n", "image:\n  repository: r\n  tag: v1\n...\n"),
    ],
)
def test_the_new_key_stands_on_a_line_of_its_own_or_inside_the_braces(text: str, expected: str) -> None:
    assert _inserted(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image:\n- repository: r\n  b: 1\n", "image:\n- repository: r\n  tag: v1\n  b: 1\n"),
        ("image:\n  -   repository: r\n", "image:\n  -   repository: r\n      tag: v1\n"),
        ("image:\n- - repository: r", None),
    ],
)
def test_in_a_list_the_keys_column_counts(text: str, expected: str | None) -> None:
    path: KeyPath = ("image", 0, "tag") if expected else ("image", 0, 0, "tag")
    assert _inserted(text, path=path) == (expected or "image:\n- - repository: r\n    tag: v1")


def test_a_key_can_be_added_at_the_top() -> None:
    assert _inserted("repository: r\n", path=("tag",)) == "repository: r\ntag: v1\n"


@pytest.mark.parametrize("value", ["1.10", "on", "", "52666e1", "a: b"])
def test_a_new_value_that_is_no_string_gets_quotes(value: str) -> None:
    assert _inserted("image:\n  repository: r\n", value) == f'image:\n  repository: r\n  tag: "{value}"\n'


def test_a_new_key_that_is_no_string_gets_quotes() -> None:
    text = _inserted("image:\n  repository: r\n", path=("image", "1.21"))
    assert text == 'image:\n  repository: r\n  "1.21": v1\n'
    text = _inserted("image: {repository: r}\n", path=("image", "a,b"))
    assert text == 'image: {repository: r, "a,b": "v1"}\n'


@pytest.mark.parametrize("text", ["image:\n  repository:\n", "image: {repository: }\n"])
def test_several_keys_behind_a_value_that_is_filled_at_the_same_time(text: str) -> None:
    edits: list[Insert | Replace] = [
        Insert(_TAG, "v1", "repository"),
        Replace(("image", "repository"), "r"),
        Insert(("image", "digest"), "", "repository"),
    ]
    written = edit(parse(text.encode()), edits).decode()
    assert written in (
        'image:\n  repository: r\n  tag: v1\n  digest: ""\n',
        'image: {repository: "r" , tag: "v1", digest: ""}\n',
    )


def test_keys_are_added_in_several_places_at_once() -> None:
    text = "a:\n  r: x\nb:\n- r: y\nc: {r: z}\n"
    edits = [Insert(("c", "t"), "3", "r"), Insert(("a", "t"), "v1", "r"), Insert(("b", 0, "t"), "v2", "r")]
    expected = 'a:\n  r: x\n  t: v1\nb:\n- r: y\n  t: v2\nc: {r: z, t: "3"}\n'
    assert edit(parse(text.encode()), edits).decode() == expected


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("image:\n  repository: r\n  tag: x\n", 3, "the key is already there"),
        ("image:\n  name: r\n", 2, "has no key 'repository'; it has name"),
        ("image: {}\n", 1, "has no key 'repository'; it is empty"),
        ("other: 1\n", 1, "has no key 'image'"),
        ("image: r\n", 1, "no mapping stands there"),
        ("image: [repository: r]\n", 1, "no mapping stands there"),
        ("image:\n  repository: |\n    r\n", 2, "not a single line"),
        ("image:\n  repository: r\n    s\n", 2, "not a single line"),
        ("image:\n  repository:\n    r\n", 3, "not a single line"),
        ("image:\n  repository: 'r\n    s'\n", 2, "not a single line"),
        ("image:\n  repository: [r]\n", 2, "not a single line"),
        ("image:\n  repository: {a: r}\n", 2, "not a single line"),
        ("image:\n  ? repository\n  : r\n", 2, "no `repository:` on one line"),
        ("image: {repository}\n", 1, "no `repository:` on one line"),
        ("image:\n  repository: a\n  repository: b\n", 3, "stands in lines 2 and 3"),
        ("a: &a {repository: r}\nimage: *a\n", 2, "no mapping stands there"),
    ],
)
def test_a_key_that_cannot_be_added_safely_is_refused_with_a_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(EditRefused) as refused:
        _inserted(text)
    assert problem in str(refused.value)
    assert refused.value.line == line


def test_the_same_key_twice_is_refused() -> None:
    with pytest.raises(EditRefused, match=r"image\.tag: the same key is to be added twice"):
        edit(parse(b"image:\n  repository: r\n"), [Insert(_TAG, "a", "repository")] * 2)


def test_an_insertion_that_means_something_else_is_not_proved() -> None:
    # One pair in a list without braces: a second key there would be a second item.
    with pytest.raises(EditRefused, match="does not differ in exactly the intended values"):
        _inserted("image: [repository: r]\n", path=("image", 0, "tag"))


def test_a_key_behind_one_with_an_anchor_gets_the_anchors_column() -> None:
    text = "image:\n  &k repository: r\n"
    assert _inserted(text) == "image:\n  &k repository: r\n  tag: v1\n"
