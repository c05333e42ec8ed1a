"""Turns an image found in a mapping into a target: which repository, which value, which digest.

It hides which registry a repository without one belongs to and where the pieces of a place are
written: here, behind an anchor, or in the base values. `scan` calls it for each image that `shapes`
finds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from updater.charts.conflicts import ELSEWHERE, Sighting
from updater.charts.effective import Table, is_alias, text_at
from updater.charts.places import Form, Target
from updater.charts.shapes import Found
from updater.charts.views import Entry, View, fold
from updater.model import canonical_repository, split_reference
from updater.yamledit import KeyPath

# Where charts keep a registry for all of their images: Bitnami's `global.imageRegistry`, Rancher's
# `global.cattle.systemDefaultRegistry`, Istio's `global.hub`.
_GLOBAL_REGISTRIES = (
    ("imageRegistry",),
    ("image", "registry"),
    ("registry",),
    ("hub",),
    ("cattle", "systemDefaultRegistry"),
    ("systemDefaultRegistry",),
)
_GLOBAL_TAGS = (("tag",), ("imageTag",), ("image", "tag"))


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a walk is: the path, the folded key above, and what lies below in the base values.

    `ghost` says that it came here through an anchor, `doubled` why the path is not unique.
    """

    path: KeyPath
    parent: str
    base: Table
    ghost: bool = False
    doubled: str = ""

    def into(
        self, key: str | int, *, parent: str, base: Table, ghost: bool = False, doubled: str = ""
    ) -> Spot:
        """Return the spot one step further in."""
        return Spot((*self.path, key), parent, base, self.ghost or ghost, self.doubled or doubled)


def qualify(name: str, registry: str, shared: str) -> str | None:
    """Return the canonical repository of `name` as a chart would compose it, or None.

    A registry of all images (`shared`) wins over the place's own one, as in Bitnami's
    `common.images.image`; a name that brings its own host needs neither.
    """
    name, registry, shared = (part.strip(" /") for part in (name, registry, shared))
    if _has_host(name):
        return canonical_repository(
            name if name.startswith(f"{registry}/") or not registry else f"{registry}/{name}"
        )
    prefix = shared or registry
    return canonical_repository(f"{prefix}/{name}" if prefix else name)


def _has_host(name: str) -> bool:
    host, slash, _ = name.partition("/")
    return bool(slash) and ("." in host or ":" in host or host == "localhost" or host != host.lower())


def doubled(entry: Entry | None) -> str:
    """Say on which lines a key of this file stands twice; empty where it does not."""
    if entry is None or entry.node is None or len(entry.lines) < 2:
        return ""
    lines = " and ".join(str(line) for line in entry.lines)
    return f"the key {entry.key} stands twice, at lines {lines}: remove one"


@dataclass(frozen=True, slots=True)
class _Holder:
    """What holds a place's tag. `entry` is the key whose value it is, or that a new key follows."""

    form: Form
    key: str
    entry: Entry
    text: str
    written: bool
    reads: frozenset[int]
    writes: frozenset[int]


def sight(found: Found, view: View | None, spot: Spot, shared: Table) -> Sighting | None:
    """Return the place as it stands, or None where it is no repository or not of this file.

    File, chart and document are left empty for the caller to fill in.
    """
    holder = _in_reference(found) if found.form is Form.REFERENCE else _in_tag(found, view)
    if holder is None:
        return None
    name, _, _ = split_reference((found.repository.text or "").strip())
    registry = next((text for path in _GLOBAL_REGISTRIES if (text := text_at(shared, *path))), "")
    # Only in a list `iris=example.com/iris` may stand, and what is behind the sign is what runs.
    repository = qualify(name.rpartition("=")[2] if view is None else name, found.registry, registry)
    if repository is None:
        return None
    tag, digest = _parts(holder)
    line = holder.entry.node.line if holder.entry.node is not None else 0
    target = Target(
        chart="",
        file="",
        document=0,
        path=(*spot.path, int(holder.key) if view is None else holder.key),
        line=line,
        repository=repository,
        tag=tag,
        digest=digest,
        problem=spot.doubled or found.problem or _twice(found) or _elsewhere(found, tag, shared),
        form=holder.form,
        name=name,
        after=found.repository.key,
        follow=holder.form is not Form.MISSING and is_alias(holder.entry.node),
    )
    if digest is None and found.digest is not None:
        target = _with_digest_key(target, found.digest, spot)
    reads, writes = _digest_identities(found, view, target)
    lends = view is not None and holder.form is Form.TAG and not found.repository.own
    return Sighting(
        target=target,
        written=holder.written and not spot.ghost,
        tag=holder.reads,
        reads=holder.reads | reads,
        writes=holder.writes | writes,
        through=frozenset(map(id, view.merged)) if lends and view is not None else frozenset(),
        digest=_own_digest(found, target),
    )


