"""What can be set, asked or typed is documented, and what is documented is there."""

from __future__ import annotations

import configparser
import itertools
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from support.documents import ROOT, Document, all_documents, document, slug

import updater
from updater.check import CODES
from updater.cli import cli
from updater.model import OutcomeKind
from updater.policy import parse_rules, rules_schema
from updater.settings import TABLE

DOCUMENTS = all_documents()
README, README_KO = document("README.md"), document("README.ko.md")


def named_rows(doc: Document) -> dict[str, list[str]]:
    """The table rows whose first cell is one name in backticks."""
    return {row[0].strip("`"): row for row in doc.table_rows if re.fullmatch(r"`[^`]+`", row[0])}


# Settings


def test_every_setting_has_a_row_with_its_default() -> None:
    rows = named_rows(document("docs/settings.md"))
    for setting in TABLE:
        assert setting.variable in rows, f"docs/settings.md has no row for {setting.variable}"
        if setting.default:
            assert f"`{setting.default}`" in " ".join(rows[setting.variable])


@pytest.mark.parametrize("doc", DOCUMENTS, ids=lambda doc: doc.path)
def test_no_document_names_a_setting_that_does_not_exist(doc: Document) -> None:
    known = {row.variable for row in TABLE} | {f"{row.variable}_FILE" for row in TABLE}
    assert set(re.findall(r"\bUPDATER_[A-Z][A-Z_]*[A-Z]\b", doc.text)) <= known


# Rules


