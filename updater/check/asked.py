"""Question files as Rancher decodes them: each question, its place, and what does not fit the schema (E12).

It hides how a file is walked, sub-questions included. `questions` compares what it finds with the chart's
values.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Lookup
from dataclasses import dataclass
from itertools import islice

from updater.check import schema
from updater.check.nodes import fields, items, key_line, mapping, scalar, value
from updater.check.schema import Kind
from updater.yamledit import KeyPath, Mapping, Node, Scalar
from updater.yamledit.nodes import behind

# Aliases can make endlessly many of a few lines.
_MOST = 2_000
_TRUTHS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n"})
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_TERM = re.compile(r"^[\s(!]*(?P<name>[^\s=!()<>]+)\s*(?:!=|={1,3})\s*(?P<value>.*?)[\s)]*$")
_NAME = re.compile(r"[\w./-]+")
_JOINT = re.compile(r"&&|\|\|")

Fault = tuple[int, dict[str, object]]


@dataclass(frozen=True, slots=True)
class Question:
    """One question: where it stands in the file, what is written there, and what it is below of."""

    path: KeyPath
    node: Mapping
    fields: Lookup[str, Node]
    above: Question | None = None

    def text(self, key: str) -> str:
        """Return the text under a key, "" where there is none."""
        return value(self.fields.get(key))

    def line(self, key: str) -> int:
        """Return the line of a key, of the question where it does not stand there."""
        return key_line(self.node, key)

    @property
    def default(self) -> Scalar | None:
        """What the form begins with, None where it is no single value or not there."""
        return scalar(self.fields.get("default"))

    @property
    def has_mapped_options(self) -> bool:
        """Say whether what can be chosen is a mapping, each with how it is shown."""
        return mapping(self.fields.get("options")) is not None

    @property
    def has_whole_default(self) -> bool:
        """Say whether its default is a list or a mapping."""
        node = self.fields.get("default")
        return node is not None and not isinstance(behind(node), Scalar)

    @property
    def options(self) -> tuple[str, ...]:
        """What can be chosen."""
        found = mapping(self.fields.get("options"))
        if found is not None:
            return tuple(value(key) for key, _ in found.entries)
        return tuple(value(item) for item in items(self.fields.get("options")))

    @property
    def variable(self) -> tuple[str, ...]:
        """The place in the values that it asks for; Rancher cannot name a key with a dot in it."""
        return tuple(self.text("variable").split("."))


def questions_in(root: Mapping) -> tuple[Question, ...]:
    """Return every question of a file in its order, each before its sub-questions."""
    return tuple(islice(_below(fields(root), ("questions",), None), _MOST))


def _below(holder: Lookup[str, Node], path: KeyPath, above: Question | None) -> Iterator[Question]:
    for index, item in enumerate(items(holder.get(str(path[-1])))):
        inner = mapping(item)
        if inner is not None:
            question = Question((*path, index), inner, fields(inner), above)
            yield question
            yield from _below(question.fields, (*path, index, "subquestions"), question)


def faults_in(root: Mapping, questions: Sequence[Question], known: frozenset[str]) -> Iterator[Fault]:
    """Yield line and facts of all that does not fit; `known` are values that conditions may name."""
    yield from _keys(root, schema.FILE)
    names = known | {question.text("variable") for question in questions}
    for question in questions:
        takes_whole = schema.takes_whole(question.text("type"))
        yield from _keys(question.node, schema.WHOLE_QUESTION if takes_whole else schema.QUESTION)
        if not question.text("variable"):
            yield question.node.line, {"fault": "missing"}
        yield from _of_type(question)
        yield from _of_numbers(question)
        for key in ("show_if", "if", "subquestions_if", "subquestion_if"):
            yield from _condition(question, key, names)


def _keys(node: Mapping, table: Lookup[str, Kind]) -> Iterator[Fault]:
    for key_node, inner in node.entries:
        key = value(key_node)
        kind = table.get(key)
        if key == "<<":
            continue
        if kind is None:
            near = difflib.get_close_matches(key.lower(), table, n=1)
            nearest = near[0] if near else ""
            yield key_node.line, {"fault": "key", "key": key, "nearest": nearest, "allowed": sorted(table)}
        elif not _is(kind, inner):
            yield inner.line, {"fault": "kind", "key": key, "expected": kind.value}


def _is(kind: Kind, node: Node) -> bool:
    place = behind(node)
    if kind is Kind.ANYTHING:
        return True
    if isinstance(place, Scalar):
        if not place.value and not place.style:
            return True
        if kind is Kind.TRUTH:
            return not place.style and place.value.lower() in _TRUTHS
        if kind is Kind.NUMBER:
            return not place.style and _INTEGER.fullmatch(place.value) is not None
        return kind is Kind.TEXT
    if isinstance(place, Mapping):
        return kind in (Kind.TABLE, Kind.CHOICES)
    if kind is Kind.QUESTIONS:
        return all(isinstance(behind(item), Mapping) for item in place.items)
    return kind in (Kind.TEXTS, Kind.CHOICES) and all(isinstance(behind(one), Scalar) for one in place.items)


def _of_type(question: Question) -> Iterator[Fault]:
    kind, variable, default = question.text("type"), question.text("variable"), question.default
    if kind and not schema.is_type(kind):
        near = difflib.get_close_matches(kind.lower(), sorted(schema.TYPES), n=1)
        nearest = near[0] if near else ""
        told: dict[str, object] = {"fault": "type", "word": kind, "nearest": nearest, "variable": variable}
        yield question.line("type"), told
    if kind in ("enum", "radio") and not question.options:
        yield question.line("type"), {"fault": "no-options", "variable": variable, "type": kind}
    if default is None or not default.value:
        return
    facts = {"variable": variable, "default": default.value, "type": kind}
    if kind in ("enum", "radio") and question.options and default.value not in question.options:
        yield default.line, {**facts, "fault": "option", "options": list(question.options)}
    elif not _fits(kind, default.value):
        yield default.line, {**facts, "fault": "default"}


def _fits(kind: str, text: str) -> bool:
    if kind == "boolean":
        return text.lower() in _TRUTHS
    if kind == "int":
        return _INTEGER.fullmatch(text) is not None
    return kind != "float" or _FLOAT.fullmatch(text) is not None


def _of_numbers(question: Question) -> Iterator[Fault]:
    numbers = {
        key: int(text)
        for key in ("min", "max", "min_length", "max_length")
        if _INTEGER.fullmatch(text := question.text(key))
    }
    for low, high in (("min", "max"), ("min_length", "max_length")):
        if low in numbers and high in numbers and numbers[low] > numbers[high]:
            facts: dict[str, object] = {"fault": "bounds", "low": low, "high": high}
            yield question.line(low), {**facts, "variable": question.text("variable")}
            return
    default = question.default
    if default is None or question.text("type") != "int" or not _INTEGER.fullmatch(default.value):
        return
    number = int(default.value)
    if number < numbers.get("min", number) or number > numbers.get("max", number):
        facts = {"fault": "range", "default": default.value, "variable": question.text("variable")}
        yield default.line, facts


def _condition(question: Question, key: str, names: frozenset[str]) -> Iterator[Fault]:
    text = question.text(key)
    if not text:
        return
    # What the new UI alone knows is an expression of a language (Jexl) that compares in more ways.
    is_plain = key == "show_if"
    for part in _JOINT.split(text):
        term = _TERM.match(part)
        facts: dict[str, object] = {"key": key, "text": text, "variable": question.text("variable")}
        if term is None or not (is_plain or _NAME.fullmatch(term["name"])):
            if is_plain:
                yield question.line(key), {**facts, "fault": "condition"}
        elif term["name"] not in names:
            near = difflib.get_close_matches(term["name"], sorted(names), n=1)
            facts |= {"fault": "name", "name": term["name"], "nearest": near[0] if near else ""}
            yield question.line(key), facts
    if is_plain and "(" not in text and "&&" in text and "||" in text:
        yield question.line(key), {"fault": "mixed", "key": key, "text": text}
