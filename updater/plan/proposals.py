"""Plans the proposals of one environment: what each source branch should hold, and for whom.

It hides that requests are judged as if every open proposal had landed already, so that one order
holds over what stands, what is proposed and what waits; and that each source branch is then written
anew on the target branch as it is (product section "The rest of the road"). `plan` makes one for
every environment whose changes are proposed. It never asks anybody: what stands comes by `Proposals`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from updater.model import OutcomeKind, RollbackRequest, UpdateRequest
from updater.plan.acts import hold_notes, rollback_facts, rollback_of, rollback_verdict
from updater.plan.chains import Chain, chain_of, content_of, edits_of, with_wish
from updater.plan.court import Court
from updater.plan.draft import Ground
from updater.plan.edits import Editor, Wanted
from updater.plan.holding import Guard
from updater.plan.rollbacks import rollback_change
from updater.plan.standing import Carried, Proposals, Standing, branch_names
from updater.plan.stepping import undo_of
from updater.plan.undo import Undo
from updater.plan.values import Change, Closing, Edits, Proposing, Reason, Refusal, Verdict
from updater.policy import HOLDS_PATH, Environment
from updater.yamledit import show_path


@dataclass(slots=True)
class Proposer:
    """Plans for one environment; `proposals` and `closings` are filled as it goes."""

    environment: Environment
    ground: Ground
    known: Proposals
    undone: dict[str, Undo] = field(default_factory=dict)
    proposals: list[Proposing] = field(default_factory=list)
    closings: list[Closing] = field(default_factory=list)
    _names: Mapping[str, str] = field(default_factory=dict)
    _standing: dict[str, Standing] = field(default_factory=dict)
    _wanted: dict[str, list[Carried]] = field(default_factory=dict)
    # The source branches that get something new.
    _news: set[str] = field(default_factory=set)
    # Which source branch moves an image of a chart away from what stands on the target branch.
    _moving: dict[tuple[str, str], str] = field(default_factory=dict)
    # The source branches that lost something to a rollback.
    _given_way: set[str] = field(default_factory=set)
    # Which tags of open proposals gave way, by image and chart.
    _gone: dict[tuple[str, str], str] = field(default_factory=dict)
    # What stands on the target branch, by repository, file and path.
    _tags: dict[tuple[str, str, str], str | None] = field(default_factory=dict)

    def judge(self, wishes: Mapping[str, Sequence[UpdateRequest]]) -> list[Verdict]:
        """Return a verdict for each request, given by repository, and plan the proposals they lead to.

        Raises:
            TemporaryError: the forge is away, so nobody knows what stands.
        """
        self.look(wishes)
        overlay = self.ground.fork()
        self._lay_over(overlay)
        verdicts: list[Verdict] = []
        for repository, requests in wishes.items():
            court = Court(Guard(self.environment, overlay), first_change=0, veto=self.veto)
            judged = court.judge(requests)
            for change in court.changes:
                self._want(change)
            told = [self._told(verdict, repository) for verdict in judged]
            for verdict in told:
                self._override(verdict)
            verdicts.extend(told)
        asked = {branch for verdict in verdicts for branch in verdict.branches}
        self._write([branch for branch in self._standing if branch in self._news | asked], is_asked=True)
        return verdicts

    def roll_back(self, request: RollbackRequest) -> Verdict:
        """Propose a rollback, in the place of all that is proposed for its charts.

        Raises:
            Refusal: it cannot be taken back.
            TemporaryError: as for `judge`.
        """
        undo = self.undone[request.id] = undo_of(self.environment, self.ground, request)
        self._names = self._branch_names()
        branches = list(dict.fromkeys(self._names[chart] for chart in undo.charts if chart in self._names))
        self._take_in(branches)
        for standing in (self._standing[branch] for branch in branches):
            if standing.foreign:
                facts: dict[str, object] = {
                    "branch": standing.branch,
                    "by": standing.foreign,
                    "name": standing.name,
                    "image": ", ".join(undo.charts),
                    "environment": self.environment.name,
                }
                return rollback_verdict(request, OutcomeKind.HELD, Reason("held-by-commit", facts))
        made = rollback_of(self.environment, self.ground.fork(), undo, request)
        if made is None:
            nothing = Reason("nothing-changes", {"charts": undo.charts, "environment": self.environment.name})
            return rollback_verdict(request, OutcomeKind.UNCHANGED, nothing)
        change, edits = made
        for branch in branches:
            self._want_back(branch, change, undo if len(branches) == 1 else replace(undo, alone=True))
        self._write(branches, is_asked=True)
        names = [self._standing[branch].name or branch for branch in branches]
        reason = Reason("rollback-proposed", {**rollback_facts(change), "names": names})
        verdict = rollback_verdict(request, OutcomeKind.PROPOSED, reason)
        notes = tuple(hold_notes(change, self.environment))
        return replace(verdict, branches=tuple(branches), places=tuple(edits.places), notes=notes)

    def _want_back(self, branch: str, change: Change, undo: Undo) -> None:
        charts = tuple(chart for chart in change.charts if self._names.get(chart) == branch)
        new = Carried(
            image=change.image, charts=charts, requests=change.requests, undo=replace(undo, charts=charts)
        )
        standing = self._standing[branch]
        live = standing.carried if standing.is_live else ()
        # What is proposed already is not taken for something else the second time.
        (asked,) = new.requests
        same = [
            one
            for one in live
            if (one.undo, one.image) == (new.undo, new.image) and asked.override <= one.requests[0].override
        ]
        self._wanted[branch] = list(live) if same else with_wish(self._wanted.get(branch, live), new)

    def keep_up(self) -> None:
        """Plan what open proposals need now that the target branch may have moved.

        Raises:
            TemporaryError: as for `judge`.
        """
        self._names = self._branch_names()
        self._take_in(self.known.names(self.environment.name))
        live = [one.branch for one in self._standing.values() if one.is_live and not one.foreign]
        for branch in live:
            self._give_way(self._standing[branch])
        # After a change of `group-by` two branches may carry a chart: the one of an earlier grouping
        # comes last, and gives way.
        groups = set(self._names.values())
        self._write(sorted(live, key=lambda branch: branch not in groups), is_asked=False)

    def _give_way(self, standing: Standing) -> None:
        """Take out of a proposal what is meant for charts that were rolled back since it was made.

        Product section "rollback": it takes the place of an open merge request of its chart.
        """
        past, name = self.ground.past, self.environment.name
        gone: set[str] = set()
        for chart in dict.fromkeys(chart for one in standing.carried if not one.undo for chart in one.charts):
            last = next(iter(past.deployments(name, chart)), None)
            if last is not None and last.kind == "rollback" and not past.holds(standing.base, last.commit):
                gone.add(chart)
        if gone:
            lefts = (one if one.undo else one.without(gone) for one in standing.carried)
            self._wanted[standing.branch] = [left for left in lefts if left]
            self._given_way.add(standing.branch)

    def _branch_names(self) -> Mapping[str, str]:
        charts = self.ground.survey.charts_of(self.environment.scope)
        together = self.environment.merge_request.group_by == "environment"
        return branch_names(self.environment.name, charts, together=together)

    def look(self, wishes: Iterable[str]) -> None:
        """Find out which source branches the wishes (repositories) could touch, and what stands there.

        Raises:
            TemporaryError: the forge is away.
        """
        self._names = self._branch_names()
        editor = Editor(self.environment, self.ground)
        branches: set[str] = set()
        for repository in wishes:
            try:
                targets = editor.targets(repository)
            except Refusal:
                continue  # the court meets the same, and says it
            branches.update(self._names[one.chart] for one in targets)
            keys = ((repository, self._lasting(one.file), show_path(one.path)) for one in targets)
            self._tags.update(zip(keys, (one.tag for one in targets), strict=True))
        self._take_in(sorted(branches))

    def _take_in(self, branches: Iterable[str]) -> None:
        found = self.known.standing(dict.fromkeys(branches, self.ground.branch))
        self._standing.update({branch: self._renamed(standing) for branch, standing in found.items()})

    def _renamed(self, standing: Standing) -> Standing:
        """Return what stands with its charts as they are called now.

        A chart is named by its path as soon as another one shares its last part; its files stay.
        """
        if all(chart in self._names for one in standing.carried for chart in one.charts):
            return standing
        editor = Editor(self.environment, self.ground)
        files = {self._lasting(file) for file in standing.files or {}}
        carried: list[Carried] = []
        for one in standing.carried:
            charts = {chart for chart in one.charts if chart in self._names}
            if len(charts) < len(one.charts):
                with suppress(Refusal):
                    found = editor.targets(one.image.repository)
                    charts.update(one.chart for one in found if self._lasting(one.file) in files)
            carried.append(replace(one, charts=tuple(sorted(charts)) or one.charts))
        return replace(standing, carried=tuple(carried))

    def _lasting(self, file: str) -> str:
        return self.ground.survey.lasting(self.environment.scope, file)

    def _lay_over(self, overlay: Ground) -> None:
        """Draft what every open proposal carries, as if it had landed."""
        editor = Editor(self.environment, overlay)
        for standing in self._standing.values():
            if standing.is_live and not standing.foreign:
                self._wanted[standing.branch] = list(standing.carried)
                for carried in standing.carried:
                    self._lay(editor, overlay, standing.branch, carried)

    def _lay(self, editor: Editor, overlay: Ground, branch: str, carried: Carried) -> None:
        try:
            edits = self._edits_of(editor, overlay, carried)
        except Refusal:
            return  # it cannot be written any more, so it does not stand in anybody's way
        if edits is not None:
            overlay.draft.put(edits.files, -1)
            charts = {place.chart for place in edits.places if place.file in edits.files}
            self._moving.update({(carried.image.repository, chart): branch for chart in charts})

    def _edits_of(self, editor: Editor, overlay: Ground, carried: Carried) -> Edits | None:
        if carried.undo is None:
            return edits_of(editor, carried)
        made = rollback_change(self.environment, overlay, carried.undo, carried.requests[0])
        return made[1] if made else None

    def veto(self, chart: str, wanted: Wanted) -> tuple[OutcomeKind, Reason] | None:
        """Say why an image may not go to a chart: a person's commit or no, or a proposed rollback."""
        image = wanted.image
        standing = self._standing[self._names[chart]]
        facts = {"chart": chart, "image": str(image), "environment": self.environment.name}
        if standing.foreign:
            where = {"branch": standing.branch, "by": standing.foreign, "name": standing.name}
            return OutcomeKind.HELD, Reason("held-by-commit", {**facts, **where})
        proposed = standing.carried if standing.is_live else ()
        if not wanted.override and any(one.undo and chart in one.charts for one in proposed):
            where = {"name": standing.name, "tag": image.tag}
            return OutcomeKind.HELD, Reason("held-by-rollback", {**facts, **where})
        for closed in standing.closed if wanted.promoted is None else ():
            for old in closed.images:
                if old.repository == image.repository and self._is_no_newer(image.tag, old.tag):
                    where = {"by": closed.by, "name": closed.name, "closed": old.tag, "tag": image.tag}
                    return OutcomeKind.REFUSED, Reason("closed-by-person", {**facts, **where})
        return None

    def _is_no_newer(self, tag: str, closed: str) -> bool:
        return tag == closed or (self.environment.tags.compare(closed, tag) or 0) > 0

    def _want(self, change: Change) -> None:
        """Take an image that was judged good into the proposals of its charts."""
        for branch in {self._names[chart] for chart in change.charts}:
            self._news.add(branch)
            charts = tuple(chart for chart in change.charts if self._names[chart] == branch)
            self._moving.update({(change.image.repository, chart): branch for chart in charts})
            new = Carried(image=change.image, charts=charts, requests=change.requests)
            before = self._wanted.get(branch, ())
            self._gone.update(
                {
                    (change.image.repository, chart): one.image.tag
                    for one in before
                    if one.image.repository == change.image.repository
                    for chart in set(one.charts) & set(charts)
                }
            )
            self._wanted[branch] = with_wish(before, new)

    def _told(self, verdict: Verdict, repository: str) -> Verdict:
        """Return a verdict in terms of proposals: what it rests on, and what that makes of it."""
        branches = tuple(dict.fromkeys(self._resting(verdict, repository)))
        places = tuple(
            replace(one, old=self._tags.get((repository, self._lasting(one.file), one.path), one.old))
            for one in verdict.places
        )
        # A version is told by the proposal: here it was judged on top of what is proposed already.
        notes = tuple(note for note in verdict.notes if note.code != "chart-version")
        verdict = replace(verdict, change=None, branches=branches, places=places, notes=notes)
        if verdict.reason.code == "promoted-stands":
            return self._held_by_promotion(verdict, repository)
        if not branches:
            return verdict
        names = [self._standing[branch].name or branch for branch in branches]
        told = tuple(
            Reason("proposed", {**note.facts, "names": names}) if note.code == "committed" else note
            for note in verdict.notes
        )
        verdict = replace(verdict, notes=told)
        facts = {**verdict.reason.facts, "names": names}
        match verdict.kind:
            case OutcomeKind.COMMITTED:
                notes = (*verdict.notes, *self._giving_way(verdict, repository, names))
                reason = Reason("proposed", facts)
                return replace(verdict, kind=OutcomeKind.PROPOSED, reason=reason, notes=notes)
            case OutcomeKind.UNCHANGED:
                return replace(verdict, kind=OutcomeKind.PROPOSED, reason=Reason("already-proposed", facts))
            case OutcomeKind.SUPERSEDED if verdict.reason.code == "newer-stands":
                return replace(verdict, reason=Reason("newer-proposed", facts))
            case OutcomeKind.SUPERSEDED if verdict.reason.code == "newer-promotion":
                return replace(verdict, reason=Reason("newer-promotion", facts))
        return verdict

    def _giving_way(self, verdict: Verdict, repository: str, names: Sequence[str]) -> Iterable[Reason]:
        tags = (self._gone.get((repository, place.chart)) for place in verdict.places)
        for old in dict.fromkeys(tag for tag in tags if tag is not None):
            yield Reason("replaces-proposed", {"old": old, "names": names})

    def _held_by_promotion(self, verdict: Verdict, repository: str) -> Verdict:
        """Let a build wait for a promotion that is only proposed: nobody has approved it yet."""
        standing = str(verdict.reason.facts["standing"])
        if any(one == repository and tag == standing for (one, _, _), tag in self._tags.items()):
            return verdict
        names = [
            one.name
            for one in self._standing.values()
            for carried in one.carried
            if (carried.image.repository, carried.image.tag) == (repository, standing)
        ]
        facts = {**verdict.reason.facts, "names": names}
        return replace(verdict, kind=OutcomeKind.HELD, reason=Reason("held-by-promotion", facts))

    def _override(self, verdict: Verdict) -> None:
        """Let an override of what is proposed already be told in its commits."""
        request = verdict.request
        if not isinstance(request, UpdateRequest) or not request.override:
            return
        if verdict.reason.code != "already-proposed":
            return
        for branch in verdict.branches:
            self._news.add(branch)
            self._wanted[branch] = [
                replace(one, requests=(request, *one.requests)) if _is_same_build(one, request) else one
                for one in self._wanted.get(branch, ())
            ]

    def _resting(self, verdict: Verdict, repository: str) -> Iterable[str]:
        moving = (self._moving.get((repository, place.chart)) for place in verdict.places)
        return (branch for branch in moving if branch is not None)

    def _write(self, branches: Sequence[str], *, is_asked: bool) -> None:
        """Plan what each branch should hold on the target branch as it is, or that it is closed."""
        # One fork for all: a file belongs to one chart, and a chart, as a rule, to one branch.
        fork = self.ground.fork()
        for branch in branches:
            standing = self._standing[branch]
            if standing.foreign:
                continue  # whatever led here: a person's commit is never written over
            wanted = self._wanted.get(branch, list(standing.carried))
            try:
                chain = chain_of(self.environment, fork.fork(), wanted, is_asked=is_asked)
            except Refusal:
                continue  # it cannot be written on this target; whoever asks next is told why
            for change in chain.changes:
                # The file of holds is everybody's: each branch has its own entries in it.
                own = {path: one for path, one in change.files.items() if path != HOLDS_PATH}
                fork.draft.put(own, -1)
            if chain.changes:
                self._propose(standing, chain)
            elif standing.is_open or standing.is_live:
                reason = chain.dropped[0] if chain.dropped else Reason("closed-empty", {})
                if branch in self._given_way and not chain.dropped:
                    reason = Reason("closed-for-rollback", {})
                self.closings.append(Closing(branch=branch, standing=standing, reason=reason))

    def _propose(self, standing: Standing, chain: Chain) -> None:
        written = {path: content for change in chain.changes for path, content in change.files.items()}
        # What one commit makes and a later one removes was never there.
        there = self.ground.draft.paths
        files = {path: one for path, one in written.items() if one is not None or path in there}
        is_same = (
            standing.is_live
            and not standing.is_overtaken
            and standing.files == files
            and [content_of(one) for one in standing.carried] == [content_of(one) for one in chain.carried]
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


def _is_same_build(carried: Carried, request: UpdateRequest) -> bool:
    image = carried.image
    return (image.repository, image.tag) == (request.image.repository, request.image.tag)
