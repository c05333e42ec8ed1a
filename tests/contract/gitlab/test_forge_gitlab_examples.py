"""Answers that real servers gave, read by the same code: those that lie beside GitLab's API description.

Where it is not at hand (`support.gitlabworld.spec`), this layer is off and says so.
"""

from __future__ import annotations

import json
from typing import Any

from support.gitlabworld import spec

from updater.forge import MergeRequest, State, Step
from updater.forge.access import project_problems
from updater.forge.merging import Sight, decide, is_pipeline_of
from updater.forge.reading import is_of_own_branch, merge_request

RECORDED = {"recorded_mr_create_201.json", "recorded_mr_merge_200.json", "recorded_project_get_200.json"}


def recorded(name: str) -> Any:
    """Return a recorded body; None where the layer is off."""
    found = spec.examples()
    if not found:
        assert "not at hand" in spec.told()
        return None
    assert set(found) >= RECORDED
    return json.loads(found[name].read_text())


def looked_at(body: dict[str, Any], head: str) -> tuple[MergeRequest, Step, str]:
    found = merge_request(body, lambda: 2)
    sight = Sight(body=body, head=head, merge_request=found, is_own_pipeline=is_pipeline_of(body, head))
    return found, decide(sight).step, decide(sight).code


def test_a_merge_request_just_made_waits_until_gitlab_has_prepared_it() -> None:
    if (body := recorded("recorded_mr_create_201.json")) is None:
        return
    found, step, code = looked_at(body, body["sha"])
    assert is_of_own_branch(body)
    assert (found.number, found.state, found.head) == (10, State.OPENED, body["sha"])
    assert (found.branch, found.target) == ("feature/create-applied", "main")
    assert (step, code) == (Step.WAIT, "preparing")


def test_a_merge_request_just_merged_tells_who_and_what_stands_on_the_target() -> None:
    if (body := recorded("recorded_mr_merge_200.json")) is None:
        return
    found = merge_request(body, lambda: 2)
    assert (found.state, found.ended_by) == (State.MERGED, "sandbox-dev")
    assert found.merge_commit == body["merge_commit_sha"] != found.head
    assert is_pipeline_of(body, found.head)


def test_a_developers_project_has_no_problems() -> None:
    if (body := recorded("recorded_project_get_200.json")) is None:
        return
    assert project_problems(body) == ()
    body["permissions"]["project_access"]["access_level"] = 20
    assert len(project_problems(body)) == 1
