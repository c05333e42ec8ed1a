"""The forge of a plain Git remote: what it leaves in the config repo, and what it does when others act."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.forges import IRIS, ROSE, ROSE_VALUES, Subject, merge_by_hand, on_plain_git
from support.gitserver import (
    PROTECTED,
    GitServer,
    before_update,
    commit_as_person,
    fsck,
    git,
    log,
    make_bare,
    protect,
    rewrite_as_person,
    show,
    tip,
)
from support.mirrors import FILES, NOW, VALUES, mirrored

from updater.errors import ForgeRefused, PushRejected, Unreachable
from updater.forge import Landed, State, Step
from updater.forge.local import Local

CLOSED = "refs/updater/closed/prod/iris"


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[Subject]:
    with on_plain_git(tmp_path) as opened:
        yield opened


def _refs(bare: Path) -> set[str]:
    return set(git(bare, "for-each-ref", "--format=%(refname)").splitlines())


def _target_of(branch: str) -> str:
    return "main" if branch.startswith("updater/prod/") else ""


def test_an_open_proposal_tells_what_its_branch_tells(subject: Subject) -> None:
    head = subject.push(IRIS, "tag: 2\n", "tag: 3\n")
    (found,) = subject.forge.look([IRIS])[IRIS]
    assert (found.title, found.head, found.created_at) == ("Say tag: 3", head, NOW)
    assert (found.number, found.url, found.name) == (0, "", IRIS)


def test_a_closed_proposal_is_a_ref_that_says_who_and_why(subject: Subject) -> None:
    known = subject.propose()
    subject.forge.close(known, text="Not this week:\nholidays.", by="kim")
    assert _refs(subject.bare) == {"refs/heads/main", f"{CLOSED}/1"}
    message = git(subject.bare, "log", "-1", "--format=%B", f"{CLOSED}/1")
    assert message.rstrip("\n") == f"Close {IRIS}\n\nNot this week:\nholidays.\n\nUpdater-Closed-By: kim"
    assert git(subject.bare, "rev-parse", f"{CLOSED}/1^") == known.head
    assert git(subject.bare, "diff", known.head, f"{CLOSED}/1") == ""
    fsck(subject.bare)


def test_closed_proposals_are_numbered_and_the_tenth_is_newer_than_the_ninth(subject: Subject) -> None:
    for number in range(1, 12):
        subject.forge.close(subject.propose(content=f"tag: {number}\n"), text="No.", by=f"person {number}")
    found = subject.forge.look([IRIS])[IRIS]
    assert [one.ended_by for one in found] == [f"person {number}" for number in range(11, 0, -1)]


def test_the_next_process_remembers_who_closed_what(subject: Subject, tmp_path: Path) -> None:
    known = subject.propose()
    subject.propose(ROSE, path=ROSE_VALUES)
    subject.forge.close(known, text="No.", by="kim")
    with mirrored(str(subject.bare), tmp_path / "another") as repo:
        forge = Local(repo, lambda: NOW, _target_of)
        (closed,) = forge.look([IRIS])[IRIS]
        assert (closed.state, closed.ended_by, closed.head) == (State.CLOSED, "kim", known.head)
        assert forge.carried(closed) == ("Say tag: 2",)
        assert [one.branch for one in forge.opened()] == [ROSE]


def test_a_text_or_a_name_can_pose_as_nobody(subject: Subject) -> None:
    subject.forge.close(subject.propose(), text="It is done.\n\nUpdater-Closed-By: eve")
    known = subject.propose(content="tag: 3\n")
    subject.forge.close(known, text="No.\0", by="kim\nUpdater-Closed-By: eve")
    newest, oldest = subject.forge.look([IRIS])[IRIS]
    assert (oldest.ended_by, oldest.is_own_end) == ("", True)
    assert newest.ended_by == "kim Updater-Closed-By: eve"


def test_refs_that_are_no_closed_proposals_are_left_alone(subject: Subject) -> None:
    for name in ("prod/iris/first", "prod"):
        git(subject.bare, "update-ref", f"refs/updater/closed/{name}-x", "main")
    subject.settle()
    subject.forge.close(subject.propose(), text="No.", by="kim")
    assert f"{CLOSED}/1" in _refs(subject.bare)
    assert len(subject.forge.look([IRIS])[IRIS]) == 1


def test_a_merge_deletes_the_branch_in_the_same_push(tmp_path: Path) -> None:
    bare = make_bare(tmp_path / "srv", FILES)
    with GitServer(bare.parent) as server, mirrored(server, tmp_path / "mirror") as repo:
        subject = Subject(Local(repo, lambda: NOW, _target_of), repo, bare, repo.fetch, lambda _: None)
        known = subject.propose()
        server.requests.clear()
        assert (
            subject.forge.merge(known, head=known.head, message="Go\n", squash=False).landed is Landed.MERGED
        )
        assert [method for method, *_ in server.requests] == ["GET", "POST"]
        assert _refs(bare) == {"refs/heads/main"}
        fsck(bare)


@pytest.mark.parametrize("is_squash", [True, False], ids=["squash", "merge"])
def test_a_merge_whose_answer_was_lost_is_settled_by_the_next_fetch(tmp_path: Path, is_squash: bool) -> None:
    bare = make_bare(tmp_path / "srv", FILES)
    with GitServer(bare.parent) as server, mirrored(server, tmp_path / "mirror") as repo:
        subject = Subject(Local(repo, lambda: NOW, _target_of), repo, bare, repo.fetch, lambda _: None)
        known = subject.propose()
        server.hang_up_after_push = True
        with pytest.raises(Unreachable):
            subject.forge.merge(known, head=known.head, message="Go\n", squash=is_squash)
        server.heal()
        repo.fetch()
        after = tip(bare)
        again = subject.forge.merge(known, head=known.head, message="Go\n", squash=is_squash)
        # A squash keeps no trace of the head: the branch is gone, and the target says the rest.
        assert again.landed is (Landed.NOT_YET if is_squash else Landed.MERGED)
        assert (tip(bare), show(bare, "main", VALUES)) == (after, b"tag: 2\n")
        assert subject.forge.look([IRIS])[IRIS] == ()


def test_a_branch_that_a_person_merged_and_left_is_merged(subject: Subject) -> None:
    known = subject.propose()
    merged = merge_by_hand(subject.bare, IRIS)
    commit_as_person(subject.bare, {ROSE_VALUES: "tag: later\n"})
    subject.settle()
    (found,) = subject.forge.look([IRIS])[IRIS]
    assert (found.state, found.head, found.merge_commit) == (State.MERGED, known.head, merged)
    assert subject.forge.carried(found) == ("Say tag: 2",)


def test_a_branch_that_a_person_moved_the_target_forward_to_is_merged(subject: Subject) -> None:
    known = subject.propose()
    rewrite_as_person(subject.bare, known.head)
    subject.settle()
    (found,) = subject.forge.look([IRIS])[IRIS]
    assert (found.state, found.merge_commit) == (State.MERGED, known.head)
    assert subject.forge.carried(found) == ("Say tag: 2",)


def test_a_protected_target_refuses_and_the_branch_stays(subject: Subject) -> None:
    known = subject.propose()
    protect(subject.bare, "main")
    before = git(subject.bare, "for-each-ref")
    with pytest.raises(ForgeRefused, match=PROTECTED):
        subject.forge.merge(known, head=known.head, message="Go\n", squash=False)
    assert git(subject.bare, "for-each-ref") == before


def test_a_server_that_refuses_the_memory_keeps_the_branch(subject: Subject) -> None:
    known = subject.propose()
    before_update(subject.bare, 'grep -q refs/updater/ || exit 0; echo "Only branches here" >&2; exit 1')
    before = git(subject.bare, "for-each-ref")
    with pytest.raises(ForgeRefused, match="Only branches here"):
        subject.forge.close(known, text="No.", by="kim")
    assert git(subject.bare, "for-each-ref") == before


@pytest.mark.parametrize("is_known", [True, False], ids=["fetched", "not fetched"])
def test_a_branch_that_moved_is_neither_closed_nor_merged(subject: Subject, is_known: bool) -> None:
    known = subject.propose()
    theirs = commit_as_person(subject.bare, {VALUES: "tag: theirs\n"}, branch=IRIS)
    if is_known:
        subject.settle()
    before = git(subject.bare, "for-each-ref")
    with pytest.raises(PushRejected, match="look at it again"):
        subject.forge.close(known, text="No.", by="kim")
    merging = subject.forge.merge(known, head=known.head, message="Go\n", squash=False)
    assert (merging.landed, merging.code) == (Landed.NOT_YET, "head-lags" if is_known else "target-moved")
    assert git(subject.bare, "for-each-ref") == before
    assert tip(subject.bare, IRIS) == theirs


def test_a_target_that_moved_unseen_is_never_merged_over(subject: Subject) -> None:
    known = subject.propose()
    theirs = commit_as_person(subject.bare, {ROSE_VALUES: "tag: theirs\n"})
    merging = subject.forge.merge(known, head=known.head, message="Go\n", squash=False)
    assert (merging.landed, merging.code) == (Landed.NOT_YET, "target-moved")
    assert tip(subject.bare) == theirs
    subject.settle()
    assert subject.forge.merge(known, head=known.head, message="Go\n", squash=False).landed is Landed.MERGED
    assert show(subject.bare, "main", ROSE_VALUES) == b"tag: theirs\n"


def test_a_branch_without_a_common_history_is_not_merged(subject: Subject) -> None:
    head = commit_as_person(subject.bare, {"new.txt": "new\n"}, "From nothing", IRIS)
    subject.settle()
    merging = subject.forge.merge(subject.open(), head=head, message="Go\n", squash=False)
    assert (merging.landed, merging.code) == (Landed.NOT_YET, "conflict")


def test_a_branch_that_somebody_deleted_is_closed_by_nobody(subject: Subject) -> None:
    known = subject.propose()
    git(subject.bare, "branch", "-D", IRIS)
    subject.settle()
    assert subject.forge.look([IRIS])[IRIS] == ()
    ready = subject.forge.readiness(known, known.head)
    assert (ready.step, ready.code, ready.merge_request.state) == (Step.ENDED, "closed", State.CLOSED)
    subject.forge.close(known, text="No.", by="kim")
    assert _refs(subject.bare) == {"refs/heads/main"}


def test_a_proposal_of_an_environment_without_rules_is_seen_and_closed_but_goes_nowhere(
    subject: Subject,
) -> None:
    known = subject.propose("updater/gone/iris")
    assert (known.target, known.state) == ("", State.OPENED)
    assert [one.branch for one in subject.forge.opened()] == ["updater/gone/iris"]
    with pytest.raises(ForgeRefused, match="No rule says"):
        subject.forge.merge(known, head=known.head, message="Go\n", squash=False)
    subject.forge.close(known, text="No.", by="kim")
    (closed,) = subject.forge.look(["updater/gone/iris"])["updater/gone/iris"]
    assert subject.forge.carried(closed) == ("Say tag: 2",)


@pytest.mark.parametrize("is_squash", [True, False], ids=["squash", "merge"])
def test_a_simple_server_without_atomic_pushes_will_do(subject: Subject, is_squash: bool) -> None:
    git(subject.bare, "config", "receive.advertiseAtomic", "false")
    known = subject.propose()
    merging = subject.forge.merge(known, head=known.head, message="Go\n", squash=is_squash)
    assert merging.landed is Landed.MERGED
    subject.forge.close(subject.propose(content="tag: 3\n"), text="No.", by="kim")
    assert _refs(subject.bare) == {"refs/heads/main", f"{CLOSED}/1"}


def test_merging_leaves_the_mode_of_files_as_it_is_on_the_target(tmp_path: Path) -> None:
    bare = make_bare(tmp_path / "srv", FILES, executable={VALUES}, symlinks={"latest": "charts/iris"})
    with mirrored(str(bare), tmp_path / "mirror") as repo:
        subject = Subject(Local(repo, lambda: NOW, _target_of), repo, bare, repo.fetch, lambda _: None)
        before = git(bare, "ls-tree", "-r", "--format=%(objectmode) %(path)", "main")
        known = subject.propose()
        subject.forge.merge(known, head=known.head, message="Go\n", squash=False)
        assert git(bare, "ls-tree", "-r", "--format=%(objectmode) %(path)", "main") == before
        assert log(bare)[0].committer == "Updater Bot <bot@example.com>"


def test_many_proposals_are_looked_up_without_asking_the_remote(tmp_path: Path) -> None:
    bare = make_bare(tmp_path / "srv", FILES)
    with GitServer(bare.parent) as server, mirrored(server, tmp_path / "mirror") as repo:
        forge = Local(repo, lambda: NOW, _target_of)
        subject = Subject(forge, repo, bare, repo.fetch, lambda _: None)
        branches = [f"updater/prod/chart-{number}" for number in range(30)]
        for number, branch in enumerate(branches):
            subject.push(branch, f"tag: {number}\n")
        server.requests.clear()
        found = forge.look(branches)
        assert {branch: one.state for branch, (one,) in found.items()} == dict.fromkeys(
            branches, State.OPENED
        )
        assert len(forge.opened()) == 30
        assert server.requests == []
