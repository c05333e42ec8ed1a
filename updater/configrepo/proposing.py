"""How source branches differ from the branch they are meant for: their commits and their files.

Hides that all proposals of an environment are read by the same few Git commands, however many there
are. Called by `repo`; it only reads the mirror.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from updater.configrepo import history
from updater.configrepo.process import GitCommands
from updater.model import LoggedCommit

_SUBMODULE = "160000"
_GONE = "000000"


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a source branch at `head` would change in its target branch.

    `base` is the merge base (empty: they share no history), `commits` are those of the branch that
    the target has not, the oldest first; none where the target contains the branch. `files` are the
    contents at the head of the files that differ from the base, None where one was deleted.
    `overtaken` names those of them that the target changed since the base.
    """

    head: str
    base: str
    commits: tuple[LoggedCommit, ...]
    files: Mapping[str, bytes | None] = field(repr=False)
    overtaken: frozenset[str] = frozenset()


@dataclass(slots=True)
class Comparisons:
    """What was compared already, for as long as the branches stand where they stood."""

    git: GitCommands
    _known: dict[tuple[str, str], Proposed] = field(default_factory=dict, repr=False)

    def get(self, tips: Mapping[str, str], branch: str, target: str) -> Proposed:
        """Compare a source branch with its target, and with it all of its environment: they are asked next.

        Raises:
            MirrorDamaged: a commit or a file is missing.
        """
        head, tip = tips[branch], tips[target]
        if (head, tip) not in self._known:
            standing = set(tips.values())
            self._known = {key: one for key, one in self._known.items() if standing.issuperset(key)}
            beside = branch.rpartition("/")[0] + "/"
            heads = {head, *(commit for name, commit in tips.items() if name.startswith(beside))}
            found = read(self.git, sorted(one for one in heads if (one, tip) not in self._known), tip)
            self._known |= {(one, tip): proposed for one, proposed in found.items()}
        return self._known[head, tip]


# A file's mode and the id of its content, as they are after a change.
_Entry = tuple[str, str]
_Pair = tuple[str, str]


def read(git: GitCommands, heads: Iterable[str], tip: str) -> dict[str, Proposed]:
    """Return how each of these heads differs from the target branch at `tip`.

    Raises:
        MirrorDamaged: a commit or a file is missing.
    """
    commits = chains(git, heads, tip)
    bases = {head: _base(git, chain, head, tip) for head, chain in commits.items()}
    ours = _changes(git, {(bases[head], head) for head in heads})
    theirs = _changes(git, {(base, tip) for base in bases.values()})
    contents = _contents(git, [entry for changed in ours.values() for entry in changed.values()])
    return {
        head: Proposed(
            head,
            base,
            commits[head],
            {path: contents[entry] for path, entry in ours[base, head].items()},
            frozenset(ours[base, head].keys() & theirs[base, tip].keys()),
        )
        for head, base in bases.items()
    }


def chains(git: GitCommands, heads: Iterable[str], beyond: str) -> dict[str, tuple[LoggedCommit, ...]]:
    """Return the commits that each head has and `beyond` has not, the oldest first.

    Raises:
        MirrorDamaged: a commit is missing.
    """
    heads = list(dict.fromkeys(heads))
    listed = history.logged(git, "--topo-order", revisions=[*heads, f"^{beyond}"] if heads else ())
    log = {one.commit: one for one in listed}
    return {head: _chain(log, head) for head in heads}


def _chain(log: Mapping[str, LoggedCommit], head: str) -> tuple[LoggedCommit, ...]:
    """Return the commits of one head among those of all, the oldest first."""
    found: set[str] = set()
    level = {head} & log.keys()
    while level:
        found |= level
        level = {parent for one in level for parent in log[one].parents if parent in log} - found
    return tuple(one for one in reversed(list(log.values())) if one.commit in found)


def _base(git: GitCommands, chain: Sequence[LoggedCommit], head: str, tip: str) -> str:
    """Return the merge base: in a plain chain, the one commit it stands on."""
    if not chain:
        return head
    own = {one.commit for one in chain}
    below = {parent for one in chain for parent in one.parents} - own
    if len(below) < 2:
        return next(iter(below), "")
    return git.read("merge-base", head, tip).decode().strip()


def _changes(git: GitCommands, pairs: Iterable[_Pair]) -> dict[_Pair, dict[str, _Entry]]:
    """Return the entries that differ between each old and new commit, as they are in the new one."""
    found: dict[_Pair, dict[str, _Entry]] = {}
    asked = []
    for old, new in pairs:
        found[old, new] = {}
        if not old:
            listing = git.read("diff-tree", "-r", "-z", "--no-renames", history.NOTHING, new)
            found[old, new] = _entries(listing.split(b"\0"))
        elif old != new:
            asked.append((old, new))
    if asked:
        # A commit and one id more is compared with that one; --always says its id even where
        # nothing differs (git-diff-tree(1)).
        lines = "".join(f"{new} {old}\n" for old, new in asked).encode()
        listing = git.read("diff-tree", "--stdin", "-r", "-z", "--no-renames", "--always", stdin=lines)
        found |= dict(zip(asked, _parts(listing), strict=True))
    return found


def _parts(listing: bytes) -> Iterable[dict[str, _Entry]]:
    """Yield the entries below each commit id."""
    tokens = listing.split(b"\0")[:-1]
    starts = list(_heads(tokens))
    for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
        yield _entries(tokens[start + 1 : end])


def _heads(tokens: Sequence[bytes]) -> Iterable[int]:
    at = 0
    while at < len(tokens):
        if tokens[at].startswith(b":"):
            at += 2
        else:
            yield at
            at += 1


def _entries(tokens: Sequence[bytes]) -> dict[str, _Entry]:
    """Read pairs of `:old-mode new-mode old-id new-id status` and a path."""
    entries = {}
    for change, path in zip(tokens[::2], tokens[1::2], strict=False):
        _, mode, _, name, _ = change.decode().split(" ")
        entries[path.decode(errors="surrogateescape")] = (mode, name)
    return entries


def _contents(git: GitCommands, entries: Iterable[_Entry]) -> dict[_Entry, bytes | None]:
    wanted = dict.fromkeys(entries)
    blobs = dict.fromkeys(name for mode, name in wanted if mode not in (_GONE, _SUBMODULE))
    read = dict(git.objects(list(blobs)))
    # A submodule has no content here but the commit it names; Git's own diff shows it in these words.
    modules = {name: f"Subproject commit {name}\n".encode() for mode, name in wanted if mode == _SUBMODULE}
    return {(mode, name): modules.get(name, read.get(name)) for mode, name in wanted}
