"""The events of libyaml (ruamel.yaml.clib), the only thing taken from the YAML parser.

This module hides the parser. Events are used and nothing above them: the composed node of an alias
lies about its place, and libyaml's own composer overflows the stack on deep nesting. The C parser is
used for correctness, too: like Helm's reader it takes a tab before a comment, which the pure-Python
parsers refuse. Called by `reading`, and by `editing` to prove an edit. It follows no alias, so that
nested aliases cost nothing.

An event's signature is what an edit may not change anywhere else: the bare text of a plain scalar without
anchor and tag, else a tuple of its kind or quotes, anchor, tag and value, or a number.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

from _ruamel_yaml import CParser  # type: ignore[import-not-found]  # a C extension without types
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from updater.errors import EditRefused
from updater.yamledit.decoding import syntax_refusal

Result = TypeVar("Result")

# libyaml compares each %TAG line with all before it, so a few hundred thousand take hours.
MAX_DIRECTIVES = 100
# The shortest values files have one event in some 8 bytes; 8 MiB of "- " would take gigabytes.
MAX_EVENTS = 1_000_000

# The collector would walk a big file's events again and again; small files have too few to matter.
_LARGE = 64 * 1024
# libyaml before 0.2.1 at a colon in a plain scalar inside of `[]` or `{}`.
_COLON_PROBLEM = "found unexpected ':'"
# Characters; the slow parser takes about 1.2 seconds for this many.
_SLOW_LIMIT = 1024 * 1024
_STARTS = {MappingStartEvent: "{", SequenceStartEvent: "["}
_OTHERS = {
    StreamStartEvent: 0,
    StreamEndEvent: 1,
    DocumentStartEvent: 2,
    DocumentEndEvent: 3,
    MappingEndEvent: 4,
    SequenceEndEvent: 5,
}


def read_with(text: str, consume: Callable[[Iterator[Any], bool], Result]) -> Result:
    """Return what `consume` makes of a text's events (`ruamel.yaml.events`), at most `MAX_EVENTS`.

    `consume` is called again from the start where libyaml gives up on a colon inside of brackets:
    `[http://example.com]` is what Helm's reader takes, and the libyaml 0.1.7 inside of
    ruamel.yaml.clib does not. The pure-Python parser is some thirty times slower, hence second;
    its marks of values that are not there are wrong, which the second argument tells.

    Raises:
        EditRefused: the text is not YAML, or `consume` refused it.
    """
    directives = text.count("\n%TAG") + text.count("\r%TAG")
    if directives > MAX_DIRECTIVES:
        raise EditRefused(f"the file has {directives} %TAG lines, and {MAX_DIRECTIVES} are allowed")
    pause = len(text) > _LARGE and gc.isenabled()
    if pause:
        gc.disable()
    try:
        return consume(islice(iter(CParser(text).get_event, None), MAX_EVENTS), False)
    except YAMLError as error:
        if getattr(error, "problem", "") != _COLON_PROBLEM or len(text) > _SLOW_LIMIT:
            raise syntax_refusal(text, error) from None
        return _read_slowly(text, consume, error)
    finally:
        if pause:
            gc.enable()


def _read_slowly(text: str, consume: Callable[[Iterator[Any], bool], Result], first: YAMLError) -> Result:
    try:
        return consume(YAML(typ="base", pure=True).parse(text), True)
    except EditRefused:
        raise
    except Exception:
        # The pure parser raises whatever its code trips over (ValueError at a wrong escape, say);
        # the file is refused with what libyaml said of it.
        raise syntax_refusal(text, first) from None


def check_complete(signatures: list[object]) -> None:
    """Refuse a file with `MAX_EVENTS` events or more."""
    if len(signatures) >= MAX_EVENTS:
        raise EditRefused(f"the file has more than {MAX_EVENTS} parts, and such files are not edited")


def signature(event: Any) -> object:
    """Return what of an event an edit may not change: never its place, always its meaning.

    Numbers stand for events without content: they can never equal the text of a scalar.
    """
    kind = event.__class__
    if kind is ScalarEvent:
        if event.anchor is None and event.ctag is None and not event.style:
            return event.value
        return (event.style or "", event.anchor, event.tag, event.value)
    if kind is AliasEvent:
        return ("*", event.anchor)
    if kind in _STARTS:
        return (_STARTS[kind], event.anchor, event.tag, bool(event.flow_style))
    return _OTHERS[kind]


def read_events(text: str) -> list[object]:
    """Return the signatures of all events of a text, as `YamlText.events` holds them.

    Raises:
        EditRefused: the text is not YAML.
    """
    return read_with(text, _signatures)


def _signatures(events: Iterator[Any], _slow: bool) -> list[object]:
    signatures: list[object] = []
    add = signatures.append
    for event in events:
        if event.__class__ is ScalarEvent and event.anchor is None and event.ctag is None:
            style, value = event.style, event.value
            add((style, None, None, value) if style else value)
        else:
            add(signature(event))
    check_complete(signatures)
    return signatures
