"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings
from support.gitlabworld import spec

# Speed is measured in benchmarks/; a busy machine must not turn a slow example into a failure.
settings.register_profile("updater", deadline=None)
settings.load_profile("updater")


def pytest_report_header() -> str:
    """Say whether the double of GitLab is held against GitLab's own description of its API."""
    return spec.told()
