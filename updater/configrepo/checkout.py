"""A person's or a pipeline's checkout, compared with the commit that its changes began at.

Hides where the checkout's own Git is and that it may be shallow, partial, somebody else's or deeper
than the folder that is asked about. `oneshot` uses it for `updater check --base`; it never writes and never
speaks to a remote.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from updater.configrepo import history, logbook
from updater.configrepo.process import GitCommands, MirrorDamaged
from updater.configrepo.refusals import quote
from updater.configrepo.remote import Remote, environment
from updater.configrepo.snapshot import Snapshot, blob_id, whole_tree
from updater.errors import InvalidSettings
from updater.model import BlobChange, Files, LoggedCommit

_CURE = "fetch the whole history (in GitLab CI, GIT_DEPTH: 0 in the job's variables)"


class _History(GitCommands):
    """Git commands on the checkout's own repo, which is not the updater's to make anew."""

    def damage(self, words: str) -> MirrorDamaged:
        """Return the error that says that the history is not whole."""
        return MirrorDamaged(f"The checkout's history is not whole ({quote(words)}): {_CURE}.")


class Checkout:
    """The Git history of a folder in a checkout; all names are those below the folder.

    It belongs to one thread, and ends with `close`.

    Raises:
        InvalidSettings: the folder lies in no checkout.
    """

    def __init__(self, folder: Path) -> None:
        here = folder.resolve()
        found = _git_folder(here)
        if found is None:
            raise InvalidSettings(
                f"{folder} is in no Git checkout, so nothing is known of a base: give none (--base '')."
            )
        self._top, git_folder = found
        below = here.relative_to(self._top).as_posix()
        self._prefix = "" if below == "." else f"{below}/"
        # Naming Git's folder spares Git the question whose it is: CI often checks out as somebody else.
        self._git = _History(git_folder, environment(Remote(str(git_folder)), git_folder, None), ())

    def close(self) -> None:
        """End every Git process."""
        self._git.close()

    def base(self, name: str) -> str:
        """Return the id of the commit where what is checked out parted from `name`, a commit or a branch.

        Raises:
            InvalidSettings: it cannot be told; says why and what to do.
        """
        commit = self._commit(name)
        done = self._git.run("merge-base", commit, "HEAD")
        if done.status == 0:
            return done.output.decode().strip()
        if self._is_shallow():
            raise InvalidSettings(
                f"The checkout is shallow, and where it parted from {name} is not in it: {_CURE}."
            )
        return commit

    def at(self, commit: str) -> Files:
        """Return the files at a commit, by its id.

        Raises:
            TemporaryError: the history is not whole.
        """
        folder = f"{commit}:{self._prefix.rstrip('/')}"
        # Where the folder was not there yet, nothing was in it.
        is_there = self._git.object_named(folder) is not None
        tree = whole_tree(self._git, folder if is_there else history.NOTHING)
        return Snapshot("", commit, tree, self._git)

    def changed(self, base: Files, now: Files, like: str) -> frozenset[str]:
        """Return which files differ between a commit `like` and the folder as it is now.

        A new file counts where Git would take it in: what builds leave behind does not.
        """
        # The repo's own settings shall name no program to run.
        tree = ("-c", "core.fsmonitor=false", f"--work-tree={self._top}")
        kinds = ("--cached", "--others", "--exclude-standard", "--full-name")
        below = f":(top,literal){self._prefix}"
        listing = self._git.read(*tree, "ls-files", "-z", *kinds, "--", below)
        known = self._names(listing.decode(errors="replace").split("\0"))
        both = base.paths & now.paths
        contents = now.read_many(both)
        altered = {path for path in both if blob_id(contents[path], like).hex() != base.version(path)}
        return frozenset(altered | (base.paths - now.paths) | ((now.paths - base.paths) & known))

    def commits(self, base: str) -> Sequence[LoggedCommit]:
        """Return the commits since the base, parents before their children."""
        return logbook.commits(self._git, self._commit("HEAD"), base)

    def changes(self, commits: Collection[str]) -> Mapping[str, Mapping[str, BlobChange]]:
        """Return which files below the folder differ between each commit and its first parent."""
        found = logbook.changes(self._git, commits)
        size = len(self._prefix)
        return {
            commit: {path[size:]: blobs for path, blobs in files.items() if path.startswith(self._prefix)}
            for commit, files in found.items()
        }

    def _names(self, paths: Sequence[str]) -> set[str]:
        return {path[len(self._prefix) :] for path in paths if path.startswith(self._prefix)}

    def _commit(self, name: str) -> str:
        done = self._git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if done.status == 0:
            return done.output.decode().strip()
        if self._is_shallow():
            raise InvalidSettings(f"The checkout is shallow and has no commit {name}: {_CURE}.")
        raise InvalidSettings(f"The checkout has no commit {name}: name one that it has, or fetch it.")

    def _is_shallow(self) -> bool:
        return self._git.run("rev-parse", "--is-shallow-repository").output.strip() == b"true"


def _git_folder(folder: Path) -> tuple[Path, Path] | None:
    """Return the top of the checkout that a folder lies in, and where its Git keeps the history."""
    for top in (folder, *folder.parents):
        entry = top / ".git"
        if entry.is_dir():
            return top, entry
        if entry.is_file():  # a work tree or a submodule
            _, _, place = entry.read_text().partition("gitdir: ")
            return top, (top / place.strip()).resolve()
    return None
