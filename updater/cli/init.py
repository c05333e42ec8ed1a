"""`updater init`: writes rules for the checkout it is pointed at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from updater.charts import Survey
from updater.cli.leftover import EVERYWHERE, images_in_manifests, left_out
from updater.elsewhere import carry_over
from updater.errors import InvalidRequest
from updater.folder import Folder, replace_file
from updater.policy import RULES_PATH, Environment, parse_rules, suggest_rules


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--print", "only_print", is_flag=True, help="Print the rules and write nothing.")
@click.option("--force", is_flag=True, help="Replace rules that are there already.")
def command(folder: Path, *, only_print: bool, force: bool) -> None:
    """Look at the charts in FOLDER (a checkout of the config repo) and write .updater/rules.yaml.

    Where Fleet's image scan, Flux or Argo CD Image Updater was told there to write tags, the rules say the
    same, and what they cannot say stands in their comments and on stderr.

    The rules are a beginning: read them, change them, and commit them to the default branch.
    """
    rules = folder / RULES_PATH
    if not only_print:
        _see_to(rules, force=force)
    files = Folder(folder)
    survey = Survey(files)

    carried = carry_over(files, survey)
    text = carried.text if carried is not None else _by_looking(files, survey)
    commented_out = carried.commented_out if carried is not None else ()
    environments = _environments(text, folder, survey) if carried is None or carried.environments else ()
    notes = carried.notes if carried is not None else tuple(left_out(files, survey, environments))
    for note in notes:
        click.echo(f"Note: {note}", err=True)
    if only_print:
        click.echo(text, nl=False)
        return
    _write(rules, text)
    click.echo(_told(rules, [environment.name for environment in environments], commented_out))


def _environments(text: str, folder: Path, survey: Survey) -> Sequence[Environment]:
    environments = parse_rules(text.encode()).environments
    if not any(survey.files_of(environment.scope) for environment in environments):
        raise InvalidRequest(
            f"No chart was found in {folder}, nor an image in a manifest, so there is nothing to write "
            "rules for: name the checkout of the config repo."
        )
    return environments


def _told(rules: Path, names: Sequence[str], commented_out: Sequence[str]) -> str:
    out = ", ".join(commented_out)
    if not names:
        return (
            f"Wrote {rules}, with every environment commented out: {out}. As it is, nothing goes out by it. "
            "Decide what its comments name before you commit it."
        )
    also = f" Commented out, for you to decide: {out}." if out else ""
    environments = f"the environment{'s' if len(names) > 1 else ''} {', '.join(names)}"
    return f"Wrote {rules} with {environments}.{also} Read it, then commit it to the default branch."


def _by_looking(files: Folder, survey: Survey) -> str:
    def tags_in(file: str) -> list[str]:
        return [target.tag for target in survey.in_file(EVERYWHERE, file) if target.tag]

    return suggest_rules(files.paths, tags_in, images_in_manifests(files, survey))


def _see_to(rules: Path, *, force: bool) -> None:
    # A link is no rules file for the server either: it reads regular files only.
    for link in (rules.parent, rules):
        if link.is_symlink():
            raise InvalidRequest(f"{link} is a symbolic link, which is never written through: remove it.")
    if rules.exists() and not force:
        raise InvalidRequest(
            f"{rules} is there already; --force replaces it, --print only shows the new one."
        )


def _write(rules: Path, text: str) -> None:
    try:
        rules.parent.mkdir(exist_ok=True)
        rules.touch()
    except OSError as problem:
        raise InvalidRequest(f"{rules} cannot be written: {problem.strerror}.") from problem
    replace_file(rules, text.encode())
