"""The shapes in which charts write an image: which keys belong together.

It hides the spellings (measured on 5,280 public values files): `repository` + `tag`, `registry` +
`repository` + `tag`, `image` + `version`, whole references, `fooImage` + `fooImageTag`, `name` +
`tag`, `hub` + `image` + `tag`, and so on. `scan` asks it for each mapping; it never looks at
another one than it is given, and it never decides which repository is meant.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from updater.charts.places import Form
from updater.charts.views import Entry, View, fold
from updater.model import canonical_repository, split_reference
from updater.yamledit import reads_as_string

_REPOSITORY = ("repository", "repo")
_IMAGE = ("imagename", "imageref", "imageuri", "imageurl", "image")
_NAME = "name"


@dataclass(frozen=True, slots=True)
class Role:
    """What a key that may hold a repository goes with, as folded keys in order of preference.

    `alone` is what the place is where none of `tags` is there: a reference, a missing tag, or None
    where the key then says nothing about an image.
    """

    tags: tuple[str, ...]
    digests: tuple[str, ...]
    registries: tuple[str, ...]
    alone: Form | None
    suffix: str


@dataclass(frozen=True, slots=True)
class Found:
    """An image place in one view: the key with the repository, and its companions."""

    form: Form
    repository: Entry
    tag: Entry | None
    digest: Entry | None
    registry: str
    new_key: str = "tag"
    problem: str = ""


@functools.lru_cache(maxsize=8192)
def role_of(folded: str) -> Role | None:
    """Return what a folded key goes with, or None where it never holds a repository."""
    if folded == _NAME:
        return Role(
            ("tag", "imagetag"),
            ("digest", "imagedigest"),
            ("registry", "hub", "imageregistry"),
            None,
            _NAME,
        )
    for suffix in (*_REPOSITORY, *_IMAGE):
        if folded.endswith(suffix):
            return _role(folded, suffix)
    return None


def _role(folded: str, suffix: str) -> Role:
    stem = folded.removesuffix(suffix)
    long = f"{stem}image" if suffix in _IMAGE else stem
    short = long.removesuffix("image")
    # `repository` goes with `tag` first, `image` with `imageTag`.
    stems = tuple(dict.fromkeys((long, short) if long else ("", "image")))
    registries = tuple(f"{one}{word}" for one in stems for word in ("registry", "hub"))
    alone: Form | None = Form.REFERENCE
    if suffix in _REPOSITORY:
        alone = Form.MISSING if stem == "" or stem.endswith("image") else None
    return Role(
        tags=tuple(f"{one}{word}" for word in ("tag", "version") for one in stems),
        digests=tuple(f"{one}{word}" for word in ("digest", "sha256", "sha") for one in stems),
        registries=tuple(dict.fromkeys((*registries, "registry", "hub", "imageregistry"))),
        alone=alone,
        suffix=suffix,
    )


def find_images(view: View, parent: str) -> Iterator[Found]:
    """Yield every image place of a view; `parent` is the folded key it stands under."""
    for folded, entry in view.entries.items():
        role = role_of(folded)
        if role is None and not parent.endswith("images"):
            continue
        if entry.text is None or not entry.text or not _may_be_name(entry.text):
            continue
        if role is None:
            if _is_whole(entry.text) and not folded.endswith(("registry", "hub")):
                yield Found(Form.REFERENCE, entry, None, None, "")
        elif folded != _NAME or not _has_other_name(view):
            found = _with_companions(view, entry, role, parent)
            if found is not None:
                yield found


def reference_in_list(entry: Entry) -> Found | None:
    """Return the image of a text in a list under a key such as `images`, or None.

    In Argo CD's `kustomize.images` the name in the manifests may stand before it: `iris=example.com/iris:v1`.
    """
    if not entry.text or not _may_be_name(entry.text.rpartition("=")[2]):
        return None
    return Found(Form.REFERENCE, entry, None, None, "")


def is_tag_key(folded: str) -> bool:
    """Say whether a key looks like an image's tag even with no repository beside it."""
    return folded == "tag" or folded.endswith("imagetag")


def _may_be_name(text: str) -> bool:
    name, _, _ = split_reference(text.strip())
    return canonical_repository(name.strip(" /")) is not None and reads_as_string(name)


def _is_whole(text: str) -> bool:
    _, tag, digest = split_reference(text.strip())
    return bool(tag or digest) or "/" in text


def _has_other_name(view: View) -> bool:
    others = (*_REPOSITORY, *_IMAGE)
    return any(
        entry.text and folded.endswith(others) and folded != _NAME for folded, entry in view.entries.items()
    )


def _with_companions(view: View, entry: Entry, role: Role, parent: str) -> Found | None:
    _, tag_inside, digest_inside = split_reference((entry.text or "").strip())
    tag = view.first(role.tags)
    digest = _digest(view, role)
    registry = view.first(role.registries, filled=True)
    prefix = registry.text or "" if registry else ""
    problem = ""
    if tag is not None and not tag.scalar:
        if fold(tag.key).endswith("version"):
            tag = None
        else:
            problem = f"{tag.key} is not a single value"
    if tag_inside or digest_inside:
        if tag is not None and tag.text and not fold(tag.key).endswith("version"):
            problem = (
                f"{entry.key} carries a tag or digest itself, and {tag.key} stands beside it: "
                "only one can count, so remove the other"
            )
        return Found(Form.REFERENCE, entry, tag, None, prefix, problem=problem)
    if tag is not None:
        return Found(Form.TAG, entry, tag, digest, prefix, tag.key, problem)
    alone = role.alone
    if alone is None and role.suffix == _NAME and parent.endswith("image"):
        alone = Form.MISSING
    if alone is None:
        return None
    return Found(alone, entry, None, digest, prefix, _missing_key(entry.key, role.suffix))


def _digest(view: View, role: Role) -> Entry | None:
    entry = view.first(role.digests)
    if entry is None or not entry.scalar:
        return None
    is_commit = fold(entry.key).endswith(("sha", "sha256")) and entry.text and not _is_sha256(entry.text)
    return None if is_commit else entry


def _is_sha256(text: str) -> bool:
    digits = text.removeprefix("sha256:")
    return len(digits) == 64 and all(letter in "0123456789abcdef" for letter in digits)


def _missing_key(key: str, suffix: str) -> str:
    """Spell the tag's key in the way of its neighbour: `imageRepository` wants `imageTag`."""
    prefix = key[: len(key) - len(suffix)] if suffix != _NAME else ""
    starts_word = prefix[-1:].isalnum() or (not prefix and key[:1].isupper())
    return f"{prefix}{'Tag' if starts_word else 'tag'}"
