"""What people took back by hand, and until when it must not come again.

Hides when such a hold begins and ends. `following` tells it every deployment in order; whether a hold
stops anything is for the caller to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from updater.history.places import Place, compare
from updater.model import Deployment, Hold
from updater.policy import Environment


class Holding:
    """The holds of one branch that nobody wrote down."""

    def __init__(self, environments: Mapping[str, Environment]) -> None:
        self._environments = environments
        self.holds: dict[Place, Hold] = {}
        # The same, but that only a release ends them.
        self.strict: dict[Place, Hold] = {}
        # Deployments by commit and place that went back to an older tag.
        self.back: set[tuple[str, Place]] = set()

    def get(self, place: Place, *, strict: bool = False) -> Hold | None:
        """Return the hold of one place; a strict one ends with a release only."""
        return (self.strict if strict else self.holds).get(place)

    def all(self, *, strict: bool = False) -> tuple[Hold, ...]:
        """Return all holds, in the order they began."""
        return tuple((self.strict if strict else self.holds).values())

    def release(self, environment: str, chart: str, repository: str, build: str = "") -> None:
        """End the hold of a chart's image, of each one where no repository is given; of one build only."""
        for holds in (self.holds, self.strict):
            for place, hold in list(holds.items()):
                is_meant = place[:2] == (environment, chart) and repository in ("", place[2])
                if is_meant and build in ("", hold.build):
                    del holds[place]

    def rename(self, environment: str, chart: str, later: str) -> None:
        """Carry on the holds of a chart under its new name."""
        for holds in (self.holds, self.strict):
            for place in [one for one in holds if one[:2] == (environment, chart)]:
                holds.setdefault((environment, later, place[2]), holds.pop(place))

    def deployed(
        self,
        deployment: Deployment,
        undone: Mapping[str, Sequence[Deployment]],
        has_stood: Callable[[Place, str], bool],
        *,
        is_own: bool,
    ) -> None:
        """Take in a deployment: `undone` is what it takes back by chart, `has_stood` tells of tags before."""
        if is_own and not self.holds and not self.strict:
            return
        for move in deployment.moves:
            place = (deployment.environment, move.chart, deployment.repository)
            if not is_own and move.old is not None:
                taken = [one for one in undone.get(move.chart, ()) if not self._went_back(one, place)]
                if self._goes_back(deployment, move.old, is_taking=bool(taken)):
                    self._hold(place, deployment, [move.old, *(one.tag for one in taken if one.tag)])
                    continue
            for holds in (self.holds, self.strict):
                if holds is self.strict and is_own and deployment.override:
                    continue  # that build was let in, and no other
                hold = holds.get(place)
                if hold is not None and deployment.tag is not None:
                    is_new = not has_stood(place, deployment.tag)
                    if self._ends(hold, deployment.tag, is_new=is_new):
                        del holds[place]

    def _goes_back(self, deployment: Deployment, old: str, *, is_taking: bool) -> bool:
        known = self._compare(deployment.environment, deployment.tag, old)
        return is_taking if known is None else known < 0

    def _went_back(self, deployment: Deployment, place: Place) -> bool:
        return deployment.kind == "rollback" or (deployment.commit, place) in self.back

    def _hold(self, place: Place, deployment: Deployment, taken: Sequence[str]) -> None:
        """Begin a hold of the newest of the builds taken back; one of a newer build stays as it is."""
        environment, chart, repository = place
        self.back.add((deployment.commit, place))
        build = taken[0]
        for tag in taken[1:]:
            if (self._compare(environment, tag, build) or 0) > 0:
                build = tag
        hold = Hold(
            environment=environment,
            chart=chart,
            repository=repository,
            build=build,
            by=deployment.by,
            at=deployment.time,
            reason=deployment.subject,
            commit=deployment.commit,
        )
        for holds in (self.holds, self.strict):
            earlier = holds.get(place)
            if earlier is None or (self._compare(environment, build, earlier.build) or 0) > 0:
                holds[place] = hold

    def _ends(self, hold: Hold, tag: str, *, is_new: bool) -> bool:
        """Say whether a tag ends a hold: a newer one, the build itself, without order one that is new."""
        known = self._compare(hold.environment, tag, hold.build)
        return is_new if known is None else known >= 0

    def _compare(self, environment: str, a: str | None, b: str | None) -> int | None:
        return compare(self._environments.get(environment), a, b)
