"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# Speed is measured in benchmarks/; a busy machine must not turn a slow example into a failure.
settings.register_profile("updater", deadline=None)
settings.load_profile("updater")
