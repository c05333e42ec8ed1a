"""What a job stands on: a worker of its own on the remote, a look at the remote, or a plain folder.

Hides that a job has a store and a mirror of its own, which go when it ends. `acting`, `looking` and,
for the desk, `cli` use it.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from updater import wiring
from updater.configrepo import ConfigRepo
from updater.errors import InvalidRequest
from updater.folder import Folder
from updater.messages import Messages
from updater.policy import RULES_PATH
from updater.settings import Settings
from updater.sight import Sight, look, look_at_folder
from updater.store import Store
from updater.worker import Desk, Worker

# What the worker logs, a one-shot command prints as its result; without a handler it came twice.
logging.getLogger("updater").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class House:
    """A worker with what it works on, for the length of one job."""

    store: Store
    repo: ConfigRepo
    worker: Worker
    messages: Messages


@contextmanager
def open_house() -> Iterator[House]:
    """Give a worker on the remote that the settings name.

    Raises:
        InvalidSettings: they name none, or are wrong.
    """
    settings = Settings.read(os.environ)
    with tempfile.TemporaryDirectory(prefix="updater-") as folder, _mirror(settings) as repo:
        store = Store(Path(folder), clock=wiring.now)
        try:
            store.lock()
            doors = wiring.doors(settings, store, repo)
            yield House(store, repo, Worker(doors, wiring.habits(settings)), doors.messages)
        finally:
            store.close()


@contextmanager
def desk() -> Iterator[Desk]:
    """Give the desk where proposals on the remote are listed, shown, approved and closed."""
    with open_house() as house:
        yield house.worker.desk


@contextmanager
def sight_of(folder: Path | None) -> Iterator[Sight]:
    """Give a look at the remote that the settings name, or at a folder."""
    if folder is not None:
        yield look_at_folder(checkout(folder))
        return
    with _mirror(Settings.read(os.environ)) as repo:
        repo.fetch()
        yield look(repo, {})


@contextmanager
def _mirror(settings: Settings) -> Iterator[ConfigRepo]:
    with tempfile.TemporaryDirectory(prefix="updater-") as folder:
        repo = wiring.config_repo(settings, Path(folder) / wiring.MIRROR)
        try:
            yield repo
        finally:
            repo.close()


def shipped() -> Messages:
    """Return the texts for a folder, which is worked on without any settings."""
    return Messages(wiring.templates(None))


def checkout(folder: Path) -> Folder:
    """Return the folder, which must not lie below rules that it would not obey.

    Raises:
        InvalidRequest: it is a part of a checkout that has rules.
    """
    here = folder.absolute()
    if not (here / RULES_PATH).exists():
        above = next((parent for parent in here.parents if (parent / RULES_PATH).is_file()), None)
        if above is not None:
            raise InvalidRequest(f"{folder} lies in {above}, which has rules: name that folder.")
    return Folder(folder)
