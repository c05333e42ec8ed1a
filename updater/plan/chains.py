"""What a source branch would hold: one commit for each image it carries, on its target as it is.

It hides how wishes of a proposal take each other's place, and why some fall away. `proposals` calls
it; it drafts on the fork it is given and decides nothing about requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from updater.plan.court import change_of
from updater.plan.draft import Ground
from updater.plan.edits import Editor, Edits, Refusal, Wanted
from updater.plan.standing import Carried
from updater.plan.values import Change, Reason
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
            edits = edits_of(editor, carried)
        except Refusal as refusal:
            if not is_asked and refusal.reason.code != "promoted-stands":
                raise
            dropped.append(refusal.reason)
            continue
        if edits is not None and edits.files:
            fork.draft.put(edits.files, len(changes))
            change = change_of(environment, fork, edits, carried.requests)
            changes.append(replace(change, replaced=carried.replaced))
            kept.append(carried)
        else:
            dropped.append(_why_dropped(environment, fork, carried, edits))
    return Chain(tuple(changes), tuple(kept), tuple(dropped))


def _why_dropped(environment: Environment, fork: Ground, carried: Carried, edits: Edits | None) -> Reason:
    facts = {
        "image": str(carried.image),
        "tag": carried.image.tag,
        "environment": environment.name,
        "target": fork.branch,
    }
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
        return editor.edits(Wanted(carried.image, carried.charts, promoted))
    except Refusal as refusal:
        if refusal.reason.code == "no-target":
            return None
        raise


def with_wish(wanted: Sequence[Carried], new: Carried) -> list[Carried]:
    """Return what a proposal carries once a new wish has taken its charts from earlier ones."""
    kept: list[Carried] = []
    place = len(wanted)
    for one in wanted:
        if one.image.repository != new.image.repository:
            kept.append(one)
            continue
        if set(one.charts) & set(new.charts):
            place = min(place, len(kept))
            new = one.overtaken_by(new)
        left = one.without(new.charts)
        if left and (left.image.tag, left.image.digest) == (new.image.tag, new.image.digest):
            new = replace(new, charts=(*left.charts, *new.charts))
        elif left:
            kept.append(left)
    return [*kept[:place], new, *kept[place:]]


def content_of(carried: Carried) -> tuple[object, ...]:
    """Return what two proposals have in common where they say and do the same for an image."""
    ids = tuple(request.id for request in carried.requests)
    return carried.image, tuple(sorted(carried.charts)), ids, carried.replaced
