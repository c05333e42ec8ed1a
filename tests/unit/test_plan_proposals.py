"""Builds for an environment whose changes are proposed: which proposal they go to, and who wins."""

from __future__ import annotations

import pytest
from support.roads import MESSAGES, RULES, Road, chart, codes, kinds, places

from updater.errors import InvalidConfigRepo, Unreachable
from updater.model import Caller, EnvironmentOutcome, OutcomeKind
from updater.plan import NoProposals, Standing

IRIS, ROSE, ALL = "updater/prod/iris", "updater/prod/rose", "updater/prod/_all"
TOGETHER = f"{RULES}    merge-request: {{group-by: environment}}\n"
DIGEST, OTHER_DIGEST = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def iris(**tags: str) -> Road:
    return Road(chart("iris", places(**tags or {"iris": "master-100"})))


def two_charts(rules: str = RULES, iris: str = "master-100", rose: str = "master-100") -> Road:
    """Two charts that use one image, `iris`."""
    return Road({**chart("iris", places(iris=iris)), **chart("rose", places(iris=rose))}, rules)


# One proposal for a chart


def test_a_build_is_proposed_on_the_branch_of_its_chart_and_the_target_stays_as_it_is() -> None:
    road = iris()
    planned = road.asks("iris:master-101")
    assert kinds(planned) == ["proposed"]
    assert planned.verdicts[0].branches == (IRIS,)
    assert planned.changes == ()
    assert road.opened == {IRIS}
    assert road.prod("iris", IRIS) == places(iris="master-101")
    assert road.prod("iris") == places(iris="master-100")


def test_a_newer_build_is_written_in_the_same_proposal_that_remembers_the_older() -> None:
    road = iris()
    road.asks("iris:master-101")
    road.asks("iris:master-102")
    planned = road.asks("iris:master-103")
    assert planned.proposals[0].standing.carried[0].image.tag == "master-102"
    assert road.opened == {IRIS}
    assert road.carried(IRIS) == ["iris:master-103"]
    assert road.branches[IRIS].carried[0].replaced == ("master-101", "master-102")
    assert planned.proposals[0].changes[0].previous == ("master-100",)


def test_a_proposal_that_a_kill_left_without_a_merge_request_is_updated_in_place_too() -> None:
    road = iris()
    road.does(road.foresees("iris:master-101"), is_cut_off=True)
    assert road.opened == set()
    planned = road.asks("iris:master-101")
    assert codes(planned) == ["already-proposed"]
    assert [one.is_news for one in planned.proposals] == [False]
    assert road.opened == {IRIS}


def test_the_same_build_again_pushes_nothing_and_is_told_where_it_is_proposed() -> None:
    road = iris()
    road.asks("iris:master-101")
    head = road.branches[IRIS].head
    planned = road.asks("iris:master-101")
    assert kinds(planned) == ["proposed"]
    assert codes(planned) == ["already-proposed"]
    assert MESSAGES.say(planned.verdicts[0].reason).endswith(f"already, in !{IRIS}.")
    assert road.branches[IRIS].head == head


def test_two_requests_for_the_same_build_are_one_commit_for_both() -> None:
    road = iris()
    planned = road.asks("iris:master-101", "iris:master-101")
    assert kinds(planned) == ["proposed", "proposed"]
    assert [one.id for one in road.branches[IRIS].carried[0].requests] == ["r1", "r2"]


def test_images_of_one_chart_are_commits_of_one_proposal() -> None:
    road = iris(iris="master-100", proxy="master-1")
    road.asks("iris:master-101")
    road.asks("proxy:master-2")
    assert road.opened == {IRIS}
    assert road.carried(IRIS) == ["iris:master-101", "proxy:master-2"]
    assert road.prod("iris", IRIS) == places(iris="master-101", proxy="master-2")


