"""The config repo: read at a commit, written by objects and one push.

Hides Git altogether: the bare mirror, credentials, processes, Git's words. The worker and the
command line use it; nothing else of the updater imports GitPython or starts Git.
"""

from __future__ import annotations

from updater.configrepo.checkout import Checkout
from updater.configrepo.fetching import CLOSED
from updater.configrepo.proposing import Proposed
from updater.configrepo.refusals import Pushed
from updater.configrepo.remote import Identity, Remote, Signing
from updater.configrepo.repo import ConfigRepo
from updater.configrepo.snapshot import Snapshot
from updater.configrepo.writing import Draft
from updater.model import LoggedCommit

__all__ = [
    "CLOSED",
    "Checkout",
    "ConfigRepo",
    "Draft",
    "Identity",
    "LoggedCommit",
    "Proposed",
    "Pushed",
    "Remote",
    "Signing",
    "Snapshot",
]
