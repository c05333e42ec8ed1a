"""Requests by where they go: what is wished for in each environment, and what goes nowhere.

It hides that a promotion stands for several wishes, and which requests have to wait or are refused before
anything is judged. `plan` fills one for every batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from updater.errors import InvalidConfigRepo, UpdaterError
from updater.model import (
    Chosen,
    HoldRequest,
    OutcomeKind,
    PromotionRequest,
    Request,
    RollbackRequest,
    UpdateRequest,
)
from updater.plan.addressing import environments_of, not_allowed, unknown_environment
from updater.plan.draft import Grounds
from updater.plan.promotion import expand
from updater.plan.values import Reason, Verdict
from updater.policy import Rules

# What is wished for, by environment and repository.
Wishes = dict[str, dict[str, list[UpdateRequest]]]


@dataclass(slots=True)
class Addressed:
    """What goes where; `settled` is decided, `waiting` says why a request cannot be decided yet."""

    wishes: Wishes = field(default_factory=dict)
    rollbacks: dict[str, list[RollbackRequest]] = field(default_factory=dict)
    holds: dict[str, list[HoldRequest]] = field(default_factory=dict)
    settled: list[Verdict] = field(default_factory=list)
    chosen: dict[str, tuple[Chosen, ...]] = field(default_factory=dict)
    waiting: dict[str, UpdaterError] = field(default_factory=dict)

    def add(self, rules: Rules, grounds: Grounds, request: Request) -> None:
        """Take a request in."""
        match request:
            case PromotionRequest():
                self._promote(rules, grounds, request)
            case RollbackRequest():
                if self._is_open(rules, grounds, request):
                    self.rollbacks.setdefault(request.environment, []).append(request)
            case HoldRequest():
                if self._is_open(rules, grounds, request):
                    self.holds.setdefault(request.environment, []).append(request)
            case UpdateRequest():
                self._update(rules, grounds, request)

    def _update(self, rules: Rules, grounds: Grounds, request: UpdateRequest) -> None:
        chosen = environments_of(rules, grounds, request)
        if isinstance(chosen, Reason):
            self._refuse(request, request.environment or "", chosen)
            return
        done = {outcome.environment for outcome in request.done}
        for name in (environment.name for environment in chosen if environment.name not in done):
            self._wish(grounds, name, request)

    def _promote(self, rules: Rules, grounds: Grounds, request: PromotionRequest) -> None:
        try:
            expansion = expand(rules, grounds, request)
        except InvalidConfigRepo as problem:
            self.waiting[request.id] = problem
            return
        if not request.chosen:
            wanted = (Chosen(chart=one.chart, image=str(one.wish.image)) for one in expansion.wishes)
            self.chosen[request.id] = tuple(wanted)
        done = {outcome.subject for outcome in request.done}
        self.settled.extend(one for one in expansion.verdicts if one.subject not in done)
        for wish in (one.wish for one in expansion.wishes):
            if (request.environment, str(wish.image), ", ".join(wish.charts)) not in done:
                self._wish(grounds, request.environment, wish)

    def _is_open(self, rules: Rules, grounds: Grounds, request: RollbackRequest | HoldRequest) -> bool:
        """Say whether a person's act can be judged now; otherwise say what becomes of it."""
        names = [one.name for one in rules.environments]
        if request.environment not in names:
            self._refuse(request, request.environment, unknown_environment(request.environment, names))
        elif not request.caller.may_reach(request.environment):
            self._refuse(request, request.environment, not_allowed(request.caller, [request.environment]))
        elif isinstance(problem := grounds[request.environment], InvalidConfigRepo):
            self.waiting[request.id] = problem
        else:
            return not request.done
        return False

    def _refuse(self, request: Request, environment: str, reason: Reason) -> None:
        refused = Verdict(request=request, environment=environment, kind=OutcomeKind.REFUSED, reason=reason)
        self.settled.append(refused)

    def _wish(self, grounds: Grounds, environment: str, request: UpdateRequest) -> None:
        ground = grounds[environment]
        if isinstance(ground, InvalidConfigRepo):
            self.waiting[request.id] = ground
        else:
            by_repository = self.wishes.setdefault(environment, {})
            by_repository.setdefault(request.image.repository, []).append(request)
