"""What people do about proposals, and what keeping them up makes of it: merged, closed, edited, moved."""

from __future__ import annotations

import pytest
from support.roads import MESSAGES, RULES, Road, chart, codes, kinds, places

from updater.errors import InvalidConfigRepo, Unreachable
from updater.policy import parse_rules

IRIS, ROSE, ALL = "updater/prod/iris", "updater/prod/rose", "updater/prod/_all"
VALUES = "charts/iris/values-prod.yaml"
TOGETHER = f"{RULES}    merge-request: {{group-by: environment}}\n"


def iris(**tags: str) -> Road:
    return Road(chart("iris", places(**tags or {"iris": "master-100"})))


def two_charts(rules: str = RULES, rose: str = "master-100") -> Road:
    """Two charts that use one image, `iris`."""
    return Road({**chart("iris", places(iris="master-100")), **chart("rose", places(iris=rose))}, rules)


# A person's commit on a source branch


def test_a_persons_commit_on_the_branch_holds_every_build_and_says_whose() -> None:
    road = iris()
    road.asks("iris:master-101")
    road.commits(IRIS, {VALUES: places(iris="master-101") + "replicas: 5\n"}, by="Kim (0123456789)")
    head = road.branches[IRIS].head
    planned = road.asks("iris:master-101", "iris:master-102", "iris:master-99")
    assert kinds(planned) == ["held", "superseded", "superseded"]
    assert codes(planned)[:2] == ["held-by-commit", "newer-held"]
    assert MESSAGES.say(planned.verdicts[0].reason).startswith(
        "registry.example.com/iris:master-102 waits for prod: "
        "Kim (0123456789) made a commit on updater/prod/iris"
    )
    assert planned.proposals == ()
    assert planned.closings == ()
    assert road.branches[IRIS].head == head


def test_a_promotion_is_held_by_a_persons_commit_as_well() -> None:
    road = Road(chart("iris", places(iris="master-100"), places(iris="develop-7")))
    road.commits(IRIS, {VALUES: "mine: true\n"})
    assert codes(road.asks(road.promotion("iris"))) == ["held-by-commit"]


@pytest.mark.parametrize(("foreign", "kind"), [(True, "held"), (False, "refused")], ids=["commit", "no"])
def test_a_new_digest_of_the_tag_that_stands_gets_past_no_person(foreign: bool, kind: str) -> None:
    road = Road(chart("iris", places(iris="master-100") + f'    digest: "sha256:{"a" * 64}"\n'))
    road.asks(road.build("iris:master-100", f"sha256:{'b' * 64}"))
    if foreign:
        road.commits(IRIS, {"README.md": "mine\n"})
    else:
        road.closes(IRIS)
    assert kinds(road.asks(road.build("iris:master-100", f"sha256:{'b' * 64}"))) == [kind]


def test_what_a_persons_commit_stands_on_is_not_counted_as_proposed() -> None:
    road = iris()
    road.asks("iris:master-105")
    road.commits(IRIS, {VALUES: places(iris="master-100")})
    assert codes(road.asks("iris:master-101")) == ["held-by-commit"]


def test_a_build_goes_out_when_the_branch_with_the_persons_commit_is_gone() -> None:
    road = iris()
    road.commits(IRIS, {VALUES: "mine: true\n"})
    assert kinds(road.asks("iris:master-101")) == ["held"]
    del road.branches[IRIS]
    assert kinds(road.asks("iris:master-101")) == ["proposed"]


def test_a_build_goes_out_when_the_merge_request_with_the_persons_commit_is_closed() -> None:
    road = iris()
    road.asks("iris:master-101")
    road.commits(IRIS, {VALUES: "mine: true\n"})
    road.closes(IRIS)
    assert kinds(road.asks("iris:master-102")) == ["proposed"]
    assert road.carried(IRIS) == ["iris:master-102"]


def test_a_persons_commit_holds_its_own_chart_only() -> None:
    road = two_charts()
    road.commits(ROSE, {"charts/rose/values-prod.yaml": "mine: true\n"})
    planned = road.asks("iris:master-101")
    assert [kinds(planned), codes(planned)] == [["held"], ["held-by-commit"]]
    assert planned.verdicts[0].branches == (IRIS,)
    assert len(planned.verdicts[0].notes) == 1
    assert road.opened == {IRIS}
    assert [(one.chart, one.new) for one in planned.verdicts[0].places] == [
        ("iris", "master-101"),
        ("rose", "master-100"),
    ]
    again = road.asks("iris:master-101")
    assert kinds(again) == ["held"]
    assert [one.is_news for one in again.proposals] == [False]


