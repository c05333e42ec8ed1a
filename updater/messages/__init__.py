"""Renders every text for people from `templates/`.

It hides Jinja, how outside text is made safe (a tag, branch or author may hold anything), and the
trailers of a commit, which are the history's format for ever and so cannot be overridden. `worker`
and `cli` call it; the texts are read in `wiring`, so this room does no I/O.
"""

from updater.messages.checked import CheckMessages, Told
from updater.messages.rendering import CODES, WAITS, MergeRequestText, Messages, whole
from updater.messages.words import listing, one_line
from updater.trailers import person, source_link

__all__ = [
    "CODES",
    "WAITS",
    "CheckMessages",
    "MergeRequestText",
    "Messages",
    "Told",
    "listing",
    "one_line",
    "person",
    "source_link",
    "whole",
]
