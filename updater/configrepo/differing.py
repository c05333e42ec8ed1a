"""What differs between two trees, entry by entry.

Hides the raw format of git-diff-tree(1). Called by `logbook` and `undoing`; it reads and starts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

GONE = "000000"
PLAIN = "100644"
_FILE = "100"


@dataclass(frozen=True, slots=True)
class Difference:
    """A path at which two trees differ: mode and id of both sides. The mode `GONE` is for no entry."""

    path: bytes
    old_mode: str
    new_mode: str
    old: str
    new: str

    @property
    def old_blob(self) -> str | None:
        """The id of the regular file that was there, if one was."""
        return self.old if self.old_mode.startswith(_FILE) else None

    @property
    def new_blob(self) -> str | None:
        """The id of the regular file that is there, if one is."""
        return self.new if self.new_mode.startswith(_FILE) else None

    @property
    def name(self) -> str | None:
        """The path as text; None where it is not UTF-8."""
        try:
            return self.path.decode()
        except UnicodeDecodeError:
            return None


def read(listing: bytes) -> dict[str, list[Difference]]:
    """Return what `git diff-tree -z` printed, by the commit it printed above; "" where it printed none."""
    found: dict[str, list[Difference]] = {}
    commit = ""
    tokens = iter(listing.split(b"\0")[:-1])
    for token in tokens:
        if token.startswith(b":"):
            old_mode, new_mode, old, new, _ = token[1:].decode().split(" ")
            found.setdefault(commit, []).append(Difference(next(tokens), old_mode, new_mode, old, new))
        else:
            commit = token.decode()
            found[commit] = []
    return found
