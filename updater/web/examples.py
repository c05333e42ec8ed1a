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
                "committed_at": "2026-03-02T18:20:00+09:00",
            },
        },
    },
    "override": {
        "summary": "Although the environment is frozen",
        "value": {"image": _EXAMPLE_IMAGE, "override": {"reason": "Mends the login"}},
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
ROLLBACKS: dict[str, Any] = {
    "last": {
        "summary": "The last deployment of a chart; only tell what would happen",
        "value": {"environment": "prod", "chart": "iris", "dry_run": True},
    },
    "tag": {
        "summary": "Back to a tag, although the environment is frozen",
        "value": {
            "environment": "prod",
            "chart": "iris",
            "to": "develop-52640",
            "alone": True,
            "override": True,
            "reason": "Login fails",
        },
    },
    "commit": {
        "summary": "All that one commit deployed",
        "value": {"environment": "prod", "commit": _EXAMPLE_COMMIT[:10], "reason": "Login fails"},
    },
}
HOLDS: dict[str, Any] = {
    "build": {
        "summary": "One build and older ones",
        "value": {
            "environment": "prod",
            "chart": "iris",
            "image": "registry.example.com/iris",
            "build": "develop-52666",
            "reason": "Login fails",
        },
    },
    "chart": {"summary": "All of a chart", "value": {"environment": "prod", "chart": "iris"}},
}
RELEASES: dict[str, Any] = {
    "chart": {
        "summary": "All that is held of a chart",
        "value": {"environment": "prod", "chart": "iris", "reason": "Login works again"},
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
        "committed_at": "",
    },
    "promotion": None,
    "rollback": None,
    "hold": None,
    "override": None,
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


def _settled(code: str, reason: str, *, places: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a commit in `prod` changes in the answer about a request."""
    told = {"environment": "prod", "code": code, "reason": reason, "chart": "iris", "places": places}
    return {
        **{name: SETTLED[name] for name in ("state", "outcome", "commit", "link", "settled_at", "attempts")},
        "reason": reason,
        "environments": [SETTLED["environments"][0] | told],
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
PENDING_ROLLBACK: dict[str, Any] = PENDING | {
    "image": "",
    "environment": "prod",
    "caller": "release-team",
    "rollback": {
        "chart": "iris",
        "to": "develop-52640",
        "commit": "",
        "alone": True,
        "reason": "Login fails",
    },
    "override": {"reason": "Login fails"},
}
SETTLED_ROLLBACK: dict[str, Any] = PENDING_ROLLBACK | _settled(
    "rolled-back",
    "iris goes back in prod: registry.example.com/iris from develop-52666 to develop-52640.",
    places=[
        {
            "chart": "iris",
            "file": "charts/iris/values-prod.yaml",
            "line": 2,
            "path": "image.tag",
            "old": "develop-52666",
            "new": "develop-52640",
        }
    ],
)
PENDING_HOLD: dict[str, Any] = PENDING_ROLLBACK | {
    "rollback": None,
    "hold": {
        "chart": "iris",
        "image": "registry.example.com/iris",
        "build": "develop-52666",
        "release": False,
        "reason": "Login fails",
    },
    "override": None,
}
SETTLED_HOLD: dict[str, Any] = PENDING_HOLD | _settled(
    "hold-set", "iris in prod is held from now on: develop-52666 and older builds.", places=[]
)
PENDING_RELEASE: dict[str, Any] = PENDING_HOLD | {
    "hold": {"chart": "iris", "image": "", "build": "", "release": True, "reason": "Login works again"},
}
SETTLED_RELEASE: dict[str, Any] = PENDING_RELEASE | _settled(
    "released", "iris in prod is released: develop-52666 and older builds.", places=[]
)
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
DEPLOYMENT: dict[str, Any] = {
    "environment": "prod",
    "image": "registry.example.com/iris",
    "tag": "develop-52666",
    "digest": None,
    "charts": [{"chart": "iris", "previous": "develop-52640"}],
    "version": "",
    "kind": "promotion",
    "by": "release-team",
    "at": "2026-03-02T09:31:00.000Z",
    "commit": _EXAMPLE_COMMIT,
    "subject": "prod: iris develop-52666",
    "requests": [EXAMPLE_ID],
    "merge_request": "!7",
    "source": "https://gitlab.example.com/shop/iris/-/commit/5d41402abc4b2a76b9719d911017c592e2b5f0a1",
    "source_time": "2026-03-02T09:20:00.000Z",
    "pipeline": "https://gitlab.example.com/shop/iris/-/pipelines/52666",
    "promoted_from": "dev",
    "reason": "Release 12",
    "override": False,
    "reverts": [],
    "reverted_by": "",
    "reverted_charts": [],
}
FIGURES: dict[str, Any] = {
    "environment": "prod",
    "chart": "iris",
    "deployments": 18,
    "per_week": 1.4,
    "lead_time": 5400,
    "lead_times": 16,
    "fail_rate": 0.0556,
    "restore_time": 900,
}
HOLD: dict[str, Any] = {
    "environment": "prod",
    "chart": "iris",
    "image": "registry.example.com/iris",
    "build": "develop-52666",
    "until": "newer",
    "by": "release-team",
    "at": "2026-03-02T10:00:00.000Z",
    "reason": "Login fails",
    "commit": "",
}
STANDING: dict[str, Any] = {
    "environment": "prod",
    "chart": "iris",
    "repository": "registry.example.com/iris",
    "tag": "develop-52640",
    "digest": None,
    "file": "charts/iris/values-prod.yaml",
    "line": 2,
    "path": "image.tag",
    "since": "2026-03-02T10:00:00.000Z",
    "by": "release-team",
    "commit": _EXAMPLE_COMMIT,
    "kind": "rollback",
    "origin": "dev",
    "origin_tag": "develop-52670",
    "holds": [HOLD],
    "pause": "",
    "waiting": [{"tag": "develop-52670", "name": "prod/iris", "link": _MERGE_REQUEST}],
}
WHY: dict[str, Any] = {
    "environment": "prod",
    "image": _EXAMPLE_IMAGE,
    "stands": False,
    "text": "develop-52666 does not stand in prod: develop-52640 does. release-team holds it (Login fails).",
    "outcome": "held",
    "code": "held-by-hold",
    "reason": "develop-52666 is held for iris in prod: release-team keeps develop-52666 and older builds out "
    "(Login fails).",
    "places": SETTLED_ROLLBACK["environments"][0]["places"],
    "deployment": DEPLOYMENT,
    "standing": [DEPLOYMENT | {"tag": "develop-52640", "kind": "rollback", "promoted_from": ""}],
    "waiting": [],
    "requests": [
        {
            "id": EXAMPLE_ID,
            "received_at": "2026-03-02T09:30:00.120Z",
            "outcome": "committed",
            "reason": "develop-52666 is on the branch main.",
        }
    ],
}
