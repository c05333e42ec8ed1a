"""What a check found: one value for each fault, whoever found it.

It hides how findings are put in order and how one is recognised again after lines have moved. Every room
of the package makes findings; `oneshot` tells them to people.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from updater.yamledit import Insert, Replace

# Every code there is: E for errors, W for warnings. Each has a section in templates/check.txt and a row
# in docs/check.md; a code never changes its meaning.
CODES = frozenset(
    {
        "E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E9", "E10",
        "E11", "E12", "E13", "E14", "E15", "E16", "E17", "E18", "E19", "E20",
        "E21", "E22", "E23", "E24", "E25",
        "W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "W9", "W10",
        "W11", "W12", "W13", "W14", "W15", "W16", "W18", "W19", "W20",
        "W21", "W22", "W23", "W24", "W25", "W26",
    }
)  # fmt: skip

# What many lines of a file can have in common, and which is told once for each file.
_ALIKE = frozenset({"E12", "E13", "E15", "E21", "W5"})

_LINES = re.compile(r"\blines? [0-9]+(?:(?:, | and )[0-9]+)*|:[0-9]+\b")


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits of one file that mend a finding without a guess."""

    file: str
    edits: tuple[Replace | Insert, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault: its code, where it stands, and the facts that its sentence is filled in with.

    `line` counts from 1; it is 0 where the whole file is meant. Facts named `line` or ending in `_line`
    or `_lines` are places, and no part of what the fault is; neither are the `example` of one that many
    lines have, and what `helm` said of it.
    """

    code: str
    file: str
    line: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)
    fix: Fix | None = None

    @property
    def is_error(self) -> bool:
        """Say whether it is an error; else it is a warning."""
        return self.code.startswith("E")


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings by file and line, each one once."""
    unique = {(one.file, one.line, one.code, _facts(one.facts)): one for one in findings}
    return tuple(
        sorted(unique.values(), key=lambda one: (one.file, one.line, one.code[0], int(one.code[1:])))
    )


def gathered(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings, and as one those that say the same of many lines of a file.

    It stands at the first of the lines, and the fact `more_lines` holds the others.
    """
    alike: dict[str, list[Finding]] = defaultdict(list)
    for one in findings:
        if one.code in _ALIKE and one.fix is None:
            alike[_fault(one)].append(one)
        else:
            yield replace(one, facts={**one.facts, "more_lines": []}) if one.code in _ALIKE else one
    for some in alike.values():
        first = min(some, key=lambda one: one.line)
        lines = sorted({one.line for one in some} - {first.line})
        yield replace(first, facts={**first.facts, "more_lines": lines})


def fingerprints(findings: Sequence[Finding], branch: str = "") -> tuple[str, ...]:
    """Return a name for each finding that stays when lines move; equal faults of one file are counted.

    `branch` tells apart what is found on several branches.
    """
    seen: Counter[str] = Counter()
    names = []
    for one in findings:
        text = _fault(one)
        seen[text] += 1
        whole = f"{text}\0{seen[text]}" + f"\0{branch}" * bool(branch)
        # Git and file systems take names that are no UTF-8.
        names.append(hashlib.sha256(whole.encode(errors="surrogateescape")).hexdigest())
    return tuple(names)


def _fault(one: Finding) -> str:
    """Return what the fault is, wherever in its file it stands."""
    told = {key: value for key, value in one.facts.items() if not _is_place(key)}
    return _LINES.sub("", f"{one.code}\0{one.file}\0{_facts(told)}")


def _is_place(key: str) -> bool:
    return key in ("line", "example", "helm") or key.endswith(("_line", "_lines"))


def _facts(facts: Mapping[str, object]) -> str:
    return json.dumps(facts, sort_keys=True, default=str)
