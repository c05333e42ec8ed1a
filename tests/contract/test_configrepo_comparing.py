"""Source branches against their targets: commits, files, what was overtaken, and how it landed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.barerepo import commit_as_person, git, make_bare, rewrite_as_person, show, tip
from support.forges import merge_by_hand
from support.mirrors import FILES, IDENTITY, NOW, VALUES, draft, mirrored

from updater.configrepo import ConfigRepo, Draft, Pushed
from updater.errors import InvalidConfigRepo, TemporaryError

IRIS = "updater/prod/iris"
ROSE = "charts/rose/values.yaml"
# A commit of another repository.
ELSEWHERE = "1" * 40


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare(tmp_path, FILES)


@pytest.fixture
def repo(bare: Path, tmp_path: Path) -> Iterator[ConfigRepo]:
    with mirrored(str(bare), tmp_path / "mirror") as opened:
        yield opened


def _propose(repo: ConfigRepo, *drafts: Draft, branch: str = IRIS) -> str:
    head = repo.commit(repo.snapshot("main"), drafts or [draft("tag: 2\n")])[-1]
    assert repo.push({branch: ("", head)}) == {branch: Pushed.LANDED}
    return head


def test_a_proposal_tells_its_commits_and_files(repo: ConfigRepo, bare: Path) -> None:
    start = tip(bare)
    head = _propose(repo, draft("tag: 2\n", "One\n\nWith a body\n"), draft("tag: 9\n", "Two", ROSE))
    proposed = repo.proposed(IRIS, "main")
    assert (proposed.head, proposed.base) == (head, start)
    assert [one.message for one in proposed.commits] == ["One\n\nWith a body", "Two"]
    assert proposed.commits[0].parents == (start,)
    assert proposed.commits[1].parents == (proposed.commits[0].commit,)
    assert proposed.files == {VALUES: b"tag: 2\n", ROSE: b"tag: 9\n"}
    assert proposed.overtaken == frozenset()


def test_a_commit_tells_who_and_when(repo: ConfigRepo, bare: Path) -> None:
    head = _propose(repo)
    commit = repo.commit_of(head)
    assert (commit.author, commit.committer_email, commit.time) == ("Updater", "bot@example.com", NOW)
    theirs = repo.commit_of(tip(bare))
    assert (theirs.author, theirs.committer_email) == ("A Person", "person@example.com")
    assert theirs.time == datetime.fromtimestamp(1_700_000_000, UTC)
    assert theirs.parents == ()


def test_a_commit_that_nobody_has_is_a_missing_key_and_harms_nothing(repo: ConfigRepo) -> None:
    before = repo.snapshot("main")
    with pytest.raises(KeyError):
        repo.commit_of("1" * 40)
    assert repo.snapshot("main") == before


def test_several_commits_are_told_by_their_ids(repo: ConfigRepo, bare: Path) -> None:
    heads = {tip(bare), _propose(repo)}
    assert repo.commits_of(heads).keys() == heads
    assert repo.commits_of([]) == {}


def test_only_commits_with_the_updaters_address_and_one_parent_are_its_own(
    repo: ConfigRepo, bare: Path
) -> None:
    own = repo.commit_of(_propose(repo))
    assert repo.is_own(own)
    assert not repo.is_own(repo.commit_of(tip(bare)))
    assert not repo.is_own(dataclasses.replace(own, committer_email=IDENTITY.author_email))
    assert not repo.is_own(dataclasses.replace(own, parents=(*own.parents, tip(bare))))


def test_a_persons_commit_shows_with_whatever_it_did(repo: ConfigRepo, bare: Path) -> None:
    _propose(repo)
    added = 'charts/iris/한글 "quoted".txt'
    commit_as_person(bare, {ROSE: None, added: b"\xff\x00"}, "By hand", IRIS)
    repo.fetch()
    proposed = repo.proposed(IRIS, "main")
    assert [repo.is_own(one) for one in proposed.commits] == [True, False]
    assert proposed.files == {VALUES: b"tag: 2\n", ROSE: None, added: b"\xff\x00"}


def test_links_and_submodules_are_told_as_git_shows_them(repo: ConfigRepo, bare: Path) -> None:
    head = _propose(repo)
    link = git(bare, "hash-object", "-w", "--stdin", stdin=b"charts/iris")
    listing = git(bare, "ls-tree", head) + f"\n120000 blob {link}\tlatest\n160000 commit {ELSEWHERE}\tmodule"
    tree = git(bare, "mktree", "--missing", stdin=listing.encode() + b"\n")
    name = ("-c", "user.name=kim", "-c", "user.email=kim@example.com")
    rewrite_as_person(bare, git(bare, *name, "commit-tree", tree, "-p", head, "-m", "Odd"), IRIS)
    repo.fetch()
    files = repo.proposed(IRIS, "main").files
    assert files["latest"] == b"charts/iris"
    assert files["module"] == f"Subproject commit {ELSEWHERE}\n".encode()


def test_the_target_moving_on_leaves_the_base_and_names_what_it_overtook(
    repo: ConfigRepo, bare: Path
) -> None:
    base = tip(bare)
    _propose(repo, draft("tag: 2\n"), draft("tag: 2\n", "Two", ROSE))
    commit_as_person(bare, {"charts/iris/Chart.yaml": "name: iris2\n"})
    repo.fetch()
    assert repo.proposed(IRIS, "main").overtaken == frozenset()
    commit_as_person(bare, {ROSE: "tag: theirs\n"})
    repo.fetch()
    proposed = repo.proposed(IRIS, "main")
    assert (proposed.base, proposed.overtaken) == (base, frozenset({ROSE}))
    assert proposed.files == {VALUES: b"tag: 2\n", ROSE: b"tag: 2\n"}


def test_a_target_that_came_back_to_the_base_overtook_nothing(repo: ConfigRepo, bare: Path) -> None:
    _propose(repo)
    commit_as_person(bare, {VALUES: "tag: theirs\n"})
    commit_as_person(bare, {VALUES: FILES[VALUES]})
    repo.fetch()
    assert repo.proposed(IRIS, "main").overtaken == frozenset()


def test_a_branch_that_its_target_contains_proposes_nothing(repo: ConfigRepo, bare: Path) -> None:
    head = _propose(repo)
    merge_by_hand(bare, IRIS)
    repo.fetch()
    proposed = repo.proposed(IRIS, "main")
    assert (proposed.head, proposed.commits, proposed.files) == (head, (), {})


def test_a_branch_into_which_the_target_was_merged_differs_by_its_own_change_only(
    repo: ConfigRepo, bare: Path
) -> None:
    _propose(repo)
    for number in range(6):
        theirs = commit_as_person(bare, {ROSE: f"tag: theirs {number}\n"})
        merge_by_hand(bare, "main", IRIS)
    repo.fetch()
    proposed = repo.proposed(IRIS, "main")
    assert proposed.base == theirs
    assert proposed.files == {VALUES: b"tag: 2\n"}
    assert [len(one.parents) for one in proposed.commits] == [1, *[2] * 6]


def test_a_branch_without_a_common_history_differs_in_everything(repo: ConfigRepo, bare: Path) -> None:
    _propose(repo, branch="updater/prod/rose")
    commit_as_person(bare, {"new.txt": "new\n", VALUES: FILES[VALUES]}, "From nothing", IRIS)
    repo.fetch()
    proposed = repo.proposed(IRIS, "main")
    assert (proposed.base, len(proposed.commits)) == ("", 1)
    assert proposed.files == {"new.txt": b"new\n", VALUES: str(FILES[VALUES]).encode()}
    assert proposed.overtaken == {VALUES}
    assert repo.proposed("updater/prod/rose", "main").files == {VALUES: b"tag: 2\n"}


def test_all_proposals_of_an_environment_are_told_apart(repo: ConfigRepo, bare: Path) -> None:
    heads = {}
    for number in range(20):
        commit_as_person(bare, {ROSE: f"tag: {number}\n"})
        repo.fetch()
        name = f"updater/prod/chart-{number}"
        heads[name] = (tip(bare), _propose(repo, draft(f"tag: p{number}\n"), branch=name))
    for number, (name, (base, head)) in enumerate(heads.items()):
        proposed = repo.proposed(name, "main")
        assert (proposed.base, proposed.head) == (base, head)
        assert proposed.files == {VALUES: f"tag: p{number}\n".encode()}
        assert [one.commit for one in proposed.commits] == [head]
        assert repo.proposed(name, "main") is proposed


def test_proposals_without_a_change_stand_beside_others(repo: ConfigRepo, bare: Path) -> None:
    _propose(repo, branch="updater/prod/a")
    _propose(repo, Draft({}, "Nothing", NOW), branch="updater/prod/b")
    _propose(repo, draft("tag: 3\n"), branch="updater/prod/c")
    files = {name: repo.proposed(name, "main").files for name in repo.branches("updater/")}
    assert files == {
        "updater/prod/a": {VALUES: b"tag: 2\n"},
        "updater/prod/b": {},
        "updater/prod/c": {VALUES: b"tag: 3\n"},
    }


@pytest.mark.parametrize(("branch", "target"), [(IRIS, "prod"), ("updater/prod/rose", "main")])
def test_a_branch_that_is_not_there_cannot_be_compared(repo: ConfigRepo, branch: str, target: str) -> None:
    _propose(repo)
    with pytest.raises(InvalidConfigRepo, match="has no branch"):
        repo.proposed(branch, target)


def test_a_damaged_mirror_is_made_anew_under_a_comparison(
    repo: ConfigRepo, bare: Path, tmp_path: Path
) -> None:
    head = _propose(repo)
    for pack in (tmp_path / "mirror").glob("objects/**/*"):
        if pack.is_file():
            pack.unlink()
    repo.close()
    assert repo.proposed(IRIS, "main").head == head
    assert repo.commit_of(head).message == "Update iris"


def test_a_merge_by_hand_is_what_brought_a_commit_in(repo: ConfigRepo, bare: Path) -> None:
    head = _propose(repo, draft("tag: 2\n"), draft("tag: 3\n"))
    merged = merge_by_hand(bare, IRIS)
    commit_as_person(bare, {ROSE: "tag: later\n"})
    repo.fetch()
    assert repo.landing("main", head).commit == merged
    before = repo.landing("main", head).parents[0]
    chain = repo.chains([head], before)[head]
    assert [one.parents[0] for one in chain] == [before, chain[0].commit]
    assert chain[-1].commit == head
    assert repo.chains([head], merged) == {head: ()}
    assert repo.chains([], merged) == {}


def test_what_came_in_by_another_branch_was_brought_by_the_merge_of_that(
    repo: ConfigRepo, bare: Path
) -> None:
    git(bare, "branch", "release", "main")
    head = _propose(repo)
    merge_by_hand(bare, IRIS, "release")
    commit_as_person(bare, {ROSE: "tag: theirs\n"})
    merged = merge_by_hand(bare, "release")
    commit_as_person(bare, {ROSE: "tag: later\n"})
    repo.fetch()
    assert repo.landing("main", head).commit == merged


@pytest.mark.parametrize("is_latest", [True, False])
def test_a_commit_the_target_was_moved_forward_to_brought_itself_in(
    repo: ConfigRepo, bare: Path, is_latest: bool
) -> None:
    head = _propose(repo)
    rewrite_as_person(bare, head)
    if not is_latest:
        commit_as_person(bare, {ROSE: "tag: later\n"})
    repo.fetch()
    assert repo.landing("main", head).commit == head


def test_a_diff_is_for_people(repo: ConfigRepo, bare: Path) -> None:
    _propose(repo)
    commit_as_person(bare, {"charts/iris/한글.txt": "안녕\n"}, branch=IRIS)
    repo.fetch()
    text = repo.diff(tip(bare), tip(bare, IRIS))
    assert "+++ b/charts/iris/한글.txt\n@@ -0,0 +1 @@\n+안녕\n" in text
    assert "-  tag: develop-1\n" in text
    assert "+tag: 2\n" in text
    assert repo.diff("", tip(bare)).count("new file mode") == len(FILES)
    assert repo.diff(tip(bare), tip(bare)) == ""


def test_a_diff_too_long_to_read_says_how_much_is_missing(repo: ConfigRepo, bare: Path) -> None:
    _propose(repo, draft("line\n" * 100_000))
    text = repo.diff(tip(bare), tip(bare, IRIS))
    assert len(text) < 210_000
    shown = text.count("+line\n")
    assert text.endswith(f"... {100_000 - shown} more lines are not shown.\n")


def test_a_merge_takes_in_what_the_branch_changed(repo: ConfigRepo, bare: Path) -> None:
    head = _propose(repo)
    commit_as_person(bare, {ROSE: "tag: theirs\n"})
    repo.fetch()
    base = repo.snapshot("main")
    for parents in ((head,), ()):
        commit = repo.merge(base, head, Draft({}, "Merge\n", NOW, parents=parents))
        assert commit is not None
        assert repo.commit_of(commit).parents == (base.commit, *parents)
        assert repo.push({"main": (base.commit, commit)}) == {"main": Pushed.LANDED}
        assert (show(bare, "main", VALUES), show(bare, "main", ROSE)) == (b"tag: 2\n", b"tag: theirs\n")
        assert repo.snapshot("main").read(VALUES) == b"tag: 2\n"
        rewrite_as_person(bare, base.commit)
        repo.fetch()


def test_a_merge_of_what_both_changed_is_none(repo: ConfigRepo, bare: Path) -> None:
    head = _propose(repo)
    commit_as_person(bare, {VALUES: "tag: theirs\n"})
    repo.fetch()
    assert repo.merge(repo.snapshot("main"), head, Draft({}, "Merge", NOW)) is None


def test_a_merge_of_what_has_no_common_history_is_none(repo: ConfigRepo, bare: Path) -> None:
    head = commit_as_person(bare, {"new.txt": "new\n"}, "From nothing", IRIS)
    repo.fetch()
    before = repo.snapshot("main")
    assert repo.merge(before, head, Draft({}, "Merge", NOW)) is None
    assert repo.snapshot("main") == before


def test_a_merge_of_an_unknown_commit_is_temporary(repo: ConfigRepo) -> None:
    with pytest.raises(TemporaryError):
        repo.merge(repo.snapshot("main"), "1" * 40, Draft({}, "Merge", NOW))
