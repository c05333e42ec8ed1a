"""Reads what shall be taken back, and what is to be kept out of an environment or let in again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from updater.errors import InvalidRequest
from updater.intake.fields import (
    flag,
    needed_chart,
    needed_environment,
    needed_tag,
    read_repository,
    text,
)
from updater.intake.reading import read_object

# As short as Git shows it, or whole.
COMMIT_FORM = r"^[0-9a-f]{7,64}$"
ROLLBACK_FIELDS = ("environment", "chart", "to", "commit", "alone", "override", "reason", "dry_run")
HOLD_FIELDS = ("environment", "chart", "image", "build", "reason")

_COMMIT = re.compile(COMMIT_FORM)
_ROLLBACK_HINT = '{"environment": "prod", "chart": "iris"}'
_HOLD_HINT = '{"environment": "prod", "chart": "iris"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackIntake:
    """What a body says of a rollback; the fields are those of `model.RollbackRequest`."""

    environment: str
    chart: str
    to: str
    commit: str
    alone: bool
    override: bool
    reason: str
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldIntake:
    """What a body says of a hold or a release; `repository` is canonical, and empty texts mean all."""

    environment: str
    chart: str
    repository: str
    build: str
    reason: str


def decode_rollback(body: bytes) -> RollbackIntake:
    """Read a JSON body such as `{"environment": "prod", "chart": "iris", "to": "main-5"}`.

    Raises:
        InvalidRequest: with the field at fault, or the place in the JSON.
    """
    value = read_object(body, ROLLBACK_FIELDS, _ROLLBACK_HINT)
    environment = needed_environment(value, "environment", _ROLLBACK_HINT)
    chart, commit = _chart_or_commit(value)
    to = _to(value)
    overrides, reason = flag(value, "override"), text(value, "reason")
    if overrides and not reason.strip():
        raise InvalidRequest(
            'An override needs a reason: say in "reason" why it must go out now, or leave "override" out.',
            field="reason",
        )
    return RollbackIntake(
        environment=environment,
        chart=chart,
        to=to,
        commit=commit,
        alone=flag(value, "alone"),
        override=overrides,
        reason=reason,
        dry_run=flag(value, "dry_run"),
    )


def _chart_or_commit(value: Mapping[str, object]) -> tuple[str, str]:
    chart, commit = (value.get(name) for name in ("chart", "commit"))
    if (chart is None) == (commit is None):
        raise InvalidRequest(
            'Say what shall go back: either "chart" with the name of a chart, or "commit" with the id of the '
            "commit that deployed.",
            field="chart",
        )
    if commit is None:
        return needed_chart(value, _ROLLBACK_HINT), ""
    found = text(value, "commit")
    if not _COMMIT.fullmatch(found):
        raise InvalidRequest(
            f"{found!r} is not the id of a commit: send 7 to 64 hexadecimal digits in lower case, as "
            "GET /api/history tells them.",
            field="commit",
        )
    return "", found


def _to(value: Mapping[str, object]) -> str:
    if value.get("to") is None:
        return ""
    if value.get("commit") is not None:
        raise InvalidRequest(
            '"to" goes with "chart": a commit is taken back to what stood before it. Leave one of them out.',
            field="to",
        )
    # Empty too: a variable somebody forgot to set must not mean "the one before".
    return needed_tag(
        value,
        "to",
        "Send a tag that stood there or the id of a commit, or leave the field out to go one back.",
    )


def decode_hold(body: bytes) -> HoldIntake:
    """Read a JSON body such as `{"environment": "prod", "chart": "iris"}`, of a hold or a release.

    Raises:
        InvalidRequest: with the field at fault, or the place in the JSON.
    """
    value = read_object(body, HOLD_FIELDS, _HOLD_HINT)
    environment = needed_environment(value, "environment", _HOLD_HINT)
    chart = needed_chart(value, _HOLD_HINT)
    repository = build = ""
    # What is empty is wrong: a variable somebody forgot to set must not mean every image, or every build.
    if value.get("image") is not None:
        cure = 'A tag goes into "build"; leave the field out for all images of the chart.'
        repository = read_repository(text(value, "image"), field="image", cure=cure)
    if value.get("build") is not None:
        build = needed_tag(value, "build", "Leave the field out for all builds.")
    return HoldIntake(
        environment=environment,
        chart=chart,
        repository=repository,
        build=build,
        reason=text(value, "reason"),
    )
