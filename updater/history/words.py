"""What Git's, GitLab's and the updater's words in a message say: which merge request, what was taken back.

Hides the phrases. Called by `following` for commits of people and for merges.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# GitLab's default template of a merge commit ends with it.
_MERGE_REQUEST = re.compile(r"^See merge request \S*?(![0-9]+)\s*$", re.MULTILINE)
_BRANCH = re.compile(r"Merge (?:remote-tracking )?branch '([^']+)'")
# templates/merge_commit.txt
_NAMED = re.compile(r"Merge (\S+): ")
# git-revert(1), and GitLab's button; of a merge it goes on with ", reversing changes made to ...".
_COMMIT_BACK = re.compile(r"^This reverts commit ([0-9a-f]{40}(?:[0-9a-f]{24})?)\b", re.MULTILINE)
_MERGE_REQUEST_BACK = re.compile(r"^This reverts merge request \S*?(![0-9]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What messages say they revert: ids of commits, and merge requests as people call them."""

    commits: tuple[str, ...]
    merge_requests: tuple[str, ...]


def subject_of(message: str) -> str:
    """Return the first line."""
    return message.partition("\n")[0]


def merge_request_of(message: str) -> str:
    """Return `!7`, or the source branch, of a commit that merged something; empty where it does not say."""
    if found := _MERGE_REQUEST.search(message):
        return found[1]
    found = _BRANCH.match(message) or _NAMED.match(message)
    return found[1] if found else ""


def taken_back(messages: Iterable[str]) -> TakenBack:
    """Return what some messages say they revert."""
    text = "\n".join(messages)
    return TakenBack(tuple(_COMMIT_BACK.findall(text)), tuple(_MERGE_REQUEST_BACK.findall(text)))
