"""What one image would change in one environment: which places move, what stays, what is unsafe.

The rules are those of product sections "What it edits" (places of one image, digests, all or
nothing) and "promotion" (whose tags count). `court` asks it for requests, `proposals` for what a
proposal already carries. It judges nothing between requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from updater.charts import Target
from updater.errors import EditRefused
from updater.model import (
    ImageReference,
    OutcomeKind,
    PlaceOutcome,
    Promoted,
    Source,
    UpdateRequest,
    familiar_repository,
)
from updater.plan.along import bring_along, number_of
from updater.plan.draft import Ground
from updater.plan.holding import Guard
from updater.plan.values import Edits, Reason, Refusal
from updater.policy import Environment
from updater.yamledit import show_path


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image and how it is meant: `charts` are the only ones it is for (none: all that use it).

    With `override` no hold and no pause stops it. `source` is where it was built.
    """

    image: ImageReference
    charts: tuple[str, ...] = ()
    promoted: Promoted | None = None
    override: bool = False
    source: Source = field(default_factory=Source)

    @classmethod
    def by(cls, request: UpdateRequest) -> Wanted:
        """Return what a request wants."""
        return cls(request.image, request.charts, request.promoted, request.override, request.source)


# Says why an image may not go to a chart just now, or None.
Veto = Callable[[str, Wanted], tuple[OutcomeKind, Reason] | None]


def relation(environment: Environment, standing: str, wanted: Wanted) -> int | None:
    """Compare a tag that stands with one that is wanted; None: no order is known, or none is asked for.

    Product rule "promotion": tags of different patterns need no order, and within one pattern that
    pattern's own order holds.
    """
    tag, origin = wanted.image.tag, environment.promoted
    if wanted.promoted and origin and origin.takes(standing) and origin.takes(tag):
        return origin.compare(standing, tag)
    return environment.tags.compare(standing, tag)


