"""Builds the real things from the settings, and runs the server; the only place that does.

It hides which class stands behind which door, the real clock, and gunicorn. Called by `cli` and
`oneshot`.
"""

from __future__ import annotations

import importlib.resources
import logging
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any
from wsgiref.types import WSGIApplication

from updater import __version__, logs
from updater.auth import Keys
from updater.configrepo import ConfigRepo, Identity, Remote, Signing
from updater.errors import InvalidSettings
from updater.forge import Forge
from updater.forge.local import Local
from updater.history import Figures
from updater.messages import Messages
from updater.model import (
    Caller,
    Deployment,
    EnvironmentOutcome,
    Hold,
    ImageReference,
    OpenProposal,
    Question,
    Record,
    Status,
    Why,
)
from updater.settings import Settings
from updater.sight import target_of
from updater.store import PromotionWish, RollbackWish, Store
from updater.worker import Doors, Habits, Worker

log = logging.getLogger(__name__)

MIRROR = "mirror.git"
# How long a stop waits for the round under way; twice this is less than gunicorn waits for us.
ROUND_SECONDS = 8.0


def now() -> datetime:
    """Return the time; every other module is handed this as its clock."""
    return datetime.now(UTC)  # noqa: TID251 - the one real clock


def templates(own: Path | None) -> Callable[[str], str]:
    """Return a reader of templates: the operator's own first, else the shipped one.

    The shipped ones lie inside the package where it is installed, and one folder up in a checkout
    (docs/decisions/006-templates-at-top-level.md).
    """
    package = Path(str(importlib.resources.files("updater")))
    shipped = next(
        folder for folder in (package / "templates", package.parent / "templates") if folder.is_dir()
    )

    def read(name: str) -> str:
        folders = [folder for folder in (own, shipped) if folder is not None]
        path = next(folder / name for folder in folders if (folder / name).is_file())
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise InvalidSettings(f"The template {path} cannot be read as UTF-8 text.") from problem

    return read


def config_repo(settings: Settings, mirror: Path) -> ConfigRepo:
    """Return the door to the config repo; nothing is fetched yet."""
    author, committer = settings.author, settings.committer
    remote = Remote(
        url=settings.repo,
        token=settings.repo_token or None,
        user=settings.repo_user,
        ssh_key_file=settings.repo_ssh_key,
        known_hosts_file=settings.repo_known_hosts,
        ca_file=settings.repo_ca,
    )
    identity = Identity(author.name, author.mail, committer.name, committer.mail)
    return ConfigRepo(remote, mirror, identity=identity, signing=_signing(settings))


def _signing(settings: Settings) -> Signing | None:
    if settings.signing_gpg_key:
        return Signing("gpg", settings.signing_gpg_key)
    return Signing("ssh", str(settings.signing_ssh_key)) if settings.signing_ssh_key else None


def forge(settings: Settings, repo: ConfigRepo) -> Forge:
    """Return the door to the merge requests; nothing is asked yet."""
    if settings.forge == "local":
        return Local(repo, now, partial(target_of, repo))
    from updater.forge.gitlab import GitLab  # noqa: PLC0415 - a third of a second that only GitLab's users pay

    return GitLab(
        settings.gitlab_url,
        settings.gitlab_project,
        settings.gitlab_token,
        ca_file=settings.gitlab_ca,
        clock=now,
    )


def doors(settings: Settings, store: Store, repo: ConfigRepo) -> Doors:
    """Return the doors of a worker."""
    return Doors(
        store=store,
        repo=repo,
        forge=forge(settings, repo),
        messages=Messages(templates(settings.templates)),
        clock=now,
    )


def habits(settings: Settings) -> Habits:
    """Return how patient the worker is."""
    return Habits(
        give_up_after=settings.give_up_after,
        poll=settings.poll,
        link=lambda commit: settings.commit_url.replace("{commit}", commit),
    )


def keys(settings: Settings) -> Keys:
    """Return who may call, read from the tokens file."""
    if settings.tokens is None:
        return Keys(open_to_anyone=settings.let_in)
    return Keys.parse(
        settings.tokens.read_bytes(), lambda name: Path(name).read_bytes(), source=str(settings.tokens)
    )


@dataclass(frozen=True, slots=True)
class _Asking:
    """The worker's desk and accounts for other threads: every question is answered by the worker's own."""

    worker: Worker

    def proposals(self) -> Sequence[OpenProposal]:
        return self.worker.ask(self.worker.desk.proposals)

    def proposal(self, name: str) -> OpenProposal | None:
        return self.worker.ask(lambda: self.worker.desk.proposal(name))

    def approve(self, name: str, *, caller: Caller, head: str | None) -> EnvironmentOutcome:
        return self.worker.ask(lambda: self.worker.desk.approve(name, caller=caller, head=head))

    def close(self, name: str, *, caller: Caller, reason: str) -> EnvironmentOutcome:
        return self.worker.ask(lambda: self.worker.desk.close(name, caller=caller, reason=reason))

    def preview(self, wish: PromotionWish | RollbackWish) -> Record:
        return self.worker.ask(lambda: self.worker.desk.preview(wish))

    def history(self, question: Question) -> Sequence[Deployment]:
        return self.worker.ask(lambda: self.worker.accounts.history(question))

    def figures(self, question: Question) -> Sequence[Figures]:
        return self.worker.ask(lambda: self.worker.accounts.figures(question))

    def holds(self, environment: str) -> Sequence[Hold]:
        return self.worker.ask(lambda: self.worker.accounts.holds(environment))

    def status(self, environment: str, chart: str) -> Status:
        return self.worker.ask(lambda: self.worker.accounts.status(environment, chart))

    def why(self, image: ImageReference, environment: str | None) -> Sequence[Why]:
        accounts = self.worker.accounts
        return self.worker.ask(lambda: accounts.why(image, environment, has_requests=True))

    def hint(self) -> None:
        self.worker.hint()


