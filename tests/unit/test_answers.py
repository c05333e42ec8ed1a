"""How a request's fate is told to machines."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from updater.answers import EXIT_CODE, HTTP_STATUS, exit_code, http_status, record_json
from updater.model import (
    Caller,
    EnvironmentOutcome,
    HoldRequest,
    ImageReference,
    Outcome,
    OutcomeKind,
    PromotionRequest,
    Record,
    Request,
    RollbackRequest,
    Source,
    UpdateRequest,
)

REQUEST = UpdateRequest(
    id="01kas9xw5v3t7k1q8m2n4p6r0z",
    image=ImageReference.parse("nginx:1.27"),
    caller=Caller(name="ci", images=("*",)),
    received_at=datetime(2026, 3, 2, 18, 30, 0, 120_500, tzinfo=timezone(timedelta(hours=9))),
)


def environment(name: str, kind: OutcomeKind, commit: str = "") -> EnvironmentOutcome:
    link = f"https://example.com/{commit}" if commit else ""
    return EnvironmentOutcome(environment=name, kind=kind, code="c", reason="r", commit=commit, link=link)


def test_every_outcome_has_a_status_and_an_exit_code() -> None:
    assert set(HTTP_STATUS) == set(EXIT_CODE) == set(OutcomeKind)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (OutcomeKind.UNCHANGED, 200, 0),
        (OutcomeKind.COMMITTED, 200, 0),
        (OutcomeKind.SUPERSEDED, 200, 0),
        (OutcomeKind.REFUSED, 409, 1),
        (OutcomeKind.FAILED, 502, 1),
    ],
)
def test_an_outcome_is_told_by_status_and_exit_code(kind: OutcomeKind, status: int, code: int) -> None:
    outcome = Outcome(kind=kind, reason="r")
    assert (http_status(outcome), exit_code(outcome)) == (status, code)


def test_what_is_not_settled_is_202_and_4() -> None:
    assert (http_status(None), exit_code(None)) == (202, 4)


def test_a_pending_request_has_every_key_and_no_outcome() -> None:
    told = record_json(Record(request=REQUEST, reason="The remote is away.", attempts=2))
    assert told["state"] == "pending"
    assert told["outcome"] is None
    assert (told["reason"], told["attempts"]) == ("The remote is away.", 2)
    assert (told["commit"], told["link"], told["environments"]) == ("", "", [])
    assert (told["settled_at"], told["retry_at"], told["digest"]) == (None, None, None)


def test_the_image_is_told_as_the_caller_wrote_it() -> None:
    assert record_json(Record(request=REQUEST))["image"] == "nginx:1.27"


def test_times_are_in_utc() -> None:
    settled = datetime(2026, 3, 2, 9, 31, tzinfo=UTC)
    told = record_json(Record(request=REQUEST, settled_at=settled))
    assert told["received_at"] == "2026-03-02T09:30:00.120Z", "it came at 18:30 in Seoul"
    assert told["settled_at"] == "2026-03-02T09:31:00.000Z"


def test_environments_done_in_an_earlier_round_are_told_while_another_one_waits() -> None:
    done = UpdateRequest(
        id="x",
        image=REQUEST.image,
        caller=REQUEST.caller,
        received_at=REQUEST.received_at,
        done=(environment("dev", OutcomeKind.COMMITTED, "abc"),),
    )
    told = record_json(Record(request=done))
    assert [part["environment"] for part in told["environments"]] == ["dev"]
    assert told["commit"] == "abc"


def test_commit_and_link_are_those_of_the_first_environment_that_has_them() -> None:
    outcome = Outcome(
        kind=OutcomeKind.COMMITTED,
        reason="r",
        environments=(
            environment("a", OutcomeKind.UNCHANGED),
            environment("b", OutcomeKind.COMMITTED, "bbb"),
            environment("c", OutcomeKind.COMMITTED, "ccc"),
        ),
    )
    told = record_json(Record(request=REQUEST, outcome=outcome))
    assert (told["commit"], told["link"]) == ("bbb", "https://example.com/bbb")
    assert [part["commit"] for part in told["environments"]] == ["", "bbb", "ccc"]


ASKED: dict[str, Any] = {
    "id": "x",
    "environment": "prod",
    "caller": REQUEST.caller,
    "received_at": REQUEST.received_at,
}


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (PromotionRequest(origin="dev", **ASKED), "promotion"),
        (RollbackRequest(chart="iris", **ASKED), "rollback"),
        (HoldRequest(chart="iris", **ASKED), "hold"),
        (REQUEST, ""),
    ],
)
def test_a_request_tells_what_was_asked_for_and_nothing_else(request_: Request, kind: str) -> None:
    told = record_json(Record(request=request_))
    assert [name for name in ("promotion", "rollback", "hold") if told[name] is not None] == (
        [kind] if kind else []
    )
    assert bool(told["image"]) == (not kind)
    assert told["override"] is None


@pytest.mark.parametrize(
    "request_",
    [
        PromotionRequest(origin="dev", override=True, reason="Now", **ASKED),
        RollbackRequest(chart="iris", override=True, reason="Now", **ASKED),
        replace(REQUEST, override=True, reason="Now"),
    ],
)
def test_an_override_is_told_with_its_reason(request_: Request) -> None:
    assert record_json(Record(request=request_))["override"] == {"reason": "Now"}


def test_all_of_it_is_json() -> None:
    source = Source(project="상점/iris", pipeline_id="7")
    request = UpdateRequest(
        id="x", image=REQUEST.image, caller=REQUEST.caller, received_at=REQUEST.received_at, source=source
    )
    assert json.loads(json.dumps(record_json(Record(request=request))))["source"]["project"] == "상점/iris"
