"""Everything beside merge requests: the caller, its token, people, branches, commits, deployments."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from support.gitlabworld import bodies
from support.gitlabworld.acts import Acts
from support.gitlabworld.routing import FORBIDDEN, Answer, Asked, not_found, paged, refused, route
from support.gitlabworld.state import LEVELS, Deployment, Project

_PROJECT = "projects/{id}"
_BRANCHES = _PROJECT + "/repository/branches"
_COMMITS = _PROJECT + "/repository/commits"
_DEPLOYMENTS = _PROJECT + "/deployments"
_STATUSES = ("running", "success", "failed", "canceled")


@route("GET", "version")
@route("GET", "metadata")
def show_version(world: Acts, asked: Asked) -> Answer:
    return Answer(
        200, {"version": world.version, "revision": "34042bf7d00", "enterprise": world.edition == "ee"}
    )


@route("GET", "user")
def show_user(world: Acts, asked: Asked) -> Answer:
    return Answer(200, bodies.user_body(world, asked.by) | {"bot": asked.by is world.bot})


@route("GET", "users")
def list_users(world: Acts, asked: Asked) -> Answer:
    wanted = asked.text("username").lower()
    found = [person for person in world.people if not wanted or person.username.lower() == wanted]
    return paged(world, asked, [bodies.user_body(world, person) for person in found])


@route("GET", "personal_access_tokens/self")
def show_token(world: Acts, asked: Asked) -> Answer:
    if not world.has_token_endpoint:
        return Answer(404, {"error": "404 Not Found"})
    return Answer(200, bodies.token_body(asked.by, world.clock()))


def project_of(world: Acts, name: str) -> Project | None:
    """Return a project by number or by its path of today or before."""
    plain = unquote(name).lower()
    for project in world.projects:
        if plain in (str(project.id), project.path.lower(), *map(str.lower, project.former)):
            return project
    return None


@route("GET", _PROJECT)
def show_project(world: Acts, asked: Asked) -> Answer:
    project = project_of(world, asked.captures["id"])
    assert project is not None
    return Answer(200, bodies.project_body(world, project, asked.by))


@route("GET", _PROJECT + "/members/all/{user}")
def show_member(world: Acts, asked: Asked) -> Answer:
    for person in world.people:
        if str(person.id) == asked.captures["user"]:
            body = bodies.user_body(world, person)
            return Answer(200, body | {"access_level": person.level, "expires_at": None})
    return not_found("Member")


@route("GET", _PROJECT + "/milestones")
def list_milestones(world: Acts, asked: Asked) -> Answer:
    title = asked.text("title")
    found = [milestone for milestone in world.milestones if title in ("", milestone.title)]
    return paged(world, asked, [bodies.milestone_body(world, milestone) for milestone in found])


@route("GET", _BRANCHES)
def list_branches(world: Acts, asked: Asked) -> Answer:
    words = asked.text("search")
    names = [name for name in sorted(world.refs) if words.strip("^$") in name]
    return paged(world, asked, [bodies.branch_body(world, name, asked.by) for name in names])


@route("GET", _BRANCHES + "/{branch}")
def show_branch(world: Acts, asked: Asked) -> Answer:
    name = unquote(asked.captures["branch"])
    if name not in world.refs:
        return not_found("Branch")
    return Answer(200, bodies.branch_body(world, name, asked.by))


@route("POST", _BRANCHES)
def make_branch(world: Acts, asked: Asked) -> Answer:
    lacks = asked.missing("branch", "ref")
    if lacks:
        return lacks
    name, start = asked.text("branch"), world.repo.commit(asked.text("ref"))
    if not world.may(asked.by, name, "push"):
        return FORBIDDEN
    if name in world.refs:
        return refused(400, "Branch already exists")
    if start is None or not world.repo.move(name, start.sha, ""):
        return refused(400, f"Invalid reference name: {asked.text('ref')}")
    world.notice(asked.by)
    return Answer(201, bodies.branch_body(world, name, asked.by))


@route("DELETE", _BRANCHES + "/{branch}")
def delete_branch(world: Acts, asked: Asked) -> Answer:
    name = unquote(asked.captures["branch"])
    if name not in world.refs:
        return not_found("Branch")
    if world.protection(name) or not world.may(asked.by, name, "push"):
        return FORBIDDEN
    world.repo.delete(name, world.refs[name])
    world.notice(asked.by)
    return Answer(204)


@route("GET", _PROJECT + "/protected_branches")
def list_protections(world: Acts, asked: Asked) -> Answer:
    return paged(world, asked, [bodies.protection_body(found) for found in world.protections])


@route("GET", _PROJECT + "/protected_branches/{name}")
def show_protection(world: Acts, asked: Asked) -> Answer:
    for found in world.protections:
        if found.pattern == unquote(asked.captures["name"]):
            return Answer(200, bodies.protection_body(found))
    return refused(404, "404 Not found")


@route("GET", _COMMITS)
def list_commits(world: Acts, asked: Asked) -> Answer:
    start = world.repo.commit(asked.text("ref_name", world.repo.default_branch()))
    if start is None:
        return not_found("Commit")
    return paged(
        world, asked, [bodies.commit_body(world, commit) for commit in world.repo.commits(start.sha)]
    )


@route("GET", _COMMITS + "/{sha}")
def show_commit(world: Acts, asked: Asked) -> Answer:
    commit = world.repo.commit(unquote(asked.captures["sha"]))
    if commit is None:
        return not_found("Commit")
    own = [pipeline for pipeline in world.pipelines if pipeline.sha == commit.sha]
    more = {
        "status": own[-1].status if own else None,
        "project_id": world.config.id,
        "last_pipeline": bodies.pipeline_body(world, own[-1]) if own else None,
    }
    return Answer(200, bodies.commit_body(world, commit) | more)


@route("GET", _COMMITS + "/{sha}/merge_requests")
def requests_of_commit(world: Acts, asked: Asked) -> Answer:
    sha = asked.captures["sha"]
    found = [
        request
        for request in world.requests
        if sha in (request.merge_commit, request.squash_commit)
        or any(
            commit.sha == sha
            for commit in world.repo.commits(request.head, f"^{request.base or request.head}")
        )
    ]
    return paged(world, asked, [bodies.merge_request_body(world, request) for request in found])


@route("GET", _PROJECT + "/pipelines")
def list_pipelines(world: Acts, asked: Asked) -> Answer:
    found = [
        pipeline
        for pipeline in reversed(world.pipelines)
        if all(
            asked.text(name, getattr(pipeline, name)) == getattr(pipeline, name)
            for name in ("sha", "ref", "status")
        )
    ]
    return paged(world, asked, [bodies.pipeline_body(world, pipeline) for pipeline in found])


@route("GET", _PROJECT + "/pipelines/{pipeline}")
def show_pipeline(world: Acts, asked: Asked) -> Answer:
    for pipeline in world.pipelines:
        if str(pipeline.id) == asked.captures["pipeline"]:
            return Answer(200, bodies.whole_pipeline_body(world, pipeline))
    return refused(404, "404 Not found")


@route("GET", _DEPLOYMENTS)
def list_deployments(world: Acts, asked: Asked) -> Answer:
    project = project_of(world, asked.captures["id"])
    assert project is not None
    found = [
        deployment
        for deployment in project.deployments
        if asked.text("environment", deployment.environment) == deployment.environment
        and asked.text("status", deployment.status) == deployment.status
    ]
    by_update = asked.text("order_by") == "updated_at"
    found.sort(key=lambda one: (one.updated if by_update else one.created, one.id))
    if asked.text("sort", "asc") == "desc":
        found.reverse()
    return paged(world, asked, [bodies.deployment_body(world, deployment) for deployment in found])


@route("POST", _DEPLOYMENTS)
def make_deployment(world: Acts, asked: Asked) -> Answer:
    lacks = asked.missing("environment", "sha", "ref", "tag", "status")
    project = project_of(world, asked.captures["id"])
    assert project is not None
    if lacks:
        return lacks
    if min(asked.by.level, project.level) < LEVELS["developer"]:
        return FORBIDDEN
    if asked.text("status") not in _STATUSES:
        return Answer(400, {"error": "status does not have a valid value"})
    name, now = asked.text("environment"), world.clock()
    known: Mapping[str, int] = {one.environment: one.environment_id for one in project.deployments}
    deployment = Deployment(
        id=world.next_id(),
        iid=len(project.deployments) + 1,
        environment=name,
        environment_id=known.get(name) or world.next_id(),
        ref=asked.text("ref"),
        sha=asked.text("sha"),
        tag=asked.flag("tag"),
        status=asked.text("status"),
        user=asked.by,
        created=now,
        updated=now,
    )
    project.deployments.append(deployment)
    return Answer(201, bodies.deployment_body(world, deployment))


@route("GET", _DEPLOYMENTS + "/{deployment}")
def show_deployment(world: Acts, asked: Asked) -> Answer:
    found = _deployment(world, asked)
    return Answer(200, bodies.deployment_body(world, found)) if found else refused(404, "404 Not found")


@route("PUT", _DEPLOYMENTS + "/{deployment}")
def change_deployment(world: Acts, asked: Asked) -> Answer:
    found, lacks = _deployment(world, asked), asked.missing("status")
    if lacks:
        return lacks
    if found is None:
        return refused(404, "404 Not found")
    if asked.by.level < LEVELS["developer"]:
        return FORBIDDEN
    found.status, found.updated = asked.text("status"), world.clock()
    return Answer(200, bodies.deployment_body(world, found))


def _deployment(world: Acts, asked: Asked) -> Deployment | None:
    project = project_of(world, asked.captures["id"])
    assert project is not None
    for deployment in project.deployments:
        if str(deployment.id) == asked.captures["deployment"]:
            return deployment
    return None
