"""What the fields of a body may hold: texts, names, flags, times, repositories, tags and overrides.

Hides the forms and the sentences about what is none. Called by the modules that know one kind of body each,
and through the face of this package for parameters that have the same forms.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from updater.errors import InvalidRequest
from updater.intake.reading import MAX_TEXT, kind, refuse_unknown
from updater.model import canonical_repository, is_tag, split_reference

MAX_URL = 2048
MAX_ENVIRONMENT = 63
ENVIRONMENT_FORM = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$"
# What `model.is_tag` takes, for the schemas.
TAG_FORM = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"
# RFC 3339 with a T and a Z in upper case, from the year 1970: Git knows no earlier commits.
TIME_FORM = (
    r"^(?:19[7-9][0-9]|[2-9][0-9]{3})-[0-9]{2}-[0-9]{2}"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$"
)
OVERRIDE_FIELDS = ("reason",)

_ENVIRONMENT = re.compile(ENVIRONMENT_FORM)
_TIME = re.compile(TIME_FORM)


def missing(name: str, hint: str) -> InvalidRequest:
    """Return the error for a field that is needed; `hint` shows a body that is right."""
    return InvalidRequest(f'The field "{name}" is missing: send {hint}.', field=name)


def text(value: Mapping[str, object], name: str, within: str = "", *, limit: int = MAX_TEXT) -> str:
    """Return a text on one line; absent and null are empty."""
    return line(value.get(name), within + name, limit)


def line(found: object, field: str, limit: int = MAX_TEXT) -> str:
    """Return the text that a value is, on one line; null is empty."""
    if found is None:
        return ""
    if not isinstance(found, str):
        raise InvalidRequest(f'The field "{field}" is {kind(found)}; send a string.', field=field)
    if len(found) > limit:
        raise InvalidRequest(
            f'The field "{field}" is {len(found)} characters long; {limit} are allowed.', field=field
        )
    if not found.isprintable():
        where = next(index for index, char in enumerate(found) if not char.isprintable())
        raise InvalidRequest(
            f'The field "{field}" has the character U+{ord(found[where]):04X} at position {where + 1}: '
            "send one line of printable characters.",
            field=field,
        )
    return found


def flag(value: Mapping[str, object], name: str) -> bool:
    """Return what a field that is true or false says; absent and null are false."""
    found = value.get(name)
    if found is not None and not isinstance(found, bool):
        raise InvalidRequest(f'The field "{name}" is {kind(found)}; send true or false.', field=name)
    return bool(found)


def needed_environment(value: Mapping[str, object], field: str, hint: str) -> str:
    """Return the name of an environment that must be said."""
    if value.get(field) is None:
        raise missing(field, hint)
    return environment_name(value, field, "The rules in the config repo name them.")


def environment_name(value: Mapping[str, object], field: str, cure: str) -> str:
    """Return the name of an environment; `cure` ends the sentence about a text that is none."""
    name = text(value, field, limit=MAX_ENVIRONMENT)
    if not _ENVIRONMENT.fullmatch(name):
        raise InvalidRequest(
            f"{name!r} is not the name of an environment: letters, digits, '.', '_' and '-', "
            f"starting and ending with a letter or a digit. {cure}",
            field=field,
        )
    return name


def needed_chart(value: Mapping[str, object], hint: str) -> str:
    """Return the name of the chart, which must be said."""
    name = text(value, "chart")
    if not name.strip():
        raise missing("chart", hint)
    return name


def needed_tag(value: Mapping[str, object], field: str, cure: str) -> str:
    """Return a legal tag; `cure` ends the sentence about a text that is none, an empty one too."""
    found = text(value, field)
    if not is_tag(found):
        raise InvalidRequest(
            f"{found!r} is not a legal tag: 1 to 128 letters, digits, '_', '.' and '-', "
            f"not starting with '.' or '-'. {cure}",
            field=field,
        )
    return found


def override(value: Mapping[str, object]) -> str:
    """Return why holds and freezes are overridden, empty where they are not."""
    found = value.get("override")
    if found is None:
        return ""
    if not isinstance(found, dict):
        raise InvalidRequest(
            f'The field "override" is {kind(found)}; send an object: {{"reason": "why it must go out now"}}.',
            field="override",
        )
    refuse_unknown(found, OVERRIDE_FIELDS, "override.")
    reason = text(found, "reason", "override.")
    if not reason.strip():
        raise InvalidRequest(
            'An override needs a reason: say in "override.reason" why it must go out now, or leave '
            '"override" out.',
            field="override.reason",
        )
    return reason


def read_repository(name: str, *, field: str, cure: str) -> str:
    """Return the canonical name of a repository; `cure` says where its tag belongs.

    Raises:
        InvalidRequest: it is none, or has a tag or a digest.
    """
    if split_reference(name)[0] != name:
        raise InvalidRequest(
            f"{name!r} has a tag or a digest: name the repository alone, such as registry.example.com/iris. "
            f"{cure}",
            field=field,
        )
    repository = canonical_repository(name)
    if repository is None:
        raise InvalidRequest(
            f"{name!r} is not a repository: lower-case letters and digits, separated by '.', '_', '-' and "
            f"'/', after an optional registry host and port. {cure}",
            field=field,
        )
    return repository


def read_time(found: str) -> datetime | None:
    """Return a time by RFC 3339 in UTC, None where the text is no such time."""
    if not _TIME.fullmatch(found):
        return None
    try:
        return datetime.fromisoformat(found).astimezone(UTC)
    except (ValueError, OverflowError):
        return None  # a day that the month does not have, or the last hours of the year 9999
