"""Pushes commits: one push for all branches, and only where they still stand where they were read.

Hides the compare-and-swap, atomic pushes and servers without them. Called by `repo`; what the
server's answers mean is decided in `refusals`. It changes no ref that is not where it was said to be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from updater.configrepo import refusals
from updater.configrepo.process import Finished, GitCommands
from updater.configrepo.refusals import Pushed
from updater.configrepo.remote import REMOTE
from updater.errors import PushForbidden, UpdaterError

# `name: (old, new)`. A name is a branch or a whole ref; no old: it must not exist yet; no new: delete it.
Updates = Mapping[str, tuple[str, str]]
Answer = Pushed | PushForbidden

# Branches and other refs that nobody but the updater has.
_OWN = ("updater/", "refs/updater/")
_HEADS = "refs/heads/"


def check(updates: Updates, replacing: Collection[str]) -> None:
    """Make sure that only refs of the updater's own are asked to lose a commit.

    Raises:
        ValueError: another one would be deleted or replaced, or nothing is said of one.
    """
    for name, (old, new) in updates.items():
        if not old and not new:
            raise ValueError(f"{name} is neither to be made nor to be deleted")
        if (name in replacing or not new) and not name.startswith(_OWN):
            raise ValueError(f"{name} is not the updater's own: it is never deleted or replaced")


@dataclass(slots=True)
class Pusher:
    """Speaks `git push` with one remote and remembers whether it takes several branches at once."""

    git: GitCommands
    url: str
    timeout: float
    is_atomic: bool = True

    def push(
        self, updates: Updates, guards: Mapping[str, str], *, is_whole: bool = False
    ) -> dict[str, Answer]:
        """Push `name: (old, new)` and return what became of each ref; `is_whole`: of all or of none.

        Raises:
            Unreachable: the server did not answer, or did not say what became of a branch.
            MirrorDamaged: there was nothing to push from.
        """
        kept = {branch: commit for branch, commit in guards.items() if branch not in updates}
        if not self.is_atomic and kept and not self._stand(kept):
            return dict.fromkeys(updates, Pushed.MOVED)
        deletes = {name: update for name, update in updates.items() if not update[1]}
        if not self.is_atomic and is_whole and 0 < len(deletes) < len(updates):
            return self._in_turn(updates, deletes, guards)
        done = self._send(updates, kept)
        if self.is_atomic and refusals.knows_no_atomic(done.words):
            self.is_atomic = False
            return self.push(updates, guards, is_whole=is_whole)
        return self._sort(updates, kept, done, is_whole=is_whole)

    def _in_turn(self, updates: Updates, deletes: Updates, guards: Mapping[str, str]) -> dict[str, Answer]:
        """Delete only after the rest has landed: what a deleted branch held must stand elsewhere by then."""
        writes = {name: update for name, update in updates.items() if name not in deletes}
        standing = {name: old for name, (old, _) in deletes.items()}
        answers = self.push(writes, {**guards, **standing}, is_whole=True)
        if all(answer is Pushed.LANDED for answer in answers.values()):
            return answers | self.push(deletes, guards)
        return answers | dict.fromkeys(deletes, Pushed.MOVED)

    def _send(self, updates: Updates, guards: Mapping[str, str]) -> Finished:
        # The lease is the compare-and-swap. Without it a branch that was reset or deleted meanwhile
        # would come back: from there our commit is a fast-forward. An empty lease says that there is
        # no such ref. It can overwrite nothing that was not read: a new commit descends from the old
        # one named here, except on the updater's own refs.
        stands = {name: old for name, (old, _) in updates.items()} | dict(guards)
        refs = {name: new for name, (_, new) in updates.items()} | dict(guards)
        return self.git.talk(
            "push",
            "--porcelain",
            "--no-verify",
            *(["--atomic"] if self.is_atomic and len(refs) > 1 else []),
            *(f"--force-with-lease={_ref(name)}:{commit}" for name, commit in stands.items()),
            REMOTE,
            *(f"{commit}:{_ref(name)}" for name, commit in refs.items()),
            timeout=self.timeout,
        )

    def _sort(
        self, updates: Updates, guards: Mapping[str, str], done: Finished, *, is_whole: bool
    ) -> dict[str, Answer]:
        answers = refusals.answers(done.output.decode(errors="replace"))
        if not updates.keys() <= answers.keys():
            if refusals.is_forbidden(done.words):
                return {name: refusals.forbidden(name, "no right to push", done.words) for name in updates}
            if refusals.is_damage(done.words, str(self.git.mirror)):
                raise self.git.damage(done.words)
            raise refusals.unreachable(done.words, self.url)
        judged = {branch: refusals.judge(branch, answers[branch], done.words) for branch in updates}
        if any(_has_left(answers.get(guard)) for guard in guards):
            return dict.fromkeys(updates, Pushed.MOVED)
        if (
            len(updates) > 1
            and not is_whole
            and any(isinstance(answer, PushForbidden) for answer in judged.values())
        ):
            return self._one_by_one(updates, guards, judged)
        return {branch: _settled(answer) for branch, answer in judged.items()}

    def _one_by_one(
        self, updates: Updates, guards: Mapping[str, str], judged: Mapping[str, Pushed | UpdaterError]
    ) -> dict[str, Answer]:
        """Push again what only fell with a forbidden branch: one hook's no refuses the whole push."""
        settled: dict[str, Answer] = {}
        for branch, update in updates.items():
            if judged[branch] is Pushed.LANDED:
                settled[branch] = Pushed.LANDED
            else:
                settled |= self.push({branch: update}, guards)
        return settled

    def _stand(self, guards: Mapping[str, str]) -> bool:
        """Ask whether branches still stand where they were read, for servers without atomic pushes."""
        names = [_ref(name) for name in guards]
        done = self.git.talk("ls-remote", REMOTE, *names, timeout=self.timeout)
        if done.status:
            raise refusals.unreachable(done.words, self.url)
        there = refusals.refs_in(done.output.decode(errors="replace"))
        return all(there.get(_ref(name)) == commit for name, commit in guards.items())


def _ref(name: str) -> str:
    return name if name.startswith("refs/") else f"{_HEADS}{name}"


def _has_left(answer: tuple[str, str] | None) -> bool:
    """Say whether a guard was refused for itself and not only beside another branch."""
    return answer is not None and answer[0] == "!" and not refusals.is_companion(answer)


def _settled(answer: Pushed | UpdaterError) -> Answer:
    if isinstance(answer, UpdaterError) and not isinstance(answer, PushForbidden):
        raise answer
    return answer
