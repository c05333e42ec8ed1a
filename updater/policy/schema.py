"""The form of the rules file: which keys there are, what each may hold, what it is for.

The one description of the file: `rules` reads files with it and the published JSON Schema is made
from it. It says what is wrong as pydantic errors; `complaints` turns those into sentences. A key
stands here from the day it works: any other is an error, never silently ignored.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.config import JsonDict

from updater.policy import grammar
from updater.policy.forms import (
    ChartForm,
    Form,
    Globs,
    ImageForm,
    MergeRequestForm,
    Periods,
    RollbackForm,
    TagsForm,
)

SCHEMA_ID = "https://example.com/gitops-updater/rules.schema.json"

# What `contradictions` says of keys that do not go together, as far as a schema can say it.
_PROPOSES: JsonDict = {
    "properties": {"delivery": {"enum": ["merge-request", "auto-merge"]}},
    "required": ["delivery"],
}
_MERGES: JsonDict = {"properties": {"delivery": {"const": "auto-merge"}}, "required": ["delivery"]}
_TOGETHER: JsonDict = {
    "dependentRequired": {"base": ["files"]},
    "dependentSchemas": {
        "merge-request": {
            "anyOf": [_PROPOSES, {"properties": {"rollback": _PROPOSES}, "required": ["rollback"]}]
        }
    },
    "if": {"anyOf": [_MERGES, {"properties": {"rollback": _MERGES}, "required": ["rollback"]}]},
    "then": {"properties": {"merge-request": {"properties": {"draft": {"const": False}}}}},
}


class EnvironmentForm(Form):
    """One environment: a branch, the files on it that hold its tags, and what may be written there."""

    model_config = ConfigDict(json_schema_extra=_TOGETHER)

    branch: Annotated[str, AfterValidator(grammar.branch)] = Field(
        default="",
        description="The branch this environment lives on. Without it: the remote's default branch.",
        json_schema_extra={"pattern": grammar.BRANCH_FORM},
    )
    files: Globs = Field(
        default=[],
        description=(
            "The files that hold this environment's tags: a glob or a list of globs. * and ? stay within a "
            "folder, ** crosses folders. Without it: every values.yaml beside a Chart.yaml."
        ),
        examples=["charts/*/values-dev.yaml"],
    )
    exclude: Globs = Field(
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
    delivery: Literal["commit", "merge-request", "auto-merge"] = Field(
        default="commit",
        description=(
            "How a change reaches the branch: commit writes to it directly, merge-request leaves the merge "
            "to people, auto-merge is a merge request that is merged as soon as GitLab allows it."
        ),
    )
    merge_request: MergeRequestForm = Field(
        default=MergeRequestForm(),
        alias="merge-request",
        description=(
            "What the merge requests carry, where delivery is merge-request or auto-merge, of every change "
            "or of rollbacks."
        ),
    )
    promote_from: str = Field(
        default="",
        min_length=1,
        alias="promote-from",
        description=(
            "The environment whose tags come here by promotion: any tag that its pattern takes. Without it, "
            "nothing can be promoted here."
        ),
        examples=["dev"],
        json_schema_extra={"pattern": grammar.NAME_FORM, "maxLength": grammar.MAX_NAME},
    )
    digest: Literal["refuse", "clear"] = Field(
        default="refuse",
        description=(
            "What to do where a digest is set in the file and none came with the request: refuse the "
            "request, or clear the digest. A new tag is never written beside an old digest."
        ),
    )
    deployments: bool = Field(
        default=False,
        description=(
            "Whether GitLab's environments page of the source project shows what was deployed here, for "
            "requests that name the project, the ref and the commit."
        ),
    )
    freeze: Periods = Field(
        default=[],
        description="When nothing goes out: one period or a list of periods.",
    )
    windows: Periods = Field(
        default=[],
        description=(
            "When something may go out, and at no other time: one period or a list of periods. Without it: "
            "at any time."
        ),
    )
    rollback: RollbackForm = Field(
        default=RollbackForm(), description="How rollbacks are delivered, and how long they hold."
    )
    manual_revert: Literal["hold", "ignore"] = Field(
        default="hold",
        alias="manual-revert",
        description=(
            "What an older tag means that people write by hand or by a revert: hold keeps the newer builds "
            "back, ignore does not."
        ),
    )
    chart: ChartForm = Field(
        default=ChartForm(),
        description="What else moves in a chart when a tag does: questions, appVersion, the chart's version.",
    )


class RulesForm(Form):
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
        and not (key == "default" and (value in ("", []) or isinstance(value, dict)))
    }
