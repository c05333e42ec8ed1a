"""Edits a file: all changes at once, spliced into the old text and proved by reading the result.

This module hides the splice and the proof. The result is parsed again and its events are
compared with those of the old text: they must differ in exactly the intended scalars, each a string
for every reader. What cannot be proved is refused, never written. Called by `charts`; the policy of what
to edit is decided above.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from collections.abc import Sequence as Several

from updater.errors import EditRefused
from updater.yamledit.anchors import all_places
from updater.yamledit.changes import Change, Insert, Replace, insertion, replacement
from updater.yamledit.decoding import BOM
from updater.yamledit.events import read_events
from updater.yamledit.locating import refusal
from updater.yamledit.nodes import KeyPath, Scalar, YamlText
from updater.yamledit.paths import show_path
from updater.yamledit.quoting import fits_on_a_line

# More places than this in a refusal help nobody.
_USES_SHOWN = 12


def edit(
    text: YamlText, edits: Several[Replace | Insert], *, also_moves: Collection[tuple[int, KeyPath]] = ()
) -> bytes:
    """Return the file with all edits made, or the very same bytes where nothing has to change.

    A scalar with an anchor of its own, or below one, changes wherever the aliases stand, `<<` included
    (see `uses_of_anchor`). Those places must be edited themselves or be named in `also_moves`, as
    (document, path).

    Raises:
        EditRefused: an edit cannot be made safely, would move something else, or could not be proved.
    """
    replacing, inserting = _changes_of(text, edits)
    named = {(wish.document, _words(wish.path)) for wish in edits}
    named.update((document, _words(path)) for document, path in also_moves)
    changes: list[Change] = []
    for change in replacing.values():
        if change.events[0] != text.events[change.event]:
            _check_moves(text, change, named)
            changes.append(change)
    changes += inserting
    if not changes:
        return text.data
    # Sorting is stable: behind one sibling, new keys keep the order they were given in, and come
    # after the sibling's own new value.
    changes.sort(key=lambda change: (change.start, change.scalar is None))
    result = _splice(text.text, changes)
    _prove(text, result, changes)
    return (BOM if text.data.startswith(BOM) else b"") + result.encode()


def _words(path: KeyPath) -> tuple[str, ...]:
    return tuple(map(str, path))


def _changes_of(text: YamlText, edits: Iterable[Replace | Insert]) -> tuple[dict[int, Change], list[Change]]:
    """Return the replacing changes by their event and the inserting ones; edits of one place must agree."""
    replacing: dict[int, Change] = {}
    added: set[tuple[int, tuple[str, ...]]] = set()
    inserting: list[Change] = []
    for wish in edits:
        if not fits_on_a_line(wish.value):
            problem = f"the new value {wish.value!r} holds a character that cannot stand in a line of YAML"
            raise refusal(problem, None, wish.path)
        if isinstance(wish, Insert):
            name = (wish.document, _words(wish.path))
            if name in added:
                raise refusal("the same key is to be added twice", None, wish.path)
            added.add(name)
            inserting.append(insertion(text, wish))
            continue
        change = replacement(text, wish)
        if replacing.setdefault(change.event, change).events != change.events:
            raise refusal("two different values are to be written here", change.scalar, wish.path)
    return replacing, inserting


def _check_moves(text: YamlText, change: Change, named: set[tuple[int, tuple[str, ...]]]) -> None:
    places = all_places(text, change.scalar, change.document) if change.scalar else []
    moving = [
        place for place in places if not place.own and (change.document, _words(place.path)) not in named
    ]
    if moving:
        own = next(place for place in places if place.own)
        shown = ", ".join(f"{show_path(place.path)} (line {place.line})" for place in moving[:_USES_SHOWN])
        more = f" and {len(moving) - _USES_SHOWN} more places" if len(moving) > _USES_SHOWN else ""
        anchor = own.node.anchor if isinstance(own.node, Scalar) else None
        name = f" has the anchor &{anchor} and" if anchor else ""
        problem = f"the value{name} is also used at {shown}{more}, which would change with it"
        raise refusal(problem, own.node, own.path)


def _splice(text: str, changes: list[Change]) -> str:
    parts: list[str] = []
    done = 0
    for change in changes:
        parts += (text[done : change.start], change.new)
        done = change.end
    return "".join((*parts, text[done:]))


def _prove(text: YamlText, result: str, changes: list[Change]) -> None:
    """Read the result and require exactly the intended events.

    A changed scalar without quotes was checked by `quoting`, and the event tells quotes from none.
    """
    expected = text.events.copy()
    for change in changes:
        if change.scalar is not None:
            expected[change.event] = change.events[0]
    # From the end of the file, so that the numbers of the events before stay right.
    for change in sorted(changes, key=lambda change: change.event)[::-1]:
        if change.scalar is None:
            expected[change.event + 1 : change.event + 1] = change.events
    try:
        proved = read_events(result) == expected
    except EditRefused:
        proved = False
    if not proved:
        raise EditRefused(
            "the file read back after the edit does not differ in exactly the intended values, so nothing "
            "was changed. Edit this place by hand",
            line=changes[0].line,
        )
