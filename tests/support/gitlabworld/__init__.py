"""A double of GitLab for tests and benchmarks: a real HTTP server whose state is a real bare repo.

Hides what GitLab does between a push and a merge: heads that lag, checks that take time, two orders
of checks, approvals, protected branches, pipelines, webhooks, limits. Knows nothing of the updater.
What it answers is held to GitLab's own API description where that is at hand (`spec`).
"""

from support.gitlabworld.core import BOT_TOKEN
from support.gitlabworld.door import Call
from support.gitlabworld.hooks import Delivery
from support.gitlabworld.state import Deployment, MergeRequest, Note, Person, Pipeline, Project
from support.gitlabworld.world import GitLabWorld

__all__ = [
    "BOT_TOKEN",
    "Call",
    "Delivery",
    "Deployment",
    "GitLabWorld",
    "MergeRequest",
    "Note",
    "Person",
    "Pipeline",
    "Project",
]
