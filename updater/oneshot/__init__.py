"""One job without a server: update, promote, preview, status, proposals; on the remote or in a folder.

It hides that a one-shot job on the remote takes the server's own road (store, worker, push, merge
request), only with a store and a mirror of its own that go when it ends. Called by `cli`.
"""

from updater.oneshot.acting import carry_out, update_folder
from updater.oneshot.errands import Errand, Promotion, caller
from updater.oneshot.grounds import desk
from updater.oneshot.looking import FileEdit, StandingTag, preview, standing

__all__ = [
    "Errand",
    "FileEdit",
    "Promotion",
    "StandingTag",
    "caller",
    "carry_out",
    "desk",
    "preview",
    "standing",
    "update_folder",
]
