"""The holds of an environment: which builds must not go out, as `.updater/holds.yaml` says.

Hides the file's form, how one entry is added or taken out and the rest left as people wrote it, and what
a hold means for an image. `plan` reads and writes holds through it; bytes come in, bytes go out.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from updater.errors import EditRefused, InvalidConfigRepo
from updater.model import Hold, canonical_repository, familiar_repository, is_tag
from updater.policy.values import Environment
from updater.trailers import one_line
from updater.yamledit import KeyPath, Loaded, load

HOLDS_PATH = ".updater/holds.yaml"

_KEYS = ("environment", "chart", "image", "build", "until", "by", "at", "reason")
_UNTILS = ("newer", "release")
_NEW = """\
# Builds that the updater keeps out: see `updater holds`. Take an entry out to let them in again.
holds:
"""
_CONSEQUENCE = "Nothing goes out on this branch before it is mended."
_EMPTY_LIST = re.compile(r"^holds:[ \t]*(\[[ \t]*\]|null|~)?[ \t]*(#.*)?$", re.MULTILINE)
_LONGEST = 300


@functools.lru_cache(maxsize=64)
def parse_holds(data: bytes, path: str = HOLDS_PATH) -> tuple[Hold, ...]:
    """Read the file; an empty one holds nothing.

    Raises:
        InvalidConfigRepo: something in it makes no sense; says where, and what would be right.
    """
    return _Reader(_loaded(data, path), path).holds()


def check_places(data: bytes, environments: Collection[str], branch: str, path: str = HOLDS_PATH) -> None:
    """Make sure that every hold is for an environment that lives on the branch.

    Raises:
        InvalidConfigRepo: one is not, or the file makes no sense.
    """
    reader = _Reader(_loaded(data, path), path)
    for index, hold in enumerate(parse_holds(data, path)):
        if hold.environment not in environments:
            raise reader.wrong(
                ("holds", index, "environment"),
                f"the hold on {hold.chart} is for {hold.environment!r}, and the environments on the branch "
                f"{branch} are {', '.join(environments)}",
            )


def _loaded(data: bytes, path: str) -> Loaded:
    try:
        return load(data)
    except EditRefused as error:
        raise InvalidConfigRepo(
            f"{error.problem[:1].upper()}{error.problem[1:]}. {_CONSEQUENCE}",
            path=path,
            line=error.line,
            column=error.column,
        ) from error


@dataclass(frozen=True, slots=True)
class _Reader:
    loaded: Loaded
    path: str

    def holds(self) -> tuple[Hold, ...]:
        value = self.loaded.value
        if value is None:
            return ()
        if not isinstance(value, dict) or set(value) - {"holds"}:
            raise self.wrong((), "the file has one key, holds, with a list of entries below it")
        entries = value.get("holds")
        if entries is None:
            return ()
        if not isinstance(entries, list):
            raise self.wrong(("holds",), "holds is a list: begin each entry with '- '")
        return tuple(self._hold(("holds", index), entry) for index, entry in enumerate(entries))

    def _hold(self, at: KeyPath, entry: object) -> Hold:
        if not isinstance(entry, dict):
            raise self.wrong(at, "an entry has keys: environment and chart at least")
        for key in entry:
            if key not in _KEYS:
                raise self.wrong((*at, key), f"{key!r} is no key here; allowed are {', '.join(_KEYS)}")
        text = {key: self._text((*at, key), entry.get(key)) for key in _KEYS}
        for key in ("environment", "chart"):
            if not text[key]:
                raise self.wrong(at, f"the entry names no {key}")
        repository = canonical_repository(text["image"]) if text["image"] else ""
        if repository is None:
            raise self.wrong((*at, "image"), f"{text['image']!r} is no repository: leave out tag and digest")
        if text["build"] and not is_tag(text["build"]):
            raise self.wrong((*at, "build"), f"{text['build']!r} is no legal tag")
        until = text["until"] or "newer"
        if until not in _UNTILS:
            raise self.wrong(
                (*at, "until"), f"{until!r} is no value for until; allowed are {', '.join(_UNTILS)}"
            )
        return Hold(
            environment=text["environment"],
            chart=text["chart"],
            repository=repository,
            build=text["build"],
            # Without a build there is no newer one.
            until="newer" if until == "newer" and text["build"] else "release",
            by=text["by"],
            at=self._time((*at, "at"), text["at"]),
            reason=text["reason"],
        )

    def _text(self, at: KeyPath, value: object) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.wrong(at, f"the value of {at[-1]} is no text: write it in quotes")
        return value

    def _time(self, at: KeyPath, text: str) -> datetime | None:
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise self.wrong(at, f"{text!r} is no time: write it like 2026-11-28T16:00:00Z") from error
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def wrong(self, at: KeyPath, problem: str) -> InvalidConfigRepo:
        line, column = self.loaded.keys.get(at) or self.loaded.positions.get(at) or (1, 1)
        return InvalidConfigRepo(
            f"{problem[:1].upper()}{problem[1:]}. {_CONSEQUENCE}",
            path=self.path,
            line=line,
            column=column,
        )


# Writing


def changed_holds(data: bytes | None, *, add: Sequence[Hold] = (), remove: Collection[Hold] = ()) -> bytes:
    """Return the file with some entries taken out and others put at its end; the rest stays as it is.

    Where an entry is written in a way that cannot be cut out as lines, the whole file is written anew.

    Raises:
        InvalidConfigRepo: the file cannot be read.
    """
    before = parse_holds(data) if data else ()
    wanted = (*(one for one in before if one not in remove), *add)
    edited = _edited(data or _NEW.encode(), before, add, remove)
    try:
        if parse_holds(edited) == wanted:
            return edited
    except InvalidConfigRepo:
        pass
    anew = _edited(_NEW.encode(), (), wanted, ())
    if parse_holds(anew) != wanted:
        raise InvalidConfigRepo(
            "A hold cannot be written down so that it is read back the same: write it by hand.",
            path=HOLDS_PATH,
        )
    return anew


def _edited(data: bytes, before: Sequence[Hold], add: Sequence[Hold], remove: Collection[Hold]) -> bytes:
    text = data.decode("utf-8")
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    starts = [line for line, _ in _entries(data, len(before))]
    indent = _entries(data, len(before))[0][1] if before else 2
    for index in sorted((one for one, hold in enumerate(before) if hold in remove), reverse=True):
        end = starts[index + 1] if index + 1 < len(starts) else len(lines)
        while end > starts[index] + 1 and _is_apart(lines[end - 1]):
            end -= 1
        del lines[starts[index] : end]
    end = len(lines)
    while end > 0 and not lines[end - 1].strip():
        end -= 1
    lines[end:] = [line for hold in add for line in _written(hold, indent)]
    result = newline.join([*lines, ""])
    left = len(before) - sum(hold in remove for hold in before) + len(add)
    return _EMPTY_LIST.sub("holds:" if left else "holds: []", result, count=1).encode()


def _entries(data: bytes, count: int) -> list[tuple[int, int]]:
    """Return the line (from 0) and the column of the dash of each entry, as a block list has them."""
    positions = load(data).positions
    return [
        (positions["holds", index][0] - 1, max(positions["holds", index][1] - 3, 0)) for index in range(count)
    ]


def _is_apart(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _written(hold: Hold, indent: int) -> Iterable[str]:
    at = hold.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if hold.at else ""
    image = familiar_repository(hold.repository) if hold.repository else ""
    values = (hold.environment, hold.chart, image, hold.build, hold.until, hold.by, at, hold.reason)
    lead = "- "
    for key, value in zip(_KEYS, values, strict=True):
        if value:
            # What JSON writes is a double-quoted scalar of YAML.
            quoted = value if key == "until" else json.dumps(value, ensure_ascii=False)
            yield f"{' ' * indent}{lead}{key}: {quoted}"
            lead = "  "


def new_hold(hold: Hold) -> Hold:
    """Return a hold as the file will give it back: texts on one line, whole seconds."""
    at = hold.at.astimezone(UTC).replace(microsecond=0) if hold.at else None
    until = hold.until if hold.build else "release"
    return replace(
        hold, at=at, until=until, by=one_line(hold.by, _LONGEST), reason=one_line(hold.reason, _LONGEST)
    )


# Judging


def is_for(hold: Hold, environment: str, chart: str) -> bool:
    """Say whether a hold is for a chart; one that is named by its path now was perhaps not so before."""
    mine, other = f"/{chart}", f"/{hold.chart}"
    return hold.environment == environment and (mine.endswith(other) or other.endswith(mine))


def keeps_out(hold: Hold, environment: Environment, tag: str, stood: Callable[[], Collection[str]]) -> bool:
    """Say whether a hold keeps a tag of its image out; `stood` tells the tags that ever stood there.

    Product section "rollback": builds up to and including the held one. Where nobody knows an order,
    what stood there before counts as older, and what never did as newer.
    """
    if not hold.build or hold.until == "release":
        return True
    known = order_of(environment, tag, hold.build)
    return tag == hold.build or tag in stood() if known is None else known <= 0


def is_lifted(hold: Hold, environment: Environment, tag: str, stood: Callable[[], Collection[str]]) -> bool:
    """Say whether a tag that goes out ends a hold, because it is newer."""
    return not keeps_out(hold, environment, tag, stood)


def order_of(environment: Environment, tag: str, other: str) -> int | None:
    """Compare two tags by the environment's own order, else by that of those which are promoted there."""
    known = environment.tags.compare(tag, other)
    if known is None and environment.promoted is not None:
        return environment.promoted.compare(tag, other)
    return known


def newest(environment: Environment, tags: Iterable[str]) -> str:
    """Return the newest of some tags, the first of those that cannot be compared; empty where none."""
    best = ""
    for tag in tags:
        if not best or (order_of(environment, tag, best) or 0) > 0:
            best = tag
    return best
