"""The double's front door: one port for the API and for Git, with faults on demand."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from support.gitlabworld import api
from support.gitlabworld.routing import Answer
from support.gitlabworld.state import Person
from support.gitserver import GitDoor, Listener

if TYPE_CHECKING:
    from support.gitlabworld.faults import Fault
    from support.gitlabworld.world import GitLabWorld

_GIT = re.compile(r"/(?P<project>.+?)\.git/(?P<rest>info/refs|git-upload-pack|git-receive-pack)\Z")
_BAD_GATEWAY = Answer(
    502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", {"Content-Type": "text/html"}
)


@dataclass(frozen=True, slots=True)
class Call:
    """One API call as it came; `status` is 0 where no answer went out."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    body: bytes
    status: int

    @property
    def short(self) -> str:
        """Method and path below the project: `PUT merge_requests/1/merge`."""
        return f"{self.method} {below_project(self.path)}"


def below_project(path: str) -> str:
    """Return an API path without its prefix and without the project."""
    inner = path.removeprefix(api.PREFIX)
    return re.sub(r"^projects/[^/]+/?", "", inner) or "project"


class Door(GitDoor):
    """One connection to the double."""

    server: WorldListener

    def do_PUT(self) -> None:  # noqa: N802 (the base class's name)
        self._answer()

    def do_DELETE(self) -> None:  # noqa: N802 (the base class's name)
        self._answer()

    def _answer(self) -> None:
        world = self.server.world
        path = self.path.removeprefix(world.root_path)
        plain, _, query = path.partition("?")
        found = _GIT.match(plain)
        if world.is_away:
            self._body()
            self._go(None if world.away_status is None else _BAD_GATEWAY)
        elif found:
            self._git(found["project"], found["rest"], query)
        elif plain.startswith(api.PREFIX) and self.path.startswith(world.root_path):
            self._api(path)
        else:
            self._body()
            self._go(Answer(404, b"<html>404</html>", {"Content-Type": "text/html"}))

    def _api(self, path: str) -> None:
        world, body = self.server.world, self._body()
        plain, _, query = path.partition("?")
        if world.latency:
            time.sleep(world.latency)
        fault = world.faults.take(self.command, below_project(plain))
        if fault is None or fault.acts:
            with world.lock:
                answer: Answer | None = api.answer(world, self.command, path, self._fields(), body)
        if fault is not None:
            answer = self._failed(fault)
        status = answer.status if answer else 0
        world.calls.append(Call(self.command, plain, parse_qs(query), body, status))
        self._go(answer)

    def _failed(self, fault: Fault) -> Answer | None:
        if fault.status == "hang":
            self.server.world.faults.healed.wait()
        if not isinstance(fault.status, int):
            return None
        headers = {"Content-Type": "text/plain" if fault.status == 429 else "application/json"}
        if fault.retry_after:
            headers["Retry-After"] = fault.retry_after
        default = "Retry later\n" if fault.status == 429 else '{"message":"Something went wrong"}'
        return Answer(fault.status, (fault.body or default).encode(), headers)

    def _git(self, project: str, rest: str, query: str) -> None:
        world = self.server.world
        person = self._pusher()
        if person is None:
            self._body()
            self._go(Answer(401, b"", {"WWW-Authenticate": 'Basic realm="GitLab"'}))
            return
        if project.lower() not in (world.project.lower(), *map(str.lower, world.config.former)):
            self._body()
            self._go(Answer(404, b"The project you were looking for could not be found.\n"))
            return
        self.path = f"/{world.repo.bare.name}/{rest}" + (f"?{query}" if query else "")
        super()._answer()
        if rest == "git-receive-pack":
            world.notice(person)

    def _pusher(self) -> Person | None:
        """Return whose token the password is; any user name will do, as on GitLab."""
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        password = base64.b64decode(given).decode().partition(":")[2]
        world = self.server.world
        for person in world.people:
            expired = person.expires and person.expires <= world.clock().date()
            if password and person.token == password and not person.revoked and not expired:
                return person
        return None

    def _fields(self) -> Mapping[str, str]:
        names = ("PRIVATE-TOKEN", "Authorization", "Content-Type")
        return {name: self.headers[name] for name in names if name in self.headers}

    def _go(self, answer: Answer | None) -> None:
        if answer is None:
            self._hang_up()
        else:
            self._send(answer.status, {"Content-Type": "application/json", **answer.headers}, answer.raw)


class WorldListener(Listener):
    """Listens for a world."""

    door = Door

    def __init__(self, address: tuple[str, int], world: GitLabWorld) -> None:
        self.world = world
        super().__init__(address, world.git)
