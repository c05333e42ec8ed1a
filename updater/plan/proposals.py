"""Plans the proposals of one environment: what each source branch should hold, and for whom.

It hides that requests are judged as if every open proposal had landed already, so that one order
holds over what stands, what is proposed and what waits; and that each source branch is then written
anew on the target branch as it is (product section "The rest of the road"). `plan` makes one for
every environment whose changes are proposed. It never asks anybody: what stands comes by `Proposals`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from updater.charts import Survey
from updater.model import ImageReference, OutcomeKind, Promoted, UpdateRequest
from updater.plan.court import Court, change_of
from updater.plan.draft import Draft, Ground
from updater.plan.edits import Desk, Edits, Refusal, Wanted
from updater.plan.standing import Carried, Proposals, Standing, branch_names
from updater.plan.values import Change, Closing, Proposing, Reason, Verdict
from updater.policy import Environment
from updater.yamledit import show_path


@dataclass(frozen=True, slots=True)
class _Chain:
    """What a source branch would hold: its changes, what they carry, and why some wishes fell away."""

    changes: tuple[Change, ...]
    carried: tuple[Carried, ...]
    dropped: tuple[Reason, ...]


@dataclass(slots=True)
class Proposer:
    """Plans for one environment; `proposals` and `closings` are filled as it goes."""

    environment: Environment
    ground: Ground
    known: Proposals
    proposals: list[Proposing] = field(default_factory=list)
    closings: list[Closing] = field(default_factory=list)
    _names: Mapping[str, str] = field(default_factory=dict)
    _standing: dict[str, Standing] = field(default_factory=dict)
    _wanted: dict[str, list[Carried]] = field(default_factory=dict)
    # Which source branch moves an image of a chart away from what stands on the target branch.
    _moving: dict[tuple[str, str], str] = field(default_factory=dict)
    # What stands on the target branch, by file and path.
    _tags: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def judge(self, wishes: Mapping[str, Sequence[UpdateRequest]]) -> list[Verdict]:
        """Return a verdict for each request, given by repository, and plan the proposals they lead to.

        Raises:
            TemporaryError: the forge is away, so nobody knows what stands.
        """
        self._look(wishes)
        overlay = self._fork()
        self._lay_over(overlay)
        verdicts: list[Verdict] = []
        touched: set[str] = set()
        for repository, requests in wishes.items():
            court = Court(self.environment, overlay, first_change=0, veto=self._veto)
            judged = court.judge(requests)
            for change in court.changes:
                touched.update(self._want(change))
            verdicts.extend(self._told(verdict, repository) for verdict in judged)
        asked = {branch for verdict in verdicts for branch in verdict.branches}
        self._write([branch for branch in self._standing if branch in touched | asked])
        return verdicts

    def keep_up(self) -> None:
        """Plan what open proposals need now that the target branch may have moved.

        Raises:
            TemporaryError: as for `judge`.
        """
        self._names = self._branch_names()
        self._standing.update(
            self.known.standing(dict.fromkeys(self.known.names(self.environment.name), self.ground.branch))
        )
        live = [one.branch for one in self._standing.values() if one.is_live and not one.foreign]
        # After a change of `group-by` two branches may carry a chart: the one of an earlier grouping
        # comes last, and gives way.
        groups = set(self._names.values())
        self._write(sorted(live, key=lambda branch: branch not in groups))

    def _branch_names(self) -> Mapping[str, str]:
        charts = self.ground.survey.charts_of(self.environment.scope)
        together = self.environment.merge_request.group_by == "environment"
        return branch_names(self.environment.name, charts, together=together)

    def _look(self, wishes: Iterable[str]) -> None:
        """Find out which source branches the wishes could touch, and what stands there."""
        self._names = self._branch_names()
        desk = Desk(self.environment, self.ground)
        branches: dict[str, str] = {}
        for repository in wishes:
            try:
                targets = desk.targets(repository)
            except Refusal:
                continue  # the court meets the same, and says it
            branches.update(dict.fromkeys((self._names[one.chart] for one in targets), self.ground.branch))
            self._tags.update({(one.file, show_path(one.path)): one.tag for one in targets})
        self._standing.update(self.known.standing(branches))

    def _fork(self) -> Ground:
        """Return the target branch once more, to be drafted on without the others seeing it."""
        draft = Draft(self.ground.draft)
        return Ground(self.ground.branch, draft, Survey(draft, self.ground.survey))

    def _lay_over(self, overlay: Ground) -> None:
        """Draft what every open proposal carries, as if it had landed."""
        desk = Desk(self.environment, overlay)
        for standing in self._standing.values():
            if standing.is_live and not standing.foreign:
                self._wanted[standing.branch] = list(standing.carried)
                for carried in standing.carried:
                    self._lay(desk, overlay, standing.branch, carried)

    def _lay(self, desk: Desk, overlay: Ground, branch: str, carried: Carried) -> None:
        try:
            edits = _edits(desk, carried)
        except Refusal:
            return  # it cannot be written any more, so it does not stand in anybody's way
        if edits is not None:
            overlay.draft.put(edits.files, -1)
            charts = {place.chart for place in edits.places if place.file in edits.files}
            self._moving.update({(carried.image.repository, chart): branch for chart in charts})

    def _veto(
        self, chart: str, image: ImageReference, promoted: Promoted | None
    ) -> tuple[OutcomeKind, Reason] | None:
        """Say why an image may not be proposed for a chart: a person's commit, or a person's no."""
        standing = self._standing[self._names[chart]]
        facts = {"chart": chart, "image": str(image), "environment": self.environment.name}
        if standing.foreign:
            where = {"branch": standing.branch, "by": standing.foreign, "name": standing.name}
            return OutcomeKind.HELD, Reason("held-by-commit", {**facts, **where})
        for closed in standing.closed if promoted is None else ():
            for old in closed.images:
                if old.repository == image.repository and self._is_no_newer(image.tag, old.tag):
                    where = {"by": closed.by, "name": closed.name, "closed": old.tag, "tag": image.tag}
                    return OutcomeKind.REFUSED, Reason("closed-by-person", {**facts, **where})
        return None

    def _is_no_newer(self, tag: str, closed: str) -> bool:
        return tag == closed or (self.environment.tags.compare(closed, tag) or 0) > 0

    def _want(self, change: Change) -> set[str]:
        """Take an image that was judged good into the proposals of its charts; return their branches."""
        branches = {self._names[chart] for chart in change.charts}
        for branch in branches:
            charts = tuple(chart for chart in change.charts if self._names[chart] == branch)
            new = Carried(image=change.image, charts=charts, requests=change.requests)
            wanted = self._wanted.setdefault(branch, [])
            self._moving.update({(change.image.repository, chart): branch for chart in charts})
            same = [index for index, one in enumerate(wanted) if _is_same_image(one, new)]
            if same:
                wanted[same[0]] = wanted[same[0]].followed_by(new)
            else:
                wanted.append(new)
        return branches

    def _told(self, verdict: Verdict, repository: str) -> Verdict:
        """Return a verdict in terms of proposals: what it rests on, and what that makes of it."""
        branches = tuple(dict.fromkeys(self._resting(verdict, repository)))
        places = tuple(
            replace(one, old=self._tags.get((one.file, one.path), one.old)) for one in verdict.places
        )
        verdict = replace(verdict, change=None, branches=branches, places=places)
        if not branches:
            return verdict
        names = [self._standing[branch].name or branch for branch in branches]
        facts = {**verdict.reason.facts, "names": names, "branches": list(branches)}
        match verdict.kind:
            case OutcomeKind.COMMITTED:
                return replace(verdict, kind=OutcomeKind.PROPOSED, reason=Reason("proposed", facts))
            case OutcomeKind.UNCHANGED:
                return replace(verdict, kind=OutcomeKind.PROPOSED, reason=Reason("already-proposed", facts))
            case OutcomeKind.SUPERSEDED if verdict.reason.code == "newer-stands":
                return replace(verdict, reason=Reason("newer-proposed", facts))
        return verdict

    def _resting(self, verdict: Verdict, repository: str) -> Iterable[str]:
        moving = (self._moving.get((repository, place.chart)) for place in verdict.places)
        return (branch for branch in moving if branch is not None)

    def _write(self, branches: Sequence[str]) -> None:
        """Plan what each branch should hold on the target branch as it is, or that it is closed."""
        # One fork for all: a file belongs to one chart, and a chart, as a rule, to one branch.
        fork = self._fork()
        for branch in branches:
            standing = self._standing[branch]
            if standing.foreign:
                continue  # whatever led here: a person's commit is never written over
            wanted = self._wanted.get(branch, list(standing.carried))
            try:
                chain = self._chain(fork, wanted)
            except Refusal:
                continue  # it cannot be written on this target; whoever asks next is told why
            if chain.changes:
                self._propose(standing, chain)
            elif standing.is_open or standing.is_live:
                self.closings.append(
                    Closing(
                        environment=self.environment.name,
                        branch=branch,
                        standing=standing,
                        reason=chain.dropped[0] if chain.dropped else Reason("closed-empty", {}),
                    )
                )

    def _chain(self, fork: Ground, wanted: Sequence[Carried]) -> _Chain:
        desk = Desk(self.environment, fork)
        changes: list[Change] = []
        kept: list[Carried] = []
        dropped: list[Reason] = []
        for carried in wanted:
            edits = _edits(desk, carried)
            if edits is not None and edits.files:
                fork.draft.put(edits.files, len(changes))
                change = change_of(self.environment, fork, edits, carried.requests)
                changes.append(replace(change, replaced=carried.replaced))
                kept.append(carried)
            else:
                dropped.append(self._why_dropped(carried, edits))
        return _Chain(tuple(changes), tuple(kept), tuple(dropped))

    def _why_dropped(self, carried: Carried, edits: Edits | None) -> Reason:
        facts = {
            "image": str(carried.image),
            "tag": carried.image.tag,
            "environment": self.environment.name,
            "target": self.ground.branch,
        }
        if edits is None:
            return Reason("closed-no-target", facts)
        if edits.newer:
            return Reason("closed-newer-stands", {**facts, "newer": edits.newer})
        return Reason("closed-landed", facts)

    def _propose(self, standing: Standing, chain: _Chain) -> None:
        files = {path: content for change in chain.changes for path, content in change.files.items()}
        is_same = (
            standing.is_live
            and standing.files == files
            and [_content(one) for one in standing.carried] == [_content(one) for one in chain.carried]
        )
        self.proposals.append(
            Proposing(
                environment=self.environment,
                branch=standing.branch,
                target=self.ground.branch,
                changes=chain.changes,
                standing=standing,
                is_news=not is_same,
            )
        )


def _edits(desk: Desk, carried: Carried) -> Edits | None:
    """Return what a carried image changes; None where no place of it is left.

    Raises:
        Refusal: it cannot be written safely any more.
    """
    # Whoever proposed it was asked about order then: a person's promotion may go back.
    promoted = carried.requests[0].promoted
    try:
        return desk.edits(Wanted(carried.image, carried.charts, promoted))
    except Refusal as refusal:
        if refusal.reason.code == "no-target":
            return None
        raise


def _is_same_image(one: Carried, other: Carried) -> bool:
    return one.image.repository == other.image.repository


def _content(carried: Carried) -> tuple[object, ...]:
    ids = tuple(request.id for request in carried.requests)
    return carried.image.repository, carried.image.tag, carried.image.digest, ids, carried.replaced
