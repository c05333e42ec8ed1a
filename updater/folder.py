"""The files of a plain directory, read and edited in place; needs no Git.

It hides walking (no symlinks, no `.git`) and replacing a file without ever leaving half of it.
Only `cli` uses it, for `--worktree` and `set`.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from updater.errors import InvalidRequest, PermanentError


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
        return frozenset(path for path, is_link in self._found if not is_link)

    @cached_property
    def links(self) -> Mapping[str, str]:
        """All symbolic links below the folder, which are no files for anybody here, and where they lead.

        That is to a "file", to a "folder", or nowhere ("").
        """
        links = {path: self._root / path for path, is_link in self._found if is_link}
        return {path: "folder" if link.is_dir() else "file" * link.exists() for path, link in links.items()}

    @cached_property
    def _found(self) -> tuple[tuple[str, bool], ...]:
        return tuple(_walk(str(self._root), ""))

    @property
    def lineage(self) -> tuple[object, Collection[str]]:
        """Nothing but themselves."""
        return self, ()

    def version(self, path: str) -> str:
        """Return a name of the file's content."""
        return hashlib.sha256(self.read(path)).hexdigest()

    def read(self, path: str) -> bytes:
        """Return the file's bytes."""
        if path not in self._content:
            try:
                self._content[path] = (self._root / path).read_bytes()
            except OSError as problem:
                raise PermanentError(f"{self._root / path} cannot be read: {problem.strerror}.") from problem
        return self._content[path]

    def read_many(self, paths: frozenset[str]) -> Mapping[str, bytes]:
        """Return the bytes of many files."""
        return {path: self.read(path) for path in paths}

    def write(self, files: Mapping[str, bytes | None]) -> None:
        """Put edited and new files in place, each in one step; none where one of them cannot be written.

        A file of None is deleted once all others are there, and its folder where nothing is left in it.

        Raises:
            PermanentError: a file cannot be written or deleted.
        """
        replace_files({self._root / path: data for path, data in files.items() if data is not None})
        self._delete(path for path, content in files.items() if content is None)

    def _delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            try:
                (self._root / path).unlink()
            except OSError as problem:
                raise PermanentError(f"{path} cannot be deleted: {problem.strerror}.") from problem
            for folder in (self._root / path).parents:
                if folder == self._root or any(folder.iterdir()):
                    break
                folder.rmdir()


def _walk(folder: str, prefix: str) -> Iterator[tuple[str, bool]]:
    """Yield every file and every symbolic link, each with whether it is one."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as problem:
        raise PermanentError(f"{folder} cannot be read: {problem.strerror}.") from problem
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if entry.name != ".git":
                yield from _walk(entry.path, f"{prefix}{entry.name}/")
        elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
            yield prefix + entry.name, entry.is_symlink()


def replace_file(path: Path, content: bytes) -> None:
    """Replace one file's content; see `replace_files`."""
    replace_files({path: content})


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Replace files' contents, modes kept, or make them: a reader sees an old or a new file, never half.

    All are written beside the old ones before the first is replaced, so that a full disk or a
    missing right changes nothing.

    Raises:
        PermanentError: a file cannot be written.
    """
    staged: list[tuple[Path, Path]] = []
    try:
        for path, content in contents.items():
            _stage(path, content, staged)
        for temporary, target in staged:
            temporary.replace(target)
    except OSError as problem:
        raise PermanentError(f"{path} cannot be written: {problem.strerror}.") from problem
    finally:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)


def _stage(path: Path, content: bytes, staged: list[tuple[Path, Path]]) -> None:
    is_new = not path.exists()
    if is_new:
        path.parent.mkdir(parents=True, exist_ok=True)
    target = path if is_new else path.resolve(strict=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    staged.append((Path(name), target))
    with os.fdopen(handle, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    Path(name).chmod(0o644 if is_new else target.stat().st_mode & 0o7777)
