"""The bodies of GitLab's webhooks, with the fields that its documentation shows."""

from __future__ import annotations

from typing import Any

from support.gitlabworld.bodies import merge_request_url
from support.gitlabworld.core import Core
from support.gitlabworld.state import MergeRequest, Person, Pipeline
from support.gitlabworld.status import detailed_status, merge_status

Body = dict[str, Any]
_ZERO = "0" * 40
_MOST_COMMITS = 20


def hook_body(core: Core, event: str, about: object, more: Body) -> Body:
    """Return the body for an event of the core."""
    if isinstance(about, MergeRequest):
        return _merge_request(core, about, more)
    if isinstance(about, Pipeline):
        return _pipeline(core, about, more)
    assert event == "push"
    assert isinstance(about, str)
    return _push(core, about, more)


def _user(person: Person) -> Body:
    return {
        "id": person.id,
        "name": person.name,
        "username": person.username,
        "avatar_url": None,
        "email": person.email,
    }


def _project(core: Core) -> Body:
    url = f"{core.shown_url}/{core.project}"
    group, _, name = core.project.rpartition("/")
    return {
        "id": core.config.id,
        "name": name,
        "description": "",
        "web_url": url,
        "avatar_url": None,
        "git_ssh_url": f"git@gitlab.example.com:{core.project}.git",
        "git_http_url": f"{url}.git",
        "namespace": group,
        "visibility_level": 0,
        "path_with_namespace": core.project,
        "default_branch": core.repo.default_branch(),
        "ci_config_path": None,
        "homepage": url,
        "url": f"{url}.git",
    }


def _commit(core: Core, sha: str) -> Body:
    commit = core.repo.commit(sha)
    assert commit is not None
    return {
        "id": sha,
        "message": commit.message,
        "title": commit.title,
        "timestamp": commit.committed,
        "url": f"{core.shown_url}/{core.project}/-/commit/{sha}",
        "author": {"name": commit.author, "email": commit.author_email},
    }


def _merge_request(core: Core, request: MergeRequest, more: Body) -> Body:
    status = detailed_status(core, request)
    attributes = {
        "id": request.id,
        "iid": request.iid,
        "target_branch": request.target,
        "source_branch": request.source,
        "source_project_id": core.config.id,
        "target_project_id": core.config.id,
        "author_id": request.author.id,
        "assignee_ids": [person.id for person in request.assignees],
        "reviewer_ids": [person.id for person in request.reviewers],
        "title": request.title,
        "description": request.description or "",
        "created_at": request.created.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "updated_at": request.updated.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "state": request.state,
        "draft": request.draft,
        "work_in_progress": request.draft,
        "merge_status": merge_status(status),
        "detailed_merge_status": status,
        "merge_commit_sha": request.merge_commit,
        "blocking_discussions_resolved": request.open_discussions == 0,
        "url": merge_request_url(core, request),
        "last_commit": _commit(core, request.head),
        "source": _project(core),
        "target": _project(core),
        "labels": [{"title": label} for label in request.labels],
        "action": more["action"],
    }
    if more.get("oldrev"):
        attributes["oldrev"] = more["oldrev"]
    return {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": _user(more["by"]),
        "project": _project(core),
        "repository": {"name": core.project, "homepage": f"{core.shown_url}/{core.project}"},
        "object_attributes": attributes,
        "labels": attributes["labels"],
        "changes": {},
        "assignees": [_user(person) for person in request.assignees],
        "reviewers": [_user(person) for person in request.reviewers],
    }


def _pipeline(core: Core, pipeline: Pipeline, more: Body) -> Body:
    return {
        "object_kind": "pipeline",
        "object_attributes": {
            "id": pipeline.id,
            "iid": pipeline.iid,
            "ref": pipeline.ref,
            "tag": False,
            "sha": pipeline.sha,
            "before_sha": _ZERO,
            "source": "push",
            "status": pipeline.status,
            "detailed_status": "passed" if pipeline.status == "success" else pipeline.status,
            "stages": ["test"],
            "created_at": pipeline.created.strftime("%Y-%m-%d %H:%M:%S UTC"),
            "finished_at": None,
            "duration": None,
            "variables": [],
            "url": f"{core.shown_url}/{core.project}/-/pipelines/{pipeline.id}",
        },
        "merge_request": None,
        "user": _user(more["by"]),
        "project": _project(core),
        "commit": _commit(core, pipeline.sha),
        "builds": [],
    }


def _push(core: Core, branch: str, more: Body) -> Body:
    old, new, by = more["old"], more["new"], more["by"]
    commits = core.repo.commits(new, *([f"^{old}"] if old else [])) if new else []
    shown = list(reversed(commits[:_MOST_COMMITS]))
    return {
        "object_kind": "push",
        "event_name": "push",
        "before": old or _ZERO,
        "after": new or _ZERO,
        "ref": f"refs/heads/{branch}",
        "checkout_sha": new or None,
        "user_id": by.id,
        "user_name": by.name,
        "user_username": by.username,
        "user_email": "",
        "user_avatar": None,
        "project_id": core.config.id,
        "project": _project(core),
        "repository": {"name": core.project, "homepage": f"{core.shown_url}/{core.project}"},
        "commits": [_commit(core, commit.sha) | _files(core, commit.parents, commit.sha) for commit in shown],
        "total_commits_count": len(commits),
    }


def _files(core: Core, parents: tuple[str, ...], sha: str) -> Body:
    found: dict[str, list[str]] = {"added": [], "modified": [], "removed": []}
    for letter, path in core.repo.changes(parents[0], sha) if parents else []:
        found[{"A": "added", "D": "removed"}.get(letter, "modified")].append(path)
    return dict(found)
