"""What a checkout changed since a base, as findings: versions that did not rise, commits that cross over.

Hides what is read of the checkout's history and when. `checking` calls it; it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from updater.check import Finding, Ground, Step, crossings, versions
from updater.configrepo import Checkout


def changed_since(base: str, folder: Path, ground: Ground) -> Iterator[Finding]:
    """Yield what is wrong with the changes of a folder since it parted from a commit or branch.

    Raises:
        InvalidSettings: the base cannot be told; says what to do.
        TemporaryError: the history is not whole.
    """
    with closing(Checkout(folder)) as checkout:
        commit = checkout.base(base)
        before = _at(checkout, ground, commit)
        yield from versions(before, ground, checkout.changed(before.files, ground.files, commit))
        yield from crossings(before, ground, _steps(checkout, ground, commit))


def _steps(checkout: Checkout, ground: Ground, base: str) -> Iterator[Step]:
    """Yield the commits since the base; a merge changes nothing of its own."""
    commits = [one for one in checkout.commits(base) if len(one.parents) == 1]
    changes = checkout.changes([one.commit for one in commits])
    for one in commits:
        look = partial(_around, checkout, ground, one.parents[0], one.commit)
        yield Step(one.commit, one.message, frozenset(changes[one.commit]), look)


def _around(checkout: Checkout, ground: Ground, parent: str, commit: str) -> tuple[Ground, Ground]:
    return _at(checkout, ground, parent), _at(checkout, ground, commit)


def _at(checkout: Checkout, ground: Ground, commit: str) -> Ground:
    """Return the ground at another commit, by the rules of now."""
    return Ground(
        checkout.at(commit),
        rules=ground.rules,
        branch=ground.branch,
        default_branch=ground.default_branch,
    )
