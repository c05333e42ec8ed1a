"""The double of GitLab held to GitLab's own words: its API description, recorded bodies, webhooks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.barerepo import commit_as_person
from support.gitlabworld import Delivery, GitLabWorld, spec
from support.gitlabworld.hooks import signature
from support.gitlabworlds import BRANCH, ask, client, gitlab_world, propose, push_proposal

_MRS = "projects/{id}/merge_requests"
_MERGE = f"{_MRS}/{{iid}}/merge"
# Recorded or documented body -> the call that it answers, and the status.
BODIES: dict[str, tuple[str, str, int]] = {
    "recorded_mr_create_201.json": ("POST", _MRS, 201),
    "recorded_mr_merge_200.json": ("PUT", _MERGE, 200),
    "recorded_pipelines_list_200.json": ("GET", "projects/{id}/pipelines", 200),
    "recorded_branch_get_200.json": ("GET", "projects/{id}/repository/branches/{branch}", 200),
    "recorded_project_get_200.json": ("GET", "projects/{id}", 200),
    "error_mr_create_409.json": ("POST", _MRS, 409),
    "error_mr_merge_400_sha_required.json": ("PUT", _MERGE, 400),
    "error_mr_merge_401.json": ("PUT", _MERGE, 401),
    "error_mr_merge_405.json": ("PUT", _MERGE, 405),
    "error_mr_merge_409.json": ("PUT", _MERGE, 409),
    "error_mr_merge_422.json": ("PUT", _MERGE, 422),
    "doc_mr_diffs_200.json": ("GET", f"{_MRS}/{{iid}}/diffs", 200),
    "doc_mr_merge_ref_200.json": ("GET", f"{_MRS}/{{iid}}/merge_ref", 200),
    "doc_protected_branches_200.json": ("GET", "projects/{id}/protected_branches", 200),
    "doc_deployment_create_201.json": ("POST", "projects/{id}/deployments", 201),
}
# Where no description is at hand there is nothing recorded either: one row then says so.
OFF = ""
AT_HAND = [name for name in BODIES if name in spec.examples()] or [OFF]
SIGNING = "whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q="


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitLabWorld]:
    with gitlab_world(tmp_path) as world:
        yield world


class Receiver(BaseHTTPRequestHandler):
    """Takes a webhook and says nothing, as it should be."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Keep the tests' output quiet."""


@pytest.fixture
def receiver() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Receiver) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{http.server_address[1]}/hooks/gitlab"
        http.shutdown()
        thread.join()


def example(name: str) -> Any:
    return json.loads(spec.examples()[name].read_bytes())


@pytest.mark.parametrize("name", AT_HAND)
def test_recorded_and_documented_bodies_hold_against_the_description(name: str) -> None:
    path = spec.where()
    if path is None:
        assert name == OFF
        assert "not at hand" in spec.told()
        return
    method, template, status = BODIES[name]
    assert list(spec.load(path).about_answer(method, template, status, example(name))) == []


@pytest.mark.parametrize("name", AT_HAND)
def test_the_double_answers_with_the_fields_that_a_live_server_has(world: GitLabWorld, name: str) -> None:
    iid = propose(world)
    world.protect("main", push="developer", merge="developer")
    world.pipeline(BRANCH, "success")
    push_proposal(world, branch="updater/prod/lily")
    wanted = {"source_branch": "updater/prod/lily", "target_branch": "main", "title": "T"}
    deployment = {"environment": "prod", "sha": "a" * 40, "ref": "main", "tag": False, "status": "running"}
    said = {
        "doc_mr_diffs_200.json": ask(world, "GET", f"merge_requests/{iid}/diffs"),
        "doc_mr_merge_ref_200.json": ask(world, "GET", f"merge_requests/{iid}/merge_ref"),
        "doc_protected_branches_200.json": ask(world, "GET", "protected_branches"),
        "doc_deployment_create_201.json": ask(world, "POST", "deployments", json=deployment),
        "recorded_branch_get_200.json": ask(world, "GET", "repository/branches/main"),
        "recorded_mr_create_201.json": ask(world, "POST", "merge_requests", json=wanted),
        "error_mr_create_409.json": ask(world, "POST", "merge_requests", json=wanted),
        "recorded_pipelines_list_200.json": ask(world, "GET", "pipelines"),
        "recorded_mr_merge_200.json": ask(world, "PUT", f"merge_requests/{iid}/merge"),
    }
    if name == OFF:
        assert all(answer.ok or answer.status_code == 409 for answer in said.values())
        return
    if name not in said:
        # Of a project only what somebody reads is there; of an error only the message.
        mine = ask(world, "GET", "").json() if "project" in name else {"message": ""}
        assert set(mine) <= set(example(name))
        return
    assert _shape(said[name].json()) >= _shape(example(name)) - _NOT_SHOWN


# A field of the paid edition.
_NOT_SHOWN = {"code_owner_approval_required"}


def _shape(body: Any) -> set[str]:
    """Return the names in an answer's first level, of a list's first row."""
    row = body[0] if isinstance(body, list) else body
    return set(row)


def test_whatever_is_not_as_described_fails_the_test_that_did_it(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match=r"(?s)Not as GitLab describes.*does not know this call"),
        gitlab_world(tmp_path / "1") as world,
    ):
        ask(world, "GET", "no_such_thing")
    if spec.where() is None:
        assert "not at hand" in spec.told()
        return
    with (
        pytest.raises(AssertionError, match="takes no query parameter 'sourcebranch'"),
        gitlab_world(tmp_path / "2") as world,
    ):
        ask(world, "GET", "merge_requests", params={"sourcebranch": BRANCH})
    with (
        pytest.raises(AssertionError, match="takes no 'delete_branch'"),
        gitlab_world(tmp_path / "3") as world,
    ):
        ask(world, "PUT", f"merge_requests/{propose(world)}/merge", json={"delete_branch": True})


