"""A branch's files with the edits planned so far on top.

It hides that several changes of one batch may touch the same file. `court` writes into it, the
survey of the branch reads from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from updater.charts import Survey
from updater.model import Files


class Draft:
    """The files of a branch with the edits planned so far on top; implements `model.Files`.

    A later change of the same batch plans on what an earlier one leaves behind. Versions are Git's
    blob ids, so that what was parsed here need not be parsed again once it is committed.
    """

    def __init__(self, base: Files) -> None:
        self.base = base
        self._edited: dict[str, bytes] = {}

    @property
    def paths(self) -> frozenset[str]:
        """The names of all regular files; a draft adds none."""
        return self.base.paths

    def version(self, path: str) -> str:
        """Return a name of the file's content."""
        edited = self._edited.get(path)
        return self.base.version(path) if edited is None else blob_id(edited)

    def read(self, path: str) -> bytes:
        """Return the file's bytes as planned so far."""
        edited = self._edited.get(path)
        return self.base.read(path) if edited is None else edited

    def read_many(self, paths: frozenset[str]) -> Mapping[str, bytes]:
        """Return the bytes of many files as planned so far."""
        rest = paths.difference(self._edited)
        return {**self.base.read_many(rest), **{path: self.read(path) for path in paths - rest}}

    def put(self, files: Mapping[str, bytes]) -> None:
        """Take edited files into the draft."""
        self._edited.update(files)


def blob_id(content: bytes) -> str:
    """Return the id Git gives a blob with this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Ground:
    """What an environment's plan stands on: its branch, a draft of its files, and their images."""

    branch: str
    draft: Draft
    survey: Survey
