"""Runs Git: the one place where GitPython is used and where a process could be left behind.

Hides inherited variables, time limits, the long-lived reader of objects, and secrets in Git's words.
Called by the other files of this package, from one thread (`stop` from any); it knows nothing of
branches or commits.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from updater.configrepo.refusals import quote
from updater.configrepo.remote import Environment
from updater.errors import InvalidSettings, TemporaryError, Unreachable

# Where Git is missing, that is told when Git is needed, and not by an import.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

from git import Git
from git.exc import GitCommandNotFound

# Objects asked of one `cat-file --batch`: bounds the memory that holds them twice.
_AT_ONCE = 2048
# Up to so many objects the long-lived reader is quicker than a process of their own.
_FEW = 16
_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


class MirrorDamaged(TemporaryError):
    """The mirror on disk cannot be read; the next fetch or snapshot makes it anew."""

    title = "The copy of the config repo is damaged."


@dataclass(frozen=True, slots=True)
class Finished:
    """A Git command that ended: its status, its output, and its words without secrets."""

    status: int
    output: bytes
    words: str


class _CleanGit(Git):
    """GitPython's process layer without the inherited GIT_* variables, which it would pass on."""

    def execute(self, command: Any, *arguments: Any, **options: Any) -> Any:
        """Start Git in a session of its own: it can be killed as a whole, and ^C does not reach it."""
        options.setdefault("start_new_session", True)
        ours = self.environment().keys() | (options.get("env") or {}).keys()
        foreign = [name for name in os.environ if name.startswith("GIT_") and name not in ours]
        prefix = ["env", *(word for name in foreign for word in ("-u", name))] if foreign else []
        return super().execute([*prefix, *command], *arguments, **options)


class GitCommands:
    """Git commands on one mirror, and the reader of its objects.

    `damaged` turns true where the mirror itself could not be read; who makes it anew turns it back.
    """

    def __init__(self, mirror: Path, environment: Environment, secrets: Iterable[str]) -> None:
        self.damaged = False
        self.mirror = mirror
        self._network = dict(environment.network)
        self._secrets = tuple(secrets)
        self._git = _CleanGit(mirror)
        self._git.update_environment(**environment.local)
        # Guards the two below, which `stop` reads and writes from another thread.
        self._stopping = threading.Lock()
        self._is_stopped = False
        self._talking: Any = None

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        timeout: float | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Finished:
        """Run a command on the mirror alone and return how it ended.

        Raises:
            InvalidSettings: Git is not installed.
            Unreachable: it did not end within `timeout` seconds and was killed.
        """
        return self._finish(self._start(arguments, env or {}), arguments[0], stdin=stdin, timeout=timeout)

    def talk(self, *arguments: str, timeout: float) -> Finished:
        """Run a command that speaks to the remote, with the credentials in its environment.

        Raises:
            InvalidSettings: Git is not installed.
            Unreachable: it did not end within `timeout` seconds, or `stop` was called; it was killed.
        """
        with self._stopping:
            if self._is_stopped:
                raise _stopped(arguments[0])
            process = self._talking = self._start(arguments, self._network)
        try:
            done = self._finish(process, arguments[0], timeout=timeout)
        finally:
            with self._stopping:
                self._talking = None
        if done.status and self._is_stopped:
            raise _stopped(arguments[0])
        return done

    def stop(self) -> None:
        """Kill the command that speaks to the remote, and start no more of them until `resume`.

        The only method that any thread may call.
        """
        with self._stopping:
            self._is_stopped = True
            if self._talking is not None:
                _kill(self._talking)

    def _start(self, arguments: Sequence[str], env: Mapping[str, str]) -> Any:
        try:
            return self._git.execute(
                ["git", *arguments], istream=subprocess.PIPE, as_process=True, env=dict(env)
            )
        except GitCommandNotFound as error:
            raise InvalidSettings(
                "Git is not installed where the updater runs: install git 2.39 or newer."
            ) from error

    def _finish(
        self, process: Any, name: str, *, stdin: bytes = b"", timeout: float | None = None
    ) -> Finished:
        try:
            output, words = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise Unreachable(
                f"The Git server did not finish within {timeout:g} seconds (git {name}).", after=10
            ) from error
        finally:
            _end(process)
        return Finished(process.returncode, output, self.clean(words.decode(errors="replace")))

    def read(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run a command that only a damaged mirror lets fail, and return its output.

        Raises:
            MirrorDamaged: it failed.
        """
        done = self.run(*arguments, stdin=stdin)
        if done.status:
            raise self.damage(done.words)
        return done.output

    def damage(self, words: str) -> MirrorDamaged:
        """Note that the mirror is damaged and return the error that says so."""
        self.damaged = True
        return MirrorDamaged(
            f"The updater's copy of the config repo in {self.mirror} is damaged and made anew: "
            f"{quote(words)}.",
            after=1,
        )

    def objects(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the content of objects by their ids, in the order given.

        Raises:
            MirrorDamaged: one of them is missing or unreadable.
        """
        if len(names) <= _FEW:
            yield from ((name, self._object(name)) for name in names)
            return
        rest = iter(names)
        while some := list(islice(rest, _AT_ONCE)):
            yield from self._batch(some)

    def object_named(self, name: str) -> tuple[str, str, bytes] | None:
        """Return the id, the kind and the content of what a name stands for (gitrevisions(7)).

        None where there is nothing of that name, or where it cannot be asked for on one line.
        """
        if not name or "\n" in name:
            return None
        for _ in range(2):
            try:
                # They come as bytes, whatever GitPython's own types say.
                sha, kind, _, content = self._git.get_object_data(name)
                return _text(sha), _text(kind), bytes(content)
            except ValueError:
                return None
            except OSError:
                # The reader may have been killed from outside: once more with a new one.
                self.close()
        return None

    def _object(self, name: str) -> bytes:
        for _ in range(2):
            try:
                return bytes(self._git.get_object_data(name)[3])
            except (ValueError, OSError):
                # The reader may have been killed from outside: once more with a new one.
                self.close()
        raise self.damage(f"object {name} is missing")

    def _batch(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        output = self.read("cat-file", "--batch", "--buffer", stdin="\n".join(names).encode() + b"\n")
        at = 0
        for name in names:
            end = output.find(b"\n", at)
            fields = output[at:end].split(b" ")
            if len(fields) != 3:
                raise self.damage(f"object {name} is missing")
            at = end + 1 + int(fields[2])
            yield name, output[end + 1 : at]
            at += 1

    def clean(self, words: str) -> str:
        """Return Git's words without secrets and control characters."""
        for secret in self._secrets:
            words = words.replace(secret, "***")
        return _CONTROL.sub("", words)

    def close(self) -> None:
        """End the reader; it starts again when needed."""
        self._git.clear_cache()

    def resume(self) -> None:
        """Let commands speak to the remote again after `stop`."""
        with self._stopping:
            self._is_stopped = False


def _text(word: object) -> str:
    return word.decode() if isinstance(word, bytes) else str(word)


def _stopped(name: str) -> Unreachable:
    return Unreachable(
        f"The talk with the Git server was stopped (git {name}): the updater is shutting down."
    )


def _kill(process: Any) -> None:
    """Kill a process that still runs, with all it started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _end(process: Any) -> None:
    """Kill a process that still runs, with all it started, and close its pipes."""
    _kill(process)
    process.proc.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        with contextlib.suppress(OSError):
            pipe.close()
