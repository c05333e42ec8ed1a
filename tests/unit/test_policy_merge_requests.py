# ruff: noqa: E501 (a table row is one line, however long its message)
"""Deliveries, what a merge request carries, and where promotions come from, as the rules say it."""

from __future__ import annotations

import pytest

from updater.errors import InvalidConfigRepo
from updater.policy import RULES_PATH, Environment, MergeRequestRules, Tags, parse_rules

EVERYTHING = b"""\
environments:
  dev:
    tags: {pattern: '^develop-(?P<build>[0-9]+)$'}
  prod:
    branch: main
    tags: {pattern: '^v.*$', order: semver}
    delivery: auto-merge
    merge-request:
      group-by: environment
      labels: [deploy, 'team::iris']
      assignees: kim
      reviewers: [lee, release-team]
      milestone: '1.0'
      draft: false
      squash: true
      remove-source-branch: false
    promote-from: dev
    deployments: true
"""


def environments(text: str) -> tuple[Environment, ...]:
    return parse_rules(text.encode()).environments


def complaint(text: str) -> InvalidConfigRepo:
    with pytest.raises(InvalidConfigRepo) as caught:
        parse_rules(text.encode())
    return caught.value


def test_every_key_of_proposals_and_promotions_reaches_its_environment() -> None:
    dev, prod = parse_rules(EVERYTHING).environments
    assert prod == Environment(
        name="prod",
        branch="main",
        tags=Tags("^v.*$", "semver"),
        delivery="auto-merge",
        merge_request=MergeRequestRules(
            group_by="environment",
            labels=("deploy", "team::iris"),
            assignees=("kim",),
            reviewers=("lee", "release-team"),
            milestone="1.0",
            squash=True,
            remove_source_branch=False,
        ),
        promote_from="dev",
        promoted=Tags("^develop-(?P<build>[0-9]+)$", "numeric"),
        deployments=True,
    )
    assert dev == Environment(name="dev", tags=Tags("^develop-(?P<build>[0-9]+)$"))


def test_without_keys_changes_are_committed_and_nothing_is_promoted_or_recorded() -> None:
    (dev,) = environments("environments: {dev: {}}")
    assert (dev.delivery, dev.promote_from, dev.promoted, dev.deployments) == ("commit", "", None, False)


def test_a_merge_request_without_keys_is_one_for_each_chart_whose_branch_goes_when_merged() -> None:
    (prod,) = environments("environments: {prod: {delivery: merge-request}}")
    (empty,) = environments("environments: {prod: {delivery: merge-request, merge-request: {}}}")
    assert prod.merge_request == empty.merge_request == MergeRequestRules()
    assert prod.merge_request.group_by == "chart"
    assert prod.merge_request.remove_source_branch
    assert not prod.merge_request.draft
    assert not prod.merge_request.squash


def test_a_single_name_is_a_list_of_one() -> None:
    (prod,) = environments(
        "environments: {prod: {delivery: merge-request, "
        "merge-request: {labels: deploy now, assignees: kim, reviewers: lee}}}"
    )
    carried = prod.merge_request
    assert (carried.labels, carried.assignees, carried.reviewers) == (("deploy now",), ("kim",), ("lee",))


def test_promoted_tags_are_those_of_the_other_environments_own_pattern_wherever_it_stands() -> None:
    prod, stage, dev = environments(
        "environments:\n"
        "  prod: {promote-from: stage}\n"
        "  stage: {promote-from: dev, tags: {pattern: 'rc-.*', order: none}}\n"
        "  dev: {}\n"
    )
    assert prod.promoted == stage.tags == Tags("rc-.*", "none")
    assert stage.promoted == dev.tags == Tags(None, "numeric")
    assert dev.promoted is None


def test_two_environments_may_take_each_others_tags() -> None:
    blue, green = environments("environments: {blue: {promote-from: green}, green: {promote-from: blue}}")
    assert (blue.promote_from, green.promote_from) == ("green", "blue")


@pytest.mark.parametrize("branch", ["updaters", "main", "feature/updater"])
def test_a_branch_that_only_resembles_the_source_branches_may_hold_an_environment(branch: str) -> None:
    (prod,) = environments(f"environments: {{prod: {{delivery: merge-request, branch: {branch}}}}}")
    assert prod.branch == branch


def test_where_everything_is_committed_no_branch_is_in_the_way() -> None:
    (dev,) = environments("environments: {dev: {branch: updater/dev}}")
    assert dev.branch == "updater/dev"


PROD = "environments:\n  prod:\n"
MADE = PROD + "    delivery: merge-request\n    merge-request:\n"


