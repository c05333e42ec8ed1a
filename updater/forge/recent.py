"""A mapping that forgets: what was learnt from the forge, bounded so that months make no difference.

Called by the other modules of this package.
"""

from __future__ import annotations

from typing import TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Recent(dict[_Key, _Value]):
    """A dictionary of at most `limit` entries; beyond that the one that was put in first goes."""

    def __init__(self, limit: int = 5000) -> None:
        super().__init__()
        self._limit = limit

    def __setitem__(self, key: _Key, value: _Value) -> None:
        super().__setitem__(key, value)
        if len(self) > self._limit:
            del self[next(iter(self))]
