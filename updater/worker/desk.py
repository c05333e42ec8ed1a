"""What people do with proposals, and what they ask for before it is made: shown, approved, closed, previewed.

Hides that a plain Git remote is approved here and GitLab on its own pages. `wiring` has the server's
worker thread do it, `oneshot` a thread of its own; whoever asks may only see what is translated here.
Who may see or ask what is decided before, but for what a proposal carries: that is checked here, on the
very commits that are merged or closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any

from updater.auth import require_environment, require_image
from updater.errors import ActRefused, InvalidRequest
from updater.forge import Landed, MergeRequest
from updater.messages import listing, source_link, whole
from updater.model import (
    PROPOSAL_PREFIX,
    Caller,
    EnvironmentOutcome,
    OpenProposal,
    OutcomeKind,
    PromotionRequest,
    ProposalLink,
    ProposedImage,
    Record,
    Request,
    RollbackRequest,
)
from updater.plan import Carried, Ground, Plan, Proposing, Reason, Standing, keep_up, plan
from updater.sight import Sight
from updater.store import PromotionWish, RollbackWish
from updater.worker.rounds import Doors, Rounds
from updater.worker.standings import Standings, listed
from updater.worker.tending import Tending

# A look answers so long: whoever asks again and again asks neither Git nor the forge each time.
KEPT = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class _Look:
    """What was seen of all proposals at one moment; `standing` fills up as branches are asked for."""

    at: datetime
    sight: Sight
    tips: Mapping[str, str]
    opened: Mapping[str, MergeRequest]
    standings: Standings
    standing: dict[str, Standing] = field(default_factory=dict)


class Desk:
    """Answers people: about proposals as they were two seconds ago, and acts on them as they are now."""

    def __init__(self, doors: Doors, rounds: Rounds, tending: Tending) -> None:
        self._doors = doors
        self._rounds = rounds
        self._tending = tending
        self._last: _Look | None = None

    def proposals(self) -> Sequence[OpenProposal]:
        """Return all open proposals, by name."""
        return [self._shown(*one) for one in self._open(self._look())]

    def proposal(self, name: str) -> OpenProposal | None:
        """Return one open proposal with its diff; None where there is none of that name."""
        for environment, opened, standing in self._open(self._look(), name):
            diff = self._doors.repo.diff(standing.base, standing.head)
            return replace(self._shown(environment, opened, standing), diff=diff)
        return None

    def approve(self, name: str, *, caller: Caller, head: str | None) -> EnvironmentOutcome:
        """Merge a proposal on a plain Git remote, saying who approved; `head` pins what was looked at.

        Raises:
            InvalidRequest: there is no such proposal.
            NotAllowed: the caller may not speak for its environment or for an image in it.
            ActRefused: it moved, has a person's commit, or is approved elsewhere.
        """
        look = self._look_now()
        environment, opened, standing = self._one(look, name, caller)
        if not self._doors.forge.decides_here:
            raise ActRefused(f"Approve and merge {opened.name} on its page in GitLab: {opened.url}")
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
        proposing = self._planned(look.sight, opened.branch)
        message = self._doors.messages.merge_commit(proposing, name=name, approved_by=caller.name)
        squash = proposing.environment.merge_request.squash
        if stop := self._tending.stop(look.sight, proposing):
            raise ActRefused(f"{stop} To merge it now, ask for it with an override first.")
        merging = self._doors.forge.merge(opened, head=standing.head, message=message, squash=squash)
        if merging.landed is not Landed.MERGED:
            raise ActRefused(self._doors.messages.wait(merging.code, merging.words))
        self._tending.tend(self._rounds.refresh())
        return self._told(environment, opened, act="approved", by=caller.name, commit=merging.merge_commit)

    def close(self, name: str, *, caller: Caller, reason: str) -> EnvironmentOutcome:
        """Close a proposal for a person, who thereby says no to what it carries.

        Raises:
            InvalidRequest: there is no such proposal.
            NotAllowed: the caller may not speak for its environment or for an image in it.
        """
        by = caller.name
        environment, opened, _ = self._one(self._look_now(), name, caller)
        text = self._doors.messages.say(Reason("closed-for", {"by": by, "reason": reason}))
        self._doors.forge.close(opened, text=text, by=by)
        self._tending.tend(self._rounds.refresh())
        return self._told(environment, opened, act="closed", by=by)

    def preview(self, wish: PromotionWish | RollbackWish) -> Record:
        """Return what a promotion or a rollback would do now, and do nothing."""
        now = self._doors.clock()
        asked: dict[str, Any] = {one.name: getattr(wish, one.name) for one in fields(wish)}
        make = PromotionRequest if isinstance(wish, PromotionWish) else RollbackRequest
        request = make(id="", received_at=now, **asked)
        planned, _ = self.foresee(request)
        outcomes = [self._doors.messages.outcome(verdict) for verdict in planned.verdicts]
        if problem := planned.waiting.get(""):
            raise problem
        return Record(request=request, outcome=whole(outcomes), settled_at=now)

    def foresee(self, request: Request) -> tuple[Plan, Sight]:
        """Return what would be planned for a request now, and what it was planned on."""
        sight = self._rounds.refresh()
        standings, now = self._rounds.standings(), self._doors.clock()
        return plan(sight.rules, sight.grounds, [request], standings, now=now), sight

    # Looking

    def _look(self) -> _Look:
        """Return the last look while it is young and nothing was pushed since, else a new one."""
        last, now = self._last, self._doors.clock()
        is_good = last and timedelta(0) <= now - last.at <= KEPT
        if last is None or not is_good or last.tips != self._doors.repo.branches():
            last = self._last = self._look_now()
        return last

    def _look_now(self) -> _Look:
        self._last, now = None, self._doors.clock()
        sight = self._rounds.refresh()
        opened = listed(self._doors.forge, sight)
        standings = replace(self._rounds.standings(), opened=opened)
        return _Look(now, sight, self._doors.repo.branches(), opened, standings)

    def _open(self, look: _Look, name: str = "") -> list[tuple[str, MergeRequest, Standing]]:
        found: list[tuple[str, MergeRequest, Standing]] = []
        for environment in look.sight.rules.environments:
            ground = look.sight.grounds[environment.name]
            prefix = f"{PROPOSAL_PREFIX}{environment.name}/"
            branches = {
                branch: ground.branch
                for branch in sorted(look.opened)
                if branch.startswith(prefix)
                and name in ("", branch.removeprefix(PROPOSAL_PREFIX))
                and isinstance(ground, Ground)
            }
            new = {branch: target for branch, target in branches.items() if branch not in look.standing}
            look.standing.update(look.standings.standing(new))
            found += [(environment.name, look.opened[one], look.standing[one]) for one in branches]
        return found

    def _one(self, look: _Look, name: str, caller: Caller) -> tuple[str, MergeRequest, Standing]:
        """Return an open proposal that the caller may decide on."""
        found = self._open(look, name)
        if not found:
            raise InvalidRequest(
                f"There is no open proposal {name!r}: it may be merged or closed already. "
                "`updater proposals list` and GET /api/proposals show all that are open.",
                field="name",
            )
        environment, _, standing = found[0]
        require_environment(caller, environment)
        for carried in standing.carried:
            require_image(caller, carried.image.repository)
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
            # Without a page of its own, what a person reads of it is what it carries.
            title=_title(environment, standing) if standing.carried and not opened.number else opened.title,
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


def _title(environment: str, standing: Standing) -> str:
    carried = [
        f"Roll back {listing(one.charts)} to {one.image.tag or 'no tag'}"
        if one.undo
        else f"{listing(one.charts)} {one.image.tag}"
        for one in standing.carried
    ]
    return f"{listing(carried)} in {environment}"


def _image(carried: Carried) -> ProposedImage:
    request = carried.requests[0]
    promoted = request.promoted
    return ProposedImage(
        image=str(carried.image),
        previous=carried.previous,
        charts=carried.charts,
        replaced=carried.replaced,
        requests=tuple(one.id for one in carried.requests),
        requested_by=request.caller.name,
        promoted_from=promoted.origin if promoted else "",
        reason=promoted.reason if promoted else request.reason,
        source=source_link(request.source),
        pipeline=request.source.pipeline_url or request.source.pipeline_id,
    )
