"""What a check found, told in three sentences: what is wrong, who trips over it, and the cure.

It hides how `templates/check.txt` is laid out. `oneshot` tells findings with it; the codes are its own to
bring, because this room does not know the checks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from updater.errors import InvalidSettings
from updater.messages.sections import render, sections
from updater.messages.words import one_line

NAME = "check.txt"
# Helm's words name every template on the way to the one that fails.
_LONGEST = 2000
_CODE = re.compile(r"^\[([EW][0-9]+)\]$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Told:
    """A finding for people: what is wrong, what that breaks, and how to mend it."""

    what: str
    breaks: str
    cure: str


class CheckMessages:
    """The sentences of `check.txt`; `read` returns a template by name.

    Raises:
        InvalidSettings: the template does not parse, or a code has no section.
    """

    def __init__(self, read: Callable[[str], str], codes: Collection[str]) -> None:
        self._texts = sections(NAME, read(NAME), _CODE, codes)

    def tell(self, code: str, facts: Mapping[str, object]) -> Told:
        """Return the sentences for a finding."""
        what, breaks, cure = "", "", ""
        known = {key: _on_one_line(fact) for key, fact in facts.items()}
        for line in render(f"{NAME} [{code}]", self._texts[code], known).splitlines():
            if line.startswith("Breaks: "):
                breaks = line.removeprefix("Breaks: ")
            elif line.startswith("Cure: "):
                cure = line.removeprefix("Cure: ")
            else:
                what = f"{what} {line}".strip()
        if not (what and breaks and cure):
            raise InvalidSettings(
                f"The template {NAME} [{code}] does not say all three: what is wrong, a line with Breaks: "
                "and a line with Cure:."
            )
        words = str(known.get("helm", "")).rstrip(".")
        return Told(f"{what} Helm says: {words}." if words else what, breaks, cure)


def _on_one_line(fact: object) -> object:
    if isinstance(fact, str):
        return one_line(fact, _LONGEST)
    return [_on_one_line(one) for one in fact] if isinstance(fact, list | tuple) else fact
