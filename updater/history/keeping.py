"""A history as bytes, to be kept over a restart, and back again.

Hides the form, and that it is worth nothing for other environments or another version of the updater:
then everything is read anew. It is a memory of what Git says and never a truth of its own.
"""

from __future__ import annotations

import gc
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from updater import __version__
from updater.history.holding import Holding
from updater.history.ledger import Ledger, Row
from updater.model import Deployment, Hold, LoggedCommit, Move

# Changes whenever the form, or how commits are read, changes within one version.
_FORM = 3
_DEPLOYMENT = tuple(one.name for one in fields(Deployment))
_HOLD = tuple(one.name for one in fields(Hold))
_TIMES = frozenset(("time", "source_time", "at"))
_TUPLES = frozenset(("requests", "reverts", "reverted_charts"))
# Fast, and a tenth of the size: commits are told in much the same words.
_LEVEL = 1


@contextmanager
def uncollected() -> Iterator[None]:
    """Make many values at once without Python looking for garbage among them: that takes two thirds."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def fingerprint(followed: Sequence[object]) -> str:
    """Return what must be equal where a kept history may be used: the environments, and this code."""
    return hashlib.sha256(repr((_FORM, _DEPLOYMENT, _HOLD, __version__, followed)).encode()).hexdigest()


def packed(mark: str, parts: Mapping[str, Any]) -> bytes:
    """Return parts that JSON knows as bytes that only `unpacked` with the same mark takes."""
    return zlib.compress(json.dumps([mark, parts], separators=(",", ":")).encode(), _LEVEL)


def unpacked(mark: str, content: bytes) -> Mapping[str, Any] | None:
    """Return the parts; None where the bytes are damaged or have another mark."""
    try:
        found, parts = json.loads(zlib.decompress(content))
    except (zlib.error, ValueError, TypeError):
        return None
    return parts if found == mark and isinstance(parts, dict) else None


def ledger_parts(ledger: Ledger) -> dict[str, Any]:
    """Return a ledger as JSON knows it."""
    return {
        "all": [_values(one, _DEPLOYMENT) for one in ledger.all],
        "rows": [
            [*place, row.numbers, list(row.tags.items()), row.tag] for place, row in ledger.rows.items()
        ],
        "back": [[number, list(back.items())] for number, back in ledger.back.items()],
    }


def ledger_of(parts: Mapping[str, Any]) -> Ledger:
    """Return the ledger of such parts."""
    ledger = Ledger()
    ledger.all = [_deployment(values) for values in parts["all"]]
    for environment, chart, repository, numbers, tags, tag in parts["rows"]:
        ledger.rows[environment, chart, repository] = Row(numbers, dict(map(tuple, tags)), tag)
    ledger.back = {number: dict(map(tuple, back)) for number, back in parts["back"]}
    return ledger


def holding_parts(holding: Holding) -> dict[str, Any]:
    """Return holds as JSON knows them."""
    holds = [_values(one, _HOLD) for one in holding.holds.values()]
    strict = [_values(one, _HOLD) for one in holding.strict.values()]
    return {
        "holds": holds,
        "strict": strict,
        "went": [[commit, *place] for commit, place in sorted(holding.back)],
    }


def fill_holding(holding: Holding, parts: Mapping[str, Any]) -> None:
    """Put such parts into a holding that is empty."""
    for name, holds in (("holds", holding.holds), ("strict", holding.strict)):
        for values in parts[name]:
            hold = Hold(**_named(values, _HOLD))
            holds[hold.environment, hold.chart, hold.repository] = hold
    holding.back = {
        (commit, (environment, chart, repository)) for commit, environment, chart, repository in parts["went"]
    }


def commit_parts(commit: LoggedCommit) -> list[Any]:
    """Return a commit as JSON knows it."""
    parts = (commit.commit, commit.parents, commit.author, commit.committer_email, commit.message)
    return [*parts, commit.time.timestamp()]


def commit_of(parts: Sequence[Any]) -> LoggedCommit:
    """Return the commit of such parts."""
    commit, parents, author, email, message, time = parts
    return LoggedCommit(commit, tuple(parents), author, email, message, datetime.fromtimestamp(time, UTC))


def _values(one: Deployment | Hold, names: Sequence[str]) -> list[Any]:
    return [_plain(name, getattr(one, name)) for name in names]


def _plain(name: str, value: Any) -> Any:
    if name in _TIMES:
        return None if value is None else value.timestamp()
    return [[move.chart, move.old] for move in value] if name == "moves" else value


def _deployment(values: Sequence[Any]) -> Deployment:
    named = _named(values, _DEPLOYMENT)
    named["moves"] = tuple(Move(chart, old) for chart, old in named["moves"])
    return Deployment(**named)


def _named(values: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
    named = dict(zip(names, values, strict=True))
    for name in _TIMES & named.keys():
        if named[name] is not None:
            named[name] = datetime.fromtimestamp(named[name], UTC)
    for name in _TUPLES & named.keys():
        named[name] = tuple(named[name])
    return named
