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
            "superseded_by": "",
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