def test_a_newer_build_of_one_image_keeps_the_others_of_the_proposal_and_their_order() -> None:
    road = iris(iris="master-100", proxy="master-1")
    road.asks("iris:master-101", "proxy:master-2")
    road.asks("iris:master-103")
    assert road.carried(IRIS) == ["iris:master-103", "proxy:master-2"]
    assert road.prod("iris", IRIS) == places(iris="master-103", proxy="master-2")


def test_an_image_of_two_charts_is_proposed_once_for_each() -> None:
    road = two_charts()
    planned = road.asks("iris:master-101")
    assert kinds(planned) == ["proposed"]
    assert set(planned.verdicts[0].branches) == road.opened == {IRIS, ROSE}
    assert [road.branches[one].carried[0].charts for one in (IRIS, ROSE)] == [("iris",), ("rose",)]
    assert list(road.branches[IRIS].changed) == ["charts/iris/values-prod.yaml"]
    assert list(road.branches[ROSE].changed) == ["charts/rose/values-prod.yaml"]


def test_charts_are_merged_one_by_one_and_the_other_stays_proposed() -> None:
    road = two_charts()
    road.asks("iris:master-101")
    assert road.merges(IRIS)
    planned = road.asks("iris:master-101")
    assert codes(planned) == ["already-proposed"]
    assert planned.verdicts[0].branches == (ROSE,)
    assert road.opened == {ROSE}


def test_grouped_by_environment_all_charts_share_one_proposal_with_a_commit_for_each_image() -> None:
    files = {**chart("iris", places(iris="master-100")), **chart("rose", places(rose="master-1"))}
    road = Road(files, TOGETHER)
    road.asks("iris:master-101")
    road.asks("rose:master-2")
    assert road.opened == {ALL}
    assert road.carried(ALL) == ["iris:master-101", "rose:master-2"]
    assert set(road.branches[ALL].changed) == {"charts/iris/values-prod.yaml", "charts/rose/values-prod.yaml"}


def test_grouped_by_environment_an_image_of_two_charts_is_one_commit() -> None:
    road = two_charts(TOGETHER)
    assert road.asks("iris:master-101").proposals[0].changes[0].previous == ("master-100",)
    road.asks("iris:master-102")
    assert road.carried(ALL) == ["iris:master-102"]
    assert road.branches[ALL].carried[0].charts == ("iris", "rose")


def test_a_merged_build_is_unchanged_when_it_is_asked_for_again() -> None:
    road = iris()
    road.asks("iris:master-101")
    assert road.merges(IRIS)
    planned = road.asks("iris:master-101")
    assert codes(planned) == ["unchanged"]
    assert planned.proposals == ()


# Order over what stands, what is proposed and what waits


def test_what_stands_supersedes_a_build() -> None:
    planned = iris(iris="master-105").asks("iris:master-101")
    assert [kinds(planned), codes(planned)] == [["superseded"], ["newer-stands"]]
    assert planned.verdicts[0].superseded_by == "master-105"


def test_what_is_proposed_supersedes_an_older_build_and_both_are_named() -> None:
    road = iris()
    road.asks("iris:master-105")
    planned = road.asks("iris:master-101")
    assert [kinds(planned), codes(planned)] == [["superseded"], ["newer-proposed"]]
    assert planned.verdicts[0].superseded_by == "master-105"
    told = MESSAGES.say(planned.verdicts[0].reason)
    assert told.startswith("master-101 is older than master-105, which is proposed for prod")
    assert f"!{IRIS}" in told
    assert road.carried(IRIS) == ["iris:master-105"]


def test_what_waits_supersedes_an_older_build_whoever_came_first() -> None:
    road = iris()
    planned = road.asks("iris:master-101", "iris:master-103", "iris:master-102")
    told = {one.request.id: (one.kind.value, one.reason.code) for one in planned.verdicts}
    assert told == {
        "r1": ("superseded", "newer-in-queue"),
        "r2": ("proposed", "proposed"),
        "r3": ("superseded", "newer-in-queue"),
    }
    assert road.branches[IRIS].carried[0].replaced == ()


