"""What a source branch would hold: one commit for each image it carries, on its target as it is.

It hides how wishes of a proposal take each other's place, and why some fall away. `proposals` calls
it; it drafts on the fork it is given and decides nothing about requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from updater.plan.court import change_of
from updater.plan.draft import Ground
from updater.plan.edits import Editor, Wanted
from updater.plan.rollbacks import rollback_change
from updater.plan.standing import Carried
from updater.plan.values import Change, Edits, Reason, Refusal
from updater.policy import Environment


@dataclass(frozen=True, slots=True)
class Chain:
    """What a source branch would hold: its changes, what they carry, and why some wishes fell away."""

    changes: tuple[Change, ...]
    carried: tuple[Carried, ...]
    dropped: tuple[Reason, ...]


def chain_of(environment: Environment, fork: Ground, wanted: Sequence[Carried], *, is_asked: bool) -> Chain:
    """Return the commits of a source branch.

    Where somebody asks for one of its images, another that cannot be written any more stays behind.

    Raises:
        Refusal: a wish cannot be written any more, and nobody asks for anything.
    """
    editor = Editor(environment, fork)
    changes: list[Change] = []
    kept: list[Carried] = []
    dropped: list[Reason] = []
    for carried in wanted:
        try:
            change, edits = _change(environment, fork, editor, carried)
        except Refusal as refusal:
            if not is_asked and refusal.reason.code != "promoted-stands":
                raise
            dropped.append(refusal.reason)
            continue
        if change is not None:
            fork.draft.put(change.files, len(changes))
            changes.append(replace(change, replaced=carried.replaced))
            kept.append(carried)
        else:
            dropped.append(_why_dropped(environment, fork, carried, edits))
    return Chain(tuple(changes), tuple(kept), tuple(dropped))


def _change(
    environment: Environment, fork: Ground, editor: Editor, carried: Carried
) -> tuple[Change | None, Edits | None]:
    """Return the commit of one wish, None where it has nothing to change, and what it would edit."""
    if carried.undo is not None:
        return rollback_change(environment, fork, carried.undo, carried.requests[0]) or (None, Edits())
    edits = edits_of(editor, carried)
    if edits is None or not edits.files:
        return None, edits
    return change_of(environment, fork, edits, carried.requests), edits


def _why_dropped(environment: Environment, fork: Ground, carried: Carried, edits: Edits | None) -> Reason:
    facts = {
        "image": str(carried.image),
        "tag": carried.image.tag,
        "environment": environment.name,
        "target": fork.branch,
    }
    if carried.undo is not None:
        return Reason("closed-rollback-moot", facts)
    if edits is None:
        return Reason("closed-no-target", facts)
    if edits.newer:
        return Reason("closed-newer-stands", {**facts, "newer": edits.newer})
    return Reason("closed-landed", facts)


def edits_of(editor: Editor, carried: Carried) -> Edits | None:
    """Return what a carried image changes; None where no place of it is left.

    Raises:
        Refusal: it cannot be written safely any more.
    """
    # Whoever proposed it was asked about order then: a person's promotion may go back.
    promoted = carried.requests[0].promoted
    try:
        override, source = carried.requests[0].override, carried.requests[0].source
        return editor.edits(Wanted(carried.image, carried.charts, promoted, override, source))
    except Refusal as refusal:
        if refusal.reason.code == "no-target":
            return None
        raise


def with_wish(wanted: Sequence[Carried], new: Carried) -> list[Carried]:
    """Return what a proposal carries once a new wish has taken its charts from earlier ones.

    A rollback takes them from every image of its charts.
    """
    kept: list[Carried] = []
    place = len(wanted)
    for one in wanted:
        if one.image.repository != new.image.repository and not new.undo:
            kept.append(one)
            continue
        if set(one.charts) & set(new.charts):
            place = min(place, len(kept))
            new = one.overtaken_by(new)
        left = one.without(new.charts)
        is_same = left and (left.image.tag, left.image.digest) == (new.image.tag, new.image.digest)
        if left and is_same and not (new.undo or left.undo):
            new = replace(new, charts=(*left.charts, *new.charts))
        elif left:
            kept.append(left)
    return [*kept[:place], new, *kept[place:]]


def content_of(carried: Carried) -> tuple[object, ...]:
    """Return what two proposals have in common where they say and do the same for an image."""
    ids = tuple(request.id for request in carried.requests)
    return carried.image, tuple(sorted(carried.charts)), ids, carried.replaced, carried.undo
