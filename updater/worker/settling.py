"""Settles what is certain, and puts off the rest: where verdicts become outcomes that people read.

Hides what each failure means for a request, how long it is retried, and when it is given up. `rounds`
calls it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from updater.errors import InvalidConfigRepo, PushForbidden, RateLimited, TemporaryError, UpdaterError
from updater.forge import Ensured
from updater.messages import Messages, whole
from updater.model import (
    EnvironmentOutcome,
    Outcome,
    OutcomeKind,
    ProposalLink,
    Record,
    Request,
    UpdateRequest,
)
from updater.plan import Plan, Reason, Verdict
from updater.store import Deferral, Store

log = logging.getLogger(__name__)

LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How patient the worker is, and how it links to a commit (`link` returns "" where it cannot)."""

    give_up_after: timedelta
    poll: timedelta
    link: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Landings:
    """What became of a plan's direct changes, by index, and of its proposals, by source branch.

    A direct change is its commit, the server's refusal, or None where the branch moved. `is_stale` says
    that something moved, so that what rests on nothing that landed was decided on what is no longer so.
    """

    changes: Mapping[int, PushForbidden | str | None] = field(default_factory=dict)
    proposals: Mapping[str, Ensured | UpdaterError | None] = field(default_factory=dict)
    commits: Mapping[tuple[str, str], str] = field(default_factory=dict)
    is_stale: bool = False


@dataclass(slots=True)
class _Sorted:
    """Outcomes by request, and what cannot be settled yet: to plan again at once, or to wait for."""

    found: dict[str, list[EnvironmentOutcome]]
    again: set[str] = field(default_factory=set)
    waiting: dict[str, UpdaterError] = field(default_factory=dict)


