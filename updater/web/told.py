"""The shapes of answers, for the OpenAPI document.

They are written by `answers` and the routes; a test holds these models against what those write.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from updater.model import DeploymentKind, OutcomeKind, Until


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
    committed_at: str


class KnownPromotion(BaseModel):
    """What a promotion is to do; no charts means all."""

    origin: str = Field(alias="from")
    environment: str = Field(alias="to")
    charts: list[str]
    allow_older: bool
    reason: str


class KnownRollback(BaseModel):
    """What a rollback is to take back; texts that were not said are empty."""

    chart: str
    to: str = Field(description="The tag or commit that shall stand again.")
    commit: str
    alone: bool
    reason: str


class KnownHold(BaseModel):
    """What a hold keeps out, or a release lets in; no image means all of the chart, no build all builds."""

    chart: str
    image: str
    build: str
    release: bool
    reason: str


class KnownOverride(BaseModel):
    """That holds and freezes are overridden."""

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
    image: str = Field(description="Empty for a promotion, a rollback, a hold and a release.")
    digest: str | None
    source: KnownSource
    promotion: KnownPromotion | None = Field(description="null for what is no promotion.")
    rollback: KnownRollback | None = Field(description="null for what is no rollback.")
    hold: KnownHold | None = Field(description="null for what is neither a hold nor a release.")
    override: KnownOverride | None = Field(description="null where holds and freezes count.")
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


class MovedChart(BaseModel):
    """A chart that a deployment moved."""

    chart: str
    previous: str | None = Field(description="The tag that stood there before; null: none.")


class Deployment(BaseModel):
    """One image that got one tag in one environment by one commit of its branch."""

    environment: str
    image: str = Field(description="The repository, without its tag.")
    tag: str | None = Field(description="null: the place was emptied or removed.")
    digest: str | None
    charts: list[MovedChart]
    version: str = Field(description="The version that the chart rose to, empty where it kept its own.")
    kind: DeploymentKind
    by: str
    at: datetime = Field(description="The time of the commit.")
    commit: str
    subject: str = Field(description="The first line of the commit's message.")
    requests: list[str] = Field(description="Ids of the requests it came from.")
    merge_request: str = Field(description="What people call it, empty where there was none.")
    source: str = Field(description="The commit it was built from, empty where nobody said.")
    source_time: datetime | None = Field(description="The time of that commit.")
    pipeline: str
    promoted_from: str = Field(description="The environment it was promoted from, empty for a build.")
    reason: str = Field(description="Why, as told.")
    override: bool = Field(description="Whether a hold or a freeze was overridden.")
    reverts: list[str] = Field(description="The commits that it took back.")
    reverted_by: str = Field(description="The commit that took it back, empty where none did.")
    reverted_charts: list[str] = Field(description="The charts in which it was taken back.")


class History(BaseModel):
    """Deployments, newest first."""

    deployments: list[Deployment]
    next: str | None = Field(description="Where the next page is, null where there is none.")


class Figures(BaseModel):
    """What a span of time says of one chart of an environment, or of all of it; spans are seconds."""

    environment: str
    chart: str = Field(description="Empty: the whole environment.")
    deployments: int
    per_week: float
    lead_time: int | None = Field(description="The median from the source's commit to the deployment.")
    lead_times: int = Field(description="How many deployments know when their source was committed.")
    fail_rate: float | None = Field(description="The share of deployments that were taken back.")
    restore_time: int | None = Field(description="The median until they were.")


class SpanFigures(BaseModel):
    """The figures of a span of time."""

    figures: list[Figures]


class Held(BaseModel):
    """What is kept out of an environment: a build and those that are not newer."""

    environment: str
    chart: str
    image: str = Field(description="The repository; empty: all images of the chart.")
    build: str = Field(description="Empty: all builds.")
    until: Until = Field(description="What ends it: a newer build, or only a release.")
    by: str
    at: datetime | None
    reason: str
    commit: str = Field(description="The commit by which a person took the build back, if that is why.")


class Holds(BaseModel):
    """What is held."""

    holds: list[Held]


class Waiting(BaseModel):
    """A tag that is proposed for a place."""

    tag: str
    name: str = Field(description="The name of the proposal.")
    link: str = Field(description="The merge request's page, empty where there is none.")


class Standing(BaseModel):
    """What stands at one place, since when, and what is in its way."""

    environment: str
    chart: str
    repository: str = Field(description="The repository with its host.")
    tag: str | None = Field(description="null: none stands there.")
    digest: str | None
    file: str
    line: int
    path: str = Field(description="Where in the file, dotted.")
    since: datetime | None = Field(description="When it was deployed; null where the history does not tell.")
    by: str
    commit: str
    kind: DeploymentKind | Literal[""]
    origin: str = Field(description="The environment whose tags come here by promotion, empty for none.")
    origin_tag: str | None = Field(description="What stands there, null where that is no other tag.")
    holds: list[Held]
    pause: str = Field(description="Why nothing goes out there just now, empty where it does.")
    waiting: list[Waiting]


class Status(BaseModel):
    """What is where."""

    places: list[Standing]
    problems: list[str] = Field(description="What could not be looked at.")


class AskedBefore(BaseModel):
    """What became of a request for the image."""

    id: str
    received_at: datetime
    outcome: OutcomeKind | None = Field(description="null while it is pending.")
    reason: str


class Why(BaseModel):
    """Why an image is, or is not, in one environment."""

    environment: str = Field(description="Empty where no environment takes the tag.")
    image: str
    stands: bool = Field(description="Whether it is at every place it could be.")
    text: str = Field(description="All of it in one paragraph, for people.")
    outcome: OutcomeKind = Field(description="What would become of a request for it now.")
    code: str = Field(description="The reason of that, for machines.")
    reason: str = Field(description="The reason of that, for people.")
    places: list[Place]
    deployment: Deployment | None = Field(description="What brought this tag there last.")
    standing: list[Deployment] = Field(description="What brought the tags that stand there now.")
    waiting: list[Waiting]
    requests: list[AskedBefore]


class Explanations(BaseModel):
    """Why an image is, or is not, somewhere: one for each environment."""

    why: list[Why]


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
    History,
    SpanFigures,
    Holds,
    Status,
    Explanations,
    Problem,
    Unsuccessful,
    Health,
    Readiness,
)
