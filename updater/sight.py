"""The config repo as a plan stands on it: its rules, and the ground of each environment.

It hides where rules are read from (the default branch's tip, and no other) and that environments
may share a branch. `worker` looks at the mirror with it for every batch, `oneshot` once, at a mirror
or at a plain folder.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from updater.charts import Survey
from updater.configrepo import ConfigRepo, Snapshot
from updater.errors import InvalidConfigRepo
from updater.history import History
from updater.model import PROPOSAL_PREFIX, Deployment, Files, Hold
from updater.plan import Draft, Ground, NoPast, Past, ground_of
from updater.policy import (
    DEFAULT_RULES,
    HOLDS_PATH,
    RULES_PATH,
    Environment,
    RollbackRules,
    Rules,
    Tags,
    check_places,
    parse_rules,
)

# So many commits since a history was kept are read again in a second or two.
_WORTH_KEEPING = 1_000
# In a plain folder without rules no order is applied: who names a tag gets it.
_FOLDER_RULES = Rules(environments=(Environment(name="default", tags=Tags(order="none")),))


@dataclass(frozen=True, slots=True)
class Sight:
    """Rules and grounds by environment; an error stands for an environment that cannot be looked at.

    `snapshots` are the branches that were read, by name; a folder has none. `seen` are the grounds that can
    be looked at, also those where nothing may be written because their holds make no sense.
    """

    rules: Rules
    grounds: Mapping[str, Ground | InvalidConfigRepo]
    snapshots: Mapping[str, Snapshot]
    seen: Mapping[str, Ground] = field(default_factory=dict)

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

    def look_at(self, environment: str) -> Ground:
        """Return an environment's ground for looking only.

        Raises:
            InvalidConfigRepo: it cannot even be looked at.
        """
        return self.seen.get(environment) or self.ground(environment)

    def warm(self) -> None:
        """Index every environment's files and history now, so that the first request need not wait for it.

        Raises:
            TemporaryError: the mirror was damaged meanwhile.
        """
        for environment in self.rules.environments:
            ground = self.grounds[environment.name]
            if isinstance(ground, Ground):
                ground.survey.files_of(environment.scope)
                ground.past.held_by_hand(environment.name, "", "")

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with environments, as sentences."""
        wrong = (str(one) for one in self.grounds.values() if isinstance(one, InvalidConfigRepo))
        return tuple(dict.fromkeys(wrong))


@dataclass(slots=True)
class Known:
    """What is known of each branch between looks: its images, and its history."""

    surveys: dict[str, Survey] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BranchPast:
    """The past of one branch up to a commit, read when it is asked for; implements `plan.Past`.

    `environments` are those that live on the branch.
    """

    repo: ConfigRepo
    branch: str
    tip: str
    environments: tuple[Environment, ...]
    _history: History

    def history(self) -> History:
        """Return the history up to the commit.

        Raises:
            TemporaryError: the mirror was damaged meanwhile.
        """
        history, kept, name = self._history, self.repo.kept, f"history of {self.branch}"
        if history.is_empty and (content := kept.get(name)):
            history.restore(content, self.environments)
        history.follow(self.tip, self.environments)
        if history.unpacked >= _WORTH_KEEPING:
            kept.put(name, history.packed())
        return history

    def deployments(self, environment: str, chart: str = "") -> Sequence[Deployment]:
        """Return the deployments of an environment or of one of its charts, the newest first."""
        return self.history().deployments(environment, chart)

    def made_by(self, commits: Collection[str]) -> Sequence[Deployment]:
        """Return what some commits deployed anywhere, given by how their ids begin, the newest first."""
        beginnings = tuple(commits)
        return [one for one in self.history().made() if one.commit.startswith(beginnings)]

    def held_by_hand(
        self, environment: str, chart: str, repository: str, *, strict: bool = False
    ) -> Hold | None:
        """Return the hold that a person's own revert means; a strict one ends with a release only."""
        return self.history().held_by_hand(environment, chart, repository, strict=strict)

    def stood(self, environment: str, chart: str, repository: str) -> frozenset[str]:
        """Return every tag that ever stood there."""
        return self.history().stood(environment, chart, repository)

    def highest_version(self, environment: str, chart: str) -> str:
        """Return the highest version that a chart ever rose to with a tag; empty where it never did."""
        return self.history().highest_version(environment, chart)

    def holds(self, commit: str, earlier: str) -> bool:
        """Say whether a commit holds an earlier one, or is it."""
        return commit == earlier or self.repo.holds(commit, earlier)

    def named(self, beginning: str) -> str:
        """Return the id of the branch's commit that begins so; empty where there is none."""
        try:
            commit = self.repo.commit_of(beginning).commit
        except KeyError:
            return ""
        return commit if commit.startswith(beginning) and self.holds(self.tip, commit) else ""

    def undone(self, commits: Sequence[str]) -> Mapping[str, bytes | None] | tuple[str, ...]:
        """Return what `git revert` of the commits, in this order, changes; or the files that clash."""
        return self.repo.undone(commits, self.tip, besides=(HOLDS_PATH,))

    def before(self, commit: str) -> Files:
        """Return the files as they were before a commit of the branch."""
        return self.repo.at(self.repo.commit_of(commit).parents[0])


