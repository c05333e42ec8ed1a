"""The shapes of bodies, queries and paths, for the OpenAPI document and the filters of lists.

A body is read by `intake`, which says more than a schema can; a test holds these models against it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from updater import intake
from updater.model import MAX_REFERENCE, OutcomeKind

# The grammar of references by the OCI distribution specification. `model` holds the exact one; this
# form takes all that it takes and a little more.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[A-Fa-f0-9:]+\])(?::[0-9]+)?"
_REPOSITORY = rf"(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*"
_DIGEST = r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]{32,}"
IMAGE_FORM = rf"^{_REPOSITORY}:[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}(?:@{_DIGEST})?$"
REPOSITORY_FORM = rf"^{_REPOSITORY}$"

Text = Annotated[str, Field(max_length=intake.MAX_TEXT)]
EnvironmentName = Annotated[str, Field(max_length=intake.MAX_ENVIRONMENT, pattern=intake.ENVIRONMENT_FORM)]
ChartName = Annotated[Text, Field(pattern=r"\S")]
Tag = Annotated[str, Field(pattern=intake.TAG_FORM)]
# `intake` says more about a wrong one than a pattern can.
_REPOSITORY_OR_NONE: dict[str, Any] = {"pattern": rf"^$|{REPOSITORY_FORM}"}
# Which charts a promotion is for: a list of them, or all, and one of the two must be said.
_CHARTS_OR_ALL: dict[str, Any] = {
    "oneOf": [
        {
            "required": ["charts"],
            "properties": {"charts": {"type": "array"}, "all": {"enum": [False, None]}},
        },
        {"required": ["all"], "properties": {"charts": {"type": "null"}, "all": {"const": True}}},
    ]
}
# A rollback is for a chart, perhaps as far back as a tag, or for a commit. An override needs a reason.
_CHART_OR_COMMIT: dict[str, Any] = {
    "oneOf": [
        {
            "required": ["chart"],
            "properties": {"chart": {"type": "string"}, "commit": {"type": "null"}},
        },
        {
            "required": ["commit"],
            "properties": {"commit": {"type": "string"}, "chart": {"type": "null"}, "to": {"type": "null"}},
        },
    ],
    "anyOf": [
        {"properties": {"override": {"enum": [False, None]}}},
        {"required": ["reason"], "properties": {"reason": {"type": "string", "pattern": r"\S"}}},
    ],
}


def _time(value: object) -> datetime:
    found = intake.read_time(value) if isinstance(value, str) else None
    if found is None:
        raise PydanticCustomError(
            "time",
            "send a time by RFC 3339 with its zone, such as 2026-03-02T09:30:00Z (a + is written %2B there)",
        )
    return found


Time = Annotated[
    datetime, BeforeValidator(_time), WithJsonSchema({"type": "string", "pattern": intake.TIME_FORM})
]


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
    committed_at: Annotated[Text, Field(pattern=rf"^$|{intake.TIME_FORM}")] | None = Field(
        None, description="When the commit was made, by RFC 3339, CI_COMMIT_TIMESTAMP."
    )


class Override(BaseModel):
    """No hold and no freeze shall stop it."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[Text, Field(pattern=r"\S")] = Field(description="Why it must go out now, for people.")


class Update(BaseModel):
    """This image was built: write its tag."""

    model_config = ConfigDict(extra="forbid")

    image: Annotated[str, Field(max_length=MAX_REFERENCE, pattern=IMAGE_FORM)] = Field(
        description="registry/repository:tag, perhaps with @digest."
    )
    digest: Annotated[Text, Field(pattern=rf"^(?:|{_DIGEST})$")] | None = Field(
        None, description="sha256: and 64 hexadecimal digits."
    )
    environment: EnvironmentName | None = Field(
        None, description="Where to; without it, every environment whose pattern takes the tag."
    )
    override: Override | None = Field(
        None, description="Let no hold and no freeze stop it. The token needs the act `promote` too."
    )
    source: Source | None = None


