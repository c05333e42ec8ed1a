"""`updater why`: why an image is, or is not, where it could be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from updater.answers import why_json
from updater.cli import options, show
from updater.model import ImageReference
from updater.oneshot import accounts
from updater.store import Records, Store


@click.command("why")
@click.argument("image")
@click.option("--environment", help="Only this environment; otherwise each that it concerns.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    envvar="UPDATER_DATA",
    help="The server's data folder, to tell of requests as well; by default what UPDATER_DATA says.",
)
@options.as_json
def command(image: str, *, environment: str | None, data: Path | None, as_json: bool) -> None:
    """Say why IMAGE (registry/repository:tag) stands in an environment, or why it does not.

    It tells what the config repo knows: who brought it there and when, what took its place, what holds it
    back, and what would become of it if it were sent now.
    """
    reference = ImageReference.parse(image)
    with _requests(data) as records, accounts() as asked:
        found = asked.why(reference, environment, has_requests=records is not None, records=records)
    if as_json:
        show.as_json([why_json(one) for one in found])
    else:
        click.echo("\n\n".join(one.text for one in found))


@contextmanager
def _requests(data: Path | None) -> Iterator[Records | None]:
    if data is None:
        yield None
        return
    with Store.reading(data) as records:
        yield records
