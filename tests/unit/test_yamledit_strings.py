"""Which texts may stand without quotes: only those that every reader takes for a string."""

from __future__ import annotations

import io

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from updater.errors import EditRefused
from updater.yamledit import Replace, edit, parse, reads_as_string
from updater.yamledit.quoting import fits_on_a_line

_NO_STRINGS_TEXT = """
1e3 12e4567 0o17 08 on off yes No y n 12:30:45 1.10 20240101 0x10 017 0b11 1_000 null ~ true 2024-01-01
.inf = << 52666e1 1234567e8 0e0 +1 -1 1. .5 1_0.5 1_ 0_ -_1 ON Off YES NO Y N True FALSE Null NULL .NaN
.nan -.inf +.Inf 190:20:30.15 2024-1-2 2024-01-01T10:00:00Z 0O17 0X1F 0B11 18446744073709551616 00 -0
"""
_STRINGS_TEXT = """
latest v1 1.2.3 1.2.3-rc.1 develop-200 main abc1234 deadbee 1e 1e3f e1 0x1g 1-2 2024-01-01-abc a:b a#b
x..y 3.11-slim 24.04.1 _ __ _1 inf nan nulls trueish on-call -foo 한글 a,b a{b} a&b v1.2.3+build.5
registry.example.com:5000/team/app:1.2 sha256:aaaa app@sha256:aaaa
"""
_NO_STRINGS = _NO_STRINGS_TEXT.split()
_STRINGS = _STRINGS_TEXT.split()
_NOT_PLAIN = [
    *("", " ", " a", "a ", "a: b", "a:", ":", "a #b", "#a", "- a", "-", "?", "? a", ": a", "a\tb"),
    *("'a", '"a', "&a", "*a", "!a", "|", ">", "%a", "@a", "`a", "[a", "]", "{a", "}", ",a", "---", "..."),
    *("a\nb", "a\rb", "a\x00", "a\x85b", "a\u2028b", "\ufeffa", "a\x7f"),
]


def _read_1_1(text: str) -> object:
    """YAML 1.1, by a parser and a resolver that share nothing with the one under test."""
    return yaml.load(text, Loader=yaml.SafeLoader)


def _read_1_2(text: str) -> object:
    """YAML 1.2, by pure Python."""
    return YAML(typ="safe", pure=True).load(io.StringIO(text))


@pytest.mark.parametrize("text", _NO_STRINGS)
def test_other_types_in_disguise_are_no_strings(text: str) -> None:
    assert not reads_as_string(text)


@pytest.mark.parametrize("text", _STRINGS)
def test_ordinary_tags_and_references_are_strings(text: str) -> None:
    assert reads_as_string(text)


@pytest.mark.parametrize("text", _NOT_PLAIN)
def test_what_is_no_plain_scalar_at_all_is_no_string(text: str) -> None:
    assert not reads_as_string(text)


@pytest.mark.parametrize("text", _STRINGS)
def test_ordinary_tags_stay_without_quotes(text: str) -> None:
    assert edit(parse(b"tag: old\n"), [Replace(("tag",), text)]).decode() == f"tag: {text}\n"


@pytest.mark.parametrize("text", _NO_STRINGS)
def test_other_types_in_disguise_get_double_quotes(text: str) -> None:
    assert edit(parse(b"tag: old\n"), [Replace(("tag",), text)]).decode() == f'tag: "{text}"\n'


@pytest.mark.parametrize("text", ["1.10", "on", "1e3", "2024-01-01"])
def test_a_bare_value_that_is_no_string_gets_quotes_even_where_its_text_is_right(text: str) -> None:
    assert edit(parse(f"tag: {text}\n".encode()), [Replace(("tag",), text)]).decode() == f'tag: "{text}"\n'


_TAG_LIKE = st.one_of(
    st.text(alphabet="0123456789abcdefxob._-+:eE", min_size=1, max_size=9),
    st.from_regex(r"[0-9a-f]{7,8}", fullmatch=True),
    st.text(alphabet="0123456789_.:-TZ ", min_size=1, max_size=12),
    st.sampled_from(_NO_STRINGS).flatmap(lambda word: st.sampled_from([word, word.lower(), word.upper()])),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=6),
)


@settings(deadline=None)
@given(_TAG_LIKE)
def test_what_is_called_a_string_is_one_for_both_yaml_versions(text: str) -> None:
    if not reads_as_string(text):
        return
    for read in (_read_1_1, _read_1_2):
        assert read(f"tag: {text}\nb: 1\n") == {"tag": text, "b": 1}


@settings(deadline=None)
@given(_TAG_LIKE, st.sampled_from(["old", "'old'", '"old"', "", "{in: old}", "[old]", "!!str 1"]))
def test_whatever_is_written_reads_back_as_that_string(text: str, old: str) -> None:
    inner: tuple[str | int, ...] = ("in",) if old.startswith("{") else (0,) if old.startswith("[") else ()
    source = f"a: 1\ntag: {old} # comment\nb: 1\n"
    edits = [Replace(("tag", *inner), text)]
    if not fits_on_a_line(text):
        with pytest.raises(EditRefused, match="cannot stand in a line"):
            edit(parse(source.encode()), edits)
        return
    written = edit(parse(source.encode()), edits).decode()
    wanted: object = {"in": text} if old.startswith("{") else [text] if old.startswith("[") else text
    for read in (_read_1_1, _read_1_2):
        assert read(written) == {"a": 1, "tag": wanted, "b": 1}