def test_a_chart_that_is_ahead_stays_while_the_other_is_proposed() -> None:
    road = two_charts(rose="master-105")
    planned = road.asks("iris:master-101")
    assert kinds(planned) == ["proposed"]
    assert road.opened == {IRIS}
    assert [note.code for note in planned.verdicts[0].notes] == ["stays-newer"]


def test_tags_without_an_order_take_each_others_place_as_they_come() -> None:
    rules = RULES.replace("'^master-(?P<build>[0-9]+)$', order: numeric", "'^m-.+$', order: none")
    road = Road(chart("iris", places(iris="m-0")), rules)
    planned = road.asks("iris:m-b", "iris:m-a")
    assert kinds(planned) == ["proposed", "proposed"]
    assert {note.code for one in planned.verdicts for note in one.notes} == {"no-order", "replaces-proposed"}
    assert road.carried(IRIS) == ["iris:m-a"]
    assert road.branches[IRIS].carried[0].replaced == ("m-b",)


# What is written


def test_one_unsafe_place_refuses_the_image_in_all_charts() -> None:
    unsafe = (
        "iris:\n  image:\n    repository: registry.example.com/iris\n    tag: >\n      master-1\n      00\n"
    )
    road = Road({**chart("iris", places(iris="master-100")), **chart("rose", unsafe)})
    planned = road.asks("iris:master-101")
    assert [kinds(planned), codes(planned)] == [["refused"], ["unsafe-edit"]]
    assert road.branches == {}


def test_a_digest_that_came_is_proposed_with_its_tag_and_told_apart_later() -> None:
    road = Road(chart("iris", places(iris="master-100") + '    digest: ""\n'))
    road.asks(road.build("iris:master-101", DIGEST))
    assert f'digest: "{DIGEST}"' in road.prod("iris", IRIS)
    assert road.branches[IRIS].carried[0].image.digest == DIGEST
    assert codes(road.asks(road.build("iris:master-101", DIGEST))) == ["already-proposed"]
    assert codes(road.asks(road.build("iris:master-101", OTHER_DIGEST))) == ["proposed"]
    assert OTHER_DIGEST in road.prod("iris", IRIS)


def test_a_new_tag_beside_an_old_digest_is_not_proposed() -> None:
    road = Road(chart("iris", places(iris="master-100") + f'    digest: "{DIGEST}"\n'))
    planned = road.asks("iris:master-101")
    assert [kinds(planned), codes(planned)] == [["refused"], ["digest-stands"]]
    assert planned.proposals == ()


def test_by_rule_an_old_digest_is_cleared_in_the_proposal() -> None:
    rules = f"{RULES}    digest: clear\n"
    road = Road(chart("iris", places(iris="master-100") + f'    digest: "{DIGEST}"\n'), rules)
    road.asks("iris:master-101")
    assert DIGEST not in road.prod("iris", IRIS)
    assert road.keeps_up().proposals[0].is_news is False


def test_an_anchor_of_the_images_own_places_is_proposed_as_one_line() -> None:
    text = places(iris="&tag master-100") + (
        "worker:\n  image:\n    repository: registry.example.com/iris\n    tag: *tag\n"
    )
    road = Road(chart("iris", text))
    planned = road.asks("iris:master-101")
    assert kinds(planned) == ["proposed"]
    assert road.prod("iris", IRIS) == text.replace("master-100", "master-101")


def test_an_anchor_that_feeds_another_image_is_not_proposed() -> None:
    text = places(iris="&tag master-100", proxy="*tag")
    road = Road(chart("iris", text))
    planned = road.asks("iris:master-101")
    assert [kinds(planned), codes(planned)] == [["refused"], ["unsafe-edit"]]
    assert road.branches == {}


# Beside proposals


def test_a_direct_environment_goes_on_beside_a_proposed_one_and_counts_its_own_changes() -> None:
    road = Road(chart("iris", places(iris="master-100"), places(iris="develop-7")))
    planned = road.asks("iris:master-101", "iris:develop-8")
    assert sorted((one.kind.value, one.change, one.branches) for one in planned.verdicts) == [
        ("committed", 0, ()),
        ("proposed", None, (IRIS,)),
    ]
    assert "develop-8" in road.file("charts/iris/values-dev.yaml")
    assert road.branches[IRIS].changed.keys() == {"charts/iris/values-prod.yaml"}


