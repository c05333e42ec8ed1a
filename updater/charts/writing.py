"""Turns new tags into edits of a file's scalars.

It hides how each form of a place is written, and that several places may share one scalar. `survey`
calls it; the edit itself, and its proof, are `yamledit`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from updater.charts.places import Form, Target
from updater.errors import EditRefused
from updater.yamledit import Insert, KeyPath, Replace, Scalar, YamlText, edit, uses_of_anchor
from updater.yamledit.nodes import behind


def write(text: YamlText, changes: Sequence[tuple[Target, str, str | None]]) -> bytes:
    """Return the file's bytes with every change made; see `Survey.write`."""
    edits: dict[tuple[object, ...], Replace | Insert] = {}
    for target, tag, digest in changes:
        for one in _edits(target, tag, digest):
            place = _place(text, one)
            rival = edits.setdefault(place, one)
            if rival.value != one.value:
                raise EditRefused(
                    f"{rival.value!r} and {one.value!r} would have to stand in one and the same value "
                    "(places that share an anchor)",
                    line=target.line,
                )
    moves = {
        (document, path)
        for one in edits.values()
        if isinstance(one, Replace)
        for document, path, _ in uses_of_anchor(text, one.path, one.document)
    }
    return edit(text, list(edits.values()), also_moves=moves)


def _place(text: YamlText, one: Replace | Insert) -> tuple[object, ...]:
    """Return what tells two edited values apart: the scalar's position, or the new key's path."""
    node = text.find(one.path, one.document) if isinstance(one, Replace) else None
    scalar = behind(node) if node is not None else None
    return (one.document, scalar.start if isinstance(scalar, Scalar) else one.path)


def _edits(target: Target, tag: str, digest: str | None) -> Iterator[Replace | Insert]:
    if target.problem:
        raise EditRefused(target.problem, line=target.line)
    old = target.digest
    if digest is None and old and tag != target.tag:
        raise EditRefused(
            f"the digest {old} stands beside the tag: a new tag beside an old digest would not be what runs",
            line=target.line,
        )
    # A place without room for a digest gets the tag alone.
    new = old if digest is None or old is None else digest
    if target.digest_path is None:
        if (tag, new) != (target.tag, old):
            yield _write_tag(target, tag, new or "")
        return
    if tag != target.tag:
        yield _write_tag(target, tag, "")
    if new != old:
        yield _write_digest(target, new or "")


def _write_tag(target: Target, tag: str, digest: str) -> Replace | Insert:
    value = f"{tag}@{digest}" if digest else tag
    if target.form is Form.MISSING:
        return Insert(target.path, value, target.after, target.document)
    if target.form is Form.REFERENCE:
        value = f"{target.name}:{value}"
    return Replace(target.path, value, target.document, follow=target.follow)


def _write_digest(target: Target, digest: str) -> Replace | Insert:
    path: KeyPath = target.digest_path or ()
    value = digest.removeprefix("sha256:") if target.digest_bare else digest
    if target.digest_missing:
        after = target.after if target.form is Form.MISSING else str(target.path[-1])
        return Insert(path, value, after, target.document)
    return Replace(path, value, target.document)
