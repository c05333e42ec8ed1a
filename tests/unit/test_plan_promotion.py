"""Promotions: what stands in one environment, wanted in another; tags, order, and what is told of each."""

from __future__ import annotations

import pytest
from support.roads import MESSAGES, RULES, Road, chart, codes, kinds, places

from updater.errors import InvalidConfigRepo
from updater.model import Caller
from updater.plan import Change, Plan

IRIS, ROSE, ALL = "updater/prod/iris", "updater/prod/rose", "updater/prod/_all"
DEV, PROD = "charts/iris/values-dev.yaml", "charts/iris/values-prod.yaml"
DIRECT = RULES.replace("    delivery: merge-request\n", "")
DIGEST = "sha256:" + "a" * 64


def iris(dev: str = "develop-100", prod: str = "master-100", rules: str = RULES) -> Road:
    return Road(chart("iris", places(iris=prod), places(iris=dev)), rules)


def told(planned: Plan) -> dict[str, tuple[str, str]]:
    """Return kind and code by chart, as people read them."""
    outcomes = [MESSAGES.outcome(verdict) for verdict in planned.verdicts]
    return {one.chart: (one.kind.value, one.code) for one in outcomes}


def test_what_stands_in_the_one_environment_is_proposed_for_the_other() -> None:
    road = iris()
    planned = road.asks(road.promotion("iris", reason="release 7"))
    assert told(planned) == {"iris": ("proposed", "proposed")}
    assert road.prod("iris", IRIS) == places(iris="develop-100")
    carried = road.branches[IRIS].carried[0]
    assert [one.id for one in carried.requests] == ["r1"]
    promoted = carried.requests[0].promoted
    assert promoted is not None
    assert (promoted.origin, promoted.allow_older, promoted.reason) == ("dev", False, "release 7")


def test_by_commit_a_promotion_is_one_commit() -> None:
    road = iris(rules=DIRECT)
    planned = road.asks(road.promotion("iris"))
    assert told(planned) == {"iris": ("committed", "committed")}
    assert [change.image.tag for change in planned.changes if isinstance(change, Change)] == ["develop-100"]
    assert road.prod("iris") == places(iris="develop-100")
    assert road.branches == {}


def test_what_is_only_asked_for_or_proposed_in_the_one_environment_is_not_promoted() -> None:
    road = iris()
    planned = road.asks("iris:develop-200", road.promotion("iris"))
    assert sorted(kinds(planned)) == ["committed", "proposed"]
    assert road.carried(IRIS) == ["iris:develop-100"]


def test_all_charts_are_told_one_by_one_what_is_new_equal_overtaken_or_missing() -> None:
    road = Road(
        {
            **chart("iris", places(iris="master-100"), places(iris="develop-100")),
            **chart("rose", places(rose="develop-5"), places(rose="develop-5")),
            **chart("lily", places(lily="develop-9"), places(lily="develop-8")),
            **chart("fern", dev=places(fern="develop-1")),
            **chart("moss", places(moss="master-1")),
        }
    )
    planned = road.asks(road.promotion())
    assert told(planned) == {
        "iris": ("proposed", "proposed"),
        "rose": ("unchanged", "unchanged"),
        "lily": ("superseded", "newer-promotion"),
        "fern": ("unchanged", "not-in-target"),
    }
    assert road.opened == {IRIS}


def test_each_image_of_a_chart_is_promoted_and_told() -> None:
    both = places(iris="develop-3", proxy="develop-4")
    road = Road(chart("iris", places(iris="master-1", proxy="master-1"), both))
    planned = road.asks(road.promotion("iris"))
    assert kinds(planned) == ["proposed", "proposed"]
    assert len({verdict.subject for verdict in planned.verdicts}) == 2
    assert road.prod("iris", IRIS) == both


def test_one_image_of_two_charts_is_promoted_with_the_tag_that_stands_in_each() -> None:
    road = Road(
        {
            **chart("iris", places(iris="master-1"), places(iris="develop-3")),
            **chart("rose", places(iris="master-1"), places(iris="develop-4")),
        }
    )
    planned = road.asks(road.promotion())
    assert told(planned) == {"iris": ("proposed", "proposed"), "rose": ("proposed", "proposed")}
    assert (road.carried(IRIS), road.carried(ROSE)) == (["iris:develop-3"], ["iris:develop-4"])


def test_only_the_named_charts_are_promoted() -> None:
    road = Road(
        {
            **chart("iris", places(iris="master-1"), places(iris="develop-3")),
            **chart("rose", places(iris="master-1"), places(iris="develop-4")),
        }
    )
    assert told(road.asks(road.promotion("rose", "rose"))) == {"rose": ("proposed", "proposed")}
    assert road.opened == {ROSE}


