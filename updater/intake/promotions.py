"""Reads that what stands in one environment shall go to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from updater.errors import InvalidRequest
from updater.intake.fields import flag, line, needed_environment, override, text
from updater.intake.reading import kind, read_object

PROMOTION_FIELDS = ("from", "to", "charts", "all", "allow_older", "dry_run", "override", "reason")

_HINT = '{"from": "dev", "to": "prod", "charts": ["iris"]}'


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionIntake:
    """What a body says: what stands in `origin` shall go to `environment`, for these charts (none: all).

    With `override` no hold and no freeze is to stop it; `reason` says why then.
    """

    origin: str
    environment: str
    charts: tuple[str, ...]
    allow_older: bool
    dry_run: bool
    reason: str
    override: bool = False


def decode_promotion(body: bytes) -> PromotionIntake:
    """Read a JSON body such as `{"from": "dev", "to": "prod", "charts": ["iris"]}`.

    Raises:
        InvalidRequest: with the field at fault, or the place in the JSON.
    """
    value = read_object(body, PROMOTION_FIELDS, _HINT)
    origin, environment = (needed_environment(value, name, _HINT) for name in ("from", "to"))
    if origin == environment:
        raise InvalidRequest(
            f'"from" and "to" both name {origin!r}: name the environment that the tags come from and '
            "another one that they go to.",
            field="to",
        )
    overriding, reason = override(value), text(value, "reason")
    if overriding and reason not in ("", overriding):
        # One of the two would be lost: a request has one reason.
        raise InvalidRequest(
            '"reason" and "override.reason" differ: send the reason in "override.reason" alone.',
            field="reason",
        )
    return PromotionIntake(
        origin=origin,
        environment=environment,
        charts=_charts(value),
        allow_older=flag(value, "allow_older"),
        dry_run=flag(value, "dry_run"),
        reason=overriding or reason,
        override=bool(overriding),
    )


def _charts(value: Mapping[str, object]) -> tuple[str, ...]:
    """Return the charts that a promotion names, each once; none where it is for all of them."""
    charts, everything = value.get("charts"), flag(value, "all")
    if (charts is not None) == everything:
        # Neither is no answer either: a variable somebody forgot to set must not mean "everything".
        raise InvalidRequest(
            'Say which charts: either "charts" with a list of their names, or "all": true.', field="charts"
        )
    if everything:
        return ()
    if not isinstance(charts, list):
        raise InvalidRequest(
            f'The field "charts" is {kind(charts)}; send a list of the names of charts.', field="charts"
        )
    if not charts:
        raise InvalidRequest(
            'The list "charts" is empty: name a chart, or send "all": true instead.', field="charts"
        )
    return tuple(dict.fromkeys(_chart(chart, number) for number, chart in enumerate(charts)))


def _chart(value: object, number: int) -> str:
    field = f"charts.{number}"
    name = line(value, field)
    if not name.strip():
        raise InvalidRequest(f"The chart at place {number + 1} of the list has no name.", field=field)
    return name
