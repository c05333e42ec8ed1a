"""What the rules say, as values: environments, what a merge request of one carries, and when it pauses.

`rules` makes them from the file; `plan` and the worker go by them. Nothing here reads a file or
judges a value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from updater.model import Scope
from updater.policy.tags import Tags

DEFAULT_ENVIRONMENT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequestRules:
    """What a merge request carries: one for each chart or for the whole environment, and what is set on it.

    People are logins, `milestone` is a title (empty: none).
    """

    group_by: Literal["chart", "environment"] = "chart"
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    milestone: str = ""
    draft: bool = False
    squash: bool = False
    remove_source_branch: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A time of a freeze or a window: once, from `start` until `end`, or again and again, by `cron`.

    Once: both moments have a zone, and `end` is outside. Again and again: both are None, and each time lasts
    for `duration`. `cron` is what the clock of `timezone` shows. `calendar` says what is on when.
    """

    start: datetime | None = None
    end: datetime | None = None
    cron: str = ""
    duration: timedelta = timedelta()
    timezone: str = "UTC"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRules:
    """How a rollback reaches the branch (empty: as the environment's changes do), and how long it holds."""

    delivery: Literal["", "commit", "merge-request", "auto-merge"] = ""
    hold: Literal["until-newer", "until-release"] = "until-newer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartRules:
    """What else moves in a chart when a tag does.

    `questions`: with the chart's own values, with overlays too ("always"), or never. With `directory` each
    version is a folder of its own, of which the newest `keep` stay.
    """

    questions: Literal["own", "always", "never"] = "own"
    app_version: bool = False
    version: Literal["none", "patch", "build"] = "none"
    directory: bool = False
    keep: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where an image may go and how: `branch` None is the default branch of the remote.

    `promote_from` names the environment whose tags come here by promotion (empty: none do), and
    `promoted` are the tags that one takes. `merge_request` counts where `delivery` is not `commit`, and
    for rollbacks where theirs is not. Nothing goes out during a `freeze` or, where there are `windows`,
    outside them.
    """

    name: str
    branch: str | None = None
    scope: Scope = field(default_factory=Scope)
    tags: Tags = field(default_factory=Tags)
    delivery: Literal["commit", "merge-request", "auto-merge"] = "commit"
    merge_request: MergeRequestRules = field(default_factory=MergeRequestRules)
    promote_from: str = ""
    promoted: Tags | None = None
    digest: Literal["refuse", "clear"] = "refuse"
    deployments: bool = False
    freeze: tuple[Period, ...] = ()
    windows: tuple[Period, ...] = ()
    rollback: RollbackRules = field(default_factory=RollbackRules)
    manual_revert: Literal["hold", "ignore"] = "hold"
    chart: ChartRules = field(default_factory=ChartRules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The environments in the order of the file."""

    environments: tuple[Environment, ...]


DEFAULT_RULES = Rules(environments=(Environment(name=DEFAULT_ENVIRONMENT),))
