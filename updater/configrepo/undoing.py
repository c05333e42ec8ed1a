"""What would undo commits: their reverts, worked out without a work tree.

Hides that Git merges for it. A commit is reverted by merging what its first parent has, with the commit
as the base of the merge; as `git merge-tree` of Git 2.39 finds the base by itself, both sides are made
into commits on it. Called by `repo`; it leaves objects in the mirror that nothing names, and no refs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from updater.configrepo import differing, history
from updater.configrepo.differing import GONE, PLAIN, Difference
from updater.configrepo.objects import Listings, commit_content
from updater.configrepo.process import GitCommands

# What git-merge-tree(1) ends with where both sides changed the same.
_CLASH = 1
# In the year 2100: Git looks for a merge base from the newest commit on, and so finds this one at once.
_NOBODY = "nobody <nobody> 4102444800 +0000"
_TREES = ("-r", "-z", "--no-renames")

Undone = Mapping[str, bytes | None] | tuple[str, ...]


def undone(listings: Listings, commits: Sequence[str], tip: str, besides: Collection[str] = ()) -> Undone:
    """Return what reverting the commits in this order changes on `tip`, or the names of what clashes.

    The files `besides` are left as they are, and cannot clash.

    Raises:
        ValueError: `tip` does not hold one of the commits.
        MirrorDamaged: the mirror could not be read or written.
    """
    git = listings.git
    parents = _first_parents(git, commits, tip)
    start = tree = listings.root(tip).hex()
    for commit in commits:
        parent = parents[commit]
        before = listings.root(parent).hex() if parent else history.NOTHING
        tree, clashing = _merged(git, commit, tree, before)
        if not clashing <= set(besides):
            return tuple(sorted(clashing))
    return _contents(git, [one for one in _differences(git, start, tree) if one.name not in besides])


def _first_parents(git: GitCommands, commits: Sequence[str], tip: str) -> dict[str, str]:
    """Return the first parent of each commit, empty for a root."""
    if not commits:
        return {}
    found = history.existing(git, commits)
    parents = {name: next(iter(one.parents), "") for name, one in found.items()}
    wanted = "\n".join([*parents, f"^{tip}"]).encode()
    if not parents.keys() >= set(commits) or git.read("rev-list", "-n", "1", "--stdin", stdin=wanted):
        raise ValueError(f"not all of {list(commits)} are commits that {tip} holds")
    return parents


def _merged(git: GitCommands, base: str, ours: str, theirs: str) -> tuple[str, frozenset[str]]:
    """Return the tree in which both trees' changes to the base are, and the names of what clashes in it."""
    sides = [_commit(git, tree, base) for tree in (ours, theirs)]
    done = git.run("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", *sides)
    # It ends alike where an object is missing, but names a tree only where it merged.
    if done.status > _CLASH or not done.output:
        raise git.damage(done.words)
    tree, *names = done.output.decode(errors="replace").split("\0")[:-1]
    if done.status and not names:
        names = list(_names(_differences(git, base, theirs)))
    return tree, frozenset(names)


def _commit(git: GitCommands, tree: str, parent: str) -> str:
    content = commit_content(bytes.fromhex(tree), [parent], "", author=_NOBODY, committer=_NOBODY)
    return git.read("hash-object", "-w", "-t", "commit", "--stdin", stdin=content).decode().strip()


def _differences(git: GitCommands, old: str, new: str) -> list[Difference]:
    return differing.read(git.read("diff-tree", *_TREES, old, new)).get("", [])


def _contents(git: GitCommands, differences: Sequence[Difference]) -> Undone:
    clashing = _names([one for one in differences if not _is_told(one)])
    if clashing:
        return clashing
    blobs = dict.fromkeys(one.new_blob for one in differences if one.new_blob)
    contents = dict(git.objects([name for name in blobs if name]))
    return {name: contents[one.new] if one.new_blob else None for one in differences if (name := one.name)}


def _is_told(one: Difference) -> bool:
    """Say whether new contents, or that there are none, tell all that differs."""
    if one.name is None or not (one.old_blob or one.new_blob):
        return False
    return one.new_mode in (GONE, one.old_mode) or (one.old_mode, one.new_mode) == (GONE, PLAIN)


def _names(differences: Sequence[Difference]) -> tuple[str, ...]:
    return tuple(one.path.decode(errors="replace") for one in differences)
