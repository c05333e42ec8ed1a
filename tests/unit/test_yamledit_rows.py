"""Every form a tag is written in: one line changes, and nothing else does."""

from __future__ import annotations

import pytest
from support.yamlfixtures import ROWS, Row

from updater.yamledit import KeyPath, Replace, Scalar, edit, parse
from updater.yamledit.nodes import behind

_PATH = ("image", "tag")


def _replaced(text: str, value: str, **options: bool) -> str:
    return edit(parse(text.encode()), [Replace(_PATH, value, **options)]).decode()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_only_the_tag_changes(row: Row) -> None:
    assert _replaced(row.text, row.tag) == row.expected


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_new_tag_is_found_again_at_the_same_place(row: Row) -> None:
    node = parse(_replaced(row.text, row.tag).encode()).find(_PATH)
    assert isinstance(node, Scalar)
    assert node.value.rstrip("\n") == row.tag


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_writing_the_same_tag_again_returns_the_very_same_bytes(row: Row) -> None:
    text = parse(row.expected.encode())
    written = text.find(_PATH)
    assert written is not None
    scalar = behind(written)
    assert isinstance(scalar, Scalar)
    assert edit(text, [Replace(_PATH, scalar.value)] if "\n" not in scalar.value else []) is text.data


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_going_back_to_a_plain_tag_gives_one_line_again(row: Row) -> None:
    once = _replaced(row.text, row.tag)
    again = _replaced(once, "0ld")
    changed = [
        (left, right)
        for left, right in zip(once.split("\n"), again.split("\n"), strict=True)
        if left != right
    ]
    assert len(changed) == 1


def test_several_documents_are_told_apart_by_number() -> None:
    text = "image:\n  tag: a\n---\nimage:\n  tag: b\n--- \n# nothing\n---\nimage: {tag: c}\n"
    parsed = parse(text.encode())
    assert [document is None for document in parsed.documents] == [False, False, True, False]
    edits = [Replace(_PATH, "new", document=1), Replace(_PATH, "new", document=3)]
    assert edit(parsed, edits).decode() == text.replace("b", "new").replace("c}", '"new"}')


def test_many_edits_are_made_at_once_in_any_order() -> None:
    text = "a: 1\nb: [x, 'y', {c: d}]\ne:\nf: 한글\n"
    edits = [
        Replace(("f",), "라"),
        Replace(("b", 2, "c"), "v"),
        Replace(("a",), "v1"),
        Replace(("e",), "v2"),
        Replace(("b", 1), "it's"),
    ]
    expected = "a: v1\nb: [x, 'it''s', {c: \"v\"}]\ne: v2\nf: 라\n"
    assert edit(parse(text.encode()), edits).decode() == expected


def test_the_same_edit_twice_counts_once() -> None:
    text = parse(b"a: 1\n")
    assert edit(text, [Replace(("a",), "v2"), Replace(("a",), "v2")]) == b"a: v2\n"


def test_no_edits_return_the_very_same_bytes() -> None:
    text = parse(b"a: 1")
    assert edit(text, []) is text.data


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ('"x"', 'a "b" \\c', '"a \\"b\\" \\\\c"'),
        ("'x'", "a 'b' \\c", "'a ''b'' \\c'"),
        ("x", "a: b", '"a: b"'),
        ("x", "# no comment", '"# no comment"'),
        ("x", "", '""'),
        ("x", " blank ", '" blank "'),
        ("'x'", "", "''"),
        ("x", "{{ .Values.y }}", '"{{ .Values.y }}"'),
        ("x", "registry.example.com:5000/a/b:1.2@sha256:0", "registry.example.com:5000/a/b:1.2@sha256:0"),
    ],
)
def test_any_text_of_one_line_can_be_written(old: str, value: str, new: str) -> None:
    text = f"image:\n  tag: {old} # c\n"
    result = _replaced(text, value)
    assert result == f"image:\n  tag: {new} # c\n"
    node = parse(result.encode()).find(_PATH)
    assert isinstance(node, Scalar)
    assert node.value == value


def test_find_returns_nothing_where_nothing_is() -> None:
    text = parse(b"a: {b: [c]}\n---\n---\n1: x\n1: y\n")
    places: list[tuple[KeyPath, int]]
    places = [((), 3), ((), -1), (("a",), 1), (("a", "b", 1), 0), (("a", "b", -1), 0), (("a", "b", "c"), 0)]
    assert [text.find(path, document) for path, document in places] == [None] * 6
    found = text.find((1,), 2)
    # The last of two equal keys, as Helm's reader takes it; a number finds a key that reads like it.
    assert isinstance(found, Scalar)
    assert found.value == "y"
