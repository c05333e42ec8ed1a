"""What a job stands on: a worker of its own on the remote, or a plain folder.

Hides that a job has a store of its own, which goes when it ends, and where its mirror is. `acting`,
`looking` and, for the desk and the accounts, `cli` use it.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from updater import wiring
from updater.configrepo import ConfigRepo
from updater.errors import InvalidRequest, UpdaterError
from updater.folder import Folder
from updater.messages import Messages
from updater.oneshot.cache import mirror_folder
from updater.policy import RULES_PATH
from updater.settings import Settings
from updater.store import Store
from updater.worker import Desk, Worker
from updater.worker.accounts import Accounts

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
def accounts() -> Iterator[Accounts]:
    """Give who answers what is where, what was deployed, what is held, and why, on the remote."""
    with open_house() as house:
        yield house.worker.accounts


@contextmanager
def config_repo() -> Iterator[ConfigRepo]:
    """Give the config repo that the settings name, for who only reads it.

    Raises:
        InvalidSettings: they name none, or are wrong.
    """
    with _mirror(Settings.read(os.environ)) as repo:
        yield repo


@contextmanager
def _mirror(settings: Settings) -> Iterator[ConfigRepo]:
    with mirror_folder(settings.cache, settings.repo) as folder:
        repo = wiring.config_repo(settings, folder)
        try:
            yield repo
            if settings.cache is not None:
                # Each run leaves a small pack there; whatever is wrong with it, the next fetch mends.
                with suppress(UpdaterError):
                    repo.tidy()
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
