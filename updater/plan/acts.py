"""What people ask for directly: a rollback that is a commit at once, a hold, a release.

It judges such a request on one ground and drafts the change it makes. `plan` makes one `Acts` for every
environment that has some; what is proposed instead is for `proposals`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from updater.globs import takes_repository
from updater.model import Caller, Hold, HoldRequest, OutcomeKind, RollbackRequest, familiar_repository
from updater.plan.draft import Ground
from updater.plan.holding import Guard, pause_stop, written_holds
from updater.plan.rollbacks import rollback_change, standing_tags, wish_of
from updater.plan.stepping import undo_of, unknown_chart
from updater.plan.undo import Undo
from updater.plan.values import AnyChange, Change, Edits, HoldChange, Reason, Refusal, Verdict
from updater.policy import HOLDS_PATH, Environment, Pause, changed_holds, is_for, new_hold
from updater.trailers import person


@dataclass(slots=True)
class Acts:
    """Judges rollbacks, holds and releases of one environment, in the order in which they came.

    `changes` fills up; the first one has the index `first_change`. `undone` tells what each rollback takes
    back, by its id.
    """

    environment: Environment
    ground: Ground
    first_change: int
    pause: Pause | None = None
    changes: list[AnyChange] = field(default_factory=list)
    undone: dict[str, Undo] = field(default_factory=dict)
    _same: dict[tuple[object, ...], Verdict] = field(default_factory=dict)

    def roll_back(self, request: RollbackRequest) -> Verdict:
        """Draft a rollback; one that is asked for twice at once is one."""
        what = (request.chart, request.to, request.commit, request.alone, request.override, request.chosen)
        meaning = (*what, request.caller.images, request.caller.environments)
        if meaning not in self._same:
            try:
                self._same[meaning] = self._roll_back(request)
            except Refusal as refusal:
                return rollback_verdict(request, OutcomeKind.REFUSED, refusal.reason)
        return replace(self._same[meaning], request=request)

    def _roll_back(self, request: RollbackRequest) -> Verdict:
        undo = self.undone[request.id] = undo_of(self.environment, self.ground, request)
        if self.pause and not request.override:
            kind, reason = pause_stop(self.environment, self.pause, ", ".join(undo.charts))
            return rollback_verdict(request, kind, reason)
        made = rollback_of(self.environment, self.ground.fork(), undo, request)
        if made is None:
            facts = {"charts": undo.charts, "environment": self.environment.name}
            return rollback_verdict(request, OutcomeKind.UNCHANGED, Reason("nothing-changes", facts))
        change, edits = made
        index = self._take(change)
        reason = Reason("rolled-back", rollback_facts(change))
        verdict = rollback_verdict(request, OutcomeKind.COMMITTED, reason)
        notes = (*edits.notes, *hold_notes(change, self.environment))
        return replace(verdict, change=index, places=tuple(edits.places), notes=notes)

    def hold(self, request: HoldRequest) -> Verdict:
        """Draft a hold, or a release of what is held."""
        try:
            return self._held_or_released(request)
        except Refusal as refusal:
            return self._verdict(request, OutcomeKind.REFUSED, refusal.reason)

    def _held_or_released(self, request: HoldRequest) -> Verdict:
        if problem := self._unknown_chart(request) or self._not_allowed(request) or self._useless(request):
            return self._verdict(request, OutcomeKind.REFUSED, problem)
        return self._release(request) if request.release else self._hold(request)

    def _unknown_chart(self, request: HoldRequest) -> Reason | None:
        if request.release and self._written(request):
            return None
        return unknown_chart(self.environment, self.ground, request.chart)

    def _not_allowed(self, request: HoldRequest) -> Reason | None:
        if request.repository:
            return not_for_images(request.caller, [request.repository])
        standing = standing_tags(self.environment, self.ground, {request.chart})
        held = (*self._written(request), *self._by_hand(request)) if request.release else ()
        released = [hold.repository for hold in held if hold.repository]
        return not_for_images(request.caller, [*(repository for _, repository in standing), *released])

    def _useless(self, request: HoldRequest) -> Reason | None:
        """Say why a hold would protect nothing."""
        if request.release:
            return None
        used = self._used(request.chart)
        if request.repository and used is not None and request.repository not in used:
            images = [familiar_repository(one) for one in used]
            facts = {"image": familiar_repository(request.repository), "images": images}
            return Reason("hold-no-image", {**facts, **self._about(request)})
        if request.build and not self._takes(request.build):
            pattern = self.environment.tags.pattern
            environments = [(self.environment.name, pattern)]
            return Reason("tag-not-taken", {"tag": request.build, "environments": environments})
        return None

    def _used(self, chart: str) -> list[str] | None:
        """Return the repositories that a chart uses; None where one of its files cannot be read."""
        try:
            standing = standing_tags(self.environment, self.ground, {chart})
        except Refusal:
            return None
        return list(dict.fromkeys(repository for _, repository in standing))

    def _takes(self, tag: str) -> bool:
        origin = self.environment.promoted
        return self.environment.tags.takes(tag) or (origin is not None and origin.takes(tag))

    def _about(self, request: HoldRequest) -> dict[str, object]:
        return {"chart": request.chart, "environment": self.environment.name}

    def _hold(self, request: HoldRequest) -> Verdict:
        hold = new_hold(
            Hold(
                environment=self.environment.name,
                chart=request.chart,
                repository=request.repository,
                build=request.build,
                until="release" if self.environment.rollback.hold == "until-release" else "newer",
                by=person(request.caller.name),
                at=request.received_at,
                reason=request.reason,
            )
        )
        if any(_says_the_same(hold, one) for one in self._written(request)):
            return self._verdict(
                request, OutcomeKind.UNCHANGED, self._reason("held-already", request, [hold])
            )
        data = changed_holds(self.ground.draft.get(HOLDS_PATH), add=[hold])
        index = self._take(self._change(request, {HOLDS_PATH: data}, held=(hold,)))
        verdict = self._verdict(request, OutcomeKind.COMMITTED, self._reason("hold-set", request, [hold]))
        return replace(verdict, change=index)

    def _release(self, request: HoldRequest) -> Verdict:
        written, by_hand = self._written(request), self._by_hand(request)
        if not written and not by_hand:
            return self._verdict(request, OutcomeKind.UNCHANGED, self._reason("nothing-held", request, []))
        files: dict[str, bytes | None] = {}
        if written:
            files[HOLDS_PATH] = changed_holds(self.ground.draft.get(HOLDS_PATH), remove=set(written))
        released = (*written, *by_hand)
        index = self._take(self._change(request, files, released=released))
        verdict = self._verdict(request, OutcomeKind.COMMITTED, self._reason("released", request, released))
        return replace(verdict, change=index)

    def _written(self, request: HoldRequest) -> list[Hold]:
        """Return the holds in the file that a request is about."""
        return [
            hold
            for hold in written_holds(self.ground)
            if is_for(hold, self.environment.name, request.chart)
            and request.repository in ("", hold.repository)
            and (not request.release or request.build in ("", hold.build))
        ]

    def _by_hand(self, request: HoldRequest) -> list[Hold]:
        guard = Guard(self.environment, self.ground)
        deployments = self.ground.past.deployments(self.environment.name, request.chart)
        repositories = dict.fromkeys(one.repository for one in deployments)
        found = (guard.by_hand(request.chart, one) for one in repositories if request.repository in ("", one))
        return [hold for hold in found if hold and request.build in ("", hold.build)]

    def _change(
        self,
        request: HoldRequest,
        files: Mapping[str, bytes | None],
        *,
        held: tuple[Hold, ...] = (),
        released: tuple[Hold, ...] = (),
    ) -> HoldChange:
        return HoldChange(
            environment=self.environment.name,
            branch=self.ground.branch,
            charts=(request.chart,),
            files=files,
            request=request,
            held=held,
            released=released,
        )

    def _take(self, change: AnyChange) -> int:
        index = self.first_change + len(self.changes)
        self.ground.draft.put(change.files, index)
        self.changes.append(change)
        return index

    def _reason(self, code: str, request: HoldRequest, holds: Iterable[Hold]) -> Reason:
        facts = {"chart": request.chart, "environment": self.environment.name, "reason": request.reason}
        return Reason(code, {**facts, "holds": [_held(one) for one in holds]})

    def _verdict(self, request: HoldRequest, kind: OutcomeKind, reason: Reason) -> Verdict:
        return Verdict(request=request, environment=self.environment.name, kind=kind, reason=reason)


def _says_the_same(hold: Hold, other: Hold) -> bool:
    return (hold.repository, hold.build, hold.until) == (other.repository, other.build, other.until)


def _held(hold: Hold) -> str:
    image = familiar_repository(hold.repository) if hold.repository else "every image"
    return f"{image} up to {hold.build}" if hold.build else image


def rollback_of(
    environment: Environment, ground: Ground, undo: Undo, request: RollbackRequest
) -> tuple[Change, Edits] | None:
    """Return the change of a rollback that is asked for now, as it is read back later from its trailers.

    Raises:
        Refusal: it cannot be taken back.
    """
    wish = wish_of(request, undo.charts)
    made = rollback_change(environment, ground, undo, wish)
    if made is None:
        return None
    change, edits = made
    restored = change.rollback.restored if change.rollback else ()
    if problem := not_for_images(request.caller, (one.image.repository for one in restored)):
        raise Refusal(problem)
    foreign = _foreign_files(environment, ground, change, edits)
    if foreign and not _is_unlimited(request.caller):
        commits = [commit[:10] for commit in undo.commits]
        facts = {
            "commits": commits,
            "others": foreign,
            "chart": request.chart,
            "environment": environment.name,
        }
        raise Refusal(Reason("rollback-moves-others", facts))
    return replace(change, requests=(replace(wish, image=change.image),)), edits


def _foreign_files(environment: Environment, ground: Ground, change: Change, edits: Edits) -> list[str]:
    """Return what a rollback changes that no tag of its charts stands in."""
    spots = ground.survey.laid_out(environment.scope)
    charts = {*change.charts}
    own = {path for path, spot in spots.items() if spot.chart in charts}
    return sorted(change.files.keys() - own - edits.along - {HOLDS_PATH})


def _is_unlimited(caller: Caller) -> bool:
    return bool({"*", "**"} & {*caller.images}) and "*" in caller.environments


def not_for_images(caller: Caller, repositories: Iterable[str]) -> Reason | None:
    """Say that a caller's token may not speak for one of some images; None where it may for all."""
    for repository in repositories:
        if not takes_repository(caller.images, repository):
            facts = {"caller": caller.name, "images": caller.images}
            return Reason("image-not-allowed", {**facts, "image": familiar_repository(repository)})
    return None


