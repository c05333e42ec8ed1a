"""Real bare config repos for tests and benchmarks: made, changed behind the updater's back, looked at."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PERSON = "A Person <person@example.com>"
# GitLab's own words for a push to a protected branch.
PROTECTED = "GitLab: You are not allowed to push code to protected branches on this project."
_EPOCH = 1_700_000_000

Content = str | bytes


def clean_environment() -> dict[str, str]:
    """Return the environment without anything that would lead Git elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C"}


def git(bare: Path, *arguments: str, stdin: bytes | None = None) -> str:
    """Run Git in the bare repo and return what it printed, without the last line's end."""
    done = subprocess.run(
        ["git", "-C", str(bare), *arguments], input=stdin, capture_output=True, env=clean_environment()
    )
    if done.returncode:
        raise AssertionError(f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode(errors="surrogateescape").rstrip("\n")


def make_bare(
    folder: Path,
    files: Mapping[str, Content] | None = None,
    branch: str = "main",
    *,
    name: str = "config.git",
    executable: Collection[str] = (),
    symlinks: Mapping[str, str] | None = None,
) -> Path:
    """Make a bare repo in `folder`; without files it has no commit yet."""
    bare = folder / name
    bare.mkdir(parents=True)
    git(bare, "init", "-q", "--bare", "-b", branch, ".")
    git(bare, "config", "http.receivepack", "true")
    if files is not None:
        _import(bare, branch, {**files}, "Start", executable=executable, symlinks=symlinks or {})
    return bare


def forge_commit(bare: Path, branch: str, old: str, new: str) -> None:
    """Rewrite the head of a branch: by whom it was, but with other words in its message."""
    raw = git(bare, "cat-file", "commit", branch)
    assert old in raw, raw
    forged = f"{raw.replace(old, new)}\n".encode()
    made = git(bare, "hash-object", "-t", "commit", "-w", "--stdin", stdin=forged)
    git(bare, "update-ref", f"refs/heads/{branch}", made)


def commit_as_person(
    bare: Path, files: Mapping[str, Content | None], message: str = "A person's change", branch: str = "main"
) -> str:
    """Commit on the branch's tip as somebody else would, past every hook; None deletes a file."""
    return _import(bare, branch, files, message)


def rewrite_as_person(bare: Path, commit: str, branch: str = "main") -> None:
    """Set the branch to any commit, as a forced push would."""
    git(bare, "update-ref", f"refs/heads/{branch}", commit)


@dataclass(frozen=True)
class Commit:
    """One commit as `git log` shows it."""

    sha: str
    author: str
    committer: str
    message: str

    @property
    def subject(self) -> str:
        """The first line."""
        return self.message.partition("\n")[0]


def log(bare: Path, branch: str = "main") -> list[Commit]:
    """Return the branch's commits, the newest first."""
    text = git(bare, "log", "--format=%H%x1f%an <%ae>%x1f%cn <%ce>%x1f%B%x1e", branch)
    entries = [entry.strip("\n").split("\x1f") for entry in text.split("\x1e") if entry.strip("\n")]
    return [Commit(sha, author, committer, body.rstrip("\n")) for sha, author, committer, body in entries]


def show(bare: Path, revision: str, path: str) -> bytes:
    """Return a file's bytes at a revision."""
    return subprocess.run(
        ["git", "-C", str(bare), "cat-file", "blob", f"{revision}:{path}"],
        capture_output=True,
        check=True,
        env=clean_environment(),
    ).stdout


def tip(bare: Path, branch: str = "main") -> str:
    """Return the commit the branch stands at."""
    return git(bare, "rev-parse", f"refs/heads/{branch}")


def changed_lines(bare: Path, revision: str) -> list[str]:
    """Return the `-` and `+` lines of a commit's diff, without the file headers."""
    lines = git(bare, "show", "--format=", "--unified=0", revision).split("\n")
    return [line for line in lines if line[:1] in "+-" and line[:1] and line[:3] not in ("+++", "---")]


def fsck(bare: Path) -> None:
    """Fail where Git finds anything wrong with the repo."""
    git(bare, "fsck", "--full", "--strict", "--no-dangling")


def protect(bare: Path, *branches: str) -> None:
    """Refuse every push to these branches with GitLab's words, as its pre-receive hook does."""
    pattern = "|".join(f"refs/heads/{branch}" for branch in branches)
    _hook(
        bare,
        "pre-receive",
        f'while read -r _ _ ref; do case "$ref" in {pattern}) echo "{PROTECTED}" >&2; exit 1;; esac; done',
    )


def decline(bare: Path, words: str, branch: str = "main") -> None:
    """Let an update hook say no to one branch."""
    _hook(bare, "update", f'[ "$1" = refs/heads/{branch} ] || exit 0; echo "{words}" >&2; exit 1')


def before_update(bare: Path, script: str) -> None:
    """Run a shell line inside the server while a push is under way (its pre-receive hook)."""
    _hook(bare, "pre-receive", script)


def unprotect(bare: Path) -> None:
    """Remove all hooks."""
    for hook in (bare / "hooks").glob("*"):
        hook.unlink()


@contextlib.contextmanager
def locked(bare: Path, branch: str = "main") -> Iterator[None]:
    """Hold the server's own lock on a branch, as another push under way does."""
    lock = bare / "refs" / "heads" / f"{branch}.lock"
    lock.touch()
    try:
        yield
    finally:
        lock.unlink()


def _hook(bare: Path, name: str, script: str) -> None:
    path = bare / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _import(
    bare: Path,
    branch: str,
    files: Mapping[str, Content | None],
    message: str,
    *,
    executable: Collection[str] = (),
    symlinks: Mapping[str, str] | None = None,
) -> str:
    ref = f"refs/heads/{branch}"
    old = git(bare, "for-each-ref", "--format=%(objectname)", ref)
    text = message.encode()
    when = _EPOCH + len(git(bare, "rev-list", "--all").split())
    stream = [b"commit %s\nmark :1\ncommitter %s %d +0000\n" % (ref.encode(), PERSON.encode(), when)]
    stream.append(b"data %d\n%s\n" % (len(text), text))
    if old:
        stream.append(b"from %s\n" % old.encode())
    for path, content in files.items():
        if content is None:
            stream.append(b"D %s\n" % _quoted(path))
            continue
        stream.append(_entry("100755" if path in executable else "100644", path, content))
    stream.extend(_entry("120000", path, target) for path, target in (symlinks or {}).items())
    stream.append(b"get-mark :1\ndone\n")
    return git(bare, "fast-import", "--quiet", "--done", stdin=b"".join(stream))


def _entry(mode: str, path: str, content: Content) -> bytes:
    raw = content.encode() if isinstance(content, str) else content
    return b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), _quoted(path), len(raw), raw)


def _quoted(path: str) -> bytes:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'.encode("utf-8", "surrogateescape")
