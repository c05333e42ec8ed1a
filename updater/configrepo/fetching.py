"""Brings the mirror up to date and learns which branches there are and which one is the default.

Hides Git's fetch and the remote's HEAD. Called by `repo`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from updater.configrepo import refusals
from updater.configrepo.mirror import NO_BRANCH
from updater.configrepo.process import Finished, GitCommands
from updater.configrepo.remote import REMOTE, TRACKING
from updater.errors import InvalidConfigRepo

_HEAD = "refs/updater/HEAD"
_HEADS = "refs/heads/"
# What became of proposals that ended, for forges without a memory; the mirror keeps the same names.
CLOSED = "refs/updater/closed/"
# The first fetch brings the whole history; a stalled one ends by http.lowSpeedTime.
_FIRST_FETCH = 10
_NAMED = 8


@dataclass(frozen=True, slots=True)
class Branches:
    """Where the branches stand and which one is the default; `head` is the commit HEAD stands at.

    `closed` are the refs below `CLOSED`, without that prefix.
    """

    tips: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    head: str = ""
    closed: Mapping[str, str] = field(default_factory=dict)

    def after(self, pushed: Mapping[str, str]) -> Branches:
        """Return what is known after refs were pushed; no commit: it was deleted."""
        tips = _followed(
            self.tips, {name: new for name, new in pushed.items() if not name.startswith("refs/")}
        )
        return replace(self, tips=tips, closed=_followed(self.closed, _below(pushed, CLOSED)))


def fetch(git: GitCommands, *, is_new: bool, timeout: float) -> Finished:
    """Fetch branches, closed proposals and HEAD, in one go where HEAD stands for anything."""
    command = ("fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", REMOTE)
    refs = (f"+{_HEADS}*:{TRACKING}*", f"+{CLOSED}*:{CLOSED}*")
    limit = timeout * (_FIRST_FETCH if is_new else 1)
    done = git.talk(*command, *refs, f"+HEAD:{_HEAD}", timeout=limit)
    if done.status and "couldn't find remote ref HEAD" in done.words:
        # An empty remote, or one whose HEAD names a branch nobody has pushed.
        git.run("update-ref", "-d", _HEAD)
        return git.talk(*command, *refs, timeout=limit)
    return done


def learn(git: GitCommands, url: str, known: Branches, timeout: float) -> Branches:
    """Read from the mirror what was fetched; `known` is what held before.

    Raises:
        InvalidConfigRepo: there is no branch, or no telling which one is the default.
        Unreachable: the remote had to be asked which branch its HEAD names, and did not answer.
    """
    listing = git.read("for-each-ref", "--format=%(objectname) %(refname)", TRACKING, CLOSED, _HEAD).decode()
    refs = {name: commit for commit, _, name in (line.partition(" ") for line in listing.splitlines())}
    head = refs.pop(_HEAD, "")
    tips = _below(refs, TRACKING)
    if not tips:
        raise InvalidConfigRepo(
            f"The config repo at {url} has no commits yet: push a first one, with the charts in it."
        )
    default = _told(git, tips, head, known) or _asked(git, url, sorted(tips), timeout)
    if default != known.default:
        git.read("symbolic-ref", "HEAD", f"{_HEADS}{default}")
    return Branches(tips, default, head, _below(refs, CLOSED))


def _followed(known: Mapping[str, str], pushed: Mapping[str, str]) -> dict[str, str]:
    return {name: commit for name, commit in {**known, **pushed}.items() if commit}


def _below(refs: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): commit for name, commit in refs.items() if name.startswith(prefix)}


def _told(git: GitCommands, tips: Mapping[str, str], head: str, known: Branches) -> str:
    """Return the default branch as far as what was fetched tells it, or an empty text.

    HEAD is a name, but only its commit is fetched: where one branch stands there, it is that one. A
    HEAD without a commit names a branch that does not exist, and nobody says which one. Then the only
    branch there is will do, unless the default was another one before: that one was deleted, and
    nothing may be written elsewhere for it.
    """
    if not head:
        before = known.default or _before(git)
        return next(iter(tips)) if len(tips) == 1 and before in ("", *tips) else ""
    standing = [branch for branch, commit in tips.items() if commit == head]
    if len(standing) == 1:
        return standing[0]
    return known.default if head == known.head and known.default in standing else ""


def _before(git: GitCommands) -> str:
    """Return the default branch that an earlier process learned; the mirror's own HEAD keeps it."""
    named = git.read("symbolic-ref", "HEAD").decode(errors="replace").strip().removeprefix(_HEADS)
    return "" if named == NO_BRANCH else named


def _asked(git: GitCommands, url: str, candidates: Sequence[str], timeout: float) -> str:
    """Ask the remote which of its branches its HEAD names."""
    done = git.talk("ls-remote", "--symref", REMOTE, "HEAD", timeout=timeout)
    if done.status:
        raise refusals.unreachable(done.words, url)
    named = done.output.decode(errors="replace").partition("\t")[0].removeprefix(f"ref: {_HEADS}")
    if named not in candidates:
        raise InvalidConfigRepo(
            f"The HEAD of the config repo at {url} names no branch that exists (it has "
            f"{listed(candidates)}): set its default branch."
        )
    return named


def listed(branches: Sequence[str]) -> str:
    """Return the names of branches for a sentence, the first few of them."""
    named = ", ".join(branches[:_NAMED])
    return named if len(branches) <= _NAMED else f"{named} and {len(branches) - _NAMED} more"
