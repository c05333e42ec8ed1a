"""Merge requests over HTTP: list, make, change, merge, approve, comment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support.gitlabworld import bodies
from support.gitlabworld.acts import Acts
from support.gitlabworld.merging import attempt
from support.gitlabworld.routing import FORBIDDEN, Answer, Asked, not_found, paged, refused, route
from support.gitlabworld.state import LEVELS, MergeRequest, Terms
from support.gitlabworld.status import detailed_status

_MRS = "projects/{id}/merge_requests"
_MR = _MRS + "/{iid}"
_CHANGEABLE = (
    *("title", "description", "target_branch", "state_event", "squash", "remove_source_branch"),
    *("labels", "add_labels", "remove_labels", "milestone_id", "discussion_locked"),
    *("assignee_id", "assignee_ids", "reviewer_ids"),
)


def on_request(method: str, path: str) -> Callable[[Callable[[Acts, Asked, MergeRequest], Answer]], object]:
    """Register what is asked of one merge request; 404 where there is none of that number."""

    def register(function: Callable[[Acts, Asked, MergeRequest], Answer]) -> object:
        def answer(world: Acts, asked: Asked) -> Answer:
            for request in world.requests:
                if str(request.iid) == asked.captures["iid"]:
                    return function(world, asked, request)
            return refused(404, "404 Not found")

        return route(method, _MR + path)(answer)

    return register


def _whole(world: Acts, asked: Asked, request: MergeRequest, status: int = 200) -> Answer:
    return Answer(status, bodies.whole_merge_request_body(world, request, asked.by))


@route("GET", _MRS)
def list_requests(world: Acts, asked: Asked) -> Answer:
    rows = [request for request in world.requests if _matches(asked, request)]
    by_update = asked.text("order_by") == "updated_at"
    rows.sort(key=lambda request: (request.updated if by_update else request.created, request.id))
    if asked.text("sort", "desc") == "desc":
        rows.reverse()
    answer = paged(world, asked, rows)
    shown: list[MergeRequest] = answer.body
    body = [bodies.merge_request_body(world, request) for request in shown]
    for request in shown:
        world.answered(request, single=False)
    return Answer(200, body, answer.headers)


def _matches(asked: Asked, request: MergeRequest) -> bool:
    state = asked.text("state", "all")
    wanted: dict[str, Any] = {
        "source_branch": request.source,
        "target_branch": request.target,
        "author_username": request.author.username,
    }
    return (
        state in ("all", request.state)
        and all(asked.text(name, value) == value for name, value in wanted.items())
        and set(asked.names("labels")) <= set(request.labels)
        and (not asked.names("iids") or request.iid in asked.numbers("iids"))
        and asked.text("search").lower() in f"{request.title} {request.description or ''}".lower()
    )


@route("POST", _MRS)
def make_request(world: Acts, asked: Asked) -> Answer:
    lacks = asked.missing("title", "source_branch", "target_branch")
    if lacks:
        return lacks
    if asked.by.level < LEVELS["developer"] or not world.merge_requests_enabled:
        return FORBIDDEN
    source, target = asked.text("source_branch"), asked.text("target_branch")
    if source == target:
        return refused(422, ["You can't use same project/branch for source and target"])
    for branch, name in ((source, "source_branch"), (target, "target_branch")):
        if branch not in world.refs:
            return refused(400, {name: ["does not exist"]})
    same = world.open_like(source, target)
    if same:
        return _another(same)
    request = world.make_request(source, target, asked.text("title"), by=asked.by)
    _apply(world, asked, request)
    world.emit("merge_request", request, action="open", by=asked.by)
    world.run_pipeline(request)
    return _whole(world, asked, request, 201)


def _another(request: MergeRequest) -> Answer:
    return refused(409, [f"Another open merge request already exists for this source branch: !{request.iid}"])


@on_request("GET", "")
def show_request(world: Acts, asked: Asked, request: MergeRequest) -> Answer:
    world.look_at(request)
    answer = _whole(world, asked, request)
    world.answered(request, single=True)
    return answer


@on_request("PUT", "")
def change_request(world: Acts, asked: Asked, request: MergeRequest) -> Answer:
    if not set(asked.params) & set(_CHANGEABLE):
        names = ", ".join(_CHANGEABLE)
        return Answer(400, {"error": f"{names} are missing, at least one parameter must be provided"})
    if asked.by.level < LEVELS["developer"] and asked.by is not request.author:
        return FORBIDDEN
    event = asked.text("state_event")
    if event == "reopen" and request.state == "closed":
        same = world.open_like(request.source, request.target)
        if same:
            return _another(same)
    target = asked.text("target_branch", request.target)
    same = world.open_like(request.source, target) if request.state == "opened" else None
    if same not in (None, request):
        return _another(same)
    _apply(world, asked, request)
    world.change_state(request, event, by=asked.by)
    if not event:
        world.emit("merge_request", request, action="update", by=asked.by)
    return _whole(world, asked, request)


def _apply(world: Acts, asked: Asked, request: MergeRequest) -> None:
    """Take over every field that the parameters name."""
    given = asked.params
    request.title = asked.text("title", request.title)
    if "description" in given:
        request.description = asked.text("description")
    request.target = asked.text("target_branch", request.target)
    if "squash" in given:
        request.squash = asked.flag("squash")
    if "remove_source_branch" in given:
        request.remove_source = asked.flag("remove_source_branch")
    if "labels" in given:
        request.labels = asked.names("labels")
    kept = [label for label in request.labels if label not in asked.names("remove_labels")]
    request.labels = list(dict.fromkeys([*kept, *asked.names("add_labels")]))
    if "milestone_id" in given:
        number = int(asked.text("milestone_id") or 0)
        request.milestone = next((found for found in world.milestones if found.id == number), None)
    _apply_people(world, asked, request)
    world.touch(request)


def _apply_people(world: Acts, asked: Asked, request: MergeRequest) -> None:
    """Take over people; ids of nobody are passed over, and the free edition keeps one of each."""
    most = 200 if world.edition == "ee" else 1
    for name in ("assignee_ids", "reviewer_ids"):
        if name in asked.params:
            numbers = asked.numbers(name)
            people = [person for number in numbers for person in world.people if person.id == number][:most]
            if name == "assignee_ids":
                request.assignees = people
            else:
                request.reviewers = people


@on_request("PUT", "/merge")
def merge_request(world: Acts, asked: Asked, request: MergeRequest) -> Answer:
    terms = Terms(
        squash=asked.flag("squash") if "squash" in asked.params else request.squash,
        remove_source=asked.flag("should_remove_source_branch"),
        merge_message=asked.text("merge_commit_message"),
        squash_message=asked.text("squash_commit_message"),
    )
    auto = asked.flag("auto_merge") or asked.flag("merge_when_pipeline_succeeds")
    no = attempt(world, request, asked.by, sha=asked.text("sha"), auto=auto, terms=terms)
    return refused(*no) if no else _whole(world, asked, request)


@on_request("POST", "/cancel_merge_when_pipeline_succeeds")
def cancel_auto_merge(world: Acts, asked: Asked, request: MergeRequest) -> Answer:
    if request.state != "opened":
        return refused(405, "405 Method Not Allowed")
    if request.armed_by is None:
        return refused(406, "406 Not Acceptable")
    request.armed_by = None
    return _whole(world, asked, request, 201)


@on_request("GET", "/merge_ref")
def merge_ref(world: Acts, asked: Asked, request: MergeRequest) -> Answer:
    target = world.refs.get(request.target, "")
    tree = world.repo.merged_tree(target, request.head) if target else None
    if tree is None or detailed_status(world, request) == "not_open":
        return refused(400, "Merge request is not mergeable")
    commit = world.repo.commit_tree(
        tree, [target, request.head], "Would be merged", by=asked.by, at=world.clock()
    )
    return Answer(200, {"commit_id": commit})


@on_request("GET", "/commits")
def list_commits(world: Acts, asked: Asked, request: MergeRequest) -> Answer:
    """Answer the newest first, as GitLab does; of an ended one, those it had."""
    exclude = [f"^{request.base}"] if request.base else []
    commits = world.repo.commits(request.head, *exclude)
    return paged(world, asked, [bodies.commit_body(world, commit) for commit in commits])


@on_request("GET", "/diffs")
def list_diffs(world: Acts, asked: Asked, request: MergeRequest) -> Answer:
    rows = [
        {
            "old_path": path,
            "new_path": path,
            "a_mode": "0" if letter == "A" else "100644",
            "b_mode": "0" if letter == "D" else "100644",
            "new_file": letter == "A",
            "renamed_file": False,
            "deleted_file": letter == "D",
            "generated_file": False,
            "diff": world.repo.patch(request.base, request.head, path),
        }
        for letter, path in world.repo.changes(request.base, request.head)
    ]
    return paged(world, asked, rows)


@on_request("GET", "/pipelines")
def list_pipelines(world: Acts, asked: Asked, request: MergeRequest) -> Answer:
    found = [pipeline for pipeline in world.pipelines if pipeline.ref == request.source]
    return paged(world, asked, [bodies.pipeline_body(world, pipeline) for pipeline in reversed(found)])


@on_request("GET", "/approvals")
def show_approvals(world: Acts, asked: Asked, request: MergeRequest) -> Answer:
    return Answer(200, bodies.approvals_body(world, request, asked.by))


@on_request("POST", "/approve")
def approve(world: Acts, asked: Asked, request: MergeRequest) -> Answer:
    if asked.text("sha") not in ("", request.head):
        return refused(409, f"SHA does not match HEAD of source branch: {request.head}")
    if asked.by.level < LEVELS["developer"] or asked.by in request.approvals:
        return refused(401, "401 Unauthorized")
    world.person_approves(request.iid, asked.by.username)
    return Answer(201, bodies.approvals_body(world, request, asked.by))


@on_request("POST", "/unapprove")
def unapprove(world: Acts, asked: Asked, request: MergeRequest) -> Answer:
    if asked.by not in request.approvals:
        return not_found("Approval")
    request.approvals.remove(asked.by)
    world.emit("merge_request", request, action="unapproved", by=asked.by)
    return Answer(201, bodies.approvals_body(world, request, asked.by))


@on_request("GET", "/notes")
def list_notes(world: Acts, asked: Asked, request: MergeRequest) -> Answer:
    rows = sorted(request.notes, key=lambda note: (note.created, note.id))
    if asked.text("sort", "desc") == "desc":
        rows.reverse()
    return paged(world, asked, [bodies.note_body(world, request, note) for note in rows])


@on_request("POST", "/notes")
def make_note(world: Acts, asked: Asked, request: MergeRequest) -> Answer:
    lacks = asked.missing("body")
    if lacks:
        return lacks
    note = world.add_note(request, asked.by, asked.text("body"))
    return Answer(201, bodies.note_body(world, request, note))


@on_request("GET", "/notes/{note}")
def show_note(world: Acts, asked: Asked, request: MergeRequest) -> Answer:
    for note in request.notes:
        if str(note.id) == asked.captures["note"]:
            return Answer(200, bodies.note_body(world, request, note))
    return not_found("Note")


@on_request("PUT", "/notes/{note}")
def change_note(world: Acts, asked: Asked, request: MergeRequest) -> Answer:
    for note in request.notes:
        if str(note.id) == asked.captures["note"]:
            if note.author is not asked.by:
                return FORBIDDEN
            note.body, note.updated = asked.text("body"), world.clock()
            return Answer(200, bodies.note_body(world, request, note))
    return not_found("Note")