def test_a_digest_goes_along_with_its_tag() -> None:
    dev = places(iris="develop-100") + f'    digest: "{DIGEST}"\n'
    road = Road(chart("iris", places(iris="master-100") + '    digest: ""\n', dev))
    road.asks(road.promotion("iris"))
    assert road.prod("iris", IRIS) == dev


def test_a_flavour_in_the_one_environment_is_not_promoted() -> None:
    road = iris(dev="develop-100-debug")
    assert codes(road.asks(road.promotion("iris"))) == ["nothing-to-promote"]


def test_charts_in_other_folders_meet_by_the_last_part_of_their_names() -> None:
    rules = RULES.replace("charts/*/values-dev.yaml", "dev/*/values.yaml")
    rules = rules.replace("charts/*/values-prod.yaml", "prod/**/values.yaml")
    road = Road(
        {
            "dev/iris/Chart.yaml": "name: iris\n",
            "dev/iris/values.yaml": places(iris="develop-3"),
            "prod/a/iris/Chart.yaml": "name: iris\n",
            "prod/a/iris/values.yaml": places(iris="master-1"),
            "prod/b/iris/Chart.yaml": "name: iris\n",
            "prod/b/iris/values.yaml": places(lily="master-1"),
        },
        rules,
    )
    planned = road.asks(road.promotion("iris"))
    assert told(planned) == {"prod/a/iris": ("proposed", "proposed")}
    assert list(road.branches) == ["updater/prod/prod-a-iris"]


def test_of_charts_with_one_name_the_one_in_the_same_folder_is_meant() -> None:
    rules = RULES.replace("charts/*/", "charts/**/")
    both = {**chart("a/iris", places(iris="master-1"), places(iris="develop-3"))}
    both |= chart("b/iris", places(iris="master-1"), places(iris="develop-4"))
    road = Road(both, rules)
    assert told(road.asks(road.promotion("charts/a/iris"))) == {"charts/a/iris": ("proposed", "proposed")}
    assert road.opened == {"updater/prod/charts-a-iris"}


# Order


@pytest.mark.parametrize(
    ("prod", "expected"),
    [
        ("master-999", ("proposed", "proposed")),
        ("stable", ("proposed", "proposed")),
        ("develop-99", ("proposed", "proposed")),
        ("develop-100", ("unchanged", "unchanged")),
        ("develop-101", ("superseded", "newer-promotion")),
    ],
)
def test_tags_of_other_patterns_need_no_order_and_within_one_an_older_build_stays_out(
    prod: str, expected: tuple[str, str]
) -> None:
    road = iris(prod=prod)
    planned = road.asks(road.promotion("iris"))
    assert told(planned) == {"iris": expected}
    assert "no-order" not in [note.code for note in planned.verdicts[0].notes]


def test_an_overtaken_build_is_named_with_the_one_that_stands_and_the_way_back() -> None:
    road = iris(prod="develop-101")
    planned = road.asks(road.promotion("iris"))
    assert planned.verdicts[0].superseded_by == "develop-101"
    assert MESSAGES.say(planned.verdicts[0].reason) == (
        "develop-100 is older than develop-101, which stands in prod. "
        "To go back on purpose, promote it with --allow-older."
    )


def test_an_older_build_goes_back_where_it_is_meant_and_stays_proposed() -> None:
    road = iris(prod="develop-101")
    planned = road.asks(road.promotion("iris", allow_older=True))
    assert told(planned) == {"iris": ("proposed", "proposed")}
    road.pushes({PROD: "replicas: 3\n" + places(iris="develop-101")})
    assert [one.is_news for one in road.keeps_up().proposals] == [True]
    assert road.prod("iris", IRIS) == "replicas: 3\n" + places(iris="develop-100")


def test_the_order_within_a_pattern_is_that_of_the_environment_it_comes_from() -> None:
    rules = RULES.replace("(?P<build>[0-9]+)$', order: numeric}", "(?P<build>.+)$', order: alphabetical}", 1)
    road = iris(dev="develop-10", prod="develop-9", rules=rules)
    assert codes(road.asks(road.promotion("iris"))) == ["newer-promotion"]


def test_a_pattern_without_an_order_is_promoted_either_way() -> None:
    rules = RULES.replace("order: numeric", "order: none", 1)
    road = iris(dev="develop-10", prod="develop-11", rules=rules)
    assert kinds(road.asks(road.promotion("iris"))) == ["proposed"]


