"""What stands between a plan and a merge request: the open proposals, and what people closed.

It hides how a proposal's wishes are read back from its commits. `worker` fills these values from
Git and the forge, `proposals` judges by them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from updater import trailers
from updater.errors import InvalidRequest
from updater.model import (
    PROPOSAL_PREFIX,
    Caller,
    ImageReference,
    Promoted,
    UpdateRequest,
    canonical_repository,
)
from updater.plan.undo import Undo

# All charts of an environment in one merge request (rule `group-by: environment`); no chart's own
# branch can have this name.
TOGETHER = "_all"
# So many of the tags a proposal went through are told; older ones say nothing to anybody.
_KEPT = 20
_HASHED = re.compile(r".*-[0-9a-f]{6}")
_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.))*(?<!\.)(?<!\.lock)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """One image that a proposal carries: for which charts, whose wish it is, and what went before it.

    `commit` is the one on the source branch that carries it, empty where it is only wished for;
    `previous` are the tags that it takes away, as that commit tells. `undo` is set where it is a rollback.
    """

    image: ImageReference
    charts: tuple[str, ...]
    requests: tuple[UpdateRequest, ...]
    replaced: tuple[str, ...] = ()
    commit: str = ""
    previous: tuple[str, ...] = ()
    undo: Undo | None = None

    @classmethod
    def read(cls, message: str, time: datetime, commit: str = "") -> Carried | None:
        """Return what a commit of the updater carries; None where its message does not tell."""
        found = trailers.read(message)
        if not {"Image", "Chart", "Request", "Environment"} <= found.keys():
            return None
        image = _image(found["Image"][0])
        if image is None:
            return None
        undo = None
        if "Reverts" in found:
            charts = tuple(dict.fromkeys(found["Chart"]))
            undo = Undo(commits=found["Reverts"], charts=charts, alone="Alone" in found)
        return cls(
            image=image,
            charts=undo.charts if undo else found["Chart"],
            requests=tuple(_request(one, image, found, time) for one in found["Request"]),
            replaced=found.get("Replaced", ()),
            commit=commit,
            previous=found.get("Previous", ()),
            undo=undo,
        )

    def overtaken_by(self, other: Carried) -> Carried:
        """Return `other`, a newer wish for the same image, remembering the tag it takes the place of."""
        replaced = (*other.replaced, *(tag for tag in self.replaced if tag not in other.replaced))
        if other.undo and self.undo and other.undo.commits == self.undo.commits:
            return replace(other, replaced=replaced[-_KEPT:])
        if (self.image.tag, self.image.digest) != (other.image.tag, other.image.digest):
            replaced = (*replaced, self.image.tag)
        return replace(other, replaced=replaced[-_KEPT:])

    def without(self, charts: Collection[str]) -> Carried | None:
        """Return the wish for its other charts only; None where none is left."""
        left = tuple(chart for chart in self.charts if chart not in charts)
        # What is left of a rollback can no longer be a whole `git revert`.
        undo = replace(self.undo, charts=left, alone=True) if self.undo and left != self.charts else self.undo
        return replace(self, charts=left, undo=undo) if left else None


def _image(text: str) -> ImageReference | None:
    """Return the image of a trailer; a rollback may restore that no tag stands at all."""
    name = text.removesuffix(":")
    repository = canonical_repository(name)
    if name != text and repository is not None:
        return ImageReference(name, repository, "")
    try:
        return ImageReference.parse(text)
    except InvalidRequest:
        return None


def _request(
    request_id: str, image: ImageReference, found: Mapping[str, tuple[str, ...]], time: datetime
) -> UpdateRequest:
    source = trailers.source_of(found)
    reason = found.get("Reason", ("",))[0]
    promoted = None
    if "Promoted-From" in found:
        promoted = Promoted(
            origin=found["Promoted-From"][0], allow_older="Allow-Older" in found, reason=reason
        )
    return UpdateRequest(
        id=request_id,
        image=image,
        caller=Caller(name=source.author),
        received_at=_asked_at(found) or time,
        environment=found["Environment"][0],
        source=source,
        promoted=promoted,
        override="Override" in found,
        reason="" if promoted else reason,
    )


def _asked_at(found: Mapping[str, tuple[str, ...]]) -> datetime | None:
    try:
        return datetime.fromisoformat(found.get("Requested-At", ("",))[0])
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A merge request that a person closed, and what it carried."""

    by: str
    name: str
    link: str
    images: tuple[ImageReference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands on a source branch, which left its target branch at `base`. No branch: `head` is empty.

    `is_live` says that its commits are still proposed: an open merge request has them, or none has
    ever had them (a kill came between). `is_open` says that a merge request is open. `foreign` names
    who made a commit there that is not the updater's. `files` are the contents at the head of the
    files it changes; `is_overtaken` says that the target changed one of them since. `closed` are
    merge requests of this branch that people closed, newest first.
    """

    branch: str
    head: str = ""
    base: str = ""
    is_live: bool = False
    is_open: bool = False
    foreign: str = ""
    carried: tuple[Carried, ...] = ()
    files: Mapping[str, bytes | None] | None = None
    is_overtaken: bool = False
    closed: tuple[Closed, ...] = ()
    name: str = ""
    link: str = ""


class Proposals(Protocol):
    """Looks up what stands on source branches; the worker's reads Git and the forge."""

    def names(self, environment: str) -> Collection[str]:
        """Return the source branches of an environment that exist."""

    def standing(self, branches: Mapping[str, str]) -> Mapping[str, Standing]:
        """Return what stands on each source branch, given with its target branch.

        Raises:
            TemporaryError: the forge is away.
        """


class NoProposals:
    """There are none, as in a plain folder."""

    def names(self, environment: str) -> Collection[str]:  # noqa: ARG002
        """Return nothing."""
        return ()

    def standing(self, branches: Mapping[str, str]) -> Mapping[str, Standing]:
        """Return branches that do not exist."""
        return {branch: Standing(branch=branch) for branch in branches}


def branch_names(environment: str, charts: Collection[str], *, together: bool) -> Mapping[str, str]:
    """Return the source branch of each chart of an environment.

    Product rule "A chart": `/` becomes `-`, with 6 hex digits of the path's hash where two charts would
    share a name, or where a name is none for Git.
    """
    if together:
        return dict.fromkeys(charts, f"{PROPOSAL_PREFIX}{environment}/{TOGETHER}")
    slugs = {chart: chart.replace("/", "-") for chart in charts}
    counts: dict[str, int] = {}
    for slug in slugs.values():
        counts[slug] = counts.get(slug, 0) + 1
    # What looks like a hashed name is hashed itself, or the two could meet.
    alone = {
        slug
        for slug, count in counts.items()
        if count == 1 and _PLAIN.fullmatch(slug) and not _HASHED.fullmatch(slug)
    }
    folder = f"{PROPOSAL_PREFIX}{environment}/"
    return {
        chart: folder + (slug if slug in alone else _hashed(chart, slug)) for chart, slug in slugs.items()
    }


def _hashed(chart: str, slug: str) -> str:
    digest = hashlib.sha256(chart.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", slug).strip("-") or "chart"
    return f"{plain}-{digest}"
