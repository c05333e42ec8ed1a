"""Files and edits that are refused: with a line, a reason, and without long waits."""

from __future__ import annotations

import contextlib
import dataclasses
import gc

import pytest
from ruamel.yaml.reader import ReaderError

from updater.errors import EditRefused
from updater.yamledit import MAX_BYTES, MAX_DEPTH, KeyPath, Replace, edit, parse
from updater.yamledit.decoding import syntax_refusal
from updater.yamledit.events import MAX_EVENTS


def _refusal(data: bytes) -> EditRefused:
    with pytest.raises(EditRefused) as refused:
        parse(data)
    assert not refused.value.problem.endswith(".")
    return refused.value


@pytest.mark.parametrize(
    ("data", "line", "column", "problem"),
    [
        (b"a: 1\nb: \xff\n", 2, 4, "not UTF-8: byte 0xff"),
        (b"\xef\xbb\xbfa: 1\r\n\xed\x95: x", 2, 1, "not UTF-8: byte 0xed"),
        ("a: 1".encode("utf-16"), 1, 1, "not UTF-8: byte 0xff"),
        (b"a: 1\nb: x\x00y\n", 2, 5, "U+0000"),
        ("가: 1\r\n나: '\x1b[1m'\r\n".encode(), 2, 5, "U+001B"),
        (b"a: 1\rb: x\x7f", 2, 5, "U+007F"),
        ("a: x # \u2028b\nc: 1\n".encode(), 2, 1, "not YAML: could not find expected ':'"),
        (b"\xef\xbb\xbf\xef\xbb\xbfa: 1\n", 1, 1, "two byte order marks"),
        (b"a: b: c\n", 1, 5, "not YAML: mapping values are not allowed"),
        (b"a: 'x\nb: 1\n", 3, 1, "not YAML: found unexpected end of stream"),
        (b"a:\n\tb: 1\n", 2, 1, "a tab may not indent a line"),
        (b"a: [1, 2\nb: 1\n", 2, 2, "not YAML"),
        (b"a: @b\n", 1, 4, "not YAML: found character that cannot start any token"),
        (b"a: !x!y z\n", 1, 4, "not YAML: found undefined tag handle"),
        (b"%YAML 3.0\n---\na: 1\n", 1, 1, "not YAML: found incompatible YAML document"),
    ],
)
def test_what_cannot_be_read_is_refused_with_line_and_column(
    data: bytes, line: int, column: int, problem: str
) -> None:
    refused = _refusal(data)
    assert problem in refused.problem
    assert (refused.line, refused.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("image:\n  tag: {{ .Values.tag }}\n", 2, 8),
        ("image:\n  tag: {{ .Values.tag }}-slim\n", 2, 8),
        ("image:\n  tags: [{{ .Values.tag }}]\n", 2, 10),
        ("{{- if .Values.x }}\na: 1\n{{- end }}\n", 1, 1),
        ("a: 1\n{{ if .Values.x }}\nb: 1\n{{ end }}\n", 2, 1),
        ("image:\n  {{- toYaml .Values.image | nindent 2 }}\n", 2, 3),
        ("releases:\n- name: a\n{{ range .Values.x }}\n- name: {{ . }}\n{{ end }}\n", 3, 1),
        ("name: x{{ .Values.a }}: {{ .Values.b }}\n", 1, 8),
    ],
)
def test_a_template_is_told_from_broken_yaml(text: str, line: int, column: int) -> None:
    refused = _refusal(text.encode())
    assert "a template, not values" in refused.problem
    assert (refused.line, refused.column) == (line, column)


@pytest.mark.parametrize(
    "text",
    [
        "a: '{{ .Values.x }}'\n",
        "a: x # {{\n",
        "a: |\n  {{ x }}\nb: 1\n",
        "a: {b: {c: 1}}\n",
        "a: x{{y}}\n",
    ],
)
def test_braces_inside_of_texts_are_no_template(text: str) -> None:
    assert parse(text.encode()).documents[0] is not None


def test_braces_in_a_comment_do_not_explain_a_mistake_on_its_line() -> None:
    assert "not YAML" in _refusal(b"a: b: c # {{ x }}\n").problem


def test_a_file_over_the_limit_is_refused_and_one_at_it_is_not() -> None:
    assert str(MAX_BYTES) in _refusal(b"#" * (MAX_BYTES + 1)).problem
    assert parse(b"#" * MAX_BYTES).documents == ()


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_over_the_limit_is_refused_and_at_it_is_not(opening: str) -> None:
    closing = {"[": "]", "{a: ": "}"}.get(opening, "")
    deepest = opening * MAX_DEPTH + "x" + closing * MAX_DEPTH
    assert parse(deepest.encode()).documents[0] is not None
    refused = _refusal((opening + deepest + closing).encode())
    assert f"more than {MAX_DEPTH} deep" in refused.problem
    assert (refused.line, refused.column) == (1, MAX_DEPTH * len(opening) + 1)


