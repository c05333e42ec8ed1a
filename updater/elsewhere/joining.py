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
from updater.elsewhere.widening import Key, Widening, Widenings, key_of, reason, widenings
from updater.errors import EditRefused
from updater.globs import MAX_LENGTH
from updater.model import Files, PinnedPlace, Scope, familiar_repository
from updater.policy import DEFAULT_RULES, Proposed, share_out
from updater.policy.grammar import branch_problem
from updater.policy.grammar import file as file_of_rules
from updater.yamledit import parse, show_path

_UNFIT = re.compile(r"[^a-z0-9]+")
_MAX_NAME = 60
_TO_DECIDE = (
    "The rules choose by file and tag, for every image of the file alike. For an environment that is "
    "commented out, decide: give each of its images a file of its own, or all of one file one policy, mend "
    "what is named, and run `updater init --force` again; or let each pipeline name its environment, with a "
    "token that may speak for its own image and environment alone (docs/settings.md); or let out what is "
    "named. For the last two, take the first # off the lines of the environment, and of its images."
)


@dataclass(frozen=True, slots=True)
class _Group:
    """Places that one environment can hold: `stage` is empty where their files show none."""

    stage: str
    globs: tuple[str, ...]
    base: str
    marks: tuple[Mark, ...]
    wider: tuple[Widening, ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """Environments, and places to be named; those `commented_out` are of environments that are."""

    environments: Sequence[Proposed]
    images: Sequence[PinnedPlace]
    commented_out: Sequence[PinnedPlace]


def join(marks: Sequence[Mark], survey: Survey, files: Files, notes: Notes) -> Joined:
    """Share the places out among environments, in the order builds travel, and name what is hard to find."""
    marks = [_on_branch(mark, notes) for mark in marks if _is_fit(mark, notes)]
    groups = list(_groups(marks, files.paths, {}))
    wider = widenings(marks, _places(groups, survey))
    groups = list(_groups(marks, files.paths, wider))
    environments = [_environment(*pair) for pair in zip(groups, _names(groups), strict=True)]
    for environment in environments:
        if environment.commented_out:
            notes.decide(f"{environment.name} is commented out: {environment.commented_out}")
    if wider:
        notes.decide(_TO_DECIDE)
    joining = _Joining(survey, files, notes)
    for group in groups:
        joining.settle(group)
    active = {mark.file for group in groups if not group.wider for mark in group.marks}
    return Joined(
        environments,
        [image for image in joining.images if image.file in active],
        [image for image in joining.images if image.file not in active],
    )


def _places(groups: Sequence[_Group], survey: Survey) -> dict[str, list[Target]]:
    """Return the images in each file of the groups."""
    found: dict[str, list[Target]] = defaultdict(list)
    for group in groups:
        for file in dict.fromkeys(mark.file for mark in group.marks):
            found[file] += survey.in_file(Scope(files=group.globs, base=group.base), file)
    return found


def _is_fit(mark: Mark, notes: Notes) -> bool:
    fits = len(mark.file) <= MAX_LENGTH
    if not fits:
        notes.tell(mark.file, "the name of the file is too long for the rules.")
    return fits


def _on_branch(mark: Mark, notes: Notes) -> Mark:
    if mark.branch and (problem := branch_problem(mark.branch)):
        notes.tell(mark.source, f"the branch {mark.branch!r} {problem}; write the branch into the rules.")
        return replace(mark, branch="")
    return mark


def _groups(marks: Sequence[Mark], paths: frozenset[str], wider: Widenings) -> Iterator[_Group]:
    """Yield places by what chooses them and their stage; files for which that is not exact by themselves."""
    by_rule: dict[tuple[Key, bool], list[Mark]] = defaultdict(list)
    for mark in marks:
        key = key_of(mark)
        by_rule[key, (mark.file, key) in wider].append(mark)
    ruled = sorted(by_rule.items(), key=lambda one: one[0][1])
    for number, found in share_out([{mark.file for mark in own} for _, own in ruled], paths):
        (key, _), own = ruled[number]
        held = tuple(mark for mark in own if mark.file in found.files)
        widened = [one for file in found.files for one in wider.get((file, key), ())]
        yield _Group(found.name, found.globs, found.base, held, tuple(widened))


def _names(groups: Sequence[_Group]) -> Iterator[str]:
    """Name environments by their stages; where several have one, by what chooses their tags as well."""
    default = DEFAULT_RULES.environments[0].name
    count = Counter(group.stage for group in groups)
    taken: set[str] = set()
    for group in groups:
        name = group.stage or default
        if count[group.stage] > 1:
            parts = _UNFIT.sub("-", group.marks[0].name.lower()).strip("-").split("-")
            # `web-prod` of the stage prod is `prod-web`.
            own = "-".join(part for part in parts if part != group.stage)
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
        commented_out=reason(name, group.wider) if group.wider else "",
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
            hidden |= self._to_be_told_apart(marks, targets)
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

    def _to_be_told_apart(self, marks: Sequence[Mark], targets: Sequence[Target]) -> set[str]:
        """Return the images of which other places stand in the file, where the marked ones can be named."""
        marked: dict[str, list[Mark]] = defaultdict(list)
        for mark in marks:
            marked[mark.repository].append(mark)
        places = {(mark.document, mark.path) for mark in marks}
        beside = {one.repository for one in targets if (one.document, one.path) not in places}
        # A digest in a field of its own would be lost from sight in a place that is named.
        standing = {(one.document, one.path): one.repository for one in targets if not one.digest}
        return {
            repository
            for repository in beside & marked.keys()
            if all(
                standing.get((mark.document, mark.path)) == repository and self._documents_with(mark) == 1
                for mark in marked[repository]
            )
        }

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
                self._notes.mention(
                    f"{file}:{target.line}",
                    f"{familiar_repository(target.repository)} stands there as well; its tag moves along.",
                )
