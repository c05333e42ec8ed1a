"""Judges all requests for one image in one environment: who wins, what is written, why not.

The rules are those of product section "What happens to a request" (order); what an image would
change is for `edits` to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from updater.model import OutcomeKind, UpdateRequest
from updater.plan.draft import Ground
from updater.plan.edits import Editor, Veto, Wanted
from updater.plan.holding import Guard
from updater.plan.values import Change, Edits, Reason, Refusal, Verdict
from updater.policy import Environment

# A build that is held so may never go out: it takes nobody's place.
_KEPT_OUT = ("held-by-hold", "held-by-revert")


class Court:
    """Judges all requests for one image in one environment and drafts the changes they make."""

    def __init__(
        self,
        guard: Guard,
        *,
        first_change: int,
        veto: Veto | None = None,
    ) -> None:
        self._environment = guard.environment
        self._ground = guard.ground
        self._editor = Editor(guard.environment, guard.ground, guard, veto)
        self._first_change = first_change
        self.changes: list[Change] = []

    def judge(self, requests: Sequence[UpdateRequest]) -> list[Verdict]:
        """Return a verdict for each request, older builds superseded by the newest that can be written."""
        verdicts: list[Verdict] = []
        order = {request.id: place for place, request in enumerate(requests)}
        rounds = sorted(self._comparable(requests), key=lambda group: self._turn(group, order))
        for group in rounds:
            waiting = list(group)
            while waiting:
                newest = self._newest(waiting)
                same = [one for one in waiting if _meaning(one) == _meaning(newest)]
                waiting = _without(waiting, same)
                own = self._write(same)
                verdicts.extend(own)
                if own[0].kind is OutcomeKind.REFUSED or own[0].reason.code in _KEPT_OUT:
                    continue  # an older build that can be written must not fall with a newer one that cannot
                older = [one for one in waiting if self._is_newer(newest.image.tag, one.image.tag)]
                if own[0].kind is OutcomeKind.HELD:
                    # Whoever overrides what holds the newer one up does not wait for it.
                    older = [one for one in older if not one.override]
                verdicts.extend(self._superseded(one, own[0], newest.image.tag) for one in older)
                waiting = _without(waiting, older)
        return verdicts

    def _comparable(self, requests: Sequence[UpdateRequest]) -> list[list[UpdateRequest]]:
        """Sort requests into groups in which order is known, directly or through a third.

        Two tags of one rank have no order between them, but may each be older than a third. A few
        members speak for a group: it would take as many equal ranks to miss one. A promotion is a
        person's decision and stands for itself.
        """
        groups: list[list[UpdateRequest]] = []
        for request in requests:
            tag = request.image.tag
            met = [
                group
                for group in groups
                if not (request.promoted or group[0].promoted)
                and any(self._compare(one.image.tag, tag) is not None for one in group[:8])
            ]
            if len(met) == 1:
                met[0].append(request)
                continue
            groups = [group for group in groups if not any(group is one for one in met)]
            groups.append([*(one for group in met for one in group), request])
        return groups

    def _turn(self, group: Sequence[UpdateRequest], order: Mapping[str, int]) -> int:
        """Return when a group is written: when its newest build was last asked for."""
        newest = self._newest(group).image.tag
        return max(order[one.id] for one in group if one.image.tag == newest)

    def _newest(self, group: Sequence[UpdateRequest]) -> UpdateRequest:
        newest = group[0]
        for one in group[1:]:
            if self._is_newer(one.image.tag, newest.image.tag):
                newest = one
        return newest

    def _compare(self, left: str, right: str) -> int | None:
        return self._environment.tags.compare(left, right)

    def _is_newer(self, left: str, right: str) -> bool:
        return (self._compare(left, right) or 0) > 0

    def _superseded(self, request: UpdateRequest, winner: Verdict, tag: str) -> Verdict:
        newer = winner.superseded_by or tag
        facts = {
            "tag": request.image.tag,
            "newer": newer,
            "environment": self._environment.name,
        }
        code = "newer-stands" if winner.superseded_by else "newer-in-queue"
        if winner.kind is OutcomeKind.HELD:
            code = "newer-held"
        return Verdict(
            request=request,
            environment=self._environment.name,
            kind=OutcomeKind.SUPERSEDED,
            reason=Reason(code, facts),
            change=winner.change,
            superseded_by=newer,
            places=winner.places,
        )

    def _write(self, same: Sequence[UpdateRequest]) -> list[Verdict]:
        """Draft one image for the requests that ask for the very same, and say what becomes of them."""
        first = same[0]
        try:
            edits = self._editor.edits(Wanted.by(first))
        except Refusal as refusal:
            own = self._verdict(first, OutcomeKind.REFUSED, refusal.reason)
        else:
            own = self._drafted(same, edits) if edits.files else self._left(first, edits)
            own = _with_vetoes(replace(own, places=tuple(edits.places), notes=tuple(edits.notes)), edits)
        return [replace(own, request=one) for one in same]

    def _left(self, request: UpdateRequest, edits: Edits) -> Verdict:
        """Say what becomes of a request that changes nothing."""
        facts = self._facts(request)
        rests_on = self._ground.draft.last_change(place.file for place in edits.places)
        if edits.newer:
            code = "newer-promotion" if request.promoted else "newer-stands"
            reason = Reason(code, {**facts, "newer": edits.newer})
            verdict = self._verdict(request, OutcomeKind.SUPERSEDED, reason)
        else:
            verdict = self._verdict(request, OutcomeKind.UNCHANGED, Reason("unchanged", facts))
        return replace(verdict, change=rests_on, superseded_by=edits.newer)

    def _drafted(self, same: Sequence[UpdateRequest], edits: Edits) -> Verdict:
        """Draft a change and say what becomes of the requests that wish for it."""
        index = self._first_change + len(self.changes)
        self._ground.draft.put(edits.files, index)
        self.changes.append(change_of(self._environment, self._ground, edits, same))
        reason = Reason("committed", {**self._facts(same[0]), "files": edits.told_files})
        return replace(self._verdict(same[0], OutcomeKind.COMMITTED, reason), change=index)

    def _facts(self, request: UpdateRequest) -> dict[str, object]:
        return {
            "tag": request.image.tag,
            "image": str(request.image),
            "environment": self._environment.name,
        }

    def _verdict(self, request: UpdateRequest, kind: OutcomeKind, reason: Reason) -> Verdict:
        return Verdict(request=request, environment=self._environment.name, kind=kind, reason=reason)


def change_of(
    environment: Environment,
    ground: Ground,
    edits: Edits,
    requests: Sequence[UpdateRequest],
) -> Change:
    """Return the commit that edits make."""
    moved = [place for place in edits.places if place.file in edits.files]
    return Change(
        environment=environment.name,
        branch=ground.branch,
        image=requests[0].image,
        previous=tuple(dict.fromkeys(place.old for place in moved)),
        charts=tuple(dict.fromkeys(place.chart for place in moved)),
        files=edits.files,
        requests=tuple(requests),
        versions=tuple(edits.versions),
        copies=edits.copies,
    )


def _with_vetoes(verdict: Verdict, edits: Edits) -> Verdict:
    """Let a veto speak for the whole: what could be written elsewhere is told beside it."""
    if not edits.vetoes:
        return verdict
    # What is held goes on later; it must not end with what is refused for good beside it.
    told = sorted(edits.vetoes, key=lambda veto: veto[0] is not OutcomeKind.HELD)
    kind, reason = told[0]
    others = [reason for _, reason in told[1:]] + ([verdict.reason] if edits.files else [])
    return replace(verdict, kind=kind, reason=reason, notes=(*verdict.notes, *others), superseded_by="")


def _meaning(request: UpdateRequest) -> tuple[object, ...]:
    image = request.image
    override = (request.override, request.reason) if request.override else ()
    return image.tag, image.digest, request.promoted, request.charts, override


def _without(requests: Iterable[UpdateRequest], gone: Iterable[UpdateRequest]) -> list[UpdateRequest]:
    # A promotion's wishes share its id.
    keys = {(one.id, one.charts) for one in gone}
    return [one for one in requests if (one.id, one.charts) not in keys]
