"""The defaults of Rancher's questions, which say a second time what stands in a chart's values.

It hides where a question's default stands. The old UI takes that default and not the chart's values, and
keeps it in the app for ever; the new one shows it and installs the other. So they must agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from updater.yamledit import KeyPath, Mapping, Node, Replace, Scalar, Sequence, YamlText, edit, parse
from updater.yamledit.nodes import behind, child

# Rancher takes both endings, in any case, at the chart's root.
_NAME = re.compile(r"questions\.ya?ml", re.IGNORECASE)


def question_files(paths: Iterable[str], folder: str) -> tuple[str, ...]:
    """Return the files with questions among `paths` of the chart in `folder` ("" for the top)."""
    start = f"{folder}/" if folder else ""
    return tuple(
        sorted(path for path in paths if path.startswith(start) and _NAME.fullmatch(path[len(start) :]))
    )


def with_defaults(questions: bytes, pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a file of questions whose defaults are the values that were edited.

    `pairs` are files of values, before and after. A question without a default of its own stays as it is.

    Raises:
        EditRefused: a default cannot be changed safely; the file is not named.
    """
    text = parse(questions)
    edited = [(parse(before), parse(after)) for before, after in pairs]
    wanted: dict[KeyPath, str] = {}
    for path, variable in _defaults(text):
        for before, after in edited:
            old, new = _value(before, variable), _value(after, variable)
            if new is not None and new != old:
                wanted[path] = new
    return edit(text, [Replace(path, value) for path, value in wanted.items()])


def _defaults(text: YamlText) -> Iterator[tuple[KeyPath, str]]:
    """Yield where each question's default stands, with the question's variable."""
    root = text.documents[0] if text.documents else None
    if root is not None:
        yield from _in_list(child(root, "questions"), ("questions",))


def _in_list(node: Node | None, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for place, item in enumerate(node.items if isinstance(node, Sequence) else ()):
        if not isinstance(item, Mapping):
            continue
        variable, default = child(item, "variable"), child(item, "default")
        if isinstance(variable, Scalar) and default is not None:
            yield (*path, place, "default"), variable.value
        yield from _in_list(child(item, "subquestions"), (*path, place, "subquestions"))


def _value(text: YamlText, variable: str) -> str | None:
    """Return the text at a question's variable; Rancher has no way to write a key with a dot in it."""
    node = text.find(tuple(variable.split(".")), through=True)
    scalar = behind(node) if node is not None else None
    return scalar.value if isinstance(scalar, Scalar) else None
