"""From bytes to nodes: what stands in a file and where.

This module hides how nodes are built from the parser's events (see `events`): positions are characters
after the byte order mark, an alias knows what its anchor stands for at that point, and what cannot be
edited at all is refused here, with a line. It resolves no type and changes nothing.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NoReturn, cast

from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from updater.errors import EditRefused
from updater.yamledit.decoding import BREAK, TEMPLATE, decode
from updater.yamledit.events import check_complete, read_with, signature
from updater.yamledit.nodes import Alias, Mapping, Node, Scalar, Sequence, YamlText

MAX_DEPTH = 200

# Characters that YAML 1.1 readers (libyaml, Helm's) take for a line's end and editors do not.
_RARE_BREAKS = ("\x85", "\u2028", "\u2029")
# What stands between a key and its value on one line.
COLON = re.compile(r"[ \t]*:")
_FLOW_COLON = re.compile(r"[ \t]*:\s*")
# Anchor and tag, with the blanks and comments behind them.
_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+(?:#[^\r\n]*\s*)*|$))+")

# A quarter of the time of calling the class, which counts in the loop over a big file.
_new_scalar = cast("Callable[[tuple[Any, ...]], Scalar]", partial(tuple.__new__, Scalar))


def parse(data: bytes) -> YamlText:
    """Read a YAML file of one or several documents, remembering where everything stands.

    Raises:
        EditRefused: the file is too big, too deep, not UTF-8, not YAML or a template; with line and
            column where there is one.
    """
    text = decode(data)
    reader = read_with(text, lambda events, slow: _Reader(text, slow=slow).run(events))
    return YamlText(
        data=data,
        text=text,
        documents=tuple(reader.documents),
        aliases=tuple(reader.aliases),
        events=reader.signatures,
    )


class _Reader:
    """Turns one text's events into nodes.

    `_into` takes the children of the innermost open collection, or of the document; `_stack` holds
    the start event of each open collection and the list its own node goes to, innermost last.
    """

    def __init__(self, text: str, *, slow: bool) -> None:
        self.text = text
        self.documents: list[Node | None] = []
        self.aliases: list[Alias] = []
        self.signatures: list[object] = []
        self._stack: list[tuple[Any, list[Node]]] = []
        self._into: list[Node] = []
        self._flow = False
        # A collection that is still open stands here as its start event.
        self._anchors: dict[str, Any] = {}
        self._lines: list[int] | None = None
        if slow or any(character in text for character in _RARE_BREAKS):
            self._lines = [0, *(found.end() for found in BREAK.finditer(text))]

    def run(self, events: Iterator[Any]) -> _Reader:
        """Read all events; the one loop over a whole file, hence the locals."""
        signatures, into, flow, plain_lines = self.signatures, self._into, self._flow, self._lines is None
        for event in events:
            if event.__class__ is not ScalarEvent:
                self._structure(event)
                into, flow = self._into, self._flow
            elif plain_lines and event.anchor is None and event.ctag is None:
                value, style, mark = event.value, event.style, event.start_mark
                start, end, line, column = mark.index, event.end_mark.index, mark.line + 1, mark.column + 1
                place = (value, style or "", start, end, line, column, None, None, flow, len(signatures))
                into.append(_new_scalar(place))
                signatures.append((style, None, None, value) if style else value)
            else:
                into.append(self._rare_scalar(event))
        check_complete(signatures)
        return self

    def _rare_scalar(self, event: Any) -> Scalar:
        """Read a scalar with an anchor or a tag, or one in a file where lines are hard to count."""
        start, end = event.start_mark.index, event.end_mark.index
        line, column = self._at(start, event.start_mark)
        if event.anchor is not None or event.ctag is not None:
            found = _PROPERTIES.match(self.text, start, end)
            start = found.end() if found else start
        elif start == end:
            start = end = self._empty_place(end)
            line, column = self._at(start, event.start_mark)
        node = Scalar(
            value=event.value,
            style=event.style or "",
            start=start,
            end=end,
            line=line,
            column=column,
            anchor=event.anchor,
            tag=event.tag,
            flow=self._flow,
            event=len(self.signatures),
        )
        self.signatures.append(signature(event))
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _structure(self, event: Any) -> None:
        kind = event.__class__
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            self._open(event)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            self._close()
        elif kind is AliasEvent:
            self._into.append(self._alias(event))
        elif kind is DocumentStartEvent:
            self._anchors.clear()
            self._into = []
        elif kind is DocumentEndEvent:
            self.documents.append(None if _is_nothing(self._into[0]) else self._into[0])
        self.signatures.append(signature(event))

    def _open(self, event: Any) -> None:
        if len(self._stack) == MAX_DEPTH:
            self._refuse(
                f"lists and mappings are nested more than {MAX_DEPTH} deep, and such files are not edited",
                event.start_mark,
            )
        if self._is_template(event):
            self._refuse(TEMPLATE, self._stack[-1][0].start_mark)
        if event.anchor is not None:
            self._anchors[event.anchor] = event
        self._stack.append((event, self._into))
        self._into = []
        self._flow = bool(event.flow_style)

    def _is_template(self, event: Any) -> bool:
        """Say whether `{` comes right after a `{`: legal YAML, and never meant as such."""
        if not self._flow or self._into or event.__class__ is not MappingStartEvent:
            return False
        outer = self._stack[-1][0]
        return (
            outer.__class__ is MappingStartEvent
            and bool(event.flow_style)
            and event.start_mark.index == outer.start_mark.index + 1
        )

    def _close(self) -> None:
        children = self._into
        event, self._into = self._stack.pop()
        line, column = self._at(event.start_mark.index, event.start_mark)
        node: Mapping | Sequence
        if event.__class__ is MappingStartEvent:
            entries = tuple(zip(children[::2], children[1::2], strict=True))
            node = Mapping(entries, line, column, event.anchor, self._flow)
        else:
            node = Sequence(tuple(children), line, column, event.anchor, self._flow)
        self._into.append(node)
        # The name may have been given to something inside since; then it stays with that.
        if event.anchor is not None and self._anchors[event.anchor] is event:
            self._anchors[event.anchor] = node
        self._flow = bool(self._stack) and bool(self._stack[-1][0].flow_style)

    def _alias(self, event: Any) -> Alias:
        target = self._anchors.get(event.anchor)
        if target is None:
            self._refuse(
                f"*{event.anchor} refers to an anchor that does not exist before this line", event.start_mark
            )
        if not isinstance(target, Scalar | Mapping | Sequence):
            self._refuse(f"*{event.anchor} stands inside of what it refers to", event.start_mark)
        line, column = self._at(event.start_mark.index, event.start_mark)
        alias = Alias(
            name=event.anchor,
            line=line,
            column=column,
            end=event.end_mark.index,
            event=len(self.signatures),
            target=target,
        )
        self.aliases.append(alias)
        return alias

    def _empty_place(self, index: int) -> int:
        """Return where libyaml says that a missing value stands: behind the colon, or at the next token.

        The latter in brackets only. The slow parser says it the other way round.
        """
        key = self._into[-1] if self._into else None
        if not isinstance(key, Scalar | Alias):
            return index
        colon = (_FLOW_COLON if self._flow else COLON).match(self.text, key.end)
        return colon.end() if colon else index

    def _at(self, index: int, mark: Any) -> tuple[int, int]:
        if self._lines is None:
            return mark.line + 1, mark.column + 1
        line = bisect.bisect_right(self._lines, index)
        return line, index - self._lines[line - 1] + 1

    def _refuse(self, problem: str, mark: Any) -> NoReturn:
        line, column = self._at(mark.index, mark)
        raise EditRefused(problem, line=line, column=column)


def _is_nothing(node: Node) -> bool:
    return (
        isinstance(node, Scalar)
        and not (node.value or node.style)
        and node.anchor is None
        and node.tag is None
    )
