"""How all that is known is told to machines: one JSON form, one HTTP status and one exit code for each.

`web` answers with it and `cli` prints it with `--json`, so that the two cannot differ. It does no I/O and
knows no URL: whoever answers adds the link to a request.
"""

from updater.answers.accounts import deployment_json, figures_json, hold_json, status_json, why_json
from updater.answers.records import (
    EXIT_CODE,
    HTTP_STATUS,
    PENDING_EXIT_CODE,
    PENDING_HTTP_STATUS,
    exit_code,
    http_status,
    proposal_json,
    record_json,
)

__all__ = [
    "EXIT_CODE",
    "HTTP_STATUS",
    "PENDING_EXIT_CODE",
    "PENDING_HTTP_STATUS",
    "deployment_json",
    "exit_code",
    "figures_json",
    "hold_json",
    "http_status",
    "proposal_json",
    "record_json",
    "status_json",
    "why_json",
]
