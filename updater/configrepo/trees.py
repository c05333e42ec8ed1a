"""The trees that are known already, so that another one is read by what differs from one of them.

Hides what is kept of which commit, and for how long. Called by `repo`; it only reads the mirror.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container
from dataclasses import dataclass, field

from updater.configrepo import history
from updater.configrepo.process import GitCommands
from updater.configrepo.snapshot import Tree, changed_tree, whole_tree

# Trees of commits asked for by their ids: each may hold a table of all names.
_KEPT = 4


@dataclass(slots=True)
class Trees:
    """The trees of branches, of commits made here, and of the commits asked for last."""

    git: GitCommands
    _branches: dict[str, tuple[str, Tree]] = field(default_factory=dict, repr=False)
    # Commits made here and not fetched since: what they were made on, and their files.
    _made: dict[str, tuple[str, Tree]] = field(default_factory=dict, repr=False)
    _asked: OrderedDict[str, Tree] = field(default_factory=OrderedDict, repr=False)

    def of(self, branch: str, commit: str) -> Tree:
        """Return the tree of a branch that stands at this commit.

        Raises:
            MirrorDamaged: it is missing or unreadable.
        """
        known = self._branches.get(branch)
        if known is None or known[0] != commit:
            tree = self._made[commit][1] if commit in self._made else self._of_branch(branch, commit)
            known = self._branches[branch] = (commit, tree)
        return known[1]

    def at(self, commit: str) -> Tree:
        """Return the tree of any commit.

        Raises:
            KeyError: the mirror has no such commit.
            MirrorDamaged: its tree is missing or unreadable.
        """
        tips = dict(self._branches.values())
        if commit in tips:
            return tips[commit]
        if commit not in self._asked:
            if not history.existing(self.git, [commit]):
                raise KeyError(commit)
            nearest = next(reversed(self._asked.items()), None) or next(iter(tips.items()), None)
            self._asked[commit] = self._beside(nearest, commit)
        self._asked.move_to_end(commit)
        while len(self._asked) > _KEPT:
            self._asked.popitem(last=False)
        return self._asked[commit]

    def note_made(self, base: str, commit: str, tree: Tree) -> None:
        """Remember the tree of a commit that was made on the base just now."""
        self._made[commit] = (base, tree)

    def is_made_on(self, base: str, commit: str) -> bool:
        """Say whether a commit was made here on the base, as far as that is remembered."""
        return commit in self._made and self._made[commit][0] == base

    def forget_made(self) -> None:
        """Forget the commits made here; where they landed, a branch has them."""
        self._made.clear()

    def keep(self, branches: Container[str]) -> None:
        """Forget all other branches."""
        self._branches = {name: known for name, known in self._branches.items() if name in branches}

    def clear(self) -> None:
        """Forget everything: the mirror is another one."""
        self._branches.clear()
        self._made.clear()
        self._asked.clear()

    def _of_branch(self, branch: str, commit: str) -> Tree:
        """Read a tree by what differs from this branch's, or else from any other's."""
        return self._beside(self._branches.get(branch) or next(iter(self._branches.values()), None), commit)

    def _beside(self, nearest: tuple[str, Tree] | None, commit: str) -> Tree:
        if nearest is None:
            return whole_tree(self.git, commit)
        return changed_tree(self.git, nearest[1], nearest[0], commit)
