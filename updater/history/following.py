"""Follows one branch: from its commits to deployments and holds.

Hides in which order things are read, and what is trusted: the updater's own messages are, of all else
the values are looked at. It keeps what it learned from one `follow` to the next; the log is all it reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from updater.charts.versions import version_of
from updater.history import keeping
from updater.history.arrival import Arrival
from updater.history.holding import Holding
from updater.history.ledger import Ledger
from updater.history.line import Step, steps
from updater.history.looking import Changes, Look, Looker
from updater.history.making import deployment
from updater.history.places import Moved, Place, compare
from updater.history.reading import Reading, enriched, read
from updater.history.told import moved
from updater.history.words import merge_request_of, taken_back
from updater.model import Deployment, Hold, Log, LoggedCommit
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
    arrival: Arrival | None = None
    # What charts are called now that came by another name, by environment and that name.
    renamed: dict[tuple[str, str], str] = field(default_factory=dict)
    # The commit of the line that brought another one, or that merged a merge request.
    brought: dict[str, str] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    # The highest version that each chart ever rose to, by environment and chart.
    versions: dict[tuple[str, str], str] = field(default_factory=dict)
    tip: str = ""

    def raise_version(self, environment: str, chart: str, version: str) -> None:
        """Note a version that a chart rose to; what is none is left out."""
        key, rank = (environment, chart), version_of(version)
        known = version_of(self.versions.get(key, ""))
        if rank is not None and (known is None or known < rank):
            self.versions[key] = version


class History:
    """The history of deployments of one branch, for one thread; it knows nothing before `follow`."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._followed: tuple[object, ...] = ()
        self._known = self._nothing(())
        # How many steps were taken in since it was packed or restored.
        self.unpacked = 0

    def _nothing(self, environments: Sequence[Environment]) -> _Known:
        by_name = {one.name: one for one in environments}
        return _Known(by_name, Looker(self._log, environments), Holding(by_name))

    def follow(self, tip: str, environments: Sequence[Environment]) -> None:
        """Bring it up to date: `tip` is the branch's, `environments` are those that live on it.

        Reads what is new since the last time; everything, where the branch was moved to where it does
        not come from, or the environments' files or tags are others than before.
        """
        followed = _followed(environments)
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
            self.unpacked += len(found[:_AT_ONCE])
            del found[:_AT_ONCE]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was followed yet."""
        return not self._known.tip

    def packed(self) -> bytes:
        """Return all of it as bytes, to be restored after a restart."""
        known, arrival = self._known, self._known.arrival
        self.unpacked = 0
        return keeping.packed(
            keeping.fingerprint(self._followed),
            {
                **keeping.ledger_parts(known.ledger),
                **keeping.holding_parts(known.holding),
                "arrival": [keeping.commit_parts(arrival.commit), dict(arrival.files)] if arrival else None,
                "renamed": [[*key, later] for key, later in known.renamed.items()],
                "brought": known.brought,
                "merged": known.merged,
                "versions": [[*key, version] for key, version in known.versions.items()],
                "paths": sorted(known.looker.paths),
                "tip": known.tip,
            },
        )

    def restore(self, content: bytes, environments: Sequence[Environment]) -> None:
        """Take over what was packed; nothing happens where it is of no use for these environments."""
        with keeping.uncollected():
            self._restore(content, environments)

    def _restore(self, content: bytes, environments: Sequence[Environment]) -> None:
        followed = _followed(environments)
        parts = keeping.unpacked(keeping.fingerprint(followed), content)
        if parts is None:
            return
        known = self._nothing(environments)
        known.ledger = keeping.ledger_of(parts)
        keeping.fill_holding(known.holding, parts)
        if parts["arrival"] is not None:
            commit, files = parts["arrival"]
            reading = read(Step(keeping.commit_of(commit)), self._log.is_own, known.environments)
            known.arrival = Arrival(self._log, known.environments, reading, files)
        known.renamed = {(environment, chart): later for environment, chart, later in parts["renamed"]}
        known.brought, known.merged, known.tip = parts["brought"], parts["merged"], parts["tip"]
        known.versions = {(environment, chart): version for environment, chart, version in parts["versions"]}
        known.looker.paths = frozenset(parts["paths"])
        self._known, self._followed, self.unpacked = known, followed, 0

    def deployments(self, environment: str = "", chart: str = "") -> Sequence[Deployment]:
        """Return the deployments of an environment and a chart ("": of all), newest first.

        Of all it may take seconds at first, as it reads whatever the first commit brought.
        """
        return (*self.made(environment, chart), *self.arrived(environment, chart))

    def made(self, environment: str = "", chart: str = "") -> Iterator[Deployment]:
        """Yield the same without what the first commit of the line brought."""
        return self._known.ledger.shown(environment, chart)

    def began(self, path: str) -> LoggedCommit | None:
        """Return the first commit of the line where it brought a file that tells where images are."""
        arrival = self._known.arrival
        return arrival.commit if arrival is not None and path in arrival.files else None

    def last(self, environment: str, chart: str, repository: str) -> Deployment | None:
        """Return what made the tag stand that stands now; None where nothing ever did."""
        last = self._known.ledger.last((environment, chart, repository))
        arrived = self.arrived(environment, chart) if last is None else ()
        return last or next((one for one in arrived if one.repository == repository), None)

    def stood(self, environment: str, chart: str, repository: str) -> frozenset[str]:
        """Return every tag that ever stood in a place."""
        stood = self._known.ledger.stood((environment, chart, repository))
        if stood:
            return stood
        arrived = (one for one in self.arrived(environment, chart) if one.repository == repository)
        return frozenset(one.tag for one in arrived if one.tag is not None)

    def arrived(self, environment: str, chart: str) -> list[Deployment]:
        """Return what began the line, for a chart by whatever name it came, the last first."""
        known = self._known
        if known.arrival is None:
            return []
        if not chart:
            found = [*known.arrival.deployments()]
        else:
            names = {chart, *(old for (_, old), now in known.renamed.items() if now == chart)}
            found = [
                one
                for name in sorted(names)
                for one in known.arrival.deployments(name)
                if known.renamed.get((one.environment, name), name) == chart
            ]
        return [one for one in reversed(found) if environment in ("", one.environment)]

    def highest_version(self, environment: str, chart: str) -> str:
        """Return the highest version that a chart ever rose to with a tag; empty where it never did."""
        return self._known.versions.get((environment, chart), "")

    def _standing(self, place: Place) -> tuple[str | None, ...]:
        """Return the tag that stands in a place, nothing where none is known."""
        standing = self._known.ledger.standing(place)
        if standing:
            return standing
        environment, chart, repository = place
        arrived = (one for one in self.arrived(environment, chart) if one.repository == repository)
        return tuple(one.tag for one in arrived)[:1]

    def held_by_hand(
        self, environment: str, chart: str, repository: str, *, strict: bool = False
    ) -> Hold | None:
        """Return the hold that a person began by taking a build back, until a newer one stands.

        A strict one goes on until it is released.
        """
        return self._known.holding.get((environment, chart, repository), strict=strict)

    def held_all(self, *, strict: bool = False) -> Sequence[Hold]:
        """Return all holds that people began by taking builds back, in that order."""
        return self._known.holding.all(strict=strict)

    def _steps(self, tip: str, since: str) -> list[Step] | None:
        try:
            return steps(self._log.commits(tip, since=since), tip, since)
        except KeyError:
            # What was forced away may be tidied away as well.
            return None

    def _take(self, those: Sequence[Step]) -> None:
        readings = [read(step, self._log.is_own, self._known.environments) for step in those]
        # The names of files have to be carried on through rollbacks and folders of versions, too.
        wanted = [
            one.step.commit.commit for one in readings if not one.is_told or one.takes_back or one.versions
        ]
        changes = self._log.changes(wanted) if wanted else {}
        for reading in readings:
            self._step(reading, changes)
        self._known.looker.rest()

    def _step(self, reading: Reading, changes: Mapping[str, Changes]) -> None:
        """Take in one step; nothing is read any more once something was written down."""
        if self._begins(reading, changes):
            return
        found, look = self._moved(reading, changes)
        known, step = self._known, reading.step
        for (environment, chart), later in look.renamed.items():
            known.ledger.rename(environment, chart, later)
            known.holding.rename(environment, chart, later)
            known.renamed = {key: later if now == chart else now for key, now in known.renamed.items()}
            known.renamed[environment, chart] = later
        for release in reading.releases:
            for chart in release.charts:
                known.holding.release(release.environment, chart, release.repository, release.build)
        for environment, chart, version in reading.versions if reading.is_own else ():
            known.raise_version(environment, chart, version)
        is_plain = reading.is_own and not step.brought
        merge_request = "" if is_plain else merge_request_of(step.commit.message)
        for one in found:
            self._record(reading, one, merge_request)
        known.brought.update((one.commit, step.commit.commit) for one in step.brought)
        if merge_request:
            known.merged[merge_request] = step.commit.commit
        known.tip = step.commit.commit

    def _begins(self, reading: Reading, changes: Mapping[str, Changes]) -> bool:
        """Take in a first commit that is a person's, to be read when it is asked for."""
        known, commit = self._known, reading.step.commit
        if known.tip or commit.parents or reading.is_told:
            return False
        files = known.looker.begin(changes.get(commit.commit, {}))
        known.arrival = Arrival(self._log, known.environments, reading, files)
        known.tip = commit.commit
        return True

    def _moved(self, reading: Reading, changes: Mapping[str, Changes]) -> tuple[Sequence[Moved], Look]:
        known, commit = self._known, reading.step.commit
        differing = changes.get(commit.commit)
        is_version = bool(reading.versions) and not reading.takes_back
        if reading.is_told and (is_version or not (differing and known.looker.moves_files(differing))):
            is_merge = bool(reading.step.brought)
            found = moved(reading.images, known.environments, self._standing, merged=is_merge)
            if found is not None:
                known.looker.carry(differing or {})
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
            undone[move.chart] = numbers if numbers or one.own else self._stepped_over(place, move.old, one)
        if one.own:
            return named, undone
        numbers = sorted({number for those in undone.values() for number in those}, reverse=True)
        return tuple(dict.fromkeys(ledger.all[number].commit for number in numbers)), undone

    def _stepped_over(self, place: Place, old: str | None, one: Moved) -> Sequence[int]:
        """Return what a person takes back who writes a tag: all since it stood, or what stood last."""
        since = self._known.ledger.since(place, one.tag)
        if since or (compare(self._known.environments.get(place[0]), one.tag, old) or 0) >= 0:
            return since
        return self._known.ledger.newest(place)

    def _named(self, reading: Reading, one: Moved) -> Sequence[str]:
        """Return the commits of the line that trailers or, of people, messages say are taken back."""
        known, step = self._known, reading.step
        commits = list(one.facts.get("Reverts", ()))
        if not one.own:
            back = taken_back(each.message for each in (step.commit, *step.brought))
            commits.extend(back.commits)
            commits.extend(known.merged[name] for name in back.merge_requests if name in known.merged)
        return tuple(dict.fromkeys(known.brought.get(commit, commit) for commit in commits))


def _followed(environments: Sequence[Environment]) -> tuple[object, ...]:
    """Return what of the environments decides how commits are read."""
    return tuple((one.name, one.scope, one.tags, one.promoted) for one in environments)
