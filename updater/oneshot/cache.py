"""Where a job's mirror lies: in the folder that is kept between runs, or in one that goes with the job.

Hides how two jobs at once keep out of each other's way: a mirror is for one process. Called by `grounds`.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from updater import wiring
from updater.errors import InvalidSettings
from updater.store.sqlite import LockFile

_DIGITS = 32


@contextmanager
def mirror_folder(cache: Path | None, url: str) -> Iterator[Path]:
    """Give the folder for the mirror of `url`, for this process alone; it need not exist yet.

    It lies in `cache`, and stays. Where there is no `cache`, it cannot be locked, or another process
    works in that folder, it is a new one that is gone afterwards.
    """
    with ExitStack() as stack:
        kept = _kept(stack, cache, url) if cache else None
        if kept is None:
            kept = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="updater-"))) / wiring.MIRROR
        yield kept


def _kept(stack: ExitStack, cache: Path, url: str) -> Path | None:
    # A URL is no name for a file, and may be longer than one.
    name = hashlib.sha256(url.encode()).hexdigest()[:_DIGITS]
    lock = LockFile(cache / f"{name}.lock")
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        stack.enter_context(lock.during())
    except (OSError, InvalidSettings):
        return None
    return cache / f"{name}.git"
