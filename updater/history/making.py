"""Makes deployments of what moved: of which kind they are, whose they are, where their images came from.

Hides the meaning of each trailer. Called by `following`, which knows what was taken back.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from updater.history.line import Step
from updater.history.places import Facts, Moved, fact
from updater.history.words import subject_of
from updater.model import Deployment, DeploymentKind


def deployment(step: Step, moved: Moved, reverts: Sequence[str], merge_request: str) -> Deployment:
    """Return the deployment of one image; `reverts` are the commits of the line that it takes back."""
    facts, commit = moved.facts, step.commit
    author = step.brought[0].author if len(step.brought) == 1 else commit.author
    return Deployment(
        commit=commit.commit,
        time=commit.time,
        subject=subject_of(commit.message),
        kind=_kind(facts, is_own=moved.own, is_back=bool(reverts)),
        by=sys.intern(fact(facts, "Requested-By") or author),
        environment=moved.environment,
        repository=moved.repository,
        tag=moved.tag,
        moves=moved.moves,
        digest=moved.digest,
        version=_version(moved),
        requests=facts.get("Request", ()),
        merge_request=merge_request,
        source=fact(facts, "Source"),
        source_time=_time(fact(facts, "Source-Time")),
        pipeline=fact(facts, "Pipeline"),
        promoted_from=fact(facts, "Promoted-From"),
        reason=fact(facts, "Reason"),
        override=fact(facts, "Override") == "yes",
        reverts=tuple(reverts),
    )


def _version(moved: Moved) -> str:
    told = dict(value.rpartition(" ")[::2] for value in moved.facts.get("Version", ()))
    found = {move.chart: told[move.chart] for move in moved.moves if move.chart in told}
    if len(found) == 1:
        return next(iter(found.values()))
    return ", ".join(f"{chart} {version}" for chart, version in found.items())


def _kind(facts: Facts, *, is_own: bool, is_back: bool) -> DeploymentKind:
    if not is_own:
        return "revert" if is_back else "by-hand"
    if "Reverts" in facts:
        return "rollback"
    return "promotion" if "Promoted-From" in facts else "update"


@functools.lru_cache(maxsize=64)
def _time(text: str) -> datetime | None:
    """Return a time by RFC 3339; None where it is none, or names no offset."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else None
