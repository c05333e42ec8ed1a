"""The parts of the rules file that stand below an environment or beside one, and what values may be.

`schema` puts them together. It hides how pydantic is told what `grammar` takes; what is wrong comes
out as pydantic errors.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator
from pydantic.config import JsonDict

from updater.policy import grammar, hours
from updater.yamledit import KeyPath

MAX_PATTERN = 512


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _mappings(value: object) -> object:
    return [value] if isinstance(value, dict) else value


_Glob = Annotated[str, AfterValidator(grammar.glob), Field(json_schema_extra={"pattern": grammar.GLOB_FORM})]
_GlobList = Annotated[list[_Glob], Field(min_length=1)]
Globs = Annotated[_GlobList, BeforeValidator(_listed, json_schema_input_type=_Glob | _GlobList)]
_Label = Annotated[
    str, AfterValidator(grammar.label), Field(json_schema_extra={"pattern": grammar.LABEL_FORM})
]
_LabelList = Annotated[list[_Label], Field(min_length=1)]
_Labels = Annotated[_LabelList, BeforeValidator(_listed, json_schema_input_type=_Label | _LabelList)]
_Login = Annotated[
    str, AfterValidator(grammar.login), Field(json_schema_extra={"pattern": grammar.LOGIN_FORM})
]
_LoginList = Annotated[list[_Login], Field(min_length=1)]
_Logins = Annotated[_LoginList, BeforeValidator(_listed, json_schema_input_type=_Login | _LoginList)]
_Key = Annotated[str, Field(min_length=1)]
_KeyList = Annotated[
    list[str | Annotated[int, Field(ge=0)]],
    Field(min_length=1, json_schema_extra={"prefixItems": [{"type": "string"}]}),
]
_Path = Annotated[KeyPath, PlainValidator(grammar.key_path, json_schema_input_type=_Key | _KeyList)]


class Form(BaseModel):
    """A mapping in the file: unknown keys are errors, and no value is turned into another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TagsForm(Form):
    """Which tags an environment takes and how two of them compare."""

    pattern: Annotated[str, AfterValidator(grammar.pattern)] = Field(
        default="",
        min_length=1,
        max_length=MAX_PATTERN,
        description=(
            "A Python regular expression that must take the whole tag. Without it any legal tag is taken. "
            "The named group build or version says which part of the tag is compared."
        ),
        examples=["^develop-(?P<build>[0-9]+)$"],
    )
    order: Literal["numeric", "semver", "alphabetical", "none"] = Field(
        default="numeric",
        description=(
            "How two tags compare, so that an older build never replaces a newer one: numeric (by number), "
            "semver (Semantic Versioning), alphabetical, or none (written in the order they come)."
        ),
    )


class MergeRequestForm(Form):
    """What the merge requests of an environment carry."""

    group_by: Literal["chart", "environment"] = Field(
        default="chart",
        alias="group-by",
        description="One merge request for each chart, or one for all charts of the environment.",
    )
    labels: _Labels = Field(
        default=[],
        description="A label or a list of labels. GitLab makes labels that do not exist yet.",
        examples=[["deploy"]],
    )
    assignees: _Logins = Field(
        default=[], description="The login of an assignee or a list of logins.", examples=[["kim"]]
    )
    reviewers: _Logins = Field(
        default=[], description="The login of a reviewer or a list of logins.", examples=[["kim"]]
    )
    milestone: Annotated[str, AfterValidator(grammar.title)] = Field(
        default="",
        min_length=1,
        description="The title of a milestone of the project or of a group around it.",
        json_schema_extra={"pattern": grammar.TITLE_FORM},
    )
    draft: bool = Field(
        default=False, description="Whether it starts as a draft, which a person must mark as ready."
    )
    squash: bool = Field(
        default=False, description="Whether its commits become one commit when it is merged."
    )
    remove_source_branch: bool = Field(
        default=True,
        alias="remove-source-branch",
        description="Whether the source branch is deleted when it is merged.",
    )


# What `contradictions` says of keys that do not go together.
_ONE_KIND: JsonDict = {
    "dependentRequired": {"from": ["until"], "until": ["from"], "cron": ["duration"], "duration": ["cron"]},
    "oneOf": [{"required": ["from", "until"]}, {"required": ["cron", "duration"]}],
}

_Time = Annotated[str, AfterValidator(hours.time)]


