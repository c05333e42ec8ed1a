"""One job without a server: update, preview and status, on the remote or in a plain folder.

It hides that a one-shot update of the remote takes the server's own road (store, worker, push),
only with a store and a mirror of its own that go when it ends. Called by `cli`.
"""

from __future__ import annotations

import getpass
import logging
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from updater import wiring
from updater.charts import Target
from updater.configrepo import ConfigRepo
from updater.errors import InvalidConfigRepo, InvalidRequest
from updater.folder import Folder
from updater.messages import Messages, whole
from updater.model import Caller, ImageReference, Outcome, OutcomeKind, Record, Source, UpdateRequest
from updater.plan import Plan, Verdict, plan
from updater.policy import RULES_PATH
from updater.settings import Settings
from updater.sight import Sight, look, look_at_folder
from updater.store import Store, Wish
from updater.worker import Worker

# Seconds between the tries of a one-shot update.
_PAUSE = 0.5
# What the worker logs, a one-shot command prints as its result; without a handler it came twice.
logging.getLogger("updater").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a person or a job asks for at the command line."""

    image: ImageReference
    environment: str | None = None
    source: Source = field(default_factory=Source)

    def record(self, outcome: Outcome) -> Record:
        """Return what became of the errand as a record that never was in a store."""
        return Record(request=self.request(), outcome=outcome, settled_at=wiring.now())

    def request(self) -> UpdateRequest:
        """Return the errand as a request that never was in a store."""
        return UpdateRequest(
            id="",
            image=self.image,
            environment=self.environment,
            source=self.source,
            caller=_caller(),
            received_at=wiring.now(),
        )


@dataclass(frozen=True, slots=True)
class FileEdit:
    """One file's content before and after."""

    file: str
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class StandingTag:
    """One place of an image in an environment, and what stands there."""

    environment: str
    target: Target


def update_remote(errand: Errand, timeout: float) -> Record:
    """Write the image into the config repo that the settings name, trying for `timeout` seconds.

    The record is pending, with its reason, where the remote stayed away for so long, and at once
    where only a change of the config repo helps: its rules are broken, or a branch is missing.
    """
    settings = Settings.read(os.environ)
    with tempfile.TemporaryDirectory(prefix="updater-") as folder, _mirror(settings) as repo:
        store = Store(Path(folder), clock=wiring.now)
        try:
            store.lock()
            wish = Wish(
                image=errand.image, caller=_caller(), environment=errand.environment, source=errand.source
            )
            record, _ = store.add(wish)
            worker = Worker(
                store=store,
                repo=repo,
                messages=_messages(settings.templates),
                clock=wiring.now,
                habits=wiring.habits(settings),
            )
            return _work(worker, store, record, timeout)
        finally:
            store.close()


def _work(worker: Worker, store: Store, record: Record, timeout: float) -> Record:
    deadline = wiring.now().timestamp() + timeout
    pause = threading.Event()
    while True:
        worker.tick()
        record = store.get(record.request.id) or record
        is_hopeless = record.attempts > 0 and record.troubled_since is None
        if record.outcome is not None or is_hopeless or wiring.now().timestamp() >= deadline:
            return record
        pause.wait(_PAUSE)


def update_folder(errand: Errand, folder: Path) -> Record:
    """Write the image into a folder in place; nothing at all where anything is refused."""
    files = _checkout(folder)
    outcome, planned = _planned(look_at_folder(files), errand, _messages(None))
    if all(one.kind is not OutcomeKind.REFUSED for one in outcome.environments):
        files.write({path: content for change in planned.changes for path, content in change.files.items()})
    return errand.record(outcome)


def preview(errand: Errand, folder: Path | None) -> tuple[Record, list[FileEdit]]:
    """Return what the errand would do to the remote, or to a folder, and do nothing."""
    with _sight(folder) as sight:
        outcome, planned = _planned(sight, errand, _messages(None))
        after = {
            (change.environment, path): content
            for change in planned.changes
            for path, content in change.files.items()
        }
        edits = [
            FileEdit(path, sight.ground(environment).draft.base.read(path), content)
            for (environment, path), content in after.items()
        ]
        return errand.record(outcome), edits


def standing(environment: str | None, folder: Path | None) -> tuple[list[StandingTag], list[str]]:
    """Return which tag stands where, and what could not be looked at.

    Raises:
        InvalidRequest: the rules know no such environment.
    """
    with _sight(folder) as sight:
        names = [one.name for one in sight.rules.environments]
        if environment is not None and environment not in names:
            raise InvalidRequest(
                f"The rules know no environment {environment!r}; they know {', '.join(names)}."
            )
        places: list[StandingTag] = []
        problems: list[str] = []
        for one in sight.rules.environments:
            ground = sight.grounds[one.name]
            if environment not in (None, one.name):
                continue
            if isinstance(ground, InvalidConfigRepo):
                problems.append(str(ground))
                continue
            places += [StandingTag(one.name, target) for target in ground.survey.all_targets(one.scope)]
            problems += [str(problem) for problem in ground.survey.problems(one.scope)]
        return places, problems


def _planned(sight: Sight, errand: Errand, messages: Messages) -> tuple[Outcome, Plan]:
    planned = plan(sight.rules, sight.grounds, [errand.request()])
    if planned.waiting:
        raise InvalidConfigRepo("; ".join(planned.waiting.values()))
    verdicts = [_without_order(verdict) if sight.is_orderless else verdict for verdict in planned.verdicts]
    return whole([messages.outcome(verdict) for verdict in verdicts]), planned


def _without_order(verdict: Verdict) -> Verdict:
    """Drop the notes that a plain folder without rules, where no order is wanted, would be full of."""
    wanted = tuple(note for note in verdict.notes if note.code not in ("no-order", "adopted"))
    return replace(verdict, notes=wanted)


@contextmanager
def _sight(folder: Path | None) -> Iterator[Sight]:
    if folder is not None:
        yield look_at_folder(_checkout(folder))
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


def _messages(own: Path | None) -> Messages:
    return Messages(wiring.templates(own))


def _caller() -> Caller:
    try:
        return Caller(name=getpass.getuser())
    except (KeyError, OSError):  # a container's user need not have a name
        return Caller(name=f"uid-{os.getuid()}")


def _checkout(folder: Path) -> Folder:
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
