"""What Helm makes of a plain scalar in a values file: `1.10` comes out as 1.1, `1000000` as 1e+06.

It hides how Helm reads YAML (numbers are floating point) and how Go writes such numbers. Called by `values`
for tags that are no strings; `tests/world` holds it against real Helms.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

_TRUE, _FALSE = ("true", "yes", "on", "y"), ("false", "no", "off", "n")
_NULLS = ("", "~", "null", "Null", "NULL")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"(?P<sign>[-+]?)(?:0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)|0[oO]?(?P<o>[0-7]+))")
# From ten to this power on, Go writes numbers with an exponent; and below the other one.
_MOST, _LEAST = 6, -4


def rendered(plain: str) -> str:
    """Return what Helm renders for a plain scalar, "" for nothing."""
    if plain in _NULLS:
        return ""
    for words, outcome in ((_TRUE, "true"), (_FALSE, "false")):
        if plain.lower() in words and plain in (plain.lower(), plain.upper(), plain.capitalize()):
            return outcome
    bare = plain if plain.startswith(".") else plain.replace("_", "")
    whole = _INTEGER.fullmatch(bare)
    if whole:
        digits, base = next(
            (whole[name], base) for name, base in (("x", 16), ("b", 2), ("o", 8)) if whole[name]
        )
        return _number(float(int(whole["sign"] + digits, base)))
    number = float(bare) if _FLOAT.fullmatch(bare) else math.inf
    if not number and not re.search(r"[.eE]", bare):
        return "0"
    return _number(number) if math.isfinite(number) else plain


def _number(number: float) -> str:
    """Write a number as Go's `%v` does."""
    exact = Decimal(repr(number)).normalize()
    exponent = exact.adjusted()
    if number and (exponent < _LEAST or exponent >= _MOST):
        sign, digits, _ = exact.as_tuple()
        first, rest = digits[0], "".join(map(str, digits[1:]))
        return f"{'-' * sign}{first}{'.' * bool(rest)}{rest}e{exponent:+03d}"
    return format(exact, "f")
