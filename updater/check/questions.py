"""Questions against the chart's values: what Rancher's form would install (E12, E14, W1-W3, W10, W20).

It hides in which UI which of the two wins. Called by `inspection` once for each chart.
"""

from __future__ import annotations

from collections.abc import Iterator

from updater.charts import Target
from updater.check import schema
from updater.check.asked import Question, faults_in, questions_in
from updater.check.chart import Chart
from updater.check.findings import Finding, Fix
from updater.check.ground import Ground
from updater.check.nodes import scalar, value
from updater.errors import EditRefused
from updater.model import familiar_repository
from updater.yamledit import KeyPath, Mapping, Node, Replace, Scalar, Sequence
from updater.yamledit.nodes import behind, child

# Types whose default is one plain text and no secret.
_PLAIN = frozenset(
    {"", "string", "hostname", "enum", "radio", "boolean", "int", "float", "storageclass", "pvc", "service"}
)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


def of_chart(ground: Ground, chart: Chart) -> Iterator[Finding]:
    """Yield what is wrong with the question files of one chart."""
    if chart.is_sub:
        return
    for path in (*chart.questions, *_legacy(chart)):
        text = ground.parsed(path)
        if isinstance(text, EditRefused):
            facts: dict[str, object] = {"fault": "unreadable", "problem": text.problem}
            yield Finding(code="E12", file=path, line=text.line, facts=facts)
            continue
        root = ground.root(path)
        if root is None:
            yield Finding(code="E12", file=path, line=1, facts={"fault": "empty"})
            continue
        known = frozenset(_leaves(ground.root(chart.values)))
        questions = questions_in(root)
        for line, told in faults_in(root, questions, known):
            if told["fault"] != "name" or not _is_of_sub_chart(ground, chart, str(told["name"])):
                yield Finding(code="E12", file=path, line=line, facts=told)
        if not chart.is_old:
            yield from _compared(ground, chart, path, questions)
    if not chart.is_old:
        yield from _spellings(chart)


def _legacy(chart: Chart) -> tuple[str, ...]:
    names = (chart.path("catalog.yml"), chart.path("catalog.yaml"))
    return tuple(path for path in names if path in chart.at_root)


def _spellings(chart: Chart) -> Iterator[Finding]:
    for path in chart.questions[1:]:
        facts = {"fault": "questions", "other": chart.questions[0].rpartition("/")[2]}
        yield Finding(code="W10", file=path, facts=facts)
    if chart.path("values.yml") in chart.at_root:
        yield Finding(code="W10", file=chart.path("values.yml"), facts={"fault": "values"})


def _compared(ground: Ground, chart: Chart, path: str, questions: tuple[Question, ...]) -> Iterator[Finding]:
    managed = ground.managed(chart)
    for question in questions:
        if not question.text("variable"):
            continue
        key = tuple(question.variable)
        if question.above is not None and question.above.above is not None:
            facts: dict[str, object] = {"fault": "nested", "variable": question.text("variable")}
            yield Finding(code="W20", file=path, line=question.line("variable"), facts=facts)
        if question.has_whole_default and schema.takes_whole(question.text("type")):
            facts = {"fault": "default", "variable": question.text("variable")}
            yield Finding(code="W20", file=path, line=question.line("default"), facts=facts)
        if question.has_mapped_options:
            facts = {"fault": "options", "variable": question.text("variable")}
            yield Finding(code="W20", file=path, line=question.line("options"), facts=facts)
        if key in managed:
            yield from _managed(ground, chart, (path, question), managed[key])
        else:
            yield from _other(ground, chart, path, question)


def _managed(
    ground: Ground, chart: Chart, asked: tuple[str, Question], targets: tuple[Target, ...]
) -> Iterator[Finding]:
    path, question = asked
    variable = question.text("variable")
    if not _is_behind_a_gate(question):
        facts: dict[str, object] = {"variable": variable}
        yield Finding(code="W3", file=path, line=question.line("variable"), facts=facts)
    default = question.default
    own = [target for target in targets if target.file == chart.values or ground.leads(target)]
    if default is None or not own:
        return
    text = ground.written(own[0])
    if text and default.value != text:
        fix = Fix(path, (Replace((*question.path, "default"), text),))
        facts = {
            "variable": variable,
            "default": default.value,
            "value": text,
            "image": familiar_repository(own[0].repository),
            "values": own[0].file,
        }
        yield Finding(code="E14", file=path, line=default.line, facts=facts, fix=fix)


