"""Keeps the one note on a merge request in which the updater says how things stand.

It hides how that note is found again: by a mark in it, written by the updater's own user. Called by
`gitlab`.
"""

from __future__ import annotations

from collections.abc import Callable

from updater.forge.client import Body, Refused
from updater.forge.project import Project
from updater.forge.reading import NOTE_MARK, told_note
from updater.forge.recent import Recent

_NONE = (0, "")


class Notes:
    """The updater's notes on the merge requests of one project."""

    def __init__(self, project: Project, own_user: Callable[[], int]) -> None:
        self._project = project
        self._own_user = own_user
        self._known: Recent[int, tuple[int, str]] = Recent()  # merge request -> the note's number and text

    def keep(self, number: int, text: str) -> None:
        """Make the updater's one note on a merge request say `text`: written once, edited afterwards."""
        wanted = told_note(text, NOTE_MARK)
        if not self._says(number, wanted):
            self._remember(number, self._project.post(_path(number), _aim(number), {"body": wanted}))

    def amend(self, number: int, text: str) -> None:
        """Make that note say `text` where there is one; it is looked for once in a process."""
        self._says(number, told_note(text, NOTE_MARK))

    def _says(self, number: int, wanted: str) -> bool:
        """Let the note that is there say what is wanted; return whether there is one."""
        if number not in self._known:
            self._look(number)
        note, there = self._known[number]
        return bool(note) and (there == wanted or self._edited(number, note, wanted))

    def add(self, number: int, text: str) -> None:
        """Write a note of its own, unless the updater wrote the very same already."""
        wanted = told_note(text)
        if all(_same(str(note["body"])) != _same(wanted) for note in self._own(number)):
            self._project.post(_path(number), _aim(number), {"body": wanted})

    def _edited(self, number: int, note: int, wanted: str) -> bool:
        try:
            body = self._project.put(f"{_path(number)}/{note}", _aim(number), {"body": wanted})
        except Refused as refused:
            if refused.status != 404:
                raise
            # Somebody deleted it.
            self._known[number] = _NONE
            return False
        self._remember(number, body)
        return True

    def _look(self, number: int) -> None:
        mine = (note for note in self._own(number) if str(note["body"]).rstrip().endswith(NOTE_MARK))
        note = next(mine, None)
        self._known[number] = _NONE
        if note is not None:
            self._remember(number, note)

    def _own(self, number: int) -> list[Body]:
        # Anybody can copy the mark.
        own = self._own_user()
        notes = self._project.pages(_path(number), _aim(number), sort="asc", order_by="created_at")
        return [note for note in notes if (note.get("author") or {}).get("id") == own]

    def _remember(self, number: int, note: Body) -> None:
        self._known[number] = (int(note["id"]), _same(str(note["body"])))


def _same(text: str) -> str:
    # GitLab keeps a note as it came, but for blanks at its end.
    return text.replace("\r\n", "\n").rstrip()


def _path(number: int) -> str:
    return f"/merge_requests/{number}/notes"


def _aim(number: int) -> str:
    return f"take a note on the merge request !{number}"
