"""The form of the rules file: which keys there are, what each may hold, what it is for.

The one description of the file: `rules` reads files with it and the published JSON Schema is made
from it. It says what is wrong as pydantic errors; `complaints` turns those into sentences. A key
stands here from the day it works: any other is an error, never silently ignored.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

from updater.policy import grammar
from updater.yamledit import KeyPath

SCHEMA_ID = "https://example.com/gitops-updater/rules.schema.json"
MAX_PATTERN = 512


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


_Glob = Annotated[str, AfterValidator(grammar.glob), Field(json_schema_extra={"pattern": grammar.GLOB_FORM})]
_GlobList = Annotated[list[_Glob], Field(min_length=1)]
_Globs = Annotated[_GlobList, BeforeValidator(_listed, json_schema_input_type=_Glob | _GlobList)]
_Key = Annotated[str, Field(min_length=1)]
_KeyList = Annotated[
    list[str | Annotated[int, Field(ge=0)]],
    Field(min_length=1, json_schema_extra={"prefixItems": [{"type": "string"}]}),
]
_Path = Annotated[KeyPath, PlainValidator(grammar.key_path, json_schema_input_type=_Key | _KeyList)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TagsForm(_Form):
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


class EnvironmentForm(_Form):
    """One environment: a branch, the files on it that hold its tags, and what may be written there."""

    model_config = ConfigDict(json_schema_extra={"dependentRequired": {"base": ["files"]}})

    branch: Annotated[str, AfterValidator(grammar.branch)] = Field(
        default="",
        description="The branch this environment lives on. Without it: the remote's default branch.",
        json_schema_extra={"pattern": grammar.BRANCH_FORM},
    )
    files: _Globs = Field(
        default=[],
        description=(
            "The files that hold this environment's tags: a glob or a list of globs. * and ? stay within a "
            "folder, ** crosses folders. Without it: every values.yaml beside a Chart.yaml."
        ),
        examples=["charts/*/values-dev.yaml"],
    )
    exclude: _Globs = Field(
        default=[], description="Files that are left out again: a glob or a list of globs."
    )
    base: Annotated[str, AfterValidator(grammar.base)] = Field(
        default="",
        description=(
            "The file that holds an overlay's repositories, where the overlay holds only tags. {chart} "
            "stands for what the first wildcard of the overlay's glob took. Without it: the nearest "
            "values.yaml upwards beside a Chart.yaml."
        ),
        examples=["charts/{chart}/values.yaml"],
        json_schema_extra={"pattern": grammar.BASE_FORM},
    )
    tags: TagsForm = Field(default=TagsForm(), description="Which tags are taken, and how they compare.")
    delivery: Literal["commit"] = Field(
        default="commit", description="How a change reaches the branch: commit writes to it directly."
    )
    digest: Literal["refuse", "clear"] = Field(
        default="refuse",
        description=(
            "What to do where a digest is set in the file and none came with the request: refuse the "
            "request, or clear the digest. A new tag is never written beside an old digest."
        ),
    )


class ImageForm(_Form):
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


class RulesForm(_Form):
    """The rules of a config repo: .updater/rules.yaml on its default branch."""

    environments: dict[Annotated[str, AfterValidator(grammar.environment_name)], EnvironmentForm] = Field(
        min_length=1,
        description="The environments by name. At least one.",
        json_schema_extra={"propertyNames": {"pattern": grammar.NAME_FORM, "maxLength": grammar.MAX_NAME}},
    )
    images: list[ImageForm] = Field(
        default=[], description="Places the updater cannot find by looking. Most config repos need none."
    )


def rules_schema() -> dict[str, Any]:
    """Return the form of the rules file as a JSON Schema (2020-12), for editors and other tools.

    It describes as much as a schema can; reading the file checks more, such as regular expressions.
    """
    form = RulesForm.model_json_schema()
    described = _without_noise(form)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **described,
        "title": "Rules of the GitOps updater",
    }


def _without_noise(schema: Any) -> Any:
    """Leave out the titles pydantic makes from names, and defaults that only mean "not given"."""
    if isinstance(schema, list):
        return [_without_noise(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_noise(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
        and not (key == "default" and (not value or isinstance(value, dict)))
    }