def schema_words(schema: Any) -> Iterator[str]:
    """Every key and every fixed word of the rules, wherever it stands in the schema."""
    if isinstance(schema, Mapping):
        yield from schema.get("properties", {})
        yield from (word for word in schema.get("enum", []) if isinstance(word, str))
        yield from [schema["const"]] if isinstance(schema.get("const"), str) else []
        for part in schema.values():
            yield from schema_words(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from schema_words(part)


def test_every_key_and_word_of_the_rules_is_documented() -> None:
    words = set(schema_words(rules_schema()))
    assert {"files", "tags", "numeric", "commit"} <= words
    spans = document("docs/rules.md").code_spans
    said = {part for span in spans for part in re.split(r"[.\[\]: ]+", span)}
    assert words - said == set()


@pytest.mark.parametrize("doc", [README, README_KO, document("docs/rules.md")], ids=lambda doc: doc.path)
def test_the_rules_shown_in_a_document_are_valid(doc: Document) -> None:
    shown = [code for kind, code in doc.code_blocks if kind == "yaml" and "environments:\n" in code]
    assert shown
    for code in shown:
        assert parse_rules(code.encode()).environments


# Outcomes


@pytest.mark.parametrize("doc", [README, README_KO, document("docs/api.md")], ids=lambda doc: doc.path)
def test_every_outcome_is_explained(doc: Document) -> None:
    assert {kind.value for kind in OutcomeKind} <= set(named_rows(doc))


def test_every_reason_code_is_documented() -> None:
    codes = re.findall(r"^\[([a-z-]+)\]$", (ROOT / "templates/reasons.txt").read_text(), re.MULTILINE)
    assert codes
    assert set(codes) - document("docs/api.md").code_spans == set()


# The checks


def test_every_check_is_documented_and_told() -> None:
    told = re.findall(r"^\[([EW][0-9]+)\]$", (ROOT / "templates/check.txt").read_text(), re.MULTILINE)
    rows = {name for name in named_rows(document("docs/check.md")) if re.fullmatch(r"[EW][0-9]+", name)}
    assert sorted(told) == sorted(CODES)
    assert rows == CODES


# The command line


def commands(group: click.Group = cli, above: str = "") -> dict[str, click.Command]:
    """Every command by its words, those of groups among them: `proposals`, `proposals list`."""
    context = click.Context(group)
    found: dict[str, click.Command] = {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found[above + name] = command
        if isinstance(command, click.Group):
            found.update(commands(command, f"{above}{name} "))
    return found


def sections() -> dict[str, str]:
    """The titles of the command line's page by command: `set` of `updater set FILE PATH VALUE`."""
    titles = [title for level, title in document("docs/cli.md").headings if level == 2]
    words = {title: title.strip("`").split() for title in titles}
    return {
        " ".join(itertools.takewhile(str.islower, found[1:])): title
        for title, found in words.items()
        if found[0] == "updater"
    }


def test_every_command_has_its_section_and_every_section_its_command() -> None:
    assert set(sections()) == set(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_flag_of_a_command_is_documented_and_exists(name: str) -> None:
    options = {
        flag
        for parameter in commands()[name].params
        if isinstance(parameter, click.Option)
        for flag in parameter.opts
        if flag.startswith("-")
    }
    rows = named_rows(document("docs/cli.md").section(sections()[name]))
    assert {cell for cell in rows if cell.startswith("-")} == options - {"--help", "-h"}


def test_every_argument_of_a_command_stands_in_its_heading() -> None:
    for name, command in commands().items():
        for parameter in command.params:
            if isinstance(parameter, click.Argument):
                assert parameter.make_metavar(click.Context(command)).strip("[]") in sections()[name]


@pytest.mark.parametrize("doc", DOCUMENTS, ids=lambda doc: doc.path)
def test_commands_shown_in_a_document_exist(doc: Document) -> None:
    shown = re.findall(r"`updater ([a-z]+)", doc.prose)
    blocks = "\n".join(code for kind, code in doc.code_blocks if kind == "sh")
    shown += re.findall(r"^\s*updater ([a-z]+)", blocks, re.MULTILINE)
    assert set(shown) <= set(commands())


# Two READMEs


def in_no_language(doc: Document) -> list[tuple[str, str]]:
    """The code blocks without what is told to people: comments, and the labels of a diagram."""
    told = {
        "mermaid": r"(?<=-->\|)[^|]+|(?<=[\[({])[^\[\](){}]+(?=[\])}])",
        "sh": r" *(?<!\S)#.*",
        "yaml": r" *(?<!\S)#.*",
    }
    return [(kind, re.sub(told[kind], "", code)) for kind, code in doc.code_blocks]


def test_both_readmes_have_the_same_shape() -> None:
    assert [level for level, _ in README.headings] == [level for level, _ in README_KO.headings]
    assert in_no_language(README) == in_no_language(README_KO)
    assert [len(row) for row in README.table_rows] == [len(row) for row in README_KO.table_rows]
    assert named_rows(README).keys() == named_rows(README_KO).keys()


def test_the_readme_and_the_page_on_rollouts_have_one_table() -> None:
    tables = [
        [line for line in doc.text.splitlines() if line.startswith("|") and line.count("|") == 7]
        for doc in (README, document("docs/rollout.md"), README_KO)
    ]
    assert len(tables[0]) == 8
    assert [re.sub(r"\]\([^)]*\)", "]", line) for line in tables[0]] == [
        re.sub(r"\]\([^)]*\)", "]", line) for line in tables[1]
    ]
    assert len(tables[2]) == len(tables[0])


def test_both_readmes_link_the_same_pages() -> None:
    def others(doc: Document) -> list[str]:
        return [link for link in doc.links if not link.startswith("README")]

    assert others(README) == others(README_KO)
    assert "README.ko.md" in README.links
    assert "README.md" in README_KO.links


# Links, commands, version


@pytest.mark.parametrize("doc", DOCUMENTS, ids=lambda doc: doc.path)
def test_relative_links_lead_somewhere(doc: Document) -> None:
    here = ROOT / Path(doc.path).parent
    for link in doc.links:
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = here / name if name else ROOT / doc.path
        assert target.exists(), f"{doc.path} links {link}, which is not there"
        if anchor:
            titles = document(str(target.resolve().relative_to(ROOT))).headings
            assert anchor in {slug(title) for _, title in titles}, f"{doc.path} links {link}: no such heading"


@pytest.mark.parametrize("doc", DOCUMENTS, ids=lambda doc: doc.path)
def test_scripts_named_in_a_document_exist_and_can_be_run(doc: Document) -> None:
    for name in set(re.findall(r"(?<![\w/.-])scripts/[a-z_]+(?:\.[a-z]+)?", doc.text)):
        assert (ROOT / name).is_file(), f"{doc.path} names {name}, which is not there"
        assert name.endswith((".py", ".sh")) or os.access(ROOT / name, os.X_OK), f"{name} cannot be run"


def test_there_is_one_version() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    newest = re.search(r"^## \[(.+?)\]", document("CHANGELOG.md").text, re.MULTILINE)
    assert newest is not None
    assert newest[1] == setup["metadata"]["version"] == updater.__version__
