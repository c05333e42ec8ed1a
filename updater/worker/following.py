"""Tells requests what became of their proposals: merged, closed, overtaken, or why they still wait.

A proposal is not the end of a request; this is where its record goes on. `tending` calls it with what
it saw. It changes nothing but records, and deployment records where the rules want them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from updater.errors import EditRefused
from updater.forge import MergeRequest, State
from updater.messages import whole
from updater.model import (
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
from updater.worker import deployments
from updater.worker.rounds import Doors
from updater.worker.settling import Habits
from updater.worker.standings import Standings, images_of

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
    ended: dict[str, tuple[MergeRequest, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Fate:
    """What became of one proposal for one image."""

    kind: OutcomeKind
    reason: Reason | None = None  # None: what was said still holds
    commit: str = ""
    superseded_by: str = ""


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
        outcomes = {record.request.id: self._outcome_of(record, seen) for record in records}
        changed = {
            record.request.id: outcomes[record.request.id]
            for record in records
            if outcomes[record.request.id] != record.outcome
        }
        self._doors.store.progress(changed)
        ended: list[tuple[Request, Outcome]] = []
        for record in records:
            if outcome := changed.get(record.request.id):
                log.info("Request %s is %s: %s", record.request.id, outcome.kind, outcome.reason)
                if record.outcome and _kinds(outcome) != _kinds(record.outcome):
                    ended.append((record.request, outcome))
        deployments.record(self._doors.forge, seen.sight.rules, ended, was_proposed=True)

    def _outcome_of(self, record: Record, seen: Seen) -> Outcome:
        before = record.outcome.environments if record.outcome else ()
        return whole(
            [self._followed(one, record, seen) if one.kind is OutcomeKind.PROPOSED else one for one in before]
        )

    def _followed(self, outcome: EnvironmentOutcome, record: Record, seen: Seen) -> EnvironmentOutcome:
        image = _image_of(outcome, record)
        if image is None or not outcome.proposals:
            return outcome
        fates = [self._fate(link, outcome, image, seen) for link in outcome.proposals]
        is_open = any(one.kind is OutcomeKind.PROPOSED for one in fates)
        kind = OutcomeKind.PROPOSED if is_open else strongest({one.kind for one in fates})
        fate = next(one for one in fates if one.kind is kind)
        page = self._habits.link(fate.commit) if kind is OutcomeKind.COMMITTED and fate.commit else ""
        return replace(
            outcome,
            kind=kind,
            code=fate.reason.code if fate.reason else outcome.code,
            reason=self._doors.messages.say(fate.reason) if fate.reason else outcome.reason,
            commit=fate.commit or outcome.commit,
            link=page or outcome.link,
            superseded_by=fate.superseded_by,
        )

    def _fate(
        self, link: ProposalLink, outcome: EnvironmentOutcome, image: ImageReference, seen: Seen
    ) -> _Fate:
        opened = seen.opened.get(link.branch)
        if opened is not None and link.number in (0, opened.number):
            return self._open_fate(opened, outcome, image, seen)
        ended = [one for one in self._ended(link.branch, seen) if one.state is not State.OPENED]
        if link.number:
            mine = next((one for one in ended if one.number == link.number), None)
        else:
            mine = None if self._is_merged(outcome, seen) else next(iter(self._carrying(ended, image)), None)
        if mine is None:
            return self._traceless_fate(link, outcome, image, seen)
        if image_among(image, self._images(mine)):
            return self._ended_fate(mine, outcome, image)
        return self._overtaken(mine, outcome, image)

    def _ended(self, branch: str, seen: Seen) -> tuple[MergeRequest, ...]:
        if branch not in seen.ended:
            seen.ended[branch] = tuple(self._doors.forge.look([branch]).get(branch, ()))
        return seen.ended[branch]

    def _images(self, merge_request: MergeRequest) -> tuple[ImageReference, ...]:
        return images_of(self._doors.forge.carried(merge_request))

    def _carrying(self, ended: Iterable[MergeRequest], image: ImageReference) -> Iterable[MergeRequest]:
        return (one for one in ended if image_among(image, self._images(one)))

    def _open_fate(
        self, opened: MergeRequest, outcome: EnvironmentOutcome, image: ImageReference, seen: Seen
    ) -> _Fate:
        """Say whether an open merge request still carries the image, and why it waits."""
        target = self._target(outcome.environment, seen)
        standing = seen.standings.standing({opened.branch: target})[opened.branch]
        mine = next((one for one in standing.carried if one.image.repository == image.repository), None)
        facts = _facts(image, outcome, name=opened.url or opened.name, target=target)
        if mine is None:
            is_a_persons = bool(standing.foreign)
            return _Fate(PROPOSED) if is_a_persons else _Fate(UNCHANGED, Reason("ended-obsolete", facts))
        if not image_among(image, (mine.image,)):
            return _newer(mine.image.tag, facts)
        if wait := seen.waits.get(opened.branch):
            return _Fate(PROPOSED, Reason("merge-waits", {**facts, "wait": wait}), mine.commit)
        was_waiting = outcome.code == "merge-waits"
        reason = Reason("proposed", {**facts, "names": [facts["name"]]}) if was_waiting else None
        return _Fate(PROPOSED, reason, mine.commit)

    def _overtaken(self, ended: MergeRequest, outcome: EnvironmentOutcome, image: ImageReference) -> _Fate:
        """Say which build of the same image a merge request carried in the end."""
        facts = _facts(image, outcome, name=ended.url or ended.name, target=ended.target)
        newer = next((one for one in self._images(ended) if one.repository == image.repository), None)
        return _newer(newer.tag, facts) if newer else _Fate(UNCHANGED, Reason("ended-obsolete", facts))

    def _ended_fate(self, ended: MergeRequest, outcome: EnvironmentOutcome, image: ImageReference) -> _Fate:
        facts = _facts(image, outcome, name=ended.url or ended.name, target=ended.target)
        facts["by"] = ended.ended_by
        if ended.state is State.MERGED:
            return _Fate(COMMITTED, Reason("merged", facts), ended.merge_commit or outcome.commit)
        if ended.is_own_end:
            return _Fate(UNCHANGED, Reason("ended-obsolete", facts))
        return _Fate(REFUSED, Reason("ended-closed", facts))

    def _traceless_fate(
        self, link: ProposalLink, outcome: EnvironmentOutcome, image: ImageReference, seen: Seen
    ) -> _Fate:
        """Say what became of a proposal that left no trace but what stands on its target branch."""
        target = self._target(outcome.environment, seen)
        facts = _facts(image, outcome, name=link.branch, target=target) | {"by": ""}
        if self._is_merged(outcome, seen):
            landed = self._doors.repo.landing(target, outcome.commit).commit
            return _Fate(COMMITTED, Reason("merged", facts), landed)
        rules = {one.name: one for one in seen.sight.rules.environments}.get(outcome.environment)
        tags = self._tags(outcome, image, seen) if rules else set()
        if tags == {image.tag}:
            return _Fate(COMMITTED, Reason("merged", facts))
        newer = [tag for tag in tags if rules and (rules.tags.compare(tag, image.tag) or 0) > 0]
        return _newer(newer[0], facts) if newer else _Fate(REFUSED, Reason("ended-closed", facts))

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


def _kinds(outcome: Outcome) -> list[OutcomeKind]:
    return [one.kind for one in outcome.environments]


def _newer(tag: str, facts: Mapping[str, object]) -> _Fate:
    return _Fate(SUPERSEDED, Reason("newer-took-over", {**facts, "newer": tag}), superseded_by=tag)


def _image_of(outcome: EnvironmentOutcome, record: Record) -> ImageReference | None:
    if outcome.image:
        return ImageReference.parse(outcome.image)
    return record.request.image if isinstance(record.request, UpdateRequest) else None


def image_among(image: ImageReference, others: tuple[ImageReference, ...]) -> bool:
    """Say whether the same build of the same image is among others."""
    return any((one.repository, one.tag) == (image.repository, image.tag) for one in others)


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
