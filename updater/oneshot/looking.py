"""Looking without changing anything: what an errand would do, and which tag stands where.

Hides which of a plan's contents are the last ones, and whether it is the remote or a folder. `cli`
calls it, and `acting` for what becomes of an errand in a folder.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from updater import wiring
from updater.charts import Target
from updater.errors import ForgeRefused, InvalidConfigRepo, InvalidRequest
from updater.messages import Messages, whole
from updater.model import Record, Request, Status, StatusRow
from updater.oneshot.errands import Foreseen
from updater.oneshot.grounds import checkout, open_house, shipped
from updater.plan import AnyChange, Change, Plan, Verdict, VersionMove, plan
from updater.sight import Known, Sight, look, look_at_folder
from updater.yamledit import show_path


@dataclass(frozen=True, slots=True)
class FileEdit:
    """One file's content before and after; empty where there is no such file.

    Of a new file that is a copy of another one, changed or not, `origin` names that one and `before` is its.
    """

    file: str
    before: bytes
    after: bytes
    origin: str = ""


def preview(errand: Foreseen, folder: Path | None = None) -> tuple[Record, list[FileEdit]]:
    """Return what the errand would do to the remote, or to a folder, and do nothing.

    Of a proposal the edits are all that its merge request would show: what it carries already is among
    them. There are none where nothing would be pushed.
    """
    request = errand.request()
    if folder is not None:
        sight = look_at_folder(checkout(folder))
        planned = plan(sight.rules, sight.grounds, [request])
        return told(planned, sight, request, shipped()), _edits(planned, sight)
    with open_house() as house:
        planned, sight = house.worker.desk.foresee(request)
        return told(planned, sight, request, house.messages), _edits(planned, sight)


def told(planned: Plan, sight: Sight, request: Request, messages: Messages) -> Record:
    """Return what was planned as a record that never was in a store.

    Raises:
        UpdaterError: a part of it cannot be decided now.
    """
    for problem in planned.waiting.values():
        raise problem
    verdicts = [_without_order(verdict) if sight.is_orderless else verdict for verdict in planned.verdicts]
    outcome = whole([messages.outcome(verdict) for verdict in verdicts])
    return Record(request=request, outcome=outcome, settled_at=wiring.now())


def _without_order(verdict: Verdict) -> Verdict:
    """Drop the notes that a plain folder without rules, where no order is wanted, would be full of."""
    wanted = tuple(note for note in verdict.notes if note.code not in ("no-order", "adopted"))
    return replace(verdict, notes=wanted)


def _edits(planned: Plan, sight: Sight) -> list[FileEdit]:
    """Return each file as it is on its branch, and as the last change of the plan leaves it there.

    The folders of old versions that go are left out: that they go is told.
    """
    proposed = [change for one in planned.proposals if one.is_news for change in one.changes]
    after: dict[str, dict[str, FileEdit]] = {}
    for change in (*planned.changes, *proposed):
        edits = after.setdefault(change.environment, {})
        gone = tuple(f"{folder}/" for one in _versions(change) for folder in one.removed)
        for path, content in change.files.items():
            if content is None and path.startswith(gone):
                edits.pop(path, None)
                continue
            origin = change.copies.get(path, "") if isinstance(change, Change) else ""
            before = edits.get(origin)
            old = before.after if before else _before(sight, change.environment, origin or path)
            edits[path] = FileEdit(path, old, content or b"", origin)
    return [edit for edits in after.values() for edit in edits.values()]


def _versions(change: AnyChange) -> tuple[VersionMove, ...]:
    return change.versions if isinstance(change, Change) else ()


def _before(sight: Sight, environment: str, path: str) -> bytes:
    files = sight.ground(environment).draft.base
    return files.read(path) if path in files.paths else b""


def standing(environment: str = "", chart: str = "", folder: Path | None = None) -> Status:
    """Return which tag stands where, since when, and what is in its way.

    Of a folder, and where the forge lets nobody in, only what stands there is known.

    Raises:
        InvalidRequest: the rules know no such environment.
        TemporaryError: the remote or the forge is away.
    """
    if folder is not None:
        return _standing(look_at_folder(checkout(folder)), environment, chart)
    with open_house() as house:
        try:
            return house.worker.accounts.status(environment, chart)
        except ForgeRefused as problem:
            # To see which tag stands where, read access to Git is enough.
            known = _standing(look(house.repo, Known()), environment, chart)
            return replace(known, problems=(*known.problems, str(problem)))


def _standing(sight: Sight, environment: str, chart: str) -> Status:
    names = [one.name for one in sight.rules.environments]
    if environment and environment not in names:
        raise InvalidRequest(f"The rules know no environment {environment!r}; they know {', '.join(names)}.")
    rows: list[StatusRow] = []
    problems: list[str] = []
    for one in sight.rules.environments:
        if environment not in ("", one.name):
            continue
        told = sight.grounds[one.name]
        if isinstance(told, InvalidConfigRepo):
            problems.append(str(told))
        ground = sight.seen.get(one.name, told)
        if isinstance(ground, InvalidConfigRepo):
            continue
        targets = ground.survey.all_targets(one.scope)
        rows += [_row(one.name, target) for target in targets if chart in ("", target.chart)]
        problems += [str(problem) for problem in ground.survey.problems(one.scope)]
    return Status(rows=tuple(rows), problems=tuple(dict.fromkeys(problems)))


def _row(environment: str, target: Target) -> StatusRow:
    return StatusRow(
        environment=environment,
        chart=target.chart,
        repository=target.repository,
        tag=target.tag,
        digest=target.digest or "",
        file=target.file,
        line=target.line,
        path=show_path(target.path),
    )
