"""Speaks to a GitLab: one question, one answer or one of the updater's errors; nothing is tried twice.

It hides python-gitlab and HTTP: time-outs, rate limits, redirections, bodies that are no JSON, paging,
and that several connections work at once. The other modules of this package call it with paths of
GitLab's REST API. It never follows a redirection (the token would go along), never sleeps, and never
lets a token into a message.
"""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import gitlab
import requests

from updater import __version__
from updater.errors import ForgeRefused, RateLimited, Unreachable, UpdaterError
from updater.forge.patience import patience

# A decoded JSON object of GitLab's; what is read out of it is checked where it is read.
Body = Mapping[str, Any]

CONNECTIONS = 4
_LONGEST_WORDS = 300

_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


class NotAccepted(Unreachable):
    """GitLab said 401. On a merge this may also mean that the token has no right to merge there."""


class NoAnswer(Unreachable):
    """Nobody answered, or the answer was lost: what was asked may have happened."""


class Broken(Unreachable):
    """GitLab answered with a fault of its own (5xx, no JSON): what was asked may have happened."""


class Refused(ForgeRefused):
    """GitLab said no with a status of 4xx; `words` are its own, on one line."""

    def __init__(self, message: str, *, status: int, words: str) -> None:
        super().__init__(message)
        self.status = status
        self.words = words


class Moved(Unreachable):
    """GitLab answered with a redirection within itself, so nothing happened; `target` is the new URL."""

    def __init__(self, target: str) -> None:
        super().__init__(
            f"GitLab redirects to {target}: check UPDATER_GITLAB_URL and UPDATER_GITLAB_PROJECT.", after=60
        )
        self.target = target


