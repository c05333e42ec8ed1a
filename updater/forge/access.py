"""Finds out early what the token lacks, and when it will expire.

It hides where GitLab tells scopes, expiry and roles. Called by `gitlab`; an outage is no problem of
access and changes nothing.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from updater.errors import TemporaryError
from updater.forge.client import Body, NotAccepted, Refused
from updater.forge.project import NoProject, Project

_ASKED_EVERY = timedelta(hours=1)
_TRIED_EVERY = timedelta(minutes=5)
_WARNED_BEFORE = timedelta(days=14)
# GitLab's number of the role Developer, the least that opens merge requests of branches it pushed.
_DEVELOPER = 30
_SCOPE = "api"


class Access:
    """What is wrong with the updater's access to one project, or soon will be."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._due: datetime | None = None
        self._found: tuple[str, ...] = ()

    def problems(self, now: datetime) -> tuple[str, ...]:
        """Return sentences; asks at most hourly, and sooner only where nobody answered."""
        if self._due is None or now >= self._due:
            self._due = now + _ASKED_EVERY
            try:
                self._found = (*self._of_token(now.date()), *self._of_project())
            except (NotAccepted, NoProject) as error:
                self._found = (str(error),)
            except TemporaryError:
                self._due = now + _TRIED_EVERY
        return self._found

    def _of_token(self, today: date) -> tuple[str, ...]:
        try:
            body = self._project.client.get("/personal_access_tokens/self", "tell of the updater's token")
        except Refused:
            # Other kinds of tokens, and servers before 15.5, know no such thing.
            return ()
        return token_problems(body, today)

    def _of_project(self) -> tuple[str, ...]:
        try:
            return project_problems(self._project.get("", "show the config repo's project"))
        except Refused as refused:
            return (f"{refused} Give the updater's token the scope {_SCOPE}.",)


def token_problems(body: Body, today: date) -> tuple[str, ...]:
    """Say what is wrong with a token, as GitLab describes it (personal access tokens API)."""
    name = f"The updater's GitLab token {body.get('name') or '(unnamed)'!r}"
    found = []
    scopes = body.get("scopes")
    if isinstance(scopes, list) and _SCOPE not in scopes:
        found.append(
            f"{name} has the scopes {', '.join(scopes) or 'none'}, but not {_SCOPE}: without it no merge "
            "request can be opened. Make a token with that scope and set UPDATER_GITLAB_TOKEN."
        )
    if body.get("revoked") or body.get("active") is False:
        found.append(f"{name} is revoked or expired: make a new one and set UPDATER_GITLAB_TOKEN.")
    elif expires := body.get("expires_at"):
        # The token ends as that day begins.
        left = date.fromisoformat(str(expires)[:10]) - today
        if left <= timedelta(0):
            found.append(f"{name} expired on {expires}: make a new one and set UPDATER_GITLAB_TOKEN.")
        elif left <= _WARNED_BEFORE:
            days = "1 day" if left.days == 1 else f"{left.days} days"
            found.append(
                f"{name} expires in {days}, on {expires}: rotate it and set UPDATER_GITLAB_TOKEN before."
            )
    return tuple(found)


def project_problems(body: Body) -> tuple[str, ...]:
    """Say what in a project's settings, or in the token's role there, keeps merge requests away."""
    name = f"The project {body.get('path_with_namespace')!r}"
    found = []
    permissions = body.get("permissions") or {}
    levels = [access["access_level"] for access in permissions.values() if access]
    # An administrator has no role at all, and needs none.
    if levels and max(levels) < _DEVELOPER:
        found.append(
            f"{name} gives the updater's token too small a role (access level {max(levels)}): it needs at "
            f"least Developer ({_DEVELOPER}) to push branches and open merge requests."
        )
    if body.get("merge_requests_access_level") == "disabled" or body.get("merge_requests_enabled") is False:
        found.append(f"{name} has merge requests switched off: switch them on in its settings.")
    if body.get("archived"):
        found.append(f"{name} is archived, so nothing can be changed in it.")
    return tuple(found)
