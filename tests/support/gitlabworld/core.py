"""The double's state and how it follows the repo: pushes, lagging heads, merges that happen by push.

Everything here runs under `lock`. Nothing answers HTTP; nothing decides what a caller may do.
"""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from support.gitlabworld.repo import Repo
from support.gitlabworld.state import (
    ACTIVE,
    LEVELS,
    MergeRequest,
    Milestone,
    Note,
    Person,
    Pipeline,
    Project,
    Protection,
)

BOT_TOKEN = "glpat-bot-token-not-a-secret"
# Far from every other number, so that one in the wrong place is seen.
_FIRST_PROJECT_ID = 4711


def real_clock() -> datetime:
    """Return the time of day."""
    return datetime.now(UTC)


class Core:
    """What GitLab knows, and its settings as plain attributes that tests change at any time.

    `patience` is how many single GETs answer `checking` after anything changed, `preparing` how many
    answer `preparing` after a merge request was made, `lag` how many GETs (or how much time) a merge
    request's head stays behind a push. `runs_pipelines` is the status in which each pushed head of a
    merge request gets a pipeline (empty: none runs). `merge_method` is merge, rebase_merge or ff.
    """

    def __init__(
        self,
        bare: Path,
        *,
        generation: str = "19.2",
        edition: str = "ce",
        project: str = "ops/config",
        clock: Callable[[], datetime] = real_clock,
    ) -> None:
        assert generation in ("18", "19.2")
        assert edition in ("ce", "ee")
        self.lock = threading.RLock()
        self.generation = generation
        self.edition = edition
        self.clock = clock
        self.repo = Repo(bare)
        self.refs: dict[str, str] = {}
        self.url = ""
        self.shown_url = ""
        self.config = Project(id=_FIRST_PROJECT_ID, path=project)
        self.projects: list[Project] = [self.config]
        self.people: list[Person] = []
        self.requests: list[MergeRequest] = []
        self.pipelines: list[Pipeline] = []
        self.milestones: list[Milestone] = []
        self.protections: list[Protection] = []
        self.breaches: list[str] = []
        self._last_id = 100
        self._settings()
        self.root = self.add_person("root", "owner")
        self.bot = self.add_person("updater-bot", "developer", token=BOT_TOKEN)

    def _settings(self) -> None:
        self.patience = 1
        self.preparing = 0
        self.lag: int | timedelta = 1
        self.runs_pipelines = ""
        self.merge_method = "merge"
        self.approvals_required = 0
        self.must_pass = False
        self.must_resolve = False
        self.sha_required = False
        self.merge_requests_enabled = True
        self.builds_enabled = True
        self.has_token_endpoint = True

    @property
    def project(self) -> str:
        """The path of the config project."""
        return self.config.path

    @property
    def token(self) -> str:
        """The bot's token."""
        return self.bot.token

    @property
    def scopes(self) -> list[str]:
        """What the bot's token may do."""
        return self.bot.scopes

    @scopes.setter
    def scopes(self, scopes: list[str]) -> None:
        self.bot.scopes = scopes

    @property
    def version(self) -> str:
        """What `GET version` answers."""
        return f"{'18.11.2' if self.generation == '18' else '19.2.6'}{'-ee' if self.edition == 'ee' else ''}"

    def next_id(self) -> int:
        """Return a number that was not used yet."""
        self._last_id += 1
        return self._last_id

    def add_person(self, username: str, role: str = "developer", *, token: str = "") -> Person:
        """Add a member of the config project."""
        person = Person(
            id=self.next_id(),
            username=username,
            name=username.replace("-", " ").title(),
            level=LEVELS[role],
            token=token or f"glpat-{username}-not-a-secret",
        )
        self.people.append(person)
        return person

    def person(self, username: str, role: str = "maintainer") -> Person:
        """Return somebody by name; who is not known yet becomes a maintainer."""
        found = [person for person in self.people if person.username.lower() == username.lower()]
        return found[0] if found else self.add_person(username, role)

    def mr(self, iid: int) -> MergeRequest:
        """Return a merge request by its number."""
        for request in self.requests:
            if request.iid == iid:
                return request
        raise AssertionError(f"There is no merge request !{iid}.")

    def protection(self, branch: str) -> list[Protection]:
        """Return the protections that take a branch."""
        return [found for found in self.protections if fnmatch.fnmatchcase(branch, found.pattern)]

    def may(self, person: Person, branch: str, act: str) -> bool:
        """Say whether somebody may `push` to or `merge` into a branch; the most permissive rule wins."""
        levels = [getattr(found, act) for found in self.protection(branch)]
        return person.level >= LEVELS["developer"] and (
            not levels or any(level and person.level >= level for level in levels)
        )

    def is_active(self, request: MergeRequest) -> bool:
        """Say whether the pipeline of a merge request's head still runs."""
        pipeline = self.pipeline_of(request)
        return pipeline is not None and pipeline.sha == request.head and pipeline.status in ACTIVE

    def pipeline_of(self, request: MergeRequest) -> Pipeline | None:
        """Return the newest pipeline of the source branch, which may be another commit's."""
        found = [pipeline for pipeline in self.pipelines if pipeline.ref == request.source]
        return found[-1] if found else None

    def emit(self, event: str, about: object, **more: Any) -> None:
        """Tell the webhooks of an event; the core itself has none."""

    def touch(self, request: MergeRequest) -> None:
        """Mark a merge request as changed now."""
        request.updated = self.clock()

    def add_note(self, request: MergeRequest, author: Person, body: str, *, system: bool = False) -> Note:
        """Write a note on a merge request."""
        now = self.clock()
        note = Note(self.next_id(), author, body, now, now, system)
        request.notes.append(note)
        return note
