"""Makes environments of the places that other tools wrote, and says what could not be carried over.

It hides how places are shared out: by branch, delivery, choice of tags and stage. It asks the survey
whether each place is found by looking, and names in `images` those that are not.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from updater.charts import Survey, Target
from updater.elsewhere.values import Mark, Notes
from updater.errors import EditRefused
from updater.globs import MAX_LENGTH
from updater.model import Files, PinnedPlace, Scope, familiar_repository
from updater.policy import DEFAULT_RULES, Proposed, share_out
from updater.policy.grammar import branch_problem
from updater.policy.grammar import file as file_of_rules
from updater.yamledit import parse, show_path

_UNFIT = re.compile(r"[^a-z0-9]+")
_MAX_NAME = 60


@dataclass(frozen=True, slots=True)
class _Group:
    """Places that one environment can hold: `stage` is empty where their files show none."""

    stage: str
    globs: tuple[str, ...]
    base: str
    marks: tuple[Mark, ...]


def join(
    marks: Sequence[Mark], survey: Survey, files: Files, notes: Notes
) -> tuple[list[Proposed], list[PinnedPlace]]:
    """Share the places out among environments, in the order builds travel, and name what is hard to find."""
    groups = list(_groups([mark for mark in marks if _is_fit(mark, notes)], files.paths, notes))
    environments = [_environment(*pair) for pair in zip(groups, _names(groups), strict=True)]
    joining = _Joining(survey, files, notes)
    for group in groups:
        joining.settle(group)
    holders: dict[str, list[str]] = defaultdict(list)
    for group, environment in zip(groups, environments, strict=True):
        for file in dict.fromkeys(mark.file for mark in group.marks):
            holders[file].append(environment.name)
    for file, names in holders.items():
        if len(names) > 1:
            notes.tell(
                file,
                f"the environments {', '.join(names)} share it, as images are chosen differently. "
                "A tag that several of them take is written by each, for whatever image it is.",
            )
    return environments, joining.images


def _is_fit(mark: Mark, notes: Notes) -> bool:
    fits = len(mark.file) <= MAX_LENGTH
    if not fits:
        notes.tell(mark.file, "the name of the file is too long for the rules.")
    return fits


def _groups(marks: Sequence[Mark], paths: frozenset[str], notes: Notes) -> Iterator[_Group]:
    by_rule: dict[tuple[str, bool, str, str], list[Mark]] = defaultdict(list)
    for mark in marks:
        branch = mark.branch
        if branch and (problem := branch_problem(branch)):
            notes.tell(mark.source, f"the branch {branch!r} {problem}; write the branch into the rules.")
            branch = ""
        key = (branch, mark.proposes, mark.choice.pattern, mark.choice.order)
        by_rule[key].append(replace(mark, branch=branch))
    ruled = list(by_rule.values())
    for number, found in share_out([{mark.file for mark in own} for own in ruled], paths):
        held = tuple(mark for mark in ruled[number] if mark.file in found.files)
        yield _Group(found.name, found.globs, found.base, held)


def _names(groups: Sequence[_Group]) -> Iterator[str]:
    """Name environments by their stages; where several have one, by what chooses their tags as well."""
    default = DEFAULT_RULES.environments[0].name
    count = Counter(group.stage for group in groups)
    taken: set[str] = set()
    for group in groups:
        name = group.stage or default
        if count[group.stage] > 1:
            own = _UNFIT.sub("-", group.marks[0].name.lower()).strip("-")
            name = "-".join(filter(None, (group.stage, own)))[:_MAX_NAME].rstrip("-.") or default
        number, stem = 2, name
        while name in taken:
            name, number = f"{stem[: _MAX_NAME - 4]}-{number}", number + 1
        taken.add(name)
        yield name


def _environment(group: _Group, name: str) -> Proposed:
    first = group.marks[0]
    said = list(dict.fromkeys(f"{mark.tool}'s {mark.name} ({mark.source})" for mark in group.marks))
    more = f" and {len(said) - 3} more" if len(said) > 3 else ""
    return Proposed(
        name=name,
        files=group.globs,
        base=group.base,
        branch=first.branch,
        pattern=first.choice.pattern,
        order=first.choice.order,
        proposes=first.proposes,
        reasons=(f"From {', '.join(said[:3])}{more}.",),
    )


class _Joining:
    """Sees whether places are found by looking; `images` are those that have to be named."""

    def __init__(self, survey: Survey, files: Files, notes: Notes) -> None:
        self._survey = survey
        self._files = files
        self._notes = notes
        self.images: list[PinnedPlace] = []

    def settle(self, group: _Group) -> None:
        """See to every place of a group, and tell of places beside them that move along."""
        scope = Scope(files=group.globs, base=group.base)
        by_file: dict[str, list[Mark]] = defaultdict(list)
        for mark in group.marks:
            by_file[mark.file].append(mark)
            for told in mark.choice.told:
                self._notes.tell(mark.source, f"{mark.tool}, {mark.name}: {told}.")
        for file, marks in by_file.items():
            targets = self._survey.in_file(scope, file)
            hidden = {mark.repository for mark in marks if self._is_hidden(mark, targets)}
            for mark in marks:
                # Where one place of an image is named, only those that are named count in that file.
                if mark.repository in hidden and mark.path:
                    self._name(mark)
            self._tell_of_neighbours(file, marks, targets)

    def _is_hidden(self, mark: Mark, targets: Sequence[Target]) -> bool:
        """Say whether a place has to be named; tell where its image is not what the tool would write."""
        where = f"{mark.file}:{mark.line}" if mark.line else mark.file
        shown = familiar_repository(mark.repository) if mark.repository else ""
        if not mark.path:
            if shown and not any(one.repository == mark.repository for one in targets):
                self._notes.tell(
                    where,
                    f"{shown} does not stand there: write it there once, as the updater writes tags and "
                    "nothing else.",
                )
            return False
        same = [one for one in targets if (one.document, one.path) == (mark.document, mark.path)]
        if same and shown and same[0].repository != mark.repository:
            stands = familiar_repository(same[0].repository)
            self._notes.tell(
                where, f"{stands} stands there, and {mark.tool} would write {shown}: write that there once."
            )
        if same:
            return False
        if not shown:
            self._notes.tell(where, f"whose tag {show_path(mark.path)} is, is not known: name it in images.")
        return bool(shown)

    def _name(self, mark: Mark) -> None:
        pin = PinnedPlace(mark.repository, mark.file, mark.path)
        places = self._documents_with(mark)
        if pin in self.images:
            return
        if places == 1:
            self.images.append(pin)
        else:
            there = f"in {places} documents of the file" if places else "nowhere in the file"
            self._notes.tell(
                mark.file,
                f"{show_path(mark.path)} stands {there}, and the rules need it in one.",
            )

    def _documents_with(self, mark: Mark) -> int:
        try:
            file_of_rules(mark.file)
            text = parse(self._files.read(mark.file))
        except (EditRefused, ValueError):
            return 0
        return sum(text.find(mark.path, document) is not None for document in range(len(text.documents)))

    def _tell_of_neighbours(self, file: str, marks: Sequence[Mark], targets: Sequence[Target]) -> None:
        """Say which places of the same images move along, although no marker stands there."""
        marked = {(mark.document, mark.path) for mark in marks}
        images = {mark.repository for mark in marks if mark.path}
        named = {pin.repository for pin in self.images if pin.file == file}
        for target in targets:
            if target.repository in images - named and (target.document, target.path) not in marked:
                self._notes.tell(
                    f"{file}:{target.line}",
                    f"{familiar_repository(target.repository)} stands there as well; its tag moves along.",
                )
