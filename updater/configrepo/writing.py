"""Makes commits as objects in the mirror: nobody can see them until they are pushed.

Hides that no Git process is needed for it, except for merges and where commits are signed. Called by
`repo`; it never speaks to the remote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from updater.configrepo.folders import Folders
from updater.configrepo.objects import Listings, commit_content, object_id
from updater.configrepo.packing import Pack
from updater.configrepo.process import GitCommands
from updater.configrepo.refusals import quote
from updater.configrepo.remote import Identity
from updater.configrepo.snapshot import EXECUTABLE, GONE, REGULAR, Snapshot, Tree, blob_id
from updater.errors import TemporaryError

# Holds the newest batch until it is pushed, so that tidying keeps its objects.
BATCH = "refs/updater/batch"
# What git-merge-tree(1) ends with where both sides changed the same.
_CLASH = 1
_STRANGERS = "unrelated histories"
# git-update-index(1) refuses them, and git-fsck(1) a tree that has them.
_NO_NAMES = ("", ".", "..", ".git")


@dataclass(frozen=True, slots=True)
class Draft:
    """A commit to be made: whole new contents of files, its message, and its time.

    A file that does not exist is made as a plain one (mode 100644), with the folders it takes; None
    deletes one that exists, and the folders that nothing is left in.
    `author_time` is aware and becomes the time of both author and committer. Without files the commit
    has its parent's tree. `parents` are further ones, after the one it is made on: a merge commit.
    """

    files: Mapping[str, bytes | None]
    message: str
    author_time: datetime
    parents: tuple[str, ...] = ()


# Each draft with the id of its root tree.
Made = Sequence[tuple[bytes, Draft]]


def write(
    listings: Listings,
    base: Snapshot,
    drafts: Sequence[Draft],
    *,
    identity: Identity,
    is_signed: bool,
) -> list[str]:
    """Chain one commit per draft on the base and return their ids, in order.

    Raises:
        ValueError: a draft writes where no regular file can stand or deletes what is none, or its
            message holds a NUL; all are bugs of the caller.
        TemporaryError: a commit could not be signed.
        MirrorDamaged: the mirror could not be read or written.
    """
    for draft in drafts:
        _check(base, draft)
    pack = Pack()
    made = list(zip(_trees(listings, base, drafts, pack), drafts, strict=True))
    return _save(listings.git, base.commit, made, pack, identity=identity, is_signed=is_signed)


def merge(
    git: GitCommands, base: Snapshot, head: str, draft: Draft, *, identity: Identity, is_signed: bool
) -> str | None:
    """Commit on the base what `head` changed, and return the commit's id; None where they clash.

    Commits without a common history clash as well.

    The draft has no files of its own.

    Raises:
        ValueError, TemporaryError, MirrorDamaged: as for `write`.
    """
    _check(base, draft)
    # Without a search for renames a file is merged with the one of its own name or not at all.
    plain = ("-c", "merge.renames=false", "-c", "merge.directoryRenames=false")
    done = git.run(*plain, "merge-tree", "--write-tree", "--no-messages", base.commit, head)
    # It ends alike where a commit is missing, but names a tree only where it merged.
    if (done.status == _CLASH and done.output) or _STRANGERS in done.words:
        return None
    if done.status:
        raise git.damage(done.words)
    made = [(bytes.fromhex(done.output.decode().strip()), draft)]
    return _save(git, base.commit, made, Pack(), identity=identity, is_signed=is_signed)[-1]


def _save(
    git: GitCommands, parent: str, made: Made, pack: Pack, *, identity: Identity, is_signed: bool
) -> list[str]:
    commits = [] if is_signed else list(_commits(pack, parent, made, identity))
    try:
        if pack:
            pack.save(git.mirror / "objects" / "pack")
        if is_signed:
            commits = list(_signed(git, parent, made, identity))
        _hold(git, commits[-1])
    except OSError as error:
        raise git.damage(f"it cannot be written: {error.strerror}") from error
    return commits


def _check(base: Snapshot, draft: Draft) -> None:
    strange = [path for path in draft.files if path not in base.paths and not _is_name(path)]
    if strange:
        raise ValueError(f"{strange} are no names of files in a Git repository")
    if "\0" in draft.message:
        raise ValueError("a commit message cannot hold a NUL")
    if draft.author_time.tzinfo is None:
        raise ValueError("a draft's author_time has no time zone")


def _is_name(path: str) -> bool:
    """Say whether Git would take a path into a tree."""
    return "\0" not in path and not any(part.lower() in _NO_NAMES for part in path.split("/"))


def files_after(base: Snapshot, drafts: Sequence[Draft]) -> Tree:
    """Return the files of the last of the commits that drafts make on the base."""
    contents = {path: content for draft in drafts for path, content in draft.files.items()}
    # A file that was deleted and is made anew is a plain one.
    deleted = {path for draft in drafts for path, content in draft.files.items() if content is None}
    executable = base.tree.executable - deleted if deleted else base.tree.executable
    ids = {path: blob_id(data, base.commit) for path, data in contents.items() if data is not None}
    if ids.keys() <= base.paths and not deleted:
        return base.tree.with_contents(ids)
    entries = {path: (EXECUTABLE if path in executable else REGULAR, name) for path, name in ids.items()}
    return base.tree.with_changes({path: entries.get(path, GONE) for path in contents})


def _trees(listings: Listings, base: Snapshot, drafts: Sequence[Draft], pack: Pack) -> list[bytes]:
    """Pack the files and folders of all drafts and return the id of each draft's root."""
    paths = {path for draft in drafts for path in draft.files}
    folders = Folders(listings, listings.root(base.commit), paths)
    roots = []
    for draft in drafts:
        files: dict[str, bytes | None] = dict.fromkeys(draft.files)
        for path, content in draft.files.items():
            if content is not None:
                files[path] = name = object_id("blob", content)
                pack.add("blob", name, content)
        roots.append(folders.write(files, pack))
    folders.keep()
    return roots


