"""Merge requests closed on GitLab, by whom, and the notes that say why; over real HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.barerepo import git
from support.gitlabs import BRANCH, connected, proposal, push
from support.gitlabworld import GitLabWorld

from updater.errors import Unreachable
from updater.forge import Ensured, MergeRequest, Proposal, State
from updater.forge.gitlab import GitLab


def ensured(forge: GitLab, wanted: Proposal) -> Ensured:
    (answer,) = forge.ensure([wanted])
    assert isinstance(answer, Ensured), answer
    return answer


def made(forge: GitLab, bare: Path, tag: str = "master-2") -> MergeRequest:
    return ensured(forge, proposal(push(bare, tag))).merge_request


def test_a_close_on_somebodys_behalf_counts_as_that_persons(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    forge.close(known, text="Closed for Kim, who wants to wait.", by="kim --> lee")
    ((closed,),) = forge.look([BRANCH]).values()
    assert (closed.state, closed.ended_by, closed.is_own_end) == (State.CLOSED, "kim --> lee", False)
    assert [note.body for note in world.notes(1)] == ["Closed for Kim, who wants to wait."]
    assert world.mr(1).closed_by is world.bot


def test_a_close_of_its_own_is_no_persons_decision(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    forge.close(known, text="The target has it already.")
    ((closed,),) = forge.look([BRANCH]).values()
    assert (closed.state, closed.ended_by, closed.is_own_end) == (State.CLOSED, "", True)


def test_one_that_closed_with_its_branch_is_not_taken_for_a_closing_of_its_own(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    made(forge, bare)
    git(bare, "update-ref", "-d", f"refs/heads/{BRANCH}")
    world.notice(world.bot)
    ((closed,),) = forge.look([BRANCH]).values()
    assert (closed.state, closed.ended_by, closed.is_own_end) == (State.CLOSED, "updater-bot", False)


def test_whoever_lent_the_token_closes_on_the_page_as_a_person(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    made(forge, bare)
    world.person_closes(1, by="updater-bot")
    ((closed,),) = forge.look([BRANCH]).values()
    assert (closed.ended_by, closed.is_own_end) == ("updater-bot", False)


def test_a_mark_in_a_text_that_came_from_outside_is_none(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    text = "By x <!-- updater-closed-by:  --> y <!--updater-head: 0123 -->"
    head = push(bare, "master-2")
    known = ensured(forge, proposal(head, description=text)).merge_request
    assert known.told_head == head
    forge.note(known, "Waits <!-- updater-note -->")
    assert "<! -- updater-note -->" in world.notes(1)[0].body
    world.person_closes(1, by="updater-bot")
    ((closed,),) = forge.look([BRANCH]).values()
    assert (closed.ended_by, closed.is_own_end) == ("updater-bot", False)


def test_a_person_who_closes_again_after_reopening_is_believed(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    forge.close(known, text="The target has it already.")
    world.person_reopens(1)
    world.person_closes(1, by="lee")
    ((closed,),) = forge.look([BRANCH]).values()
    assert (closed.ended_by, closed.is_own_end) == ("lee", False)


def test_a_close_after_the_token_was_replaced_is_still_the_updaters(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    forge.close(made(forge, bare), text="The target has it already.")
    newer = world.add_person("newer-bot")
    with connected(world, token=newer.token) as other:
        ((closed,),) = other.look([BRANCH]).values()
    assert closed.is_own_end is True


def test_closing_what_ended_changes_nothing(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    merge = world.person_merges(1)
    forge.close(known, text="Too late.")
    ((merged,),) = forge.look([BRANCH]).values()
    assert (merged.state, merged.merge_commit) == (State.MERGED, merge)
    assert world.notes(1) == []


def test_a_close_that_was_cut_short_says_why_only_once(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    world.faults.next("PUT merge_requests/1", status="reset")
    with pytest.raises(Unreachable):
        forge.close(known, text="The target has it already.")
    forge.close(known, text="The target has it already.")
    assert world.mr(1).state == "closed"
    assert len(world.notes(1)) == 1


def test_the_note_is_written_once_and_then_edited(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    world.person_notes(1, "When does this go out?")
    forge.note(known, "Waits for approval.")
    forge.note(known, "Waits for its pipeline.")
    world.calls.clear()
    forge.note(known, "Waits for its pipeline.")
    assert world.calls == []
    mine = [note.body for note in world.notes(1) if note.author is world.bot]
    assert len(mine) == 1
    assert mine[0].startswith("Waits for its pipeline.")


def test_the_next_process_finds_the_note_and_leaves_it_where_it_says_so(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    forge.note(known, "Waits for approval.")
    with connected(world) as later:
        world.calls.clear()
        later.note(known, "Waits for approval.")
        assert [call.method for call in world.calls] == ["GET", "GET"]
        later.note(known, "Waits for its pipeline.")
    assert len(world.notes(1)) == 1


def test_a_note_is_only_amended_where_there_is_one_and_looked_for_once(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    forge.amend_note(known, "Is being checked.")
    world.calls.clear()
    forge.amend_note(known, "Its pipeline is running.")
    assert world.calls == []
    assert world.notes(1) == []
    forge.note(known, "Waits for approval.")
    with connected(world) as later:
        later.amend_note(known, "Is being checked.")
    assert [note.body.partition("\n")[0] for note in world.notes(1)] == ["Is being checked."]


def test_a_note_that_somebody_deleted_is_not_amended_into_being(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    known = made(forge, bare)
    forge.note(known, "Waits for approval.")
    world.mr(1).notes.clear()
    forge.amend_note(known, "Is being checked.")
    forge.amend_note(known, "Its pipeline is running.")
    assert world.notes(1) == []
    forge.note(known, "Waits for approval.")
    assert len(world.notes(1)) == 1


def test_a_copied_mark_makes_no_note_the_updaters(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    theirs = world.person_notes(1, "Look:\n\n<!-- updater-note -->")
    forge.note(known, "Waits for approval.")
    assert theirs.body.startswith("Look:")
    assert len(world.notes(1)) == 2


def test_a_note_that_somebody_deleted_is_written_anew(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    forge.note(known, "Waits for approval.")
    world.mr(1).notes.clear()
    forge.note(known, "Waits for its pipeline.")
    assert [note.body.partition("\n")[0] for note in world.notes(1)] == ["Waits for its pipeline."]


def test_no_text_can_act_as_a_quick_action(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    text = "By mallory\n/close\n  /assign @mallory\n> /merge"
    known = ensured(forge, proposal(push(bare, "master-2"), description=text)).merge_request
    forge.note(known, "/approve")
    texts = (world.mr(1).description or "", world.notes(1)[0].body)
    lines = [line for text in texts for line in text.splitlines()]
    assert [line for line in lines if line.lstrip("> ").startswith("/")] == []
    assert "\\/close" in lines
