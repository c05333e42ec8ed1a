"""What was found of another tool's set-up: places it wrote, which tags, and what cannot be carried over.

It hides nothing; the readers of this package make these values and `joining` makes rules of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from updater.yamledit import KeyPath

# Places named one by one.
_FEW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which tags a tool chose: a pattern of the rules ("" for any tag) and its order.

    `told` are ends of sentences that say what of the tool's own choice the two do not say.
    """

    pattern: str = ""
    order: str = "numeric"
    told: tuple[str, ...] = ()


UNKNOWN = Choice(order="none", told=("which tags are taken: any tag is",))
NAME_MARKER = "the name of an image is never written, only its tag."
DIGEST_MARKER = "a digest is written where each build is sent with its own."


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One place that a tool wrote: `path` is empty where only the file is known, `line` 0 then.

    `name` is the tool's name for the choice, `source` where that stands (`file:line`). `repository` is
    canonical, and empty where it is not known. An empty `branch` is the default branch.
    """

    tool: str
    name: str
    source: str
    file: str
    line: int = 0
    document: int = 0
    path: KeyPath = ()
    repository: str = ""
    choice: Choice = Choice()
    branch: str = ""
    proposes: bool = False


class Notes:
    """What could not be carried over, and what to know: each thing once, with all places it is true of."""

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}

    def tell(self, where: str, what: str) -> None:
        """Say something of a place (`file:line`, or empty for the whole); a sentence with its period."""
        places = self._places.setdefault(what, [])
        if where and where not in places:
            places.append(where)

    def sentences(self) -> tuple[str, ...]:
        """Return one sentence for each thing that was told, in the order of the telling."""
        return tuple(f"{_joined(places)}{what}" for what, places in self._places.items())


def _joined(places: list[str]) -> str:
    more = f" and {len(places) - _FEW} more" if len(places) > _FEW else ""
    return f"{', '.join(places[:_FEW])}{more}: " if places else ""
