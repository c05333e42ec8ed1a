"""Ranges of versions, as Masterminds' semver reads them for the other tools, as regular expressions.

It hides the arithmetic: `~1.26`, `^1.2.3`, `>=1.0 <3` become what takes exactly those versions.
`choices` asks it. Versions before a release are taken only where the range names one, as there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

Version: TypeAlias = tuple[int, int, int]

NUMBER = "[0-9]+"
_PRE = r"(?:-[0-9A-Za-z.-]+)?"
_PART = r"(?:[0-9]{1,9}|[xX*])"
_VERSION = rf"v?({_PART})(?:\.({_PART}))?(?:\.({_PART}))?(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?"
_COMPARATOR = re.compile(rf"(=|==|!=|>=|=>|<=|=<|>|<|~|~>|\^)?\s*{_VERSION}")
_HYPHEN = re.compile(rf"\s*({_VERSION})\s+-\s+({_VERSION})\s*")


@dataclass(frozen=True, slots=True)
class _Interval:
    """Versions from `low` on, and below `high` where there is one."""

    low: Version = (0, 0, 0)
    high: Version | None = None
    before_release: bool = False


def version_pattern(text: str) -> str:
    """Return a regular expression, without groups that capture, of the versions in a range.

    Raises:
        ValueError: the range has no equal; the message is the end of a sentence.
    """
    found = [_pattern(_interval(part)) for part in text.split("||")]
    return found[0] if len(found) == 1 else f"(?:{'|'.join(found)})"


def _interval(text: str) -> _Interval:
    hyphen = _HYPHEN.fullmatch(text)
    if hyphen:
        text = f">={hyphen[1]} <={hyphen[6]}"
    whole, at = _Interval(), 0
    text = text.strip()
    while at < len(text):
        found = _COMPARATOR.match(text, at)
        if found is None:
            raise ValueError(f"the range {text!r} is none that is understood here")
        one = _one(found[1] or "=", found)
        highs = [high for high in (whole.high, one.high) if high is not None]
        whole = _Interval(
            max(whole.low, one.low),
            min(highs) if highs else None,
            whole.before_release or one.before_release,
        )
        at = found.end() + len(text[found.end() :]) - len(text[found.end() :].lstrip(" ,"))
    return whole


def _one(operator: str, found: re.Match[str]) -> _Interval:
    numbers = [int(part) for part in _leading(found[2], found[3], found[4])]
    pre = found[5] is not None
    known = len(numbers)
    major, minor, patch, *_ = (*numbers, 0, 0, 0)
    version = (major, minor, patch)
    if operator == "!=" or (pre and operator in {"=", "=="}):
        raise ValueError(f"{found[0].strip()!r} is no range that a pattern can say")
    if known == 0:
        return _Interval(before_release=pre)
    if operator in {">=", "=>"}:
        return _Interval(version, None, pre)
    if operator == ">":
        return _Interval(version if pre else _next(version, known - 1), None, pre)
    if operator == "<":
        return _Interval((0, 0, 0), version, pre)
    if operator in {"<=", "=<"}:
        return _Interval((0, 0, 0), _next(version, known - 1), pre)
    if operator == "^":
        first = next((index for index in range(known) if version[index]), known - 1)
        return _Interval(version, _next(version, first), pre)
    level = min(known - 1, 1) if operator in {"~", "~>"} else known - 1
    return _Interval(version, _next(version, level), pre)


def _leading(*parts: str | None) -> list[str]:
    known = []
    for part in parts:
        if part is None or part in {"x", "X", "*"}:
            break
        known.append(part)
    return known


def _next(version: Version, level: int) -> Version:
    """Return the version after all that share the parts up to `level`."""
    major, minor, patch = version
    return ((major + 1, 0, 0), (major, minor + 1, 0), (major, minor, patch + 1))[level]


def _pattern(interval: _Interval) -> str:
    low, high = interval.low, interval.high
    pre = _PRE if interval.before_release else ""
    if high is not None and low >= high:
        raise ValueError("no version is in the range")
    if high == _next(low, 2):
        return r"\.".join(map(str, low)) + pre
    if high == _next(low, 1):
        return rf"{low[0]}\.{low[1]}\.{at_least(low[2])}{pre}"
    if high == _next(low, 0):
        return rf"{low[0]}\.{_from(low[1:])}{pre}"
    below = f"(?!{_from(high)})" if high is not None else ""
    return f"{below}{_from(low)}{pre}"


def _from(parts: tuple[int, ...]) -> str:
    """Return what takes all dotted numbers that are not lower."""
    first, rest = parts[0], parts[1:]
    if not rest:
        return at_least(first)
    free = r"\.".join([NUMBER] * len(rest))
    if not any(rest):
        return rf"{at_least(first)}\.{free}"
    return rf"(?:{first}\.{_from(rest)}|{at_least(first + 1)}\.{free})"


def at_least(number: int) -> str:
    """Return what takes all whole numbers from `number` on, written without zeros before them."""
    if number == 0:
        return NUMBER
    digits = str(number)
    ways = [digits] if digits[-1] == "9" else []
    for index, digit in reversed(list(enumerate(digits))):
        last = index == len(digits) - 1
        lowest = int(digit) + (0 if last else 1)
        if lowest <= 9 and not (last and digit == "9"):
            rest = len(digits) - index - 1
            one = "9" if lowest == 9 else f"[{lowest}-9]"
            ways.append(f"{digits[:index]}{one}{'[0-9]' * rest}")
    ways.append(f"[1-9][0-9]{{{len(digits)},}}")
    return f"(?:{'|'.join(ways)})"
