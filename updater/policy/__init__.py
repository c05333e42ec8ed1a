"""Says which environments there are, which images may go there, and which of two tags is newer.

This package hides the rules file: its YAML, its form, its messages, and how tags are ordered. `plan`
asks it about every request, `cli` writes a first rules file with it. It never reads a file or a
branch itself: bytes come in, values go out.
"""

from updater.policy.rules import DEFAULT_RULES, RULES_PATH, Environment, Rules, parse_rules
from updater.policy.schema import rules_schema
from updater.policy.suggest import suggest_rules
from updater.policy.tags import Tags

__all__ = [
    "DEFAULT_RULES",
    "RULES_PATH",
    "Environment",
    "Rules",
    "Tags",
    "parse_rules",
    "rules_schema",
    "suggest_rules",
]
