"""The loop: claim, plan, commit, push, settle. If the branch moved, it plans again.

It hides the order of effects that makes a kill at any moment harmless: commits are made where
nobody can see them, noted in the store, pushed, then settled; after a kill the notes and the branch
tell what landed. `wiring` runs it in its own thread, the only one that touches the config repo. It
decides nothing: `plan` does.
"""

from updater.worker.loop import Worker
from updater.worker.rounds import Habits

__all__ = ["Habits", "Worker"]
