"""Go templates as text: what is defined, what is included, and which lines belong to a key.

It hides the scanning; nothing is rendered and no template is understood. `templates` judges what it tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Possessive: what was taken for a string or a comment is never tried as anything else.
_ACTION = re.compile(
    r"\{\{-?(?P<inside>(?>\"(?:\\.|[^\"\\\n])*+\"|`[^`]*+`|/\*(?:[^*]|\*(?!/))*+\*/|[^}]|\}(?!\}))*+)\}\}"
)
_OPENS = re.compile(r"\s*(?:if|range|with|block|define)\b")
_DEFINES = re.compile(r"\s*(?:define|block)\s+(?P<quote>[\"`])(?P<name>[^\"`]+)(?P=quote)")
_END = re.compile(r"\s*end\b")
_INCLUDES = re.compile(r"\b(?:include|template)\s+\"(?P<name>[^\"]+)\"")
_KEY = re.compile(r"^(?P<indent> *)(?P<dash>- +)?(?P<key>[\w./-]+|\"[^\"]+\"):(?:\s|$)")
_BEGINS_ANEW = re.compile(r"\s*\{\{-?\s*define\b")
_INDENTS = re.compile(r"\bn?indent\s+([0-9]{1,3})\b")
_DEEPEST = 1000
_COMMENT = re.compile(r"^\s*/\*.*?\*/\s*$", re.DOTALL)
_RAW = re.compile(r"`[^`]*`")
_REMARK = re.compile(r"\{\{-?\s*/\*(?:[^*]|\*(?!/))*+\*/\s*-?\}\}|^[ \t]*#.*$", re.MULTILINE)
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|`[^`]*`|'(?:\\[^\n]{1,9}?|[^'\\\n])'")


@dataclass(frozen=True, slots=True)
class Action:
    """What stands between {{ and }}, with the line and the characters it stands at."""

    inside: str
    line: int
    start: int
    end: int

    @property
    def includes(self) -> tuple[str, ...]:
        """The names it includes, as far as they are written out; a comment or a text includes nothing."""
        if _COMMENT.match(self.inside):
            return ()
        return tuple(_INCLUDES.findall(_RAW.sub("", self.inside)))

    @property
    def has_stray_quote(self) -> bool:
        """Say whether a ' stands in it that begins no character."""
        return not _COMMENT.match(self.inside) and "'" in _QUOTED.sub("", self.inside)


def actions(text: str) -> Iterator[Action]:
    """Yield every action of a template."""
    line, done = 1, 0
    for found in _ACTION.finditer(text):
        line += text.count("\n", done, found.start())
        done = found.start()
        yield Action(found["inside"].removesuffix("-"), line, found.start(), found.end())


def uncommented(text: str) -> str:
    """Return a template without its comments and those of YAML."""
    return _REMARK.sub("", text)


def defined(text: str) -> dict[str, str]:
    """Return the named templates of a text, each with what stands in it."""
    names: dict[str, str] = {}
    open_ones: list[tuple[str, int]] = []
    for action in actions(text):
        if _OPENS.match(action.inside):
            found = _DEFINES.match(action.inside)
            open_ones.append((found["name"] if found else "", action.end))
        elif _END.match(action.inside) and open_ones:
            name, start = open_ones.pop()
            if name:
                names[name] = text[start : action.start]
    return names


def places(text: str) -> Iterator[tuple[int, str, tuple[str, ...], str]]:
    """Yield each line with its number, the YAML keys that it stands below, outermost first, and its own key.

    Lines of actions stand as deep as they say with `indent` or `nindent`, else below the keys before them.
    """
    stack: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("---") or _BEGINS_ANEW.match(line):
            stack.clear()
        key, told = _KEY.match(line), _INDENTS.search(line)
        if key is not None:
            depth = len(key["indent"]) + len(key["dash"] or "")
        else:
            depth = int(told[1]) if told is not None else _DEEPEST
        while stack and stack[-1][0] >= depth:
            stack.pop()
        own = key["key"].strip('"') if key is not None else ""
        yield number, line, tuple(name for _, name in stack), own
        if own:
            stack.append((depth, own))
