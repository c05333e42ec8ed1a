"""GitLab's webhooks: each is a hint that something may have changed, and nothing more.

This module hides which events matter. What a hook says is never used: the worker reads the truth from
GitLab's API, and finds it by looking from time to time where no hook comes. So a body is read to its
end, for its signature and so that the sender is heard out, and dropped.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request
from flask_openapi3.openapi import OpenAPI

from updater.errors import NotAllowed, NotAuthenticated
from updater.web import openapi, problems
from updater.web.bodies import read_parts
from updater.web.problems import problem
from updater.web.rooms import rooms
from updater.web.signatures import Sender

# The largest body GitLab sends; larger events are not sent at all.
MAX_HOOK = 25 * 1024 * 1024
EVENTS = frozenset({"Merge Request Hook", "Push Hook", "Pipeline Hook"})


def install(app: OpenAPI, secret: str) -> None:
    """Add the route; without a secret it takes nothing.

    Raises:
        InvalidSettings: the secret is none.
    """
    app.post(
        "/hooks/gitlab",
        summary="Take a webhook of GitLab",
        **openapi.operation(
            "postGitlabHook",
            openapi.HOOKS,
            {204: {"description": "It was heard, or it is of no interest; nothing needs to be sent again."}},
            problems_of=(
                problems.INVALID,
                problems.UNAUTHENTICATED,
                problems.FORBIDDEN,
                problems.TOO_LARGE,
                problems.BUG,
            ),
            security=openapi.HOOK_SECURITY,
            parameters=[openapi.GITLAB_EVENT],
            requestBody=openapi.HOOK_BODY,
        ),
    )(_listener(Sender(secret) if secret else None))


def _listener(sender: Sender | None) -> Callable[[], Response]:
    def hear() -> Response:
        """Take a hint from who knows the secret."""
        if sender is None:
            raise NotAllowed(
                "This server takes no webhooks: its operator must set UPDATER_GITLAB_HOOK_SECRET, and the "
                "same value for the hook in GitLab."
            )
        try:
            proof = sender.proof(_header, rooms().clock())
            for part in read_parts(request.stream, request.content_length, limit=MAX_HOOK):
                proof.update(part)
            proof.check()
        except NotAuthenticated as error:
            challenge = {"WWW-Authenticate": 'X-Gitlab-Token realm="updater"'}
            return problem(problems.UNAUTHENTICATED, str(error), headers=challenge)
        # Never a complaint about an event that is of no interest: GitLab counts those as failures and
        # switches the hook off.
        if _header("X-Gitlab-Event") in EVENTS:
            rooms().desk.hint()
        return Response(status=204)

    return hear


def _header(name: str) -> str:
    return request.headers.get(name, "")
