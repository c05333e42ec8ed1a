"""What the tags of an environment have in common, told from the tags that stand there.

`suggest` is the only caller. It hides how a pattern is learned from examples; where the examples have
nothing in common it says so instead of guessing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from updater.model import is_tag

# More or longer ones are no form that a person would want to read.
MAX_PREFIXES = 4
MAX_PREFIX = 64
# From so many tags on, a few of another form are odd ones and not a habit of their own.
FEWEST_WITH_ODD = 3
# Of ten tags, so many must have the form.
_MAJORITY = 6

_VERSION = re.compile(r"(v?)[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?")
_PREFIX = r"([A-Za-z]+(?:[._-][A-Za-z]+)*[._-]|v|build|)"
_COMMIT = "[0-9a-f]{7,40}"
# What stands before and after a number: nothing, or a commit on one side.
_NUMBERED = (("", ""), ("", f"-{_COMMIT}"), (f"{_COMMIT}-", ""))


@dataclass(frozen=True, slots=True)
class Habit:
    """A pattern and its order, learned from tags, and the builds among them that it does not take.

    Without a habit there is no pattern, and `reason` says why; `example` is then what one of the tags
    by itself would have taught.
    """

    pattern: str = ""
    order: str = ""
    reason: str = ""
    odd: frozenset[str] = frozenset()
    example: Habit | None = None


def habit_of(tags: Sequence[str]) -> Habit:
    """Learn one pattern that takes all of `tags`, or at least three of them and a clear majority.

    Tags without any digit (`latest`) are placeholders and left aside: what stands in their place next
    will be a build.
    """
    standing = Counter(tag for tag in tags if is_tag(tag) and any(one in "0123456789" for one in tag))
    if not standing:
        return Habit(reason="no builds stand in these files yet")
    learned = max((_versions(standing), *_numbers(standing)), key=lambda one: -_count(standing, one.odd))
    builds = sorted(standing.keys() - learned.odd)
    if learned.odd and not _is_majority(_count(standing, builds), standing.total()):
        shown = ", ".join(_spread(sorted(standing)))
        alone = (habit_of([tag]) for tag, _ in sorted(standing.items(), key=lambda one: (-one[1], one[0])))
        return Habit(
            reason=f"no form could be learned from the tags that stand here ({shown})",
            example=next((one for one in alone if one.pattern), None) if len(standing) > 1 else None,
        )
    reason = (
        f"learned from {len(builds)} tags such as {builds[0]}" if len(builds) > 1 else f"like {builds[0]}"
    )
    return Habit(learned.pattern, learned.order, reason, learned.odd)


def _count(standing: Counter[str], builds: Sequence[str] | frozenset[str]) -> int:
    """Return how often some of the tags stand there."""
    return sum(standing[tag] for tag in builds)


def _is_majority(taken: int, standing: int) -> bool:
    return standing >= FEWEST_WITH_ODD and taken * 10 >= standing * _MAJORITY


def _spread(builds: list[str]) -> list[str]:
    return [builds[0], builds[len(builds) // 2], builds[-1]] if len(builds) > 2 else builds


def _versions(standing: Counter[str]) -> Habit:
    """Return the form of those tags that are versions."""
    found = {tag: match for tag in standing if (match := _VERSION.fullmatch(tag))}
    letters = {match[1] for match in found.values()}
    letter = "v?" if len(letters) > 1 else "".join(letters)
    before_release = "(-[0-9A-Za-z.-]+)?" if any(match[2] for match in found.values()) else ""
    pattern = rf"^{letter}(?P<version>[0-9]+\.[0-9]+\.[0-9]+{before_release})$"
    return Habit(pattern, "semver", odd=frozenset(standing.keys() - found.keys()))


def _numbers(standing: Counter[str]) -> Iterator[Habit]:
    """Yield the forms of those tags that are a number behind one of a few prefixes, bare or with a commit."""
    for before, after in _NUMBERED:
        form = re.compile(f"{_PREFIX}({before})([0-9]+)({after})")
        found = {tag: match for tag in standing if (match := form.fullmatch(tag))}
        # All digits may be anything, a commit is known by a letter.
        letters = any(re.search("[a-f]", match[2] + match[4]) for match in found.values())
        yield _numbered(standing, found if letters or not (before or after) else {}, before, after)


def _numbered(standing: Counter[str], found: Mapping[str, re.Match[str]], before: str, after: str) -> Habit:
    matches = {tag: match[1] for tag, match in found.items()}
    prefixes: Counter[str] = Counter()
    for tag, prefix in matches.items():
        prefixes[prefix] += standing[tag]
    kept = {prefix for prefix in prefixes if len(prefix) <= MAX_PREFIX}
    if len(kept) > MAX_PREFIXES:
        kept = {prefix for prefix in kept if prefixes[prefix] > 1}
    if len(kept) > MAX_PREFIXES:
        kept = set()
    taken = {tag for tag, prefix in matches.items() if prefix in kept}
    pattern = f"^{_alternatives(sorted(kept))}{before}(?P<build>[0-9]+){after}$"
    return Habit(pattern, "numeric", odd=frozenset(standing.keys() - taken))


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
