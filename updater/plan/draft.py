"""A branch's files with the edits planned so far on top.

It hides that several changes of one batch may touch the same file. `court` writes into it, the
survey of the branch reads from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from updater.charts import Survey
from updater.errors import InvalidConfigRepo
from updater.model import Files


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

    @property
    def paths(self) -> frozenset[str]:
        """The names of all regular files; a draft adds none."""
        return self.base.paths

    def version(self, path: str) -> str:
        """Return a name of the file's content."""
        return self._versions.get(path) or self.base.version(path)

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

    def put(self, files: Mapping[str, bytes], change: int) -> None:
        """Take the files that a change of the plan (by its index) edits into the draft."""
        self._changes.update(dict.fromkeys(files, change))
        self._contents.update(files)
        self._versions.update({path: blob_id(content) for path, content in files.items()})


def blob_id(content: bytes) -> str:
    """Return the id Git gives a blob with this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Ground:
    """What an environment's plan stands on: its branch, a draft of its files, and their images."""

    branch: str
    draft: Draft
    survey: Survey


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
