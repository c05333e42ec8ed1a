"""Chooses which deployments a rollback means, and says why it would be more than was asked for.

It hides what counts as a step back: rollbacks, and what was taken back already, are stepped over. `acts` and
`proposals` ask it; `rollbacks` then works out what every file holds.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from updater.model import Deployment, RollbackRequest
from updater.plan.draft import Ground
from updater.plan.rollbacks import overtaken
from updater.plan.undo import Undo
from updater.plan.values import Reason, Refusal
from updater.policy import Environment, order_of

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_BACK = ("rollback", "revert")


def undo_of(environment: Environment, ground: Ground, request: RollbackRequest) -> Undo:
    """Return what a request takes back.

    Raises:
        Refusal: nothing can be, or it would take back more than was asked for.
    """
    chosen = _Choice(environment, ground, request)
    deployments = chosen.deployments()
    undo = Undo(
        commits=tuple(dict.fromkeys(one.commit for one in deployments)),
        charts=tuple(dict.fromkeys(chart for one in deployments for chart in chosen.charts_of(one))),
        # A folder of a version stays as it was published: tags go back, in a version of their own.
        alone=request.alone or environment.chart.directory,
    )
    chosen.check_others(undo)
    chosen.check_overtaken(undo)
    return undo


def unknown_chart(environment: Environment, ground: Ground, chart: str) -> Reason | None:
    """Say that an environment has no such chart; None where it has."""
    known = sorted(ground.survey.charts_of(environment.scope))
    if chart in known:
        return None
    near = difflib.get_close_matches(chart, known, n=1, cutoff=0.5)
    facts = {"origin": environment.name, "known": known, "nearest": near[0] if near else ""}
    return Reason("no-chart", {**facts, "chart": chart})


@dataclass(frozen=True, slots=True)
class _Choice:
    """Chooses the deployments that a request means."""

    environment: Environment
    ground: Ground
    request: RollbackRequest

    def charts_of(self, deployment: Deployment) -> Sequence[str]:
        return deployment.charts if self.request.commit else (self.request.chart,)

    def deployments(self) -> list[Deployment]:
        """Return them, the newest first; never none."""
        request, past = self.request, self.ground.past
        if request.chosen:
            pinned = {one.image for one in request.chosen}
            found = past.deployments(self.environment.name, request.chart)
            return [one for one in found if one.commit in pinned] or self._refuse("no-such-deployment")
        if request.commit:
            made = past.made_by([request.commit])
            named = [one for one in made if one.environment == self.environment.name]
            return named or self._refuse("no-such-deployment", commit=request.commit)
        history = past.deployments(self.environment.name, request.chart)
        if not history and (problem := unknown_chart(self.environment, self.ground, request.chart)):
            raise Refusal(problem)
        aside = {one.commit for one in history if self._is_aside(one, history)}
        steps = [
            one
            for one in history
            if one.commit in aside or (one.kind not in _BACK and one.reverted_by in ("", *aside))
        ]
        steps = [one for one in steps if one.kind != "by-hand" or self._old(one) is not None]
        if request.to:
            return self._back_to(request.to, history, steps)
        # A person's own step back is none to take back: that would bring the build again.
        return [one for one in steps if not self._is_back(one)][:1] or self._refuse("nothing-to-roll-back")

    def _is_back(self, one: Deployment) -> bool:
        old = self._old(one)
        if one.kind not in ("by-hand", "revert") or not one.tag or not old:
            return False
        return (order_of(self.environment, one.tag, old) or 0) < 0

    def _is_aside(self, one: Deployment, history: Sequence[Deployment]) -> bool:
        """Say whether a person went down to what did not stand before: no return, but a step itself."""
        if one.kind != "revert" or one.reverted_by:
            return False
        taken = [each for each in history if each.commit in one.reverts and each.repository == one.repository]
        return bool(taken) and one.tag not in {self._old(each) for each in taken}

    def _old(self, deployment: Deployment) -> str | None:
        return next((one.old for one in deployment.moves if one.chart == self.request.chart), None)

    def _back_to(
        self, to: str, history: Sequence[Deployment], steps: Sequence[Deployment]
    ) -> list[Deployment]:
        """Return the steps that were made since a tag stood, or since a commit."""
        commit = self.ground.past.named(to) if _COMMIT.fullmatch(to) else ""
        if commit:
            return self._back_to_commit(commit, history, steps)
        found = [self._since(to, mine) for mine in _by_repository(steps).values()]
        if any(since is not None for since in found):
            meant = {id(one) for since in found for one in since or ()}
            return [one for one in steps if id(one) in meant] or self._refuse("stands-already", to=to)
        known = list(dict.fromkeys(one.tag for one in history if one.tag))
        if to in known:
            self._refuse("taken-back-itself", to=to)
        near = difflib.get_close_matches(to, known, n=1, cutoff=0.5)
        return self._refuse("never-stood", to=to, known=known, nearest=near[0] if near else "")

    def _back_to_commit(
        self, commit: str, history: Sequence[Deployment], steps: Sequence[Deployment]
    ) -> list[Deployment]:
        """Return the steps since a commit; what stood there must stand again then."""
        holds = self.ground.past.holds
        since = [one for one in steps if not holds(commit, one.commit)]
        for repository, mine in _by_repository(history).items():
            then = next((one for one in mine if holds(commit, one.commit)), None)
            undone = [one for one in since if one.repository == repository]
            tag = self._old(undone[-1]) if undone else mine[0].tag
            if then is not None and tag != then.tag:
                self._refuse("taken-back-itself", to=then.tag)
        return since or self._refuse("stands-already", to=commit[:10])

    def _since(self, to: str, steps: Sequence[Deployment]) -> Sequence[Deployment] | None:
        """Return the steps of one image since a tag stood; None where it never did."""
        for count, step in enumerate(steps):
            if step.tag == to:
                return steps[:count]
            if self._old(step) == to:
                return steps[: count + 1]
        return None

    def check_others(self, undo: Undo) -> None:
        """Refuse to take back, unasked, what the same commits did elsewhere."""
        if undo.alone:
            return
        others = [
            chart if one.environment == self.environment.name else f"{chart} in {one.environment}"
            for one in self.ground.past.made_by(undo.commits)
            for chart in one.charts
            if one.environment != self.environment.name or chart not in undo.charts
        ]
        if others:
            commits = [commit[:10] for commit in undo.commits]
            self._refuse("rollback-moves-others", commits=commits, others=list(dict.fromkeys(others)))

    def check_overtaken(self, undo: Undo) -> None:
        """Refuse where a later commit touched the same values."""
        found = overtaken(self.environment, self.ground, undo)
        if found is not None:
            self._refuse_overtaken(*found)

    def _refuse_overtaken(self, one: Deployment, chart: str) -> None:
        later = self.ground.past.deployments(self.environment.name, chart)
        last = next((each for each in later if each.repository == one.repository), one)
        facts = {"tag": one.tag, "commit": one.commit[:10], "later": last.commit[:10], "by": last.by}
        self._refuse("rollback-overtaken", **{**facts, "chart": chart, "subject": last.subject})

    def _refuse(self, code: str, **facts: object) -> list[Deployment]:
        common = {
            "environment": self.environment.name,
            "chart": self.request.chart,
            "wanted": self.request.commit or self.request.to,
        }
        raise Refusal(Reason(code, {**common, **facts}))


def _by_repository(steps: Sequence[Deployment]) -> Mapping[str, Sequence[Deployment]]:
    found: dict[str, list[Deployment]] = {}
    for one in steps:
        found.setdefault(one.repository, []).append(one)
    return found
