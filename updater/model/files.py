"""The files of a config repo, and where in them an environment's tags are written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol


class Files(Protocol):
    """The files of one branch at one commit (or of one folder), read lazily.

    `paths` holds regular files only, with `/` between parts: no symlinks, no submodules. While no
    file comes or goes, following snapshots share the very same `paths` object, so that what is
    computed from names alone can be kept. `version` changes whenever a file's bytes do.
    """

    @property
    def paths(self) -> frozenset[str]:
        """The names of all regular files."""

    @property
    def lineage(self) -> tuple[object, Collection[str]]:
        """What these files come from, and which of them may have other versions than there.

        Files of one origin (the very same object) have equal versions of all that neither of them names.
        """

    def version(self, path: str) -> str:
        """Return a name of the file's content: equal versions mean equal bytes."""

    def read(self, path: str) -> bytes:
        """Return the file's bytes."""

    def read_many(self, paths: frozenset[str]) -> Mapping[str, bytes]:
        """Return the bytes of many files at once, which is far cheaper than one by one."""


@dataclass(frozen=True, slots=True)
class PinnedPlace:
    """A place the rules name because it cannot be found by looking (`images` in the rules)."""

    repository: str
    file: str
    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where an environment's tags are written: globs of files, and where an overlay's base is.

    No `files` means the default without rules: every `values.yaml` beside a `Chart.yaml`. `base`
    is empty for the nearest `values.yaml` upwards beside a Chart.yaml, else a path in which
    `{chart}` stands for what the first wildcard of the file's glob matched. With `highest`, of version
    directories of one chart only the highest counts, which without `files` is always so.
    """

    files: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    base: str = ""
    pinned: tuple[PinnedPlace, ...] = ()
    highest: bool = False