@pytest.mark.parametrize("opening", ["[", "{", "[{", "- ", "? ", "{? "])
def test_a_file_full_of_brackets_is_refused_at_once(opening: str) -> None:
    refused = _refusal((opening * (MAX_BYTES // len(opening))).encode())
    assert "deep" in refused.problem or "template" in refused.problem


@pytest.mark.parametrize("opening", ["[", "{? ", "- "])
def test_brackets_behind_an_address_in_brackets_are_refused_at_once(opening: str) -> None:
    refused = _refusal(b"a: [http://example.com, " + opening.encode() * 100_000)
    assert "deep" in refused.problem or "not YAML" in refused.problem


@pytest.mark.parametrize(
    "tail", ['"\\UFFFFFFFF"]', "*x]", "\t- a", "'x", "!<]", "a: b: c]", "%", '"\\q"]', "&]", "? ]", "|\n"]
)
def test_whatever_comes_behind_an_address_in_brackets_is_read_or_refused(tail: str) -> None:
    with contextlib.suppress(EditRefused):
        parse(f"a: [http://example.com, {tail}\n".encode())


def test_a_big_file_is_not_read_slowly() -> None:
    text = "a: [http://example.com]\n" + "#" * 1024 * 1024
    assert _refusal(text.encode()).problem == "this is not YAML: found unexpected ':'"


def test_a_file_of_too_many_parts_is_refused() -> None:
    assert f"more than {MAX_EVENTS} parts" in _refusal(b"- a\n" * (MAX_EVENTS + 1)).problem


def test_a_file_of_directives_is_refused_before_it_is_read() -> None:
    lines = "".join(f"%TAG !{n}! tag:example.com,2000:\n" for n in range(200_000))
    assert "%TAG lines" in _refusal(("\n" + lines + "---\na: 1\n").encode()).problem


def test_a_few_directives_are_read() -> None:
    text = parse(b"%TAG !e! tag:example.com,2000:\n---\na: !e!x 1\nb: x\n")
    assert edit(text, [Replace(("b",), "z")]).endswith(b"\nb: z\n")


@pytest.mark.parametrize("data", [b"a: [" + b"x, " * 40_000, b"a: [" + b"x, " * 40_000 + b"]\n"])
def test_the_collector_runs_again_after_a_big_file_good_or_bad(data: bytes) -> None:
    assert gc.isenabled()
    try:
        parse(data)
    except EditRefused:
        assert not data.endswith(b"]\n")
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        parse(b"a: [" + b"x, " * 40_000 + b"]\n")
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("text", "path", "line", "problem"),
    [
        ("a: 1\na: 2\n", ("a",), 2, "the key 'a' stands in lines 1 and 2"),
        ("a:\n  t: 1\nb: 1\na: {}\n", ("a", "t"), 4, "the key 'a' stands in lines 1 and 4"),
        ("a:\n  t: 1\n  b: 1\n  t: 2\n  t: 3\n", ("a", "t"), 4, "lines 2 and 4 and 5"),
        ("a: x\n  y\n", ("a",), 1, "runs over several lines"),
        ("a: 'x\n  y'\n", ("a",), 1, "runs over several lines"),
        ('a: "x\\\n  y"\n', ("a",), 1, "runs over several lines"),
        ("a: |\n  x\n  y\n", ("a",), 1, "a block of text, not one line"),
        ("a: >\n  x\n  y\n", ("a",), 1, "a block of text, not one line"),
        ("a: |\n\n  x\n", ("a",), 1, "a block of text, not one line"),
        ("a: |1\n   x\n", ("a",), 1, "a block of text, not one line"),
        ("a: |\nb: 1\n", ("a",), 1, "a block of text, not one line"),
        ("a: !!int 1\n", ("a",), 1, "carries the tag tag:yaml.org,2002:int"),
        ("a: !secret x\n", ("a",), 1, "carries the tag !secret"),
        ("a: ! 1\n", ("a",), 1, "carries the tag !"),
        ("a: [1]\n", ("a",), 1, "a list stands here"),
        ("a:\n  b: 1\n", ("a",), 2, "a mapping stands here"),
        ("a: 1\n", ("b",), 1, "the top of the file has no key 'b'; it has a"),
        ("x:\n  y:\n    c: 1\n    d: 1\n", ("x", "y", "t"), 3, "x.y has no key 't'; it has c, d"),
        ("a: 1\n", ("a", "t"), 1, "a is a single value, not a mapping"),
        ("a: [1, 2]\n", ("a", 2), 1, "has 2 items and no item 2"),
        ("a: [1, 2]\n", ("a", "t"), 1, "no item 't'"),
        ("- \n- b\n", (0,), 1, "no value stands here"),
        ("? a\n", ("a",), 2, "no value stands here"),
        ("", ("a",), 0, "no document number 0"),
        ("# only a comment\n", ("a",), 0, "no document number 0"),
        ("---\n", ("a",), 0, "the document is empty"),
        ("{[a]: 1}\n", ("a",), 1, "has no key 'a'; it is empty"),
    ],
)
def test_a_place_that_cannot_be_edited_is_refused_with_a_reason(
    text: str, path: KeyPath, line: int, problem: str
) -> None:
    parsed = parse(text.encode())
    with pytest.raises(EditRefused) as refused:
        edit(parsed, [Replace(path, "new")])
    assert problem in refused.value.problem
    assert not refused.value.problem.endswith(".")
    assert refused.value.line == line


def test_many_keys_are_not_all_listed() -> None:
    text = "".join(f"key{n}: 1\n" for n in range(50))
    with pytest.raises(EditRefused, match=r"it has key0, .*, key11 and 38 more$"):
        edit(parse(text.encode()), [Replace(("tag",), "x")])


@pytest.mark.parametrize(
    "value", ["a\nb", "a\r", "\x00", "a\tb", "\x1b[1m", "a\x85", "a\u2028b", "\ufeff", "\ud800"]
)
def test_a_value_of_several_lines_or_with_control_characters_is_refused(value: str) -> None:
    with pytest.raises(EditRefused, match=r"^tag: the new value .* cannot stand in a line of YAML"):
        edit(parse(b"tag: x\n"), [Replace(("tag",), value)])


@pytest.mark.parametrize("value", ["", " x", "x "])
def test_a_value_that_would_change_a_blocks_indentation_is_refused(value: str) -> None:
    with pytest.raises(EditRefused, match="cannot be written as a block"):
        edit(parse(b"tag: |\n  x\n"), [Replace(("tag",), value)])


def test_two_different_values_for_one_place_are_refused() -> None:
    with pytest.raises(EditRefused, match="1:4: a: two different values"):
        edit(parse(b"a: x\n"), [Replace(("a",), "v1"), Replace(("a",), "v2")])


def test_a_document_number_that_does_not_exist_is_refused() -> None:
    with pytest.raises(EditRefused, match=r"no document number 2 \(counted from 0\); the file has 2"):
        edit(parse(b"a: 1\n---\na: 2\n"), [Replace(("a",), "x", document=2)])


def test_a_block_value_that_would_be_read_as_a_comment_elsewhere_stays_text() -> None:
    assert edit(parse(b"tag: |-\n  x\n"), [Replace(("tag",), "#x: y")]) == b"tag: |-\n  #x: y\n"


_EVERYTHING = b"a: &t x\nb: [1, 'q', {c: *t}]\nd: !!str\n? e\n: |\n  f\n---\n- z\n"


_EVENTS = parse(_EVERYTHING).events


@pytest.mark.parametrize("number", sorted(set(range(len(_EVENTS))) - {_EVENTS.index("1")}))
def test_the_proof_notices_any_single_event_that_differs(number: int) -> None:
    text = parse(_EVERYTHING)
    wish = Replace(("b", 0), "new")
    assert edit(text, [wish]) == _EVERYTHING.replace(b"1", b'"new"')
    changed = text.events.copy()
    changed[number] = ("something", "else")
    with pytest.raises(EditRefused, match="does not differ in exactly the intended values"):
        edit(dataclasses.replace(text, events=changed), [wish])


def test_the_proof_notices_an_event_too_many() -> None:
    text = parse(_EVERYTHING)
    with pytest.raises(EditRefused, match="does not differ in exactly the intended values"):
        edit(dataclasses.replace(text, events=[*text.events, 4]), [Replace(("b", 0), "new")])


def test_the_proof_notices_a_result_that_is_not_yaml() -> None:
    text = parse(_EVERYTHING)
    shifted = dataclasses.replace(text, text="'" + text.text[1:])
    with pytest.raises(EditRefused, match="does not differ in exactly the intended values"):
        edit(shifted, [Replace(("b", 0), "new")])


def test_an_error_without_a_place_still_says_what_is_wrong() -> None:
    refused = syntax_refusal("a: 1", ReaderError("<text>", 0, 1, "?", "something odd"))
    assert refused.problem.startswith("this is not YAML: ")
    assert "something odd" in refused.problem
    assert not refused.problem.endswith(".")
    assert refused.line == 0
