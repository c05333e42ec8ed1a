"""What is wrong with rules only when several of their keys are read together.

`rules` asks for it once every single key is right. Each complaint stands at the key that should
change, and says how.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from updater.globs import compile_glob
from updater.model import PROPOSAL_PREFIX
from updater.policy import hours
from updater.policy.complaints import Complaint
from updater.policy.forms import PeriodForm
from updater.policy.schema import EnvironmentForm, RulesForm
from updater.yamledit import KeyPath

# What an environment without `files` takes, as far as names alone can tell.
_VALUES_FILES = ("**/values.yaml",)


def contradictions_in(form: RulesForm) -> Iterator[Complaint]:
    """Yield what does not go together in rules whose keys are right one by one."""
    for name, environment in form.environments.items():
        path = ("environments", name)
        yield from _base(path, environment)
        yield from _merge_request(path, environment)
        yield from _promotion(path, environment, form)
        yield from _chart(path, environment)
        for key, periods in (("freeze", environment.freeze), ("windows", environment.windows)):
            for index, period in enumerate(periods):
                yield from _period((*path, key, index), period)
    yield from _branches(form)
    for index, image in enumerate(form.images):
        if not any(takes_file(environment, image.file) for environment in form.environments.values()):
            yield Complaint(
                ("images", index, "file"),
                f"No environment's files take {image.file!r}, so nothing could ever be "
                "written there: add it to the files of the environment it belongs to.",
            )


def takes_file(environment: EnvironmentForm, file: str) -> bool:
    """Say whether a file belongs to an environment, as far as its name can tell."""
    wanted = environment.files or _VALUES_FILES
    return any(compile_glob(glob).match(file) for glob in wanted) and not any(
        compile_glob(glob).match(file) for glob in environment.exclude
    )


def _base(path: tuple[str, str], environment: EnvironmentForm) -> Iterator[Complaint]:
    if environment.base and not environment.files:
        yield Complaint(
            (*path, "base"),
            "A base is for overlay files, and this environment names none: write files, or take base out.",
        )
    if "{chart}" in environment.base:
        for index, glob in enumerate(environment.files):
            if not compile_glob(glob).groups:
                yield Complaint(
                    (*path, "files", index),
                    f"The glob {glob!r} has no wildcard, so nothing can stand for {{chart}} "
                    "in base: write a * for the chart's name.",
                )


def _merge_request(path: tuple[str, str], environment: EnvironmentForm) -> Iterator[Complaint]:
    if "merge_request" in environment.model_fields_set and not _proposes(environment):
        yield Complaint(
            (*path, "merge-request"),
            "This environment makes no merge requests, as its delivery is commit: write delivery: "
            "merge-request (or auto-merge), or take merge-request out.",
            on_key=True,
        )
    if environment.delivery == "auto-merge" and environment.merge_request.draft:
        yield Complaint(
            (*path, "merge-request", "draft"),
            "GitLab never merges a draft, so with delivery: auto-merge nothing would ever arrive: take draft "
            "out, or write delivery: merge-request.",
        )
    elif environment.rollback.own_delivery == "auto-merge" and environment.merge_request.draft:
        yield Complaint(
            (*path, "merge-request", "draft"),
            "GitLab never merges a draft, so with delivery: auto-merge in rollback no rollback would ever "
            "arrive: take draft out, or write delivery: merge-request in rollback.",
        )


def _proposes(environment: EnvironmentForm) -> bool:
    """Say whether merge requests are made, be it for rollbacks only."""
    return {environment.delivery, environment.rollback.own_delivery or "commit"} != {"commit"}


def _promotion(path: tuple[str, str], environment: EnvironmentForm, form: RulesForm) -> Iterator[Complaint]:
    origin, (_, name) = environment.promote_from, path
    if origin == name:
        yield Complaint(
            (*path, "promote-from"),
            "An environment gets nothing by promotion from itself: name another one, or take the key out.",
        )
    elif origin and origin not in form.environments:
        near = difflib.get_close_matches(origin, form.environments, n=1)
        question = f"Did you mean {near[0]!r}? " if near else ""
        known = ", ".join(form.environments)
        yield Complaint(
            (*path, "promote-from"),
            f"There is no environment {origin!r} in these rules. {question}Environments here: {known}.",
        )


def _chart(path: tuple[str, str], environment: EnvironmentForm) -> Iterator[Complaint]:
    chart = environment.chart
    if chart.directory and chart.version == "none":
        yield Complaint(
            (*path, "chart", "directory"),
            "Version folders need versions that rise: write version: build (or patch) beside directory, or "
            "take directory out.",
        )
    if "keep" in chart.model_fields_set and not chart.directory:
        yield Complaint(
            (*path, "chart", "keep"),
            "Without directory: true there are no version folders to keep: write it, or take keep out.",
            on_key=True,
        )


# The keys of a period by their names in the form; those of one kind need each other.
_ONCE = {"from_": "from", "until": "until"}
_AGAIN = {"cron": "cron", "duration": "duration"}


def _period(path: KeyPath, period: PeriodForm) -> Iterator[Complaint]:
    given = [
        [key for name, key in kind.items() if name in period.model_fields_set] for kind in (_ONCE, _AGAIN)
    ]
    once, again = given
    if once and again:
        yield Complaint(
            (*path, again[0]),
            "This period is written in two ways: from and until are for one that is once, cron and duration "
            "for one that comes again. Keep two of the keys; where both are meant, write two periods.",
            on_key=True,
        )
    elif not once and not again:
        yield Complaint(
            path,
            "Nothing says when this is: write from and until for a period that is once, or cron and duration "
            "for one that comes again.",
        )
    elif len(once or again) == 1:
        (alone,) = once or again
        (other,) = {*(_ONCE if once else _AGAIN).values()} - {alone}
        yield Complaint(
            (*path, alone), f"The key {alone} needs the key {other} beside it: write it.", on_key=True
        )
    elif once:
        yield from _order(path, period)


def _order(path: KeyPath, period: PeriodForm) -> Iterator[Complaint]:
    start, end = hours.span(period.from_, period.until, period.timezone)
    if end <= start and hours.wall_time(period.until) > hours.wall_time(period.from_):
        yield Complaint(
            (*path, "until"),
            f"In {period.timezone}, no time lies between {period.from_} and {period.until}, over which "
            "clocks there are set forward: write a later until.",
        )
    elif end <= start:
        yield Complaint(
            (*path, "until"),
            f"In {period.timezone}, {period.until} is not after {period.from_}, where this starts: write a "
            "later until.",
        )


def _branches(form: RulesForm) -> Iterator[Complaint]:
    """Keep environments off the branches that merge requests come from."""
    if not any(_proposes(environment) for environment in form.environments.values()):
        return
    for name, environment in form.environments.items():
        # Git cannot hold a branch `updater` beside `updater/...`: one is a file where the other is a folder.
        if f"{environment.branch}/".startswith(PROPOSAL_PREFIX):
            yield Complaint(
                ("environments", name, "branch"),
                f"The branch {environment.branch!r} is in the way of the merge requests, whose source "
                f"branches are {PROPOSAL_PREFIX}...: give the environment's branch another name.",
            )
