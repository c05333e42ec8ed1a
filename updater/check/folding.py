"""Which findings are one: what follows from another of the same file is left out, and lends it its cure.

It hides what makes what: a file that nobody can read, a tag that Helm misreads, a question that is told
twice. Called by `inspection`, and by `oneshot` again when Helm has spoken; it finds nothing itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from updater.check.findings import Finding

_HELM = "E9"
# What keeps Helm from reading a file; then its own words say the same.
_BREAKING = frozenset({"E1", "E2", "E5", "E15", "E20", "E21"})
# What follows from what of the same line.
_OF_A_LINE = {
    "E10": frozenset({"E6", "E19"}),
    "W19": frozenset({"E6", "E19"}),
    "W23": frozenset({"E6", "E19"}),
}
# What of the same file: the updater refuses places below a key that stands twice.
_OF_A_FILE = {_HELM: _BREAKING, "E19": frozenset({"E5"})}


def folded(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings without those that another one of the same file stands for."""
    by_file: dict[str, list[Finding]] = defaultdict(list)
    for one in findings:
        by_file[one.file].append(one)
    for some in by_file.values():
        yield from _of_file(some)


def _of_file(some: list[Finding]) -> Iterator[Finding]:
    marked = [one for one in some if one.code == "E15" and one.facts.get("whole")]
    if marked:
        yield from marked
        return
    words = {one.line: one.facts.get("words", "") for one in some if one.code == _HELM}
    causes = [one for one in some if words and one.code in _BREAKING]
    cause = min(causes, key=lambda one: (one.line not in words, one.line), default=None)
    codes = {one.code for one in some}
    by_line: dict[int, dict[str, Finding]] = defaultdict(dict)
    for one in some:
        by_line[one.line][_role(one)] = one
    for one in some:
        beside = by_line[one.line]
        if codes & _OF_A_FILE.get(one.code, frozenset()):
            continue
        if beside.keys() & _OF_A_LINE.get(one.code, frozenset()):
            continue
        variable = one.facts.get("variable", "")
        other = beside.get(f"W2 {variable}")
        if one.code == "W2" and f"E12 {variable}" in beside:
            continue
        if one is cause:
            said = words.get(one.line) or next(iter(words.values()))
            yield replace(one, facts={**one.facts, "helm": said})
        elif _role(one).startswith("E12 ") and other is not None:
            # The one cure that makes both right.
            yield replace(one, facts={**one.facts, "value": other.facts["value"]}, fix=other.fix)
        else:
            yield one


def _role(one: Finding) -> str:
    """Return a finding's code, with the question where it is about what the default of one is."""
    is_asked = (one.code == "E12" and one.facts.get("fault") in ("option", "default", "range")) or (
        one.code == "W2" and one.facts.get("fault") == "default"
    )
    return f"{one.code} {one.facts['variable']}" if is_asked else one.code
