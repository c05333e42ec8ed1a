"""Gives account: what is where, what was deployed, what is held, and why an image is or is not there.

It hides that all of it is read from Git, the rules and the forge as they are now, and that only the fates
of requests come from the store. `wiring` has the worker's thread answer, `oneshot` a thread of its own.
Nothing is changed here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import merge
from itertools import chain, islice

from updater.errors import InvalidConfigRepo, InvalidRequest
from updater.history import Figures, History, figures
from updater.model import (
    PROPOSAL_PREFIX,
    AskedBefore,
    Caller,
    Deployment,
    Hold,
    ImageReference,
    Question,
    Status,
    StatusRow,
    UpdateRequest,
    WaitingTag,
    Why,
)
from updater.plan import Ground, Guard, Verdict, pause_stop, plan, written_holds
from updater.policy import Environment, pause_at
from updater.sight import BranchPast, Sight
from updater.store import Query, Records
from updater.worker.rounds import Doors, Rounds
from updater.worker.rows import About
from updater.worker.standings import listed

# A sight answers so long: whoever asks again and again does not fetch each time.
KEPT = timedelta(seconds=2)
# So many requests for one image are told.
_TOLD = 20
_SPAN = timedelta(days=90)


class Accounts:
    """Answers from the config repo as it was two seconds ago at most."""

    def __init__(self, doors: Doors, rounds: Rounds) -> None:
        self._doors = doors
        self._rounds = rounds
        self._last: tuple[datetime, Mapping[str, str], Sight] | None = None

    def holds(self, environment: str = "") -> Sequence[Hold]:
        """Return what is held: what is written down, and what people took back by hand.

        Raises:
            InvalidRequest: there is no such environment.
            InvalidConfigRepo: the holds of an environment cannot be read.
        """
        sight = self._sight()
        found: list[Hold] = []
        for one in _environments(sight, environment):
            ground = sight.ground(one.name)
            found += [hold for hold in written_holds(ground) if hold.environment == one.name]
            guard = Guard(one, ground)
            by_hand = (
                each for each in _history(ground).held_all(strict=True) if each.environment == one.name
            )
            held = (guard.by_hand(each.chart, each.repository) for each in by_hand)
            found += [hold for hold in held if hold]
        return found

    def history(self, question: Question) -> Sequence[Deployment]:
        """Return deployments, the newest first; environments that share no branch are told by time.

        Raises:
            InvalidRequest: there is no such environment, or no such commit to go on from.
        """
        told = self._deployments(question, made_only=False)
        if question.before:
            told = _after(told, question.before)
        return list(islice(told, question.limit))

    def figures(self, question: Question) -> Sequence[Figures]:
        """Return the figures of a span of time, the last 90 days where none is named.

        Raises:
            InvalidRequest: there is no such environment.
        """
        # Commits know whole seconds: what was deployed in this one counts.
        until = question.until or self._doors.clock() + timedelta(seconds=1)
        since = question.since or until - _SPAN
        made = self._deployments(replace(question, since=None, until=None), made_only=True)
        names = [one.name for one in _environments(self._sight(), question.environment)]
        found = figures(list(made), since, until, names)
        return [one for one in found if question.chart in ("", one.chart)]

    def _deployments(self, question: Question, *, made_only: bool) -> Iterator[Deployment]:
        """Yield what is asked for; `made_only` leaves out what was there when a branch began.

        Of one branch in the order of its commits, of several the later ones first.
        """
        sight = self._sight()
        branches: dict[str, tuple[History, set[str]]] = {}
        for one in _environments(sight, question.environment):
            ground = sight.look_at(one.name)
            _, names = branches.setdefault(ground.branch, (_history(ground), set()))
            names.add(one.name)
        told = [_told(history, names, question, made_only) for history, names in branches.values()]
        return told[0] if len(told) == 1 else merge(*told, key=lambda one: -one.time.timestamp())

    def status(self, environment: str = "", chart: str = "") -> Status:
        """Return what is where.

        Raises:
            InvalidRequest: there is no such environment.
            TemporaryError: the forge is away.
        """
        sight = self._sight()
        opened = listed(self._doors.forge, sight)
        rows: list[StatusRow] = []
        problems: list[str] = []
        for one in _environments(sight, environment):
            wrong, ground = sight.grounds[one.name], sight.seen.get(one.name)
            if isinstance(wrong, InvalidConfigRepo):
                problems.append(str(wrong))
            if ground is None:
                continue
            standings = replace(self._rounds.standings(), opened=opened)
            prefix = f"{PROPOSAL_PREFIX}{one.name}/"
            mine = {branch: ground.branch for branch in opened if branch.startswith(prefix)}
            waiting = standings.standing(mine).values()
            about = About(one, ground, _history(ground), standings=waiting, pause=self._pause(one))
            rows += [about.row(sight, target) for target in about.targets(chart)]
            if not chart:
                problems += [str(problem) for problem in ground.survey.problems(one.scope)]
        return Status(rows=tuple(rows), problems=tuple(dict.fromkeys(problems)))

    def _pause(self, environment: Environment) -> str:
        pause = pause_at(environment, self._doors.clock())
        if pause is None:
            return ""
        return self._doors.messages.say(pause_stop(environment, pause, "What is sent now")[1])

    def why(
        self,
        image: ImageReference,
        environment: str | None,
        *,
        has_requests: bool,
        records: Records | None = None,
    ) -> Sequence[Why]:
        """Say why an image is, or is not, where it could be: in one environment, or in each that it concerns.

        `has_requests` says that the store knows the requests of all times, as a server's does; `records` are
        those of another store.

        Raises:
            InvalidRequest: there is no such environment.
            UpdaterError: this cannot be decided now.
        """
        sight = self._sight()
        _environments(sight, environment or "")
        request = UpdateRequest(
            id="",
            image=image,
            caller=Caller(name="", environments=("*",)),
            received_at=self._doors.clock(),
            environment=environment,
        )
        standings = self._rounds.standings()
        # What is planned here is only foreseen: the sight is kept for the next question.
        grounds = {
            name: ground.fork() if isinstance(ground, Ground) else ground
            for name, ground in sight.grounds.items()
        }
        planned = plan(sight.rules, grounds, [request], standings, now=request.received_at)
        for problem in planned.waiting.values():
            raise problem
        asked = self._asked(image, records or self._doors.store) if has_requests else {}
        return [self._why(sight, one, image, asked, has_requests=has_requests) for one in planned.verdicts]

    def _asked(self, image: ImageReference, records: Records) -> dict[str, list[AskedBefore]]:
        found: dict[str, list[AskedBefore]] = {}
        query = Query(repository=image.repository, text=f":{image.tag}", limit=200)
        for record in records.find(query):
            request = record.request
            if not isinstance(request, UpdateRequest) or request.image.tag != image.tag:
                continue
            outcomes = record.outcome.environments if record.outcome else request.done
            for one in outcomes:
                told = AskedBefore(
                    id=request.id, received_at=request.received_at, outcome=one.kind, reason=one.reason
                )
                found.setdefault(one.environment, []).append(told)
            if record.outcome is None:
                waits = AskedBefore(
                    id=request.id, received_at=request.received_at, outcome=None, reason=record.reason
                )
                found.setdefault(request.environment or "", []).append(waits)
        return found

    def _why(
        self,
        sight: Sight,
        verdict: Verdict,
        image: ImageReference,
        asked: Mapping[str, Sequence[AskedBefore]],
        *,
        has_requests: bool,
    ) -> Why:
        name = verdict.environment
        outcome = self._doors.messages.outcome(verdict)
        ground = sight.grounds.get(name)
        history: Sequence[Deployment] = ()
        charts: Mapping[str, None] = {}
        if isinstance(ground, Ground):
            charts = dict.fromkeys(place.chart for place in verdict.places)
            told = (one for chart in charts for one in ground.past.deployments(name, chart))
            found = dict.fromkeys(one for one in told if one.repository == image.repository)
            history = sorted(found, key=lambda one: one.time, reverse=True)
        why = Why(
            environment=name,
            image=str(image),
            stands=bool(outcome.places) and all(place.old == image.tag for place in outcome.places),
            outcome=outcome.kind,
            code=outcome.code,
            reason=outcome.reason,
            text="",
            places=outcome.places,
            deployment=next((one for one in history if one.tag == image.tag), None),
            standing=tuple(_standing(history, charts)),
            waiting=_waiting(outcome.code, image, verdict.branches),
            requests=(*asked.get(name, ()), *asked.get("", ()))[:_TOLD],
        )
        return replace(why, text=self._doors.messages.why(why, has_requests=has_requests))

    def _sight(self) -> Sight:
        """Return the last sight while it is young and nothing was pushed since, else a new one."""
        now, tips = self._doors.clock(), self._doors.repo.branches
        if self._last is not None:
            at, known, sight = self._last
            if timedelta(0) <= now - at <= KEPT and known == tips():
                return sight
        sight = self._rounds.look_afresh()
        self._last = (now, tips(), sight)
        return sight


def _environments(sight: Sight, name: str) -> list[Environment]:
    """Return the environments that are meant: one, or all."""
    names = [one.name for one in sight.rules.environments]
    if name and name not in names:
        raise InvalidRequest(
            f"The rules know no environment {name!r}; they know {', '.join(names)}.", field="environment"
        )
    return [one for one in sight.rules.environments if name in ("", one.name)]


def _history(ground: Ground) -> History:
    """Return the history of a ground's branch."""
    past = ground.past
    if not isinstance(past, BranchPast):
        raise TypeError("a folder has no history")
    return past.history()


