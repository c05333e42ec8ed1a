"""What people do with proposals, and a promotion before it is made: shown, approved, closed, previewed.

Hides that a plain Git remote is approved here and GitLab on its own pages. `wiring` has the server's
worker thread do it, `oneshot` a thread of its own; whoever asks may only see what is translated here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from updater.errors import ActRefused, InvalidRequest
from updater.forge import Landed, MergeRequest
from updater.messages import source_link, whole
from updater.model import (
    PROPOSAL_PREFIX,
    EnvironmentOutcome,
    OpenProposal,
    OutcomeKind,
    PromotionRequest,
    ProposalLink,
    ProposedImage,
    Record,
    Request,
)
from updater.plan import Carried, Ground, Plan, Proposing, Reason, Standing, keep_up, plan
from updater.sight import Sight
from updater.store import PromotionWish
from updater.worker.rounds import Doors, Rounds
from updater.worker.tending import Tending


class Desk:
    """Answers people; every method looks at the remote as it is now."""

    def __init__(self, doors: Doors, rounds: Rounds, tending: Tending) -> None:
        self._doors = doors
        self._rounds = rounds
        self._tending = tending

    def proposals(self) -> Sequence[OpenProposal]:
        """Return all open proposals, by name."""
        sight = self._rounds.refresh()
        return [self._shown(*one) for one in self._open(sight)]

    def proposal(self, name: str) -> OpenProposal | None:
        """Return one open proposal with its diff; None where there is none of that name."""
        sight = self._rounds.refresh()
        for environment, opened, standing in self._open(sight, name):
            diff = self._doors.repo.diff(standing.base, standing.head)
            return replace(self._shown(environment, opened, standing), diff=diff)
        return None

    def approve(self, name: str, *, by: str, head: str | None) -> EnvironmentOutcome:
        """Merge a proposal on a plain Git remote, saying who approved; `head` pins what was looked at.

        Raises:
            InvalidRequest: there is no such proposal.
            ActRefused: it moved, has a person's commit, or is approved elsewhere.
        """
        sight = self._rounds.refresh()
        environment, opened, standing = self._one(sight, name)
        if not self._doors.forge.decides_here:
            raise ActRefused(f"{opened.name} is approved and merged in GitLab: {opened.url}")
        if standing.foreign:
            raise ActRefused(
                f"{standing.foreign} made a commit on {opened.branch} that is not the updater's: merge the "
                "branch with Git, or close the proposal."
            )
        if head is not None and head != standing.head:
            raise ActRefused(
                f"The proposal {name} has moved to {standing.head[:10]} since {head[:10]} was looked at: "
                "look at it again, then approve."
            )
        proposing = self._planned(sight, opened.branch)
        message = self._doors.messages.merge_commit(proposing, name=name, approved_by=by)
        squash = proposing.environment.merge_request.squash
        merging = self._doors.forge.merge(opened, head=standing.head, message=message, squash=squash)
        if merging.landed is not Landed.MERGED:
            raise ActRefused(self._doors.messages.wait(merging.code, merging.words))
        self._tending.tend(self._rounds.refresh())
        return self._told(environment, opened, act="approved", by=by, commit=merging.merge_commit)

    def close(self, name: str, *, by: str, reason: str) -> EnvironmentOutcome:
        """Close a proposal for a person, who thereby says no to what it carries.

        Raises:
            InvalidRequest: there is no such proposal.
        """
        environment, opened, _ = self._one(self._rounds.refresh(), name)
        text = self._doors.messages.say(Reason("closed-for", {"by": by, "reason": reason}))
        self._doors.forge.close(opened, text=text, by=by)
        self._tending.tend(self._rounds.refresh())
        return self._told(environment, opened, act="closed", by=by)

    def preview(self, wish: PromotionWish) -> Record:
        """Return what a promotion would do now, and do nothing."""
        now = self._doors.clock()
        request = PromotionRequest(
            id="",
            origin=wish.origin,
            environment=wish.environment,
            caller=wish.caller,
            received_at=now,
            charts=wish.charts,
            allow_older=wish.allow_older,
            reason=wish.reason,
        )
        planned, _ = self.foresee(request)
        outcomes = [self._doors.messages.outcome(verdict) for verdict in planned.verdicts]
        if problem := planned.waiting.get(""):
            raise problem
        return Record(request=request, outcome=whole(outcomes), settled_at=now)

    def foresee(self, request: Request) -> tuple[Plan, Sight]:
        """Return what would be planned for a request now, and what it was planned on."""
        sight = self._rounds.refresh()
        return plan(sight.rules, sight.grounds, [request], self._rounds.standings()), sight

    # Looking

    def _open(self, sight: Sight, name: str = "") -> list[tuple[str, MergeRequest, Standing]]:
        listed = {one.branch: one for one in self._doors.forge.opened()}
        standings = replace(self._rounds.standings(), opened=listed)
        found: list[tuple[str, MergeRequest, Standing]] = []
        for environment in sight.rules.environments:
            ground = sight.grounds[environment.name]
            prefix = f"{PROPOSAL_PREFIX}{environment.name}/"
            branches = {
                branch: ground.branch
                for branch in sorted(listed)
                if branch.startswith(prefix)
                and name in ("", branch.removeprefix(PROPOSAL_PREFIX))
                and isinstance(ground, Ground)
            }
            for branch, standing in standings.standing(branches).items():
                found.append((environment.name, listed[branch], standing))
        return found

    def _one(self, sight: Sight, name: str) -> tuple[str, MergeRequest, Standing]:
        found = self._open(sight, name)
        if not found:
            raise InvalidRequest(
                f"There is no open proposal {name!r}: list them with updater proposals list.", field="name"
            )
        return found[0]

    def _planned(self, sight: Sight, branch: str) -> Proposing:
        """Return what a proposal should hold now; it is approved only where it holds that."""
        planned = keep_up(sight.rules, sight.grounds, self._rounds.standings())
        proposing = next((one for one in planned.proposals if one.branch == branch), None)
        if proposing is None or proposing.is_news:
            self._tending.tend(sight)
            raise ActRefused(
                f"The target branch moved, so {branch} was planned again or closed: look at it again."
            )
        return proposing

    def _shown(self, environment: str, opened: MergeRequest, standing: Standing) -> OpenProposal:
        return OpenProposal(
            name=opened.branch.removeprefix(PROPOSAL_PREFIX),
            environment=environment,
            branch=opened.branch,
            target=opened.target,
            head=standing.head,
            title=opened.title or ", ".join(str(one.image) for one in standing.carried),
            number=opened.number,
            link=opened.url,
            images=tuple(_image(one) for one in standing.carried),
            waits=self._tending.waits.get(opened.branch, ""),
            held_by=standing.foreign,
        )

    def _told(
        self, environment: str, opened: MergeRequest, *, act: str, by: str, commit: str = ""
    ) -> EnvironmentOutcome:
        facts = {"name": opened.branch.removeprefix(PROPOSAL_PREFIX), "by": by, "target": opened.target}
        kind = OutcomeKind.COMMITTED if act == "approved" else OutcomeKind.REFUSED
        return EnvironmentOutcome(
            environment=environment,
            kind=kind,
            code=act,
            reason=self._doors.messages.say(Reason(act, facts)),
            commit=commit,
            proposals=(ProposalLink(branch=opened.branch, number=opened.number, link=opened.url),),
        )


def _image(carried: Carried) -> ProposedImage:
    request = carried.requests[0]
    return ProposedImage(
        image=str(carried.image),
        previous=carried.previous,
        charts=carried.charts,
        replaced=carried.replaced,
        requests=tuple(one.id for one in carried.requests),
        requested_by=request.caller.name,
        source=source_link(request.source),
        pipeline=request.source.pipeline_url or request.source.pipeline_id,
    )
