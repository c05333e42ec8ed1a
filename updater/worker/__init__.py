"""The loop: claim, plan, commit, push, propose, settle. If the branch moved, it plans again.

It hides the order of effects that makes a kill at any moment harmless: commits are made where
nobody can see them, noted in the store, pushed, then settled; after a kill the notes, the branches
and the merge requests tell what landed. `wiring` runs it in its own thread, the only one that touches
the config repo and the forge. It decides nothing: `plan` does.
"""

from updater.worker.desk import Desk
from updater.worker.loop import Worker
from updater.worker.rounds import Doors
from updater.worker.settling import Habits

__all__ = ["Desk", "Doors", "Habits", "Worker"]