def test_a_made_up_answer_is_found_wrong() -> None:
    path = spec.where()
    if path is None:
        assert spec.examples() == {}
        return
    body = example("recorded_mr_create_201.json") | {"iid": "10", "detailed_merge_status": "can_be_merged"}
    complaints = list(spec.load(path).about_answer("POST", _MRS, 201, body))
    assert len(complaints) == 2
    assert all(any(part in one for one in complaints) for part in ("iid", "detailed_merge_status"))


def test_a_file_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(spec.VARIABLE, str(tmp_path / "none.yaml"))
    with pytest.raises(AssertionError, match=spec.VARIABLE):
        spec.where()


def test_every_event_is_posted_with_gitlabs_headers(world: GitLabWorld, receiver: str) -> None:
    world.hook_target(receiver, secret="a-plain-secret")
    push_proposal(world)
    client(world).projects.get(world.project).mergerequests.create(
        {"source_branch": BRANCH, "target_branch": "main", "title": "T"}
    )
    world.pipeline(BRANCH, "success")
    world.person_approves(1, "kim")
    world.person_edits(1, title="T2")
    world.person_closes(1)
    world.person_reopens(1)
    push_proposal(world, "3")
    world.person_merges(1)
    deliveries = world.hook_deliveries
    assert {one.status for one in deliveries} == {204}
    assert {one.headers["X-Gitlab-Token"] for one in deliveries} == {"a-plain-secret"}
    assert len({one.headers["Idempotency-Key"] for one in deliveries}) == len(deliveries)
    assert [_told(one) for one in deliveries] == [
        "Push Hook refs/heads/updater/prod/iris",
        "Merge Request Hook open",
        "Pipeline Hook success",
        "Merge Request Hook approved",
        "Merge Request Hook update",
        "Merge Request Hook close",
        "Merge Request Hook reopen",
        "Push Hook refs/heads/updater/prod/iris",
        "Merge Request Hook update",
        "Push Hook refs/heads/main",
        "Merge Request Hook merge",
    ]


def _told(delivery: Delivery) -> str:
    body = delivery.json
    attributes = body.get("object_attributes", {})
    what = body.get("ref") or attributes.get("action") or attributes["status"]
    return f"{delivery.headers['X-Gitlab-Event']} {what}"


def test_hooks_say_what_happened_in_gitlabs_fields(world: GitLabWorld, receiver: str) -> None:
    world.hook_target(receiver)
    iid, first = propose(world), world.mr(1).head
    commit_as_person(world.repo.bare, {"new.yaml": "a: 1\n", "iris.yaml": None}, "Two files", BRANCH)
    world.settle()
    world.pipeline(BRANCH, "running")
    bodies = {one.event: one.json for one in world.hook_deliveries}
    change = bodies["merge_request"]["object_attributes"]
    head = world.mr(iid).head
    assert (change["iid"], change["oldrev"], change["last_commit"]["id"]) == (iid, first, head)
    commits = bodies["push"]["commits"]
    assert (bodies["push"]["before"], bodies["push"]["after"]) == (first, head)
    assert [(one["added"], one["removed"]) for one in commits] == [(["new.yaml"], ["iris.yaml"])]
    assert bodies["pipeline"]["object_attributes"]["sha"] == head
    for event, body in bodies.items():
        name = f"webhook_{event}.json"
        if name in spec.examples():
            shown = example(name)
            assert set(body) <= set(shown) | {"event_name"}, event
            attributes = set(body.get("object_attributes", {}))
            assert attributes <= set(shown.get("object_attributes", {})) | {"merge_commit_sha", "oldrev"}


def test_signed_hooks_are_signed_over_id_time_and_bytes(world: GitLabWorld, receiver: str) -> None:
    world.hook_target(receiver, signing=SIGNING)
    propose(world)
    (delivery,) = world.hook_deliveries
    headers = delivery.headers
    assert "X-Gitlab-Token" not in headers
    assert headers["webhook-id"] == headers["Idempotency-Key"]
    expected = signature(SIGNING, headers["webhook-id"], headers["webhook-timestamp"], delivery.body)
    assert headers["webhook-signature"] == expected


def test_a_signature_is_the_one_of_the_standard() -> None:
    """The first one was computed with `openssl dgst`; another lies where the recorded bodies are."""
    assert (
        signature(SIGNING, "msg_1", "1790000000", b'{"a":1}')
        == "v1,odIEHyxxo9WXkC7JaybRtBUgHhHPuMSDWzvzlb4RGFQ="
    )
    for name in spec.examples().keys() & {"computed_webhook_signature_vector.json"}:
        vector = example(name)
        sent = vector["headers"]
        computed = signature(
            vector["signing_token"], sent["webhook-id"], sent["webhook-timestamp"], vector["body"].encode()
        )
        assert computed == sent["webhook-signature"]


def test_a_receiver_that_is_away_is_not_asked_again(world: GitLabWorld) -> None:
    world.hook_target("http://127.0.0.1:9/hooks/gitlab")
    push_proposal(world)
    world.notice()
    assert [one.status for one in world.hook_deliveries] == [0]
