"""How a text is written as a YAML scalar so that every reader takes it for that text.

This module hides the rules of three kinds of readers: Helm (sigs.k8s.io/yaml, which resolves plain
scalars as go-yaml v2 does), YAML 1.1 (PyYAML) and YAML 1.2 (core schema). A tag such as `52666e1` is
a number for the first and the last, `on` a boolean for the first two, `12:30:45` a number for the
second. When unsure, it says "quote": a quoted string is a string for everybody. Called by
`splicing`, and by whoever wants to warn of a tag that is no string.
"""

from __future__ import annotations

import re

# Booleans and nulls of YAML 1.1 (yaml.org/type/bool.html and null.html), merge and value keys.
_WORDS = frozenset(("", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "<<", "="))
# Matched with all underscores taken out, as go-yaml v2 does; prefixes in either case, as Go's
# strconv takes them. Digits may be missing: no reader agrees on `0x` or `.`.
_NUMBER = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F]*|0[oO][0-7]*|0[bB][01]*"
    r"|[0-9]*\.?[0-9]*(?:[eE][-+]?[0-9]+)?"
    r"|\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
# yaml.org/type/int.html and float.html: base 60.
_SEXAGESIMAL = re.compile(r"[-+]?[0-9]+(?::[0-9]{1,2})+(?:\.[0-9]*)?")
# yaml.org/type/timestamp.html and go-yaml's formats, without a look at what follows the date.
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt\s].*)?")
# YAML 1.2.2 section 5.3: indicators that may not begin a plain scalar. "-", "?" and ":" may where
# no blank follows; `---` and `...` would end the document at a line's start.
_BEGINS_BADLY = re.compile(r"[,\[\]{}#&*!|>'\"%@`\s]|[-?:](?:\s|$)|---|\.\.\.")
_BREAKS_OFF = re.compile(r":(?:\s|$)|\s#|\s$|\t")
# What a single line may hold: no control character, no line break of any YAML version, no byte
# order mark, no half of a surrogate pair.
_NOT_ON_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


def reads_as_string(plain: str) -> bool:
    """Say whether Helm, YAML 1.1 and YAML 1.2 readers all take this plain scalar for a string.

    The scalar is one in block style; inside `[]` and `{}` there are more rules (see `written`).
    """
    if _BEGINS_BADLY.match(plain) or _BREAKS_OFF.search(plain) or _NOT_ON_A_LINE.search(plain):
        return False
    bare = plain.replace("_", "")
    return not (
        plain.lower() in _WORDS
        or (_NUMBER.fullmatch(bare) and plain[0] in "0123456789+-.")
        or _SEXAGESIMAL.fullmatch(bare)
        or _DATE.fullmatch(plain)
    )


def fits_on_a_line(value: str) -> bool:
    """Say whether a value can be written in one line at all."""
    return _NOT_ON_A_LINE.search(value) is None


def written(value: str, style: str, *, flow: bool) -> str:
    """Write a one-line value as a scalar: in the quotes that stood there, else plain where safe.

    Inside `[]` and `{}` what is not in single quotes gets double ones: it may be JSON, which
    knows no other strings. `style` is the old scalar's, "" for none.
    """
    if style == "'":
        return "'" + value.replace("'", "''") + "'"
    if style != '"' and not flow and reads_as_string(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