class Editor:
    """Works out edits on one ground; `guard` keeps builds out, `veto` has more to say about that."""

    def __init__(
        self, environment: Environment, ground: Ground, guard: Guard | None = None, veto: Veto | None = None
    ) -> None:
        self._environment = environment
        self._ground = ground
        self._guard = guard
        self._veto = veto

    def targets(self, repository: str) -> tuple[Target, ...]:
        """Return every place of the repository in the environment; there may be none.

        Raises:
            Refusal: a file that names it cannot be read.
        """
        try:
            return self._ground.survey.targets(self._environment.scope, repository)
        except EditRefused as problem:
            raise _unsafe(str(problem), repository) from problem

    def edits(self, wanted: Wanted) -> Edits:
        """Return what the image changes; all or nothing: one unsafe place refuses it everywhere.

        Raises:
            Refusal: it cannot be written safely, or has no place here.
        """
        edits = Edits()
        for file, targets in self._by_file(wanted).items():
            self._edit(file, targets, wanted, edits)
        if not edits.files:
            edits.notes = [note for note in edits.notes if note.code != "stays-newer"]
        else:
            number = number_of(self._environment, wanted.image.tag, wanted.source)
            bring_along(self._environment, self._ground, edits, str(wanted.image), number=number)
            self._lift(wanted, edits)
        return edits

    def _lift(self, wanted: Wanted, edits: Edits) -> None:
        """End the holds that this build ends, in the same commit."""
        guard = Guard(self._environment, self._ground)
        charts = dict.fromkeys(place.chart for place in edits.places if place.file in edits.files)
        lifted = guard.lifted(charts, wanted.image, override=wanted.override)
        if lifted:
            edits.files |= guard.without(lifted)
            facts = {
                "tag": wanted.image.tag,
                "builds": list(dict.fromkeys(hold.build for hold in lifted)),
                "charts": list(dict.fromkeys(hold.chart for hold in lifted)),
                "environment": self._environment.name,
            }
            edits.notes.append(Reason("lifts-hold", facts))

    def _edit(self, file: str, targets: Sequence[Target], wanted: Wanted, edits: Edits) -> None:
        image = wanted.image
        moving, adopted = self._moving(file, targets)
        standing = None if adopted else moving[0].tag
        if standing and self._stays(file, standing, wanted, edits):
            edits.places.extend(_place(target, target.tag) for target in moving)
            return
        notes = list(self._notes(wanted, moving, adopted=adopted))
        changes = [(target, image.tag, self._digest(image, target)) for target in moving]
        try:
            after = self._ground.survey.write(file, changes)
        except EditRefused as problem:
            raise Refusal(Reason("unsafe-edit", {"problem": str(problem), "image": str(image)})) from problem
        if after != self._ground.draft.read(file):
            if self._is_vetoed(moving[0].chart, wanted, edits):
                edits.places.extend(_place(target, target.tag) for target in moving)
                return
            edits.files[file] = after
        edits.notes.extend(notes)
        edits.places.extend(_place(target, image.tag) for target in moving)

    def _stays(self, file: str, standing: str, wanted: Wanted, edits: Edits) -> bool:
        """Say whether a newer build stands in the file; a promoted one is never written over unseen."""
        environment, image = self._environment, wanted.image
        known = relation(environment, standing, wanted)
        if known is None and not wanted.promoted and _is_promoted(environment, standing):
            facts = {
                "tag": image.tag,
                "standing": standing,
                "origin": environment.promote_from,
                "environment": environment.name,
            }
            raise Refusal(Reason("promoted-stands", facts))
        if (known or 0) <= 0 or (wanted.promoted and wanted.promoted.allow_older):
            return False
        if not edits.newer or (environment.tags.compare(standing, edits.newer) or 0) > 0:
            edits.newer = standing
        edits.notes.append(Reason("stays-newer", {"file": file, "newer": standing, "tag": image.tag}))
        return True

    def _is_vetoed(self, chart: str, wanted: Wanted, edits: Edits) -> bool:
        veto = self._veto(chart, wanted) if self._veto else None
        if veto is None and self._guard and not wanted.override:
            veto = self._guard.stop(chart, wanted.image)
        if veto and veto not in edits.vetoes:
            edits.vetoes.append(veto)
        return bool(veto)

    def _is_orderless(self, standing: str, wanted: Wanted) -> bool:
        return not wanted.promoted and relation(self._environment, standing, wanted) is None

    def _by_file(self, wanted: Wanted) -> dict[str, list[Target]]:
        scope, survey = self._environment.scope, self._ground.survey
        repository = wanted.image.repository
        targets = [one for one in self.targets(repository) if not wanted.charts or one.chart in wanted.charts]
        if not targets:
            facts: dict[str, object] = {
                "image": familiar_repository(repository),
                "environment": self._environment.name,
                "nearest": survey.nearest(scope, repository),
                "files": scope.files,
            }
            raise Refusal(Reason("no-target", facts))
        by_file: dict[str, list[Target]] = {}
        for target in targets:
            if target.problem:
                raise _unsafe(f"{target.file}:{target.line}: {target.problem}", repository)
            by_file.setdefault(target.file, []).append(target)
        return by_file

    def _moving(self, file: str, targets: Sequence[Target]) -> tuple[list[Target], bool]:
        """Choose which places of one file move together, and say whether they are adopted.

        Product rule "Places of one image in one file": places whose tag the pattern takes carry one
        tag or the file is refused; others are flavours, unless there is nothing but them.
        """
        taken = [one for one in targets if one.tag is not None and self._takes(one.tag)]
        if len({one.tag for one in taken}) > 1:
            lines = [f"line {one.line}: {one.tag} ({show_path(one.path)})" for one in taken]
            image = familiar_repository(taken[0].repository)
            raise Refusal(Reason("places-differ", {"file": file, "image": image, "lines": lines}))
        return (taken, False) if taken else (list(targets), True)

    def _takes(self, tag: str) -> bool:
        return self._environment.tags.takes(tag) or _is_promoted(self._environment, tag)

    def _digest(self, image: ImageReference, target: Target) -> str | None:
        """Return the digest to write: the one that came, "" to clear the old one, None to leave it."""
        if image.digest:
            return image.digest
        if not target.digest or target.tag == image.tag:
            return None
        if self._environment.digest == "clear":
            return ""
        facts = {
            "file": target.file,
            "line": target.line,
            "digest": target.digest,
            "tag": image.tag,
            "environment": self._environment.name,
        }
        raise Refusal(Reason("digest-stands", facts))

    def _notes(self, wanted: Wanted, moving: Sequence[Target], *, adopted: bool) -> Iterable[Reason]:
        image = wanted.image
        for target in moving:
            facts: dict[str, object] = {
                "file": target.file,
                "line": target.line,
                "tag": image.tag,
                "old": target.tag,
            }
            if adopted and target.tag != image.tag:
                yield Reason("adopted", facts)
            elif target.tag is not None and self._is_orderless(target.tag, wanted):
                yield Reason("no-order", facts)
            if image.digest and target.digest is None:
                yield Reason("digest-not-written", {**facts, "digest": image.digest})
            if not self._environment.scope.files:
                for overlay in self._ground.survey.overlays_setting(target):
                    yield Reason("overlay-wins", {**facts, "overlay": overlay})


def _is_promoted(environment: Environment, tag: str) -> bool:
    """Say whether a tag can only have come by promotion."""
    origin = environment.promoted
    return origin is not None and origin.takes(tag) and not environment.tags.takes(tag)


def _unsafe(problem: str, repository: str) -> Refusal:
    return Refusal(Reason("unsafe-edit", {"problem": problem, "image": familiar_repository(repository)}))


def _place(target: Target, new: str | None) -> PlaceOutcome:
    return PlaceOutcome(
        chart=target.chart,
        file=target.file,
        line=target.line,
        path=show_path(target.path),
        old=target.tag,
        new=new,
    )
