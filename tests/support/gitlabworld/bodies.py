"""The JSON that GitLab answers, field for field as a live server's; what nobody reads is left out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from support.gitlabworld.core import Core
from support.gitlabworld.repo import GitCommit
from support.gitlabworld.state import (
    Deployment,
    MergeRequest,
    Milestone,
    Note,
    Person,
    Pipeline,
    Project,
    Protection,
)
from support.gitlabworld.status import detailed_status, has_conflicts, merge_status

Body = dict[str, Any]
_LEVEL_NAMES = {0: "No one", 30: "Developers + Maintainers", 40: "Maintainers", 60: "Administrators"}


def moment(at: datetime | None) -> str | None:
    """Return a time as the API writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z" if at else None


def user_body(core: Core, person: Person) -> Body:
    return {
        "id": person.id,
        "username": person.username,
        "public_email": None,
        "name": person.name,
        "state": "active",
        "locked": False,
        "avatar_url": None,
        "web_url": f"{core.shown_url}/{person.username}",
    }


def _maybe_user(core: Core, person: Person | None) -> Body | None:
    return user_body(core, person) if person else None


def project_body(core: Core, project: Project, person: Person) -> Body:
    name = project.path.rpartition("/")[2]
    url = f"{core.shown_url}/{project.path}"
    return {
        "id": project.id,
        "name": name,
        "path": name,
        "path_with_namespace": project.path,
        "default_branch": core.repo.default_branch() if project is core.config else "main",
        "web_url": url,
        "http_url_to_repo": f"{url}.git",
        "archived": False,
        "empty_repo": project is not core.config or not core.refs,
        "merge_method": core.merge_method,
        "merge_requests_enabled": core.merge_requests_enabled,
        "merge_requests_access_level": "enabled" if core.merge_requests_enabled else "disabled",
        "can_create_merge_request_in": core.merge_requests_enabled,
        "jobs_enabled": core.builds_enabled,
        "builds_access_level": "enabled" if core.builds_enabled else "disabled",
        "only_allow_merge_if_pipeline_succeeds": core.must_pass,
        "only_allow_merge_if_all_discussions_are_resolved": core.must_resolve,
        "remove_source_branch_after_merge": True,
        "squash_option": "default_off",
        "visibility": "private",
        "permissions": {
            "project_access": {"access_level": min(person.level, project.level), "notification_level": 3},
            "group_access": None,
        },
    }


def pipeline_body(core: Core, pipeline: Pipeline) -> Body:
    return {
        "id": pipeline.id,
        "iid": pipeline.iid,
        "project_id": core.config.id,
        "sha": pipeline.sha,
        "ref": pipeline.ref,
        "status": pipeline.status,
        "source": "push",
        "created_at": moment(pipeline.created),
        "updated_at": moment(pipeline.updated),
        "web_url": f"{core.shown_url}/{core.project}/-/pipelines/{pipeline.id}",
        "name": None,
    }


def whole_pipeline_body(core: Core, pipeline: Pipeline) -> Body:
    body = pipeline_body(core, pipeline)
    del body["name"]
    return body | {
        "before_sha": "0" * 40,
        "tag": False,
        "yaml_errors": None,
        "user": user_body(core, pipeline.user),
        "started_at": None,
        "finished_at": None,
        "committed_at": None,
        "duration": None,
        "queued_duration": None,
        "coverage": None,
        "archived": False,
        "detailed_status": {"text": pipeline.status.title(), "group": pipeline.status},
    }


def merge_request_body(core: Core, request: MergeRequest) -> Body:
    """Return what a list shows."""
    status = detailed_status(core, request)
    return {
        "id": request.id,
        "iid": request.iid,
        "project_id": core.config.id,
        "title": request.title,
        "description": request.description,
        "state": request.state,
        "created_at": moment(request.created),
        "updated_at": moment(request.updated),
        **_ends(core, request),
        "target_branch": request.target,
        "source_branch": request.source,
        "user_notes_count": sum(not note.system for note in request.notes),
        "upvotes": 0,
        "downvotes": 0,
        **_people(core, request),
        "source_project_id": core.config.id,
        "target_project_id": core.config.id,
        "labels": request.labels,
        "draft": request.draft,
        "imported": False,
        "imported_from": "none",
        "work_in_progress": request.draft,
        "milestone": milestone_body(core, request.milestone) if request.milestone else None,
        "merge_when_pipeline_succeeds": request.armed_by is not None,
        "merge_status": merge_status(status),
        "detailed_merge_status": status,
        "merge_after": None,
        "discussion_locked": None,
        "should_remove_source_branch": None,
        "force_remove_source_branch": request.remove_source,
        "prepared_at": moment(request.prepared_at),
        "squash": request.squash,
        "squash_on_merge": request.squash,
        "has_conflicts": has_conflicts(core, request),
        "blocking_discussions_resolved": request.open_discussions == 0,
        **_names(core, request),
    }


def whole_merge_request_body(core: Core, request: MergeRequest, person: Person) -> Body:
    """Return what a single GET, and every write, shows."""
    pipeline = core.pipeline_of(request)
    prepared = request.prepared_at is not None
    refs = {"base_sha": request.base, "head_sha": request.head, "start_sha": request.base}
    return merge_request_body(core, request) | {
        "subscribed": True,
        "changes_count": str(len(core.repo.changes(request.base, request.head)))
        if prepared and request.base
        else None,
        "latest_build_started_at": None,
        "latest_build_finished_at": None,
        "first_deployed_to_production_at": None,
        "pipeline": None,
        "head_pipeline": whole_pipeline_body(core, pipeline) if pipeline else None,
        "diff_refs": refs if prepared and request.base else None,
        "merge_error": request.merge_error,
        "user": {"can_merge": core.may(person, request.target, "merge")},
    }


