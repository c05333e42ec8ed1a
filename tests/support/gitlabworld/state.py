"""What the double of GitLab remembers: people, projects, merge requests, pipelines, deployments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

LEVELS: Mapping[str, int] = {
    "nobody": 0,
    "guest": 10,
    "reporter": 20,
    "developer": 30,
    "maintainer": 40,
    "owner": 50,
}
# Pipelines in these states are still under way.
ACTIVE = frozenset({"created", "waiting_for_resource", "preparing", "pending", "running", "scheduled"})


@dataclass(slots=True, eq=False)
class Person:
    """A user or a bot, and the one token that lets it in."""

    id: int
    username: str
    name: str
    level: int
    token: str
    scopes: list[str] = field(default_factory=lambda: ["api"])
    expires: date | None = None
    revoked: bool = False

    @property
    def email(self) -> str:
        return f"{self.username}@example.com"


@dataclass(slots=True, eq=False)
class Pipeline:
    """A CI pipeline of one commit."""

    id: int
    iid: int
    ref: str
    sha: str
    status: str
    created: datetime
    updated: datetime
    user: Person


@dataclass(slots=True, eq=False)
class Note:
    """A comment; `system` ones GitLab writes itself."""

    id: int
    author: Person
    body: str
    created: datetime
    updated: datetime
    system: bool = False


@dataclass(slots=True, eq=False)
class Deployment:
    """A record of something that went to an environment."""

    id: int
    iid: int
    environment: str
    environment_id: int
    ref: str
    sha: str
    tag: bool
    status: str
    user: Person
    created: datetime
    updated: datetime


@dataclass(slots=True, eq=False)
class Milestone:
    """A milestone of the config project."""

    id: int
    iid: int
    title: str


@dataclass(slots=True, eq=False)
class Project:
    """A project; only the config project has a repo. `level` is what members have at most there."""

    id: int
    path: str
    level: int = 50
    former: list[str] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Protection:
    """The protection of a branch, or of all that a wildcard takes."""

    id: int
    pattern: str
    push: int
    merge: int


@dataclass(frozen=True, slots=True)
class Terms:
    """How a merge was asked for."""

    squash: bool = False
    remove_source: bool = False
    merge_message: str = ""
    squash_message: str = ""


@dataclass(slots=True, eq=False)
class MergeRequest:
    """A merge request as GitLab sees it: `head` may lag behind the branch.

    `seen` is the newest tip of the branch that GitLab was told of, `late` the number of GETs (or
    `late_until` the moment) until `head` follows. `checking` is how many GETs still answer
    `checking`, `preparing` likewise; `checked` is the pair of commits that was checked.
    """

    id: int
    iid: int
    source: str
    target: str
    title: str
    description: str | None
    author: Person
    head: str
    base: str
    created: datetime
    updated: datetime
    state: str = "opened"
    labels: list[str] = field(default_factory=list)
    assignees: list[Person] = field(default_factory=list)
    reviewers: list[Person] = field(default_factory=list)
    milestone: Milestone | None = None
    squash: bool = False
    remove_source: bool | None = None
    seen: str = ""
    late: int = 0
    late_until: datetime | None = None
    preparing: int = 0
    checking: int = 0
    checked: tuple[str, str] = ("", "")
    prepared_at: datetime | None = None
    armed_by: Person | None = None
    armed_with: Terms = Terms()
    merged_at: datetime | None = None
    merged_by: Person | None = None
    closed_at: datetime | None = None
    closed_by: Person | None = None
    merge_commit: str | None = None
    squash_commit: str | None = None
    merge_error: str | None = None
    approvals: list[Person] = field(default_factory=list)
    requested_changes: bool = False
    open_discussions: int = 0
    notes: list[Note] = field(default_factory=list)
    forced_status: str = ""

    @property
    def draft(self) -> bool:
        """Whether the title begins with one of the prefixes that mean a draft."""
        return self.title.lower().startswith(("draft:", "[draft]", "(draft)"))
