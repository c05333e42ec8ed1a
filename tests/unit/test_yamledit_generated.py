"""Generated files, edited and then read by parsers that share nothing with the one that edited.

The oracles are PyYAML's pure-Python loader for YAML 1.1 and ruamel.yaml's for YAML 1.2.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from updater.errors import EditRefused
from updater.yamledit import Insert, KeyPath, Replace, edit, parse

_BREAK = re.compile(r"\r\n|\n|\r")
_COMMENTS = st.sampled_from(["", "", " # note", "  # 이미지 🚀", " #", " # tag: no"])
_BLANK_LINES = st.sampled_from(["", "", "\n", "# tag: not me\n", "  # indented\n\n", "   \n"])
_KEYS = st.sampled_from(["a", "name", "한글", "1.21", "tag-x", "repository", "z"])
_QUOTED_KEYS = st.sampled_from(["{}", "{}", "{}", '"{}"', "'{}'"])
_TEXTS = st.sampled_from(["x", "1.2.3", "nginx", "a b", "값", "a#b", "http://example.com/a?b=c"])
_OLD_VALUES = st.sampled_from(
    ["old", "'old'", '"old"', "1.10", "~", "null", '""', "''", "a b", "한글", "", "!!str old", "&anchor old"]
)
_NEW_TAGS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}", fullmatch=True),
    st.from_regex(r"[0-9]{1,6}e[0-9]{1,3}", fullmatch=True),
    st.sampled_from(["on", "1.10", "0o17", "12:30", "null", "y", "2024-01-01", "0x1f", "1_000"]),
)


@dataclass(frozen=True)
class Doc:
    """A generated file, the path of its mark, and the same file with other line ends and so on."""

    text: str
    path: KeyPath


@st.composite
def _flow(draw: st.DrawFn, mark: str) -> tuple[str, KeyPath]:
    before = draw(st.sampled_from(["", "p: 1, ", '"p" : [1, {q: r}], ']))
    after = draw(st.sampled_from(["", ", s: t", " , s: 'u'", " "]))
    return f"{{{before}tag: {mark}{after}}}", ("tag",)


@st.composite
def _block(draw: st.DrawFn, indent: str, mark: str, depth: int) -> tuple[list[str], KeyPath]:
    """Return the lines of a block mapping or list that holds the mark, and the way to it."""
    step = " " * draw(st.integers(1, 4))
    keys = draw(st.lists(_KEYS, min_size=1, max_size=3, unique=True))
    place = draw(st.integers(0, len(keys) - 1))
    lines: list[str] = []
    path: KeyPath = ()
    as_list = draw(st.booleans()) and depth > 0
    for index, key in enumerate(keys):
        head = f"{indent}-   " if as_list else f"{indent}{draw(_QUOTED_KEYS).format(key)}:"
        part: str | int = index if as_list else key
        comment = draw(_COMMENTS)
        if index != place:
            gap = "" if as_list else " "
            lines.append(f"{head}{gap}{draw(_TEXTS)}{comment}\n" + draw(_BLANK_LINES))
        elif as_list:
            flow, inner = draw(_flow(mark))
            lines.append(f"{head}{flow}{comment}\n")
            path = (part, *inner)
        elif depth == 0 or draw(st.integers(0, 3)) == 0:
            lines.append(f"{head} {mark}{comment}\n")
            path = (part,)
        else:
            below, inner = draw(_block(indent + step, mark, depth - 1))
            lines += [f"{head}{comment}\n", *below]
            path = (part, *inner)
    return lines, path


@st.composite
def _documents(draw: st.DrawFn) -> Doc:
    mark = draw(_OLD_VALUES)
    lines, path = draw(_block("", mark, draw(st.integers(0, 3))))
    text = draw(st.sampled_from(["", "", "---\n", "# head\n---\n"])) + "".join(lines)
    if draw(st.booleans()):
        text = text.rstrip("\n")
    text = text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n", "\r"])))
    return Doc(text=draw(st.sampled_from(["", "", "\ufeff"])) + text, path=path)


def _read_1_1(text: str) -> Any:
    return yaml.load(text, Loader=yaml.SafeLoader)


def _read_1_2(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(io.StringIO(text.removeprefix("\ufeff")))


def _with(value: Any, path: KeyPath, new: str) -> Any:
    """Return the value with one place set, as the edit should have."""
    if not path:
        return new
    if isinstance(value, list):
        return [_with(item, path[1:], new) if n == path[0] else item for n, item in enumerate(value)]
    return {key: _with(item, path[1:], new) if key == path[0] else item for key, item in value.items()}


def _text_keys(value: Any) -> Any:
    """Return the value with all keys as text: `1.21` as a key is a number to the readers."""
    if isinstance(value, dict):
        return {str(key): _text_keys(item) for key, item in value.items()}
    return [_text_keys(item) for item in value] if isinstance(value, list) else value


@settings(max_examples=300, deadline=None)
@given(_documents(), _NEW_TAGS)
def test_one_line_changes_and_two_other_readers_see_only_the_new_string(doc: Doc, tag: str) -> None:
    result = edit(parse(doc.text.encode()), [Replace(doc.path, tag)]).decode()
    before, after = _BREAK.split(doc.text), _BREAK.split(result)
    assert len(before) == len(after)
    assert sum(old != new for old, new in zip(before, after, strict=True)) <= 1
    assert _BREAK.findall(doc.text) == _BREAK.findall(result)
    for read in (_read_1_1, _read_1_2):
        assert _text_keys(read(result)) == _with(_text_keys(read(doc.text)), doc.path, tag)


@settings(max_examples=100, deadline=None)
@given(_documents(), _NEW_TAGS, _NEW_TAGS)
def test_editing_there_and_back_differs_at_most_in_quotes(doc: Doc, first: str, second: str) -> None:
    once = edit(parse(doc.text.encode()), [Replace(doc.path, first)])
    twice = edit(parse(once), [Replace(doc.path, second)])
    assert edit(parse(twice), [Replace(doc.path, second)]) == twice
    again = edit(parse(twice), [Replace(doc.path, first)]).decode()
    assert again.replace('"', "").replace("'", "") == once.decode().replace('"', "").replace("'", "")


@settings(max_examples=200, deadline=None)
@given(_documents(), _NEW_TAGS)
def test_a_new_key_is_one_line_more_or_stands_in_the_same_braces(doc: Doc, tag: str) -> None:
    after = str(doc.path[-1])
    path = (*doc.path[:-1], "brandnew")
    result = edit(parse(doc.text.encode()), [Insert(path, tag, after)]).decode()
    old_lines, new_lines = _BREAK.split(doc.text), _BREAK.split(result)
    added = len(new_lines) - len(old_lines)
    assert added in (0, 1)
    if added:
        assert [line for line in new_lines if "brandnew" not in line] == old_lines
    for read in (_read_1_1, _read_1_2):
        wanted = _text_keys(read(doc.text))
        place = wanted
        for part in doc.path[:-1]:
            place = place[part]
        place["brandnew"] = tag
        assert _text_keys(read(result)) == wanted


@settings(max_examples=200, deadline=None)
@given(_documents())
def test_the_slow_parser_gives_the_same_nodes_as_the_fast_one(doc: Doc) -> None:
    # An address in brackets is what makes the slow one read the file.
    line_end = next(iter(_BREAK.findall(doc.text)), "\n")
    tail = f"{line_end}...{line_end}--- [{{}}]{line_end}"
    fast = parse((doc.text + tail.format("a")).encode())
    slow = parse((doc.text + tail.format("http://x")).encode())
    assert fast.documents[0] == slow.documents[0]
    assert fast.events[:-4] == slow.events[:-4]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab:-?[]{},#&*!|>'\"%@ \n\t\r0~.=<\u0085\u2028한", max_size=30), _NEW_TAGS)
def test_whatever_is_read_at_all_is_edited_right_or_refused(text: str, tag: str) -> None:
    try:
        parsed = parse(text.encode())
    except EditRefused:
        return
    for document, root in enumerate(parsed.documents):
        if root is None:
            continue
        for path in (("a",), ("b",), (0,), (0, "a"), ("a", "b"), ()):
            try:
                result = edit(parsed, [Replace(path, tag, document=document)])
            except EditRefused:
                continue
            found = parse(result).find(path, document)
            assert found is not None
            assert getattr(found, "value", "").rstrip("\n") == tag
