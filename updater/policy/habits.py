"""What the tags of an environment have in common, told from the tags that stand there.

`suggest` is the only caller. It hides how a pattern is learned from examples; where the examples have
nothing in common it says so instead of guessing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from updater.model import is_tag

# More or longer ones are no form that a person would want to read.
MAX_PREFIXES = 4
MAX_PREFIX = 64

_VERSION = re.compile(r"(v?)[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?")
_NUMBERED = re.compile(r"([A-Za-z]+(?:[._-][A-Za-z]+)*[._-]|v|build|)([0-9]+)")


@dataclass(frozen=True, slots=True)
class Habit:
    """A pattern and its order, learned from tags; no pattern where there is no habit, and `reason` why."""

    pattern: str = ""
    order: str = ""
    reason: str = ""


def habit_of(tags: Sequence[str]) -> Habit:
    """Learn one pattern that takes all of `tags`.

    Tags without any digit (`latest`) are placeholders and left aside: what stands in their place next
    will be a build.
    """
    builds = sorted({tag for tag in tags if is_tag(tag) and any(one in "0123456789" for one in tag)})
    if not builds:
        return Habit(reason="no builds stand in these files yet")
    example = (
        f"learned from {len(builds)} tags such as {builds[0]}" if len(builds) > 1 else f"like {builds[0]}"
    )
    versions = [found for tag in builds if (found := _VERSION.fullmatch(tag))]
    if len(versions) == len(builds):
        return Habit(_version_pattern(versions), "semver", example)
    numbered = [found for tag in builds if (found := _NUMBERED.fullmatch(tag))]
    prefixes = sorted({found[1] for found in numbered})
    has_form = len(numbered) == len(builds) and all(len(prefix) <= MAX_PREFIX for prefix in prefixes)
    if not has_form or len(prefixes) > MAX_PREFIXES:
        return Habit(
            reason=f"no form could be learned from the tags that stand here ({', '.join(_spread(builds))})"
        )
    return Habit(f"^{_alternatives(prefixes)}(?P<build>[0-9]+)$", "numeric", example)


def _spread(builds: list[str]) -> list[str]:
    return [builds[0], builds[len(builds) // 2], builds[-1]] if len(builds) > 2 else builds


def _version_pattern(versions: list[re.Match[str]]) -> str:
    letters = {found[1] for found in versions}
    letter = "v?" if len(letters) > 1 else next(iter(letters))
    before_release = "(-[0-9A-Za-z.-]+)?" if any(found[2] for found in versions) else ""
    return rf"^{letter}(?P<version>[0-9]+\.[0-9]+\.[0-9]+{before_release})$"


def _alternatives(prefixes: list[str]) -> str:
    """Return what takes any of the prefixes, with a separator they share written once."""
    if len(prefixes) == 1:
        return _escaped(prefixes[0])
    ends = {prefix[-1:] for prefix in prefixes}
    if len(ends) == 1 and ends <= {".", "_", "-"}:
        return f"({'|'.join(_escaped(prefix[:-1]) for prefix in prefixes)}){_escaped(ends.pop())}"
    return f"({'|'.join(_escaped(prefix) for prefix in prefixes)})"


def _escaped(text: str) -> str:
    # Of the characters a tag may have only the dot means something to a regular expression.
    return text.replace(".", r"\.")
