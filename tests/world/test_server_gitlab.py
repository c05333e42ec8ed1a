"""The real server beside a GitLab, over HTTP both ways: pushes, API calls, webhooks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.barerepo import make_bare
from support.gitlabworld import GitLabWorld
from support.lab import chart, rules
from support.server import Answer, Server, running
from support.world import REGISTRY

SIGNING = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwTnL7oyCRGXk="


@dataclass
class Site:
    """A server that lets everybody in, and the GitLab whose config repo it writes to."""

    gitlab: GitLabWorld
    server: Server

    def posts(self, image: str, path: str = "/api/auto-update", **more: object) -> Answer:
        body = {"image": f"{REGISTRY}/{image}", **more}
        return self.server.ask("POST", path, body, headers={"Prefer": "wait=30"})

    def until(self, request_id: str, holds: Callable[[Any], bool]) -> Any:
        """Ask for a request until something holds, and return it."""
        pause = threading.Event()
        told: Any = None
        for _ in range(300):
            told = self.server.ask("GET", f"/api/updates/{request_id}").json
            if holds(told):
                return told
            pause.wait(0.1)
        raise AssertionError(f"{told}\n{self.server.log_text()[-4000:]}")


@contextmanager
def site(folder: Path, text: str, *, root: str = "", secret: str = "", **settings: str) -> Iterator[Site]:
    bare = make_bare(folder, {".updater/rules.yaml": text, **chart("iris"), **chart("rose")})
    with GitLabWorld(bare, root=root, project="ops/sub/config") as gitlab:
        own = {
            "UPDATER_REPO": gitlab.git_url,
            "UPDATER_REPO_TOKEN": gitlab.token,
            "UPDATER_LET_IN": "anyone-who-reaches-the-port",
            "UPDATER_GITLAB_HOOK_SECRET": secret,
            **({"UPDATER_GITLAB_URL": gitlab.url} if root else {}),
            **settings,
        }
        with running(own, folder / "server") as server:
            if secret:
                how = {"signing": secret} if secret.startswith("whsec_") else {"secret": secret}
                gitlab.hook_target(f"{server.url}/hooks/gitlab", **how)
            yield Site(gitlab, server)


@pytest.mark.parametrize("secret", ["plain-secret-of-a-hook", SIGNING], ids=["plain", "signed"])
def test_a_build_is_proposed_and_a_hook_tells_of_the_merge_long_before_the_next_poll(
    tmp_path: Path, secret: str
) -> None:
    with site(tmp_path, rules(), secret=secret, UPDATER_POLL="1h") as here:
        answer = here.posts("iris:master-101")
        assert (answer.status, answer.json["outcome"]) == (200, "proposed"), answer
        assert answer.json["link"] == f"{here.gitlab.url}/ops/sub/config/-/merge_requests/1"
        merged = here.gitlab.person_merges(1, by="kim")
        told = here.until(answer.json["id"], lambda told: told["outcome"] == "committed")
        assert told["commit"] == merged
        assert "kim" in told["reason"]
        deliveries = here.gitlab.hook_deliveries
        assert deliveries
        assert {one.status for one in deliveries} == {204}


def test_without_any_hook_polling_finds_the_same(tmp_path: Path) -> None:
    with site(tmp_path, rules("auto-merge"), UPDATER_POLL="1s") as here:
        answer = here.posts("iris:master-101")
        assert answer.json["outcome"] == "proposed"
        told = here.until(answer.json["id"], lambda told: told["outcome"] == "committed")
        assert "merged" in told["reason"]


def test_a_relative_root_and_subgroups_work(tmp_path: Path) -> None:
    with site(tmp_path, rules(), root="/git/lab") as here:
        answer = here.posts("iris:master-101")
        assert answer.json["outcome"] == "proposed", answer
        assert "/git/lab/ops/sub/config/-/merge_requests/1" in answer.json["link"]


def test_what_is_proposed_is_listed_shown_and_approved_where_people_do_that(tmp_path: Path) -> None:
    with site(tmp_path, rules()) as here:
        here.posts("iris:master-101")
        (listed,) = here.server.ask("GET", "/api/proposals").json["proposals"]
        assert (listed["name"], listed["number"]) == ("prod/iris", 1)
        shown = here.server.ask("GET", "/api/proposals/prod/iris").json
        assert "+  tag: master-101" in shown["diff"]
        refused = here.server.ask("POST", "/api/proposals/prod/iris/approve", {})
        assert refused.status == 409
        assert "in GitLab" in refused.json["detail"]


def test_a_promotion_by_api_shows_the_difference_first_and_then_proposes_it(tmp_path: Path) -> None:
    with site(tmp_path, rules()) as here:
        wish = {"from": "dev", "to": "prod", "charts": ["iris"]}
        seen = here.server.ask("POST", "/api/promotions", {**wish, "dry_run": True})
        assert seen.status == 200, seen
        assert not here.gitlab.merge_requests
        done = here.server.ask("POST", "/api/promotions", wish, headers={"Prefer": "wait=30"})
        assert (done.status, done.json["outcome"]) == (200, "proposed"), done
        (opened,) = here.gitlab.merge_requests
        assert opened.title == "iris develop-100 in prod"


def test_the_token_stands_in_no_log_and_no_answer(tmp_path: Path) -> None:
    with site(tmp_path, rules("auto-merge"), UPDATER_POLL="1s", UPDATER_LOG_LEVEL="debug") as here:
        here.gitlab.faults.next("POST merge_requests", status=503)
        answer = here.posts("iris:master-101")
        here.until(answer.json["id"], lambda told: told["outcome"] == "committed")
        here.gitlab.revoke_token()
        later = here.server.ask("POST", "/api/auto-update", {"image": f"{REGISTRY}/iris:master-102"})
        ready = here.server.ask("GET", "/readyz")
        assert ready.status == 200
        for text in (here.server.log_text(), later.body.decode(), ready.body.decode()):
            assert here.gitlab.token not in text
