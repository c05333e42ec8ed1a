"""The config repo as a plan stands on it: its rules, and the ground of each environment.

It hides where rules are read from (the default branch's tip, and no other) and that environments
may share a branch. `worker` looks at the mirror with it for every batch, `oneshot` once, at a mirror
or at a plain folder.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace

from updater.charts import Survey
from updater.configrepo import ConfigRepo, Snapshot
from updater.errors import InvalidConfigRepo
from updater.model import PROPOSAL_PREFIX, Files
from updater.plan import Draft, Ground, ground_of
from updater.policy import DEFAULT_RULES, RULES_PATH, Environment, Rules, Tags, parse_rules

# In a plain folder without rules no order is applied: who names a tag gets it.
_FOLDER_RULES = Rules(environments=(Environment(name="default", tags=Tags(order="none")),))


@dataclass(frozen=True, slots=True)
class Sight:
    """Rules and grounds by environment; an error stands for an environment that cannot be looked at.

    `snapshots` are the branches that were read, by name; a folder has none.
    """

    rules: Rules
    grounds: Mapping[str, Ground | InvalidConfigRepo]
    snapshots: Mapping[str, Snapshot]

    @property
    def is_orderless(self) -> bool:
        """Whether this is a plain folder without rules, where who names a tag gets it."""
        return self.rules is _FOLDER_RULES

    @property
    def tips(self) -> dict[str, str]:
        """The commit at which each branch was read."""
        return {branch: snapshot.commit for branch, snapshot in self.snapshots.items()}

    def ground(self, environment: str) -> Ground:
        """Return an environment's ground.

        Raises:
            InvalidConfigRepo: it cannot be looked at.
        """
        return ground_of(self.grounds, environment)

    def warm(self) -> None:
        """Index every environment's files now, so that the first request need not wait for it."""
        for environment in self.rules.environments:
            ground = self.grounds[environment.name]
            if isinstance(ground, Ground):
                ground.survey.files_of(environment.scope)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with environments, as sentences."""
        return tuple(str(one) for one in self.grounds.values() if isinstance(one, InvalidConfigRepo))


def look(repo: ConfigRepo, surveys: dict[str, Survey]) -> Sight:
    """Look at the mirror as it stands; `surveys` keeps what is known of each branch between looks.

    Raises:
        InvalidConfigRepo: there is no default branch, or its rules cannot be read.
    """
    default = repo.default_branch()
    snapshots = {default: repo.snapshot(default)}
    if snapshots[default].is_irregular(RULES_PATH):
        raise InvalidConfigRepo("The rules are no regular file; a symlink is not followed.", path=RULES_PATH)
    rules = _rules(snapshots[default], DEFAULT_RULES)
    shared: dict[str, Ground | InvalidConfigRepo] = {}
    for branch in dict.fromkeys(environment.branch or default for environment in rules.environments):
        try:
            snapshots.setdefault(branch, repo.snapshot(branch))
            shared[branch] = _ground(branch, snapshots[branch], surveys)
        except InvalidConfigRepo as problem:
            shared[branch] = problem
    grounds = {environment.name: shared[environment.branch or default] for environment in rules.environments}
    return Sight(rules, grounds, snapshots)


def look_at_folder(files: Files) -> Sight:
    """Look at a plain folder: one ground for all environments, whatever branch and delivery they name.

    Raises:
        InvalidConfigRepo: its rules cannot be read.
    """
    found = _rules(files, _FOLDER_RULES)
    # A folder has no merge requests: whatever is written is written in place.
    direct = tuple(replace(environment, delivery="commit") for environment in found.environments)
    rules = found if found is _FOLDER_RULES else Rules(environments=direct)
    ground = _ground("", files, {})
    return Sight(rules, {environment.name: ground for environment in rules.environments}, {})


def target_of(repo: ConfigRepo, source_branch: str) -> str:
    """Return the branch that a source branch of the updater goes to; empty where no rule names one.

    Raises:
        InvalidConfigRepo: as for `look`.
    """
    default = repo.default_branch()
    name = source_branch.removeprefix(PROPOSAL_PREFIX).partition("/")[0]
    for environment in _rules(repo.snapshot(default), DEFAULT_RULES).environments:
        if environment.name == name:
            return environment.branch or default
    return ""


def _ground(branch: str, files: Files, surveys: dict[str, Survey]) -> Ground:
    draft = Draft(files)
    surveys[branch] = Survey(draft, surveys.get(branch))
    return Ground(branch, draft, surveys[branch])


def _rules(files: Files, absent: Rules) -> Rules:
    return _parsed(files.read(RULES_PATH)) if RULES_PATH in files.paths else absent


# Rules are asked for far more often than they change.
_parsed = functools.lru_cache(maxsize=4)(parse_rules)
