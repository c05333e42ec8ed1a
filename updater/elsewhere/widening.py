"""Which environments would let tags out that the other tool kept in, and a tag that shows it.

The rules choose by file and tag and not by image, so an environment takes tags of every image in its
files. `joining` asks this before it writes one. That no tag of one image fits the pattern of another
cannot be proved, as nobody knows what will be built: images of one file and branch that are not all
chosen in one way are apart only in files of their own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from updater.charts import Target
from updater.elsewhere.values import Mark, listing
from updater.model import familiar_repository
from updater.policy import Tags

# Images named one by one.
_FEW = 3
_VERSION = re.compile(r"(.*?)([0-9]+)\.([0-9]+)\.([0-9]+)")
_LEADING = re.compile(r"[0-9]+(?:\.[0-9]+){0,2}")
_NUMBER = re.compile(r"(.*?)([0-9]+)([^0-9]*)")

# Marks of one key are chosen and delivered in one way: branch, by request or not, pattern, order, and
# what of the choice the pattern does not say.
Key = tuple[str, bool, str, str, str]
Places = Mapping[str, Sequence[Target]]
Widenings = Mapping[tuple[str, Key], Sequence["Widening"]]


def key_of(mark: Mark) -> Key:
    """Return what marks of one environment have in common."""
    choice = mark.choice
    return mark.branch, mark.proposes, choice.pattern, choice.order, choice.wider


@dataclass(frozen=True, slots=True)
class Widening:
    """An image of a file that an environment would let out otherwise than the other tool did.

    `tag` shows it, and is empty where none is known. `why` is a sentence with places for the `subject`, which
    is the image with its tag, and for the `environment`.
    """

    file: str
    image: str
    tag: str
    why: str

    def sentence(self, environment: str) -> str:
        """Say what would go out by an environment."""
        subject = f"{self.image}:{self.tag}" if self.tag else f"tags of {self.image}"
        return self.why.format(subject=subject, environment=environment)


def widenings(marks: Sequence[Mark], places: Places) -> Widenings:
    """Return by file and key what an environment of them would let out; nothing where it is exact.

    `places` are the images found in each file.
    """
    together: dict[tuple[str, str], list[Mark]] = defaultdict(list)
    for mark in marks:
        together[mark.file, mark.branch].append(mark)
    found: dict[tuple[str, Key], Sequence[Widening]] = {}
    for (file, _), own in together.items():
        beside = _Beside(file, own, places.get(file, ()))
        for mark in {key_of(mark): mark for mark in own}.values():
            wider = tuple(beside.widened_by(mark))
            if wider:
                found[file, key_of(mark)] = wider
    return found


def reason(environment: str, wider: Sequence[Widening]) -> str:
    """Say why an environment is commented out."""
    said = list(dict.fromkeys(one.sentence(environment) for one in wider))
    more = f"; and {len(said) - _FEW} more" if len(said) > _FEW else ""
    files = sorted({one.file for one in wider})
    where = listing(files if len(files) <= _FEW else [*files[:_FEW], f"{len(files) - _FEW} more"])
    return f"{'; '.join(said[:_FEW])}{more} ({where})."


class _Beside:
    """The images of one file on one branch, and what chose the tags of each."""

    def __init__(self, file: str, marks: Sequence[Mark], targets: Sequence[Target]) -> None:
        self._file = file
        self._targets = targets
        self._choosing: dict[str, dict[Key, Mark]] = {one.repository: {} for one in targets}
        at = {(one.document, one.path): one.repository for one in targets}
        for mark in marks:
            standing = at.get((mark.document, mark.path), mark.repository) if mark.path else mark.repository
            # Where another image stands than the tool would write, nothing chose the tags of that one.
            if standing and mark.repository in {"", standing}:
                self._choosing.setdefault(standing, {})[key_of(mark)] = mark

    def widened_by(self, mark: Mark) -> Iterator[Widening]:
        """Yield the images that an environment of a mark would let out otherwise than was chosen."""
        key = key_of(mark)
        for repository, chosen in self._choosing.items():
            others = [other for own, other in chosen.items() if own != key]
            if chosen and not others and not mark.choice.wider:
                continue
            # What a pattern takes more than was chosen was chosen by nothing.
            sure = [other for other in others if not other.choice.wider]
            kept_out = self._example(repository, mark, sure) if sure else ""
            tag = kept_out or self._example(repository, mark, ())
            governed = bool(sure) or (bool(chosen) and not others)
            why = _why(mark, sure, kept_out=bool(kept_out), governed=governed)
            yield Widening(self._file, familiar_repository(repository), tag, why)

    def _example(self, repository: str, mark: Mark, others: Sequence[Mark]) -> str:
        """Return a tag of an image that an environment of a mark takes and no other choice of the image."""
        tags = Tags(mark.choice.pattern or None, mark.choice.order)
        kept = [Tags(other.choice.pattern or None) for other in others]
        standing = sorted(
            ((one.repository != repository, one.tag) for one in self._targets if one.tag),
        )
        tried = [one for _, tag in standing for one in (*_next(tag), tag)]
        for one in (*tried, *_named(mark.choice.said)):
            if tags.takes(one) and not any(other.takes(one) for other in kept):
                return one
        return ""


def _why(mark: Mark, others: Sequence[Mark], *, kept_out: bool, governed: bool) -> str:
    if not governed:
        return "{subject}, which nothing chose, would go out by {environment}"
    if not others:
        return f"{{subject}} would go out by {{environment}}, although {_plain(mark.choice.wider)}"
    names = [f"{one.tool}'s {one.name}" for one in others]
    if kept_out:
        said = [one.choice.said or name for one, name in zip(others, names, strict=True)]
        kept = _plain(listing(list(dict.fromkeys(said))))
        return f"{{subject}}, which {kept} kept out, would go out by {{environment}}"
    chosen = _plain(listing(list(dict.fromkeys(names))))
    return f"{{subject}} would go out by {{environment}}, whether or not {chosen} had chosen it"


def _plain(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _named(said: str) -> Iterator[str]:
    """Yield the versions that a range names, and what one may look like."""
    for number in _LEADING.finditer(said):
        yield ".".join([*number[0].split("."), "0", "0"][:3])
    yield "1.0.0"


def _next(tag: str) -> Iterator[str]:
    """Yield tags that may come after one."""
    version = _VERSION.match(tag)
    number = _NUMBER.fullmatch(tag)
    if version:
        before, major, minor, patch = version[1], *map(int, version.groups()[1:])
        yield f"{before}{major}.{minor + 1}.0"
        yield f"{before}{major + 1}.0.0"
        yield f"{before}{major}.{minor}.{patch + 1}"
    elif number:
        yield f"{number[1]}{int(number[2]) + 1}{number[3]}"
