"""Merge requests on GitLab, from the build to the merge, with people acting in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.barerepo import git, tip
from support.lab import Lab, chart, lab, rules

from updater.model import OutcomeKind, Source


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Lab]:
    with lab(tmp_path) as world:
        yield world


def kind(world: Lab, request_id: str) -> str:
    return world.outcome(request_id).kind.value


def test_a_build_for_prod_becomes_one_merge_request_that_says_what_and_who(world: Lab) -> None:
    source = Source(
        project="https://gitlab.example.com/shop/iris",
        commit="5d41402abc4b2a76b9719d911017c592e2b5f0a1",
        pipeline_url="https://gitlab.example.com/shop/iris/-/pipelines/101",
        author="kim",
    )
    request = world.ci_builds("iris:master-101", source=source)
    world.settle_all()
    (opened,) = world.gitlab.merge_requests
    assert (opened.source, opened.target, opened.state) == ("updater/prod/iris", "main", "opened")
    assert opened.title == "iris master-101 in prod"
    for text in ("`master-100`", "`master-101`", "`kim`", request, "/-/pipelines/101", "git revert -m 1"):
        assert text in str(opened.description)
    outcome = world.outcome(request)
    assert outcome.kind is OutcomeKind.PROPOSED
    assert outcome.environments[0].link == f"{world.gitlab.url}/ops/config/-/merge_requests/1"
    assert outcome.environments[0].link in outcome.reason
    assert world.prod() == "master-100"


def test_a_newer_build_updates_the_merge_request_in_place(world: Lab) -> None:
    first = world.ci_builds("iris:master-101")
    world.settle_all()
    second = world.ci_builds("iris:master-102")
    world.settle_all()
    (opened,) = world.gitlab.merge_requests
    assert opened.title == "iris master-102 in prod"
    assert "Proposed here before: `master-101`" in str(opened.description)
    assert world.prod(branch="updater/prod/iris") == "master-102"
    world.look_around()
    assert kind(world, first) == "superseded"
    assert kind(world, second) == "proposed"


def test_a_merge_by_a_person_settles_the_request_as_committed_with_the_merge(world: Lab) -> None:
    request = world.ci_builds("iris:master-101")
    world.settle_all()
    world.look_around()
    merged = world.gitlab.person_merges(1, by="kim")
    world.look_around()
    outcome = world.outcome(request)
    assert outcome.kind is OutcomeKind.COMMITTED
    assert outcome.environments[0].commit == merged
    assert "kim" in outcome.reason
    assert world.prod() == "master-101"


def test_a_squash_by_a_person_is_a_merge_too(world: Lab) -> None:
    request = world.ci_builds("iris:master-101")
    world.settle_all()
    world.gitlab.person_merges(1, squash=True)
    world.look_around()
    assert kind(world, request) == "committed"


def test_closing_says_no_to_this_build_and_older_ones_and_a_newer_one_opens_another(world: Lab) -> None:
    request = world.ci_builds("iris:master-101")
    world.settle_all()
    world.gitlab.person_closes(1, by="kim")
    world.look_around()
    assert kind(world, request) == "refused"
    assert "kim" in world.outcome(request).reason
    again = world.ci_builds("iris:master-101")
    world.settle_all()
    assert kind(world, again) == "refused"
    assert "closed !1" in world.outcome(again).reason
    newer = world.ci_builds("iris:master-102")
    world.settle_all()
    assert kind(world, newer) == "proposed"
    first, second = world.gitlab.merge_requests
    assert (first.state, second.state) == ("closed", "opened")
    assert "closed by `kim`" in str(second.description)
    assert "merge_requests/1" in str(second.description)


def test_a_reopened_merge_request_is_taken_up_again(world: Lab) -> None:
    world.ci_builds("iris:master-101")
    world.settle_all()
    world.gitlab.person_closes(1)
    world.look_around()
    world.gitlab.person_reopens(1)
    newer = world.ci_builds("iris:master-102")
    world.settle_all()
    assert kind(world, newer) == "proposed"
    (only,) = world.gitlab.merge_requests
    assert only.title == "iris master-102 in prod"


def test_an_edit_that_is_on_the_target_already_closes_the_merge_request(world: Lab) -> None:
    world.ci_builds("iris:master-101")
    world.settle_all()
    world.person_pushes({"charts/iris/values-prod.yaml": "image:\n  tag: master-101\n"})
    world.look_around()
    (only,) = world.gitlab.merge_requests
    assert only.state == "closed"
    assert "holds" in world.gitlab.notes(1)[-1].body
    world.person_pushes({"charts/iris/values-prod.yaml": "image:\n  tag: master-100\n"})
    world.person_releases(environment="prod")
    world.settle_all()
    again = world.ci_builds("iris:master-101")
    world.settle_all()
    assert kind(world, again) == "proposed", "what the updater closed is nobody's no"


def test_a_persons_commit_on_the_branch_holds_requests_until_the_merge_request_is_closed(world: Lab) -> None:
    world.ci_builds("iris:master-101")
    world.settle_all()
    files = {"charts/iris/values-prod.yaml": "image:\n  tag: master-101\nreplicas: 5\n"}
    mine = world.person_pushes(files, branch="updater/prod/iris")
    newer = world.ci_builds("iris:master-102")
    world.tick()
    assert kind(world, newer) == "held"
    assert tip(world.bare, "updater/prod/iris") == mine
    world.look_around(2)
    assert tip(world.bare, "updater/prod/iris") == mine
    world.gitlab.person_closes(1)
    world.settle_all()
    world.worker.hint()
    world.look_around()
    world.tick()
    assert kind(world, newer) == "proposed"
    assert world.prod(branch="updater/prod/iris") == "master-102"


def test_rules_say_what_a_merge_request_carries_and_unknown_people_are_told(tmp_path: Path) -> None:
    more = (
        "    merge-request: {labels: [deploy, prod], assignees: [kim], reviewers: [lee, nobody-here],"
        " milestone: '26.1', draft: true, squash: true, remove-source-branch: false}\n"
    )
    with lab(tmp_path, rules(more=more)) as world:
        world.gitlab.person("kim")
        world.gitlab.person("lee")
        world.gitlab.add_milestone("26.1")
        request = world.ci_builds("iris:master-101")
        world.settle_all()
        (opened,) = world.gitlab.merge_requests
        assert opened.title == "Draft: iris master-101 in prod"
        assert sorted(opened.labels) == ["deploy", "prod"]
        assert [one.username for one in opened.assignees] == ["kim"]
        assert opened.squash is True
        assert any("nobody-here" in note for note in world.outcome(request).environments[0].notes)


def test_a_merge_request_created_by_an_answer_that_was_lost_is_found_again(world: Lab) -> None:
    world.gitlab.faults.next("POST merge_requests", status="drop")
    request = world.ci_builds("iris:master-101")
    world.settle_all()
    assert kind(world, request) == "proposed"
    assert len(world.gitlab.merge_requests) == 1


def test_gitlab_away_for_an_hour_loses_nothing_and_doubles_nothing(world: Lab) -> None:
    world.ci_builds("rose:master-101")
    world.settle_all()
    world.gitlab.away()
    dev, pro = world.ci_builds("iris:develop-101"), world.ci_builds("iris:master-101")
    for _ in range(120):
        world.tick()
        world.look_around()
    assert kind(world, dev) == "committed", "what needs no merge request goes on"
    assert world.record(pro).outcome is None
    assert "cannot be reached" in world.record(pro).reason
    assert any("cannot be reached" in problem for problem in world.worker.problems)
    world.gitlab.back()
    world.settle_all()
    world.look_around()
    assert kind(world, pro) == "proposed"
    assert len(world.gitlab.merge_requests) == 2
    assert not world.worker.problems


def test_rate_limits_are_waited_out(world: Lab) -> None:
    world.gitlab.faults.next("GET merge_requests", status=429)
    request = world.ci_builds("iris:master-101")
    world.tick()
    assert world.record(request).outcome is None
    world.settle_all()
    assert kind(world, request) == "proposed"


def test_a_token_without_the_right_fails_the_request_in_gitlabs_words(world: Lab) -> None:
    world.gitlab.faults.next("POST merge_requests", status=403)
    request = world.ci_builds("iris:master-101")
    world.settle_all()
    assert kind(world, request) == "failed"
    assert "cannot be proposed" in world.outcome(request).reason
    assert git(world.bare, "for-each-ref", "refs/heads/updater") == "", "nothing is left behind"
    world.look_around(2)
    assert not world.gitlab.merge_requests


def test_a_token_that_lacks_a_scope_or_will_expire_is_told_early(world: Lab) -> None:
    world.gitlab.scopes = ["read_api"]
    world.gitlab.expire_token((world.now.date()).replace(day=29))
    world.look_around()
    told = " ".join(world.worker.problems)
    assert "api" in told
    assert "2026-11-29" in told


def test_a_promotion_is_a_merge_request_that_says_where_it_comes_from(world: Lab) -> None:
    request = world.person_promotes("dev", "prod", "iris", by="lee")
    world.settle_all()
    (opened,) = world.gitlab.merge_requests
    assert opened.title == "iris develop-100 in prod"
    assert "promoted from `dev`" in str(opened.description)
    assert "`lee`" in str(opened.description)
    world.look_around()
    world.gitlab.person_merges(1)
    world.look_around()
    assert kind(world, request) == "committed"
    assert world.prod() == "develop-100"


def test_nothing_is_said_to_gitlab_where_no_environment_needs_it(tmp_path: Path) -> None:
    with lab(tmp_path, rules(delivery="commit")) as world:
        world.ci_builds("iris:master-101")
        world.settle_all()
        world.look_around(3)
        assert world.gitlab.calls == []


def test_one_proposal_costs_two_calls_and_none_changed_costs_one(world: Lab) -> None:
    world.ci_builds("iris:master-100")
    world.settle_all()
    before = len(world.gitlab.calls)
    world.ci_builds("iris:master-101")
    world.settle_all()
    assert [call.method for call in world.gitlab.calls[before:]] == ["GET", "POST"]
    before = len(world.gitlab.calls)
    world.ci_builds("iris:master-101")
    world.settle_all()
    assert [call.method for call in world.gitlab.calls[before:]] == ["GET"]


def test_deployments_are_recorded_on_the_source_project_and_follow_the_merge_request(tmp_path: Path) -> None:
    with lab(tmp_path, rules(more="    deployments: true\n")) as world:
        world.gitlab.add_project("shop/iris")
        source = Source(project="shop/iris", commit="5d41402abc4b2a76b9719d911017c592e2b5f0a1", ref="master")
        world.ci_builds("iris:master-101", source=source)
        world.settle_all()
        (running,) = world.gitlab.deployments("shop/iris")
        assert (running.environment, running.sha, running.status) == ("prod", source.commit, "running")
        world.look_around()
        world.gitlab.person_merges(1)
        world.look_around()
        (done,) = world.gitlab.deployments("shop/iris")
        assert done.status == "success"


def test_a_deployment_that_cannot_be_recorded_fails_nothing(tmp_path: Path) -> None:
    with lab(tmp_path, rules(more="    deployments: true\n")) as world:
        source = Source(project="shop/unknown", commit="5d41402abc4b2a76b9719d911017c592e2b5f0a1", ref="m")
        request = world.ci_builds("iris:master-101", source=source)
        world.settle_all()
        assert kind(world, request) == "proposed"


def test_the_merge_commit_is_git_reachable_and_nothing_is_lost(world: Lab) -> None:
    world.ci_builds("iris:master-101")
    world.ci_builds("rose:master-101")
    world.settle_all()
    world.look_around()
    world.gitlab.person_merges(1)
    world.gitlab.person_merges(2)
    world.look_around()
    assert world.prod("iris") == world.prod("rose") == "master-101"
    assert git(world.bare, "for-each-ref", "refs/heads/updater") == ""


def test_a_new_digest_of_the_same_tag_is_held_too_where_a_person_made_a_commit(tmp_path: Path) -> None:
    digest, other = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
    files = {**chart("iris"), "charts/iris/values-prod.yaml": "image:\n  tag: master-100\n  digest: ''\n"}
    with lab(tmp_path, files=files) as world:
        world.ci_builds("iris:master-101", digest=digest)
        world.settle_all()
        path = "charts/iris/values-prod.yaml"
        text = world.file(path, "updater/prod/iris")
        mine = world.person_pushes({path: text + "replicas: 5\n"}, branch="updater/prod/iris")
        again = world.ci_builds("iris:master-101", digest=other)
        world.tick()
        assert kind(world, again) == "held"
        assert tip(world.bare, "updater/prod/iris") == mine


def test_a_token_that_may_not_even_look_keeps_requests_waiting_and_says_why(world: Lab) -> None:
    world.gitlab.scopes = ["read_repository", "write_repository"]
    request, dev = world.ci_builds("iris:master-101"), world.ci_builds("iris:develop-101")
    world.look_around()
    for _ in range(3):
        world.tick()
        world.look_around()
    assert kind(world, dev) == "committed"
    assert world.record(request).outcome is None
    assert "bug" not in world.record(request).reason
    assert any("api" in problem for problem in world.worker.problems)
    world.gitlab.scopes = ["api"]
    world.settle_all()
    assert kind(world, request) == "proposed"


def test_a_merge_request_of_before_is_closed_when_the_rules_say_commit_and_a_newer_build_landed(
    world: Lab,
) -> None:
    first = world.ci_builds("iris:master-101")
    world.settle_all()
    world.person_pushes({".updater/rules.yaml": rules(delivery="commit")})
    world.look_around()
    assert world.gitlab.mr(1).state == "opened", "people may still merge it"
    second = world.ci_builds("iris:master-102")
    world.settle_all()
    world.look_around(2)
    assert kind(world, second) == "committed"
    assert world.gitlab.mr(1).state == "closed"
    assert kind(world, first) in ("superseded", "unchanged")


@pytest.mark.parametrize(("before", "after"), [("chart", "environment"), ("environment", "chart")])
def test_another_grouping_leaves_no_two_merge_requests_for_one_chart(
    tmp_path: Path, before: str, after: str
) -> None:
    with lab(tmp_path, rules(more=f"    merge-request: {{group-by: {before}}}\n")) as world:
        world.ci_builds("iris:master-101")
        world.settle_all()
        text = rules(more=f"    merge-request: {{group-by: {after}}}\n")
        world.person_pushes({".updater/rules.yaml": text})
        newer = world.ci_builds("iris:master-102")
        world.settle_all()
        world.look_around(2)
        assert kind(world, newer) == "proposed"
        assert [one.state for one in world.gitlab.merge_requests] == ["closed", "opened"]
