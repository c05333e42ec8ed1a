"""A dict-backed `model.Files`: the files of one branch held in memory, with the real one's identity rules."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping


def as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


class DictFiles:
    """Snapshots made by `changed` share the `paths` object while no file comes or goes.

    `reads` records every path whose bytes were asked for, in order.
    """

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self._contents = {path: as_bytes(content) for path, content in files.items()}
        self._versions = {path: hashlib.sha1(data).hexdigest() for path, data in self._contents.items()}
        self._paths = frozenset(self._contents)
        self._origin: object = self
        self._newer: frozenset[str] = frozenset()
        self.reads: list[str] = []

    @property
    def paths(self) -> frozenset[str]:
        return self._paths

    @property
    def lineage(self) -> tuple[object, Collection[str]]:
        return self._origin, self._newer

    def version(self, path: str) -> str:
        return self._versions[path]

    def read(self, path: str) -> bytes:
        self.reads.append(path)
        return self._contents[path]

    def read_many(self, paths: frozenset[str]) -> Mapping[str, bytes]:
        self.reads.extend(sorted(paths))
        return {path: self._contents[path] for path in paths}

    def changed(self, changes: Mapping[str, str | bytes | None]) -> DictFiles:
        """Return the next snapshot; None takes a file away."""
        following = type(self)({})
        following._contents = dict(self._contents)
        following._versions = dict(self._versions)
        for path, content in changes.items():
            if content is None:
                del following._contents[path], following._versions[path]
            else:
                following._contents[path] = as_bytes(content)
                following._versions[path] = hashlib.sha1(following._contents[path]).hexdigest()
        following._origin, following._newer = self._origin, self._newer | changes.keys()
        same = following._contents.keys() == self._paths
        following._paths = self._paths if same else frozenset(following._contents)
        return following
