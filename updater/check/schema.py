"""The form of Rancher's question files, as tables: which keys there are, and what stands under each.

It holds what two readers take: the Go struct of the legacy catalogs, and what the new UI has added since.
`asked` reads files by it; nothing here looks at a file.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping


class Kind(enum.Enum):
    """What may stand under a key."""

    TEXT = "text"
    TRUTH = "true or false"
    NUMBER = "a whole number"
    TEXTS = "a list of texts"
    CHOICES = "a list of texts, or a mapping"
    TABLE = "a mapping of texts"
    QUESTIONS = "a list of questions"
    ANYTHING = "anything"


FILE: Mapping[str, Kind] = {
    "categories": Kind.TEXTS,
    "labels": Kind.TABLE,
    "namespace": Kind.TEXT,
    "rancher_min_version": Kind.TEXT,
    "rancher_max_version": Kind.TEXT,
    "questions": Kind.QUESTIONS,
}

_LEGACY: Mapping[str, Kind] = {
    "variable": Kind.TEXT,
    "label": Kind.TEXT,
    "description": Kind.TEXT,
    "type": Kind.TEXT,
    "required": Kind.TRUTH,
    "default": Kind.TEXT,
    "group": Kind.TEXT,
    "min_length": Kind.NUMBER,
    "max_length": Kind.NUMBER,
    "min": Kind.NUMBER,
    "max": Kind.NUMBER,
    "options": Kind.CHOICES,
    "valid_chars": Kind.TEXT,
    "invalid_chars": Kind.TEXT,
    "subquestions": Kind.QUESTIONS,
    "show_if": Kind.TEXT,
    "show_subquestion_if": Kind.TEXT,
    "satisfies": Kind.TEXT,
}
_NEW: Mapping[str, Kind] = {
    "tooltip": Kind.TEXT,
    "multiple": Kind.TRUTH,
    "searchable": Kind.TRUTH,
    "if": Kind.TEXT,
    "subquestions_if": Kind.TEXT,
    "subquestion_if": Kind.TEXT,
}
QUESTION: Mapping[str, Kind] = {**_LEGACY, **_NEW}
# A question whose answer is a list or a mapping may begin with one, in the new UI.
WHOLE_QUESTION: Mapping[str, Kind] = {**QUESTION, "default": Kind.ANYTHING}

_LEGACY_TYPES = frozenset(
    {"boolean", "certificate", "date", "enum", "float", "host", "hostname", "int", "multiline"}
    | {"istiohost", "password", "pvc", "service", "storageclass", "string", "masked", "secret", "base64"}
)
_NEW_TYPES = frozenset(
    {"string", "hostname", "multiline", "password", "ipaddr", "cidr", "cron", "boolean", "enum", "int"}
    | {
        "float",
        "questionMap",
        "configmap",
        "secret",
        "storageclass",
        "pvc",
        "cloudcredential",
        "radio",
        "yaml",
    }
)
TYPES = _LEGACY_TYPES | _NEW_TYPES
_OF_SOMETHING = re.compile(r"(?:reference|array|map)\[.*\]?")

# Types whose answer is no single value.
_WHOLE = re.compile(r"questionMap|yaml|array\[.*|map\[.*")


def is_type(word: str) -> bool:
    """Say whether one of the two UIs knows the type."""
    return word in TYPES or _OF_SOMETHING.fullmatch(word) is not None


def takes_whole(word: str) -> bool:
    """Say whether an answer of this type is a list or a mapping."""
    return _WHOLE.fullmatch(word) is not None
