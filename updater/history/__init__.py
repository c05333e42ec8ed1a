"""Knows what was deployed on a branch, when, by whom, and what was taken back: from its commits alone.

This package hides how a history is read: which commits lie on the branch's own line, that the
updater's trailers are trusted and everybody else's commits are told by their values, what counts as
taking back, and when a hold ends that a person began by hand. It reads through the `Log` it is given,
keeps everything in memory, and never writes.
"""

from updater.history.following import History
from updater.history.stats import Figures, figures

__all__ = ["Figures", "History", "figures"]