def test_a_promotion_takes_the_place_of_a_proposed_build_and_remembers_it() -> None:
    road = iris()
    road.asks("iris:master-101")
    road.asks(road.promotion("iris"))
    assert road.opened == {IRIS}
    assert road.carried(IRIS) == ["iris:develop-100"]
    assert road.branches[IRIS].carried[0].replaced == ("master-101",)


def test_a_promotion_is_no_part_of_the_queue_of_builds_that_wait_beside_it() -> None:
    rules = RULES.replace("'^master-(?P<build>", "'^(develop|master)-(?P<build>")
    road = iris(rules=rules, prod="master-1")
    planned = road.asks("iris:master-200", road.promotion("iris", allow_older=True))
    assert kinds(planned) == ["proposed", "proposed"]
    assert road.carried(IRIS) == ["iris:develop-100"]


def test_a_later_build_that_cannot_be_compared_with_the_promoted_one_is_refused() -> None:
    road = iris()
    road.asks(road.promotion("iris"))
    assert road.merges(IRIS)
    planned = road.asks("iris:master-999")
    assert [kinds(planned), codes(planned)] == [["refused"], ["promoted-stands"]]
    assert "promoted from dev" in MESSAGES.say(planned.verdicts[0].reason)
    assert road.prod("iris") == places(iris="develop-100")


def test_a_later_build_waits_for_a_promotion_that_nobody_has_approved_yet() -> None:
    road = iris()
    road.asks(road.promotion("iris"))
    planned = road.asks("iris:master-999")
    assert [kinds(planned), codes(planned)] == [["held"], ["held-by-promotion"]]
    assert f"!{IRIS}" in MESSAGES.say(planned.verdicts[0].reason)
    assert road.carried(IRIS) == ["iris:develop-100"]
    road.closes(IRIS)
    assert kinds(road.asks("iris:master-999")) == ["proposed"]


def test_by_commit_a_later_build_is_refused_as_well() -> None:
    road = iris(rules=DIRECT)
    road.asks(road.promotion("iris"))
    assert codes(road.asks("iris:master-999")) == ["promoted-stands"]
    assert road.prod("iris") == places(iris="develop-100")


def test_a_later_build_that_the_promoted_one_can_be_compared_with_goes_on() -> None:
    rules = RULES.replace("'^master-(?P<build>", "'^(develop|master)-(?P<build>")
    road = iris(rules=rules, prod="master-1")
    road.asks(road.promotion("iris"))
    assert codes(road.asks("iris:master-99")) == ["newer-proposed"]
    assert kinds(road.asks("iris:master-101")) == ["proposed"]
    assert road.carried(IRIS) == ["iris:master-101"]


def test_the_next_promotion_follows_the_promoted_build() -> None:
    road = iris()
    road.asks(road.promotion("iris"))
    road.pushes({DEV: places(iris="develop-101")})
    assert kinds(road.asks(road.promotion("iris"))) == ["proposed"]
    assert road.carried(IRIS) == ["iris:develop-101"]
    assert road.branches[IRIS].carried[0].replaced == ("develop-100",)


def together() -> Road:
    """Two charts that use one image, `iris`, and share one proposal."""
    files = chart("iris", places(iris="master-100"), places(iris="develop-7"))
    files |= chart("rose", places(iris="master-100"), places(iris="develop-8"))
    return Road(files, f"{RULES}    merge-request: {{group-by: environment}}\n")


def test_in_a_shared_proposal_a_promotion_of_one_chart_leaves_the_other_as_it_is() -> None:
    road = together()
    road.asks("iris:master-101")
    road.asks(road.promotion("iris"))
    assert road.prod("iris", ALL) == places(iris="develop-7")
    assert road.prod("rose", ALL) == places(iris="master-101")
    assert [one.is_news for one in road.keeps_up().proposals] == [False]


def test_in_a_shared_proposal_each_chart_is_promoted_with_its_own_tag() -> None:
    road = together()
    road.asks(road.promotion())
    assert road.prod("iris", ALL) == places(iris="develop-7")
    assert road.prod("rose", ALL) == places(iris="develop-8")


# What cannot be promoted


@pytest.mark.parametrize(
    ("origin", "to", "code", "words"),
    [
        ("dve", "prod", "unknown-environment", "Did you mean 'dev'?"),
        ("dev", "prdo", "unknown-environment", "Did you mean 'prod'?"),
        ("prod", "dev", "no-promotion", "dev takes no promotions from prod. Set promote-from: prod for dev"),
        ("prod", "prod", "no-promotion", "prod takes no promotions from prod, only from dev."),
    ],
)
def test_a_promotion_that_the_rules_do_not_know_is_refused(
    origin: str, to: str, code: str, words: str
) -> None:
    road = iris()
    planned = road.asks(road.promotion("iris", origin=origin, to=to))
    assert [kinds(planned), codes(planned)] == [["refused"], [code]]
    assert words in MESSAGES.say(planned.verdicts[0].reason)


