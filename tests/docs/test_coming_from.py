"""The worked examples of docs/coming-from.md: of their files `updater init` makes the rules shown."""

from __future__ import annotations

import re

import pytest
from support.documents import document
from support.files import DictFiles

from updater.charts import Survey
from updater.elsewhere import carry_over
from updater.policy import RULES_PATH, parse_rules

PAGE = document("docs/coming-from.md")
TOOLS = ("Fleet's image scan", "Flux", "Argo CD Image Updater")

_NAMED_BLOCK = re.compile(r"`([^`\n]+)`:\n\n```yaml\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("tool", TOOLS)
def test_the_rules_shown_are_those_that_init_writes(tool: str) -> None:
    shown = dict(_NAMED_BLOCK.findall(PAGE.section(tool).text))
    rules = shown.pop(RULES_PATH)
    assert len(shown) >= 2
    files = DictFiles(shown)
    carried = carry_over(files, Survey(files))
    assert carried is not None
    written = "".join(
        f"{line}\n" for line in carried.text.splitlines() if line and not re.match(r" *#", line)
    )
    assert written.strip() == rules.strip()
    assert parse_rules(rules.encode())


def test_every_tool_has_its_table_and_says_how_it_is_stopped() -> None:
    for tool in TOOLS:
        section = PAGE.section(tool)
        assert section.table_rows[0] == ["what it had", "what the rules say", "what cannot be carried over"]
        assert "**Stop it**" in section.text
