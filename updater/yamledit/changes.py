"""What an edit puts where: the spans of the text that change, and the events that then differ.

This module hides the places where a new value can stand: instead of a token, after the colon of a key
without value, in the one line of a block scalar, on a line of its own. Called by `editing`, which
splices the spans and proves the result.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from updater.errors import EditRefused
from updater.yamledit.loading import STRING_TAG
from updater.yamledit.locating import Place, locate, refusal
from updater.yamledit.nodes import Alias, KeyPath, Mapping, Node, Scalar, YamlText, entries_named
from updater.yamledit.quoting import reads_as_string, written
from updater.yamledit.reading import COLON

_LINE_END = re.compile(r"\r\n|\n|\r")
# Keys that need no quotes inside braces, where commas and brackets mean something.
_FLOW_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ANY_BREAK = re.compile("[\r\n\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Replace:
    """Set the scalar at `path` to the text `value`.

    Where an alias stands there, `follow` changes the text at its anchor instead of refusing. With
    `quoted` it stands in quotes also where every reader would take it for a string without.
    """

    path: KeyPath
    value: str
    document: int = 0
    follow: bool = False
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Insert:
    """Add the key `path[-1]` with the text `value` to the mapping `path[:-1]`, behind its key `after`.

    `quoted` is what it is in `Replace`.
    """

    path: KeyPath
    value: str
    after: str
    document: int = 0
    quoted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """A span of the text and what comes there, and how the events change.

    A replaced scalar (`scalar`) has the one event in `events` instead of its own; without it the
    events come after event number `event`.
    """

    start: int
    end: int
    new: str
    event: int
    events: tuple[object, ...]
    line: int
    document: int
    scalar: Scalar | None = None


def _event(value: str, token: str, scalar: Scalar | None = None) -> object:
    """Return the signature (see `events`) that a written token must have."""
    style = token[0] if token[0] in "'\"" else ""
    anchor, tag = (scalar.anchor, scalar.tag) if scalar else (None, None)
    return (style, anchor, tag, value) if style or anchor is not None or tag is not None else value


def replacement(text: YamlText, edit: Replace) -> Change:
    """Return the change that sets one scalar; its event is the old one where nothing has to change.

    Raises:
        EditRefused: the place or the value cannot be edited; the message says why.
    """
    place = locate(text, edit.path, edit.document, follow=edit.follow)
    scalar = _scalar_of(place, edit)
    if scalar.tag not in (None, STRING_TAG):
        raise refusal(f"the value carries the tag {scalar.tag}; remove the tag first", scalar, edit.path)
    is_string = bool(scalar.style or scalar.tag) or (reads_as_string(edit.value) and not edit.quoted)
    if scalar.value == edit.value and is_string:
        return _replacing(scalar, edit, (scalar.start, ""), text.events[scalar.event])
    if scalar.style in ("|", ">"):
        return _block_change(text, scalar, edit)
    if _ANY_BREAK.search(text.text, scalar.start, scalar.end):
        raise refusal("the value runs over several lines; write it in one", scalar, edit.path)
    style = scalar.style or ('"' if edit.quoted else "")
    token = written(edit.value, style, flow=scalar.flow)
    event = _event(edit.value, token, scalar)
    if scalar.start == scalar.end:
        start, before = _after_key(text, scalar, place.key, edit.path)
        return _replacing(scalar, edit, (start, before + token), event)
    return _replacing(scalar, edit, (scalar.start, token), event, length=scalar.end - scalar.start)


def _replacing(
    scalar: Scalar, edit: Replace, at: tuple[int, str], event: object, *, length: int = 0
) -> Change:
    start, new = at
    return Change(
        start=start,
        end=start + length,
        new=new,
        event=scalar.event,
        events=(event,),
        line=scalar.line,
        document=edit.document,
        scalar=scalar,
    )


def _scalar_of(place: Place, edit: Replace) -> Scalar:
    node = place.node
    if isinstance(node, Alias):
        if not edit.follow:
            problem = (
                f"the value is the alias *{node.name}; its text stands in line {node.target.line} "
                f"and would change wherever *{node.name} is used"
            )
            raise refusal(problem, node, edit.path)
        node = node.target
    if isinstance(node, Scalar):
        return node
    kind = "mapping" if isinstance(node, Mapping) else "list"
    raise refusal(f"a {kind} stands here, not a single value", node, edit.path)


def _after_key(text: YamlText, scalar: Scalar, key: Node | None, path: KeyPath) -> tuple[int, str]:
    """Return where the value of an empty scalar goes, and what must stand before it."""
    if scalar.anchor is not None or scalar.tag is not None:
        return scalar.end, " "
    if isinstance(key, Scalar | Alias):
        colon = COLON.match(text.text, key.end)
        if colon:
            return colon.end(), " "
        if scalar.flow:
            return key.end, ": "
    raise refusal("no value stands here, and no `key:` on this line to put one after", scalar, path)


def _block_change(text: YamlText, scalar: Scalar, edit: Replace) -> Change:
    """Replace the text of a block scalar (`|` or `>`) that has one line."""
    header = _LINE_END.search(text.text, scalar.start, scalar.end)
    body = header.end() if header else scalar.end
    value = scalar.value.rstrip("\n")
    lines = _ANY_BREAK.split(text.text[body : scalar.end])
    if not value or [line.lstrip(" ") for line in lines if line.strip(" ")] != [value]:
        raise refusal("the value is a block of text, not one line of it", scalar, edit.path)
    if not edit.value or edit.value != edit.value.strip(" "):
        raise refusal(f"{edit.value!r} cannot be written as a block of text", scalar, edit.path)
    event = (scalar.style, scalar.anchor, scalar.tag, edit.value + scalar.value[len(value) :])
    start = text.text.index(value, body)
    return _replacing(scalar, edit, (start, edit.value), event, length=len(value))


def insertion(text: YamlText, edit: Insert) -> Change:
    """Return the change that adds one key.

    Raises:
        EditRefused: the key is there already, or nothing can be put behind `after` safely.
    """
    mapping = locate(text, edit.path[:-1], edit.document).node
    name = str(edit.path[-1])
    if not isinstance(mapping, Mapping):
        raise refusal("no mapping stands there that could get the key", mapping, edit.path)
    for present, _ in entries_named(mapping, name):
        raise refusal("the key is already there", present, edit.path)
    key, value = _sibling(text, mapping, edit)
    end = _end_of_value(text, key, value, edit)
    if mapping.flow:
        bare = not key.style and _FLOW_KEY.fullmatch(name) is not None
        key_token = written(name, "" if bare else '"', flow=False)
        token = written(edit.value, "", flow=True)
        start, new = end, f", {key_token}: {token}"
    else:
        key_token = written(name, "", flow=False)
        token = written(edit.value, '"' if edit.quoted else "", flow=False)
        start, line_end = _end_of_line(text, end)
        new = f"{line_end}{' ' * (key.column - 1)}{key_token}: {token}"
    return Change(
        start=start,
        end=start,
        new=new,
        event=value.event,
        events=(_event(name, key_token), _event(edit.value, token)),
        line=value.line,
        document=edit.document,
    )


def _sibling(text: YamlText, mapping: Mapping, edit: Insert) -> tuple[Scalar, Scalar | Alias]:
    place = locate(text, (*edit.path[:-1], edit.after), edit.document)
    key, value = place.key, place.node
    if not isinstance(key, Scalar) or COLON.match(text.text, key.end) is None:
        raise refusal(f"no `{edit.after}:` on one line to put the key behind", mapping, edit.path)
    if not isinstance(value, Scalar | Alias) or (isinstance(value, Scalar) and value.style in ("|", ">")):
        raise _not_one_line(value, edit)
    return key, value


def _end_of_value(text: YamlText, key: Scalar, value: Scalar | Alias, edit: Insert) -> int:
    """Return where the sibling's value ends, which must be on the line of its key."""
    if isinstance(value, Scalar) and value.start == value.end and value.anchor is None and value.tag is None:
        colon = COLON.match(text.text, key.end)
        # In braces a comma right behind the colon would become part of the key.
        return colon.end() if colon and not value.flow else value.end
    if _ANY_BREAK.search(text.text, key.end, value.end):
        raise _not_one_line(value, edit)
    return value.end


def _not_one_line(value: Node, edit: Insert) -> EditRefused:
    problem = f"the value of {edit.after!r} is not a single line to put the key behind"
    return refusal(problem, value, edit.path)


def _end_of_line(text: YamlText, index: int) -> tuple[int, str]:
    """Return where the line ends, and the characters that end lines here."""
    found = _LINE_END.search(text.text, index)
    if found:
        return found.start(), found.group()
    # The last line has no end of its own, and stays without one: look at the lines before.
    others = _LINE_END.search(text.text)
    return len(text.text), others.group() if others else "\n"
