"""The shapes of bodies, queries and answers, for the OpenAPI document and the list's filters.

A body is read by `intake` and written by `answers`, which say more than a schema can; a test holds
these models against both.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from updater import intake
from updater.model import MAX_REFERENCE, OutcomeKind

# The grammar of references by the OCI distribution specification. `model` holds the exact one; this
# form takes all that it takes and a little more.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[A-Fa-f0-9:]+\])(?::[0-9]+)?"
_DIGEST = r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]{32,}"
IMAGE_FORM = (
    rf"^(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*:[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}(?:@{_DIGEST})?$"
)

Text = Annotated[str, Field(max_length=intake.MAX_TEXT)]


class Source(BaseModel):
    """Where the image came from; every field may be left out."""

    model_config = ConfigDict(extra="forbid")

    project: Text | None = Field(None, description="Path of the project, CI_PROJECT_PATH.")
    commit: Text | None = Field(None, description="Id of the commit, CI_COMMIT_SHA.")
    ref: Text | None = Field(None, description="Branch or tag, CI_COMMIT_REF_NAME.")
    pipeline_id: Text | int | None = Field(None, description="CI_PIPELINE_ID, as a number or as text.")
    pipeline_url: (
        Annotated[str, Field(max_length=intake.MAX_URL, pattern=intake.PIPELINE_URL_FORM)] | None
    ) = Field(None, description="An http or https URL without user and password, CI_PIPELINE_URL.")
    author: Text | None = Field(None, description="Who made the change: a name or a login, no e-mail.")


class Update(BaseModel):
    """This image was built: write its tag."""

    model_config = ConfigDict(extra="forbid")

    image: Annotated[str, Field(max_length=MAX_REFERENCE, pattern=IMAGE_FORM)] = Field(
        description="registry/repository:tag, perhaps with @digest."
    )
    digest: Annotated[Text, Field(pattern=rf"^(?:|{_DIGEST})$")] | None = Field(
        None, description="sha256: and 64 hexadecimal digits."
    )
    environment: (
        Annotated[str, Field(max_length=intake.MAX_ENVIRONMENT, pattern=intake.ENVIRONMENT_FORM)] | None
    ) = Field(None, description="Where to; without it, every environment whose pattern takes the tag.")
    source: Source | None = None


class Place(BaseModel):
    """One place where the image's tag is written."""

    chart: str
    file: str
    line: int
    path: str = Field(description="Where in the file, dotted.")
    old: str | None = Field(description="The tag that stood there; null: empty or missing.")
    new: str | None = Field(description="The tag that stands there now.")


class Environment(BaseModel):
    """What became of a request in one environment."""

    environment: str
    outcome: OutcomeKind
    code: str = Field(description="The reason, for machines.")
    reason: str = Field(description="The reason, for people.")
    commit: str = Field(description="Id of the commit, empty where there is none.")
    link: str = Field(description="The commit's page, empty where there is none.")
    superseded_by: str
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


class Request(BaseModel):
    """A request and what is known of its fate."""

    id: str
    url: str = Field(description="Where to ask for it again.")
    state: Literal["pending", "settled"]
    outcome: OutcomeKind | None = Field(description="null while the request is pending.")
    reason: str = Field(description="Why it ended so, or why it still waits; for people.")
    commit: str = Field(description="Id of the first environment's commit, empty where there is none.")
    link: str = Field(description="That commit's page, empty where there is none.")
    image: str
    digest: str | None
    environment: str | None = Field(description="The environment asked for, null for all that take the tag.")
    caller: str
    source: KnownSource
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


class Problem(BaseModel):
    """Problem details, RFC 9457."""

    type: str = Field(description="A path on this server where the problem is explained.")
    title: str
    status: int
    detail: str
    instance: str
    field: str | None = Field(None, description="The part of the request that is wrong, as a dotted path.")


class Unsuccessful(Request):
    """A request that was refused or failed, as problem details with the request in them."""

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


class Filters(BaseModel):
    """Which requests to list; all that are given must hold."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["pending", "settled"] | None = Field(None, description="Only these.")
    outcome: list[OutcomeKind] = Field([], description="Only these; may be given several times.")
    image: Text = Field("", description="Any part of repository:tag, upper and lower case alike.")
    environment: Text = Field("", description="Asked for there, or settled there.")
    caller: Text = Field("", description="The name of the token that asked.")
    limit: int = Field(50, ge=1, le=200, description="How many at most.")
    before: Text = Field("", description="The id of the last request of the page before.")


class RequestPath(BaseModel):
    """The id of a request."""

    request_id: str = Field(description="As it was answered to the POST.")


ALL: tuple[type[BaseModel], ...] = (Update, Request, Requests, Problem, Unsuccessful, Health, Readiness)
