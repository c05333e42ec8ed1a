"""Says which environments there are, which images may go there and how, and which of two tags is newer.

This package hides the rules file: its YAML, its form, its messages, and how tags are ordered. `plan`
asks it about every request, `cli` writes a first rules file with it. It never reads a file or a
branch itself: bytes come in, values go out.
"""

from updater.policy.calendar import Pause, pause_at
from updater.policy.holds import (
    HOLDS_PATH,
    changed_holds,
    check_places,
    is_for,
    is_lifted,
    keeps_out,
    new_hold,
    newest,
    order_of,
    parse_holds,
)
from updater.policy.layout import environments_in, manifest_candidates, share_out
from updater.policy.rules import RULES_PATH, parse_rules
from updater.policy.ruletext import Proposed, rules_text
from updater.policy.schema import rules_schema
from updater.policy.suggest import suggest_rules
from updater.policy.tags import Tags
from updater.policy.values import (
    DEFAULT_RULES,
    ChartRules,
    Environment,
    MergeRequestRules,
    Period,
    RollbackRules,
    Rules,
)

__all__ = [
    "DEFAULT_RULES",
    "HOLDS_PATH",
    "RULES_PATH",
    "ChartRules",
    "Environment",
    "MergeRequestRules",
    "Pause",
    "Period",
    "Proposed",
    "RollbackRules",
    "Rules",
    "Tags",
    "changed_holds",
    "check_places",
    "environments_in",
    "is_for",
    "is_lifted",
    "keeps_out",
    "manifest_candidates",
    "new_hold",
    "newest",
    "order_of",
    "parse_holds",
    "parse_rules",
    "pause_at",
    "rules_schema",
    "rules_text",
    "share_out",
    "suggest_rules",
]