def _commits(pack: Pack, parent: str, made: Made, identity: Identity) -> Iterator[str]:
    """Pack the commits and yield their ids."""
    for tree, draft in made:
        when = _when(draft)
        content = commit_content(
            tree,
            [parent, *draft.parents],
            draft.message,
            author=f"{identity.author_name} <{identity.author_email}> {when}",
            committer=f"{identity.committer_name} <{identity.committer_email}> {when}",
        )
        name = object_id("commit", content)
        pack.add("commit", name, content)
        parent = name.hex()
        yield parent


def _when(draft: Draft) -> str:
    return f"{int(draft.author_time.timestamp())} {draft.author_time:%z}"


def _hold(git: GitCommands, commit: str) -> None:
    """Point the batch's ref at a commit.

    A ref in a file of its own comes before one in `packed-refs` (gitrepository-layout(5)), and a name
    that ends in `.lock` is swept away where a crash leaves it behind.
    """
    path = git.mirror / BATCH
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f"{path.name}.lock")
    lock.write_text(f"{commit}\n")
    lock.replace(path)


def _signed(git: GitCommands, parent: str, made: Made, identity: Identity) -> Iterator[str]:
    """Let Git make and sign the commits and yield their ids: the keys and their programs are its own."""
    for tree, draft in made:
        parents = [word for one in (parent, *draft.parents) for word in ("-p", one)]
        done = git.run(
            "commit-tree",
            "-S",
            *parents,
            "-F",
            "-",
            tree.hex(),
            stdin=draft.message.encode(),
            env=_as_variables(identity, _when(draft)),
        )
        if done.status:
            raise TemporaryError(
                "The commit could not be signed, so nothing was written: check the signing key. "
                f"Git says: {quote(done.words)}.",
                after=60,
            )
        parent = done.output.decode().strip()
        yield parent


def _as_variables(identity: Identity, when: str) -> dict[str, str]:
    return {
        "GIT_AUTHOR_NAME": identity.author_name,
        "GIT_AUTHOR_EMAIL": identity.author_email,
        "GIT_AUTHOR_DATE": when,
        "GIT_COMMITTER_NAME": identity.committer_name,
        "GIT_COMMITTER_EMAIL": identity.committer_email,
        "GIT_COMMITTER_DATE": when,
    }
