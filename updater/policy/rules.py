"""The rules of a config repo, read from the bytes of its rules file.

This module joins the form of the file (`schema`) to the places in its text, and makes values of it.
`plan` and the command line read rules through it. It never reads a branch: which bytes are the rules
(those on the default branch, and no others) is for the caller to know.
"""

from __future__ import annotations

import re

from pydantic import ValidationError

from updater.errors import EditRefused, InvalidConfigRepo
from updater.model import PinnedPlace, Scope, canonical_repository
from updater.policy import hours
from updater.policy.clocks import zone_of
from updater.policy.complaints import complaints_of, refusal
from updater.policy.contradictions import contradictions_in, takes_file
from updater.policy.forms import ChartForm, ImageForm, MergeRequestForm, PeriodForm, RollbackForm, TagsForm
from updater.policy.schema import RulesForm
from updater.policy.tags import Tags
from updater.policy.values import ChartRules, Environment, MergeRequestRules, Period, RollbackRules, Rules
from updater.yamledit import load

RULES_PATH = ".updater/rules.yaml"

_UNQUOTED_STAR = re.compile(rb"[:,\[-]\s*\*")
_UNQUOTED_CRON = re.compile(rb"\bcron\s*:\s*\*")


def parse_rules(data: bytes, path: str = RULES_PATH) -> Rules:
    """Read the rules file; `path` is its name in messages.

    Raises:
        InvalidConfigRepo: the file is no YAML or breaks a rule of its form. The message has one line
            for each problem, in the order of the file; line and column are those of the first.
    """
    try:
        loaded = load(data)
    except EditRefused as error:
        raise InvalidConfigRepo(
            _unreadable(error, data), path=path, line=error.line, column=error.column
        ) from error
    if loaded.value is None:
        raise InvalidConfigRepo(
            "The file is empty: name at least one environment under `environments:`, or delete the file "
            "to go without rules.",
            path=path,
            line=1,
            column=1,
        )
    try:
        form = RulesForm.model_validate(loaded.value)
    except ValidationError as error:
        raise refusal(complaints_of(error.errors(include_url=False)), loaded, path) from error
    contradictions = tuple(contradictions_in(form))
    if contradictions:
        raise refusal(contradictions, loaded, path)
    return Rules(environments=tuple(_environment(name, form) for name in form.environments))


def _unreadable(error: EditRefused, data: bytes) -> str:
    problem = f"{error.problem[:1].upper()}{error.problem[1:]}."
    line = next(iter(data.splitlines()[max(error.line - 1, 0) :]), b"")
    # YAML's own words for this (an alias without a name) help nobody who wrote a glob.
    if _UNQUOTED_CRON.search(line):
        problem += " A cron that starts with * must stand in quotes."
    elif _UNQUOTED_STAR.search(line):
        problem += " A glob that starts with * must stand in quotes."
    return problem


def _environment(name: str, form: RulesForm) -> Environment:
    own = form.environments[name]
    return Environment(
        name=name,
        branch=own.branch or None,
        scope=Scope(
            files=tuple(own.files),
            exclude=tuple(own.exclude),
            base=own.base,
            highest=own.chart.directory,
            pinned=tuple(_pinned(image) for image in form.images if takes_file(own, image.file)),
        ),
        tags=_tags(own.tags),
        delivery=own.delivery,
        merge_request=_merge_request(own.merge_request),
        promote_from=own.promote_from,
        promoted=_tags(form.environments[own.promote_from].tags) if own.promote_from else None,
        digest=own.digest,
        deployments=own.deployments,
        freeze=tuple(_period(period) for period in own.freeze),
        windows=tuple(_period(period) for period in own.windows),
        rollback=_rollback(own.rollback),
        manual_revert=own.manual_revert,
        chart=_chart(own.chart),
    )


def _tags(form: TagsForm) -> Tags:
    return Tags(pattern=form.pattern or None, order=form.order)


def _merge_request(form: MergeRequestForm) -> MergeRequestRules:
    return MergeRequestRules(
        group_by=form.group_by,
        labels=tuple(form.labels),
        assignees=tuple(form.assignees),
        reviewers=tuple(form.reviewers),
        milestone=form.milestone,
        draft=form.draft,
        squash=form.squash,
        remove_source_branch=form.remove_source_branch,
    )


def _period(form: PeriodForm) -> Period:
    if form.cron:
        return Period(
            cron=form.cron,
            duration=hours.length(form.duration),
            timezone=form.timezone,
            reason=form.reason,
        )
    zone = zone_of(form.timezone)
    start, end = hours.span(form.from_, form.until, form.timezone)
    return Period(
        start=start.astimezone(zone), end=end.astimezone(zone), timezone=form.timezone, reason=form.reason
    )


def _rollback(form: RollbackForm) -> RollbackRules:
    return RollbackRules(delivery=form.own_delivery, hold=form.hold)


def _chart(form: ChartForm) -> ChartRules:
    return ChartRules(
        questions=form.own_questions,
        app_version=form.app_version,
        version=form.version,
        directory=form.directory,
        keep=form.keep,
    )


def _pinned(image: ImageForm) -> PinnedPlace:
    # The form took the repository, so it has a canonical name.
    repository = canonical_repository(image.repository) or image.repository
    return PinnedPlace(repository=repository, file=image.file, path=image.path)
