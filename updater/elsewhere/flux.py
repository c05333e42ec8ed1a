"""Flux's image automation: `$imagepolicy` markers, and the objects that say what is written and where.

It hides which ImageUpdateAutomation covers a marker, and the forms its versions had. What it returns
is for `joining`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from updater.elsewhere import choices
from updater.elsewhere.objects import Findings, Marker, Thing
from updater.elsewhere.values import DIGEST_MARKER, NAME_MARKER, SUSPENDED, UNKNOWN, Choice, Mark, Notes
from updater.model import canonical_repository

TOOL = "Flux"
_GROUP = "image.toolkit.fluxcd.io"
_LEAVE = "suspend or delete its ImageUpdateAutomations"

_Named = Mapping[tuple[str, str], Thing]


def read(findings: Findings, notes: Notes) -> list[Mark]:
    """Read which policies Flux has, and where markers let it write what they choose."""
    marks = []
    kinds = {
        kind: [thing for thing in findings.things if thing.is_a(kind, _GROUP)]
        for kind in ("ImagePolicy", "ImageRepository", "ImageUpdateAutomation")
    }
    sources = [thing for thing in findings.things if thing.is_a("GitRepository", "source.toolkit.fluxcd.io")]
    policies, repositories = _named(kinds["ImagePolicy"]), _named(kinds["ImageRepository"])
    used = set()
    for marker in findings.markers:
        if marker.key != "$imagepolicy":
            continue
        namespace, _, rest = marker.text.partition(":")
        policy = _look_up(policies, namespace, rest.partition(":")[0])
        used.add(policy)
        automation = _automation(marker, namespace, kinds["ImageUpdateAutomation"], notes)
        mark = _mark(marker, policy, _repository(policy, repositories), notes)
        if mark is not None:
            if automation is not None and automation.text("spec", "suspend") == "true":
                mark = replace(mark, choice=replace(mark.choice, wider=SUSPENDED))
            branch, target = _branches(automation, sources, notes)
            marks.append(_delivered(mark, branch, target))
    for policy in kinds["ImagePolicy"]:
        if policy not in used:
            notes.mention(policy.where, f"no marker names the policy {policy.name!r}, so it wrote nothing.")
    if marks:
        notes.leave(TOOL, _LEAVE)
    return marks


def _named(things: list[Thing]) -> dict[tuple[str, str], Thing]:
    return {(thing.namespace, thing.name): thing for thing in things}


def _look_up(named: _Named, namespace: str, name: str) -> Thing | None:
    """Return an object by its name; one whose namespace another file gives is taken as well."""
    return named.get((namespace, name)) or named.get(("", name))


def _repository(policy: Thing | None, repositories: _Named) -> str:
    if policy is None:
        return ""
    name = policy.text("spec", "imageRepositoryRef", "name")
    namespace = policy.text("spec", "imageRepositoryRef", "namespace") or policy.namespace
    found = _look_up(repositories, namespace, name)
    if found is None and not policy.namespace:
        found = next((one for (_, own), one in repositories.items() if own == name), None)
    return (canonical_repository(found.text("spec", "image")) or "") if found is not None else ""


def _choice(policy: Thing) -> Choice:
    pattern = policy.text("spec", "filterTags", "pattern")
    extract = policy.text("spec", "filterTags", "extract")
    rule = policy.at("spec", "policy")
    kind = next(iter(rule), "") if isinstance(rule, dict) else ""
    order = policy.text("spec", "policy", kind, "order")
    if kind == "numerical":
        return choices.by_number(order, pattern, extract)
    if kind == "alphabetical":
        return choices.by_alphabet(order, pattern, extract)
    return choices.by_version(policy.text("spec", "policy", "semver", "range"), pattern, extract)


def _mark(marker: Marker, policy: Thing | None, repository: str, notes: Notes) -> Mark | None:
    namespace, _, rest = marker.text.partition(":")
    name, _, part = rest.partition(":")
    if part == "name":
        notes.mention(marker.where, NAME_MARKER)
        return None
    if part == "digest":
        notes.mention(marker.where, DIGEST_MARKER)
        return None
    if policy is None:
        notes.tell(marker.where, f"the policy {namespace}:{name} is not in this checkout.")
    elif not repository:
        notes.tell(policy.where, f"the ImageRepository of the policy {name!r} is not in this checkout.")
    elif policy.text("spec", "digestReflectionPolicy") not in {"", "Never"}:
        notes.mention(policy.where, DIGEST_MARKER)
    return Mark(
        tool=TOOL,
        name=name,
        source=policy.where if policy else marker.where,
        file=marker.file,
        line=marker.line,
        document=marker.document,
        path=marker.path,
        repository=repository,
        choice=_choice(policy) if policy else UNKNOWN,
    )


def _automation(marker: Marker, namespace: str, automations: list[Thing], notes: Notes) -> Thing | None:
    """Return the automation that covers a marker: of its namespace, with the nearest path."""
    covering = [
        one
        for one in automations
        if one.namespace in {"", namespace} and _is_within(marker.file, one.text("spec", "update", "path"))
    ]
    best = max(covering, key=lambda one: len(one.text("spec", "update", "path")), default=None)
    if best is None:
        notes.tell(
            marker.where,
            "no ImageUpdateAutomation in this checkout covers it; the branch and how it is delivered are for "
            "you to say.",
        )
    elif best.text("spec", "suspend") == "true":
        notes.tell(best.where, f"the automation {best.name!r} is suspended, and the rules are not.")
    if best is not None and best.at("spec", "policySelector"):
        notes.tell(best.where, "policySelector: markers count for the rules, whatever its labels say.")
    return best


def _is_within(file: str, path: str) -> bool:
    folder = path.removeprefix(".").strip("/")
    return not folder or file.startswith(f"{folder}/") or file == folder


def _branches(automation: Thing | None, sources: list[Thing], notes: Notes) -> tuple[str, str]:
    """Return the branch that is read and the one that is pushed to, empty for those not known."""
    if automation is None:
        return "", ""
    source = automation.text("spec", "sourceRef", "name")
    read_from = automation.text("spec", "git", "checkout", "ref", "branch") or next(
        (one.text("spec", "ref", "branch") for one in sources if one.name == source), ""
    )
    target = automation.text("spec", "git", "push", "options", "merge_request.target")
    pushed = automation.text("spec", "git", "push", "branch")
    if automation.text("spec", "git", "push", "refspec"):
        notes.tell(automation.where, "push.refspec: the rules know branches only.")
    if "${" in f"{read_from}{pushed}{target}":
        notes.tell(automation.where, "a branch has a variable in it; write the branch into the rules.")
        return "", "" if not pushed or pushed == read_from else "proposals"
    return (target or read_from), (pushed if not target else pushed or "proposals")


def _delivered(mark: Mark, branch: str, pushed: str) -> Mark:
    return replace(mark, branch=branch, proposes=bool(pushed) and pushed != branch)
