"""The branch's own line: its commits in order, and what each merge on it brought.

Hides the shape of the graph. Called by `following`; it looks at ids only and reads no message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from updater.model import LoggedCommit


@dataclass(frozen=True, slots=True)
class Step:
    """A commit of the line, and those that came with it: reachable from its other parents, not before."""

    commit: LoggedCommit
    brought: tuple[LoggedCommit, ...] = ()


def steps(commits: Sequence[LoggedCommit], tip: str, since: str = "") -> list[Step] | None:
    """Return the line from `since` (excluded; "": from the beginning) to `tip`, the oldest first.

    `commits` are all that `tip` holds and `since` does not, parents before their children. None: the
    line does not come from `since`.
    """
    positions = {one.commit: position for position, one in enumerate(commits)}
    line: list[int] = []
    at = tip
    while at in positions:
        line.append(positions[at])
        parents = commits[line[-1]].parents
        at = parents[0] if parents else ""
    if at != since and since:
        return None
    line.reverse()
    found, taken = [], set(line)
    for position in line:
        commit = commits[position]
        brought = _brought(commits, positions, taken, commit) if len(commit.parents) > 1 else ()
        found.append(Step(commit, brought))
    return found


def _brought(
    commits: Sequence[LoggedCommit], positions: Mapping[str, int], taken: set[int], merge: LoggedCommit
) -> tuple[LoggedCommit, ...]:
    """Return what a merge brought in the order of `commits`, and add it to `taken`."""
    found, waiting = [], list(merge.parents[1:])
    while waiting:
        position = positions.get(waiting.pop())
        if position is not None and position not in taken:
            taken.add(position)
            found.append(position)
            waiting.extend(commits[position].parents)
    return tuple(commits[position] for position in sorted(found))
