"""From bytes to text, and from what a parser complains about to a sentence with a place in it.

This module hides encodings, the byte order mark, and how lines are counted: as an editor does, by LF,
CRLF and CR, whatever else a parser takes for a line's end. Called by `reading`; it parses nothing.
"""

from __future__ import annotations

import re
from typing import Any

from updater.errors import EditRefused

MAX_BYTES = 8 * 1024 * 1024
BOM = b"\xef\xbb\xbf"
BREAK = re.compile(r"\r\n|\n|\r")
TEMPLATE = (
    "this is a template, not values: {{ }} is filled in before anything reads the file as YAML, "
    "so no value in it can be changed safely. Name the file that holds the values"
)

# YAML 1.2.2 section 5.1, "Character Set": what may not stand in a file at all.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Braces outside of quotes and comments; inside those they are text like any other.
_TEMPLATE_LINE = re.compile(r"[^#'\"]*?\{\{")


def decode(data: bytes) -> str:
    """Return the file's text without the byte order mark.

    Raises:
        EditRefused: more than `MAX_BYTES`, or not UTF-8.
    """
    if len(data) > MAX_BYTES:
        raise EditRefused(
            f"the file is {len(data)} bytes long, and YAML files over {MAX_BYTES} bytes are not edited"
        )
    try:
        text = data.removeprefix(BOM).decode()
    except UnicodeDecodeError as error:
        line, column = place(error.object[: error.start].decode(), error.start)
        problem = f"the file is not UTF-8: byte 0x{error.object[error.start]:02x} does not belong here."
        raise EditRefused(f"{problem} Save the file as UTF-8", line=line, column=column) from None
    # The parser would take a second one for the first, and be one character off everywhere.
    if text.startswith("\ufeff"):
        raise EditRefused("the file begins with two byte order marks: remove one", line=1, column=1)
    return text


def place(text: str, index: int) -> tuple[int, int]:
    """Return the line and the column of a character, both from 1."""
    index = min(index, len(text))
    line, start = 1, 0
    for found in BREAK.finditer(text, 0, index):
        line, start = line + 1, found.end()
    return line, index - start + 1


def syntax_refusal(text: str, error: Any) -> EditRefused:
    """Say in one sentence what libyaml says in five lines; `error` is a YAMLError of ruamel.yaml."""
    found = _FORBIDDEN.search(text)
    if found:
        line, column = place(text, found.start())
        problem = f"the character U+{ord(found.group()):04X} may not stand in a YAML file: remove it"
        return EditRefused(problem, line=line, column=column)
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return EditRefused(f"this is not YAML: {str(error).rstrip('.')}")
    line, column = place(text, mark.index)
    lines = BREAK.split(text)
    # A template's line is often noticed only when the next one begins.
    for number in (line - 1, line):
        if 0 < number <= len(lines) and _TEMPLATE_LINE.match(lines[number - 1]):
            return EditRefused(TEMPLATE, line=number, column=lines[number - 1].index("{{") + 1)
    problem = "a tab may not indent a line" if text[mark.index : mark.index + 1] == "\t" else error.problem
    return EditRefused(f"this is not YAML: {problem}", line=line, column=column)