def rollback_verdict(request: RollbackRequest, kind: OutcomeKind, reason: Reason) -> Verdict:
    """Return what becomes of a rollback; it is about a chart, or about all that a commit moved."""
    facts = {"chart": request.chart, **reason.facts}
    return Verdict(
        request=request, environment=request.environment, kind=kind, reason=Reason(reason.code, facts)
    )


def rollback_facts(change: Change) -> dict[str, object]:
    """Return what a rollback's sentences are made of."""
    rollback = change.rollback
    if rollback is None:
        raise ValueError("a change that is no rollback")
    return {
        "chart": ", ".join(change.charts),
        "environment": change.environment,
        "image": str(change.image),
        "commits": [one[:10] for one in rollback.undo.commits],
        "restored": [
            (familiar_repository(one.image.repository), one.old or "no tag", one.image.tag or "no tag")
            for one in rollback.restored
        ],
    }


def hold_notes(change: Change, environment: Environment) -> Iterable[Reason]:
    """Tell which builds a rollback keeps out from now on, and until when."""
    until = environment.rollback.hold
    for one in change.rollback.restored if change.rollback else ():
        if one.build:
            facts = {"build": one.build, "until": until, "environment": environment.name}
            yield Reason("now-held", {**facts, "image": familiar_repository(one.image.repository)})