def test_an_unknown_chart_is_refused_with_the_nearest_and_the_others_go_on() -> None:
    road = iris()
    planned = road.asks(road.promotion("irsi", "iris"))
    assert told(planned) == {"irsi": ("refused", "no-chart"), "iris": ("proposed", "proposed")}
    reason = next(one.reason for one in planned.verdicts if one.reason.code == "no-chart")
    assert MESSAGES.say(reason) == "dev has no chart 'irsi'; did you mean 'iris'?"


def test_an_unknown_chart_is_told_once_however_often_it_is_named() -> None:
    road = iris()
    assert codes(road.asks(road.promotion("fern", "fern"))) == ["no-chart"]


def test_a_named_chart_without_a_place_in_the_target_is_refused() -> None:
    road = Road({**chart("iris", dev=places(iris="develop-1")), **chart("rose", places(rose="master-1"))})
    assert told(road.asks(road.promotion("iris"))) == {"iris": ("refused", "not-in-target")}


def test_a_chart_that_cannot_be_read_in_the_one_environment_is_refused_by_name() -> None:
    road = Road(chart("iris", places(iris="master-100"), "a: [\n"))
    planned = road.asks(road.promotion("iris"))
    assert codes(planned) == ["promotion-unreadable"]
    assert DEV in MESSAGES.say(planned.verdicts[0].reason)


@pytest.mark.parametrize(
    ("caller", "code"),
    [
        (Caller(name="lee", environments=("dev",)), "environment-not-allowed"),
        (Caller(name="lee", images=("registry.example.com/rose",)), "image-not-allowed"),
    ],
)
def test_a_token_promotes_only_what_it_may_speak_for(caller: Caller, code: str) -> None:
    road = iris()
    planned = road.asks(road.promotion("iris", caller=caller))
    assert [kinds(planned), codes(planned)] == [["refused"], [code]]
    assert road.branches == {}


def test_a_token_for_one_image_promotes_that_one_and_is_told_of_the_other() -> None:
    road = Road(
        chart("iris", places(iris="master-1", proxy="master-1"), places(iris="develop-3", proxy="develop-4"))
    )
    caller = Caller(name="lee", images=("registry.example.com/iris",))
    planned = road.asks(road.promotion("iris", caller=caller))
    assert sorted(codes(planned)) == ["image-not-allowed", "proposed"]
    assert road.carried(IRIS) == ["iris:develop-3"]


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_a_promotion_waits_for_both_environments(environment: str) -> None:
    road = iris()
    road.missing[environment] = InvalidConfigRepo("no branch")
    planned = road.asks(road.promotion("iris"))
    assert {one: str(problem) for one, problem in planned.waiting.items()} == {"r1": "no branch"}
    assert planned.verdicts == ()


def test_what_was_settled_of_a_promotion_is_not_decided_again() -> None:
    road = Road(
        {
            **chart("iris", places(iris="master-1"), places(iris="develop-3")),
            **chart("rose", places(rose="master-1"), places(rose="develop-4")),
            **chart("lily", dev=places(lily="develop-5")),
        }
    )
    first = road.foresees(road.promotion("iris", "lily"))
    done = tuple(MESSAGES.outcome(verdict) for verdict in first.verdicts)
    again = road.foresees(road.promotion("iris", "rose", "lily", done=done))
    assert told(again) == {"rose": ("proposed", "proposed")}


def test_every_named_chart_is_told_of_also_where_it_has_nothing_to_promote() -> None:
    road = Road(
        {
            **chart("iris", places(iris="master-100"), places(iris="develop-7")),
            **chart("rose", places(rose="master-100"), places(rose="stable")),
        }
    )
    planned = road.foresees(road.promotion("iris", "rose"))
    assert {MESSAGES.outcome(one).chart for one in planned.verdicts} == {"iris", "rose"}


def test_an_older_promotion_says_that_the_newer_one_is_only_proposed() -> None:
    road = iris(dev="develop-9", prod="develop-1")
    road.asks(road.promotion("iris"))
    road.pushes({DEV: places(iris="develop-8")})
    told = MESSAGES.say(road.asks(road.promotion("iris")).verdicts[0].reason)
    assert "is proposed for prod" in told