def _digest_identities(found: Found, view: View | None, target: Target) -> tuple[set[int], set[int]]:
    """Return what a place's digest is taken from, and what an edit of it changes.

    A digest key that is still to be added has an identity of its own: the complement of its mapping's.
    """
    if view is None or (found.digest is not None and found.digest.own):
        own = {found.digest.source} if found.digest is not None else set()
        return own, own
    slots = {~id(mapping) for mapping in (view.mapping, *view.merged)}
    source = {found.digest.source} - {0} if found.digest is not None else set()
    return slots | source, {~id(view.mapping)} if target.digest_missing else set()


def _own_digest(found: Found, target: Target) -> int:
    if found.digest is None or not target.digest or target.digest_path is None:
        return 0
    return found.digest.source or ELSEWHERE


def _in_reference(found: Found) -> _Holder | None:
    entry = found.repository
    if entry.node is None:
        return None
    own = frozenset({entry.source})
    return _Holder(Form.REFERENCE, entry.key, entry, entry.text or "", entry.own, own, own)


def _in_tag(found: Found, view: View | None) -> _Holder | None:
    tag, repository = found.tag, found.repository
    text = tag.text or "" if tag else ""
    if tag is not None and tag.node is not None and (tag.own or not repository.own):
        own = frozenset({tag.source})
        return _Holder(Form.TAG, tag.key, tag, text, tag.own, own, own)
    if repository.node is None or view is None:
        return None
    # A new key would be this mapping's, and through `<<` and aliases everybody's who uses it.
    mappings = {id(view.mapping), *(id(mapping) for mapping in view.merged)}
    reads = frozenset(mappings | ({tag.source} - {0} if tag else set()))
    writes = frozenset({id(view.mapping)})
    return _Holder(Form.MISSING, found.new_key, repository, text, repository.own, reads, writes)


def _parts(holder: _Holder) -> tuple[str | None, str | None]:
    """Return the tag and the digest inside the holder's text, None for each that is not there."""
    text = holder.text.strip()
    if holder.form is Form.REFERENCE:
        _, tag, digest = split_reference(text)
    else:
        tag, _, digest = text.partition("@")
    return tag or None, digest or None


def _with_digest_key(target: Target, entry: Entry, spot: Spot) -> Target:
    """Add what the place's own digest key says; an empty one in a file below is no place for a digest."""
    text = (entry.text or "").strip()
    if not entry.own and not text:
        return target
    bare = not text.startswith("sha256:") if text else fold(entry.key).endswith(("sha", "sha256"))
    return replace(
        target,
        digest=f"sha256:{text}" if text and bare else text,
        digest_path=(*spot.path, entry.key),
        digest_missing=not entry.own,
        digest_bare=bare,
    )


def _twice(found: Found) -> str:
    return next((text for text in map(doubled, (found.tag, found.repository, found.digest)) if text), "")


def _elsewhere(found: Found, tag: str | None, shared: Table) -> str:
    """Say where a tag may come from that is not written beside its repository."""
    path = next((path for path in _GLOBAL_TAGS if text_at(shared, *path)), None)
    if tag is not None or found.tag is not None or path is None:
        return ""
    return (
        f"no tag stands beside {found.repository.key}, but global.{'.'.join(path)} is set and may be the one "
        "in use: write the tag beside the repository, or name the place in the rules (images)"
    )
