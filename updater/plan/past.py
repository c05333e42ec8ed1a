"""What a plan may ask of the past of a branch: its deployments, and what taking them back would change.

`sight` fills it from Git; a plain folder has none. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from updater.model import Deployment, Files, Hold


class Past(Protocol):
    """The past of one branch, up to the commit that is planned on."""

    def deployments(self, environment: str, chart: str = "") -> Sequence[Deployment]:
        """Return the deployments of an environment or of one of its charts, the newest first."""

    def made_by(self, commits: Collection[str]) -> Sequence[Deployment]:
        """Return what some commits deployed anywhere, given by how their ids begin, the newest first.

        What the first commit of a branch brought is not among it.
        """

    def held_by_hand(
        self, environment: str, chart: str, repository: str, *, strict: bool = False
    ) -> Hold | None:
        """Return the hold that a person's own revert means; a strict one ends with a release only."""

    def stood(self, environment: str, chart: str, repository: str) -> Collection[str]:
        """Return every tag that ever stood there."""

    def highest_version(self, environment: str, chart: str) -> str:
        """Return the highest version that a chart ever rose to with a tag; empty where it never did."""

    def holds(self, commit: str, earlier: str) -> bool:
        """Say whether a commit holds an earlier one, or is it."""

    def named(self, beginning: str) -> str:
        """Return the id of the branch's commit that begins so; empty where there is none."""

    def undone(self, commits: Sequence[str]) -> Mapping[str, bytes | None] | tuple[str, ...]:
        """Return what `git revert` of the commits, in this order, changes; or the files that clash.

        The holds are left out: they say what must not go out, not what did.
        """

    def before(self, commit: str) -> Files:
        """Return the files as they were before a commit of the branch."""


class NoPast:
    """There is none, as in a plain folder."""

    def deployments(self, environment: str, chart: str = "") -> Sequence[Deployment]:  # noqa: ARG002
        """Return nothing."""
        return ()

    def made_by(self, commits: Collection[str]) -> Sequence[Deployment]:  # noqa: ARG002
        """Return nothing."""
        return ()

    def held_by_hand(self, *_: str, strict: bool = False) -> Hold | None:  # noqa: ARG002
        """Return nothing."""
        return None

    def stood(self, environment: str, chart: str, repository: str) -> Collection[str]:  # noqa: ARG002
        """Return nothing."""
        return ()

    def highest_version(self, environment: str, chart: str) -> str:  # noqa: ARG002
        """Return nothing."""
        return ""

    def holds(self, commit: str, earlier: str) -> bool:
        """Say whether it is the same commit."""
        return commit == earlier

    def named(self, beginning: str) -> str:  # noqa: ARG002
        """Return nothing."""
        return ""

    def undone(self, commits: Sequence[str]) -> Mapping[str, bytes | None] | tuple[str, ...]:  # noqa: ARG002
        """Return no change."""
        return {}

    def before(self, commit: str) -> Files:
        """Raise KeyError: there are no commits."""
        raise KeyError(commit)
