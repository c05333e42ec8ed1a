"""Tells requests what became of their proposals: merged, closed, overtaken, or why they still wait.

A proposal is not the end of a request; this is where its record goes on. `tending` calls it with what
it saw. It changes nothing but records, and deployment records where the rules want them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from updater.errors import EditRefused, UpdaterError
from updater.forge import MergeRequest, State
from updater.messages import whole
from updater.model import (
    Deployment,
    EnvironmentOutcome,
    ImageReference,
    Outcome,
    OutcomeKind,
    ProposalLink,
    Record,
    Request,
    UpdateRequest,
    strongest,
)
from updater.plan import Ground, Reason
from updater.sight import Sight
from updater.trailers import read
from updater.worker import deployments
from updater.worker.rounds import Doors
from updater.worker.settling import Habits
from updater.worker.standings import Standings, image_among, images_of

log = logging.getLogger(__name__)

# More open proposals than any team looks after.
MOST = 10_000
PROPOSED, COMMITTED = OutcomeKind.PROPOSED, OutcomeKind.COMMITTED
REFUSED, SUPERSEDED, UNCHANGED = OutcomeKind.REFUSED, OutcomeKind.SUPERSEDED, OutcomeKind.UNCHANGED


@dataclass(slots=True)
class Seen:
    """What a look at all proposals saw: the open merge requests by branch, and why they wait."""

    sight: Sight
    standings: Standings
    opened: Mapping[str, MergeRequest]
    waits: Mapping[str, str]
    known: dict[str, tuple[MergeRequest, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Fate:
    """What became of one proposal for one image."""

    kind: OutcomeKind
    reason: Reason | None = None  # None: what was said still holds
    commit: str = ""
    superseded_by: str = ""
    link: ProposalLink | None = None  # the merge request that carries it now


class Following:
    """Follows the proposals of settled requests."""

    def __init__(self, doors: Doors, habits: Habits) -> None:
        self._doors = doors
        self._habits = habits

    def follow(self, seen: Seen) -> None:
        """Bring the records of all proposed requests up to date.

        Raises:
            TemporaryError: the forge is away.
        """
        records = self._doors.store.proposed(limit=MOST)
        # All that may have ended are asked for at once, with the first of them.
        branches = {link.branch for record in records for link in _links(record)}
        seen.missing = tuple(sorted(branches - seen.opened.keys()))
        outcomes = {record.request.id: self._outcome_of(record, seen) for record in records}
        changed = {
            record.request.id: outcome
            for record in records
            if (outcome := outcomes[record.request.id]) is not None and outcome != record.outcome
        }
        self._doors.store.progress(changed)
        ended: list[tuple[Request, Outcome]] = []
        for record in records:
            if outcome := changed.get(record.request.id):
                log.info("Request %s is %s: %s", record.request.id, outcome.kind, outcome.reason)
                if record.outcome and _kinds(outcome) != _kinds(record.outcome):
                    ended.append((record.request, outcome))
        deployments.record(self._doors.forge, seen.sight.rules, ended, was_proposed=True)

    def _outcome_of(self, record: Record, seen: Seen) -> Outcome | None:
        """Return what is to be told of a request now; None where the forge does not tell just now."""
        before = record.outcome.environments if record.outcome else ()
        try:
            return whole(
                [
                    self._followed(one, record, seen) if one.kind is OutcomeKind.PROPOSED else one
                    for one in before
                ]
            )
        except UpdaterError as problem:
            log.warning("What became of request %s cannot be told now: %s", record.request.id, problem)
            return None

    def _followed(self, outcome: EnvironmentOutcome, record: Record, seen: Seen) -> EnvironmentOutcome:
        image = _image_of(outcome, record)
        if image is None or not outcome.proposals:
            return outcome
        fates = [self._fate(link, outcome, image, seen) for link in outcome.proposals]
        is_open = any(one.kind is OutcomeKind.PROPOSED for one in fates)
        kind = OutcomeKind.PROPOSED if is_open else strongest({one.kind for one in fates})
        fate = next(one for one in fates if one.kind is kind)
        page = self._habits.link(fate.commit) if kind is OutcomeKind.COMMITTED and fate.commit else ""
        links = tuple(one.link or old for one, old in zip(fates, outcome.proposals, strict=True))
        return replace(
            outcome,
            kind=kind,
            code=fate.reason.code if fate.reason else outcome.code,
            reason=self._doors.messages.say(fate.reason) if fate.reason else outcome.reason,
            commit=fate.commit or outcome.commit,
            link=page or (links[0].link if kind is OutcomeKind.PROPOSED else outcome.link),
            superseded_by=fate.superseded_by,
            proposals=links,
        )

    def _fate(
        self, link: ProposalLink, outcome: EnvironmentOutcome, image: ImageReference, seen: Seen
    ) -> _Fate:
        opened = seen.opened.get(link.branch)
        if opened is not None and (fate := self._open_fate(opened, outcome, image, seen)):
            return fate
        known = self._known(link.branch, seen)
        if any(one.state is State.OPENED and one.number == link.number for one in known):
            # It is not listed as open and yet not over: GitLab is merging it, or it was reopened just now.
            return _Fate(PROPOSED)
        ended = [one for one in known if one.state is not State.OPENED]
        if link.number:
            mine = next((one for one in ended if one.number == link.number), None)
        else:
            mine = None if self._is_merged(outcome, seen) else next(iter(self._carrying(ended, image)), None)
        if mine is not None and image_among(image, self._images(mine)):
            return self._ended_fate(mine, outcome, image, seen)
        for one in ended[:1] if mine is None else [mine]:
            if newer := self._replacing(one, image):
                return _newer(newer, _facts(image, outcome, name=one.url or one.name, target=one.target))
        return self._fate_by_target(link, outcome, image, seen, by=mine.ended_by if mine else "")

    def _known(self, branch: str, seen: Seen) -> tuple[MergeRequest, ...]:
        """Return all merge requests of a branch; the first question asks for all that are needed."""
        if branch not in seen.known:
            seen.known.update(self._doors.forge.look([branch, *seen.missing]))
            seen.missing = ()
        return tuple(seen.known.get(branch, ()))

    def _images(self, merge_request: MergeRequest) -> tuple[ImageReference, ...]:
        return images_of(self._doors.forge.carried(merge_request))

    def _replacing(self, merge_request: MergeRequest, image: ImageReference) -> str:
        """Return the tag that took the image's place in a merge request; empty where none did."""
        for message in self._doors.forge.carried(merge_request):
            same = [one for one in images_of([message]) if one.repository == image.repository]
            if same and image.tag in read(message).get("Replaced", ()):
                return same[0].tag
        return ""

    def _carrying(self, ended: Iterable[MergeRequest], image: ImageReference) -> Iterable[MergeRequest]:
        return (one for one in ended if image_among(image, self._images(one)))

    def _open_fate(
        self, opened: MergeRequest, outcome: EnvironmentOutcome, image: ImageReference, seen: Seen
    ) -> _Fate | None:
        """Say what an open merge request means for the image; None where it tells nothing about it."""
        target = self._target(outcome.environment, seen)
        standing = seen.standings.standing({opened.branch: target})[opened.branch]
        charts = {place.chart for place in outcome.places}
        same = [one for one in standing.carried if one.image.repository == image.repository]
        same = [one for one in same if charts.intersection(one.charts)] or same
        facts = _facts(image, outcome, name=opened.url or opened.name, target=target)
        mine = next((one for one in same if image_among(image, (one.image,))), None)
        back = next((one for one in standing.carried if one.undo and charts.intersection(one.charts)), None)
        if back is not None and back is not mine:
            return _newer(back.image.tag, facts)
        if mine is None and (instead := self._rolled_back(outcome, image, seen)):
            return _instead(instead, facts)
        if mine is None:
            newer = [one for one in same if image.tag in one.replaced]
            if newer:
                return _newer(newer[0].image.tag, facts)
            return _Fate(PROPOSED) if standing.foreign else None
        link = ProposalLink(branch=opened.branch, number=opened.number, link=opened.url)
        if wait := seen.waits.get(opened.branch):
            return _Fate(PROPOSED, Reason("merge-waits", {**facts, "wait": wait}), mine.commit, link=link)
        was_waiting = outcome.code == "merge-waits"
        reason = Reason("proposed", {**facts, "names": [facts["name"]]}) if was_waiting else None
        return _Fate(PROPOSED, reason, mine.commit, link=link)

    def _ended_fate(
        self, ended: MergeRequest, outcome: EnvironmentOutcome, image: ImageReference, seen: Seen
    ) -> _Fate:
        facts = _facts(image, outcome, name=ended.url or ended.name, target=ended.target)
        facts["by"] = ended.ended_by
        if ended.state is State.MERGED:
            return _Fate(COMMITTED, Reason("merged", facts), ended.merge_commit or outcome.commit)
        if ended.is_own_end:
            link = ProposalLink(branch=ended.branch, number=ended.number, link=ended.url)
            return self._fate_by_target(link, outcome, image, seen, by="")
        return _Fate(REFUSED, Reason("ended-closed", facts))

    def _fate_by_target(
        self, link: ProposalLink, outcome: EnvironmentOutcome, image: ImageReference, seen: Seen, *, by: str
    ) -> _Fate:
        """Say what became of a proposal by what stands on its target branch now."""
        target = self._target(outcome.environment, seen)
        facts = _facts(image, outcome, name=link.link or link.branch, target=target) | {"by": by}
        if self._is_merged(outcome, seen):
            landed = self._doors.repo.landing(target, outcome.commit).commit
            return _Fate(COMMITTED, Reason("merged", facts), landed)
        if back := self._rolled_back(outcome, image, seen):
            return _instead(back, facts)
        rules = {one.name: one for one in seen.sight.rules.environments}.get(outcome.environment)
        tags = self._tags(outcome, image, seen) if rules else set()
        if tags == {image.tag}:
            return _Fate(UNCHANGED, Reason("ended-obsolete", facts))
        newer = [tag for tag in tags if rules and (rules.tags.compare(tag, image.tag) or 0) > 0]
        if newer:
            return _newer(newer[0], facts)
        is_open = link.branch in seen.opened
        return _Fate(REFUSED, Reason("ended-dropped" if is_open else "ended-closed", facts))

    def _rolled_back(
        self, outcome: EnvironmentOutcome, image: ImageReference, seen: Seen
    ) -> Deployment | None:
        """Return the rollback that was made instead of what was proposed, where one stands now."""
        ground = seen.sight.grounds.get(outcome.environment)
        if not isinstance(ground, Ground):
            return None
        for chart in dict.fromkeys(place.chart for place in outcome.places):
            deployments = ground.past.deployments(outcome.environment, chart)
            last = next((one for one in deployments if one.repository == image.repository), None)
            if last is not None and last.kind == "rollback" and last.tag != image.tag:
                return last
        return None

    def _target(self, environment: str, seen: Seen) -> str:
        ground = seen.sight.grounds.get(environment)
        return ground.branch if isinstance(ground, Ground) else self._doors.repo.default_branch()

    def _is_merged(self, outcome: EnvironmentOutcome, seen: Seen) -> bool:
        target = self._target(outcome.environment, seen)
        return bool(outcome.commit) and self._doors.repo.contains(target, outcome.commit)

    def _tags(self, outcome: EnvironmentOutcome, image: ImageReference, seen: Seen) -> set[str]:
        """Return the tags that stand at the places the image was proposed for."""
        ground = seen.sight.grounds.get(outcome.environment)
        scopes = {one.name: one.scope for one in seen.sight.rules.environments}
        if not isinstance(ground, Ground):
            return set()
        try:
            found = ground.survey.targets(scopes[outcome.environment], image.repository)
        except EditRefused:
            return set()
        files = {place.file for place in outcome.places}
        return {place.tag for place in found if place.file in files and place.tag}


