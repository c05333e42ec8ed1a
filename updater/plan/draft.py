"""A branch's files with the edits planned so far on top.

It hides that several changes of one batch may touch the same file. `court` writes into it, the
survey of the branch reads from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from updater.charts import Survey
from updater.errors import InvalidConfigRepo
from updater.model import Files
from updater.plan.past import NoPast, Past


class Draft:
    """The files of a branch with the edits planned so far on top; implements `model.Files`.

    A later change of the same batch plans on what an earlier one leaves behind. Versions are Git's
    blob ids, so that what was parsed here need not be parsed again once it is committed.
    """

    def __init__(self, base: Files) -> None:
        self.base = base
        # What was read or edited in this batch; a draft lives no longer than that.
        self._contents: dict[str, bytes] = {}
        self._versions: dict[str, str] = {}
        self._changes: dict[str, int] = {}
        self._paths: frozenset[str] | None = None

    @property
    def paths(self) -> frozenset[str]:
        """The names of all regular files; the base's very own set while no file came or went."""
        return self.base.paths if self._paths is None else self._paths

    @property
    def lineage(self) -> tuple[object, Collection[str]]:
        """The base's origin, and what is newer than there."""
        origin, newer = self.base.lineage
        return origin, {*newer, *self._versions}

    def version(self, path: str) -> str:
        """Return a name of the file's content."""
        return self._versions.get(path) or self.base.version(path)

    def is_changed(self, path: str) -> bool:
        """Say whether a change of this batch has edited, made or deleted the file."""
        return path in self._changes or (isinstance(self.base, Draft) and self.base.is_changed(path))

    def get(self, path: str) -> bytes | None:
        """Return the file's bytes as planned so far, None where there is no such file."""
        return self.read(path) if path in self.paths else None

    def read(self, path: str) -> bytes:
        """Return the file's bytes as planned so far."""
        content = self._contents.get(path)
        if content is None:
            content = self._contents[path] = self.base.read(path)
        return content

    def read_many(self, paths: frozenset[str]) -> Mapping[str, bytes]:
        """Return the bytes of many files as planned so far; they are not kept."""
        known = {path: self._contents[path] for path in paths if path in self._contents}
        return {**self.base.read_many(paths.difference(known)), **known}

    def prefetch(self, paths: Iterable[str]) -> None:
        """Read files that will be asked for one by one, all at once: a tenth of the cost."""
        self._contents.update(self.base.read_many(frozenset(paths).difference(self._contents)))

    def last_change(self, paths: Iterable[str]) -> int | None:
        """Return the index of the newest change that edited one of the files, or None."""
        return max((self._changes[path] for path in paths if path in self._changes), default=None)

    def put(self, files: Mapping[str, bytes | None], change: int) -> None:
        """Take the files that a change of the plan (by its index) edits into the draft; None deletes one."""
        self._changes.update(dict.fromkeys(files, change))
        kept = {path: content for path, content in files.items() if content is not None}
        self._contents.update(kept)
        self._versions.update({path: blob_id(content) for path, content in kept.items()})
        if len(kept) < len(files) or not self.paths.issuperset(kept):
            self._paths = (self.paths | kept.keys()) - (files.keys() - kept.keys())


def blob_id(content: bytes) -> str:
    """Return the id Git gives a blob with this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Ground:
    """What an environment's plan stands on: its branch, a draft of its files, their images, and the past."""

    branch: str
    draft: Draft
    survey: Survey
    past: Past = field(default_factory=NoPast)

    def fork(self, files: Mapping[str, bytes | None] = MappingProxyType({})) -> Ground:
        """Return the same once more, with some files changed, to be drafted on without others seeing it."""
        draft = Draft(self.draft)
        draft.put(files, -1)
        return Ground(self.branch, draft, Survey(draft, self.survey), self.past)


Grounds = Mapping[str, Ground | InvalidConfigRepo]


def ground_of(grounds: Grounds, environment: str) -> Ground:
    """Return an environment's ground.

    Raises:
        InvalidConfigRepo: it cannot be looked at.
    """
    ground = grounds[environment]
    if isinstance(ground, InvalidConfigRepo):
        raise ground
    return ground