def _told(
    history: History, environments: Collection[str], question: Question, made_only: bool
) -> Iterator[Deployment]:
    arrived = () if made_only else chain.from_iterable(_arrived(history, question))
    for one in chain(history.made("", question.chart), arrived):
        if one.environment in environments and _is_asked_for(one, question):
            yield one


def _arrived(history: History, question: Question) -> Iterator[Sequence[Deployment]]:
    # Only when all else was told: whoever asks for the newest waits for no file to be read.
    yield history.arrived(question.environment, question.chart)


def _after(told: Iterable[Deployment], commit: str) -> Iterator[Deployment]:
    """Yield what comes after the deployments of a commit.

    Raises:
        InvalidRequest: there is none of it.
    """
    is_met = False
    for one in told:
        if one.commit == commit:
            is_met = True
        elif is_met:
            yield one
    if not is_met:
        raise InvalidRequest(f"No deployment has the commit {commit!r}.", field="before")


def _is_asked_for(one: Deployment, question: Question) -> bool:
    return (
        question.repository in ("", one.repository)
        and (question.since is None or one.time >= question.since)
        and (question.until is None or one.time < question.until)
    )


def _standing(history: Sequence[Deployment], charts: Iterable[str]) -> Iterable[Deployment]:
    """Yield what made the tags stand that stand now, each for the charts where it did."""
    lasts = {chart: next((one for one in history if chart in one.charts), None) for chart in charts}
    for one in dict.fromkeys(last for last in lasts.values() if last is not None):
        yield replace(one, moves=tuple(move for move in one.moves if lasts.get(move.chart) == one))


def _waiting(code: str, image: ImageReference, branches: Sequence[str]) -> tuple[WaitingTag, ...]:
    if code != "already-proposed":
        return ()  # what would be proposed does not wait yet
    names = (branch.removeprefix(PROPOSAL_PREFIX) for branch in branches)
    return tuple(WaitingTag(tag=image.tag, name=name) for name in names)
