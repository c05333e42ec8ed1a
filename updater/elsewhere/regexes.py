"""Regular expressions of Go (RE2) as the patterns of the rules, which are Python's and take whole tags.

It hides the differences of the two syntaxes and that the other tools look for a match anywhere in a
tag. `choices` asks it; what has no equal is refused with a reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAMED = re.compile(r"\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>")
_FLAGS = re.compile(r"\(\?([imsU-]+)([:)])")
_POSIX = {
    "alnum": "A-Za-z0-9",
    "alpha": "A-Za-z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "word": "A-Za-z0-9_",
    "xdigit": "A-Fa-f0-9",
}
_POSIX_CLASS = re.compile(r"\[:(\^?)([a-z]+):\]")
_QUANTIFIER = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}")
_EXTRACT = re.compile(r"\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))")
_SAME_ESCAPES = "AdDwWsSbBnrtfva"


@dataclass(frozen=True, slots=True)
class Regex:
    """A translated expression: `pieces` is its text, None where a group opens; `groups` are the names."""

    flags: str
    pieces: tuple[str | None, ...]
    groups: tuple[str, ...]
    alternates: bool

    def whole(self, group: int | None = None, name: str = "build") -> str:
        """Return a pattern that takes the same tags as a whole, with one group named and no other.

        Group 0 is all that matched.
        """
        body, count = "", 0
        for piece in self.pieces:
            count += piece is None
            body += piece if piece is not None else f"(?P<{name}>" if count == group else "("
        anchored = not self.alternates and body.startswith(("^", r"\A"))
        ends = not self.alternates and self.pieces[-1:] in {("$",), (r"\Z",)}
        before = "" if anchored or (not self.alternates and body.startswith(".*")) else ".*?"
        after = "" if ends or (not self.alternates and body.endswith(".*")) else ".*"
        if group == 0:
            body = f"(?P<{name}>{body})"
        elif self.alternates:
            body = f"(?:{body})"
        return f"{self.flags}{before}{body}{after}"

    def group(self, extract: str) -> int:
        """Return which group `$name` or `$1` means.

        Raises:
            ValueError: it is not one group of this expression; the message is the end of a sentence.
        """
        found = _EXTRACT.fullmatch(extract)
        if found is None:
            raise ValueError(f"{extract!r} puts a text together, and only one group of a pattern is compared")
        name = found[1] or found[2]
        if name.isdigit() and int(name) <= len(self.groups):
            return int(name)
        if name not in self.groups:
            raise ValueError(f"{extract!r} names no group of the pattern")
        return self.groups.index(name) + 1


def translate(text: str) -> Regex:
    """Translate an expression of RE2.

    Raises:
        ValueError: it has no equal; the message is the end of a sentence.
    """
    flags = ""
    leading = re.match(r"\(\?([ims]+)\)", text)
    if leading:
        flags, text = leading[0], text[leading.end() :]
    reading = _Reading(text)
    reading.read()
    regex = Regex(flags, tuple(reading.pieces), tuple(reading.groups), reading.alternates)
    try:
        re.compile(regex.whole())
    except (re.error, OverflowError, RecursionError) as problem:
        raise ValueError(f"the pattern {text!r} is none that Python reads: {problem}") from problem
    return regex


class _Reading:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self.pieces: list[str | None] = []
        self.groups: list[str] = []
        self.alternates = False

    def read(self) -> None:
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter == "\\":
                self._escape()
            elif letter == "[":
                self._set()
            elif letter == "(":
                self._open()
            elif letter == "{":
                # Without numbers in it a brace is itself in RE2; `{,3}` counts in Python.
                found = _QUANTIFIER.match(self._text, self._at)
                self._take(found[0] if found else letter, None if found else r"\{")
            else:
                self._depth -= letter == ")"
                self.alternates |= letter == "|" and self._depth == 0
                self._take(letter)

    def _take(self, taken: str, written: str | None = None) -> None:
        self._at += len(taken)
        self.pieces.append(taken if written is None else written)

    def _escape(self) -> None:
        letter = self._text[self._at + 1 : self._at + 2]
        if letter == "Q":
            literal = self._text[self._at + 2 :].split(r"\E", maxsplit=1)[0]
            self._take(self._text[self._at : self._at + 4 + len(literal)], re.escape(literal))
        elif letter == "z":
            self._take(r"\z", r"\Z")
        elif letter in _SAME_ESCAPES or not letter.isalnum():
            self._take("\\" + letter)
        else:
            raise ValueError(f"the pattern has \\{letter}, which Python does not read as Go does")

    def _set(self) -> None:
        """Take a set of characters, item by item: what Python may come to read otherwise is escaped."""
        text, start = self._text, self._at
        written, at = "[", start + 1
        if text[at : at + 1] == "^":
            written, at = "[^", at + 1
        first = at
        while at < len(text) and (text[at] != "]" or at == first):
            item, at = ("-", at + 1) if text[at : at + 2] == "-]" else self._item(at)
            written += item
            if text[at : at + 1] == "-" and text[at + 1 : at + 2] not in {"]", ""}:
                item, at = self._item(at + 1)
                written += f"-{item}"
        self._take(text[start : at + 1], f"{written}]")

    def _item(self, at: int) -> tuple[str, int]:
        """Return one character or class of a set as Python has it, and where it ends."""
        text = self._text
        posix = _POSIX_CLASS.match(text, at)
        if posix:
            if posix[1] or posix[2] not in _POSIX:
                raise ValueError(f"the pattern has {posix[0]}, which Python has no name for")
            return _POSIX[posix[2]], posix.end()
        if text[at] != "\\":
            return (f"\\{text[at]}" if text[at] in "[&~|]-" else text[at]), at + 1
        if text[at + 1 : at + 2] in ("p", "P", "x", "Q"):
            raise ValueError(f"the pattern has \\{text[at + 1]}, which Python does not read as Go does")
        return text[at : at + 2], at + 2

    def _open(self) -> None:
        text, at = self._text, self._at
        named, flags = _NAMED.match(text, at), _FLAGS.match(text, at)
        self._depth += 1
        if named:
            self.groups.append(named[1])
            self._at = named.end()
            self.pieces.append(None)
        elif text.startswith("(?:", at):
            self._take("(?:")
        elif flags:
            if flags[2] == ")" or "U" in flags[1]:
                raise ValueError(f"the pattern has {flags[0]} in it, which Python does not read as Go does")
            self._take(flags[0])
        else:
            self.groups.append("")
            self._at += 1
            self.pieces.append(None)
