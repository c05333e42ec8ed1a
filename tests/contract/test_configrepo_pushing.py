"""Pushes: what lands, what moved, what is forbidden, and what nobody can know."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gitserver import (
    PROTECTED,
    GitServer,
    before_update,
    commit_as_person,
    decline,
    fsck,
    git,
    locked,
    log,
    make_bare,
    protect,
    rewrite_as_person,
    show,
    tip,
    unprotect,
)
from support.mirrors import FILES, VALUES, children, draft, mirrored, write

from updater.configrepo import ConfigRepo, Pushed
from updater.errors import InvalidConfigRepo, PushForbidden, TemporaryError, Unreachable

ROSE = "charts/rose/values.yaml"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    bare = make_bare(tmp_path / "srv", FILES)
    for branch in ("prod", "stage"):
        git(bare, "branch", branch, "main")
    return bare


@pytest.fixture
def server(bare: Path) -> Iterator[GitServer]:
    with GitServer(bare.parent) as running:
        yield running


@pytest.fixture
def repo(server: GitServer, tmp_path: Path) -> Iterator[ConfigRepo]:
    with mirrored(server, tmp_path / "mirror") as opened:
        yield opened


def test_a_push_over_http_with_a_token_lands(repo: ConfigRepo, bare: Path, server: GitServer) -> None:
    old, new = write(repo)
    server.requests.clear()
    assert repo.push({"main": (old, new)}) == {"main": Pushed.LANDED}
    assert tip(bare) == new
    # No round trip to be asked for the token, and none to ask whether a pack may come.
    assert [method for method, *_ in server.requests] == ["GET", "POST"]
    fsck(bare)


def test_after_a_push_the_branch_is_known_without_a_fetch(repo: ConfigRepo, server: GitServer) -> None:
    old, new = write(repo, "tag: 2\n")
    repo.push({"main": (old, new)})
    server.requests.clear()
    snapshot = repo.snapshot("main")
    assert (snapshot.commit, snapshot.read(VALUES)) == (new, b"tag: 2\n")
    assert repo.contains("main", old)
    assert server.requests == []


def test_the_next_process_knows_what_this_one_pushed(server: GitServer, tmp_path: Path) -> None:
    with mirrored(server, tmp_path / "mirror") as repo:
        old, new = write(repo)
        repo.push({"main": (old, new)})
    with mirrored(server, tmp_path / "mirror") as repo:
        assert repo.snapshot("main").commit == new


def test_a_chain_of_a_hundred_commits_lands_in_one_push(
    repo: ConfigRepo, bare: Path, server: GitServer
) -> None:
    base = repo.snapshot("main")
    commits = repo.commit(base, [draft(f"tag: {number}\n", f"Number {number}") for number in range(100)])
    server.requests.clear()
    assert repo.push({"main": (base.commit, commits[-1])}) == {"main": Pushed.LANDED}
    assert len(server.requests) == 2
    assert [commit.sha for commit in log(bare)] == [*reversed(commits), base.commit]


def test_several_branches_land_in_one_push(repo: ConfigRepo, bare: Path, server: GitServer) -> None:
    updates = {branch: write(repo, f"tag: {branch}\n", branch) for branch in ("main", "prod", "stage")}
    server.requests.clear()
    assert repo.push(updates) == dict.fromkeys(updates, Pushed.LANDED)
    assert len(server.requests) == 2
    assert {branch: tip(bare, branch) for branch in updates} == {
        name: new for name, (_, new) in updates.items()
    }


def test_a_moved_branch_is_said_and_the_persons_commit_survives(repo: ConfigRepo, bare: Path) -> None:
    update = write(repo)
    theirs = commit_as_person(bare, {ROSE: "tag: theirs\n"})
    assert repo.push({"main": update}) == {"main": Pushed.MOVED}
    assert tip(bare) == theirs
    repo.fetch()
    again = write(repo)
    assert again[0] == theirs
    assert repo.push({"main": again}) == {"main": Pushed.LANDED}
    assert show(bare, "main", ROSE) == b"tag: theirs\n"
    assert repo.contains("main", theirs)


def test_a_branch_that_moves_while_the_push_is_under_way_is_moved(repo: ConfigRepo, bare: Path) -> None:
    update = write(repo)
    theirs = commit_as_person(bare, {ROSE: "tag: theirs\n"})
    rewrite_as_person(bare, update[0])
    # Git runs this hook after the client compared, and before the server locks the branch; the
    # quarantine of incoming objects would forbid it to change a ref through Git.
    before_update(bare, f"echo {theirs} > refs/heads/main")
    assert repo.push({"main": update}) == {"main": Pushed.MOVED}
    assert tip(bare) == theirs


def test_a_branch_that_was_set_back_is_moved_and_nothing_comes_back(repo: ConfigRepo, bare: Path) -> None:
    start = tip(bare)
    unwanted = commit_as_person(bare, {VALUES: "tag: unwanted\n"})
    update = write(repo)
    assert update[0] == unwanted
    rewrite_as_person(bare, start)
    assert repo.push({"main": update}) == {"main": Pushed.MOVED}
    assert tip(bare) == start


def test_a_deleted_branch_is_moved_and_does_not_come_back(repo: ConfigRepo, bare: Path) -> None:
    update = write(repo, branch="prod")
    git(bare, "branch", "-D", "prod")
    assert repo.push({"prod": update}) == {"prod": Pushed.MOVED}
    assert "prod" not in git(bare, "for-each-ref")
    repo.fetch()
    with pytest.raises(InvalidConfigRepo, match="no branch 'prod'"):
        repo.snapshot("prod")


def test_one_moved_branch_holds_back_the_others(repo: ConfigRepo, bare: Path) -> None:
    updates = {branch: write(repo, f"tag: {branch}\n", branch) for branch in ("main", "prod")}
    commit_as_person(bare, {ROSE: "tag: theirs\n"}, branch="prod")
    assert repo.push(updates) == {"main": Pushed.MOVED, "prod": Pushed.MOVED}
    assert tip(bare) == updates["main"][0]


def test_a_guard_that_stands_lets_the_push_through(repo: ConfigRepo, bare: Path, server: GitServer) -> None:
    update = write(repo, branch="prod")
    server.requests.clear()
    assert repo.push({"prod": update}, guards={"main": tip(bare)}) == {"prod": Pushed.LANDED}
    assert len(server.requests) == 2
    assert tip(bare, "main") == update[0]


@pytest.mark.parametrize("is_atomic", [True, False], ids=["atomic", "simple server"])
@pytest.mark.parametrize("move", ["forward", "back", "away"])
def test_a_guard_that_moved_holds_back_the_push(
    repo: ConfigRepo, bare: Path, move: str, is_atomic: bool
) -> None:
    git(bare, "config", "receive.advertiseAtomic", str(is_atomic).lower())
    start = tip(bare)
    read_at = commit_as_person(bare, {ROSE: "tag: 2\n"})
    update = write(repo, branch="prod")
    if move == "forward":
        commit_as_person(bare, {ROSE: "tag: 3\n"})
    elif move == "back":
        rewrite_as_person(bare, start)
    else:
        git(bare, "update-ref", "-d", "refs/heads/main")
    before = git(bare, "for-each-ref")
    for _ in range(2):
        assert repo.push({"prod": update}, guards={"main": read_at}) == {"prod": Pushed.MOVED}
    assert git(bare, "for-each-ref") == before


def test_a_guard_on_a_protected_branch_needs_no_right_there(repo: ConfigRepo, bare: Path) -> None:
    protect(bare, "main")
    update = write(repo, branch="prod")
    assert repo.push({"prod": update}, guards={"main": tip(bare)}) == {"prod": Pushed.LANDED}


def test_a_guard_that_is_pushed_as_well_is_compared_once(repo: ConfigRepo, bare: Path) -> None:
    update = write(repo)
    assert repo.push({"main": update}, guards={"main": update[0]}) == {"main": Pushed.LANDED}
    assert tip(bare) == update[1]


def test_a_server_without_atomic_pushes_lands_each_branch_by_itself(repo: ConfigRepo, bare: Path) -> None:
    git(bare, "config", "receive.advertiseAtomic", "false")
    for tag in ("first", "second"):
        updates = {branch: write(repo, f"tag: {tag}\n", branch) for branch in ("main", "prod")}
        assert tag == "second" or repo.push(updates) == dict.fromkeys(updates, Pushed.LANDED)
    theirs = commit_as_person(bare, {ROSE: "tag: theirs\n"}, branch="prod")
    expected = {"main": Pushed.LANDED, "prod": Pushed.MOVED}
    assert repo.push(updates, guards={"stage": tip(bare, "stage")}) == expected
    assert (tip(bare), tip(bare, "prod")) == (updates["main"][1], theirs)


def test_a_protected_branch_is_forbidden_in_the_servers_words(repo: ConfigRepo, bare: Path) -> None:
    protect(bare, "main")
    update = write(repo)
    answer = repo.push({"main": update})["main"]
    assert isinstance(answer, PushForbidden)
    assert PROTECTED in str(answer)
    assert "main (pre-receive hook declined)" in str(answer)
    assert tip(bare) == update[0]
    unprotect(bare)
    assert repo.push({"main": update}) == {"main": Pushed.LANDED}


def test_the_words_of_a_hook_reach_the_requester(repo: ConfigRepo, bare: Path) -> None:
    decline(bare, "Commits must name a ticket, see https://example.com/rules")
    answer = repo.push({"main": write(repo)})["main"]
    assert isinstance(answer, PushForbidden)
    assert "(hook declined) and says: Commits must name a ticket, see https://example.com/rules." in str(
        answer
    )


@pytest.mark.parametrize("is_atomic", [True, False], ids=["atomic", "simple server"])
@pytest.mark.parametrize(
    "hook", [protect, lambda bare, branch: decline(bare, PROTECTED, branch)], ids=["pre", "update"]
)
def test_one_forbidden_branch_does_not_hold_back_the_others(
    repo: ConfigRepo, bare: Path, hook: object, is_atomic: bool
) -> None:
    assert callable(hook)
    git(bare, "config", "receive.advertiseAtomic", str(is_atomic).lower())
    hook(bare, "prod")
    updates = {branch: write(repo, f"tag: {branch}\n", branch) for branch in ("main", "prod", "stage")}
    answers = repo.push(updates)
    assert (answers["main"], answers["stage"]) == (Pushed.LANDED, Pushed.LANDED)
    assert isinstance(answers["prod"], PushForbidden)
    assert PROTECTED in str(answers["prod"])
    assert {name: tip(bare, name) == updates[name][1] for name in updates} == {
        "main": True,
        "prod": False,
        "stage": True,
    }


def test_a_forbidden_branch_beside_a_moved_guard_is_planned_again(repo: ConfigRepo, bare: Path) -> None:
    protect(bare, "prod")
    update = write(repo, branch="prod")
    commit_as_person(bare, {ROSE: "tag: 2\n"})
    assert repo.push({"prod": update}, guards={"main": update[0]}) == {"prod": Pushed.MOVED}


def test_a_locked_branch_is_tried_again(repo: ConfigRepo, bare: Path) -> None:
    update = write(repo)
    with locked(bare):
        assert repo.push({"main": update}) == {"main": Pushed.MOVED}
    assert repo.push({"main": update}) == {"main": Pushed.LANDED}


def test_the_same_push_twice_lands_once(repo: ConfigRepo, bare: Path) -> None:
    update = write(repo)
    for _ in range(2):
        assert repo.push({"main": update}) == {"main": Pushed.LANDED}
    assert len(log(bare)) == 2


def test_a_commit_that_would_drop_another_is_never_pushed(repo: ConfigRepo, bare: Path) -> None:
    base = repo.snapshot("main")
    (first,) = repo.commit(base, [draft("tag: 1\n")])
    (second,) = repo.commit(base, [draft("tag: 2\n")])
    repo.push({"main": (base.commit, first)})
    with pytest.raises(ValueError, match="does not descend"):
        repo.push({"main": (first, second)})
    assert tip(bare) == first


def test_no_update_is_no_push(repo: ConfigRepo, server: GitServer) -> None:
    assert repo.push({}) == {}
    assert server.requests == []


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_in_trouble_is_unreachable_and_the_push_lands_later(
    repo: ConfigRepo, bare: Path, server: GitServer, status: int
) -> None:
    update = write(repo)
    server.push_status = status
    with pytest.raises(Unreachable, match=str(status)):
        repo.push({"main": update})
    server.heal()
    assert repo.push({"main": update}) == {"main": Pushed.LANDED}


def test_a_server_that_is_away_is_unreachable_until_it_is_back(
    repo: ConfigRepo, bare: Path, server: GitServer
) -> None:
    update = write(repo)
    server.stop()
    for act in (lambda: repo.push({"main": update}), repo.fetch):
        with pytest.raises(Unreachable, match=r"cannot be reached\. Git says: .*(connect|Connect)"):
            act()
    server.start()
    repo.fetch()
    assert repo.push({"main": update}) == {"main": Pushed.LANDED}


def test_a_server_that_hangs_is_given_up_and_nothing_stays_behind(
    bare: Path, server: GitServer, tmp_path: Path
) -> None:
    with mirrored(server, tmp_path / "mirror") as repo:
        update = write(repo)
    with mirrored(server, tmp_path / "mirror", timeout=0.5) as repo:
        before = children()
        server.hang = True
        for act in (repo.fetch, lambda: repo.push({"main": update})):
            with pytest.raises(Unreachable, match=r"did not finish within 0\.5 seconds"):
                act()
        assert children() == before
        server.heal()


def test_a_connection_lost_after_the_push_leaves_the_truth_to_a_fetch(
    repo: ConfigRepo, bare: Path, server: GitServer
) -> None:
    old, new = write(repo)
    server.hang_up_after_push = True
    with pytest.raises(Unreachable):
        repo.push({"main": (old, new)})
    server.heal()
    assert tip(bare) == new
    assert not repo.contains("main", new)
    repo.fetch()
    assert repo.contains("main", new)


def test_a_connection_lost_before_the_push_leaves_the_truth_to_a_fetch(
    repo: ConfigRepo, bare: Path, server: GitServer
) -> None:
    old, new = write(repo)
    server.hang_up = True
    with pytest.raises(Unreachable):
        repo.push({"main": (old, new)})
    server.heal()
    repo.fetch()
    assert not repo.contains("main", new)
    assert repo.push({"main": (old, new)}) == {"main": Pushed.LANDED}


def test_no_right_to_push_is_forbidden(repo: ConfigRepo, server: GitServer) -> None:
    update = write(repo)
    server.push_status = 403
    server.words = "You are not allowed to push code to this project."
    answer = repo.push({"main": update})["main"]
    assert isinstance(answer, PushForbidden)
    assert "says: You are not allowed to push code to this project." in str(answer)


def test_a_token_that_ran_out_is_temporary_and_never_moved(repo: ConfigRepo, server: GitServer) -> None:
    update = write(repo)
    server.token = "another"
    with pytest.raises(Unreachable, match="did not accept the updater's credentials"):
        repo.push({"main": update})


def test_a_disk_that_is_full_on_the_server_is_temporary(repo: ConfigRepo, bare: Path) -> None:
    update = write(repo)
    (bare / "objects").rename(bare / "gone")
    (bare / "objects").touch()
    with pytest.raises(TemporaryError):
        repo.push({"main": update})
    (bare / "objects").unlink()
    (bare / "gone").rename(bare / "objects")
    assert repo.push({"main": update}) == {"main": Pushed.LANDED}


def test_a_mirror_lost_under_a_push_is_temporary_and_heals(
    repo: ConfigRepo, bare: Path, tmp_path: Path
) -> None:
    update = write(repo)
    shutil.rmtree(tmp_path / "mirror")
    with pytest.raises(TemporaryError):
        repo.push({"main": update})
    assert tip(bare) == update[0]
    assert repo.push({"main": write(repo)}) == {"main": Pushed.LANDED}