class PeriodForm(Form):
    """A time of a freeze or a window: from and until for one, cron and duration for one that comes again."""

    model_config = ConfigDict(json_schema_extra=_ONE_KIND)

    from_: _Time = Field(
        default="",
        alias="from",
        description="When it starts: a day, or a day and a time, as clocks in the time zone show it.",
        examples=["2026-12-24 00:00"],
        json_schema_extra={"pattern": hours.TIME_FORM},
    )
    until: _Time = Field(
        default="",
        description="When it ends, written like from. This moment itself is no part of it any more.",
        examples=["2026-12-27 08:00"],
        json_schema_extra={"pattern": hours.TIME_FORM},
    )
    cron: Annotated[str, AfterValidator(hours.cron)] = Field(
        default="",
        max_length=hours.MAX_CRON,
        description=(
            "When it starts again and again: minute, hour, day of the month, month and day of the week, as "
            "clocks in the time zone show it."
        ),
        examples=["0 14 * * 1-4"],
        json_schema_extra={"pattern": hours.CRON_FORM},
    )
    duration: Annotated[str, AfterValidator(hours.duration)] = Field(
        default="",
        description="How long it lasts each time: days, hours and minutes, from 1m to 31d.",
        examples=["2h", "1h30m"],
        json_schema_extra={"pattern": hours.DURATION_FORM},
    )
    timezone: Annotated[str, AfterValidator(hours.zone)] = Field(
        default="UTC",
        description="The time zone by its IANA name.",
        examples=["Europe/Berlin"],
        json_schema_extra={"pattern": hours.ZONE_FORM},
    )
    reason: Annotated[str, AfterValidator(hours.reason)] = Field(
        default="",
        min_length=1,
        description="Why, on one line: whoever waits for it reads it.",
        examples=["holidays"],
        json_schema_extra={"pattern": hours.REASON_FORM},
    )


_PeriodList = Annotated[list[PeriodForm], Field(min_length=1)]
Periods = Annotated[_PeriodList, BeforeValidator(_mappings, json_schema_input_type=PeriodForm | _PeriodList)]


def _without_default(schema: JsonDict) -> None:
    """Take out a default that only stands for "as the environment says"."""
    schema.pop("default")


class RollbackForm(Form):
    """How rollbacks of an environment are delivered, and how long they hold."""

    delivery: Literal["commit", "merge-request", "auto-merge"] = Field(
        default="commit",
        description="How a rollback reaches the branch. Without it: as every change of the environment does.",
        json_schema_extra=_without_default,
    )
    hold: Literal["until-newer", "until-release"] = Field(
        default="until-newer",
        description=(
            "How long what was rolled back is held: until a newer build goes out, or until somebody "
            "releases it."
        ),
    )

    @property
    def own_delivery(self) -> Literal["", "commit", "merge-request", "auto-merge"]:
        """The delivery that is written here; empty where the environment's holds."""
        return self.delivery if "delivery" in self.model_fields_set else ""


# Without versions that rise there is nothing to name a folder by; what `contradictions` says, too.
_DIRECTORIES: JsonDict = {
    "dependentSchemas": {"keep": {"properties": {"directory": {"const": True}}, "required": ["directory"]}},
    "if": {"properties": {"directory": {"const": True}}, "required": ["directory"]},
    "then": {"properties": {"version": {"enum": ["patch", "build"]}}, "required": ["version"]},
}


class ChartForm(Form):
    """What else moves in a chart, in the same commit, when a tag does."""

    model_config = ConfigDict(json_schema_extra=_DIRECTORIES)

    questions: bool = Field(
        default=True,
        description=(
            "Whether the defaults of Rancher's questions for the same values move along. Without the key: "
            "where the chart's own values.yaml moves, and not with overlays."
        ),
    )
    app_version: bool = Field(
        default=False,
        alias="app-version",
        description="Whether appVersion in Chart.yaml becomes the tag, always in quotes.",
    )
    version: Literal["none", "patch", "build"] = Field(
        default="none",
        description=(
            "How the chart's version rises: none (it stays), patch (the last number by one), or build (the "
            "last number becomes the tag's number). It never falls."
        ),
    )
    directory: bool = Field(
        default=False,
        description=(
            "Whether each version is a folder of its own, charts/<name>/<version>/, that never changes "
            "again: the newest one is copied, and of each chart only the highest counts."
        ),
    )
    keep: Annotated[int, Field(ge=2, le=1000)] = Field(
        default=10, description="How many version folders of a chart stay; the oldest are removed."
    )

    @property
    def own_questions(self) -> Literal["own", "always", "never"]:
        """When questions move along: with the chart's own values, with overlays too, or never."""
        if not self.questions:
            return "never"
        return "always" if "questions" in self.model_fields_set else "own"


class ImageForm(Form):
    """One place that cannot be found by looking."""

    repository: Annotated[str, AfterValidator(grammar.repository)] = Field(
        description="The image's repository, without a tag.",
        examples=["registry.example.com/team/iris"],
        json_schema_extra={"pattern": grammar.REPOSITORY_FORM},
    )
    file: Annotated[str, AfterValidator(grammar.file)] = Field(
        description="The file, from the top of the config repo. Some environment's files must take it.",
        json_schema_extra={"pattern": grammar.FILE_FORM},
    )
    path: _Path = Field(
        description=(
            "Where the tag is written: keys joined by dots (app.version), or a list of keys where one has a "
            "dot in it."
        ),
        examples=["app.version"],
    )
