"""What the history of a branch tells: deployments, and what must not go out again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

# How a tag came to where it stands: asked for, promoted, rolled back, `git revert`, or edited by a person.
DeploymentKind = Literal["update", "promotion", "rollback", "revert", "by-hand"]
# When a hold ends by itself: when a newer build goes out, or never.
Until = Literal["newer", "release"]


@dataclass(frozen=True, slots=True)
class Move:
    """What stood in a chart before a deployment; `old` None: no tag, or no such place."""

    chart: str
    old: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One image that got one tag in one environment by one commit of its branch.

    `commit` is the one on the branch's own line (of a merge request: what merged it) and `time` (UTC) its
    time. `tag` is None where the place was emptied or removed, `version` the one that the chart rose to (of
    several charts each with its name), empty where none did. `requests` are ids, `source` the link of the
    source commit and `source_time` its time, `merge_request` what people call it (`!7`, or a source branch).
    `reverts` are the commits of the same branch that it takes back for the charts of `moves`, `reverted_by`
    the last commit that took this one back for any of them, which are `reverted_charts`. `override` says
    that a hold or a freeze was overridden.
    """

    commit: str
    time: datetime
    subject: str
    kind: DeploymentKind
    by: str
    environment: str
    repository: str
    tag: str | None
    moves: tuple[Move, ...]
    digest: str = ""
    version: str = ""
    requests: tuple[str, ...] = ()
    merge_request: str = ""
    source: str = ""
    source_time: datetime | None = None
    pipeline: str = ""
    promoted_from: str = ""
    reason: str = ""
    override: bool = False
    reverts: tuple[str, ...] = ()
    reverted_by: str = ""
    reverted_charts: tuple[str, ...] = ()

    @property
    def charts(self) -> tuple[str, ...]:
        """The charts it moved."""
        return tuple(one.chart for one in self.moves)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """An image that must not go to a chart: `build` and those that are not newer.

    No `repository` means every image of the chart, no `build` every build. `commit` is set where nobody
    wrote the hold down: the commit by which a person took the build back.
    """

    environment: str
    chart: str
    repository: str = ""
    build: str = ""
    until: Until = "newer"
    by: str = ""
    at: datetime | None = None
    reason: str = ""
    commit: str = ""
