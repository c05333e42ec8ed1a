"""Pushes that make, replace and delete refs: only the updater's own, and only as they were read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gitserver import (
    PROTECTED,
    GitServer,
    commit_as_person,
    decline,
    fsck,
    git,
    make_bare,
    protect,
    tip,
    unprotect,
)
from support.mirrors import FILES, NOW, VALUES, draft, mirrored, write

from updater.configrepo import ConfigRepo, Draft, Pushed
from updater.errors import InvalidConfigRepo, PushForbidden, Unreachable

IRIS = "updater/prod/iris"
CLOSED = "refs/updater/closed/prod/iris/1"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare(tmp_path / "srv", FILES)


@pytest.fixture
def server(bare: Path) -> Iterator[GitServer]:
    with GitServer(bare.parent) as running:
        yield running


@pytest.fixture
def repo(server: GitServer, tmp_path: Path) -> Iterator[ConfigRepo]:
    with mirrored(server, tmp_path / "mirror") as opened:
        yield opened


def _made(repo: ConfigRepo, content: str = "tag: 2\n") -> str:
    return repo.commit(repo.snapshot("main"), [draft(content)])[-1]


def _create(repo: ConfigRepo, branch: str = IRIS, content: str = "tag: 2\n") -> str:
    new = _made(repo, content)
    assert repo.push({branch: ("", new)}) == {branch: Pushed.LANDED}
    return new


def _meet(repo: ConfigRepo, bare: Path, *, is_atomic: bool) -> None:
    """Let the updater find out whether the server takes several refs at once or none."""
    git(bare, "config", "receive.advertiseAtomic", str(is_atomic).lower())
    new = _made(repo)
    both = {"updater/stage/a": ("", new), "updater/stage/b": ("", new)}
    assert repo.push(both) == dict.fromkeys(both, Pushed.LANDED)
    repo.push(dict.fromkeys(both, (new, "")))


def _refs(bare: Path) -> dict[str, str]:
    lines = git(bare, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return {name: commit for name, _, commit in (line.partition(" ") for line in lines)}


def test_a_branch_is_made_and_known_without_a_fetch(repo: ConfigRepo, bare: Path, server: GitServer) -> None:
    new = _made(repo)
    server.requests.clear()
    assert repo.push({IRIS: ("", new)}) == {IRIS: Pushed.LANDED}
    assert len(server.requests) == 2
    assert tip(bare, IRIS) == new
    assert repo.branches("updater/") == {IRIS: new}
    assert repo.snapshot(IRIS).read(VALUES) == b"tag: 2\n"
    assert repo.branches("updater/stage/") == {}
    assert repo.branches().keys() == {"main", IRIS}


def test_a_branch_that_is_there_already_is_moved_and_stays(repo: ConfigRepo, bare: Path) -> None:
    new = _made(repo)
    theirs = commit_as_person(bare, {VALUES: "tag: theirs\n"}, branch=IRIS)
    assert repo.push({IRIS: ("", new)}) == {IRIS: Pushed.MOVED}
    assert tip(bare, IRIS) == theirs


def test_a_branch_that_an_old_commit_would_make_anew_over_a_persons_is_moved(
    repo: ConfigRepo, bare: Path
) -> None:
    start = repo.snapshot("main").commit
    git(bare, "branch", IRIS, start)
    # It would be a fast-forward, and still nobody said that the branch may exist.
    assert repo.push({IRIS: ("", _made(repo))}) == {IRIS: Pushed.MOVED}
    assert tip(bare, IRIS) == start


def test_making_the_same_branch_twice_lands_once(repo: ConfigRepo, bare: Path) -> None:
    new = _create(repo)
    assert repo.push({IRIS: ("", new)}) == {IRIS: Pushed.LANDED}
    assert tip(bare, IRIS) == new


def test_an_own_branch_is_replaced_by_a_commit_beside_it(repo: ConfigRepo, bare: Path) -> None:
    old = _create(repo, content="tag: 2\n")
    new = _made(repo, "tag: 3\n")
    assert repo.push({IRIS: (old, new)}, replacing=[IRIS]) == {IRIS: Pushed.LANDED}
    assert tip(bare, IRIS) == new
    assert repo.branches(IRIS) == {IRIS: new}
    fsck(bare)


def test_a_persons_commit_on_an_own_branch_is_never_replaced(repo: ConfigRepo, bare: Path) -> None:
    old = _create(repo)
    theirs = commit_as_person(bare, {VALUES: "tag: theirs\n"}, branch=IRIS)
    assert repo.push({IRIS: (old, _made(repo, "tag: 3\n"))}, replacing=[IRIS]) == {IRIS: Pushed.MOVED}
    assert repo.push({IRIS: (old, "")}) == {IRIS: Pushed.MOVED}
    assert tip(bare, IRIS) == theirs


def test_an_own_branch_that_was_deleted_does_not_come_back(repo: ConfigRepo, bare: Path) -> None:
    old = _create(repo)
    git(bare, "branch", "-D", IRIS)
    assert repo.push({IRIS: (old, _made(repo, "tag: 3\n"))}, replacing=[IRIS]) == {IRIS: Pushed.MOVED}
    assert repo.push({IRIS: (old, "")}) == {IRIS: Pushed.MOVED}
    assert f"refs/heads/{IRIS}" not in _refs(bare)


def test_an_own_branch_is_deleted_and_known_as_gone(repo: ConfigRepo, bare: Path) -> None:
    old = _create(repo)
    repo.snapshot(IRIS)
    assert repo.push({IRIS: (old, "")}) == {IRIS: Pushed.LANDED}
    assert f"refs/heads/{IRIS}" not in _refs(bare)
    assert repo.branches("updater/") == {}
    with pytest.raises(InvalidConfigRepo, match="no branch"):
        repo.snapshot(IRIS)


def test_nothing_but_the_updaters_own_is_ever_replaced_or_deleted(repo: ConfigRepo, bare: Path) -> None:
    old, new = write(repo)
    before = _refs(bare)
    for name in ("main", "release/1", "refs/tags/v1", "refs/heads/updater/prod/iris", "updates/x"):
        with pytest.raises(ValueError, match="not the updater's own"):
            repo.push({name: (old, new)}, replacing=[name])
        with pytest.raises(ValueError, match="not the updater's own"):
            repo.push({name: (old, "")})
    with pytest.raises(ValueError, match="neither"):
        repo.push({IRIS: ("", "")})
    assert _refs(bare) == before


def test_an_own_branch_that_nobody_said_to_replace_is_only_moved_forward(
    repo: ConfigRepo, bare: Path
) -> None:
    old = _create(repo)
    with pytest.raises(ValueError, match="does not descend"):
        repo.push({IRIS: (old, _made(repo, "tag: 3\n"))})
    (further,) = repo.commit(repo.snapshot(IRIS), [draft("tag: 4\n")])
    assert repo.push({IRIS: (old, further)}) == {IRIS: Pushed.LANDED}
    assert tip(bare, IRIS) == further


def test_a_hundred_branches_are_made_in_one_push(repo: ConfigRepo, bare: Path, server: GitServer) -> None:
    base = repo.snapshot("main")
    updates = {
        f"updater/prod/chart-{number}": ("", repo.commit(base, [draft(f"tag: {number}\n")])[-1])
        for number in range(100)
    }
    server.requests.clear()
    assert repo.push(updates, guards={"main": base.commit}) == dict.fromkeys(updates, Pushed.LANDED)
    assert len(server.requests) == 2
    assert repo.branches("updater/prod/") == {name: new for name, (_, new) in updates.items()}
    fsck(bare)


def test_a_guard_that_moved_holds_back_new_branches(repo: ConfigRepo, bare: Path) -> None:
    base = repo.snapshot("main")
    new = _made(repo)
    commit_as_person(bare, {VALUES: "tag: theirs\n"})
    assert repo.push({IRIS: ("", new)}, guards={"main": base.commit}) == {IRIS: Pushed.MOVED}
    assert f"refs/heads/{IRIS}" not in _refs(bare)


def test_a_ref_of_its_own_is_made_beside_a_deleted_branch(repo: ConfigRepo, bare: Path) -> None:
    old = _create(repo)
    closing = repo.commit(repo.snapshot(IRIS), [Draft({}, "Close it", NOW)])[-1]
    answers = repo.push({CLOSED: ("", closing), IRIS: (old, "")}, whole=True)
    assert answers == {CLOSED: Pushed.LANDED, IRIS: Pushed.LANDED}
    assert _refs(bare) == {"refs/heads/main": tip(bare), CLOSED: closing}
    assert repo.refs_closed() == {"prod/iris/1": closing}
    assert git(bare, "rev-parse", f"{closing}^", f"{closing}^{{tree}}").split() == [
        old,
        git(bare, "rev-parse", f"{old}^{{tree}}"),
    ]
    fsck(bare)


def test_closed_refs_of_the_remote_come_with_a_fetch_and_go_with_one(
    repo: ConfigRepo, bare: Path, tmp_path: Path
) -> None:
    assert repo.refs_closed() == {}
    start = tip(bare)
    for name in ("prod/iris/1", "prod/iris/2", "prod/rose/1"):
        git(bare, "update-ref", f"refs/updater/closed/{name}", start)
    git(bare, "update-ref", "refs/updater/batch", start)
    repo.fetch()
    assert repo.refs_closed() == {"prod/iris/1": start, "prod/iris/2": start, "prod/rose/1": start}
    git(bare, "update-ref", "-d", "refs/updater/closed/prod/iris/2")
    repo.fetch()
    assert repo.refs_closed().keys() == {"prod/iris/1", "prod/rose/1"}
    with mirrored(str(bare), tmp_path / "another") as other:
        assert other.refs_closed().keys() == {"prod/iris/1", "prod/rose/1"}


def test_a_folder_of_closed_refs_may_become_one_and_back(repo: ConfigRepo, bare: Path) -> None:
    for name, gone in (("prod/iris/1", ""), ("prod/iris", "prod/iris/1"), ("prod/iris/2", "prod/iris")):
        if gone:
            git(bare, "update-ref", "-d", f"refs/updater/closed/{gone}")
        git(bare, "update-ref", f"refs/updater/closed/{name}", tip(bare))
        repo.fetch()
        assert repo.refs_closed().keys() == {name}


@pytest.mark.parametrize("is_atomic", [True, False], ids=["atomic", "simple server"])
@pytest.mark.parametrize("forbidden", ["the target", "the deletion"])
def test_what_belongs_together_lands_whole_or_not_at_all(
    repo: ConfigRepo, bare: Path, forbidden: str, is_atomic: bool
) -> None:
    _meet(repo, bare, is_atomic=is_atomic)
    old = _create(repo)
    update = write(repo, "tag: 2\n")
    protect(bare, "main" if forbidden == "the target" else IRIS)
    before = _refs(bare)
    answers = repo.push({"main": update, IRIS: (old, "")}, whole=True)
    if is_atomic or forbidden == "the target":
        assert _refs(bare) == before
    else:
        # The change is on the target; only the branch stays behind.
        assert _refs(bare) == before | {"refs/heads/main": update[1]}
    refused = [answer for answer in answers.values() if isinstance(answer, PushForbidden)]
    assert refused
    assert all(PROTECTED in str(answer) for answer in refused)
    unprotect(bare)


@pytest.mark.parametrize("is_atomic", [True, False], ids=["atomic", "simple server"])
def test_an_update_hook_that_refuses_one_keeps_the_other(
    repo: ConfigRepo, bare: Path, is_atomic: bool
) -> None:
    _meet(repo, bare, is_atomic=is_atomic)
    old = _create(repo)
    update = write(repo, "tag: 2\n")
    decline(bare, "Not on a Friday")
    before = _refs(bare)
    answers = repo.push({"main": update, IRIS: (old, "")}, whole=True)
    assert isinstance(answers["main"], PushForbidden)
    assert answers[IRIS] is Pushed.MOVED
    assert _refs(bare) == before


@pytest.mark.parametrize("is_atomic", [True, False], ids=["atomic", "simple server"])
@pytest.mark.parametrize("moved", ["main", IRIS])
def test_what_belongs_together_moves_together(
    repo: ConfigRepo, bare: Path, moved: str, is_atomic: bool
) -> None:
    _meet(repo, bare, is_atomic=is_atomic)
    old = _create(repo)
    update = write(repo, "tag: 2\n")
    commit_as_person(bare, {VALUES: "tag: theirs\n"}, branch=moved)
    before = _refs(bare)
    answers = repo.push({"main": update, IRIS: (old, "")}, whole=True)
    assert answers == {"main": Pushed.MOVED, IRIS: Pushed.MOVED}
    assert _refs(bare) == before


def test_a_simple_server_takes_both_one_after_the_other(repo: ConfigRepo, bare: Path) -> None:
    _meet(repo, bare, is_atomic=False)
    old = _create(repo)
    update = write(repo)
    answers = repo.push({"main": update, IRIS: (old, "")}, whole=True)
    assert answers == {"main": Pushed.LANDED, IRIS: Pushed.LANDED}
    assert _refs(bare) == {"refs/heads/main": update[1]}


@pytest.mark.parametrize("setting", ["receive.denyNonFastForwards", "receive.denyDeletes"])
def test_a_server_that_forbids_it_says_so(repo: ConfigRepo, bare: Path, setting: str) -> None:
    old = _create(repo)
    git(bare, "config", setting, "true")
    new = _made(repo, "tag: 3\n") if setting == "receive.denyNonFastForwards" else ""
    answer = repo.push({IRIS: (old, new)}, replacing=[IRIS])[IRIS]
    assert isinstance(answer, PushForbidden)
    assert tip(bare, IRIS) == old


def test_a_lost_answer_to_a_deletion_is_told_by_the_next_fetch(
    repo: ConfigRepo, bare: Path, server: GitServer
) -> None:
    old = _create(repo)
    server.hang_up_after_push = True
    with pytest.raises(Unreachable):
        repo.push({IRIS: (old, "")})
    server.heal()
    assert repo.branches("updater/") == {IRIS: old}
    repo.fetch()
    assert repo.branches("updater/") == {}


def test_a_merge_commit_has_both_parents(repo: ConfigRepo, bare: Path) -> None:
    head = _create(repo)
    base = repo.snapshot("main")
    (commit,) = repo.commit(base, [Draft({VALUES: b"tag: 2\n"}, "Merge", NOW, parents=(head,))])
    assert repo.push({"main": (base.commit, commit)}) == {"main": Pushed.LANDED}
    assert git(bare, "rev-parse", "main^1", "main^2").split() == [base.commit, head]
    fsck(bare)
