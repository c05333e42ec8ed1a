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
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from _ruamel_yaml import CParser  # type: ignore[import-not-found]  # a C extension without types
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

# libyaml compares each %TAG line with all before it, so a few hundred thousand take hours.
MAX_DIRECTIVES = 100
# The shortest values files have one event in some 8 bytes; 8 MiB of "- " would take gigabytes.
MAX_EVENTS = 1_000_000

# The collector would walk a big file's events again and again; small files have too few to matter.
_LARGE = 64 * 1024
_STARTS = {MappingStartEvent: "{", SequenceStartEvent: "["}
_OTHERS = {
    StreamStartEvent: 0,
    StreamEndEvent: 1,
    DocumentStartEvent: 2,
    DocumentEndEvent: 3,
    MappingEndEvent: 4,
    SequenceEndEvent: 5,
}


@contextmanager
def events_of(text: str) -> Iterator[Iterator[Any]]:
    """Give the parser's events of a text, as `ruamel.yaml.events`, at most `MAX_EVENTS` of them.

    Raises:
        EditRefused: the text is not YAML.
    """
    directives = text.count("\n%TAG") + text.count("\r%TAG")
    if directives > MAX_DIRECTIVES:
        raise EditRefused(f"the file has {directives} %TAG lines, and {MAX_DIRECTIVES} are allowed.")
    pause = len(text) > _LARGE and gc.isenabled()
    if pause:
        gc.disable()
    try:
        yield islice(iter(CParser(text).get_event, None), MAX_EVENTS)
    except YAMLError as error:
        raise syntax_refusal(text, error) from None
    finally:
        if pause:
            gc.enable()


def check_complete(signatures: list[object]) -> None:
    """Refuse a file whose events were cut off at `MAX_EVENTS`."""
    if len(signatures) == MAX_EVENTS:
        raise EditRefused(f"the file has more than {MAX_EVENTS} parts, and such files are not edited.")


def signature(event: Any) -> object:
    """Return what of an event an edit may not change: never its place, always its meaning.

    Numbers stand for events without content: they can never equal the text of a scalar.
    """
    kind = event.__class__
    if kind is ScalarEvent:
        if event.anchor is None and event.ctag is None and not event.style:
            return event.value
        return (event.style or "", event.anchor, event.ctag, event.value)
    if kind is AliasEvent:
        return ("*", event.anchor)
    if kind in _STARTS:
        return (_STARTS[kind], event.anchor, event.ctag, bool(event.flow_style))
    return _OTHERS[kind]


def read_events(text: str) -> list[object]:
    """Return the signatures of all events of a text, as `YamlText.events` holds them.

    Raises:
        EditRefused: the text is not YAML.
    """
    signatures: list[object] = []
    add = signatures.append
    with events_of(text) as events:
        for event in events:
            if event.__class__ is ScalarEvent and event.anchor is None and event.ctag is None:
                style, value = event.style, event.value
                add((style, None, None, value) if style else value)
            else:
                add(signature(event))
    check_complete(signatures)
    return signatures
