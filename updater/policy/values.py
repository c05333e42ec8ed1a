"""What the rules say, as values: environments, and what a merge request of one carries.

`rules` makes them from the file; `plan` and the worker go by them. Nothing here reads a file or
judges a value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
class Environment:
    """Where an image may go and how: `branch` None is the default branch of the remote.

    `promote_from` names the environment whose tags come here by promotion (empty: none do), and
    `promoted` are the tags that one takes. `merge_request` counts where `delivery` is not `commit`.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The environments in the order of the file."""

    environments: tuple[Environment, ...]


DEFAULT_RULES = Rules(environments=(Environment(name=DEFAULT_ENVIRONMENT),))
