"""Which pipelines count for a merge, and whether one may still come; over real HTTP."""

from __future__ import annotations

from pathlib import Path

from support.barerepo import git
from support.gitlabs import BRANCH, Clock, proposal, push
from support.gitlabworld import GitLabWorld

from updater.forge import Ensured, MergeRequest, Step
from updater.forge.client import Client
from updater.forge.gitlab import GitLab
from updater.forge.pipelines import Pipelines
from updater.forge.project import Project


def made(forge: GitLab, bare: Path) -> MergeRequest:
    (answer,) = forge.ensure([proposal(push(bare, "master-2"))])
    assert isinstance(answer, Ensured), answer
    return answer.merge_request


def test_a_pipeline_for_the_merged_result_counts_as_the_heads(world: GitLabWorld, bare: Path) -> None:
    head = push(bare, "master-2")
    merge = git(
        bare, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit-tree",
        f"{head}^{{tree}}", "-p", "main", "-p", head, "-m", "Merge",
    )  # fmt: skip
    client = Client(world.url, world.token, ca_file=None, clock=world.clock, timeout=5)
    pipelines = Pipelines(Project(client, world.project))

    def body(sha: str, ref: str) -> dict[str, object]:
        return {"iid": 1, "head_pipeline": {"sha": sha, "ref": ref, "status": "success"}}

    assert pipelines.is_own(body(merge, "refs/merge-requests/1/merge"), head)
    assert pipelines.is_own(body(merge, "refs/merge-requests/1/train"), head)
    assert not pipelines.is_own(body(merge, "refs/merge-requests/1/merge"), "0" * 40)
    assert not pipelines.is_own(body(merge, BRANCH), head)
    assert not pipelines.is_own(body("1" * 40, "refs/merge-requests/1/merge"), head)
    client.hang_up()


def test_pipelines_that_may_not_be_seen_are_not_waited_for(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    world.pipeline("main", "success")
    known = made(forge, bare)
    world.settle()
    world.faults.next("GET pipelines", status=403, body='{"message":"403 Forbidden"}')
    assert forge.readiness(known, known.head).step is Step.MERGE


def test_that_a_project_runs_pipelines_is_asked_once_an_hour(
    world: GitLabWorld, forge: GitLab, bare: Path, clock: Clock
) -> None:
    world.pipeline("main", "success")
    known = made(forge, bare)
    for minutes, asked in ((0, 1), (0, 1), (61, 1)):
        clock.advance(minutes=minutes)
        world.mr(1).updated = clock()
        head = push(bare, f"master-{minutes}-{asked}")
        world.settle()
        forge.readiness(known, head)
    assert len(world.calls_to("GET pipelines")) == 2
