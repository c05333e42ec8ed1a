"""The objects and markers of other tools in the YAML files of a config repo.

It hides which files are worth parsing and that parsing may fail. The readers of this package ask it
for plain values with the line they start at, and for scalars with a marker in the comment behind them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from updater.errors import EditRefused
from updater.model import Files
from updater.yamledit import MAX_DEPTH, KeyPath, Mapping, Node, Scalar, Sequence, YamlText, parse
from updater.yamledit.nodes import behind, key_text

# Bytes without which a file has nothing to say here.
_WORTH = re.compile(
    rb'"\$image(?:scan|policy)"|image\.toolkit\.fluxcd\.io|source\.toolkit\.fluxcd\.io'
    rb"|argocd-image-updater\.argoproj\.io|imageScan|fleet\.cattle\.io|argoproj\.io/v1alpha1"
)
# A few nested aliases can stand for more values than any machine holds, or for one in itself.
_MAX_VALUES = 50_000
_COMMENT = re.compile(r"[ \t]*#[ \t]*(\{.*\})[ \t]*")
_MENTION = re.compile(r"\s*[^\s#].*#.*\"(\$image(?:scan|policy))\"")


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """One object: a document of a file, or an item of a List in it, as plain tables, lists and texts.

    Each is equal to itself alone.
    """

    file: str
    line: int
    value: object

    def at(self, *path: str) -> object:
        """Return what stands at `path`, None where nothing does."""
        return at(self.value, *path)

    def text(self, *path: str) -> str:
        """Return the text at `path`, empty where there is none."""
        found = self.at(*path)
        return found if isinstance(found, str) else ""

    @property
    def where(self) -> str:
        """The place for people: `file:line`."""
        return f"{self.file}:{self.line}"

    @property
    def name(self) -> str:
        """The object's own name."""
        return self.text("metadata", "name")

    @property
    def namespace(self) -> str:
        """The object's namespace, empty where another file gives it one."""
        return self.text("metadata", "namespace")

    def is_a(self, kind: str, group: str) -> bool:
        """Say whether it is an object of a kind of an API group."""
        return self.text("kind") == kind and self.text("apiVersion").startswith(f"{group}/")


@dataclass(frozen=True, slots=True)
class Marker:
    """A scalar with a tool's marker behind it: `key` is `$imagepolicy`, `text` what it refers to."""

    file: str
    line: int
    document: int
    path: KeyPath
    value: str
    key: str
    text: str

    @property
    def where(self) -> str:
        """The place for people: `file:line`."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in all files; `lost` are places (`file:line`) of markers that belong to no value."""

    things: tuple[Thing, ...]
    markers: tuple[Marker, ...]
    lost: tuple[str, ...]


def find(files: Files) -> Findings:
    """Look through every YAML file outside hidden folders; what cannot be parsed is left out."""
    things: list[Thing] = []
    markers: list[Marker] = []
    lost: list[str] = []
    wanted = frozenset(
        path for path in files.paths if path.endswith((".yaml", ".yml")) and "/." not in f"/{path}"
    )
    for file, data in sorted(files.read_many(wanted).items()):
        if not _WORTH.search(data):
            continue
        try:
            text = parse(data)
        except EditRefused:
            continue
        things.extend(_things(file, text))
        own = tuple(_markers(file, text))
        markers.extend(own)
        claimed = {marker.line for marker in own}
        lost.extend(
            f"{file}:{number}"
            for number, line in enumerate(text.text.splitlines(), start=1)
            if number not in claimed and _MENTION.match(line)
        )
    return Findings(tuple(things), tuple(markers), tuple(lost))


def at(value: object, *path: str) -> object:
    """Return what stands at `path` in plain tables, None where nothing does."""
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def items(value: object) -> list[object]:
    """Return a plain list, empty where there is none."""
    return value if isinstance(value, list) else []


def _things(file: str, text: YamlText) -> Iterator[Thing]:
    for root in text.documents:
        if root is None:
            continue
        value = _Plain().of(root)
        listed = items(at(value, "items")) if str(at(value, "kind")).endswith("List") else []
        for item in listed or [value]:
            yield Thing(file, root.line, item)


class _Plain:
    def __init__(self) -> None:
        self._left = _MAX_VALUES

    def of(self, node: Node, depth: int = 0) -> object:
        self._left -= 1
        place = behind(node)
        if isinstance(place, Scalar):
            return place.value
        if self._left < 0 or depth > MAX_DEPTH:
            return None
        if isinstance(place, Sequence):
            return [self.of(item, depth + 1) for item in place.items]
        entries = ((key_text(key), value) for key, value in place.entries)
        return {name: self.of(value, depth + 1) for name, value in entries if name is not None}


def _markers(file: str, text: YamlText) -> Iterator[Marker]:
    for document, root in enumerate(text.documents):
        for path, scalar in _scalars(root, ()) if root is not None else ():
            comment = _COMMENT.fullmatch(text.text[scalar.end :].split("\n", maxsplit=1)[0].rstrip("\r"))
            for key, reference in _reference(comment[1]) if comment else ():
                yield Marker(file, scalar.line, document, path, scalar.value, key, reference)


def _reference(comment: str) -> Iterator[tuple[str, str]]:
    try:
        said = json.loads(comment)
    except (ValueError, RecursionError):
        return
    for key in ("$imagescan", "$imagepolicy"):
        if isinstance(said.get(key), str):
            yield key, said[key]


def _scalars(node: Node, path: KeyPath) -> Iterator[tuple[KeyPath, Scalar]]:
    """Yield every value with its path; an alias is none, as nothing of its own stands there."""
    if isinstance(node, Scalar):
        yield path, node
    elif isinstance(node, Mapping):
        for key, value in node.entries:
            name = key_text(key)
            if name is not None:
                yield from _scalars(value, (*path, name))
    elif isinstance(node, Sequence):
        for position, item in enumerate(node.items):
            yield from _scalars(item, (*path, position))
