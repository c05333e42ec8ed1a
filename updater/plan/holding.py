"""What keeps a build out of an environment for now: holds, a person's own revert, freezes and windows.

It hides where holds come from and when a build that goes out ends one. `edits` asks it for every image
that would change something; it judges nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from updater.model import Hold, ImageReference, OutcomeKind, familiar_repository
from updater.plan.draft import Ground
from updater.plan.values import Reason
from updater.policy import (
    HOLDS_PATH,
    Environment,
    Pause,
    changed_holds,
    is_for,
    is_lifted,
    keeps_out,
    parse_holds,
)

Stop = tuple[OutcomeKind, Reason]


@dataclass(frozen=True, slots=True)
class Guard:
    """Keeps builds out of one environment; `pause` is set where nothing goes out just now."""

    environment: Environment
    ground: Ground
    pause: Pause | None = None

    def stop(self, chart: str, image: ImageReference) -> Stop | None:
        """Say why an image must not go to a chart now; a hold comes first, as it outlasts a pause.

        Raises:
            InvalidConfigRepo: the holds cannot be read.
        """
        for hold in self.holds(chart, image.repository):
            if keeps_out(hold, self.environment, image.tag, partial(self._stood, chart, image)):
                return OutcomeKind.HELD, hold_reason(hold, chart, image)
        return pause_stop(self.environment, self.pause, str(image)) if self.pause else None

    def holds(self, chart: str, repository: str = "") -> Iterator[Hold]:
        """Yield the holds of a chart: those written down, then the one that a person's revert means."""
        for hold in written_holds(self.ground):
            if is_for(hold, self.environment.name, chart) and (
                not repository or hold.repository in ("", repository)
            ):
                yield hold
        if repository and (by_hand := self.by_hand(chart, repository)):
            yield by_hand

    def by_hand(self, chart: str, repository: str) -> Hold | None:
        """Return the hold that a person's revert means by the rules of the environment."""
        if self.environment.manual_revert == "ignore":
            return None
        strict = self.environment.rollback.hold == "until-release"
        found = self.ground.past.held_by_hand(self.environment.name, chart, repository, strict=strict)
        return replace(found, until="release") if found and strict else found

    def lifted(self, charts: Iterable[str], image: ImageReference, *, override: bool) -> list[Hold]:
        """Return the holds in the file that end when an image goes out to some charts.

        An override ends the hold of the very build that it lets in, unless that waits for a release.
        """
        return [
            hold
            for hold in written_holds(self.ground)
            for chart in charts
            if hold.repository == image.repository or self._means_only(hold, chart, image.repository)
            if is_for(hold, self.environment.name, chart)
            and (
                (override and hold.until == "newer" and hold.build == image.tag)
                or is_lifted(hold, self.environment, image.tag, partial(self._stood, chart, image))
            )
        ]

    def _means_only(self, hold: Hold, chart: str, repository: str) -> bool:
        """Say whether a hold of every image of a chart is one of this image, as there is no other."""
        targets = self.ground.survey.readable_in(self.environment.scope, {chart})
        return not hold.repository and {one.repository for one in targets} == {repository}

    def without(self, holds: Iterable[Hold]) -> dict[str, bytes | None]:
        """Return the file of holds as it is without some of them."""
        return {HOLDS_PATH: changed_holds(self.ground.draft.get(HOLDS_PATH), remove=set(holds))}

    def _stood(self, chart: str, image: ImageReference) -> frozenset[str]:
        return frozenset(self.ground.past.stood(self.environment.name, chart, image.repository))


def written_holds(ground: Ground) -> tuple[Hold, ...]:
    """Return the holds of a branch as planned so far.

    Raises:
        InvalidConfigRepo: the file makes no sense.
    """
    data = ground.draft.get(HOLDS_PATH)
    return parse_holds(data) if data else ()


def hold_reason(hold: Hold, chart: str, image: ImageReference) -> Reason:
    """Say that a hold keeps an image out."""
    return Reason(
        "held-by-revert" if hold.commit else "held-by-hold",
        {
            "environment": hold.environment,
            "chart": chart,
            "image": str(image),
            "tag": image.tag,
            "build": hold.build,
            "by": hold.by,
            "at": hold.at.strftime("%Y-%m-%d %H:%M UTC") if hold.at else "",
            "reason": hold.reason,
            "commit": hold.commit[:10],
            "until": hold.until,
            "what": familiar_repository(hold.repository) if hold.repository else "",
        },
    )


def pause_stop(environment: Environment, pause: Pause, what: str) -> Stop:
    """Say that nothing goes out to an environment just now."""
    facts = {
        "environment": environment.name,
        "what": what,
        "reason": pause.reason,
        "until": pause.until.strftime("%Y-%m-%d %H:%M") if pause.until else "",
        "timezone": pause.timezone,
    }
    return OutcomeKind.HELD, Reason("frozen" if pause.kind == "freeze" else "window-closed", facts)
