"""The bare mirror's folder: made, recognised, swept and thrown away.

Hides what a mirror looks like on disk. Called by `repo`; it never speaks to the remote and never
deletes a folder that is not a mirror.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from updater.configrepo.process import GitCommands
from updater.errors import InvalidSettings

# What the mirror's own HEAD names until a default branch is known; there are no branches of its own.
NO_BRANCH = "none"

_MARK = "updater-mirror"
_LAYOUT = "1\n"
# Beyond so many packs every look-up of an object suffers.
_MANY_PACKS = 40
# What a killed process leaves behind; nobody else works here, so all of it is stale.
_LEFT_BEHIND = ("*.lock", "refs/**/*.lock", "objects/**/*.lock", "objects/pack/tmp_*")


def prepare(directory: Path, git: GitCommands) -> bool:
    """Make the mirror where there is none; return whether it is new and therefore empty.

    Raises:
        InvalidSettings: the folder holds something else, or cannot be written.
    """
    try:
        if _is_mirror(directory):
            _sweep(directory)
            return False
        discard(directory)
        directory.mkdir(parents=True, exist_ok=True)
        # The mark comes first, so that a folder left half made is known as ours.
        (directory / _MARK).write_text("being made\n")
        git.read("init", "--quiet", "--bare", "--template=", f"--initial-branch={NO_BRANCH}")
        (directory / _MARK).write_text(_LAYOUT)
    except OSError as error:
        raise InvalidSettings(
            f"The updater cannot write its copy of the config repo to {directory}: {error.strerror}."
        ) from error
    return True


def discard(directory: Path) -> None:
    """Delete the mirror, whatever state it is in.

    Raises:
        InvalidSettings: the folder holds something without the mark every mirror has.
    """
    if not directory.exists():
        return
    if not directory.is_dir() or (any(directory.iterdir()) and not (directory / _MARK).exists()):
        raise InvalidSettings(
            f"{directory} holds something else than a copy of the config repo, so the updater leaves it "
            "alone: give it a folder of its own."
        )
    shutil.rmtree(directory)


def pack_count(directory: Path) -> int:
    """Return how many packs the mirror's objects are spread over."""
    return sum(1 for _ in (directory / "objects" / "pack").glob("*.pack"))


def needs_tidying(directory: Path) -> bool:
    """Say whether so many packs have come together that reading suffers."""
    return pack_count(directory) > _MANY_PACKS


def _is_mirror(directory: Path) -> bool:
    try:
        return (directory / _MARK).read_text() == _LAYOUT and (directory / "HEAD").is_file()
    except (OSError, UnicodeDecodeError):
        return False


def _sweep(directory: Path) -> None:
    for pattern in _LEFT_BEHIND:
        for stale in directory.glob(pattern):
            with contextlib.suppress(OSError):
                stale.unlink()
    for pack in directory.glob("objects/pack/*.pack"):
        # The pack comes before its index; Git never looks at one that has none.
        if not pack.with_suffix(".idx").exists():
            with contextlib.suppress(OSError):
                pack.unlink()


@dataclass(frozen=True, slots=True)
class Kept:
    """Bytes beside the mirror, for as long as it lives; they are of use for one committer only.

    Whose commits are the updater's own depends on that.
    """

    directory: Path
    committer: str

    def put(self, name: str, content: bytes) -> None:
        """Keep bytes under a name; a full disk keeps nothing."""
        path = self._path(name)
        # A name that ends in .lock is swept away where a crash leaves it behind.
        lock = path.with_name(f"{path.name}.lock")
        with contextlib.suppress(OSError):
            lock.write_bytes(content)
            lock.replace(path)

    def get(self, name: str) -> bytes | None:
        """Return what was kept; None where nothing was, or the mirror was made anew since."""
        try:
            return self._path(name).read_bytes()
        except OSError:
            return None

    def _path(self, name: str) -> Path:
        mark = hashlib.sha256(f"{name}\0{self.committer}".encode()).hexdigest()[:32]
        return self.directory / f"updater-kept-{mark}"