class Settling:
    """Settles and puts off; `is_current` tells whether the mirror was fetched during this round."""

    def __init__(
        self,
        *,
        store: Store,
        messages: Messages,
        clock: Callable[[], datetime],
        habits: Habits,
    ) -> None:
        self._store = store
        self._messages = messages
        self._clock = clock
        self._habits = habits

    def settle(
        self, pending: Sequence[Request], planned: Plan, landings: Landings, *, is_current: bool
    ) -> tuple[list[Request], dict[str, Outcome]]:
        """Settle what is certain; return what must be planned again because a branch moved, and the rest."""
        sorted_ = _Sorted({request.id: list(request.done) for request in pending})
        sorted_.waiting.update(planned.waiting)
        if landings.is_stale:
            sorted_.again.update(planned.waiting)
        for verdict in planned.verdicts:
            self._sort(verdict, landings, sorted_)
        open_ids = sorted_.again | sorted_.waiting.keys()
        settled = {one.id: whole(sorted_.found[one.id]) for one in pending if one.id not in open_ids}
        held = [one for one, outcome in settled.items() if is_held(outcome)]
        self._store.settle(settled, again=dict.fromkeys(held, self._clock() + self._habits.poll))
        for request_id, outcome in settled.items():
            log.info("Request %s is %s: %s", request_id, outcome.kind, outcome.reason)
        left = [replace(one, done=tuple(sorted_.found[one.id])) for one in pending if one.id not in settled]
        for request in left:
            if request.id not in sorted_.again:
                self.defer([request], sorted_.waiting[request.id], is_current=is_current)
        return [request for request in left if request.id in sorted_.again], settled

    def _sort(self, verdict: Verdict, landings: Landings, into: _Sorted) -> None:
        nothing = None if landings.is_stale else ""
        state = nothing if verdict.change is None else landings.changes[verdict.change]
        arrivals = [landings.proposals.get(branch) for branch in verdict.branches]
        if None in arrivals or (state is None and not arrivals):
            into.again.add(verdict.request.id)
            return
        away = next((one for one in arrivals if isinstance(one, TemporaryError)), None)
        if away is not None:
            into.waiting[verdict.request.id] = away
            return
        into.found[verdict.request.id].append(self.outcome(verdict, state or "", landings))

    def outcome(
        self, verdict: Verdict, landed: PushForbidden | str, landings: Landings
    ) -> EnvironmentOutcome:
        """Return what is told of a verdict once it is known what landed."""
        if isinstance(landed, PushForbidden):
            return self._failed(verdict, "push-forbidden", landed)
        arrivals = [landings.proposals.get(branch) for branch in verdict.branches]
        for arrival in arrivals:
            if isinstance(arrival, UpdaterError):
                is_push = isinstance(arrival, PushForbidden)
                return self._failed(verdict, "push-forbidden" if is_push else "forge-refused", arrival)
        ensured = [one for one in arrivals if isinstance(one, Ensured)]
        if not ensured:
            return self._messages.outcome(
                verdict, commit=landed, link=self._habits.link(landed) if landed else ""
            )
        return self._proposed(verdict, ensured, landings)

    def _proposed(
        self, verdict: Verdict, ensured: Sequence[Ensured], landings: Landings
    ) -> EnvironmentOutcome:
        requests = [one.merge_request for one in ensured]
        names = [one.url or one.name for one in requests]
        unknown = sorted({name for one in ensured for name in one.unknown})
        notes = [Reason("unknown-on-forge", {"names": unknown})] if unknown else []
        verdict = replace(
            verdict,
            reason=Reason(verdict.reason.code, {**verdict.reason.facts, "names": names}),
            notes=(*verdict.notes, *notes),
        )
        repository = _repository(verdict.request)
        made = (landings.commits.get((repository, place.chart), "") for place in verdict.places)
        commit = next((one for one in made if one), "")
        outcome = self._messages.outcome(verdict, commit=commit, link=requests[0].url)
        links = (ProposalLink(branch=one.branch, number=one.number, link=one.url) for one in requests)
        return replace(outcome, proposals=tuple(links))

    def _failed(self, verdict: Verdict, code: str, problem: UpdaterError) -> EnvironmentOutcome:
        # Whatever rests on this change falls with it: a build that stands in a commit nobody took.
        words = Reason(code, {"environment": verdict.environment, "words": str(problem)})
        places = tuple(replace(place, new=place.old) for place in verdict.places)
        failed = replace(verdict, kind=OutcomeKind.FAILED, reason=words, places=places, notes=())
        return self._messages.outcome(replace(failed, superseded_by=""))

    # Putting off

    def defer(self, requests: Iterable[Request], problem: UpdaterError, *, is_current: bool) -> None:
        """Put requests off with the reason, or give up those that errors have held up for too long."""
        deferrals: dict[str, Deferral] = {}
        now = self._clock()
        for request in requests:
            record = self._store.get(request.id)
            if record is None or not is_undecided(record):
                continue
            is_trouble = not isinstance(problem, InvalidConfigRepo)
            since = (record.troubled_since or now) if is_trouble else None
            is_lost = is_current or not self._store.intents([request.id])
            if since is not None and now - since >= self._habits.give_up_after and is_lost:
                self._store.settle({request.id: whole([*request.done, self._gave_up(request, problem)])})
                continue
            wait = self._wait(record.attempts, problem)
            deferrals[request.id] = Deferral(str(problem), now + wait, request.done, troubled_since=since)
            log.info("Request %s waits: %s", request.id, problem)
        self._store.defer(deferrals)

    def _wait(self, attempts: int, problem: UpdaterError) -> timedelta:
        if isinstance(problem, InvalidConfigRepo):
            return self._habits.poll  # it heals when the branch is mended, which the next look finds
        if isinstance(problem, RateLimited):
            return timedelta(seconds=problem.after)
        return timedelta(seconds=min(LONGEST_WAIT, 2.0 ** min(attempts, 10)))

    def _gave_up(self, request: Request, problem: UpdaterError) -> EnvironmentOutcome:
        hours = round(self._habits.give_up_after.total_seconds() / 3600, 1)
        reason = Reason("gave-up", {"hours": f"{hours:g}", "last": str(problem)})
        environment = request.environment or ""
        return self._messages.outcome(
            Verdict(request=request, environment=environment, kind=OutcomeKind.FAILED, reason=reason)
        )


def is_held(outcome: Outcome) -> bool:
    """Say whether a request waits in some environment, though an outcome is told already."""
    return any(one.kind is OutcomeKind.HELD for one in outcome.environments)


def is_undecided(record: Record) -> bool:
    """Say whether the worker still has something to do for a request."""
    return record.outcome is None or is_held(record.outcome)


def _repository(request: Request) -> str:
    return request.image.repository if isinstance(request, UpdateRequest) else ""