def test_a_proposal_is_written_on_the_branch_as_it_is_not_as_direct_changes_of_its_file_leave_it() -> None:
    rules = RULES.replace("values-dev.yaml", "values.yaml").replace("values-prod.yaml", "values.yaml")
    path = "charts/iris/values.yaml"
    road = Road(
        {"charts/iris/Chart.yaml": "name: iris\n", path: places(iris="master-100", proxy="develop-7")}, rules
    )
    road.asks("proxy:develop-8", "iris:master-101")
    assert road.file(path) == places(iris="master-100", proxy="develop-8")
    assert road.file(path, IRIS) == places(iris="master-101", proxy="develop-7")


def test_a_request_for_a_direct_and_a_proposed_environment_is_told_of_both() -> None:
    rules = RULES.replace("'^develop-(", "'^(develop|master)-(").replace("    promote-from: dev\n", "")
    road = Road(chart("iris", places(iris="master-100"), places(iris="master-100")), rules)
    planned = road.asks("iris:master-101")
    assert {one.environment: one.kind.value for one in planned.verdicts} == {
        "dev": "committed",
        "prod": "proposed",
    }
    proposed = (EnvironmentOutcome(environment="prod", kind=OutcomeKind.PROPOSED, code="", reason=""),)
    again = road.foresees(road.build("iris:master-102", done=proposed))
    assert [one.environment for one in again.verdicts] == ["dev"]


def test_a_forge_that_is_away_keeps_its_requests_waiting_and_no_others() -> None:
    road = Road(chart("iris", places(iris="master-100"), places(iris="develop-7")))
    road.trouble = Unreachable("GitLab is away.")
    planned = road.asks("iris:master-101", "iris:develop-8")
    assert {one: str(problem) for one, problem in planned.waiting.items()} == {"r1": "GitLab is away."}
    assert kinds(planned) == ["committed"]
    assert road.branches == {}


def test_a_target_branch_that_is_missing_keeps_its_requests_waiting() -> None:
    road = iris()
    road.missing["prod"] = InvalidConfigRepo("no branch")
    planned = road.asks("iris:master-101")
    assert [str(problem) for problem in planned.waiting.values()] == ["no branch"]
    assert planned.verdicts == ()


def test_only_branches_of_charts_that_use_the_image_are_asked_for() -> None:
    road = Road({**chart("iris", places(iris="master-100")), **chart("rose", places(rose="master-100"))})
    road.asks("iris:master-101")
    assert road.looked == [IRIS]


@pytest.mark.parametrize(
    ("image", "code"),
    [
        ("lily:master-101", "no-target"),
        ("iris:develop-101", "no-target"),
        ("iris:feature-1", "tag-not-taken"),
    ],
)
def test_what_could_go_nowhere_is_refused(image: str, code: str) -> None:
    planned = iris().asks(image)
    assert [kinds(planned), codes(planned)] == [["refused"], [code]]


def test_by_request_an_environment_takes_its_own_tags_only() -> None:
    road = Road(chart("iris", places(iris="master-100"), places(iris="develop-7")))
    planned = road.asks(road.build("iris:develop-8", environment="prod"))
    assert [kinds(planned), codes(planned)] == [["refused"], ["tag-not-taken"]]


def test_a_token_for_other_environments_proposes_nothing() -> None:
    road = iris()
    planned = road.asks(road.build("iris:master-101", caller=Caller(name="ci", environments=("dev",))))
    assert codes(planned) == ["environment-not-allowed"]
    assert road.branches == {}


def test_in_a_plain_folder_there_are_no_proposals() -> None:
    nothing = NoProposals()
    assert list(nothing.names("prod")) == []
    assert nothing.standing({IRIS: "main"}) == {IRIS: Standing(branch=IRIS)}
