"""Examples of bodies and answers for the OpenAPI document; a test holds them against the schemas."""

from __future__ import annotations

from typing import Any

EXAMPLE_ID = "01kas9xw5v3t7k1q8m2n4p6r0z"
_EXAMPLE_IMAGE = "registry.example.com/iris:develop-52666"
_EXAMPLE_COMMIT = "1f0b7c2a9d3e4f5061728394a5b6c7d8e9f0a1b2"

UPDATES: dict[str, Any] = {
    "original": {
        "summary": "What the original pipeline sends",
        "value": {"image": _EXAMPLE_IMAGE},
    },
    "whole": {
        "summary": "With everything",
        "value": {
            "image": _EXAMPLE_IMAGE,
            "digest": f"sha256:{'0123456789abcdef' * 4}",
            "environment": "dev",
            "source": {
                "project": "shop/iris",
                "commit": "5d41402abc4b2a76b9719d911017c592e2b5f0a1",
                "ref": "develop",
                "pipeline_id": 52666,
                "pipeline_url": "https://gitlab.example.com/shop/iris/-/pipelines/52666",
                "author": "kim",
            },
        },
    },
}
PROMOTIONS: dict[str, Any] = {
    "chart": {
        "summary": "One chart; only tell what would happen",
        "value": {"from": "dev", "to": "prod", "charts": ["iris"], "dry_run": True},
    },
    "all": {
        "summary": "All charts, also where that goes back",
        "value": {"from": "dev", "to": "prod", "all": True, "allow_older": True, "reason": "Release 12"},
    },
}
APPROVALS: dict[str, Any] = {"pinned": {"summary": "What was looked at", "value": {"head": _EXAMPLE_COMMIT}}}
CLOSINGS: dict[str, Any] = {"closed": {"summary": "Why", "value": {"reason": "Waits for the tax rules."}}}
PENDING: dict[str, Any] = {
    "id": EXAMPLE_ID,
    "url": f"https://updater.example.com/api/updates/{EXAMPLE_ID}",
    "state": "pending",
    "outcome": None,
    "reason": "",
    "commit": "",
    "link": "",
    "image": _EXAMPLE_IMAGE,
    "digest": None,
    "environment": None,
    "caller": "iris-pipeline",
    "source": {
        "project": "",
        "commit": "",
        "ref": "",
        "pipeline_id": "",
        "pipeline_url": "",
        "author": "",
    },
    "promotion": None,
    "received_at": "2026-03-02T09:30:00.120Z",
    "settled_at": None,
    "attempts": 0,
    "retry_at": None,
    "problems": [],
    "environments": [],
}
SETTLED: dict[str, Any] = PENDING | {
    "state": "settled",
    "outcome": "committed",
    "reason": "develop-52666 is on the branch main.",
    "commit": _EXAMPLE_COMMIT,
    "link": f"https://gitlab.example.com/ops/config/-/commit/{_EXAMPLE_COMMIT}",
    "settled_at": "2026-03-02T09:30:00.480Z",
    "attempts": 1,
    "environments": [
        {
            "environment": "dev",
            "outcome": "committed",
            "code": "committed",
            "reason": "develop-52666 is on the branch main.",
            "commit": _EXAMPLE_COMMIT,
            "link": f"https://gitlab.example.com/ops/config/-/commit/{_EXAMPLE_COMMIT}",
            "image": "",
            "chart": "",
            "superseded_by": "",
            "proposals": [],
            "places": [
                {
                    "chart": "iris",
                    "file": "charts/iris/values-dev.yaml",
                    "line": 3,
                    "path": "image.tag",
                    "old": "develop-52665",
                    "new": "develop-52666",
                }
            ],
            "notes": [],
        }
    ],
}
_BRANCH = "updater/prod/iris"
_MERGE_REQUEST = "https://gitlab.example.com/ops/config/-/merge_requests/7"
_WAITS = "develop-52666 waits for somebody to merge !7."
PENDING_PROMOTION: dict[str, Any] = PENDING | {
    "image": "",
    "environment": "prod",
    "caller": "release-team",
    "promotion": {"from": "dev", "to": "prod", "charts": ["iris"], "allow_older": False, "reason": ""},
}
SETTLED_PROMOTION: dict[str, Any] = PENDING_PROMOTION | {
    "state": "settled",
    "outcome": "proposed",
    "reason": _WAITS,
    "link": _MERGE_REQUEST,
    "settled_at": "2026-03-02T09:30:00.480Z",
    "attempts": 1,
    "environments": [
        SETTLED["environments"][0]
        | {
            "environment": "prod",
            "outcome": "proposed",
            "code": "proposed",
            "reason": _WAITS,
            "commit": "",
            "link": _MERGE_REQUEST,
            "image": _EXAMPLE_IMAGE,
            "chart": "iris",
            "proposals": [{"branch": _BRANCH, "number": 7, "link": _MERGE_REQUEST}],
        }
    ],
}
PROPOSAL: dict[str, Any] = {
    "name": "prod/iris",
    "environment": "prod",
    "branch": _BRANCH,
    "target": "main",
    "head": _EXAMPLE_COMMIT,
    "title": "prod: iris develop-52666",
    "number": 7,
    "link": _MERGE_REQUEST,
    "images": [
        {
            "image": _EXAMPLE_IMAGE,
            "previous": ["develop-52640"],
            "charts": ["iris"],
            "replaced": ["develop-52665"],
            "requests": [EXAMPLE_ID],
            "requested_by": "release-team",
            "promoted_from": "dev",
            "reason": "Tested on Tuesday",
            "source": "",
            "pipeline": "",
        }
    ],
    "waits": "It waits for somebody to merge it.",
    "held_by": "",
    "diff": "--- a/charts/iris/values-prod.yaml\n+++ b/charts/iris/values-prod.yaml\n"
    "@@ -1,2 +1,2 @@\n image:\n-  tag: develop-52640\n+  tag: develop-52666\n",
}
APPROVED: dict[str, Any] = {
    "name": "prod/iris",
    "environment": "prod",
    "outcome": "committed",
    "code": "committed",
    "reason": "release-team approved it: develop-52666 is on the branch main.",
    "commit": _EXAMPLE_COMMIT,
    "link": f"https://gitlab.example.com/ops/config/-/commit/{_EXAMPLE_COMMIT}",
}
CLOSED: dict[str, Any] = APPROVED | {
    "outcome": "refused",
    "code": "closed",
    "reason": "release-team closed it: Waits for the tax rules.",
    "commit": "",
    "link": _MERGE_REQUEST,
}
