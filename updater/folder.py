"""The files of a plain directory, read and edited in place; needs no Git.

It hides walking (no symlinks, no `.git`) and replacing a file without ever leaving half of it.
Only `cli` uses it, for `--worktree` and `set`.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from updater.errors import InvalidRequest


class Folder:
    """A directory as `model.Files`; what is read once is taken as it was then."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise InvalidRequest(f"{root} is not a folder: name the checkout of the config repo.")
        self._root = root
        self._content: dict[str, bytes] = {}

    @cached_property
    def paths(self) -> frozenset[str]:
        """The names of all regular files below the folder."""
        return frozenset(_walk(str(self._root), ""))

    def version(self, path: str) -> str:
        """Return a name of the file's content."""
        return hashlib.sha256(self.read(path)).hexdigest()

    def read(self, path: str) -> bytes:
        """Return the file's bytes."""
        if path not in self._content:
            self._content[path] = (self._root / path).read_bytes()
        return self._content[path]

    def read_many(self, paths: frozenset[str]) -> Mapping[str, bytes]:
        """Return the bytes of many files."""
        return {path: self.read(path) for path in paths}

    def write(self, files: Mapping[str, bytes]) -> None:
        """Put edited files in place, each in one step."""
        for path, content in files.items():
            replace_file(self._root / path, content)


def _walk(folder: str, prefix: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != ".git":
                    yield from _walk(entry.path, f"{prefix}{entry.name}/")
            elif entry.is_file(follow_symlinks=False):
                yield prefix + entry.name


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file's content in one step, its mode kept: a reader sees the old or the new file.

    Raises:
        InvalidRequest: the file cannot be written.
    """
    temporary = ""
    try:
        target = path.resolve(strict=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).chmod(target.stat().st_mode & 0o7777)
        Path(temporary).replace(target)
    except OSError as problem:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise InvalidRequest(f"{path} cannot be written: {problem.strerror}.") from problem
