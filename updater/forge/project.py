"""One project of a GitLab, by its path or number; also after somebody moved it.

It hides how a path gets into a URL and that GitLab redirects the old path of a moved project: its
number, which stays, is then used instead. Called by the other modules of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from updater.errors import Unreachable
from updater.forge.client import Body, Client, Moved, Refused

_Answer = TypeVar("_Answer")


class NoProject(Unreachable):
    """GitLab does not know the project, or does not show it to the token.

    Only the operator can mend that, and no request is to blame: so it may work later.
    """


class Project:
    """Questions about one project; paths begin below it. Errors are those of `Client`, and `NoProject`."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name.strip("/")
        self._reference = quote(self.name, safe="")

    def get(self, path: str, aim: str, **query: object) -> Any:
        """Return what lies at a path of the project."""
        return self._ask(lambda project: self.client.get(project + path, aim, **query))

    def pages(self, path: str, aim: str, **query: object) -> Iterator[Body]:
        """Return the items of a list; all of them, or as many as are taken."""

        def start(project: str) -> tuple[Iterator[Body], Body | None]:
            items = self.client.pages(project + path, aim, **query)
            # The first page is fetched here, where a redirection can be answered.
            return items, next(items, None)

        rest, first = self._ask(start)
        if first is not None:
            yield first
            yield from rest

    def post(self, path: str, aim: str, body: Body) -> Any:
        """Make something in the project; once."""
        return self._ask(lambda project: self.client.post(project + path, aim, body))

    def put(self, path: str, aim: str, body: Body) -> Any:
        """Change something in the project; once."""
        return self._ask(lambda project: self.client.put(project + path, aim, body))

    def _ask(self, ask: Callable[[str], _Answer]) -> _Answer:
        try:
            return self._known(ask)
        except Moved:
            # A redirected question did nothing, so it may be asked again: also one that writes.
            self._reference = self._known(self._number)
        return self._known(ask)

    def _known(self, ask: Callable[[str], _Answer]) -> _Answer:
        try:
            return ask(f"/projects/{self._reference}")
        except Refused as refused:
            # What GitLab answers a write under the old path; a read is redirected.
            if refused.status == 405 and "moved project" in refused.words:
                raise Moved(f"the number of {self.name!r}") from refused
            if refused.status == 404 and "project" in refused.words.lower():
                raise NoProject(
                    f"GitLab at {self.client.url} knows no project {self.name!r}, or does not show it to the "
                    "updater: check its name in UPDATER_GITLAB_PROJECT, and that the token may see it.",
                    after=60,
                ) from refused
            raise

    def _number(self, path: str) -> str:
        aim = f"say where the project {self.name!r} went"
        try:
            return str(self.client.get(path, aim)["id"])
        except Moved as moved:
            base = f"{urlsplit(self.client.url).path}/api/v4"
            target = urlsplit(moved.target).path
            if not target.startswith(f"{base}/projects/"):
                # Most likely the page to sign in.
                raise
            return str(self.client.get(target.removeprefix(base), aim)["id"])
