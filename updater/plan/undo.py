"""What a rollback is, as values: which commits are taken back, and what stands again then.

`rollbacks` makes them; a proposal's commits tell them again. Nothing here decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from updater.model import ImageReference


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """What shall be taken back: commits of the branch, the newest first, for some charts.

    `alone` says that nothing but the tags and digests of these charts goes back, whatever else the
    commits changed.
    """

    commits: tuple[str, ...]
    charts: tuple[str, ...]
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """An image that stands again in some charts (with an empty tag: none does) instead of `old`.

    `build` is the newest one that was taken back; it and older ones are held.
    """

    image: ImageReference
    old: str | None
    charts: tuple[str, ...]
    build: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """What a change takes back: `subjects` are the first lines of the commits, in their order."""

    undo: Undo
    restored: tuple[Restored, ...]
    subjects: tuple[str, ...]
