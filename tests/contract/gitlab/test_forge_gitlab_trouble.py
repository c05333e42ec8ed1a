"""GitLab away, slow, lost, moved, limited; tokens that lack something; deployments on other projects."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
from collections.abc import Iterator
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.certificates import self_signed
from support.gitlabs import BRANCH, Clock, config_repo, connected, proposal, push
from support.gitlabworld import GitLabWorld

from updater.errors import ForgeRefused, RateLimited, TemporaryError, Unreachable
from updater.forge import Ensured, MergeRequest
from updater.forge.client import Client
from updater.forge.gitlab import GitLab
from updater.forge.project import Project


def made(forge: GitLab, bare: Path) -> MergeRequest:
    (answer,) = forge.ensure([proposal(push(bare, "master-2"))])
    assert isinstance(answer, Ensured), answer
    return answer.merge_request


@pytest.mark.parametrize("status", ["drop", 500, 502, 503])
def test_a_making_whose_answer_was_lost_is_found_and_not_repeated(
    world: GitLabWorld, forge: GitLab, bare: Path, status: int | str
) -> None:
    world.faults.next("POST merge_requests", status=status, acts=True)
    known = made(forge, bare)
    assert (known.number, len(world.merge_requests)) == (1, 1)
    assert [call.short for call in world.calls] == ["POST merge_requests", "GET merge_requests"]


def test_a_making_that_never_arrived_is_left_for_the_next_round(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    world.faults.next("POST merge_requests", status="reset")
    (answer,) = forge.ensure([proposal(push(bare, "master-2"))])
    assert isinstance(answer, Unreachable)
    assert len(world.calls_to("POST merge_requests")) == 1
    assert world.merge_requests == ()


def test_a_fault_with_one_does_not_keep_the_others_back(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    branches = [f"updater/prod/{name}" for name in "abcdef"]
    wanted = [proposal(push(bare, "master-2", branch=branch), branch=branch) for branch in branches]
    world.faults.next("POST merge_requests", status=500, body="{}")
    answers = forge.ensure(wanted)
    assert [isinstance(answer, Ensured) for answer in answers].count(False) == 1
    assert [answer for answer in forge.ensure(wanted) if not isinstance(answer, Ensured)] == []
    assert len(world.merge_requests) == 6


def test_while_gitlab_is_away_nothing_is_tried_over_and_over(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    branches = [f"updater/prod/{number}" for number in range(40)]
    wanted = [proposal(push(bare, "master-2", branch=branch), branch=branch) for branch in branches]
    world.away()
    answers = forge.ensure(wanted)
    assert {type(answer).__mro__[1] for answer in answers} == {Unreachable}
    with pytest.raises(Unreachable, match="cannot be reached"):
        forge.look(branches)
    world.back()
    assert [answer for answer in forge.ensure(wanted) if not isinstance(answer, Ensured)] == []
    assert len(world.merge_requests) == 40


def test_a_gateway_that_answers_for_gitlab_is_an_outage(world: GitLabWorld, forge: GitLab) -> None:
    world.away(502)
    with pytest.raises(Unreachable, match="answered 502"):
        forge.opened()


def test_silence_ends_after_the_time_out(world: GitLabWorld, bare: Path) -> None:
    world.faults.next("GET merge_requests", status="hang")
    with connected(world, timeout=0.2) as forge, pytest.raises(Unreachable, match=r"within 0\.2 seconds"):
        forge.opened()


@pytest.mark.parametrize(("told", "after"), [("7", 7), ("100000", 300), ("soon", 60), ("date", 42), ("", 60)])
def test_a_limit_is_passed_on_and_never_slept_through(
    world: GitLabWorld, forge: GitLab, clock: Clock, told: str, after: float
) -> None:
    if told == "date":
        told = format_datetime(clock() + dt.timedelta(seconds=42), usegmt=True)
    world.faults.next("GET merge_requests", status=429, retry_after=told)
    with pytest.raises(RateLimited) as caught:
        forge.opened()
    assert caught.value.after == after
    assert len(world.calls) == 1


def test_a_limit_ends_the_round_for_all_that_wait(world: GitLabWorld, forge: GitLab) -> None:
    world.faults.next("GET merge_requests", status=429, retry_after="7", times=100)
    with pytest.raises(RateLimited):
        forge.look([f"updater/prod/{number}" for number in range(100)])
    assert len(world.calls) <= 4


def test_a_page_that_is_no_json_points_at_the_url(world: GitLabWorld) -> None:
    with (
        connected(world, url=f"{world.url}/wrong") as forge,
        pytest.raises(Unreachable, match="UPDATER_GITLAB_URL"),
    ):
        forge.look([BRANCH])
    world.faults.next("GET merge_requests", status=200, body="<html>Sign in</html>")
    with connected(world) as forge, pytest.raises(Unreachable, match="UPDATER_GITLAB_URL"):
        forge.look([BRANCH])


@pytest.mark.parametrize("root", ["", "/gitlab"])
@pytest.mark.parametrize("project", ["ops/config", "group/sub/deeper/config"])
def test_subgroups_and_relative_roots_work(tmp_path: Path, clock: Clock, root: str, project: str) -> None:
    bare = config_repo(tmp_path)
    with (
        GitLabWorld(bare, clock=clock, root=root, project=project) as world,
        connected(world, url=world.url + "/") as forge,
    ):
        known = made(forge, bare)
        assert known.url == f"{world.url}/{project}/-/merge_requests/1"
        assert [one.number for one in forge.opened()] == [1]


def test_a_project_by_its_number_works(world: GitLabWorld, bare: Path) -> None:
    with connected(world, project=str(world.config.id)) as forge:
        assert made(forge, bare).number == 1


def test_a_project_that_moved_is_found_by_its_number_from_then_on(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    made(forge, bare)
    world.move_project("platform/config")
    assert [one.number for one in forge.opened()] == [1]
    world.calls.clear()
    branch = "updater/prod/rose"
    (answer,) = forge.ensure([proposal(push(bare, "master-3", branch=branch), branch=branch)])
    assert isinstance(answer, Ensured)
    assert [call.path for call in world.calls] == [f"/api/v4/projects/{world.config.id}/merge_requests"]


def test_a_write_to_a_project_that_moved_is_done_once_under_its_number(
    world: GitLabWorld, forge: GitLab, bare: Path
) -> None:
    world.move_project("platform/config")
    assert made(forge, bare).number == 1
    assert len(world.merge_requests) == 1


def test_a_redirection_elsewhere_gets_no_token(tmp_path: Path, clock: Clock) -> None:
    bare = config_repo(tmp_path)
    with GitLabWorld(bare, clock=clock) as other, GitLabWorld(bare, clock=clock) as world:
        world.move_project("platform/config")
        world.shown_url = other.url
        with (
            connected(world, project="ops/config") as forge,
            pytest.raises(Unreachable, match="UPDATER_GITLAB_URL"),
        ):
            forge.opened()
        assert other.calls == []


def test_a_project_that_moved_and_then_went_is_told_by_its_name(world: GitLabWorld, forge: GitLab) -> None:
    world.move_project("platform/config")
    world.config.level = 0
    world.faults.next(
        "GET merge_requests", status=405, body='{"message":"Only for moved projects: moved project"}'
    )
    with pytest.raises(Unreachable, match="'ops/config'"):
        forge.opened()


@pytest.mark.parametrize("where", ["/users/sign_in", "/api/v4/projects/ops%2Fconfig"])
def test_a_redirection_to_nowhere_ends_with_the_setting_to_check(clock: Clock, where: str) -> None:
    with redirecting(where) as url:
        client = Client(url, "glpat-x", ca_file=None, clock=clock, timeout=5)
        for ask in (Project(client, "ops/config").get, client.get):
            with pytest.raises(Unreachable, match="UPDATER_GITLAB_URL"):
                ask("/user", "say who you are")
        client.hang_up()


@contextlib.contextmanager
def redirecting(where: str) -> Iterator[str]:
    """Serve nothing but redirections to one path."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", where)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_an_unknown_project_is_the_operators_to_mend(world: GitLabWorld, bare: Path) -> None:
    with connected(world, project="ops/nowhere") as forge:
        with pytest.raises(Unreachable, match="UPDATER_GITLAB_PROJECT"):
            forge.opened()
        (answer,) = forge.ensure([proposal(push(bare, "master-2"))])
        assert isinstance(answer, Unreachable)
        assert any("UPDATER_GITLAB_PROJECT" in problem for problem in forge.problems(world.clock()))


