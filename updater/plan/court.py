"""Judges all requests for one image in one environment: who wins, what is written, why not.

The rules are those of product sections "What it edits" (places of one image, digests, all or
nothing) and "What happens to a request" (order).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from updater.charts import Target
from updater.errors import EditRefused
from updater.model import ImageReference, OutcomeKind, PlaceOutcome, UpdateRequest, familiar_repository
from updater.plan.draft import Ground
from updater.plan.values import Change, Reason, Verdict
from updater.policy import Environment
from updater.yamledit import show_path


@dataclass(frozen=True, slots=True)
class _Refusal(Exception):
    reason: Reason


class Court:
    """Judges all requests for one image in one environment and drafts the changes they make."""

    def __init__(
        self, environment: Environment, ground: Ground, repository: str, *, first_change: int
    ) -> None:
        self._environment = environment
        self._ground = ground
        self._repository = repository
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
                same = [
                    one
                    for one in waiting
                    if (one.image.tag, one.image.digest) == (newest.image.tag, newest.image.digest)
                ]
                waiting = _without(waiting, same)
                own = self._write(same)
                verdicts.extend(own)
                if own[0].kind is OutcomeKind.REFUSED:
                    continue  # an older build that can be written must not fall with a newer one that cannot
                older = [one for one in waiting if self._is_newer(newest.image.tag, one.image.tag)]
                verdicts.extend(self._superseded(one, own[0]) for one in older)
                waiting = _without(waiting, older)
        return verdicts

    def _comparable(self, requests: Sequence[UpdateRequest]) -> list[list[UpdateRequest]]:
        """Sort requests into groups in which order is known, directly or through a third.

        Two tags of one rank have no order between them, but may each be older than a third. A few
        members speak for a group: it would take as many equal ranks to miss one.
        """
        groups: list[list[UpdateRequest]] = []
        for request in requests:
            tag = request.image.tag
            met = [
                group
                for group in groups
                if any(self._compare(one.image.tag, tag) is not None for one in group[:8])
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

    def _superseded(self, request: UpdateRequest, winner: Verdict) -> Verdict:
        newer = winner.superseded_by or winner.request.image.tag
        facts = {
            "tag": request.image.tag,
            "newer": newer,
            "environment": self._environment.name,
        }
        code = "newer-stands" if winner.superseded_by else "newer-in-queue"
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
        image = same[0].image
        try:
            files, places, notes, stands = self._edits(image)
        except _Refusal as refusal:
            return [self._verdict(one, OutcomeKind.REFUSED, refusal.reason) for one in same]
        facts: dict[str, object] = {
            "tag": image.tag,
            "image": str(image),
            "environment": self._environment.name,
        }
        if not files:
            kind = OutcomeKind.SUPERSEDED if stands else OutcomeKind.UNCHANGED
            reason = (
                Reason("newer-stands", {**facts, "newer": stands}) if stands else Reason("unchanged", facts)
            )
            rests_on = self._ground.draft.last_change(place.file for place in places)
            own = Verdict(
                request=same[0],
                environment=self._environment.name,
                kind=kind,
                reason=reason,
                change=rests_on,
                superseded_by=stands,
                places=places,
                notes=notes,
            )
            return [replace(own, request=one) for one in same]
        index = self._first_change + len(self.changes)
        self._ground.draft.put(files, index)
        moved = [place for place in places if place.file in files]
        self.changes.append(
            Change(
                environment=self._environment.name,
                branch=self._ground.branch,
                image=image,
                previous=tuple(dict.fromkeys(place.old for place in moved)),
                charts=tuple(dict.fromkeys(place.chart for place in moved)),
                files=files,
                requests=tuple(same),
            )
        )
        reason = Reason("committed", {**facts, "files": sorted(files)})
        return [
            replace(
                self._verdict(one, OutcomeKind.COMMITTED, reason), change=index, places=places, notes=notes
            )
            for one in same
        ]

    def _verdict(self, request: UpdateRequest, kind: OutcomeKind, reason: Reason) -> Verdict:
        return Verdict(request=request, environment=self._environment.name, kind=kind, reason=reason)

    def _edits(
        self, image: ImageReference
    ) -> tuple[dict[str, bytes], tuple[PlaceOutcome, ...], tuple[Reason, ...], str]:
        """Return new contents, the story of each place, notes, and the newer tag that stands ("" if none).

        All or nothing: one unsafe place refuses the image in the whole environment.
        """
        survey = self._ground.survey
        files: dict[str, bytes] = {}
        places: list[PlaceOutcome] = []
        notes: list[Reason] = []
        newer = ""
        for file, targets in self._by_file().items():
            moving, adopted = self._moving(file, targets)
            standing = None if adopted else moving[0].tag
            if standing and self._is_newer(standing, image.tag):
                newer = newer if newer and self._is_newer(newer, standing) else standing
                places.extend(_place(target, target.tag) for target in moving)
                notes.append(Reason("stays-newer", {"file": file, "newer": standing, "tag": image.tag}))
                continue
            notes.extend(self._notes(image, moving, adopted=adopted))
            changes = [(target, image.tag, self._digest(image, target)) for target in moving]
            try:
                after = survey.write(file, changes)
            except EditRefused as problem:
                raise _Refusal(
                    Reason("unsafe-edit", {"problem": str(problem), "image": str(image)})
                ) from problem
            if after != self._ground.draft.read(file):
                files[file] = after
            places.extend(_place(target, image.tag) for target in moving)
        if not files:
            notes = [note for note in notes if note.code != "stays-newer"]
        return files, tuple(places), tuple(notes), newer

    def _by_file(self) -> dict[str, list[Target]]:
        scope, survey = self._environment.scope, self._ground.survey
        try:
            targets = survey.targets(scope, self._repository)
        except EditRefused as problem:
            unread = Reason(
                "unsafe-edit", {"problem": str(problem), "image": familiar_repository(self._repository)}
            )
            raise _Refusal(unread) from problem
        if not targets:
            facts: dict[str, object] = {
                "image": familiar_repository(self._repository),
                "environment": self._environment.name,
                "nearest": survey.nearest(scope, self._repository),
                "files": scope.files,
            }
            raise _Refusal(Reason("no-target", facts))
        by_file: dict[str, list[Target]] = {}
        for target in targets:
            if target.problem:
                unsafe = f"{target.file}:{target.line}: {target.problem}"
                raise _Refusal(
                    Reason("unsafe-edit", {"problem": unsafe, "image": familiar_repository(self._repository)})
                )
            by_file.setdefault(target.file, []).append(target)
        return by_file

    def _moving(self, file: str, targets: Sequence[Target]) -> tuple[list[Target], bool]:
        """Choose which places of one file move together, and say whether they are adopted.

        Product rule "Places of one image in one file": places whose tag the pattern takes carry one
        tag or the file is refused; others are flavours, unless there is nothing but them.
        """
        taken = [one for one in targets if one.tag is not None and self._environment.tags.takes(one.tag)]
        if len({one.tag for one in taken}) > 1:
            lines = [f"line {one.line}: {one.tag} ({show_path(one.path)})" for one in taken]
            raise _Refusal(
                Reason(
                    "places-differ",
                    {"file": file, "image": familiar_repository(self._repository), "lines": lines},
                )
            )
        return (taken, False) if taken else (list(targets), True)

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
        raise _Refusal(Reason("digest-stands", facts))

    def _notes(self, image: ImageReference, moving: Sequence[Target], *, adopted: bool) -> Iterable[Reason]:
        for target in moving:
            facts: dict[str, object] = {
                "file": target.file,
                "line": target.line,
                "tag": image.tag,
                "old": target.tag,
            }
            if adopted and target.tag != image.tag:
                yield Reason("adopted", facts)
            elif target.tag is not None and self._compare(target.tag, image.tag) is None:
                yield Reason("no-order", facts)
            if image.digest and target.digest is None:
                yield Reason("digest-not-written", {**facts, "digest": image.digest})
            if not self._environment.scope.files:
                for overlay in self._ground.survey.overlays_setting(target):
                    yield Reason("overlay-wins", {**facts, "overlay": overlay})


def _without(requests: Iterable[UpdateRequest], gone: Iterable[UpdateRequest]) -> list[UpdateRequest]:
    ids = {one.id for one in gone}
    return [one for one in requests if one.id not in ids]


def _place(target: Target, new: str | None) -> PlaceOutcome:
    return PlaceOutcome(
        chart=target.chart,
        file=target.file,
        line=target.line,
        path=show_path(target.path),
        old=target.tag,
        new=new,
    )