def _ends(core: Core, request: MergeRequest) -> Body:
    merger = _maybe_user(core, request.merged_by)
    return {
        "merged_by": merger,
        "merge_user": merger or _maybe_user(core, request.armed_by),
        "merged_at": moment(request.merged_at),
        "closed_by": _maybe_user(core, request.closed_by),
        "closed_at": moment(request.closed_at),
        "sha": request.head,
        "merge_commit_sha": request.merge_commit,
        "squash_commit_sha": request.squash_commit,
    }


def _people(core: Core, request: MergeRequest) -> Body:
    assignees = [user_body(core, person) for person in request.assignees]
    return {
        "author": user_body(core, request.author),
        "assignees": assignees,
        "assignee": assignees[0] if assignees else None,
        "reviewers": [user_body(core, person) for person in request.reviewers],
    }


def _names(core: Core, request: MergeRequest) -> Body:
    short = f"!{request.iid}"
    return {
        "reference": short,
        "references": {"short": short, "relative": short, "full": f"{core.project}{short}"},
        "web_url": merge_request_url(core, request),
        "time_stats": {
            "time_estimate": 0,
            "total_time_spent": 0,
            "human_time_estimate": None,
            "human_total_time_spent": None,
        },
        "task_completion_status": {"count": 0, "completed_count": 0},
    }


def merge_request_url(core: Core, request: MergeRequest) -> str:
    return f"{core.shown_url}/{core.project}/-/merge_requests/{request.iid}"


def milestone_body(core: Core, milestone: Milestone) -> Body:
    return {
        "id": milestone.id,
        "iid": milestone.iid,
        "project_id": core.config.id,
        "title": milestone.title,
        "description": None,
        "state": "active",
        "due_date": None,
        "start_date": None,
        "expired": False,
        "web_url": f"{core.shown_url}/{core.project}/-/milestones/{milestone.iid}",
    }


def note_body(core: Core, request: MergeRequest, note: Note) -> Body:
    return {
        "id": note.id,
        "body": note.body,
        "author": user_body(core, note.author),
        "created_at": moment(note.created),
        "updated_at": moment(note.updated),
        "system": note.system,
        "noteable_id": request.id,
        "noteable_type": "MergeRequest",
        "noteable_iid": request.iid,
        "resolvable": False,
        "internal": False,
    }


def approvals_body(core: Core, request: MergeRequest, person: Person) -> Body:
    needed = core.approvals_required if core.edition == "ee" else 0
    return {
        "user_has_approved": person in request.approvals,
        "user_can_approve": person not in request.approvals and request.state == "opened",
        # Without required approvals one approval is what makes it approved.
        "approved": len(request.approvals) >= needed if core.edition == "ee" else bool(request.approvals),
        "approved_by": [{"user": user_body(core, by)} for by in request.approvals],
    }


def commit_body(core: Core, commit: GitCommit) -> Body:
    return {
        "id": commit.sha,
        "short_id": commit.sha[:8],
        "created_at": commit.committed,
        "parent_ids": list(commit.parents),
        "title": commit.title,
        "message": commit.message,
        "author_name": commit.author,
        "author_email": commit.author_email,
        "authored_date": commit.authored,
        "committer_name": commit.committer,
        "committer_email": commit.committer_email,
        "committed_date": commit.committed,
        "trailers": {},
        "extended_trailers": {},
        "web_url": f"{core.shown_url}/{core.project}/-/commit/{commit.sha}",
    }


def branch_body(core: Core, name: str, person: Person) -> Body:
    commit = core.repo.commit(core.refs[name])
    assert commit is not None
    default = core.repo.default_branch()
    protections = core.protection(name)
    return {
        "name": name,
        "commit": commit_body(core, commit),
        "merged": name != default
        and default in core.refs
        and core.repo.contains(core.refs[default], commit.sha),
        "protected": bool(protections),
        "developers_can_push": any(0 < found.push <= 30 for found in protections),
        "developers_can_merge": any(0 < found.merge <= 30 for found in protections),
        "can_push": core.may(person, name, "push"),
        "default": name == default,
        "web_url": f"{core.shown_url}/{core.project}/-/tree/{name}",
    }


def protection_body(found: Protection) -> Body:
    return {
        "id": found.id,
        "name": found.pattern,
        "push_access_levels": [_level(found.id * 10 + 1, found.push)],
        "merge_access_levels": [_level(found.id * 10 + 2, found.merge)],
        "allow_force_push": False,
    }


def _level(number: int, level: int) -> Body:
    return {"id": number, "access_level": level, "access_level_description": _LEVEL_NAMES[level]}


def deployment_body(core: Core, deployment: Deployment) -> Body:
    return {
        "id": deployment.id,
        "iid": deployment.iid,
        "ref": deployment.ref,
        "sha": deployment.sha,
        "created_at": moment(deployment.created),
        "updated_at": moment(deployment.updated),
        "status": deployment.status,
        "user": user_body(core, deployment.user),
        "environment": {
            "id": deployment.environment_id,
            "name": deployment.environment,
            "slug": deployment.environment,
            "external_url": None,
        },
        "deployable": None,
    }


def token_body(person: Person, now: datetime) -> Body:
    return {
        "id": person.id,
        "name": person.username,
        "revoked": False,
        "created_at": moment(now),
        "description": None,
        "scopes": person.scopes,
        "user_id": person.id,
        "last_used_at": moment(now),
        "active": True,
        "expires_at": person.expires.isoformat() if person.expires else None,
    }
