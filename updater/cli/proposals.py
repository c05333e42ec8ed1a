"""`updater proposals`: the changes that wait for a person, shown and decided without a server."""

from __future__ import annotations

import click

from updater.answers import proposal_json
from updater.cli import DONE, NOT_DONE, show
from updater.errors import InvalidRequest
from updater.messages import one_line
from updater.model import EnvironmentOutcome, OpenProposal, OutcomeKind, ProposedImage
from updater.oneshot import caller, desk

# So much of a commit's id is shown, and so much is enough to name it.
_SHOWN, _ENOUGH = 10, 7


@click.group("proposals")
def command() -> None:
    """Show the changes that wait for a person in the config repo; approve or close them.

    They are merge requests; on a plain Git remote they are branches, and people approve them here. NAME
    is as `updater proposals list` shows it, such as prod/iris.
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(*, as_json: bool) -> None:
    """List the proposals that wait, with what each carries and why it is not merged yet."""
    with desk() as asked:
        found = asked.proposals()
    if as_json:
        show.as_json([proposal_json(one) for one in found])
        return
    show.table(("NAME", "IMAGES", "HEAD", "STATE", "LINK"), [_row(one) for one in found])
    if not found:
        click.echo("No proposal waits.", err=True)


@command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; the diff stands under `diff`.")
def show_(name: str, *, as_json: bool) -> int:
    """Show the proposal NAME: its title, its images, who asked for them, and its diff."""
    with desk() as asked:
        found = asked.proposal(_plain(name))
    if found is None:
        return _missing(f"There is no open proposal {name!r}: list them with updater proposals list.")
    if as_json:
        show.as_json(proposal_json(found))
    else:
        _show(found)
    return DONE


@command.command("approve")
@click.argument("name")
@click.option(
    "--head", help="The commit that was looked at; where another one stands now, nothing is merged."
)
def approve(name: str, *, head: str | None) -> int:
    """Merge the proposal NAME into its target branch, with you as the one who approved it.

    Merge requests in GitLab are approved and merged there.
    """
    name = _plain(name)
    with desk() as asked:
        if head is not None and len(head) >= _ENOUGH:
            found = asked.proposal(name)
            head = found.head if found is not None and found.head.startswith(head) else head
        try:
            done = asked.approve(name, caller=caller(), head=head)
        except InvalidRequest as problem:
            return _missing(str(problem))
    return _decided(done)


@command.command("close")
@click.argument("name")
@click.option("--reason", default="", help="Why; it stands where the proposal is closed.")
def close(name: str, *, reason: str) -> int:
    """Close the proposal NAME: what it carries, and older builds, are not proposed again unless promoted."""
    with desk() as asked:
        try:
            done = asked.close(_plain(name), caller=caller(), reason=reason)
        except InvalidRequest as problem:
            return _missing(str(problem))
    return _decided(done)


def _plain(name: str) -> str:
    """Return a proposal's name, also where its branch was given (a name has one slash only)."""
    return name.removeprefix("updater/") if name.count("/") > 1 else name


def _missing(words: str) -> int:
    click.echo(f"Error: {words}", err=True)
    return NOT_DONE


def _decided(done: EnvironmentOutcome) -> int:
    click.echo(done.reason)
    if done.kind is OutcomeKind.COMMITTED and done.commit:
        click.echo(f"  commit: {done.commit}")
    return DONE


def _row(one: OpenProposal) -> tuple[str, ...]:
    images = ", ".join(carried.image for carried in one.images)
    return one.name, images or "-", one.head[:_SHOWN], _state(one), one.link


def _state(one: OpenProposal) -> str:
    if one.held_by:
        return f"held: {one_line(one.held_by)} made a commit on {one.branch}"
    return one_line(one.waits) or "open"


def _asked_by(carried: ProposedImage) -> str:
    by = one_line(carried.requested_by) or "-"
    if not carried.promoted_from:
        return by
    reason = f": {one_line(carried.reason)}" if carried.reason else ""
    return f"{by}, promoted from {one_line(carried.promoted_from)}{reason}"


def _show(one: OpenProposal) -> None:
    click.echo(one_line(one.title) or one.name)
    click.echo(f"  name: {one.name}")
    click.echo(f"  branch: {one.branch}, to be merged into {one.target}")
    click.echo(f"  head: {one.head}")
    click.echo(f"  state: {_state(one)}")
    if one.link:
        click.echo(f"  merge request: {one.link}")
    click.echo()
    rows = [
        (
            carried.image,
            ", ".join(carried.charts),
            ", ".join(carried.previous) or "-",
            ", ".join(carried.replaced) or "-",
            _asked_by(carried),
            carried.pipeline or "-",
        )
        for carried in one.images
    ]
    show.table(("IMAGE", "CHARTS", "WAS", "REPLACED", "ASKED BY", "PIPELINE"), rows)
    click.echo()
    click.echo(one.diff.rstrip("\n"))