def look(repo: ConfigRepo, known: Known) -> Sight:
    """Look at the mirror as it stands; `known` keeps what is known of each branch between looks.

    Raises:
        InvalidConfigRepo: there is no default branch, or its rules cannot be read.
    """
    default = repo.default_branch()
    snapshots = {default: repo.snapshot(default)}
    if snapshots[default].is_irregular(RULES_PATH):
        raise InvalidConfigRepo("The rules are no regular file; a symlink is not followed.", path=RULES_PATH)
    rules = _rules(snapshots[default], DEFAULT_RULES)
    on_branch: dict[str, list[Environment]] = {}
    for environment in rules.environments:
        on_branch.setdefault(environment.branch or default, []).append(environment)
    shared: dict[str, Ground | InvalidConfigRepo] = {}
    seen: dict[str, Ground] = {}
    for branch, environments in on_branch.items():
        try:
            snapshot = snapshots.setdefault(branch, repo.snapshot(branch))
            history = known.histories.setdefault(branch, History(repo))
            past = BranchPast(repo, branch, snapshot.commit, tuple(environments), history)
            shared[branch] = seen[branch] = _ground(branch, snapshot, known.surveys, past)
            _check_holds(snapshot, [one.name for one in environments])
        except InvalidConfigRepo as problem:
            shared[branch] = problem
    grounds = {environment.name: shared[environment.branch or default] for environment in rules.environments}
    names = ((environment.name, environment.branch or default) for environment in rules.environments)
    return Sight(rules, grounds, snapshots, {name: seen[branch] for name, branch in names if branch in seen})


def _check_holds(snapshot: Snapshot, environments: Sequence[str]) -> None:
    """Make sure that the holds of a branch can be obeyed: what they protect must not go out unseen.

    Raises:
        InvalidConfigRepo: they cannot be read, or name an environment that is not on this branch.
    """
    if snapshot.is_irregular(HOLDS_PATH):
        raise InvalidConfigRepo("The holds are no regular file; a symlink is not followed.", path=HOLDS_PATH)
    if HOLDS_PATH in snapshot.paths:
        check_places(snapshot.read(HOLDS_PATH), environments, snapshot.branch)


def look_at_folder(files: Files) -> Sight:
    """Look at a plain folder: one ground for all environments, whatever branch and delivery they name.

    Raises:
        InvalidConfigRepo: its rules cannot be read.
    """
    found = _rules(files, _FOLDER_RULES)
    # A folder has no merge requests: whatever is written is written in place.
    direct = tuple(replace(one, delivery="commit", rollback=RollbackRules()) for one in found.environments)
    rules = found if found is _FOLDER_RULES else Rules(environments=direct)
    ground = _ground("", files, {}, NoPast())
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


def _ground(branch: str, files: Files, surveys: dict[str, Survey], past: Past) -> Ground:
    draft = Draft(files)
    surveys[branch] = Survey(draft, surveys.get(branch))
    return Ground(branch, draft, surveys[branch], past)


def _rules(files: Files, absent: Rules) -> Rules:
    return _parsed(files.read(RULES_PATH)) if RULES_PATH in files.paths else absent


# Rules are asked for far more often than they change.
_parsed = functools.lru_cache(maxsize=4)(parse_rules)