@dataclass
class Server:
    """The rooms of one serving process: made after gunicorn's fork, because the store has a thread."""

    settings: Settings

    def open(self) -> WSGIApplication:
        """Build everything and return the WSGI application; the worker does not run yet."""
        from updater.web import Rooms, create_app  # noqa: PLC0415 - half a second that only a server pays

        settings = self.settings
        self.store = Store(settings.data, clock=now)
        self.store.lock()
        self.repo = config_repo(settings, settings.data / MIRROR)
        self.doors = doors(settings, self.store, self.repo)
        self.worker = Worker(self.doors, habits(settings))
        self.thread = threading.Thread(target=self._work, name="worker", daemon=True)
        return create_app(
            Rooms(
                store=self.store,
                desk=_Asking(self.worker),
                clock=now,
                keys=keys(settings),
                hook_secret=settings.gitlab_hook_secret,
                problems=self._problems,
                version=__version__,
                threads=settings.threads,
                public_url=settings.public_url,
            )
        )

    def _work(self) -> None:
        self.worker.run()
        self.doors.forge.hang_up()
        self.repo.close()

    def _problems(self) -> tuple[str, ...]:
        if self.thread.is_alive() or self.worker.is_stopping:
            return self.worker.problems
        return (*self.worker.problems, "The worker has ended, so nothing is written: restart the server.")

    def start(self) -> None:
        """Start the worker, and hear SIGTERM first: gunicorn waits for callers before it tells us."""
        self.thread.start()
        gunicorns = signal.getsignal(signal.SIGTERM)

        def terminate(number: int, frame: FrameType | None) -> None:
            # Not in the handler itself: it may have interrupted whoever holds a lock that this needs.
            threading.Thread(target=self.stop, daemon=True).start()
            if callable(gunicorns):
                gunicorns(number, frame)

        signal.signal(signal.SIGTERM, terminate)

    def stop(self) -> None:
        """Answer who waits, and end the worker; a remote that hangs is not waited for."""
        self.store.dismiss()
        self.worker.stop()
        self.thread.join(ROUND_SECONDS)
        if self.thread.is_alive():
            self.repo.abort()

    def close(self) -> None:
        """End everything: the worker after the round it is in, then the store."""
        self.stop()
        self.thread.join(ROUND_SECONDS)
        self.store.close()


def serve(settings: Settings) -> None:
    """Run the server until it is told to stop; does not return.

    Raises:
        InvalidSettings: something is wrong that can be found before the first request.
    """
    from gunicorn.app.base import BaseApplication  # noqa: PLC0415 - only a server pays for it
    from gunicorn.glogging import Logger  # noqa: PLC0415

    logs.set_up(settings.log, settings.log_level)
    _check(settings)
    server = Server(settings)

    class OurLog(Logger):  # type: ignore[misc]
        """gunicorn's own lines through our log; requests are logged by `web`."""

        def setup(self, cfg: Any) -> None:
            self.cfg = cfg
            self.error_log.propagate = True

        def access(self, *_: object) -> None:
            pass

        def reopen_files(self) -> None:
            pass

    class Application(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
        def load_config(self) -> None:
            for name, value in _gunicorn_settings(settings, server).items():
                self.cfg.set(name, value)
            self.cfg.set("logger_class", OurLog)

        def load(self) -> WSGIApplication:
            return server.open()

    Application().run()


def _check(settings: Settings) -> None:
    """Find what is wrong before a process is forked, so that it is said once and plainly."""
    from updater.web import Sender  # noqa: PLC0415 - half a second that only a server pays

    known = keys(settings)
    Messages(templates(settings.templates))
    config_repo(settings, settings.data / MIRROR).close()
    store = Store(settings.data, clock=now)
    try:
        store.lock()
    finally:
        store.close()
    if settings.gitlab_hook_secret:
        Sender(settings.gitlab_hook_secret)
    log.info(
        "Starting version %s for %s (%s); callers: %d, GitLab's hooks: %s.",
        __version__,
        settings.repo,
        settings.forge,
        len(known.callers),
        "on" if settings.gitlab_hook_secret else "off",
    )
    if settings.tokens is None and not settings.let_in:
        log.warning(
            "No callers' tokens are set, so nobody gets in: set UPDATER_TOKENS_FILE (docs/settings.md)."
        )
    if settings.let_in:
        log.warning("UPDATER_LET_IN is set: everybody who reaches the port may write. This is for a laptop.")


def _gunicorn_settings(settings: Settings, server: Server) -> dict[str, Any]:
    host, port = settings.listen
    return {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        # One process: it owns the mirror and the committer (docs/decisions/003-lease-not-pop.md).
        "workers": 1,
        "worker_class": "gthread",
        "threads": settings.threads,
        "timeout": 120,
        "graceful_timeout": 20,
        "keepalive": 75,
        "control_socket_disable": True,
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108 - a heartbeat file
        "post_worker_init": lambda _worker: server.start(),
        "worker_exit": lambda _arbiter, _worker: server.close(),
    }