def _links(record: Record) -> Iterable[ProposalLink]:
    environments = record.outcome.environments if record.outcome else ()
    return (link for one in environments if one.kind is PROPOSED for link in one.proposals)


def _kinds(outcome: Outcome) -> list[OutcomeKind]:
    return [one.kind for one in outcome.environments]


def _newer(tag: str, facts: Mapping[str, object]) -> _Fate:
    return _Fate(SUPERSEDED, Reason("newer-took-over", {**facts, "newer": tag}), superseded_by=tag)


def _instead(back: Deployment, facts: Mapping[str, object]) -> _Fate:
    reason = Reason("rolled-back-instead", {**facts, "by": back.by, "standing": back.tag or "no tag"})
    return _Fate(SUPERSEDED, reason, superseded_by=back.tag or "")


def _image_of(outcome: EnvironmentOutcome, record: Record) -> ImageReference | None:
    if outcome.image.endswith(":"):
        return None  # a rollback after which no tag stands
    if outcome.image:
        return ImageReference.parse(outcome.image)
    return record.request.image if isinstance(record.request, UpdateRequest) else None


def _facts(
    image: ImageReference, outcome: EnvironmentOutcome, *, name: str, target: str
) -> dict[str, object]:
    return {
        "image": str(image),
        "tag": image.tag,
        "environment": outcome.environment,
        "name": name,
        "target": target,
    }
