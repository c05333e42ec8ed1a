"""Turns a promotion into wishes: the tags that stand in one environment, wanted in another.

The rules are those of product section "The rest of the road", promotion. It reads what is, at the
commit planned on; whether a wish may be written is for `court` to judge.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from updater.charts import Target
from updater.errors import EditRefused, InvalidConfigRepo
from updater.globs import takes_repository
from updater.model import (
    ImageReference,
    OutcomeKind,
    Promoted,
    PromotionRequest,
    Source,
    UpdateRequest,
    familiar_repository,
)
from updater.plan.addressing import may_speak_for, unknown_environment
from updater.plan.draft import Ground
from updater.plan.values import Reason, Verdict
from updater.policy import Environment, Rules

Grounds = Mapping[str, Ground | InvalidConfigRepo]


@dataclass(frozen=True, slots=True)
class Expansion:
    """The wishes a promotion stands for, and what can be said without judging any."""

    wishes: tuple[UpdateRequest, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


def expand(rules: Rules, grounds: Grounds, request: PromotionRequest) -> Expansion:
    """Return the wishes of a promotion: one for each image of each chart.

    Raises:
        InvalidConfigRepo: one of the two environments cannot be looked at.
    """
    by_name = {one.name: one for one in rules.environments}
    for name in (request.origin, request.environment):
        if name not in by_name:
            return _refused(request, unknown_environment(name, list(by_name)))
    origin, target = by_name[request.origin], by_name[request.environment]
    if target.promote_from != origin.name:
        facts: dict[str, object] = {
            "origin": origin.name,
            "environment": target.name,
            "from": target.promote_from,
        }
        return _refused(request, Reason("no-promotion", facts))
    if not may_speak_for(request.caller, target.name):
        facts = {
            "caller": request.caller.name,
            "environments": [target.name],
            "patterns": request.caller.environments,
        }
        return _refused(request, Reason("environment-not-allowed", facts))
    sides = _Sides(request, origin, _ground(grounds, origin.name), target, _ground(grounds, target.name))
    try:
        return sides.expansion()
    except EditRefused as problem:
        return _refused(request, Reason("promotion-unreadable", {"problem": str(problem)}))


@dataclass(frozen=True, slots=True)
class _Sides:
    """A promotion and the two environments it is between."""

    request: PromotionRequest
    origin: Environment
    from_ground: Ground
    target: Environment
    to_ground: Ground

    def expansion(self) -> Expansion:
        here = self.from_ground.survey.charts_of(self.origin.scope)
        charts = sorted(here) if not self.request.charts else list(dict.fromkeys(self.request.charts))
        verdicts = [self._no_chart(chart, here) for chart in charts if chart not in here]
        wishes: list[UpdateRequest] = []
        for chart, standing in self._standing(set(charts) & here):
            result = self._wish(chart, standing)
            (wishes if isinstance(result, UpdateRequest) else verdicts).append(result)  # type: ignore[arg-type]
        if not wishes and not verdicts:
            verdicts.append(self._verdict(OutcomeKind.REFUSED, Reason("nothing-to-promote", self._facts())))
        return Expansion(tuple(wishes), tuple(verdicts))

    def _standing(self, charts: set[str]) -> Iterator[tuple[str, Target]]:
        """Yield each image of the charts once, with the place its tag is read from.

        A place whose tag the pattern does not take is a flavour or was never deployed: nothing to promote.
        """
        seen: set[tuple[str, str]] = set()
        for place in self.from_ground.survey.targets_in(self.origin.scope, charts):
            key = (place.chart, place.repository)
            takes = self.origin.tags.takes
            if place.tag is not None and takes(place.tag) and key not in seen:
                seen.add(key)
                yield place.chart, place

    def _wish(self, chart: str, standing: Target) -> UpdateRequest | Verdict:
        name = familiar_repository(standing.repository)
        image = ImageReference(
            name=name, repository=standing.repository, tag=standing.tag or "", digest=standing.digest or None
        )
        if not takes_repository(self.request.caller.images, standing.repository):
            facts = {"caller": self.request.caller.name, "images": self.request.caller.images}
            return self._verdict(
                OutcomeKind.REFUSED, Reason("image-not-allowed", {**self._facts(), **facts}), image, chart
            )
        there = self._charts_there(chart, standing.repository)
        if not there:
            kind = OutcomeKind.REFUSED if self.request.charts else OutcomeKind.UNCHANGED
            return self._verdict(kind, Reason("not-in-target", self._facts()), image, chart)
        return self._as_update(image, tuple(there))

    def _charts_there(self, chart: str, repository: str) -> Sequence[str]:
        """Return the charts of the target that are this one: by name, else by the last part of it."""
        found = self.to_ground.survey.targets(self.target.scope, repository)
        names = list(dict.fromkeys(place.chart for place in found))
        last = chart.rpartition("/")[2]
        return [one for one in names if one == chart] or [
            one for one in names if one.rpartition("/")[2] == last
        ]

    def _as_update(self, image: ImageReference, charts: tuple[str, ...]) -> UpdateRequest:
        request = self.request
        return UpdateRequest(
            id=request.id,
            image=image,
            caller=request.caller,
            received_at=request.received_at,
            sequence=request.sequence,
            environment=self.target.name,
            source=Source(author=request.caller.name),
            promoted=Promoted(
                origin=self.origin.name, allow_older=request.allow_older, reason=request.reason
            ),
            charts=charts,
            done=request.done,
        )

    def _no_chart(self, chart: str, here: frozenset[str]) -> Verdict:
        near = difflib.get_close_matches(chart, here, n=1, cutoff=0.5)
        facts = {**self._facts(), "nearest": near[0] if near else "", "known": sorted(here)}
        return self._verdict(OutcomeKind.REFUSED, Reason("no-chart", {**facts, "chart": chart}), None, chart)

    def _facts(self) -> dict[str, object]:
        return {"origin": self.origin.name, "environment": self.target.name}

    def _verdict(
        self, kind: OutcomeKind, reason: Reason, image: ImageReference | None = None, chart: str = ""
    ) -> Verdict:
        facts = {**reason.facts, "image": str(image) if image else "", "chart": chart}
        about = self._as_update(image, (chart,)) if image else self.request
        return Verdict(
            request=about, environment=self.target.name, kind=kind, reason=Reason(reason.code, facts)
        )


def _ground(grounds: Grounds, name: str) -> Ground:
    ground = grounds[name]
    if isinstance(ground, InvalidConfigRepo):
        raise ground
    return ground


def _refused(request: PromotionRequest, reason: Reason) -> Expansion:
    verdict = Verdict(
        request=request, environment=request.environment, kind=OutcomeKind.REFUSED, reason=reason
    )
    return Expansion(verdicts=(verdict,))
