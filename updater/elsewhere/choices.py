"""How another tool chose among tags, as a pattern and an order of the rules.

It hides how a filter, a part taken out of it and a policy come together in one expression. The readers
of Fleet, Flux and Argo CD call it; what the rules cannot say is told and never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from updater.elsewhere.ranges import version_pattern
from updater.elsewhere.regexes import Regex, translate
from updater.elsewhere.values import Choice

_ANY_RANGE = ">=0.0.0"
# What `policy` takes as a pattern at most.
_MAX_PATTERN = 512
_NOT_ALL = "not all that chose its tags can be said by a pattern"


@dataclass(slots=True)
class _Losses:
    """What a pattern and an order do not say; `wider` where the pattern takes more tags for it."""

    told: list[str] = field(default_factory=list)
    wider: str = ""

    def widen(self, what: str) -> None:
        self.told.append(what)
        self.wider = _NOT_ALL


def by_version(wanted: str, pattern: str = "", extract: str = "") -> Choice:
    """Choose the highest version of a range (empty for any)."""
    losses = _Losses()
    said = " of ".join(filter(None, (wanted, pattern)))
    versions = _versions(wanted or _ANY_RANGE, losses)
    regex = _regex(pattern, losses)
    if regex is None:
        return _choice(rf"^v?(?P<version>{versions})$", "semver", losses, said)
    group = _group(regex, extract, losses)
    if group is None:
        own = regex.whole()
        flags = re.match(r"\(\?[ims]+\)|", own)
        start = flags[0] if flags else ""
        return _choice(rf"{start}(?=v?(?P<version>{versions})$){own[len(start) :]}", "semver", losses, said)
    if version_pattern(_ANY_RANGE) != versions:
        losses.widen(
            f"the range {wanted!r} of the part {extract!r}: versions outside of it are taken as well"
        )
    return _choice(regex.whole(group, "version"), "semver", losses, said)


def by_number(direction: str, pattern: str = "", extract: str = "") -> Choice:
    """Choose the highest number."""
    # Without a filter each tag has to be a number.
    return _ordered("numeric", direction, pattern or "^([0-9]+)$", extract)


def by_alphabet(direction: str, pattern: str = "", extract: str = "", *, lowest: str = "desc") -> Choice:
    """Choose the last one of the alphabet; the direction `lowest` is the one that would take the first."""
    return _ordered("alphabetical", direction, pattern, extract, lowest=lowest)


def _ordered(order: str, direction: str, pattern: str, extract: str, *, lowest: str = "desc") -> Choice:
    losses = _Losses()
    regex = _regex(pattern, losses)
    group = _group(regex, extract, losses) if regex else None
    if direction.lower() == lowest:
        losses.told.append(
            f"the order {lowest}, by which the lowest tag is the newest: builds are written as they come"
        )
        order = "none"
    if extract and group is None:
        order = "none"
    return _choice(regex.whole(group) if regex else "", order, losses, pattern)


def by_time(pattern: str = "") -> Choice:
    """Choose what was built last: the order in which the builds come."""
    losses = _Losses(["which image was built last: builds are written in the order in which they are sent"])
    regex = _regex(pattern, losses)
    return _choice(regex.whole() if regex else "", "none", losses, pattern)


def of_one_tag(tag: str, pattern: str = "") -> Choice:
    """Choose whatever one tag stands for now: only digests differ."""
    losses = _Losses(
        ["what the tag stands for now: send the digest with each build, and let a digest stand in the file"]
    )
    if tag:
        return _choice(f"^{re.escape(tag)}$", "none", losses, tag or pattern)
    regex = _regex(pattern, losses)
    return _choice(regex.whole() if regex else "", "none", losses, tag or pattern)


def without(choice: Choice, globs: list[str]) -> Choice:
    """Leave out tags by globs of Go's filepath.Match."""
    if not globs:
        return choice
    left_out = "|".join(_glob(glob) for glob in globs)
    pattern = rf"(?!(?:{left_out})$){choice.pattern or '.*'}"
    said = " ".join(filter(None, (choice.said, f"without {' and '.join(globs)}")))
    return _choice(pattern, choice.order, _Losses(list(choice.told), choice.wider), said)


def _choice(pattern: str, order: str, losses: _Losses, said: str = "") -> Choice:
    if len(pattern) > _MAX_PATTERN:
        losses.widen(f"the pattern {pattern[:60]!r}…, which is too long: any tag is taken")
        pattern, order = "", "none"
    return Choice(pattern=pattern, order=order, told=tuple(losses.told), said=said, wider=losses.wider)


def _versions(wanted: str, losses: _Losses) -> str:
    try:
        return version_pattern(wanted)
    except ValueError as problem:
        losses.widen(f"the range {wanted!r} ({problem}): all versions are taken")
        return version_pattern(_ANY_RANGE)


def _regex(pattern: str, losses: _Losses) -> Regex | None:
    if not pattern:
        return None
    try:
        return translate(pattern)
    except ValueError as problem:
        losses.widen(f"the pattern {pattern!r} ({problem}): write one that takes the same tags")
        return None


def _group(regex: Regex, extract: str, losses: _Losses) -> int | None:
    if not extract:
        return None
    try:
        return regex.group(extract)
    except ValueError as problem:
        losses.told.append(f"the order of tags by a part of them ({problem})")
        return None


def _glob(glob: str) -> str:
    written, at = "", 0
    while at < len(glob):
        end = glob.find("]", at + 2) if glob[at] == "[" else -1
        if glob[at] == "*":
            written += "[^/]*"
        elif glob[at] == "?":
            written += "[^/]"
        elif end > 0:
            written += (
                f"[{re.escape(glob[at + 1 : end]).replace(chr(92) + '-', '-').replace(chr(92) + '^', '^')}]"
            )
            at = end
        else:
            written += re.escape(glob[at])
        at += 1
    return written
