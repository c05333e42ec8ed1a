"""What the messages of one step of the line tell, and whether they tell all of it.

Hides whom to trust: the updater's own commits, and merges that brought nothing else. Called by
`following`; it looks at no file.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from updater.history.line import Step
from updater.history.looking import Row
from updater.history.places import Moved, gathered
from updater.history.told import Release, Told, tell
from updater.model import LoggedCommit, Move


@dataclass(frozen=True, slots=True)
class Reading:
    """A step and the images its messages tell of. `is_told`: they tell all that moved.

    `is_own` says that nobody but the updater wrote what came with the step.
    """

    step: Step
    images: Sequence[Told]
    releases: Sequence[Release]
    is_own: bool
    is_told: bool

    @property
    def versions(self) -> Sequence[tuple[str, str, str]]:
        """The versions that charts rose to: environment, chart and version."""
        told = ((one.environment, fact) for one in self.images for fact in one.facts.get("Version", ()))
        return [(environment, *fact.rpartition(" ")[::2]) for environment, fact in told]

    @property
    def takes_back(self) -> bool:
        """Say whether it is a rollback."""
        return any("Reverts" in one.facts for one in self.images)


def read(step: Step, is_own: Callable[[LoggedCommit], bool], environments: Container[str]) -> Reading:
    """Read the messages of a step; `environments` are the names of those that live on the branch."""
    commit = step.commit
    if not step.brought:
        telling, own = tell(commit.message), is_own(commit)
        is_told = own and telling.is_whole and _live(telling.images, environments)
        return Reading(step, telling.images, telling.releases if own else (), own, is_told)
    tellings = {one.commit: tell(one.message) for one in (*step.brought, commit)}
    owned = [one.commit for one in (*step.brought, commit) if is_own(one)]
    releases = [release for one in owned for release in tellings[one].releases]
    written = [tellings[one.commit] for one in step.brought]
    last = tellings[commit.commit]
    images = [image for one in written for image in one.images]
    is_whole = all(one.is_whole for one in written)
    if commit.commit in owned and last.images:
        images, is_whole = list(last.images), last.is_whole
    elif not images:
        images = list(last.images)
    own = all(one.commit in owned for one in step.brought)
    return Reading(step, images, releases, own, own and is_whole and _live(images, environments))


def _live(images: Sequence[Told], environments: Container[str]) -> bool:
    return all(one.environment in environments for one in images)


def enriched(reading: Reading, rows: Sequence[Row], environments: Container[str]) -> list[Moved]:
    """Return what the values tell of a step, with what its messages add about the images that moved."""
    groups: dict[tuple[str, str, str | None], list[Row]] = {}
    for row in rows:
        environment, _, repository = row.place
        groups.setdefault((environment, repository, row.tag), []).append(row)
    result = []
    for (environment, repository, tag), those in groups.items():
        fitting = [
            one
            for one in reading.images
            if (one.repository, one.tag) == (repository, tag)
            and (one.environment == environment or one.environment not in environments)
        ]
        is_plain = reading.is_own and not reading.step.brought
        # Of a commit of the updater's own, all that moved has the same reason.
        facts = gathered(one.facts for one in (fitting or reading.images if is_plain else fitting))
        moves = tuple(Move(row.place[1], row.old) for row in those)
        own = is_plain or (reading.is_own and any(one.environment == environment for one in fitting))
        result.append(Moved(environment, repository, tag, those[0].digest, moves, facts, own))
    return result