@pytest.mark.parametrize(
    ("text", "line", "column", "sentence"),
    [
        # keys that do not go together
        (PROD + "    merge-request: {squash: true}\n", 3, 5, "environments.prod: This environment makes no merge requests, as its delivery is commit: write delivery: merge-request (or auto-merge), or take merge-request out."),
        (PROD + "    delivery: commit\n    merge-request: {}\n", 4, 5, "makes no merge requests, as its delivery is commit"),
        (PROD + "    delivery: auto-merge\n    merge-request: {draft: true}\n", 4, 28, "environments.prod.merge-request.draft: GitLab never merges a draft"),
        (PROD + "    promote-from: prod\n", 3, 19, "environments.prod.promote-from: An environment gets nothing by promotion from itself"),
        (PROD + "    promote-from: dve\n  dev: {}\n", 3, 19, "There is no environment 'dve' in these rules. Did you mean 'dev'? Environments here: prod, dev."),
        (PROD + "    promote-from: Dev\n  dev: {}\n", 3, 19, "There is no environment 'Dev' in these rules. Did you mean 'dev'?"),
        (PROD + "    promote-from: x\n", 3, 19, "There is no environment 'x' in these rules. Environments here: prod."),
        (PROD + "    promote-from: ''\n", 3, 19, "environments.prod.promote-from: Nothing stands here"),
        (PROD + "    delivery: merge-request\n    branch: updater\n", 4, 13, "The branch 'updater' is in the way of the merge requests, whose source branches are updater/...: give"),
        (PROD + "    delivery: merge-request\n  dev:\n    branch: updater/dev\n", 5, 13, "environments.dev.branch: The branch 'updater/dev' is in the way"),
        # what a merge request carries
        (MADE + "      reviewer: kim\n", 5, 7, "environments.prod.merge-request: 'reviewer' is no key here. Did you mean 'reviewers'? Allowed here: group-by, labels, assignees, reviewers, milestone, draft, squash, remove-source-branch."),
        (MADE + "      group_by: chart\n", 5, 7, "'group_by' is no key here. Did you mean 'group-by'?"),
        (MADE + "      group-by: charts\n", 5, 17, "'charts' is no value for group-by. Did you mean 'chart'? Allowed here: chart, environment."),
        (MADE + "      group-by: 1\n", 5, 17, "There is the number 1 where a word should stand. Allowed here: chart, environment."),
        (MADE + "      squash: yes please\n", 5, 15, "environments.prod.merge-request.squash: There is text where true or false should stand."),
        (MADE + "      draft: 'true'\n", 5, 14, "There is text where true or false should stand."),
        (MADE + "      draft: 1\n", 5, 14, "There is the number 1 where true or false should stand."),
        (MADE + "      remove-source-branch:\n", 5, 28, "There is nothing where true or false should stand."),
        (PROD + "    deployments: on the page\n", 3, 18, "environments.prod.deployments: There is text where true or false"),
        (MADE + "      labels: {a: b}\n", 5, 15, "There is a mapping where a label or a list of labels should stand."),
        (MADE + "      labels: 'a,b'\n", 5, 15, "'a,b' is no label: one line of at most 255 characters, without a comma"),
        (MADE + "      labels: [deploy, ' x']\n", 5, 24, "environments.prod.merge-request.labels.1: ' x' is no label"),
        (MADE + '      labels: "a\\u200bb"\n', 5, 15, "is no label"),
        (MADE + "      labels: []\n", 5, 15, "environments.prod.merge-request.labels: Nothing stands here"),
        (MADE + "      labels: [1.10]\n", 5, 16, "There is the number 1.1 where text should stand: put it in quotes."),
        (MADE + "      assignees: 7\n", 5, 18, "There is the number 7 where a login or a list of logins should stand."),
        (MADE + "      reviewers: '@kim'\n", 5, 18, "'@kim' is no login: write it as in the address of the person's page, without @"),
        (MADE + "      reviewers: [group/release]\n", 5, 19, "'group/release' is no login"),
        (MADE + "      milestone: 1.0\n", 5, 18, "There is the number 1.0 where text should stand: put it in quotes."),
        (MADE + "      milestone: ''\n", 5, 18, "environments.prod.merge-request.milestone: Nothing stands here"),
        (MADE + '      milestone: "a\\nb"\n', 5, 18, "is no title: one line"),
        (PROD + "    merge-request: draft\n", 3, 20, "There is text where a mapping should stand"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_what_to_write(
    text: str, line: int, column: int, sentence: str
) -> None:
    told = complaint(text)
    assert (told.path, told.line, told.column) == (RULES_PATH, line, column)
    assert sentence in str(told).splitlines()[0]


def test_all_contradictions_of_a_file_are_told_at_once() -> None:
    told = str(
        complaint(
            "environments:\n"
            "  dev: {promote-from: dev, merge-request: {}}\n"
            "  prod: {promote-from: test, delivery: auto-merge, merge-request: {draft: true}}\n"
        )
    ).splitlines()
    assert [line.split(": ")[0] for line in told] == [
        f"{RULES_PATH}:2:23",
        f"{RULES_PATH}:2:28",
        f"{RULES_PATH}:3:24",
        f"{RULES_PATH}:3:75",
    ]
