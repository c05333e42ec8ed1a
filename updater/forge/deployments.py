"""Records on a source project that one of its commits goes to an environment.

It hides how the project is found out from what a request told of its source, and that a record is
updated rather than made twice. Called by `gitlab`; nothing here touches the config repo's project.
"""

from __future__ import annotations

from updater.errors import ForgeRefused
from updater.forge.client import Client, Refused
from updater.forge.project import NoProject, Project
from updater.model import Source
from updater.trailers import project_page

RUNNING = "running"


def source_path(source: Source, url: str) -> str:
    """Return the path or number of the source project on the GitLab at `url`; empty: it is not there."""
    page = project_page(source)
    if source.project and "://" not in source.project:
        path = source.project
    elif page.startswith(url + "/"):
        path = page.removeprefix(url)
    else:
        return ""
    return path.partition("/-/")[0].strip("/").removesuffix(".git")


def record(client: Client, source: Source, environment: str, status: str) -> None:
    """Make the record of this commit in this environment say `status`; without commit or ref nothing.

    Raises:
        ForgeRefused: there is no such project, or the token may not record anything there.
    """
    path = source_path(source, client.url)
    if not (path and source.commit and source.ref):
        return
    try:
        _record(Project(client, path), source, environment, status)
    except NoProject as error:
        raise _refusal(path, client.url, "it knows no such project, or does not show it") from error
    except Refused as error:
        if error.status not in (403, 404):
            raise
        raise _refusal(path, client.url, f"{error.status} {error.words!r}") from error


def _refusal(path: str, url: str, why: str) -> ForgeRefused:
    return ForgeRefused(
        f"GitLab at {url} lets the updater record nothing on the source project {path!r}: {why}. Check the "
        "project that the request named as its source, and give the updater's user the role Developer "
        "there, or take `deployments` out of the environment's rules."
    )


def _record(project: Project, source: Source, environment: str, status: str) -> None:
    aim = f"record a deployment to {environment!r} on the project {project.name!r}"
    newest = project.get(
        "/deployments", aim, environment=environment, order_by="id", sort="desc", per_page=20
    )
    same = [deployment for deployment in newest if deployment["sha"] == source.commit]
    # Recorded already, and nothing else went there since.
    if newest and same and newest[0] is same[0] and same[0]["status"] == status:
        return
    running = [deployment for deployment in same if deployment["status"] in ("created", RUNNING)]
    if running and status == RUNNING:
        return
    if running:
        project.put(f"/deployments/{running[0]['id']}", aim, {"status": status})
    elif status != "canceled":
        body = {"environment": environment, "sha": source.commit, "ref": source.ref}
        project.post("/deployments", aim, {**body, "tag": False, "status": status})
