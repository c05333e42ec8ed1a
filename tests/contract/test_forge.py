"""What every forge promises: merge requests are found, kept as planned, merged at one head, and remembered.

Runs for each of `support.forges.SUBJECTS`, so it asserts only what holds on a plain remote and on a
GitLab alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.barerepo import commit_as_person, git, log, show, tip
from support.forges import IRIS, ROSE, ROSE_VALUES, SUBJECTS, Subject
from support.mirrors import NOW, VALUES

from updater.forge import Landed, MergeRequest, Merging, State, Step
from updater.model import Source


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    with SUBJECTS[request.param](tmp_path) as opened:
        yield opened


def _merge(subject: Subject, known: MergeRequest, *, squash: bool = False) -> Merging:
    return subject.forge.merge(known, head=known.head, message="Take iris to prod\n", squash=squash)


def test_nothing_is_known_of_a_branch_that_never_was(subject: Subject) -> None:
    assert subject.forge.opened() == ()
    assert [tuple(found) for found in subject.forge.look([IRIS, ROSE]).values()] == [(), ()]
    assert not subject.forge.look([])


def test_a_pushed_branch_is_opened_and_found_again(subject: Subject) -> None:
    head = subject.push(IRIS, "tag: 2\n")
    (ensured,) = subject.forge.ensure([subject.wanted(IRIS, head)])
    subject.settle()
    assert not isinstance(ensured, Exception)
    assert ensured.merge_request.branch == IRIS
    (found,) = subject.forge.look([IRIS])[IRIS]
    assert (found.branch, found.target, found.state, found.head) == (IRIS, "main", State.OPENED, head)
    assert found.told_head == head
    assert [one.branch for one in subject.forge.opened()] == [IRIS]
    assert (found.ended_by, found.is_own_end, found.merge_commit) == ("", False, "")


def test_several_are_answered_in_order_and_found_each_under_its_branch(subject: Subject) -> None:
    heads = {IRIS: subject.push(IRIS, "tag: 2\n"), ROSE: subject.push(ROSE, "tag: 2\n", path=ROSE_VALUES)}
    ensured = subject.forge.ensure([subject.wanted(branch, head) for branch, head in heads.items()])
    subject.settle()
    answered = [one.merge_request.branch for one in ensured if not isinstance(one, Exception)]
    assert answered == [IRIS, ROSE]
    found = subject.forge.look([ROSE, IRIS])
    assert {branch: [one.head for one in known] for branch, known in found.items()} == {
        branch: [head] for branch, head in heads.items()
    }
    assert sorted(one.branch for one in subject.forge.opened()) == [IRIS, ROSE]


def test_branches_of_other_people_are_nobodys_proposals(subject: Subject) -> None:
    git(subject.bare, "branch", "feature/iris", "main")
    commit_as_person(subject.bare, {VALUES: "tag: 9\n"}, branch="feature/iris")
    subject.settle()
    assert subject.forge.opened() == ()


def test_asking_again_changes_nothing(subject: Subject) -> None:
    known = subject.propose()
    for _ in range(2):
        subject.forge.ensure([subject.wanted(IRIS, known.head, known)])
        subject.settle()
    (found,) = subject.forge.look([IRIS])[IRIS]
    assert (found.number, found.head, found.state) == (known.number, known.head, State.OPENED)


def test_a_newer_tag_updates_it_in_place(subject: Subject) -> None:
    known = subject.propose(content="tag: 2\n")
    head = subject.push(IRIS, "tag: 3\n")
    (ensured,) = subject.forge.ensure([subject.wanted(IRIS, head, known)])
    assert not isinstance(ensured, Exception)
    subject.settle()
    (found,) = subject.forge.look([IRIS])[IRIS]
    assert (found.number, found.head, found.told_head) == (known.number, head, head)
    assert len(subject.forge.opened()) == 1


def test_the_messages_of_its_commits_are_told_the_oldest_first(subject: Subject) -> None:
    head = subject.push(IRIS, "tag: 2\n", "tag: 3\n")
    subject.forge.ensure([subject.wanted(IRIS, head)])
    subject.settle()
    messages = subject.forge.carried(subject.open())
    assert [message.rstrip("\n") for message in messages] == ["Say tag: 2", "Say tag: 3"]


def test_one_that_stands_on_its_target_may_be_merged(subject: Subject) -> None:
    known = subject.propose()
    ready = subject.forge.readiness(known, known.head)
    assert (ready.step, ready.is_armed) == (Step.MERGE, False)
    assert ready.merge_request.state is State.OPENED


def test_one_whose_head_the_forge_has_not_seen_waits(subject: Subject) -> None:
    known = subject.propose()
    not_there_yet = commit_as_person(subject.bare, {VALUES: "tag: 3\n"}, branch="under-way")
    ready = subject.forge.readiness(known, not_there_yet)
    assert (ready.step, ready.code) == (Step.WAIT, "head-lags")


def test_merging_puts_exactly_its_change_on_the_target(subject: Subject) -> None:
    known = subject.propose()
    before = tip(subject.bare)
    merged = _merge(subject, known)
    assert merged.landed is Landed.MERGED
    newest = log(subject.bare)[0]
    assert newest.message == "Take iris to prod"
    assert merged.merge_commit == newest.sha == tip(subject.bare)
    assert git(subject.bare, "rev-parse", "main^1", "main^2").split() == [before, known.head]
    assert git(subject.bare, "diff", "--name-only", before, "main") == VALUES
    assert show(subject.bare, "main", VALUES) == b"tag: 2\n"
    subject.settle()
    assert subject.forge.opened() == ()
    assert subject.repo.contains("main", known.head)


def test_a_squash_is_one_commit_with_one_parent(subject: Subject) -> None:
    head = subject.push(IRIS, "tag: 2\n", "tag: 3\n")
    subject.forge.ensure([replace(subject.wanted(IRIS, head), squash=True)])
    subject.settle()
    before = tip(subject.bare)
    assert _merge(subject, subject.open(), squash=True).landed is Landed.MERGED
    assert show(subject.bare, "main", VALUES) == b"tag: 3\n"
    on_main = git(subject.bare, "log", "--format=%s", f"{before}..main").splitlines()
    assert "Take iris to prod" in on_main
    assert not {"Say tag: 2", "Say tag: 3"} & set(on_main)


def test_one_that_is_merged_already_counts_as_merged(subject: Subject) -> None:
    known = subject.propose()
    first = _merge(subject, known)
    subject.settle()
    after = tip(subject.bare)
    again = _merge(subject, known)
    assert (again.landed, again.merge_commit) == (Landed.MERGED, first.merge_commit)
    assert tip(subject.bare) == after
    ready = subject.forge.readiness(known, known.head)
    assert (ready.step, ready.merge_request.state) == (Step.ENDED, State.MERGED)


def test_one_that_a_person_merged_counts_as_merged(subject: Subject) -> None:
    known = subject.propose()
    subject.person_merges(known)
    subject.settle()
    after = tip(subject.bare)
    assert subject.forge.opened() == ()
    assert _merge(subject, known).landed is Landed.MERGED
    assert tip(subject.bare) == after
    assert show(subject.bare, "main", VALUES) == b"tag: 2\n"


def test_a_persons_commit_on_its_branch_is_never_merged_unseen(subject: Subject) -> None:
    known = subject.propose()
    theirs = commit_as_person(subject.bare, {VALUES: "tag: theirs\n"}, branch=IRIS)
    subject.settle()
    before = tip(subject.bare)
    assert _merge(subject, known).landed is Landed.NOT_YET
    assert (tip(subject.bare), tip(subject.bare, IRIS)) == (before, theirs)


def test_a_head_with_new_and_deleted_files_is_merged_as_it_is(subject: Subject) -> None:
    known = subject.propose()
    theirs = commit_as_person(
        subject.bare, {"charts/iris/Chart.yaml": None, "charts/iris/NOTES.txt": "new\n"}, branch=IRIS
    )
    subject.settle()
    known = subject.open()
    assert known.head == theirs
    assert _merge(subject, known).landed is Landed.MERGED
    files = git(subject.bare, "ls-tree", "-r", "--name-only", "main").splitlines()
    assert "charts/iris/NOTES.txt" in files
    assert "charts/iris/Chart.yaml" not in files
    assert ROSE_VALUES in files


def test_a_target_that_moved_elsewhere_keeps_both_changes(subject: Subject) -> None:
    subject.propose()
    commit_as_person(subject.bare, {ROSE_VALUES: "tag: 7\n"})
    subject.settle()
    known = subject.open()
    assert subject.forge.readiness(known, known.head).step is Step.MERGE
    assert _merge(subject, known).landed is Landed.MERGED
    assert show(subject.bare, "main", VALUES) == b"tag: 2\n"
    assert show(subject.bare, "main", ROSE_VALUES) == b"tag: 7\n"


def test_a_target_that_changed_the_same_file_asks_for_a_new_plan(subject: Subject) -> None:
    subject.propose()
    theirs = commit_as_person(subject.bare, {VALUES: "tag: theirs\n"})
    subject.settle()
    known = subject.open()
    assert subject.forge.readiness(known, known.head).step is Step.REPLAN
    assert _merge(subject, known).landed is Landed.NOT_YET
    assert tip(subject.bare) == theirs


def test_who_closed_it_and_what_it_carried_is_remembered(subject: Subject) -> None:
    known = subject.propose()
    subject.forge.close(known, text="Not this week.", by="kim")
    subject.settle()
    (found,) = subject.forge.look([IRIS])[IRIS]
    assert (found.state, found.ended_by, found.is_own_end) == (State.CLOSED, "kim", False)
    assert found.head == known.head
    assert [message.rstrip("\n") for message in subject.forge.carried(found)] == ["Say tag: 2"]
    assert subject.forge.opened() == ()
    assert show(subject.bare, "main", VALUES) != b"tag: 2\n"
    ready = subject.forge.readiness(known, known.head)
    assert (ready.step, ready.merge_request.state) == (Step.ENDED, State.CLOSED)


def test_one_the_updater_closed_was_nobodys_decision(subject: Subject) -> None:
    known = subject.propose()
    subject.forge.close(known, text="There is nothing left to propose.")
    subject.settle()
    (found,) = subject.forge.look([IRIS])[IRIS]
    assert (found.state, found.is_own_end) == (State.CLOSED, True)


def test_closing_twice_closes_once(subject: Subject) -> None:
    known = subject.propose()
    for name in ("kim", "lee"):
        subject.forge.close(known, text="Not this week.", by=name)
        subject.settle()
    assert [one.ended_by for one in subject.forge.look([IRIS])[IRIS]] == ["kim"]


def test_a_closed_one_is_not_merged(subject: Subject) -> None:
    known = subject.propose()
    subject.forge.close(known, text="Not this week.", by="kim")
    subject.settle()
    before = tip(subject.bare)
    assert _merge(subject, known).landed is Landed.NOT_YET
    assert tip(subject.bare) == before


def test_after_one_was_closed_another_may_follow_and_the_newest_comes_first(subject: Subject) -> None:
    heads: list[str] = []
    for number, name in enumerate(("kim", "lee"), 2):
        known = subject.propose(content=f"tag: {number}\n")
        heads.insert(0, known.head)
        subject.forge.close(known, text="No.", by=name)
        subject.settle()
    newest = subject.propose(content="tag: 9\n")
    found = subject.forge.look([IRIS])[IRIS]
    assert [one.state for one in found] == [State.OPENED, State.CLOSED, State.CLOSED]
    assert [one.head for one in found] == [newest.head, *heads]
    assert [one.ended_by for one in found] == ["", "lee", "kim"]
    assert [one.head for one in subject.forge.opened()] == [newest.head]


def test_a_note_leaves_it_as_it_is(subject: Subject) -> None:
    known = subject.propose()
    for text in ("Its pipeline runs.", "Its pipeline failed."):
        subject.forge.note(known, text)
    subject.settle()
    assert subject.open() == known


def test_what_is_not_armed_is_disarmed_and_amended_without_a_change(subject: Subject) -> None:
    known = subject.propose()
    assert known.is_armed is False
    subject.forge.disarm(known)
    subject.forge.amend_note(known, "It is being checked.")
    subject.settle()
    assert subject.open() == known


def test_a_deployment_of_an_unknown_source_is_no_failure(subject: Subject) -> None:
    before = git(subject.bare, "for-each-ref")
    subject.forge.record_deployment(Source(), "prod", "running")
    assert git(subject.bare, "for-each-ref") == before


def test_access_that_is_sound_is_no_problem(subject: Subject) -> None:
    assert subject.forge.problems(NOW) == ()


def test_hanging_up_leaves_what_was_proposed(subject: Subject) -> None:
    subject.propose()
    before = git(subject.bare, "for-each-ref")
    subject.forge.hang_up()
    assert git(subject.bare, "for-each-ref") == before
