"""`updater requests`: what became of requests, from the server's database."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from updater.answers import record_json
from updater.cli import DONE, NOT_DONE, show
from updater.model import (
    HoldRequest,
    OutcomeKind,
    PromotionRequest,
    Record,
    Request,
    RollbackRequest,
    UpdateRequest,
)
from updater.store import Query, Store


@click.command("requests")
@click.argument("request_id", metavar="[ID]", required=False)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    envvar="UPDATER_DATA",
    default=Path("updater-data"),
    help="The server's data folder; by default what UPDATER_DATA says, else updater-data.",
)
@click.option("--state", type=click.Choice(["pending", "settled"]), help="Only these.")
@click.option("--outcome", type=click.Choice([kind.value for kind in OutcomeKind]), help="Only these.")
@click.option("--image", default="", help="Only images with this text in their name or tag.")
@click.option("--environment", help="Only requests for this environment.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(request_id: str | None, *, data: Path, as_json: bool, limit: int, **filters: str | None) -> int:
    """Show what became of the newest requests, or all that is known of the one with this ID.

    It reads the server's database, so it runs where the server does.
    """
    with Store.reading(data) as records:
        if request_id is not None:
            return _one(records.get(request_id), request_id, as_json=as_json)
        found = records.find(_query(limit, **filters))
    if as_json:
        show.as_json([record_json(record) for record in found])
    else:
        show.table(("ID", "RECEIVED", "IMAGE", "OUTCOME", "REASON"), [_row(record) for record in found])
    if not found:
        click.echo(f"No request in {data} is like that, or none has come yet.", err=True)
    return DONE


def _query(
    limit: int, *, state: str | None, outcome: str | None, image: str | None, environment: str | None
) -> Query:
    return Query(
        settled=None if state is None else state == "settled",
        kinds=(OutcomeKind(outcome),) if outcome else (),
        text=image or "",
        environment=environment,
        limit=limit,
    )


def _one(record: Record | None, request_id: str, *, as_json: bool) -> int:
    if record is None:
        click.echo(f"There is no request {request_id}.", err=True)
        return NOT_DONE
    if as_json:
        show.as_json(record_json(record))
        return DONE
    click.echo(f"{_wish(record.request)} from {record.request.caller.name}, {_when(record)}")
    if record.outcome is None:
        click.echo(f"pending. {record.reason or 'Its turn has not come yet.'}")
    else:
        show.outcome(record.outcome)
    is_open = record.outcome is None or record.outcome.kind is OutcomeKind.HELD
    if is_open and record.retry_at is not None:
        click.echo(f"It is tried again at {_time(record.retry_at)}.")
    return DONE


def _row(record: Record) -> tuple[str, ...]:
    request = record.request
    kind = record.outcome.kind.value if record.outcome else "pending"
    reason = record.outcome.reason if record.outcome else record.reason
    return request.id, _when(record), _wish(request), kind, reason


def _wish(request: Request) -> str:
    match request:
        case PromotionRequest():
            charts = ", ".join(request.charts) or "all charts"
            return f"promotion of {charts} from {request.origin} to {request.environment}"
        case RollbackRequest():
            back = f" to {request.to}" if request.to else ""
            return f"rollback of {request.chart or request.commit[:10]} in {request.environment}{back}"
        case HoldRequest():
            return f"{'release' if request.release else 'hold'} of {request.chart} in {request.environment}"
        case UpdateRequest():
            return f"{request.image.name}:{request.image.tag}"


def _when(record: Record) -> str:
    return _time(record.request.received_at)


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
