"""A desk in memory: proposals that tests put there, with the worker's answers about them.

Hides the bookkeeping. What is approved or closed is open no more; `trouble` is raised by the next
question, and `hints` counts what hooks told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from updater.auth import require_image
from updater.errors import ActRefused, InvalidRequest
from updater.model import (
    Caller,
    EnvironmentOutcome,
    ImageReference,
    OpenProposal,
    Outcome,
    OutcomeKind,
    PromotionRequest,
    ProposalLink,
    ProposedImage,
    Record,
)
from updater.store import PromotionWish

HEAD = "5d41402abc4b2a76b9719d911017c592e2b5f0a1"
MERGED = "7d793037a0760186574b0282f2f435e7aaaaaaaa"


def open_proposal(name: str = "prod/iris", *, head: str = HEAD) -> OpenProposal:
    """Return an open proposal of that name, with its diff."""
    environment, _, chart = name.partition("/")
    image = ProposedImage(
        image=f"registry.example.com/{chart}:main-7",
        previous=("main-5",),
        charts=(chart,),
        replaced=("main-6",),
        requests=("01kas9xw5v3t7k1q8m2n4p6r0z",),
        requested_by="kim",
        source="https://gitlab.example.com/shop/iris/-/commit/5d41402a",
        pipeline="https://gitlab.example.com/shop/iris/-/pipelines/7",
    )
    return OpenProposal(
        name=name,
        environment=environment,
        branch=f"updater/{name}",
        target="main",
        head=head,
        title=f"{environment}: {chart} main-7",
        number=7,
        link="https://gitlab.example.com/ops/config/-/merge_requests/7",
        images=(image,),
        waits="It waits for somebody to merge it.",
        diff="-  tag: main-5\n+  tag: main-7\n",
    )


class MemoryDesk:
    """Answers as the worker's thread would; `acts` are the approvals and closings it was asked for."""

    def __init__(self, *proposals: OpenProposal) -> None:
        self.open = {proposal.name: proposal for proposal in proposals}
        self.acts: list[tuple[str, ...]] = []
        self.previewed: list[PromotionWish] = []
        self.trouble: Exception | None = None
        self.hints = 0

    def proposals(self) -> Sequence[OpenProposal]:
        self._be_troubled()
        return [replace(proposal, diff="") for proposal in self.open.values()]

    def proposal(self, name: str) -> OpenProposal | None:
        self._be_troubled()
        return self.open.get(name)

    def approve(self, name: str, *, caller: Caller, head: str | None) -> EnvironmentOutcome:
        found, by = self._found(name, caller), caller.name
        if head is not None and head != found.head:
            raise ActRefused(f"The branch {found.branch} is at {found.head} now: look at it again.")
        del self.open[name]
        self.acts.append(("approve", name, by, head or ""))
        return EnvironmentOutcome(
            environment=found.environment,
            kind=OutcomeKind.COMMITTED,
            code="approved",
            reason=f"{by} approved it.",
            commit=MERGED,
            link=f"https://gitlab.example.com/c/{MERGED}",
        )

    def close(self, name: str, *, caller: Caller, reason: str) -> EnvironmentOutcome:
        found, by = self._found(name, caller), caller.name
        del self.open[name]
        self.acts.append(("close", name, by, reason))
        return EnvironmentOutcome(
            environment=found.environment,
            kind=OutcomeKind.REFUSED,
            code="closed",
            reason=f"{by} closed it: {reason}",
            proposals=(ProposalLink(branch=found.branch, number=found.number, link=found.link),),
        )

    def preview(self, wish: PromotionWish) -> Record:
        self._be_troubled()
        self.previewed.append(wish)
        told = EnvironmentOutcome(
            environment=wish.environment,
            kind=OutcomeKind.PROPOSED,
            code="proposed",
            reason="It would be proposed.",
            image="registry.example.com/iris:main-7",
        )
        request = PromotionRequest(
            id="preview",
            origin=wish.origin,
            environment=wish.environment,
            caller=wish.caller,
            received_at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
            charts=wish.charts,
            allow_older=wish.allow_older,
            reason=wish.reason,
        )
        return Record(
            request=request, outcome=Outcome(kind=told.kind, reason=told.reason, environments=(told,))
        )

    def hint(self) -> None:
        self.hints += 1

    def _found(self, name: str, caller: Caller) -> OpenProposal:
        self._be_troubled()
        if name not in self.open:
            raise InvalidRequest(f"There is no open proposal {name!r}.", field="name")
        for one in self.open[name].images:
            require_image(caller, ImageReference.parse(one.image).repository)
        return self.open[name]

    def _be_troubled(self) -> None:
        trouble, self.trouble = self.trouble, None
        if trouble is not None:
            raise trouble
