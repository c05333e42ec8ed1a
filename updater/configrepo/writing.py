"""Makes commits as objects in the mirror: nobody can see them until they are pushed.

Hides the framing of `git fast-import` and the second pass that signs. Called by `repo`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from updater.configrepo.process import GitCommands
from updater.configrepo.refusals import quote
from updater.configrepo.remote import Identity
from updater.configrepo.snapshot import Snapshot
from updater.errors import TemporaryError

# Holds the newest batch until it is pushed, so that tidying keeps its objects.
BATCH = "refs/updater/batch"


@dataclass(frozen=True, slots=True)
class Draft:
    """A commit to be made: whole new contents of files that exist, its message, and its time.

    `author_time` is aware and becomes the time of both author and committer.
    """

    files: Mapping[str, bytes]
    message: str
    author_time: datetime


def write(
    git: GitCommands,
    base: Snapshot,
    drafts: Sequence[Draft],
    *,
    identity: Identity,
    is_signed: bool,
) -> list[str]:
    """Chain one commit per draft on the base and return their ids, in order.

    Raises:
        ValueError: a draft names a file the base does not have as a regular file, or its message
            holds a NUL; both are bugs of the caller.
        TemporaryError: a commit could not be signed.
    """
    for draft in drafts:
        _check(base, draft)
    stream = b"".join(_stream(base, drafts, identity))
    made = git.read("fast-import", "--quiet", "--done", "--force", stdin=stream).decode().split()
    if not is_signed:
        return made
    return _signed(git, base.commit, list(zip(made, drafts, strict=True)), identity)


def _check(base: Snapshot, draft: Draft) -> None:
    strange = [path for path in draft.files if path not in base.paths]
    if strange:
        raise ValueError(f"{strange} are no regular files of {base.branch} at {base.commit}")
    if "\0" in draft.message:
        raise ValueError("a commit message cannot hold a NUL")
    if draft.author_time.tzinfo is None:
        raise ValueError("a draft's author_time has no time zone")


def _stream(base: Snapshot, drafts: Sequence[Draft], identity: Identity) -> Iterator[bytes]:
    for number, draft in enumerate(drafts, start=1):
        when = _when(draft)
        message = draft.message.encode()
        yield f"commit {BATCH}\nmark :{number}\n".encode()
        yield f"author {identity.author_name} <{identity.author_email}> {when}\n".encode()
        yield f"committer {identity.committer_name} <{identity.committer_email}> {when}\n".encode()
        yield b"data %d\n%s\n" % (len(message), message)
        if number == 1:
            # The others follow by themselves; naming their parent would make Git read the tree again.
            yield f"from {base.commit}\n".encode()
        for path, content in draft.files.items():
            mode = "100755" if path in base.tree.executable else "100644"
            yield f"M {mode} inline {_quoted(path)}\ndata {len(content)}\n".encode()
            yield content
            yield b"\n"
        yield f"get-mark :{number}\n".encode()
    yield b"done\n"


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _when(draft: Draft) -> str:
    return f"{int(draft.author_time.timestamp())} {draft.author_time:%z}"


def _signed(git: GitCommands, base: str, made: Sequence[tuple[str, Draft]], identity: Identity) -> list[str]:
    """Make each commit once more with a signature; fast-import knows none."""
    parent, commits = base, []
    for unsigned, draft in made:
        done = git.run(
            "commit-tree",
            "-S",
            "-p",
            parent,
            "-F",
            "-",
            f"{unsigned}^{{tree}}",
            stdin=draft.message.encode(),
            env=_as_variables(identity, _when(draft)),
        )
        if done.status:
            raise TemporaryError(
                "The commit could not be signed, so nothing was written: check the signing key. "
                f"Git says: {quote(done.words)}",
                after=60,
            )
        parent = done.output.decode().strip()
        commits.append(parent)
    git.read("update-ref", BATCH, parent)
    return commits


def _as_variables(identity: Identity, when: str) -> dict[str, str]:
    return {
        "GIT_AUTHOR_NAME": identity.author_name,
        "GIT_AUTHOR_EMAIL": identity.author_email,
        "GIT_AUTHOR_DATE": when,
        "GIT_COMMITTER_NAME": identity.committer_name,
        "GIT_COMMITTER_EMAIL": identity.committer_email,
        "GIT_COMMITTER_DATE": when,
    }