def test_grouped_by_environment_a_persons_commit_holds_all_charts() -> None:
    road = two_charts(TOGETHER)
    road.commits(ALL, {VALUES: "mine: true\n"})
    assert kinds(road.asks("iris:master-101")) == ["held"]
    assert road.opened == set()


def test_a_branch_with_a_persons_commit_is_not_kept_up() -> None:
    road = iris()
    road.asks("iris:master-101")
    road.commits(IRIS, {VALUES: places(iris="master-101") + "replicas: 5\n"})
    road.pushes({VALUES: places(iris="master-200")})
    planned = road.keeps_up()
    assert planned.proposals == ()
    assert planned.closings == ()


# Closed by a person


@pytest.mark.parametrize("deletes", [False, True], ids=["branch kept", "branch deleted"])
def test_a_closed_proposal_is_a_no_to_the_same_and_older_builds(deletes: bool) -> None:
    road = iris(iris="master-90")
    road.asks("iris:master-101")
    road.closes(IRIS, by="lee", deletes=deletes)
    planned = road.asks("iris:master-101", "iris:master-99")
    assert kinds(planned) == ["refused", "refused"]
    assert codes(planned) == ["closed-by-person", "closed-by-person"]
    told = MESSAGES.say(planned.verdicts[0].reason)
    assert told.startswith(
        f"lee closed !{IRIS}, which carried master-101, so master-101 is not proposed again"
    )
    assert road.opened == set()


def test_a_newer_build_opens_a_new_proposal_that_links_the_closed_one() -> None:
    road = iris(iris="master-100", proxy="master-1")
    road.asks("iris:master-101", "proxy:master-2")
    road.closes(IRIS, by="lee")
    planned = road.asks("iris:master-102")
    assert kinds(planned) == ["proposed"]
    assert road.carried(IRIS) == ["iris:master-102"]
    assert road.branches[IRIS].carried[0].replaced == ()
    assert f"[`!{IRIS}`](https://gitlab.example.com/{IRIS})" in (
        MESSAGES.merge_request(planned.proposals[0]).description
    )


def test_every_proposal_a_person_closed_counts_not_only_the_last() -> None:
    road = iris(iris="master-100", proxy="master-1")
    road.asks("iris:master-105")
    road.closes(IRIS, by="lee")
    road.asks("proxy:master-2")
    road.closes(IRIS, by="kim")
    assert codes(road.asks("iris:master-105")) == ["closed-by-person"]
    assert kinds(road.asks("proxy:master-3")) == ["proposed"]
    assert road.carried(IRIS) == ["proxy:master-3"]


def test_a_no_to_one_image_is_none_to_another_of_the_chart() -> None:
    road = iris(iris="master-100", proxy="master-1")
    road.asks("iris:master-101")
    road.closes(IRIS)
    assert kinds(road.asks("proxy:master-1", "proxy:master-2")) == ["proposed", "superseded"]


def test_a_no_for_one_chart_is_none_for_another() -> None:
    road = two_charts()
    road.asks("iris:master-101")
    road.closes(IRIS)
    planned = road.asks("iris:master-101")
    assert codes(planned) == ["closed-by-person"]
    assert planned.verdicts[0].branches == (ROSE,)
    assert road.opened == {ROSE}


def test_a_no_does_not_speak_of_builds_that_no_order_ties_to_the_closed_one() -> None:
    road = Road(chart("iris", places(iris="master-100"), places(iris="develop-7")))
    road.asks(road.promotion("iris"))
    road.closes(IRIS)
    assert kinds(road.asks("iris:master-101")) == ["proposed"]


def test_a_closed_build_that_stands_on_the_target_is_unchanged_not_refused() -> None:
    road = iris()
    road.asks("iris:master-101")
    road.closes(IRIS)
    road.pushes({VALUES: places(iris="master-101")})
    assert codes(road.asks("iris:master-101")) == ["unchanged"]