def test_without_a_token_the_setting_is_named(world: GitLabWorld) -> None:
    with connected(world, token="") as forge:
        with pytest.raises(ForgeRefused, match="UPDATER_GITLAB_TOKEN"):
            forge.opened()
        assert forge.problems(world.clock()) == ()
    assert world.calls == []


@pytest.mark.parametrize("token", ["glpat-wrong\n", "glpat-schlüssel", "two words"])
def test_a_token_that_is_none_reaches_neither_the_wire_nor_a_message(world: GitLabWorld, token: str) -> None:
    with connected(world, token=token) as forge, pytest.raises(ForgeRefused) as caught:
        forge.opened()
    assert token not in str(caught.value)
    assert world.calls == []


def test_no_error_and_no_log_tells_the_token(
    world: GitLabWorld, forge: GitLab, bare: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    for status in (401, 403, 404, 500, 429, "drop"):
        world.faults.next("GET merge_requests", status=status, body='{"message":"no"}')
        with pytest.raises((TemporaryError, ForgeRefused)) as caught:
            forge.opened()
        told.append(repr(caught.value.__cause__) + str(caught.value))
    assert world.token not in "".join([*told, caplog.text, repr(forge)])


def test_a_token_that_is_not_accepted_keeps_requests_waiting(world: GitLabWorld, forge: GitLab) -> None:
    world.revoke_token()
    with pytest.raises(Unreachable, match="UPDATER_GITLAB_TOKEN") as caught:
        forge.opened()
    assert caught.value.after == 60


def test_a_gitlab_with_a_certificate_of_its_own_authority_is_trusted_by_setting(
    tmp_path: Path, bare: Path, clock: Clock
) -> None:
    certificate = self_signed(tmp_path)
    with GitLabWorld(bare, clock=clock, tls=certificate.context) as world:
        with connected(world, ca_file=certificate.file) as forge:
            assert made(forge, bare).url.startswith("https://")
        with connected(world) as forge, pytest.raises(Unreachable, match="UPDATER_GITLAB_CA_FILE"):
            forge.opened()
        missing = tmp_path / "missing.pem"
        with connected(world, ca_file=missing) as forge, pytest.raises(Unreachable, match=r"missing\.pem"):
            forge.opened()


def test_words_of_gitlab_come_through_on_one_line(world: GitLabWorld, forge: GitLab, bare: Path) -> None:
    known = made(forge, bare)
    body = '{"message":{"title":["is too\\nlong","is odd"]}}'
    world.faults.next("PUT merge_requests/1", status=400, body=body)
    (answer,) = forge.ensure([proposal(push(bare, "master-3"), known=known)])
    assert isinstance(answer, ForgeRefused)
    assert "title is too long; is odd" in str(answer)
    world.faults.next("GET merge_requests/1", status=403, body='{"message":"403 Forbidden"}')
    with pytest.raises(ForgeRefused, match="403 Forbidden"):
        forge.readiness(known, known.head)
