"""The shapes of answers, for the OpenAPI document.

They are written by `answers` and the routes; a test holds these models against what those write.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from updater.model import OutcomeKind


class Place(BaseModel):
    """One place where the image's tag is written."""

    chart: str
    file: str
    line: int
    path: str = Field(description="Where in the file, dotted.")
    old: str | None = Field(description="The tag that stood there; null: empty or missing.")
    new: str | None = Field(description="The tag that stands there now.")


class ProposalLink(BaseModel):
    """The proposal an outcome rests on."""

    branch: str
    number: int = Field(description="The merge request's number, 0 where there is none.")
    link: str = Field(description="The merge request's page, empty where there is none.")


class Environment(BaseModel):
    """What became of a request in one environment."""

    environment: str
    outcome: OutcomeKind
    code: str = Field(description="The reason, for machines.")
    reason: str = Field(description="The reason, for people.")
    commit: str = Field(description="Id of the commit, empty where there is none.")
    link: str = Field(description="The page of the commit or merge request, empty where there is none.")
    image: str = Field(description="Which image this is about, where the request is for several.")
    chart: str = Field(description="Which chart this is about, where the request is for several.")
    superseded_by: str
    proposals: list[ProposalLink]
    places: list[Place]
    notes: list[str]


class KnownSource(BaseModel):
    """Where the image came from, as the caller told it; unknown fields are empty."""

    project: str
    commit: str
    ref: str
    pipeline_id: str
    pipeline_url: str
    author: str


class KnownPromotion(BaseModel):
    """What a promotion is to do; no charts means all."""

    origin: str = Field(alias="from")
    environment: str = Field(alias="to")
    charts: list[str]
    allow_older: bool
    reason: str


class Request(BaseModel):
    """A request and what is known of its fate."""

    id: str = Field(description="Empty where nothing was stored (`dry_run`).")
    url: str = Field(description="Where to ask for it again; empty where nothing was stored.")
    state: Literal["pending", "settled"]
    outcome: OutcomeKind | None = Field(description="null while the request is pending.")
    reason: str = Field(description="Why it ended so, or why it still waits; for people.")
    commit: str = Field(description="Id of the first environment's commit, empty where there is none.")
    link: str = Field(description="That commit's or merge request's page, empty where there is none.")
    image: str = Field(description="Empty for a promotion.")
    digest: str | None
    source: KnownSource
    promotion: KnownPromotion | None = Field(description="null for an image that was built.")
    environment: str | None = Field(description="The environment asked for, null for all that take the tag.")
    caller: str
    received_at: datetime
    settled_at: datetime | None
    attempts: int
    retry_at: datetime | None
    problems: list[str] = Field(description="What is wrong just now with what the updater needs.")
    environments: list[Environment]


class Requests(BaseModel):
    """Requests, newest first."""

    updates: list[Request]
    next: str | None = Field(description="Where the next page is, null where there is none.")


class ProposedImage(BaseModel):
    """One image of a proposal."""

    image: str
    previous: list[str] = Field(description="The tags that it takes the place of.")
    charts: list[str]
    replaced: list[str] = Field(description="The tags that were proposed before, the oldest first.")
    requests: list[str] = Field(description="Ids of the requests it came from.")
    requested_by: str
    promoted_from: str = Field(description="The environment it is promoted from, empty for a build.")
    reason: str = Field(description="Why it is promoted, as told.")
    source: str = Field(description="The commit it was built from, empty where nobody said.")
    pipeline: str = Field(description="The pipeline that built it, empty where nobody said.")


class Proposal(BaseModel):
    """A proposal that waits: a branch, and on GitLab its merge request."""

    name: str = Field(description="How it is called in addresses: `environment/name`.")
    environment: str
    branch: str
    target: str = Field(description="The branch it is for.")
    head: str = Field(description="The commit at the end of its branch.")
    title: str
    number: int = Field(description="The merge request's number, 0 where there is none.")
    link: str = Field(description="The merge request's page, empty where there is none.")
    images: list[ProposedImage]
    waits: str = Field(description="Why it is not merged yet, for people.")
    held_by: str = Field(description="Who made a commit on its branch that is not the updater's.")
    diff: str = Field(description="What it changes; empty in a list.")


class Proposals(BaseModel):
    """Proposals that wait."""

    proposals: list[Proposal]


class Decision(BaseModel):
    """What came of approving or closing a proposal."""

    name: str
    environment: str
    outcome: OutcomeKind
    code: str = Field(description="The reason, for machines.")
    reason: str = Field(description="The reason, for people.")
    commit: str = Field(description="Id of the commit on the target branch, empty where there is none.")
    link: str = Field(description="The page of the commit or merge request, empty where there is none.")


class Problem(BaseModel):
    """Problem details, RFC 9457."""

    type: str = Field(description="A path on this server where the problem is explained.")
    title: str
    status: int
    detail: str
    instance: str
    field: str | None = Field(None, description="The part of the request that is wrong, as a dotted path.")


class Unsuccessful(Request):
    """A request that was refused, held or failed, as problem details with the request in them."""

    type: str
    title: str
    status: int
    detail: str
    instance: str


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"]
    version: str


class Readiness(BaseModel):
    """Whether requests can be stored, and what else is wrong."""

    ready: bool
    problems: list[str]
    pending: int | None = Field(description="How many requests are pending; null where nobody can say.")


ALL: tuple[type[BaseModel], ...] = (
    Request,
    Requests,
    Proposal,
    Proposals,
    Decision,
    Problem,
    Unsuccessful,
    Health,
    Readiness,
)