def test_a_person_may_promote_what_a_person_closed() -> None:
    road = Road(chart("iris", places(iris="master-100"), places(iris="develop-7")))
    road.asks(road.promotion("iris"))
    road.closes(IRIS)
    assert kinds(road.asks(road.promotion("iris"))) == ["proposed"]


def test_a_newer_refused_build_takes_no_older_build_down_that_may_go() -> None:
    road = iris(iris="master-100")
    closed = road.build("iris:master-105")
    road.asks(closed)
    road.closes(IRIS)
    planned = road.asks("iris:master-105", "iris:master-106")
    assert kinds(planned) == ["proposed", "superseded"]
    assert road.carried(IRIS) == ["iris:master-106"]


def test_what_was_closed_is_not_opened_again_by_keeping_up() -> None:
    road = iris()
    road.asks("iris:master-101")
    road.closes(IRIS)
    assert road.keeps_up().proposals == ()
    assert road.opened == set()


# The target branch moves


@pytest.mark.parametrize(
    ("standing", "code"), [("master-101", "closed-landed"), ("master-105", "closed-newer-stands")]
)
def test_an_edit_on_the_target_that_a_proposal_cannot_better_closes_it(standing: str, code: str) -> None:
    road = iris()
    road.asks("iris:master-101")
    road.pushes({VALUES: places(iris=standing)})
    planned = road.keeps_up()
    assert [(one.branch, one.reason.code) for one in planned.closings] == [(IRIS, code)]
    assert standing in MESSAGES.say(planned.closings[0].reason)
    assert road.branches == {}


def test_a_proposal_whose_place_is_gone_is_closed() -> None:
    road = iris()
    road.asks("iris:master-101")
    road.pushes({VALUES: places(lily="master-1")})
    assert [one.reason.code for one in road.keeps_up().closings] == ["closed-no-target"]


def test_a_proposal_whose_chart_is_gone_is_closed() -> None:
    road = two_charts()
    road.asks("iris:master-101")
    road.pushes(dict.fromkeys(("charts/iris/Chart.yaml", VALUES)))
    assert [one.branch for one in road.keeps_up().closings] == [IRIS]
    assert road.opened == {ROSE}


def test_of_several_images_only_those_that_landed_leave_the_proposal() -> None:
    road = iris(iris="master-100", proxy="master-1")
    road.asks("iris:master-101", "proxy:master-2")
    road.pushes({VALUES: places(iris="master-101", proxy="master-1")})
    planned = road.keeps_up()
    assert [one.is_news for one in planned.proposals] == [True]
    assert planned.closings == ()
    assert road.carried(IRIS) == ["proxy:master-2"]


def test_a_proposal_is_written_anew_where_its_file_changed_on_the_target() -> None:
    road = iris()
    road.asks("iris:master-101")
    road.asks("iris:master-102")
    road.pushes({VALUES: "replicas: 3\n" + places(iris="master-101")})
    assert not road.merges(IRIS)
    planned = road.keeps_up()
    assert [one.is_news for one in planned.proposals] == [True]
    assert road.prod("iris", IRIS) == "replicas: 3\n" + places(iris="master-102")
    assert planned.proposals[0].changes[0].previous == ("master-101",)
    carried = road.branches[IRIS].carried[0]
    assert [one.id for one in carried.requests] == ["r3"]
    assert carried.replaced == ("master-101",)
    assert road.merges(IRIS)


def test_a_proposal_is_left_alone_where_something_else_changed_on_the_target() -> None:
    road = iris()
    road.asks("iris:master-101")
    head = road.branches[IRIS].head
    road.pushes({"README.md": "hello\n"})
    assert [one.is_news for one in road.keeps_up().proposals] == [False]
    assert road.branches[IRIS].head == head


def test_the_proposals_of_two_charts_are_kept_up_each_for_itself() -> None:
    road = two_charts()
    road.asks("iris:master-101")
    road.pushes({VALUES: "replicas: 3\n" + places(iris="master-100")})
    assert {one.branch: one.is_news for one in road.keeps_up().proposals} == {IRIS: True, ROSE: False}


def test_a_proposal_that_cannot_be_written_any_more_is_left_as_it_is() -> None:
    road = two_charts()
    road.asks("iris:master-101")
    head = road.branches[IRIS].head
    road.pushes({VALUES: places(iris="master-100") + f'    digest: "sha256:{"a" * 64}"\n'})
    planned = road.keeps_up()
    assert [one.branch for one in planned.proposals] == [ROSE]
    assert planned.closings == ()
    assert road.branches[IRIS].head == head
    road.pushes({"charts/rose/values-prod.yaml": places(iris="master-103")})
    assert codes(road.asks("iris:master-101")) == ["digest-stands"]


