"""What GitLab's answers to a merge mean, lost ones among them, on both generations of servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.barerepo import show, tip
from support.gitlabs import BRANCH, VALUES, proposal, push
from support.gitlabworld import GitLabWorld

from updater.errors import ForgeRefused, Unreachable
from updater.forge import Ensured, Landed, MergeRequest, Merging
from updater.forge.gitlab import GitLab

MESSAGE = "Deliver iris master-2 to prod\n\nUpdater-Environment: prod"


@pytest.fixture(params=["18", "19.2"])
def settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"generation": request.param, "edition": "ee"}


def made(forge: GitLab, bare: Path, tag: str = "master-2") -> MergeRequest:
    (answer,) = forge.ensure([proposal(push(bare, tag))])
    assert isinstance(answer, Ensured), answer
    return answer.merge_request


def merged(forge: GitLab, known: MergeRequest, *, squash: bool = False, arm: bool = False) -> Merging:
    return forge.merge(known, head=known.head, message=MESSAGE, squash=squash, arm=arm)


def test_one_that_a_person_merged_first_counts_as_merged(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    merge = world.person_merges(1)
    assert merged(forge, known) == Merging(Landed.MERGED, merge_commit=merge)


def test_one_that_a_person_closed_first_is_not_merged(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    world.settle()
    world.person_closes(1)
    assert merged(forge, known).landed is Landed.NOT_YET
    assert merged(forge, known).code == "closed"


@pytest.mark.parametrize("status", [502, 503, 500])
def test_a_merge_whose_answer_was_lost_is_found_to_have_happened(
    world: GitLabWorld, forge: GitLab, bare: Path, status: int
) -> None:
    known = made(forge, bare)
    world.settle()
    world.faults.next("PUT merge_requests/1/merge", status=status, acts=True)
    assert merged(forge, known) == Merging(Landed.MERGED, merge_commit=tip(bare))


def test_a_merge_whose_connection_broke_is_found_to_have_happened(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    world.settle()
    world.faults.next("PUT merge_requests/1/merge", status="drop")
    assert merged(forge, known).landed is Landed.MERGED
    assert show(bare, "main", VALUES) == b"image:\n  tag: master-2\n"


def test_a_merge_that_never_arrived_is_tried_later(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    world.settle()
    world.faults.next("PUT merge_requests/1/merge", status="reset")
    with pytest.raises(Unreachable):
        merged(forge, known)
    assert len(world.calls_to("PUT merge_requests/1/merge")) == 1
    assert merged(forge, known).landed is Landed.MERGED


def test_arming_whose_answer_was_lost_is_found_to_have_happened(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    world.pipeline(BRANCH, "running")
    world.settle()
    world.faults.next("PUT merge_requests/1/merge", status="drop")
    assert merged(forge, known, arm=True) == Merging(Landed.ARMED)


@pytest.mark.parametrize("status", [405, 406, 422])
def test_refusals_without_a_reason_get_theirs_from_the_merge_request(
    world: GitLabWorld, forge: GitLab, bare: Path, status: int
) -> None:
    known = made(forge, bare)
    world.pipeline(BRANCH, "failed")
    world.settle()
    world.faults.next("PUT merge_requests/1/merge", status=status, body='{"message":"No"}')
    assert merged(forge, known).code == "pipeline-failed"


def test_a_refusal_that_came_while_everything_is_well_is_a_matter_of_time(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    world.settle()
    world.faults.next("PUT merge_requests/1/merge", status=405, body='{"message":"405 Method Not Allowed"}')
    assert merged(forge, known) == Merging(Landed.NOT_YET, "checking", "mergeable")


def test_a_token_that_may_not_write_is_refused_for_good(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    world.settle()
    world.scopes = ["read_api"]
    with pytest.raises(ForgeRefused, match="insufficient_scope"):
        merged(forge, known)


def test_a_token_that_ended_is_told_apart_from_a_missing_right(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    world.settle()
    world.revoke_token()
    with pytest.raises(Unreachable, match="UPDATER_GITLAB_TOKEN"):
        merged(forge, known)


def test_a_merge_under_the_path_of_a_moved_project_still_happens(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    world.settle()
    world.move_project("ops/elsewhere")
    assert merged(forge, known).landed is Landed.MERGED
