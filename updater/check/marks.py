"""Marks of a merge conflict that was committed, in any YAML file (E15).

It hides what such marks look like. Called by `inspection` for all files but templates, which `templates`
looks at with all else that Helm cannot parse in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from updater.check.findings import Finding
from updater.check.ground import Ground
from updater.policy import HOLDS_PATH, RULES_PATH

CONFLICT = re.compile(r"^(?:<{7}|>{7}|\|{7})(?: |$)", re.MULTILINE)
_MARK = b"<<<<<<<"


def of_repo(ground: Ground) -> Iterator[Finding]:
    """Yield the first mark of each file."""
    own = [path for path in (RULES_PATH, HOLDS_PATH) if path in ground.files.paths]
    for path in (*own, *ground.visible):
        if not path.endswith((".yaml", ".yml")) or ground.is_template(path):
            continue
        data = ground.files.read(path)
        text = data.decode("utf-8", "replace") if _MARK in data else ""
        found = CONFLICT.search(text)
        if found:
            line = text.count("\n", 0, found.start()) + 1
            yield Finding(code="E15", file=path, line=line, facts={"fault": "conflict", "whole": True})
