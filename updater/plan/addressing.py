"""Which environments a request is for, and what is told of those it is not for.

The rules of product section "What happens to a request": a named environment, or every one whose
pattern takes the tag; never one outside the caller's token.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from updater.errors import EditRefused, InvalidConfigRepo
from updater.model import Caller, OutcomeKind, UpdateRequest, familiar_repository
from updater.plan.draft import Ground
from updater.plan.values import Reason, Verdict
from updater.policy import Environment, Rules


def environments_of(
    rules: Rules, grounds: Mapping[str, Ground | InvalidConfigRepo], request: UpdateRequest
) -> list[Environment] | Reason:
    """Choose the environments a request is for, or say why there is none."""
    tag, names = request.image.tag, [environment.name for environment in rules.environments]
    if request.environment is not None and request.environment not in names:
        return unknown_environment(request.environment, names)
    asked = [one for one in rules.environments if request.environment in (None, one.name)]
    if request.environment is not None and not request.caller.may_reach(request.environment):
        return not_allowed(
            request.caller, [one.name for one in asked]
        )  # and no word of what that environment takes
    taking = [one for one in asked if one.tags.takes(tag)]
    if not taking:
        using = [one for one in asked if _is_known_to_use(one, grounds[one.name], request)]
        facts = {
            "tag": tag,
            "environments": [(one.name, one.tags.pattern) for one in asked],
            "image": familiar_repository(request.image.repository),
            "using": [one.name for one in using] if len(using) < len(asked) else [],
        }
        return Reason("tag-not-taken", facts)
    allowed = [one for one in taking if request.caller.may_reach(one.name)]
    if not allowed:
        return not_allowed(request.caller, [one.name for one in taking])
    return _where_used(allowed, grounds, request) if request.environment is None else allowed


def not_allowed(caller: Caller, environments: Sequence[str]) -> Reason:
    """Say that a caller's token may not speak for some environments."""
    facts = {"caller": caller.name, "environments": list(environments), "patterns": caller.environments}
    return Reason("environment-not-allowed", facts)


def unknown_environment(name: str, known: Sequence[str]) -> Reason:
    """Say that the rules know no such environment, and which one was perhaps meant."""
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return Reason(
        "unknown-environment",
        {"environment": name, "known": known, "nearest": nearest[0] if nearest else ""},
    )


def _where_used(
    environments: list[Environment], grounds: Mapping[str, Ground | InvalidConfigRepo], request: UpdateRequest
) -> list[Environment]:
    """Leave out environments that do not use the image, where the caller named none and one does."""
    if len(environments) == 1:
        return environments
    return [one for one in environments if _uses(one, grounds[one.name], request)] or environments


def _uses(environment: Environment, ground: Ground | InvalidConfigRepo, request: UpdateRequest) -> bool:
    if isinstance(ground, InvalidConfigRepo):
        return True
    try:
        return bool(ground.survey.targets(environment.scope, request.image.repository))
    except EditRefused:
        return True


def _is_known_to_use(
    environment: Environment, ground: Ground | InvalidConfigRepo, request: UpdateRequest
) -> bool:
    return not isinstance(ground, InvalidConfigRepo) and _uses(environment, ground, request)


def _with_users(
    rules: Rules,
    grounds: Mapping[str, Ground | InvalidConfigRepo],
    request: UpdateRequest,
    verdict: Verdict,
) -> Verdict:
    """Name, where an image was looked for in vain, the environments that use it and do not take its tag."""
    tag = request.image.tag
    using = [
        (one.name, one.tags.pattern)
        for one in rules.environments
        if not one.tags.takes(tag)
        and request.caller.may_reach(one.name)
        and _is_known_to_use(one, grounds[one.name], request)
    ]
    facts = {**verdict.reason.facts, "tag": tag, "using": using}
    return replace(verdict, reason=Reason(verdict.reason.code, facts)) if using else verdict


def with_notes(
    rules: Rules, grounds: Mapping[str, Ground | InvalidConfigRepo], verdicts: Iterable[Verdict]
) -> Iterable[Verdict]:
    """Tell, once per request, of environments that take the tag but were left out.

    Where no place was found, tell of those that have one and do not take the tag.
    """
    told: set[str] = set()
    for verdict in verdicts:
        request = verdict.request
        if isinstance(request, UpdateRequest) and verdict.reason.code == "no-target":
            yield _with_users(rules, grounds, request, verdict)
            continue
        if (
            not isinstance(request, UpdateRequest)
            or request.id in told
            or request.environment is not None
            or verdict.kind is OutcomeKind.REFUSED
        ):
            yield verdict
            continue
        told.add(request.id)
        taking = [one for one in rules.environments if one.tags.takes(request.image.tag)]
        if len(taking) < 2:
            yield verdict
            continue
        barred = [one.name for one in taking if not request.caller.may_reach(one.name)]
        unused = [
            one.name
            for one in taking
            if one.name not in barred and not _uses(one, grounds[one.name], request)
        ]
        notes = [
            Reason(code, {"environments": names, "caller": request.caller.name})
            for code, names in (("other-environment-not-allowed", barred), ("image-not-used-there", unused))
            if names
        ]
        yield replace(verdict, notes=(*verdict.notes, *notes))
