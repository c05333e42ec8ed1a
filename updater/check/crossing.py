"""Commits that reach into an environment they are not for (E16).

It hides whose a file is, and when a person's commit moves what goes out by itself together with what waits
for approval. `oneshot` brings the commits; nothing here reads Git.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from updater.check.comparing import targets_of
from updater.check.findings import Finding
from updater.check.ground import Ground
from updater.model import familiar_repository
from updater.trailers import groups

# As much of a commit's id as people need to find it.
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Step:
    """One commit: its id and message, the files it changed, and a look at the files before and after it."""

    commit: str
    message: str
    files: frozenset[str]
    look: Callable[[], tuple[Ground, Ground]]


def crossings(before: Ground, now: Ground, steps: Iterable[Step]) -> Iterator[Finding]:
    """Yield the files that commits should have left alone.

    A commit that deploys to an environment, by its trailers, changes no file that only others have.
    Any other commit moves no tag of an environment with `delivery: commit` together with one of an
    environment whose changes wait in a merge request.
    """
    owners = _owners(before, now)
    waiting = {one.name for one in now.environments if one.delivery != "commit"}
    for step in steps:
        named = {name for group in groups(step.message) for name in group.get("Environment", ())}
        if named:
            yield from _deployed(step, named, owners)
        else:
            yield from _moved(step, waiting, owners)


def _owners(before: Ground, now: Ground) -> Mapping[str, frozenset[str]]:
    """Return the environments that have each file, before or now."""
    found: dict[str, set[str]] = defaultdict(set)
    for ground in (before, now):
        for environment in now.environments:
            for file in ground.survey.laid_out(environment.scope):
                found[file].add(environment.name)
    return {file: frozenset(names) for file, names in found.items()}


def _deployed(step: Step, named: set[str], owners: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    for file in sorted(step.files):
        names = owners.get(file, frozenset())
        if names and not names & named:
            yield _finding(step, file, 0, {"fault": "deployed", "of": sorted(named), "others": sorted(names)})


def _moved(step: Step, waiting: set[str], owners: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    files = [(file, owners[file]) for file in sorted(step.files) if file in owners]
    direct = [file for file, names in files if not names & waiting]
    held = [file for file, names in files if names <= waiting]
    if not (direct and held):
        return
    before, after = step.look()
    others = sorted({name for file in direct if _moves(before, after, file) for name in owners[file]})
    for file in held if others else ():
        for line, image in _moves(before, after, file):
            facts = {"fault": "moved", "of": sorted(owners[file]), "others": others, "image": image}
            yield _finding(step, file, line, facts)


def _moves(before: Ground, after: Ground, file: str) -> list[tuple[int, str]]:
    """Return line and image of each place whose tag a commit changed; new and lost places are no moves."""
    if file not in before.files.paths or file not in after.files.paths:
        return []
    old = targets_of(before, file)
    return [
        (target.line, familiar_repository(target.repository))
        for place, target in targets_of(after, file).items()
        if place in old and old[place].tag != target.tag
    ]


def _finding(step: Step, file: str, line: int, facts: Mapping[str, object]) -> Finding:
    return Finding(code="E16", file=file, line=line, facts={**facts, "commit": step.commit[:_SHOWN]})
