"""What is wrong with a rules file, as sentences.

Turns pydantic's errors into sentences that name the place, the wrong word, the words that are allowed
there and the nearest one. `rules` is the only caller. It decides nothing: an error that has no
sentence of its own here keeps pydantic's.
"""

from __future__ import annotations

import difflib
import textwrap
import typing
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from updater.errors import InvalidConfigRepo
from updater.policy.forms import (
    ChartForm,
    Form,
    ImageForm,
    MergeRequestForm,
    PeriodForm,
    RollbackForm,
    TagsForm,
)
from updater.policy.schema import EnvironmentForm, RulesForm
from updater.yamledit import KeyPath, Loaded, show_path

_LISTS = {
    "files": "a glob or a list of globs should stand",
    "exclude": "a glob or a list of globs should stand",
    "labels": "a label or a list of labels should stand",
    "assignees": "a login or a list of logins should stand",
    "reviewers": "a login or a list of logins should stand",
    "freeze": "a mapping or a list of mappings should stand: from and until, or cron and duration",
    "windows": "a mapping or a list of mappings should stand: from and until, or cron and duration",
}
_TEXTS = {
    "from": "a day and a time should stand: write it in quotes, such as '2026-12-24 08:00'",
    "until": "a day and a time should stand: write it in quotes, such as '2026-12-24 08:00'",
    "cron": "five fields should stand: write them in quotes, such as '0 14 * * 1-4'",
    "duration": "a duration should stand: write it with its unit, such as 30m, 2h, 1h30m or 2d",
}
_BOUNDS = {"keep": "keep 2 to 1000 folders"}
MAX_COMPLAINTS = 20
MAX_SENTENCE = 600

_EXPECTED = {
    "string_type": "text should stand: put it in quotes",
    "bool_type": "true or false should stand",
    "int_type": "a whole number should stand",
    "list_type": "a list should stand",
    "dict_type": "a mapping should stand: keys with their values below them",
    "model_type": "a mapping should stand: keys with their values below them",
}


_BELOW_ENVIRONMENT: dict[str, type[Form]] = {
    "tags": TagsForm,
    "merge-request": MergeRequestForm,
    "freeze": PeriodForm,
    "windows": PeriodForm,
    "rollback": RollbackForm,
    "chart": ChartForm,
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong at a key path of the file: its value, or (`on_key`) the key itself."""

    path: KeyPath
    sentence: str
    on_key: bool = False


def complaints_of(errors: Iterable[ErrorDetails]) -> tuple[Complaint, ...]:
    """Return pydantic's errors as sentences, each with the key path it stands at."""
    return tuple(_complaint(error) for error in errors)


def refusal(complaints: Iterable[Complaint], loaded: Loaded, file: str) -> InvalidConfigRepo:
    """Return all complaints as one error: the first in the file leads, the others follow line by line."""
    placed = sorted(_placed(complaint, loaded) for complaint in complaints)
    (line, column), first = placed[0]
    lines = [first, *(f"{file}:{row}:{at}: {sentence}" for (row, at), sentence in placed[1:MAX_COMPLAINTS])]
    if len(placed) > MAX_COMPLAINTS:
        lines.append(f"{file}: and {len(placed) - MAX_COMPLAINTS} more.")
    return InvalidConfigRepo("\n".join(lines), path=file, line=line, column=column)


def _placed(complaint: Complaint, loaded: Loaded) -> tuple[tuple[int, int], str]:
    """Return a complaint's place, the nearest thing around it where it has none, and its text."""
    path = written = _as_written(complaint.path, loaded)
    position = loaded.keys.get(path) if complaint.on_key else loaded.positions.get(path)
    while position is None:
        path = path[:-1]
        position = loaded.positions.get(path)
    around = written[:-1] if complaint.on_key else path
    where = f"{show_path(around)}: " if around else ""
    return position, textwrap.shorten(where + complaint.sentence, MAX_SENTENCE)


def _as_written(path: KeyPath, loaded: Loaded) -> KeyPath:
    """Leave out the place in a list where the file has a single value instead of one."""
    written: KeyPath = ()
    for part in path:
        if part != 0 or (*written, part) in loaded.positions:
            written = (*written, part)
    return written


def _complaint(error: ErrorDetails) -> Complaint:
    path, kind = tuple(error["loc"]), error["type"]
    if kind == "extra_forbidden":
        names = list(_fields_at(path[:-1]))
        return Complaint(path, f"{path[-1]!r} is no key here. {_choice(str(path[-1]), names)}", on_key=True)
    if path[-1:] == ("[key]",):
        return Complaint(path[:-1], _problem(kind, path, error), on_key=True)
    return Complaint(path, _problem(kind, path, error))


def _problem(kind: str, path: KeyPath, error: ErrorDetails) -> str:
    if kind == "missing":
        return f"The key {path[-1]} is missing: write it."
    if kind == "literal_error":
        return _wrong_word(path, error["input"])
    if kind in _EXPECTED:
        own = {"list_type": _LISTS, "string_type": _TEXTS}.get(kind, {})
        expected = own.get(str(path[-1]) if path else "", _EXPECTED[kind])
        return f"There is {_seen(error['input'])} where {expected}."
    if kind == "too_short" and path == ("environments",):
        return "No environment is named: name at least one, or delete the file to go without rules."
    if kind in {"too_short", "string_too_short"}:
        return "Nothing stands here: fill it in, or take the key out where it is not needed."
    if kind == "string_too_long":
        return f"This is longer than {error['ctx']['max_length']} characters."
    if kind in {"greater_than_equal", "less_than_equal"}:
        return f"The number {error['input']} is out of bounds: {_BOUNDS[str(path[-1])]}."
    return str(error.get("ctx", {}).get("error", error["msg"]))


def _wrong_word(path: KeyPath, word: object) -> str:
    field = _fields_at(path[:-1])[str(path[-1])]
    allowed = [str(value) for value in typing.get_args(field.annotation)]
    if not isinstance(word, str):
        return f"There is {_seen(word)} where a word should stand. {_choice('', allowed)}"
    return f"{word!r} is no value for {path[-1]}. {_choice(word, allowed)}"


def _choice(word: str, allowed: list[str]) -> str:
    near = difflib.get_close_matches(word.lower(), allowed, n=1)
    question = f"Did you mean {near[0]!r}? " if near else ""
    return f"{question}Allowed here: {', '.join(allowed)}."


def _fields_at(path: KeyPath) -> dict[str, FieldInfo]:
    """Return the keys that the mapping at `path` may have, as they are written in the file."""
    fields = _form_at(path).model_fields
    return {field.alias or name: field for name, field in fields.items()}


def _form_at(path: KeyPath) -> type[BaseModel]:
    """Return the form of the mapping at `path`."""
    if path[:1] == ("images",):
        return ImageForm
    if path[2:]:
        return _BELOW_ENVIRONMENT[str(path[2])]
    return EnvironmentForm if path else RulesForm


def _seen(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the truth value {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return "text"
