"""The shapes of bodies, queries and paths, for the OpenAPI document and the list's filters.

A body is read by `intake`, which says more than a schema can; a test holds these models against it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

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
EnvironmentName = Annotated[str, Field(max_length=intake.MAX_ENVIRONMENT, pattern=intake.ENVIRONMENT_FORM)]
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
    environment: EnvironmentName | None = Field(
        None, description="Where to; without it, every environment whose pattern takes the tag."
    )
    source: Source | None = None


class Promotion(BaseModel):
    """What stands in one environment shall go to another, for some charts or for all."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_CHARTS_OR_ALL)

    origin: EnvironmentName = Field(alias="from", description="The environment whose tags go.")
    environment: EnvironmentName = Field(alias="to", description="Where they go; another environment.")
    charts: Annotated[list[Annotated[Text, Field(pattern=r"\S")]], Field(min_length=1)] | None = Field(
        None, description="The charts, by name. Either this, or `all`."
    )
    all: bool | None = Field(None, description="true for all charts.")
    allow_older: bool | None = Field(None, description="Let an older build take the place of a newer one.")
    dry_run: bool | None = Field(None, description="Only tell what would become of it.")
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


ALL: tuple[type[BaseModel], ...] = (Update, Promotion, Approval, Closing)