class Client:
    """One GitLab as one token sees it; connects when it is first asked.

    `url` is the instance's address with its root path where it has one. `aim` of a question ends the
    sentence "GitLab would not ...". Methods raise `Unreachable` (`NotAccepted`, `NoAnswer`, `Broken` and
    `Moved` among them), `RateLimited` and `Refused`; `ForgeRefused` where there is no token.
    """

    def __init__(
        self, url: str, token: str, *, ca_file: Path | None, clock: Callable[[], datetime], timeout: float
    ) -> None:
        self.url = url.rstrip("/")
        self.clock = clock
        self._token = token
        self._ca_file = ca_file
        self._timeout = timeout
        self._idle: queue.LifoQueue[gitlab.Gitlab] = queue.LifoQueue()

    def get(self, path: str, aim: str, **query: object) -> Any:
        """Return what lies at a path, decoded."""
        with self._connection(aim) as connection:
            return _decoded(connection.http_get(path, query_data=query))

    def pages(self, path: str, aim: str, **query: object) -> Iterator[Body]:
        """Return the items of a list, asking for the next page only when it is needed."""
        with self._connection(aim) as connection:
            # With an iterator python-gitlab gives no list.
            yield from connection.http_list(path, query_data={"per_page": 100, **query}, iterator=True)

    def post(self, path: str, aim: str, body: Body) -> Any:
        """Make something; once."""
        with self._connection(aim) as connection:
            return _decoded(connection.http_post(path, post_data={**body}))

    def put(self, path: str, aim: str, body: Body) -> Any:
        """Change something; once."""
        with self._connection(aim) as connection:
            return _decoded(connection.http_put(path, post_data={**body}))

    def each(self, act: Callable[[_Item], _Found], items: Sequence[_Item]) -> Sequence[_Found | UpdaterError]:
        """Do the same for many, a few at once; each gets its result or its error.

        Once nobody answers, or patience is asked for, the rest get that error without being tried.
        """
        hopeless: list[UpdaterError] = []

        def attempt(item: _Item) -> _Found | UpdaterError:
            if hopeless:
                return hopeless[0]
            try:
                return act(item)
            except (NoAnswer, NotAccepted, RateLimited) as error:
                hopeless.append(error)
                return error
            except UpdaterError as error:
                return error

        if len(items) < 2:
            return [attempt(item) for item in items]
        with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="forge") as threads:
            return list(threads.map(attempt, items))

    def hang_up(self) -> None:
        """Close the connections; the next question opens new ones."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().session.close()

    @contextlib.contextmanager
    def _connection(self, aim: str) -> Iterator[gitlab.Gitlab]:
        # A session of requests is for one thread at a time.
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = self._connect()
        try:
            with self._own_errors(aim):
                yield connection
        finally:
            self._idle.put(connection)

    def _connect(self) -> gitlab.Gitlab:
        if not self._token:
            raise ForgeRefused(
                f"There is no token for {self.url}: set UPDATER_GITLAB_TOKEN to an access token with the "
                "scope api and at least the role Developer in the config repo's project."
            )
        if not (self._token.isascii() and self._token.isprintable()) or " " in self._token:
            raise ForgeRefused("UPDATER_GITLAB_TOKEN holds characters that no token has: set it anew.")
        connection = gitlab.Gitlab(
            self.url,
            private_token=self._token,
            ssl_verify=str(self._ca_file) if self._ca_file else True,
            timeout=self._timeout,
            user_agent=f"gitops-updater/{__version__}",
            # Servers with a wrong external_url hand out links to pages under another host.
            keep_base_url=True,
        )
        connection.session.hooks["response"].append(self._look_at)
        return connection

    def _look_at(self, answer: requests.Response, *_: object, **__: object) -> None:
        """See every answer first: python-gitlab would follow redirections, and wait without an end."""
        if answer.status_code == 429:
            answer.close()
            after = patience(answer.headers, self.clock())
            raise RateLimited(
                f"GitLab at {self.url} asks to be called less often; it is asked again in {after:.0f} s.",
                after=after,
            )
        if answer.is_redirect:
            answer.close()
            target = urljoin(answer.url, answer.headers["Location"])
            if urlsplit(target)[:2] == urlsplit(self.url)[:2]:
                raise Moved(target)
            origin = "://".join(urlsplit(target)[:2])
            raise Unreachable(
                f"GitLab at {self.url} redirects to {origin}, which is not followed because the token would "
                "go along: set UPDATER_GITLAB_URL to the final address.",
                after=60,
            )

    @contextlib.contextmanager
    def _own_errors(self, aim: str) -> Iterator[None]:
        at = f"GitLab at {self.url}"
        try:
            yield
        except gitlab.GitlabAuthenticationError as error:
            raise NotAccepted(
                f"{at} does not accept the updater's token (401): check that UPDATER_GITLAB_TOKEN is right "
                "and has neither expired nor been revoked.",
                after=60,
            ) from error
        except gitlab.GitlabHttpError as error:
            raise self._refusal(error, aim) from error
        except (gitlab.GitlabParsingError, _NoJson) as error:
            raise self._stranger() from error
        except requests.exceptions.Timeout as error:
            raise NoAnswer(f"{at} did not answer within {self._timeout:g} seconds.") from error
        except requests.exceptions.SSLError as error:
            raise NoAnswer(
                f"{at} shows a certificate that cannot be verified: name the file with its authority's "
                "certificates in UPDATER_GITLAB_CA_FILE.",
                after=60,
            ) from error
        except requests.exceptions.RequestException as error:
            raise NoAnswer(f"{at} cannot be reached, or broke the connection off.") from error
        except OSError as error:
            # requests says so of a bundle that is not there.
            raise NoAnswer(f"The CA certificates at {self._ca_file} cannot be read.", after=60) from error

    def _refusal(self, error: gitlab.GitlabHttpError, aim: str) -> UpdaterError:
        status, words = error.response_code or 0, _words(error.error_message)
        if status < 500 and not (error.response_body or b"").lstrip().startswith(b"{"):
            return self._stranger()
        if status >= 500 or status in (0, 408):
            return Broken(f"GitLab at {self.url} answered {status} when asked to {aim}; it is tried again.")
        return Refused(f"GitLab would not {aim}: {status} {words!r}.", status=status, words=words)

    def _stranger(self) -> Broken:
        return Broken(
            f"GitLab at {self.url} answered something that is no JSON: check that UPDATER_GITLAB_URL is the "
            "address of a GitLab, with its root path where it has one, and that no proxy answers for it.",
            after=60,
        )


class _NoJson(Exception):
    """A 2xx whose body is of another type: most likely the page of something else."""


def _decoded(answer: object) -> Any:
    # python-gitlab hands out the answer itself where its content type is not JSON.
    if isinstance(answer, dict | list):
        return answer
    raise _NoJson


def _words(told: object) -> str:
    """Return GitLab's words on one line: a text, a list of texts, or lists of texts by field."""
    if isinstance(told, Mapping):
        told = [f"{field} {_words(problem)}" for field, problem in told.items()]
    text = "; ".join(map(_words, told)) if isinstance(told, list) else str(told)
    seen = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(seen.split())[:_LONGEST_WORDS]
