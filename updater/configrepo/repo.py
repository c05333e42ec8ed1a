"""The config repo as the worker sees it: fetch, snapshot, compare, commit, push.

Hides the mirror and its recovery: a mirror that is missing or damaged is made anew by itself. The
worker owns the one `ConfigRepo` of a process; the command line makes one for a single run.
"""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from updater.configrepo import (
    fetching,
    history,
    logbook,
    mirror,
    moments,
    proposing,
    pushing,
    refusals,
    undoing,
    writing,
)
from updater.configrepo.fetching import Branches
from updater.configrepo.moments import Moment
from updater.configrepo.objects import Listings
from updater.configrepo.process import GitCommands, MirrorDamaged
from updater.configrepo.proposing import Comparisons, Proposed
from updater.configrepo.pushing import Answer, Pusher, Updates
from updater.configrepo.refusals import Pushed
from updater.configrepo.remote import Identity, Remote, Signing, environment
from updater.configrepo.snapshot import Snapshot
from updater.configrepo.trees import Trees
from updater.configrepo.undoing import Undone
from updater.configrepo.writing import Draft
from updater.errors import InvalidConfigRepo
from updater.model import BlobChange, LoggedCommit

_Found = TypeVar("_Found")


class ConfigRepo:
    """The config repo through a bare mirror in `directory`, which is made by the first fetch.

    It belongs to the thread that uses it first: GitPython returns wrong bytes where two share it.
    Only `abort` may be called by others. `timeout` is in seconds, for each command that speaks to the
    remote (ten times that for the first fetch). What was computed from commits may be `kept` beside it.
    """

    def __init__(
        self,
        remote: Remote,
        directory: Path,
        *,
        identity: Identity,
        signing: Signing | None = None,
        timeout: float = 60,
    ) -> None:
        self._url = remote.url
        self._directory = directory.absolute()
        self.kept = mirror.Kept(self._directory, identity.committer_email)
        self._identity = identity
        self._is_signed = signing is not None
        self._timeout = timeout
        self._git = GitCommands(
            self._directory, environment(remote, self._directory, signing), remote.secrets
        )
        self._listings = Listings(self._git)
        self._pusher = Pusher(self._git, remote.url, timeout)
        self._owner: int | None = None
        self._is_open = False
        # What is known of the remote since the last fetch. Without tips nothing is, except which branch
        # was the default one.
        self._branches = Branches()
        self._trees = Trees(self._git)
        self._comparisons = Comparisons(self._git)

    def fetch(self) -> None:
        """Bring the mirror up to date with the remote, whatever happened there.

        Raises:
            InvalidConfigRepo: the remote has no commits yet, or no telling default branch.
            Unreachable: the remote cannot be reached or does not let us in; says why.
            InvalidSettings: the mirror's folder cannot be used, or Git is missing.
        """
        self._own()
        done = fetching.fetch(self._git, is_new=self._open(), timeout=self._timeout)
        if done.status and refusals.is_damage(done.words, str(self._directory)):
            self._git.damage(done.words)
            done = fetching.fetch(self._git, is_new=self._open(), timeout=self._timeout)
        if done.status:
            raise refusals.unreachable(done.words, self._url)
        known = self._branches
        self._forget()
        self._trees.forget_made()
        self._branches = fetching.learn(self._git, self._url, known, self._timeout)
        self._trees.keep(self._branches.tips)

    def default_branch(self) -> str:
        """Return the remote's default branch as of the last fetch; the first call fetches."""
        self._own()
        return self._known().default

    def snapshot(self, branch: str) -> Snapshot:
        """Return a branch as of the last fetch or push; the first call fetches.

        Raises:
            InvalidConfigRepo: there is no such branch; names those there are, the nearest first.
            Unreachable: as for `fetch`.
        """
        return self._read(lambda: self._snapshot(branch))

    def branches(self, prefix: str = "") -> Mapping[str, str]:
        """Return the branches whose names begin so, with their commits, as of the last fetch or push."""
        self._own()
        return {name: tip for name, tip in self._known().tips.items() if name.startswith(prefix)}

    def refs_closed(self) -> Mapping[str, str]:
        """Return the remote's refs below `refs/updater/closed/`, without that prefix, as for `branches`."""
        self._own()
        return dict(self._known().closed)

    def proposed(self, branch: str, target: str) -> Proposed:
        """Return how a source branch differs from its target branch, as of the last fetch or push.

        Raises:
            InvalidConfigRepo: one of the branches does not exist.
            Unreachable: as for `fetch`.
        """
        return self._read(lambda: self._compared(branch, target))

    def chains(self, heads: Collection[str], beyond: str) -> Mapping[str, tuple[LoggedCommit, ...]]:
        """Return the commits that each head has and `beyond` has not (all ids), the oldest first.

        Raises:
            TemporaryError: one of them is not in the mirror.
        """
        return self._read(lambda: proposing.chains(self._git, heads, beyond))

    def commits_of(self, names: Collection[str]) -> Mapping[str, LoggedCommit]:
        """Return commits that refs or other commits name.

        Raises:
            TemporaryError: one of them is missing, so that the mirror must be damaged.
        """
        found = self._read(lambda: history.logged(self._git, "--no-walk", revisions=tuple(names)))
        return {one.commit: one for one in found}

    def commit_of(self, name: str) -> LoggedCommit:
        """Return a commit by its id, or by how that begins; KeyError where the mirror has none."""
        found = self._read(lambda: history.logged(self._git, *history.ONE, revisions=[name]))
        if not found:
            raise KeyError(name)
        return found[0]

    def at(self, commit: str) -> Moment:
        """Return the files at any commit, by its id; KeyError where the mirror has none."""
        return self._read(lambda: moments.at(commit, self._trees, self._git))

    def commits(self, tip: str, since: str = "") -> Sequence[LoggedCommit]:
        """Return every commit that `tip` holds and `since` does not (ids), parents before their children.

        Raises:
            KeyError: the mirror has no commit `since`.
            TemporaryError: `tip` is not in the mirror.
        """
        return self._read(lambda: logbook.commits(self._git, tip, since))

    def changes(self, commits: Collection[str]) -> Mapping[str, Mapping[str, BlobChange]]:
        """Return which regular files differ between each commit and its first parent, by path.

        Raises:
            TemporaryError: one of them is missing, so that the mirror must be damaged.
        """
        return self._read(lambda: logbook.changes(self._git, commits))

    def undone(self, commits: Sequence[str], tip: str, *, besides: Collection[str] = ()) -> Undone:
        """Return what `git revert` of the commits, in this order, would change on `tip`.

        That is new contents by path, None for a deleted file. Where they clash, or where contents cannot
        tell the change (modes, links, submodules), it is a tuple of the files' names. A merge is
        reverted against its first parent. The files `besides` stay as they are, and cannot clash.

        Raises:
            ValueError: `tip` does not hold one of the commits.
            TemporaryError: `tip` is not in the mirror.
        """
        return self._read(lambda: undoing.undone(self._listings, commits, tip, besides))

    def holds(self, commit: str, earlier: str) -> bool:
        """Say whether a commit holds another one (ids); one that the mirror lacks is held by none."""
        return self._read(lambda: self._is_ancestor(earlier, commit))

    def landing(self, branch: str, commit: str) -> LoggedCommit:
        """Return what brought a commit into a branch that contains it: a merge, or the commit itself.

        Raises:
            InvalidConfigRepo: there is no such branch.
        """
        return self._read(lambda: history.landing(self._git, commit, self._tip(branch)))

    def log(self, branch: str, limit: int) -> Sequence[LoggedCommit]:
        """Return the newest commits of a branch, the newest first.

        Raises:
            InvalidConfigRepo: there is no such branch.
        """
        newest = ("-n", str(limit))
        return self._read(lambda: history.logged(self._git, *newest, revisions=[self._tip(branch)]))

    def diff(self, old: str, new: str) -> str:
        """Return what differs between two commits, as text for people; an empty `old` is no commit.

        Raises:
            TemporaryError: one of them is not in the mirror.
        """
        return self._read(lambda: history.diff(self._git, old, new))

    def is_own(self, commit: LoggedCommit) -> bool:
        """Say whether the updater made a commit: by its address, and never a merge."""
        return commit.committer_email == self._identity.committer_email and len(commit.parents) == 1

    def commit(self, base: Snapshot, drafts: Sequence[Draft]) -> list[str]:
        """Make one commit per draft, each on the one before, the first on `base`; return their ids.

        Nobody can see them before `push`.

        Raises:
            ValueError: a draft writes where no regular file can stand, or deletes what is none (a bug
                of the caller).
            TemporaryError: the commits cannot be signed, or the mirror is damaged.
        """
        self._own()
        if not drafts:
            return []
        self._open()
        commits = writing.write(
            self._listings, base, drafts, identity=self._identity, is_signed=self._is_signed
        )
        self._trees.note_made(base.commit, commits[-1], writing.files_after(base, drafts))
        return commits

    def merge(self, base: Snapshot, head: str, draft: Draft) -> str | None:
        """Commit on `base` what `head` changed, and return the commit's id; None where they clash.

        The draft has no files; with `head` among its parents it is a merge, without it a squash.
        Nobody can see it before `push`.

        Raises:
            TemporaryError: the commit cannot be signed, or the mirror is damaged.
        """
        self._own()
        self._open()
        return writing.merge(self._git, base, head, draft, identity=self._identity, is_signed=self._is_signed)

    def push(
        self,
        updates: Updates,
        *,
        guards: Mapping[str, str] | None = None,
        replacing: Collection[str] = (),
        whole: bool = False,
    ) -> Mapping[str, Answer]:
        """Push `name: (the commit it was planned on, the new one)` in one go.

        A name is a branch, or a whole ref outside of the branches (`refs/updater/...`). No old commit:
        it must not exist yet. No new one: it is deleted.

        A ref lands only where it still stands at the old commit, and none lands where a branch of
        `guards` has left the commit named there (compared when the push begins). Where one of
        several is forbidden, the others are pushed on their own, unless they belong together (`whole`).
        The new commit descends from the old one, except for names in `replacing`. To be deleted or
        replaced, a name must begin with `updater/` or `refs/updater/`.

        Raises:
            Unreachable: the server did not answer, or not for every ref; whether the push landed
                is not known then: fetch, and ask `contains`.
            ValueError: a commit would be lost outside of what is the updater's own (a bug of the caller).
        """
        self._own()
        if not updates:
            return {}
        pushing.check(updates, replacing)
        self._open()
        for name, (old, new) in updates.items():
            if old and new and name not in replacing:
                self._check_descent(old, new)
        answers = self._pusher.push(updates, guards or {}, is_whole=whole)
        landed = {name: updates[name][1] for name, answer in answers.items() if answer is Pushed.LANDED}
        if self._branches.tips:
            self._branches = self._branches.after(landed)
        return answers

    def contains(self, branch: str, commit: str) -> bool:
        """Say whether a commit is in the branch as of the last fetch; no where there is no branch."""
        self._own()
        tip = self._known().tips.get(branch)
        if tip is None or tip == commit:
            return tip is not None
        return self._is_ancestor(commit, tip)

    def tidy(self) -> None:
        """Repack the mirror where many packs have come together; for idle moments.

        Raises:
            MirrorDamaged: the mirror cannot be read; the next fetch makes it anew.
        """
        self._own()
        self._open()
        if mirror.needs_tidying(self._directory):
            self._git.close()
            # Joins the small packs and leaves the big one alone: with 10,000 charts a whole repack
            # takes ten seconds, this a few milliseconds.
            self._git.read("repack", "--geometric=2", "-d", "--quiet")

    def close(self) -> None:
        """End every Git process, and let another thread have it; the next call starts what it needs."""
        self._git.close()
        self._git.resume()
        self._owner = None

    def abort(self) -> None:
        """End a command that speaks to the remote, from any thread; for the end of the process.

        Whoever waits for it gets `Unreachable` at once, and so does every later one until `close`: a
        `push`, and whatever has to fetch. Harmless where nothing is under way.
        """
        self._git.stop()

    def _own(self) -> None:
        thread = threading.get_ident()
        self._owner = self._owner or thread
        if self._owner != thread:
            raise RuntimeError("a ConfigRepo belongs to the thread that used it first")

    def _open(self) -> bool:
        """Make sure that there is a sound mirror; return whether it was made just now."""
        if self._is_open and not self._git.damaged:
            return False
        if self._git.damaged:
            self._git.close()
            mirror.discard(self._directory)
            self._git.damaged = self._is_open = False
        self._forget()
        self._trees.clear()
        is_new = mirror.prepare(self._directory, self._git)
        self._is_open = True
        return is_new

    def _forget(self) -> None:
        self._branches = Branches(default=self._branches.default)

    def _known(self) -> Branches:
        if self._git.damaged or not self._branches.tips:
            self.fetch()
        return self._branches

    def _read(self, act: Callable[[], _Found]) -> _Found:
        """Read from the mirror, and once more after it was made anew where it turns out to be damaged."""
        self._own()
        self._known()
        try:
            return act()
        except MirrorDamaged:
            self.fetch()
            return act()

    def _tip(self, branch: str) -> str:
        tips = self._known().tips
        if branch not in tips:
            near = difflib.get_close_matches(branch, tips, cutoff=0.5)
            names = [*near, *sorted(tips.keys() - set(near))]
            raise InvalidConfigRepo(
                f"The config repo at {self._url} has no branch {branch!r}; it has {fetching.listed(names)}."
            )
        return tips[branch]

    def _compared(self, branch: str, target: str) -> Proposed:
        for name in (branch, target):
            self._tip(name)
        return self._comparisons.get(self._branches.tips, branch, target)

    def _snapshot(self, branch: str) -> Snapshot:
        commit = self._tip(branch)
        return Snapshot(branch, commit, self._trees.of(branch, commit), self._git)

    def _check_descent(self, old: str, new: str) -> None:
        """Make sure that a push can lose nothing: the new commit holds the old one."""
        if not self._trees.is_made_on(old, new) and not self._is_ancestor(old, new):
            raise ValueError(f"{new} does not descend from {old}")

    def _is_ancestor(self, old: str, new: str) -> bool:
        """Say whether one commit holds the other; one the mirror has never seen is held by none."""
        done = self._git.run("merge-base", "--is-ancestor", old, new)
        if done.status > 1 and refusals.is_damage(done.words, str(self._directory)):
            raise self._git.damage(done.words)
        return done.status == 0
