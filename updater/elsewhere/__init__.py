"""Reads what other tools that write image tags were told, and says it in rules.

This package hides the formats of Fleet's image scan, Flux's image automation and Argo CD Image Updater:
markers in comments, objects, annotations, Go's regular expressions and ranges of versions. `updater init`
is the only caller. It reads files through the `Files` it is given, writes nothing, and what it cannot
carry over it says: nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

from updater.charts import Survey
from updater.elsewhere import applications, fleet, flux
from updater.elsewhere.joining import join
from updater.elsewhere.objects import find
from updater.elsewhere.values import Notes, listing
from updater.model import Files
from updater.policy import rules_text

_HEADER = (
    "The rules of this config repo: where image tags are written, and which tags go there. Written by "
    "`updater init` from what {tools} {were} told here. Read it, change what is wrong, and commit it to the "
    "default branch; on other branches it has no effect.",
    "No registry is asked: the pipeline that builds an image sends it. An image sent without an environment "
    "goes to every environment whose pattern takes its tag.",
)


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """The text of a rules file, and a sentence for each thing that it does not say.

    `commented_out` are environments of the text that count for nothing; where all are, it is no rules
    file yet.
    """

    text: str
    notes: tuple[str, ...]
    environments: tuple[str, ...]
    commented_out: tuple[str, ...] = ()


def carry_over(files: Files, survey: Survey) -> CarriedOver | None:
    """Return rules that do what other tools did in these files; None where none did anything."""
    findings = find(files)
    notes = Notes()
    marks = [
        *fleet.read(findings, notes),
        *flux.read(findings, notes),
        *applications.read(findings, files.paths, notes),
    ]
    if not marks:
        return None
    for place in findings.lost:
        notes.tell(place, "a marker stands there, and no single value before it: it is not carried over.")
    joined = join(marks, survey, files, notes)
    told = notes.sentences()
    tools = list(dict.fromkeys(mark.tool for mark in marks))
    were = "were" if len(tools) > 1 else "was"
    header = [paragraph.format(tools=listing(tools), were=were) for paragraph in _HEADER]
    return CarriedOver(
        rules_text(header, told, joined.environments, joined.images, commented_out=joined.commented_out),
        told,
        tuple(one.name for one in joined.environments if not one.commented_out),
        tuple(one.name for one in joined.environments if one.commented_out),
    )
