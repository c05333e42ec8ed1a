"""Follows one branch: from its commits to deployments and holds.

Hides in which order things are read, and what is trusted: the updater's own messages are, of all else
the values are looked at. It keeps what it learned from one `follow` to the next; the log is all it reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from updater.history.holding import Holding
from updater.history.ledger import Ledger
from updater.history.line import Step, steps
from updater.history.looking import Changes, Look, Looker
from updater.history.making import deployment
from updater.history.places import Moved
from updater.history.reading import Reading, enriched, read
from updater.history.told import moved
from updater.history.words import merge_request_of, taken_back
from updater.model import Deployment, Hold, Log
from updater.policy import Environment

# Steps whose differences are asked for at once.
_AT_ONCE = 2_000


@dataclass(slots=True)
class _Known:
    """All that is known of a line so far."""

    environments: Mapping[str, Environment]
    looker: Looker
    holding: Holding
    ledger: Ledger = field(default_factory=Ledger)
    # The commit of the line that brought another one, or that merged a merge request.
    brought: dict[str, str] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    tip: str = ""


class History:
    """The history of deployments of one branch, for one thread; it knows nothing before `follow`."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._followed: tuple[object, ...] = ()
        self._known = self._nothing(())

    def _nothing(self, environments: Sequence[Environment]) -> _Known:
        by_name = {one.name: one for one in environments}
        return _Known(by_name, Looker(self._log, environments), Holding(by_name))

    def follow(self, tip: str, environments: Sequence[Environment]) -> None:
        """Bring it up to date: `tip` is the branch's, `environments` are those that live on it.

        Reads what is new since the last time; everything, where the branch was moved to where it does
        not come from, or the environments' files or tags are others than before.
        """
        followed = tuple((one.name, one.scope, one.tags, one.promoted) for one in environments)
        if followed != self._followed:
            self._known, self._followed = self._nothing(environments), followed
        since = self._known.tip
        if tip == since:
            return
        found = self._steps(tip, since)
        if found is None:
            self._known = self._nothing(environments)
            found = self._steps(tip, "") or []
        while found:
            # What was taken in need not be kept until the end.
            self._take(found[:_AT_ONCE])
            del found[:_AT_ONCE]

    def deployments(self, environment: str = "", chart: str = "") -> Sequence[Deployment]:
        """Return the deployments of an environment and a chart ("": of all), newest first."""
        return tuple(self._known.ledger.shown(environment, chart))

    def last(self, environment: str, chart: str, repository: str) -> Deployment | None:
        """Return what made the tag stand that stands now; None where nothing ever did."""
        return self._known.ledger.last((environment, chart, repository))

    def stood(self, environment: str, chart: str, repository: str) -> frozenset[str]:
        """Return every tag that ever stood in a place."""
        return self._known.ledger.stood((environment, chart, repository))

    def held_by_hand(self, environment: str, chart: str, repository: str) -> Hold | None:
        """Return the hold that a person began by taking a build back, until a newer one stands."""
        return self._known.holding.get((environment, chart, repository))

    def held_all(self) -> Sequence[Hold]:
        """Return all holds that people began by taking builds back, in that order."""
        return self._known.holding.all()

    def _steps(self, tip: str, since: str) -> list[Step] | None:
        try:
            return steps(self._log.commits(tip, since=since), tip, since)
        except KeyError:
            # What was forced away may be tidied away as well.
            return None

    def _take(self, those: Sequence[Step]) -> None:
        readings = [read(step, self._log.is_own, self._known.environments) for step in those]
        # The names of files have to be carried on through rollbacks, too.
        wanted = [one.step.commit.commit for one in readings if not one.is_told or one.takes_back]
        changes = self._log.changes(wanted) if wanted else {}
        for reading in readings:
            self._step(reading, changes)
        self._known.looker.rest()

    def _step(self, reading: Reading, changes: Mapping[str, Changes]) -> None:
        """Take in one step; nothing is read any more once something was written down."""
        found, look = self._moved(reading, changes)
        known, step = self._known, reading.step
        for (environment, chart), later in look.renamed.items():
            known.ledger.rename(environment, chart, later)
            known.holding.rename(environment, chart, later)
        for release in reading.releases:
            for chart in release.charts:
                known.holding.release(release.environment, chart, release.repository)
        is_plain = reading.is_own and not step.brought
        merge_request = "" if is_plain else merge_request_of(step.commit.message)
        for one in found:
            self._record(reading, one, merge_request)
        known.brought.update((one.commit, step.commit.commit) for one in step.brought)
        if merge_request:
            known.merged[merge_request] = step.commit.commit
        known.tip = step.commit.commit

    def _moved(self, reading: Reading, changes: Mapping[str, Changes]) -> tuple[Sequence[Moved], Look]:
        known, commit = self._known, reading.step.commit
        differing = changes.get(commit.commit)
        if reading.is_told and not (differing and known.looker.moves_files(differing)):
            is_merge = bool(reading.step.brought)
            found = moved(reading.images, known.environments, known.ledger.standing, merged=is_merge)
            if found is not None:
                return found, Look()
        if differing is None:
            differing = self._log.changes([commit.commit]).get(commit.commit, {})
        look = known.looker.look(commit, differing)
        return enriched(reading, look.rows, known.environments), look

    def _record(self, reading: Reading, one: Moved, merge_request: str) -> None:
        ledger = self._known.ledger
        reverts, undone = self._undone(reading, one)
        made = deployment(reading.step, one, reverts, merge_request)
        earlier = {chart: [ledger.all[number] for number in numbers] for chart, numbers in undone.items()}
        self._known.holding.deployed(made, earlier, ledger.has_stood, is_own=one.own)
        ledger.record(made, undone)

    def _undone(self, reading: Reading, one: Moved) -> tuple[Sequence[str], Mapping[str, Sequence[int]]]:
        """Return the commits that a step takes back for one image, and the deployments by chart."""
        if one.own and "Reverts" not in one.facts:
            return (), {}
        named = self._named(reading, one)
        ledger, undone = self._known.ledger, {}
        for move in one.moves:
            place = (one.environment, move.chart, one.repository)
            numbers = ledger.by(place, named)
            undone[move.chart] = numbers if numbers or one.own else ledger.since(place, one.tag)
        if one.own:
            return named, undone
        numbers = sorted({number for those in undone.values() for number in those}, reverse=True)
        return tuple(dict.fromkeys(ledger.all[number].commit for number in numbers)), undone

    def _named(self, reading: Reading, one: Moved) -> Sequence[str]:
        """Return the commits of the line that trailers or, of people, messages say are taken back."""
        known, step = self._known, reading.step
        commits = list(one.facts.get("Reverts", ()))
        if not one.own:
            back = taken_back(each.message for each in (step.commit, *step.brought))
            commits.extend(back.commits)
            commits.extend(known.merged[name] for name in back.merge_requests if name in known.merged)
        return tuple(dict.fromkeys(known.brought.get(commit, commit) for commit in commits))
