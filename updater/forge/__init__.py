"""The forge: makes merge requests look as planned, on GitLab or on a plain Git remote.

Hides GitLab's API (the only room that imports python-gitlab), its error codes, rate limits and
generations; and, for a plain remote, that a proposal is nothing but a branch. The worker calls it;
what the merge requests should say is decided in `plan` and written in `messages`.
"""

from updater.forge.values import (
    Ensured,
    Forge,
    Landed,
    MergeRequest,
    Merging,
    Proposal,
    Readiness,
    State,
    Step,
)

__all__ = [
    "Ensured",
    "Forge",
    "Landed",
    "MergeRequest",
    "Merging",
    "Proposal",
    "Readiness",
    "State",
    "Step",
]
