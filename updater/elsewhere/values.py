"""What was found of another tool's set-up: places it wrote, which tags, and what cannot be carried over.

It hides nothing; the readers of this package make these values and `joining` makes rules of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from updater.yamledit import KeyPath

# Places named one by one.
_FEW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which tags a tool chose: a pattern of the rules ("" for any tag) and its order.

    `told` are ends of sentences that say what of the tool's own choice the two do not say. `said` is the
    choice in the tool's own words. `wider` is the end of a sentence too: why the pattern takes tags that
    the tool did not choose, empty where it takes none.
    """

    pattern: str = ""
    order: str = "numeric"
    told: tuple[str, ...] = ()
    said: str = ""
    wider: str = ""


UNKNOWN = Choice(order="none", wider="nothing in this checkout says which tags were chosen")
SUSPENDED = "what chose its tags was suspended"
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
    """What could not be carried over, and what to know: each thing once, with all places it is true of.

    What needs a decision comes first, then what is lost, then what is good to know, and how to stop the
    other tools last.
    """

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}
        self._ranks: dict[str, int] = {}
        self._leaving: dict[str, str] = {}

    def tell(self, where: str, what: str, rank: int = 1) -> None:
        """Say something of a place (`file:line`, or empty for the whole); a sentence with its period."""
        places = self._places.setdefault(what, [])
        self._ranks.setdefault(what, rank)
        if where and where not in places:
            places.append(where)

    def decide(self, what: str) -> None:
        """Say what somebody has to decide."""
        self.tell("", what, 0)

    def mention(self, where: str, what: str) -> None:
        """Say what is good to know, and is no loss."""
        self.tell(where, what, 2)

    def leave(self, tool: str, how: str) -> None:
        """Say how a tool is stopped."""
        self._leaving[tool] = how

    def sentences(self) -> tuple[str, ...]:
        """Return one sentence for each thing that was told, what matters most first."""
        ordered = sorted(self._places.items(), key=lambda one: self._ranks[one[0]])
        return (*(f"{_joined(places)}{what}" for what, places in ordered), *self._last())

    def _last(self) -> Iterator[str]:
        tools = list(self._leaving)
        if len(tools) == 1:
            yield f"{tools[0]} goes on to write as long as it is told to: {self._leaving[tools[0]]}."
        elif tools:
            hows = "; ".join(f"for {tool}, {how}" for tool, how in self._leaving.items())
            yield f"{listing(tools)} go on to write as long as they are told to: {hows}."


def listing(names: Sequence[str]) -> str:
    """Return names as a sentence has them: `a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _joined(places: list[str]) -> str:
    more = f" and {len(places) - _FEW} more" if len(places) > _FEW else ""
    return f"{', '.join(places[:_FEW])}{more}: " if places else ""
