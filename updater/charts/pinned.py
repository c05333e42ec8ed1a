"""Places that the rules name because they cannot be found by looking (`images` in the rules).

It hides what may stand there: a bare tag or a whole reference. `survey` calls it for files with such
places; for such a repository, only the named places of that file count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from updater.charts.effective import is_alias, text_of
from updater.charts.places import Form, Target
from updater.model import PinnedPlace, canonical_repository, familiar_repository, split_reference
from updater.yamledit import Scalar, YamlText, show_path
from updater.yamledit.nodes import behind


def pinned_targets(
    text: YamlText, chart: str, pins: Sequence[PinnedPlace], found: Sequence[Target]
) -> list[Target]:
    """Return a file's targets with the pinned places instead of what was found for their repositories.

    A value that is pinned to one repository and was found to be another's is unsafe for that other one.
    """
    named = {canonical_repository(pin.repository): pin for pin in pins}
    own = [target for pin in pins for target in _target(text, chart, pin)]
    pinned = {(one.document, tuple(map(str, one.path))): one.repository for one in own}
    others = []
    for target in found:
        owner = pinned.get((target.document, tuple(map(str, target.path))))
        if target.repository in named:
            continue
        if owner is not None:
            problem = f"the rules say that this place belongs to {familiar_repository(owner)}"
            target = replace(target, problem=problem)  # noqa: PLW2901 - the same target, judged
        others.append(target)
    return sorted([*own, *others], key=lambda target: (target.document, target.line))


def _target(text: YamlText, chart: str, pin: PinnedPlace) -> Iterator[Target]:
    repository = canonical_repository(pin.repository)
    if repository is None:
        return
    there = [
        (document, node)
        for document in range(len(text.documents))
        if (node := text.find(pin.path, document)) is not None
    ]
    target = Target(
        chart=chart,
        file=pin.file,
        document=there[0][0] if there else 0,
        path=pin.path,
        line=there[0][1].line if there else 0,
        repository=repository,
        tag=None,
        digest=None,
    )
    shown = show_path(pin.path)
    if len(there) != 1:
        fault = f"in {len(there)} documents" if there else "nowhere"
        named = f"the rules name {shown} for {familiar_repository(repository)}"
        yield replace(target, problem=f"{named}, and it stands {fault} in this file")
        return
    node = there[0][1]
    if not isinstance(behind(node), Scalar):
        yield replace(target, problem=f"the rules name {shown}, and no single value stands there")
        return
    yield _read(replace(target, follow=is_alias(node)), (text_of(node) or "").strip())


def _read(target: Target, value: str) -> Target:
    name, tag, digest = split_reference(value)
    if "/" not in value and ":" not in value.partition("@")[0]:
        tag, _, digest = value.partition("@")
        return replace(target, tag=tag or None, digest=digest or None)
    if canonical_repository(name) != target.repository:
        return replace(
            target,
            problem=f"the rules name this place for {familiar_repository(target.repository)}, "
            f"and {name} stands there",
        )
    return replace(target, form=Form.REFERENCE, name=name, tag=tag or None, digest=digest or None)
