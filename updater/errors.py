"""What can go wrong, as types: the type says what the caller can do about it.

Every other module raises these and nothing else. They are caught in two places: the error handlers
of `web` and `worker.tick` (the command line turns them into exit codes in `cli`). Anything that is
not an `UpdaterError` is a bug. A "no" is not an error: a wrong tag or an older build is an outcome
with a reason (`model.Outcome`).

Each message is a whole sentence for a person: what happened, where, and what to do next. Nothing
secret may be put into one: messages reach logs, answers and the database.
"""

from __future__ import annotations


class UpdaterError(Exception):
    """Base of everything the updater raises on purpose."""

    title = "The updater could not do this."


class InvalidRequest(UpdaterError):
    """The caller's bytes make no sense; the caller must change them (HTTP 400, exit code 2).

    `field` names the part of the request that is wrong, as a dotted path ("source.commit"), or is
    empty where the whole is.
    """

    title = "The request makes no sense."

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class KeyReused(InvalidRequest):
    """An `Idempotency-Key` came again with a different request (HTTP 422)."""

    title = "The Idempotency-Key was used for another request."


class NotAuthenticated(UpdaterError):
    """Nobody known is calling (HTTP 401)."""

    title = "The caller is not known."


class NotAllowed(UpdaterError):
    """The caller is known and may not do this (HTTP 403)."""

    title = "The caller may not do this."


class ActRefused(UpdaterError):
    """What a person asked for cannot be done as things stand (HTTP 409, exit code 1)."""

    title = "This cannot be done as things stand."


class InvalidSettings(UpdaterError):
    """The operator's settings make no sense; the process does not start (exit code 2)."""

    title = "A setting is wrong."


class InvalidConfigRepo(UpdaterError):
    """The config repo cannot be understood at this commit: rules that do not parse, no branch.

    Requests stay pending with this reason and are planned again when the branch moves. `path`,
    `line` and `column` (1-based; 0 where there is none) say where.
    """

    title = "The config repo cannot be understood as it is."

    def __init__(self, message: str, *, path: str = "", line: int = 0, column: int = 0) -> None:
        where = ":".join(str(part) for part in (path, line, column) if part)
        super().__init__(f"{where}: {message}" if where else message)
        self.path = path
        self.line = line
        self.column = column


class EditRefused(UpdaterError):
    """A file cannot be edited safely; nothing was changed.

    `line` and `column` (1-based; 0 where the whole file is meant) say where, `problem` why. `file`
    is filled in by whoever knows the name.
    """

    title = "The file cannot be edited safely."

    def __init__(self, problem: str, *, line: int = 0, column: int = 0, file: str = "") -> None:
        where = ":".join(str(part) for part in (file, line, column) if part)
        super().__init__(f"{where}: {problem}" if where else problem)
        self.problem = problem
        self.line = line
        self.column = column
        self.file = file

    def within(self, file: str) -> EditRefused:
        """Return the same refusal with the file's name in it."""
        return EditRefused(self.problem, line=self.line, column=self.column, file=file)


class TemporaryError(UpdaterError):
    """It may work later: the request is deferred, never settled. `after` is in seconds."""

    title = "This did not work just now."

    def __init__(self, message: str, *, after: float = 5.0) -> None:
        super().__init__(message)
        self.after = after


class PushRejected(TemporaryError):
    """The branch moved between planning and pushing: plan again at once."""

    title = "The branch moved."


class Unreachable(TemporaryError):
    """Git, the database or the network is away."""

    title = "A server cannot be reached."


class RateLimited(TemporaryError):
    """A server asked for patience: `after` is how long, in seconds."""

    title = "A server asked to be called less often."


class PermanentError(UpdaterError):
    """It will not get better by itself: the request settles as `failed`."""

    title = "This cannot work as things are set up."


class PushForbidden(PermanentError):
    """The server refused the push: protected branch, missing right, a hook that said no.

    The message quotes the server's own words.
    """

    title = "The Git server refused the push."


class ForgeRefused(PermanentError):
    """The forge refused for good: a missing right or scope, or a value it does not take.

    The message quotes the server's own words.
    """

    title = "The forge refused this."