def _is_behind_a_gate(question: Question) -> bool:
    """Say whether it is hidden, and so not sent, until somebody switches the chart's own image off."""
    gate = question.above
    return (
        gate is not None
        and gate.text("type") == "boolean"
        and gate.text("default").lower() == "true"
        and gate.text("show_subquestion_if").lower() == "false"
    )


def _other(ground: Ground, chart: Chart, path: str, question: Question) -> Iterator[Finding]:
    variable, kind = question.text("variable"), question.text("type")
    if "[" in variable or _is_of_sub_chart(ground, chart, variable):
        return
    root = ground.root(chart.values)
    node, is_open = _at(root, question.variable)
    if node is None and (is_open or any(_at(one, question.variable)[0] for one in ground.overlays(chart))):
        return
    facts: dict[str, object] = {"variable": variable}
    if node is None or (not isinstance(behind(node), Scalar) and not schema.takes_whole(kind)):
        facts["fault"] = "absent" if node is None else "whole"
        yield Finding(code="W1", file=path, line=question.line("variable"), facts=facts)
        return
    leaf = scalar(node)
    # A null says nothing, so a default cannot contradict it.
    if leaf is not None and (leaf.style or leaf.value not in _NULLS):
        yield from _differing(path, question, leaf)


def _differing(path: str, question: Question, leaf: Scalar) -> Iterator[Finding]:
    default, text = question.default, _text(leaf)
    kind = question.text("type")
    facts: dict[str, object] = {
        "variable": question.text("variable"),
        "value": text,
        "default": default.value if default is not None else "",
        "value_line": leaf.line,
    }
    if kind in ("enum", "radio") and question.options and text and text not in question.options:
        facts |= {"fault": "options", "options": list(question.options)}
        yield Finding(code="W2", file=path, line=question.line("options"), facts=facts)
    elif default is None:
        if kind == "boolean" and text.lower() == "true":
            facts["fault"] = "no-default"
            yield Finding(code="W2", file=path, line=question.line("variable"), facts=facts)
    elif not _equal(kind, _text(default), text):
        facts["fault"] = "default"
        fix = Fix(path, (Replace((*question.path, "default"), text),)) if _is_safe(kind, text) else None
        yield Finding(code="W2", file=path, line=default.line, facts=facts, fix=fix)


def _is_safe(kind: str, text: str) -> bool:
    """Say whether a value can become a default: Rancher reads every default as text, so quotes do no harm."""
    return kind in _PLAIN and bool(text)


def _equal(kind: str, default: str, text: str) -> bool:
    return default == text or (kind == "boolean" and default.lower() == text.lower())


def _text(leaf: Scalar) -> str:
    return "" if not leaf.style and leaf.value in _NULLS else leaf.value


def _at(root: Mapping | None, variable: tuple[str, ...]) -> tuple[Node | None, bool]:
    """Return what stands at a variable, and whether it can be added: below an empty mapping or null."""
    node: Node | None = root
    for part in variable:
        place = behind(node) if node is not None else None
        if isinstance(place, Scalar):
            return None, not place.style and place.value in _NULLS
        if isinstance(place, Mapping) and not place.entries:
            return None, node is not root
        if place is None or isinstance(place, Sequence):
            return None, False
        node = child(place, part, through=True)
    return node, False


def _leaves(root: Mapping | None, above: KeyPath = ()) -> Iterator[str]:
    """Yield the dotted paths of all values, empty mappings among them; an alias counts as one value."""
    for key, node in root.entries if root is not None else ():
        path = (*above, value(key))
        if isinstance(node, Mapping) and node.entries:
            yield from _leaves(node, path)
        else:
            yield ".".join(map(str, path))


def _is_of_sub_chart(ground: Ground, chart: Chart, variable: str) -> bool:
    """Say whether a sub-chart has the value: this chart's own values need not repeat it."""
    names = {
        word
        for file in (chart.file, chart.path("requirements.yaml"))
        for one in _dependencies(ground.root(file))
        for word in (value(one, "alias"), value(one, "name"))
        if word
    }
    first = variable.partition(".")[0]
    return first in names or (first == "global" and bool(names))


def _dependencies(root: Mapping | None) -> tuple[Node, ...]:
    node = child(root, "dependencies", through=True) if root is not None else None
    place = behind(node) if node is not None else None
    return place.items if isinstance(place, Sequence) else ()
