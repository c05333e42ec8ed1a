"""One job without a server: an act, a preview, a question, a look, a check; on the remote or in a folder.

It hides that a one-shot job on the remote takes the server's own road (store, worker, push, merge
request), only with a store of its own that goes when it ends. Called by `cli`.
"""

from updater.oneshot.acting import carry_out, update_folder
from updater.oneshot.checking import Asked, Report, checked, checked_remote
from updater.oneshot.errands import Errand, Holding, Promotion, Rollback, caller
from updater.oneshot.grounds import accounts, desk
from updater.oneshot.looking import FileEdit, preview, standing

__all__ = [
    "Asked",
    "Errand",
    "FileEdit",
    "Holding",
    "Promotion",
    "Report",
    "Rollback",
    "accounts",
    "caller",
    "carry_out",
    "checked",
    "checked_remote",
    "desk",
    "preview",
    "standing",
    "update_folder",
]
