"""Finds the numbers of the people and milestones that the rules name.

GitLab's API takes numbers where people write names. Called by `proposing`, from several threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from updater.forge.client import Body
from updater.forge.project import Project

# A person who joins, or a milestone made later, is found without a restart.
_KEPT = timedelta(hours=1)


class People:
    """The users and milestones that were asked for, each looked up once an hour at most."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[tuple[str, str], tuple[datetime, int | None]] = {}
        self._lock = threading.Lock()

    def user(self, name: str) -> int | None:
        """Return the number of the user with this login, with or without an @; None where nobody has it."""
        login = name.removeprefix("@")
        return self._found("user", login, lambda: self._users(login))

    def milestone(self, title: str) -> int | None:
        """Return the number of the project's (or its groups') milestone of this title, None without one."""
        return self._found("milestone", title, lambda: self._milestones(title))

    def _found(self, kind: str, name: str, look_up: Callable[[], list[Body]]) -> int | None:
        now = self._project.client.clock()
        with self._lock:
            since, number = self._known.get((kind, name), (None, None))
            if since is None or now - since >= _KEPT:
                found = look_up()
                number = int(found[0]["id"]) if found else None
                self._known[kind, name] = (now, number)
            return number

    def _users(self, login: str) -> list[Body]:
        found = self._project.client.get("/users", f"look up the user {login!r}", username=login)
        return [user for user in found if str(user["username"]).casefold() == login.casefold()]

    def _milestones(self, title: str) -> list[Body]:
        aim = f"look up the milestone {title!r}"
        found = self._project.get("/milestones", aim, title=title, include_ancestors="true")
        return [milestone for milestone in found if milestone["title"] == title]
