"""Merge requests on GitLab: found, made, kept current, closed, noted; over real HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.barerepo import commit_as_person, git, tip
from support.gitlabs import BRANCH, VALUES, Clock, proposal, push
from support.gitlabworld import GitLabWorld

from updater.errors import ForgeRefused, TemporaryError, Unreachable, UpdaterError
from updater.forge import Ensured, MergeRequest, Proposal, State
from updater.forge.gitlab import GitLab


def ensured(forge: GitLab, wanted: Proposal) -> Ensured:
    (answer,) = forge.ensure([wanted])
    assert isinstance(answer, Ensured), answer
    return answer


def made(forge: GitLab, bare: Path, tag: str = "master-2") -> MergeRequest:
    return ensured(forge, proposal(push(bare, tag))).merge_request


def refusal(forge: GitLab, wanted: Proposal) -> UpdaterError:
    (answer,) = forge.ensure([wanted])
    assert isinstance(answer, UpdaterError), answer
    return answer


def test_nothing_is_asked_before_the_first_call(world: GitLabWorld, forge: GitLab) -> None:
    assert world.calls == []
    assert forge.opened() == ()
    assert [call.short for call in world.calls] == ["GET merge_requests"]


def test_a_proposal_becomes_one_merge_request(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    head = push(bare, "master-2")
    answer = ensured(forge, proposal(head))
    (there,) = world.merge_requests
    assert answer.merge_request == MergeRequest(
        branch=BRANCH,
        target="main",
        state=State.OPENED,
        head=head,
        number=1,
        url=f"{world.url}/ops/config/-/merge_requests/1",
        title="Update iris in prod to master-2",
        told_head=head,
        created_at=world.clock(),
    )
    assert (there.source, there.target, there.head) == (BRANCH, "main", head)
    assert there.description is not None
    assert there.description.startswith("| chart | tag |")
    assert there.remove_source is True
    assert [call.short for call in world.calls] == ["POST merge_requests"]


def test_what_the_rules_name_goes_along(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    kim, lee = world.person("kim"), world.person("lee")
    world.add_milestone("2026.11")
    wanted = proposal(
        push(bare, "master-2"),
        labels=("deploy", "prod"),
        assignees=("@Kim",),
        reviewers=("nobody-here", "lee"),
        milestone="2026.11",
        draft=True,
        squash=True,
        remove_source_branch=False,
    )
    answer = ensured(forge, wanted)
    there = world.mr(1)
    assert there.labels == ["deploy", "prod"]
    assert (there.assignees, there.reviewers) == ([kim], [lee])
    assert there.milestone is not None
    assert there.milestone.title == "2026.11"
    assert there.title == "Draft: Update iris in prod to master-2"
    assert (there.squash, there.remove_source) == (True, False)
    assert answer.unknown == ("nobody-here",)


def test_people_are_looked_up_once_and_newcomers_within_an_hour(
    world: GitLabWorld, forge: GitLab, bare: Path, clock: Clock
) -> None:
    def of(chart: str) -> Proposal:
        branch = f"updater/prod/{chart}"
        return proposal(push(bare, "master-2", branch=branch), branch=branch, reviewers=("kim", "new"))

    world.person("kim")
    assert [isinstance(one, Ensured) for one in forge.ensure([of("a"), of("b"), of("c")])] == [True] * 3
    assert len(world.calls_to("GET users")) == 2
    world.person("new")
    clock.advance(minutes=59)
    assert ensured(forge, of("d")).unknown == ("new",)
    clock.advance(minutes=1)
    assert ensured(forge, of("e")).unknown == ()


def test_an_unknown_milestone_is_told_and_stops_nothing(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    answer = ensured(forge, proposal(push(bare, "master-2"), milestone="someday"))
    assert answer.unknown == ("someday",)
    assert world.mr(1).milestone is None


def test_a_newer_head_updates_the_same_merge_request(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    head = push(bare, "master-3")
    world.calls.clear()
    answer = ensured(forge, proposal(head, title="Update iris in prod to master-3", known=known))
    assert answer.merge_request.number == 1
    assert answer.merge_request.told_head == head
    assert world.mr(1).title == "Update iris in prod to master-3"
    assert len(world.merge_requests) == 1
    assert [call.short for call in world.calls] == ["PUT merge_requests/1"]


def test_one_that_tells_of_its_head_already_costs_no_call(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    world.calls.clear()
    assert ensured(forge, proposal(known.told_head, known=known)) == Ensured(known)
    assert world.calls == []


@pytest.mark.parametrize("is_draft", [True, False])
def test_a_person_decides_about_the_draft_mark(
    world: GitLabWorld, forge: GitLab, bare: Path, is_draft: bool
) -> None:
    ensured(forge, proposal(push(bare, "master-2"), draft=not is_draft))
    world.person_edits(1, title="Draft: mine" if is_draft else "mine")
    ((known,),) = forge.look([BRANCH]).values()
    ensured(forge, proposal(push(bare, "master-3"), draft=not is_draft, known=known))
    assert world.mr(1).draft is is_draft
    assert world.mr(1).title.endswith("Update iris in prod to master-2")


def test_a_target_that_the_rules_changed_is_followed(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    git(bare, "branch", "prod", "main")
    answer = ensured(forge, proposal(known.told_head, target="prod", known=known))
    assert (answer.merge_request.target, world.mr(1).target) == ("prod", "prod")


def test_a_second_one_is_never_made(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    head = push(bare, "master-2")
    world.person_opens(BRANCH, "main", "I was faster")
    answer = ensured(forge, proposal(head))
    assert (answer.merge_request.number, len(world.merge_requests)) == (1, 1)
    assert world.mr(1).title == "Update iris in prod to master-2"


def test_one_that_was_closed_meanwhile_is_not_called_a_proposal(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    world.person_closes(1)
    problem = refusal(forge, proposal(push(bare, "master-3"), known=known))
    assert isinstance(problem, TemporaryError)
    assert str(problem) == "!1 was closed or merged meanwhile; it is looked at again."
    ((closed,),) = forge.look([BRANCH]).values()
    assert (closed.title, closed.told_head) == (known.title, known.head), "that is what was closed"
    assert closed.description == known.description


def test_one_that_stood_in_the_way_and_was_closed_then_is_looked_at_again(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    world.person_closes(1)
    words = '{"message":["Another open merge request already exists for this source branch: !1"]}'
    world.faults.next("POST merge_requests", status=409, body=words)
    problem = refusal(forge, proposal(known.head))
    assert isinstance(problem, TemporaryError)
    assert len(world.merge_requests) == 1


def test_a_persons_own_of_the_same_branch_to_another_target_is_left_alone(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    git(bare, "branch", "backport", "main")
    head = push(bare, "master-2")
    world.person_opens(BRANCH, "backport", "My backport")
    ((theirs,),) = forge.look([BRANCH]).values()
    answer = ensured(forge, proposal(head, known=theirs))
    assert answer.merge_request.number == 2
    assert [(one.target, one.title) for one in world.merge_requests] == [
        ("backport", "My backport"),
        ("main", "Update iris in prod to master-2"),
    ]


def test_after_a_lost_answer_the_one_to_the_right_target_is_taken(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    git(bare, "branch", "backport", "main")
    head = push(bare, "master-2")
    world.person_opens(BRANCH, "backport", "My backport")
    world.faults.next("POST merge_requests", status="reset")
    assert isinstance(refusal(forge, proposal(head)), Unreachable)
    world.faults.next("POST merge_requests", status="drop")
    assert ensured(forge, proposal(head)).merge_request.number == 2
    assert world.mr(1).title == "My backport"


def test_its_own_that_cannot_follow_its_target_stays_as_it_is(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    git(bare, "branch", "prod", "main")
    world.person_opens(BRANCH, "prod", "Mine")
    problem = refusal(forge, proposal(known.head, target="prod", known=known))
    assert isinstance(problem, ForgeRefused)
    assert "!2" in str(problem)
    assert [one.target for one in world.merge_requests] == ["main", "prod"]


def test_a_refusal_that_names_another_ones_number_is_not_believed(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    other = "updater/prod/rose"
    git(bare, "update-ref", f"refs/heads/{other}", push(bare, "master-2"))
    world.person_opens(other, "main", "Another")
    words = '{"message":["Another open merge request already exists for this source branch: !1"]}'
    world.faults.next("POST merge_requests", status=409, body=words)
    assert "already exists" in str(refusal(forge, proposal(push(bare, "master-2"))))
    assert world.mr(1).title == "Another"


def test_many_are_made_at_once_and_each_gets_its_own_answer(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    wanted = []
    for number in range(12):
        branch = f"updater/prod/chart-{number}"
        wanted.append(proposal(push(bare, "master-2", branch=branch), branch=branch))
    wanted.insert(5, proposal("0" * 40, branch="updater/prod/never-pushed"))
    answers = forge.ensure(wanted)
    assert isinstance(answers[5], ForgeRefused)
    assert "does not exist" in str(answers[5])
    branches = [answer.merge_request.branch for answer in answers if isinstance(answer, Ensured)]
    assert branches == [one.branch for one in wanted if one.head != "0" * 40]
    assert len(world.merge_requests) == 12


def test_everything_a_branch_ever_had_is_found_the_newest_first(
    world: GitLabWorld, forge: GitLab, bare: Path, clock: Clock
) -> None:
    first = made(forge, bare)
    world.person_closes(1, by="kim")
    clock.advance(minutes=1)
    second = made(forge, bare, "master-3")
    world.calls.clear()
    found = forge.look([BRANCH, "updater/prod/none"])
    assert found["updater/prod/none"] == ()
    assert [one.number for one in found[BRANCH]] == [2, 1]
    assert found[BRANCH][0] == second
    closed = found[BRANCH][1]
    assert (closed.state, closed.ended_by, closed.is_own_end) == (State.CLOSED, "kim", False)
    assert closed.head == first.head
    assert len(world.calls_to("GET merge_requests")) == 2


def test_one_a_person_merged_tells_who_and_what_stands_on_the_target(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    made(forge, bare)
    merge = world.person_merges(1, by="kim")
    ((known,),) = forge.look([BRANCH]).values()
    assert (known.state, known.ended_by, known.merge_commit) == (State.MERGED, "kim", merge)
    assert tip(bare) == merge


def test_a_fast_forward_leaves_the_head_itself_on_the_target(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    world.merge_method = "ff"
    known = made(forge, bare)
    world.person_merges(1)
    ((merged,),) = forge.look([BRANCH]).values()
    assert merged.merge_commit == known.head == tip(bare)


def test_only_open_ones_of_the_updater_are_listed_over_all_pages(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    branches = [f"updater/prod/chart-{number}" for number in range(103)]
    head = push(bare, "master-2")
    for branch in [*branches, "feature/x"]:
        git(bare, "update-ref", f"refs/heads/{branch}", head)
        world.person_opens(branch, "main", branch)
    world.person_closes(7)
    found = forge.opened()
    assert {one.branch for one in found} == {*branches} - {branches[6]}
    assert len(found) == 102
    assert len(world.calls_to("GET merge_requests")) == 2


def test_pages_are_followed_where_gitlab_thinks_it_lives_elsewhere(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    world.shown_url = "https://gitlab.example.com"
    head = push(bare, "master-2")
    for number in range(101):
        git(bare, "update-ref", f"refs/heads/updater/prod/chart-{number}", head)
        world.person_opens(f"updater/prod/chart-{number}", "main", "x")
    assert len(forge.opened()) == 101


def test_the_messages_of_its_commits_come_oldest_first_and_are_read_once(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    head = commit_as_person(bare, {VALUES: "image:\n  tag: master-3\n"}, "Then to master-3", BRANCH)
    world.settle()
    ((known,),) = forge.look([BRANCH]).values()
    assert known.head == head
    messages = forge.carried(known)
    assert [message.rstrip() for message in messages] == ["Update to master-2", "Then to master-3"]
    world.person_closes(1)
    world.calls.clear()
    assert forge.carried(known) == messages
    assert world.calls == []


def test_a_merge_request_that_was_deleted_is_looked_up_again(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    world.requests.clear()
    problem = refusal(forge, proposal(push(bare, "master-3"), known=known))
    assert isinstance(problem, Unreachable)
    with pytest.raises(Unreachable, match="looked up again"):
        forge.readiness(known, known.head)


def test_a_text_beyond_gitlabs_limits_is_cut(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    head = push(bare, "master-2")
    answer = ensured(forge, proposal(head, title="t" * 300, description="d" * 2_000_000))
    there = world.mr(1)
    assert len(there.title) == 255
    assert len(there.description or "") == 1_048_576
    assert answer.merge_request.told_head == head