class Promotion(BaseModel):
    """What stands in one environment shall go to another, for some charts or for all."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_CHARTS_OR_ALL)

    origin: EnvironmentName = Field(alias="from", description="The environment whose tags go.")
    environment: EnvironmentName = Field(alias="to", description="Where they go; another environment.")
    charts: Annotated[list[ChartName], Field(min_length=1)] | None = Field(
        None, description="The charts, by name. Either this, or `all`."
    )
    all: bool | None = Field(None, description="true for all charts.")
    allow_older: bool | None = Field(None, description="Let an older build take the place of a newer one.")
    dry_run: bool | None = Field(None, description="Only tell what would become of it.")
    override: Override | None = Field(None, description="Let no hold and no freeze stop it.")
    reason: Text | None = Field(
        None, description="Why, for people who read it later; with `override`, it is said there."
    )


class Rollback(BaseModel):
    """Deployments of one chart, or of one commit, shall go back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_CHART_OR_COMMIT)

    environment: EnvironmentName = Field(description="Where.")
    chart: ChartName | None = Field(None, description="The chart. Either this, or `commit`.")
    to: Tag | None = Field(
        None,
        description="The tag or the commit that shall stand again; without it, one deployment goes back.",
    )
    commit: Annotated[str, Field(pattern=intake.COMMIT_FORM)] | None = Field(
        None, description="The commit of one deployment: all charts that it moved go back."
    )
    alone: bool | None = Field(
        None, description="Take nothing back but the tags of this chart, whatever else the commits changed."
    )
    override: bool | None = Field(None, description="Let no freeze stop it; needs a `reason`.")
    reason: Text | None = Field(None, description="Why, for people who read it later.")
    dry_run: bool | None = Field(None, description="Only tell what would become of it.")


class Hold(BaseModel):
    """Builds of a chart shall stay out of an environment, or be let in again."""

    model_config = ConfigDict(extra="forbid")

    environment: EnvironmentName = Field(description="Where.")
    chart: ChartName = Field(description="The chart.")
    image: Annotated[Text, Field(pattern=REPOSITORY_FORM)] | None = Field(
        None, description="registry/repository without a tag; without it, all images of the chart."
    )
    build: Tag | None = Field(None, description="A tag; without it, all builds.")
    reason: Text | None = Field(None, description="Why, for people who read it later.")


class Approval(BaseModel):
    """A proposal may go out."""

    model_config = ConfigDict(extra="forbid")

    head: Annotated[str, Field(pattern=intake.HEAD_FORM)] | None = Field(
        None, description="The commit that was looked at: another one is not merged."
    )


class Closing(BaseModel):
    """A proposal shall not go out."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[Text, Field(pattern=r"\S")] = Field(description="Why, for people who read it later.")


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


class FiguresFilters(BaseModel):
    """Of what to tell figures; all that are given must hold."""

    model_config = ConfigDict(extra="forbid")

    environment: Text = Field("", description="Only there.")
    chart: Text = Field("", description="Only this chart, by name.")
    since: Time | None = Field(None, description="From this time on, by RFC 3339.")
    until: Time | None = Field(None, description="Before this time, by RFC 3339.")


class HistoryFilters(FiguresFilters):
    """Which deployments to list; all that are given must hold."""

    image: Annotated[str, Field(max_length=intake.MAX_TEXT, json_schema_extra=_REPOSITORY_OR_NONE)] = Field(
        "", description="Only this repository, without a tag."
    )
    before: Text = Field("", description="The commit of the last deployment of the page before.")
    limit: int = Field(50, ge=1, le=500, description="How many at most, up to the end of a commit.")


class HoldFilters(BaseModel):
    """Which holds to list."""

    model_config = ConfigDict(extra="forbid")

    environment: Text = Field("", description="Only there.")


class StatusFilters(HoldFilters):
    """Of what to tell what is where; all that are given must hold."""

    chart: Text = Field("", description="Only this chart, by name.")


class WhyFilters(HoldFilters):
    """Which image is asked about."""

    image: Annotated[str, Field(max_length=MAX_REFERENCE, json_schema_extra={"pattern": IMAGE_FORM})] = Field(
        description="registry/repository:tag, perhaps with @digest."
    )


class RequestPath(BaseModel):
    """The id of a request."""

    request_id: str = Field(description="As it was answered to the POST.")


class ProposalPath(BaseModel):
    """The name of a proposal, in two parts."""

    environment: str = Field(description="The environment it is for.")
    name: str = Field(description="What stands after the slash in its name.")

    @property
    def proposal(self) -> str:
        """The proposal's name."""
        return f"{self.environment}/{self.name}"


ALL: tuple[type[BaseModel], ...] = (Update, Promotion, Rollback, Hold, Approval, Closing)
