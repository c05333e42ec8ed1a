"""Turns a promotion into wishes: the tags that stand in one environment, wanted in another.

The rules are those of product section "The rest of the road", promotion. It reads what is, at the
commit planned on; whether a wish may be written is for `court` to judge.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from updater.charts import Target
from updater.errors import EditRefused
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
from updater.plan.addressing import unknown_environment
from updater.plan.draft import Ground, Grounds, ground_of
from updater.plan.values import Reason, Verdict
from updater.policy import Environment, Rules


@dataclass(frozen=True, slots=True)
class Taken:
    """One wish of a promotion, and the chart of its origin that it comes from."""

    chart: str
    wish: UpdateRequest


@dataclass(frozen=True, slots=True)
class Expansion:
    """The wishes a promotion stands for, and what can be said without judging any."""

    wishes: tuple[Taken, ...] = ()
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
    if not request.caller.may_reach(target.name):
        facts = {
            "caller": request.caller.name,
            "environments": [target.name],
            "patterns": request.caller.environments,
        }
        return _refused(request, Reason("environment-not-allowed", facts))
    sides = _Sides(request, origin, ground_of(grounds, origin.name), target, ground_of(grounds, target.name))
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
        wishes: list[Taken] = []
        verdicts: list[Verdict] = []
        for chart, image in self._chosen(verdicts):
            result = self._wish(chart, image)
            if isinstance(result, UpdateRequest):
                wishes.append(Taken(chart, result))
            else:
                verdicts.append(result)
        if not wishes and not verdicts:
            verdicts.append(self._verdict(OutcomeKind.REFUSED, Reason("nothing-to-promote", self._facts())))
        return Expansion(tuple(wishes), tuple(verdicts))

    def _chosen(self, verdicts: list[Verdict]) -> Iterator[tuple[str, ImageReference]]:
        """Yield what is promoted: what was chosen before, else what stands in the origin now."""
        if self.request.chosen:
            yield from ((one.chart, ImageReference.parse(one.image)) for one in self.request.chosen)
            return
        here = self.from_ground.survey.charts_of(self.origin.scope)
        charts = list(dict.fromkeys(self.request.charts)) or sorted(here)
        verdicts.extend(self._no_chart(chart, here) for chart in charts if chart not in here)
        standing = self._standing(set(charts) & here)
        named = set(self.request.charts) & here
        empty = sorted(named - {chart for chart, _ in standing})
        nothing = Reason("nothing-to-promote", self._facts())
        verdicts.extend(self._refusal(nothing, chart) for chart in empty)
        for (chart, repository), places in standing.items():
            tags = list(dict.fromkeys(place.tag or "" for place in places))
            name, digest = familiar_repository(repository), places[0].digest or None
            if len(tags) > 1:
                facts = {**self._facts(), "tags": tags, "image": name}
                verdicts.append(self._refusal(Reason("promotion-unclear", facts), chart))
            else:
                yield chart, ImageReference(name, repository, tags[0], digest)

    def _standing(self, charts: set[str]) -> dict[tuple[str, str], list[Target]]:
        """Return the places of each image of the charts whose tags the origin takes.

        Another tag is a flavour or was never deployed: nothing to promote.
        """
        found: dict[tuple[str, str], list[Target]] = {}
        for place in self.from_ground.survey.targets_in(self.origin.scope, charts):
            if place.tag is not None and self.origin.tags.takes(place.tag):
                found.setdefault((place.chart, place.repository), []).append(place)
        return found

    def _wish(self, chart: str, image: ImageReference) -> UpdateRequest | Verdict:
        if not takes_repository(self.request.caller.images, image.repository):
            facts = {"caller": self.request.caller.name, "images": self.request.caller.images}
            reason = Reason("image-not-allowed", {**self._facts(), **facts})
            return self._verdict(OutcomeKind.REFUSED, reason, image, chart)
        there = self._charts_there(chart, image.repository)
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
            override=request.override,
        )

    def _no_chart(self, chart: str, here: frozenset[str]) -> Verdict:
        near = difflib.get_close_matches(chart, here, n=1, cutoff=0.5)
        facts = {**self._facts(), "nearest": near[0] if near else "", "known": sorted(here)}
        return self._refusal(Reason("no-chart", facts), chart)

    def _refusal(self, reason: Reason, chart: str) -> Verdict:
        facts = {**reason.facts, "chart": chart}
        return Verdict(
            request=self.request,
            environment=self.target.name,
            kind=OutcomeKind.REFUSED,
            reason=Reason(reason.code, facts),
        )

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


def _refused(request: PromotionRequest, reason: Reason) -> Expansion:
    verdict = Verdict(
        request=request, environment=request.environment, kind=OutcomeKind.REFUSED, reason=reason
    )
    return Expansion(verdicts=(verdict,))
