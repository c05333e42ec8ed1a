"""The rules of a config repo, read from the bytes of its rules file.

This module joins the form of the file (`schema`) to the places in its text, and checks what no single
key can say alone. `plan` and the command line read rules through it. It never reads a branch: which
bytes are the rules (those on the default branch, and no others) is for the caller to know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ValidationError

from updater.errors import EditRefused, InvalidConfigRepo
from updater.globs import compile_glob
from updater.model import PinnedPlace, Scope, canonical_repository
from updater.policy.complaints import Complaint, complaints_of, refusal
from updater.policy.schema import EnvironmentForm, ImageForm, RulesForm
from updater.policy.tags import Tags
from updater.yamledit import load

RULES_PATH = ".updater/rules.yaml"
DEFAULT_ENVIRONMENT = "default"

# What an environment without `files` takes, as far as names alone can tell.
_VALUES_FILES = ("**/values.yaml",)
_UNQUOTED_STAR = re.compile(rb"[:,\[-]\s*\*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where an image may go and how: `branch` None is the default branch of the remote."""

    name: str
    branch: str | None = None
    scope: Scope = field(default_factory=Scope)
    tags: Tags = field(default_factory=Tags)
    delivery: Literal["commit"] = "commit"
    digest: Literal["refuse", "clear"] = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The environments in the order of the file."""

    environments: tuple[Environment, ...]


DEFAULT_RULES = Rules(environments=(Environment(name=DEFAULT_ENVIRONMENT),))


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
    contradictions = tuple(_contradictions(form))
    if contradictions:
        raise refusal(contradictions, loaded, path)
    return Rules(environments=tuple(_environment(name, form) for name in form.environments))


def _unreadable(error: EditRefused, data: bytes) -> str:
    problem = f"{error.problem[:1].upper()}{error.problem[1:]}."
    line = next(iter(data.splitlines()[max(error.line - 1, 0) :]), b"")
    # YAML's own words for this (an alias without a name) help nobody who wrote a glob.
    if _UNQUOTED_STAR.search(line):
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
            pinned=tuple(_pinned(image) for image in form.images if _takes_file(own, image.file)),
        ),
        tags=Tags(pattern=own.tags.pattern or None, order=own.tags.order),
        delivery=own.delivery,
        digest=own.digest,
    )


def _pinned(image: ImageForm) -> PinnedPlace:
    # The form took the repository, so it has a canonical name.
    repository = canonical_repository(image.repository) or image.repository
    return PinnedPlace(repository=repository, file=image.file, path=image.path)


def _takes_file(environment: EnvironmentForm, file: str) -> bool:
    wanted = environment.files or _VALUES_FILES
    return any(compile_glob(glob).match(file) for glob in wanted) and not any(
        compile_glob(glob).match(file) for glob in environment.exclude
    )


def _contradictions(form: RulesForm) -> Iterator[Complaint]:
    """Yield what is wrong only when several keys are read together."""
    for name, environment in form.environments.items():
        yield from _base_contradictions(("environments", name), environment)
    for index, image in enumerate(form.images):
        if not any(_takes_file(environment, image.file) for environment in form.environments.values()):
            yield Complaint(
                ("images", index, "file"),
                f"No environment's files take {image.file!r}, so nothing could ever be "
                "written there: add it to the files of the environment it belongs to.",
            )


def _base_contradictions(path: tuple[str, str], environment: EnvironmentForm) -> Iterator[Complaint]:
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