def test_an_image_that_cannot_be_written_any_more_stands_in_no_other_images_way() -> None:
    road = iris(iris="master-100", proxy="master-1")
    road.asks("iris:master-101")
    pinned = places(iris="master-100") + f'    digest: "sha256:{"a" * 64}"\n'
    road.pushes({VALUES: pinned + places(proxy="master-1")})
    planned = road.asks("proxy:master-2")
    assert kinds(planned) == ["proposed"]
    assert road.carried(IRIS) == ["proxy:master-2"]


def test_a_newer_build_is_written_on_the_target_as_it_is() -> None:
    road = iris()
    road.asks("iris:master-101")
    road.pushes({VALUES: "replicas: 3\n" + places(iris="master-100")})
    road.asks("iris:master-102")
    assert road.prod("iris", IRIS) == "replicas: 3\n" + places(iris="master-102")


def test_a_merge_request_is_opened_for_a_branch_that_a_kill_left_without() -> None:
    road = iris()
    road.does(road.foresees("iris:master-101"), is_cut_off=True)
    assert [one.is_news for one in road.keeps_up().proposals] == [False]
    assert road.opened == {IRIS}


def test_a_branch_that_a_kill_left_without_a_merge_request_is_removed_when_its_edit_landed() -> None:
    road = iris()
    road.does(road.foresees("iris:master-101"), is_cut_off=True)
    road.pushes({VALUES: places(iris="master-101")})
    assert [one.reason.code for one in road.keeps_up().closings] == ["closed-landed"]
    assert road.branches == {}


def test_the_proposals_of_an_environment_that_cannot_be_looked_at_are_left_alone() -> None:
    road = iris()
    road.asks("iris:master-101")
    road.pushes({VALUES: places(iris="master-101")})
    road.missing["prod"] = InvalidConfigRepo("no branch")
    assert road.keeps_up().closings == ()
    road.missing.clear()
    assert [one.branch for one in road.keeps_up().closings] == [IRIS]


def test_a_proposal_made_before_the_rules_said_commit_is_kept_up_until_it_is_gone() -> None:
    road = iris()
    road.asks("iris:master-101")
    road.rules = parse_rules(RULES.replace("merge-request", "commit").encode())
    assert [one.branch for one in road.keeps_up().proposals] == [IRIS]
    assert kinds(road.asks("iris:master-102")) == ["committed"]
    assert [one.reason.code for one in road.keeps_up().closings] == ["closed-newer-stands"]


@pytest.mark.parametrize(
    ("before", "after"), [(RULES, TOGETHER), (TOGETHER, RULES)], ids=["joined", "parted"]
)
def test_after_a_change_of_grouping_a_newer_build_leaves_one_proposal_for_its_chart(
    before: str, after: str
) -> None:
    road = iris()
    road.rules = parse_rules(before.encode())
    road.asks("iris:master-101")
    road.rules = parse_rules(after.encode())
    road.asks("iris:master-102")
    road.keeps_up()
    assert [road.carried(one) for one in road.opened] == [["iris:master-102"]]


def test_keeping_up_says_when_the_forge_is_away() -> None:
    road = iris()
    road.asks("iris:master-101")
    road.trouble = Unreachable("GitLab is away.")
    with pytest.raises(Unreachable):
        road.keeps_up()


def test_a_proposal_is_written_anew_where_its_own_tag_line_moved_on_the_target() -> None:
    road = iris()
    road.asks("iris:master-103")
    road.pushes({VALUES: places(iris="master-101")})
    road.keeps_up()
    assert road.merges(IRIS), "it must not stay in conflict"
    assert road.prod("iris") == places(iris="master-103")


def test_what_is_held_in_one_chart_waits_though_a_newer_build_stands_in_another() -> None:
    road = Road({**chart("iris", places(iris="master-105")), **chart("rose", places(iris="master-100"))})
    road.commits("updater/prod/rose", {"charts/rose/values-prod.yaml": "a: 1\n"})
    assert kinds(road.foresees("iris:master-101")) == ["held"]
