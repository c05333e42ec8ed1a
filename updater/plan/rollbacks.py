"""Takes deployments back: what every file holds then, what stands again, and what is held for it.

It hides that a rollback is `git revert` where nothing stands in its way, and the tags of one chart alone
where a person asks for that (product section "rollback"). Which deployments go is chosen by `stepping`;
nobody is asked about tag order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from updater.charts import Survey, Target
from updater.charts.layout import CHART_FILE
from updater.errors import EditRefused
from updater.model import (
    Deployment,
    Hold,
    ImageReference,
    PlaceOutcome,
    RollbackRequest,
    Source,
    Until,
    UpdateRequest,
    familiar_repository,
)
from updater.plan.along import bring_along
from updater.plan.draft import Draft, Ground
from updater.plan.holding import written_holds
from updater.plan.undo import Restored, Rollback, Undo
from updater.plan.values import Change, Edits, Reason, Refusal
from updater.policy import HOLDS_PATH, Environment, changed_holds, is_for, new_hold, newest
from updater.trailers import person
from updater.yamledit import show_path

_OWN = ("update", "promotion")
_NO_IMAGE = ImageReference("", "", "")

_Key = tuple[str, str]  # chart and repository


def standing_tags(
    environment: Environment, ground: Ground, charts: Collection[str]
) -> dict[_Key, set[str | None]]:
    """Return the tags that stand in some charts, by chart and repository.

    Raises:
        Refusal: a file cannot be read.
    """
    found: dict[_Key, set[str | None]] = {}
    for target in _targets(environment, ground, charts):
        found.setdefault((target.chart, target.repository), set()).add(target.tag)
    return found


def _targets(environment: Environment, ground: Ground, charts: Collection[str]) -> tuple[Target, ...]:
    try:
        return ground.survey.targets_in(environment.scope, charts)
    except EditRefused as problem:
        raise Refusal(
            Reason("unsafe-edit", {"problem": str(problem), "image": ", ".join(charts)})
        ) from problem


def overtaken(environment: Environment, ground: Ground, undo: Undo) -> tuple[Deployment, str] | None:
    """Return a deployment that is to be taken back and does not stand any more, and in which chart."""
    standing = standing_tags(environment, ground, undo.charts)
    seen: set[_Key] = set()
    for one in _undone(environment, ground, undo):
        for chart in (chart for chart in one.charts if chart in undo.charts):
            key = (chart, one.repository)
            if key not in seen and one.tag not in standing.get(key, {None}):
                return one, chart
            seen.add(key)
    return None


@dataclass(slots=True)
class Taken:
    """What taking back makes of the files, and which images stand again."""

    edits: Edits
    restored: list[Restored] = field(default_factory=list)


def take_back(environment: Environment, ground: Ground, undo: Undo) -> Taken:
    """Return what every file holds once deployments are taken back.

    Raises:
        Refusal: later commits changed the same lines, or a place is not there any more.
    """
    files = _alone(environment, ground, undo) if undo.alone else _whole(environment, ground, undo)
    fork = ground.fork(files)
    edits = Edits(files=files)
    taken = Taken(edits)
    before = {(one.file, one.path): one for one in _targets(environment, ground, undo.charts)}
    after = {(one.file, one.path): one for one in _targets(environment, fork, undo.charts)}
    moved: dict[tuple[str, str, str | None], dict[str, str]] = {}
    for key, old in before.items():
        new = after.get(key)
        tag = new.tag if new else None
        if (old.tag, old.digest) != (tag, new.digest if new else None):
            edits.places.append(_place(old, tag))
            name = str(_image(old, new))
            moved.setdefault((name, old.repository, old.tag), {})[old.chart] = name
    for key in after.keys() - before.keys():
        new = after[key]
        edits.places.append(replace(_place(new, new.tag), old=None))
        moved.setdefault((str(_image(new, new)), new.repository, None), {})[new.chart] = new.file
    undone = _undone(environment, ground, undo)
    pairs = [*((old, after.get(key)) for key, old in before.items()), *((new, new) for new in after.values())]
    images = {str(_image(old, new)): _image(old, new) for old, new in pairs}
    for (name, repository, bad), charts in moved.items():
        mine = [one for one in undone if one.repository == repository and set(one.charts) & set(charts)]
        build = newest(environment, [one.tag for one in mine if one.tag]) or bad or ""
        taken.restored.append(Restored(image=images[name], old=bad, charts=tuple(charts), build=build))
    return taken


def _whole(environment: Environment, ground: Ground, undo: Undo) -> dict[str, bytes | None]:
    changed = ground.past.undone(undo.commits)
    met = [path for path in changed if ground.draft.is_changed(path)]
    clashes = isinstance(changed, tuple) or met
    # The updater's own deployments changed tags and what follows them, so the tags are all of it: then it is
    # no matter that somebody edited the lines beside them, which Git cannot know. And a version that was
    # published in a folder, when the rules wanted folders, is never taken away again.
    takes_charts = any(path.rpartition("/")[2] == CHART_FILE for path in _deleted(changed))
    if (clashes or takes_charts) and all(one.kind in _OWN for one in _undone(environment, ground, undo)):
        return _alone(environment, ground, undo)
    if isinstance(changed, tuple) or met:
        facts = {"environment": environment.name, "commits": [one[:10] for one in undo.commits]}
        facts["chart"] = ", ".join(undo.charts)
        raise Refusal(Reason("rollback-clashes", {**facts, "files": met or list(changed)}))
    return dict(changed)


def _deleted(changed: Mapping[str, bytes | None] | tuple[str, ...]) -> list[str]:
    return [] if isinstance(changed, tuple) else [path for path, data in changed.items() if data is None]


def _alone(environment: Environment, ground: Ground, undo: Undo) -> dict[str, bytes | None]:
    """Return the files of the charts with the tags and digests that stood before the oldest commit."""
    past = ground.past.before(undo.commits[-1])
    then = Ground(ground.branch, Draft(past), Survey(past, ground.survey))
    before = then.survey.readable_in(environment.scope, undo.charts)
    old = {(then.survey.lasting(environment.scope, one.file), one.path): one for one in before}
    undone = {(chart, one.repository) for one in _undone(environment, ground, undo) for chart in one.charts}
    changes: dict[str, list[tuple[Target, str, str | None]]] = {}
    for target in _targets(environment, ground, undo.charts):
        stood = old.get((ground.survey.lasting(environment.scope, target.file), target.path))
        if (target.chart, target.repository) not in undone or stood is None:
            continue
        if stood.tag is None or target.problem:
            where = {"file": target.file, "line": target.line, "chart": target.chart}
            raise Refusal(Reason("rollback-no-tag", {**where, "environment": environment.name}))
        changes.setdefault(target.file, []).append((target, stood.tag, _digest(target, stood)))
    try:
        written = {file: ground.survey.write(file, those) for file, those in changes.items()}
    except EditRefused as problem:
        facts = {"problem": str(problem), "image": ", ".join(undo.charts)}
        raise Refusal(Reason("unsafe-edit", facts)) from problem
    return {file: content for file, content in written.items() if content != ground.draft.read(file)}


def _digest(target: Target, before: Target) -> str | None:
    return before.digest or ("" if target.digest else None)


def _image(old: Target, new: Target | None) -> ImageReference:
    name = familiar_repository(old.repository)
    return ImageReference(
        name, old.repository, (new.tag if new else None) or "", (new.digest if new else None) or None
    )


def _place(old: Target, new: str | None) -> PlaceOutcome:
    return PlaceOutcome(
        chart=old.chart, file=old.file, line=old.line, path=show_path(old.path), old=old.tag, new=new
    )


def _undone(environment: Environment, ground: Ground, undo: Undo) -> list[Deployment]:
    """Return the deployments that are taken back, the newest first."""
    made = ground.past.made_by(undo.commits)
    return [one for one in made if one.environment == environment.name]


# What becomes of it


def rollback_change(
    environment: Environment, ground: Ground, undo: Undo, wish: UpdateRequest
) -> tuple[Change, Edits] | None:
    """Return the commit that takes deployments back and holds what it took back; None: nothing would change.

    `wish` says who asks, when and why; its image does not count. Where what was deployed does not stand any
    more, there is nothing left to take back: somebody has decided otherwise since.

    Raises:
        Refusal: as for `take_back`.
    """
    if overtaken(environment, ground, undo):
        return None
    taken = take_back(environment, ground, undo)
    if not taken.edits.files or not taken.restored:
        return None
    bring_along(environment, ground, taken.edits, ", ".join(undo.charts))
    holds = list(_holds(environment, ground, taken, wish))
    taken.edits.files |= _with_holds(environment, ground, taken, holds)
    image = next((one.image for one in taken.restored if one.image.tag), taken.restored[0].image)
    change = Change(
        environment=environment.name,
        branch=ground.branch,
        image=image,
        previous=tuple(dict.fromkeys(one.old for one in taken.restored)),
        charts=tuple(dict.fromkeys(chart for one in taken.restored for chart in one.charts)),
        files=taken.edits.files,
        requests=(wish,),
        rollback=Rollback(
            undo=undo, restored=tuple(taken.restored), subjects=_subjects(environment, ground, undo)
        ),
        versions=tuple(taken.edits.versions),
        copies=taken.edits.copies,
    )
    return change, taken.edits


def _holds(environment: Environment, ground: Ground, taken: Taken, wish: UpdateRequest) -> Iterator[Hold]:
    by_rule: Until = "release" if environment.rollback.hold == "until-release" else "newer"
    for one in taken.restored:
        for chart in one.charts if one.build else ():
            same = _same_holds(ground, environment.name, chart, one)
            yield new_hold(
                Hold(
                    environment=environment.name,
                    chart=chart,
                    repository=one.image.repository,
                    build=one.build,
                    until="release" if any(hold.until == "release" for hold in same) else by_rule,
                    by=wish.caller.name,
                    at=wish.received_at,
                    reason=wish.reason,
                )
            )


def _same_holds(ground: Ground, environment: str, chart: str, restored: Restored) -> list[Hold]:
    """Return the holds of the very build; those of other builds stand for themselves."""
    key = (restored.image.repository, restored.build)
    return [
        hold
        for hold in written_holds(ground)
        if is_for(hold, environment, chart) and (hold.repository, hold.build) == key
    ]


def _with_holds(
    environment: Environment, ground: Ground, taken: Taken, holds: Sequence[Hold]
) -> dict[str, bytes | None]:
    """Return the file of holds with new ones, each in the place of what was held of the same build."""
    if not holds:
        return {}
    replaced = {
        hold
        for one in taken.restored
        for chart in one.charts
        for hold in _same_holds(ground, environment.name, chart, one)
    }
    data = ground.draft.get(HOLDS_PATH)
    return {HOLDS_PATH: changed_holds(data, add=holds, remove=replaced)}


def _subjects(environment: Environment, ground: Ground, undo: Undo) -> tuple[str, ...]:
    known = {one.commit: one.subject for one in _undone(environment, ground, undo)}
    return tuple(known.get(commit, commit[:10]) for commit in undo.commits)


def wish_of(request: RollbackRequest, charts: tuple[str, ...]) -> UpdateRequest:
    """Return a rollback as the wish that its change is told by; the image is yet to be known."""
    by = person(request.caller.name)
    return UpdateRequest(
        id=request.id,
        image=_NO_IMAGE,
        caller=replace(request.caller, name=by),
        # The history keeps whole seconds; what is read back from it must be the same.
        received_at=request.received_at.replace(microsecond=0),
        sequence=request.sequence,
        environment=request.environment,
        source=Source(author=by),
        charts=charts,
        override=request.override,
        reason=request.reason,
        done=request.done,
    )
