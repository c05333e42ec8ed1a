"""A desk in memory: proposals and deployments that tests put there, with the worker's answers about them.

Hides the bookkeeping. What is approved or closed is open no more; `trouble` is raised by the next
question, and `hints` counts what hooks told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from updater.auth import require_image
from updater.errors import ActRefused, InvalidRequest
from updater.history import Figures, figures
from updater.model import (
    AskedBefore,
    Caller,
    Deployment,
    EnvironmentOutcome,
    Hold,
    ImageReference,
    Move,
    OpenProposal,
    Outcome,
    OutcomeKind,
    PlaceOutcome,
    PromotionRequest,
    ProposalLink,
    ProposedImage,
    Question,
    Record,
    RollbackRequest,
    Status,
    StatusRow,
    WaitingTag,
    Why,
)
from updater.store import PromotionWish, RollbackWish

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HEAD = "5d41402abc4b2a76b9719d911017c592e2b5f0a1"
KNOWN = ("dev", "prod")
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


def deployment(
    commit: str, tag: str = "main-7", *, environment: str = "prod", chart: str = "iris", hours: int = 0
) -> Deployment:
    """Return a deployment of a chart's image, made so many hours before `NOW`."""
    return Deployment(
        commit=commit,
        time=NOW - timedelta(hours=hours),
        subject=f"{environment}: {chart} {tag}",
        kind="update",
        by="kim",
        environment=environment,
        repository=f"registry.example.com/{chart}",
        tag=tag,
        moves=(Move(chart, "main-5"),),
        requests=("01kas9xw5v3t7k1q8m2n4p6r0z",),
        source_time=NOW - timedelta(hours=hours + 1),
    )


def row(environment: str = "prod", chart: str = "iris", *, origin: str = "") -> StatusRow:
    """Return what is known of the place of a chart's image."""
    return StatusRow(
        environment=environment,
        chart=chart,
        repository=f"registry.example.com/{chart}",
        tag="main-7",
        digest="",
        file=f"charts/{chart}/values-{environment}.yaml",
        line=2,
        path="image.tag",
        deployment=deployment(HEAD, environment=environment, chart=chart),
        origin=origin,
        origin_tag="main-9" if origin else None,
        holds=(Hold(environment=environment, chart=chart, build="main-8", by="kim", at=NOW),),
        waiting=(WaitingTag(tag="main-9", name=f"{environment}/{chart}"),),
    )


class MemoryDesk:
    """Answers as the worker's thread would; `acts` are the approvals and closings it was asked for.

    It knows the environments `dev` and `prod`. What it is asked about are its `deployments`, the newest
    first, `held`, `status_rows` and `status_problems`.
    """

    def __init__(self, *proposals: OpenProposal) -> None:
        self.open = {proposal.name: proposal for proposal in proposals}
        self.acts: list[tuple[str, ...]] = []
        self.previewed: list[PromotionWish | RollbackWish] = []
        self.deployments: list[Deployment] = []
        self.held: list[Hold] = []
        self.status_rows: list[StatusRow] = []
        self.status_problems: list[str] = []
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

    def preview(self, wish: PromotionWish | RollbackWish) -> Record:
        self._be_troubled()
        self.previewed.append(wish)
        told = EnvironmentOutcome(
            environment=wish.environment,
            kind=OutcomeKind.PROPOSED,
            code="proposed",
            reason="It would be proposed.",
            image="registry.example.com/iris:main-7",
        )
        asked: dict[str, Any] = {one.name: getattr(wish, one.name) for one in fields(wish)}
        make = PromotionRequest if isinstance(wish, PromotionWish) else RollbackRequest
        request = make(id="preview", received_at=NOW, **asked)
        return Record(
            request=request, outcome=Outcome(kind=told.kind, reason=told.reason, environments=(told,))
        )

    def history(self, question: Question) -> Sequence[Deployment]:
        self._be_asked(question.environment)
        found = [one for one in self.deployments if _is_asked_for(one, question)]
        if question.before:
            at = [place for place, one in enumerate(found) if one.commit == question.before]
            if not at:
                raise InvalidRequest(f"No deployment has the commit {question.before!r}.", field="before")
            found = found[at[-1] + 1 :]
        return found[: question.limit]

    def figures(self, question: Question) -> Sequence[Figures]:
        self._be_asked(question.environment)
        until = question.until or NOW + timedelta(days=1)
        anytime = replace(question, since=None, until=None)
        counted = [one for one in self.deployments if _is_asked_for(one, anytime)]
        return figures(counted, question.since or until - timedelta(days=90), until)

    def holds(self, environment: str) -> Sequence[Hold]:
        self._be_asked(environment)
        return [one for one in self.held if environment in ("", one.environment)]

    def status(self, environment: str, chart: str) -> Status:
        self._be_asked(environment)
        rows = (one for one in self.status_rows if environment in ("", one.environment))
        return Status(
            rows=tuple(one for one in rows if chart in ("", one.chart)), problems=tuple(self.status_problems)
        )

    def why(self, image: ImageReference, environment: str | None) -> Sequence[Why]:
        self._be_asked(environment or "")
        return [_why(image, name) for name in KNOWN if environment in (None, name)]

    def hint(self) -> None:
        self.hints += 1

    def _found(self, name: str, caller: Caller) -> OpenProposal:
        self._be_troubled()
        if name not in self.open:
            raise InvalidRequest(f"There is no open proposal {name!r}.", field="name")
        for one in self.open[name].images:
            require_image(caller, ImageReference.parse(one.image).repository)
        return self.open[name]

    def _be_asked(self, environment: str) -> None:
        self._be_troubled()
        if environment not in ("", *KNOWN):
            raise InvalidRequest(
                f"The rules know no environment {environment!r}; they know {', '.join(KNOWN)}.",
                field="environment",
            )

    def _be_troubled(self) -> None:
        trouble, self.trouble = self.trouble, None
        if trouble is not None:
            raise trouble


def _is_asked_for(one: Deployment, question: Question) -> bool:
    return (
        question.environment in ("", one.environment)
        and (not question.chart or question.chart in one.charts)
        and question.repository in ("", one.repository)
        and (question.since is None or one.time >= question.since)
        and (question.until is None or one.time < question.until)
    )


def _why(image: ImageReference, environment: str) -> Why:
    stands = environment == "dev"
    place = PlaceOutcome(
        chart="iris",
        file=f"charts/iris/values-{environment}.yaml",
        line=2,
        path="image.tag",
        old="main-5",
        new="main-7",
    )
    return Why(
        environment=environment,
        image=str(image),
        stands=stands,
        outcome=OutcomeKind.UNCHANGED if stands else OutcomeKind.PROPOSED,
        code="unchanged" if stands else "already-proposed",
        reason="So it is.",
        text=f"This is how it is in {environment}.",
        places=(place,),
        deployment=deployment(HEAD, image.tag, environment=environment) if stands else None,
        standing=(deployment(MERGED, "main-5", environment=environment),),
        waiting=() if stands else (WaitingTag(tag=image.tag, name=f"{environment}/iris"),),
        requests=(
            AskedBefore(id="01kas9xw5v3t7k1q8m2n4p6r0z", received_at=NOW, outcome=None, reason="Soon."),
        ),
    )
