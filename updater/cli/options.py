"""Options that several commands share, and how a time is written at the command line.

Hides click's types. Commands use them as decorators.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from updater import wiring
from updater.model import canonical_repository, is_tag

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

timeout = click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Seconds to go on trying while the remote is away.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
reason = click.option("--reason", default="", help="Why; it stands in the commit.")

_AGO = re.compile(r"([1-9][0-9]{0,3})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


class Moment(click.ParamType[datetime]):
    """A moment: a date, a time by RFC 3339, or how long ago it was (`12h`, `7d`, `4w`)."""

    name = "date"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment in UTC; a date is the start of its day there."""
        if isinstance(value, datetime):
            return value
        if ago := _AGO.fullmatch(value):
            return wiring.now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        try:
            found = datetime.fromisoformat(value)
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no moment: give a date (2026-11-22), a time (2026-11-22T12:00:00Z) or "
                "how long ago it was (12h, 7d, 4w).",
                param,
                ctx,
            )


def given_reason(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    """Return the reason of an override; whoever overrides has one."""
    if value is not None and not value.strip():
        raise click.BadParameter("say why: the reason stands in the history.", ctx, param)
    return value or ""


override = click.option(
    "--override",
    metavar="REASON",
    callback=given_reason,
    help="Let no hold and no freeze keep it back, for this reason; it stands in the history.",
)


def commit_time(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Return the time of a commit as it was given."""
    try:
        is_time = not value or datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        is_time = False
    if not is_time:
        raise click.BadParameter(
            f"{value!r} is no time by RFC 3339: give one with its offset, as git log --format=%cI prints it.",
            ctx,
            param,
        )
    return value


def image(help_text: str) -> Decorator:
    """Return an option for a repository, which reaches the command as `repository`, canonical."""
    return click.option("--image", "repository", default="", callback=_repository, help=help_text)


def _repository(ctx: click.Context, param: click.Parameter, value: str) -> str:
    found = canonical_repository(value) if value else ""
    if found is None:
        raise click.BadParameter(
            f"{value!r} is not a repository: name it without a tag, such as registry.example.com/iris.",
            ctx,
            param,
        )
    return found


def build(help_text: str) -> Decorator:
    """Return an option for the tag of a build."""
    return click.option("--build", default="", callback=_tag, help=help_text)


def _tag(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value and not is_tag(value):
        raise click.BadParameter(
            f"{value!r} is not a legal tag: name the tag of a build alone, such as develop-52666.", ctx, param
        )
    return value
