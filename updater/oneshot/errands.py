"""What is asked for at the command line, and who asks.

Hides how an errand is told to the store, and to a plan that only looks. `acting` and `looking` take
them; nothing here does any work.
"""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass, field

from updater import wiring
from updater.model import ACTS, Caller, ImageReference, PromotionRequest, Source, UpdateRequest
from updater.store import PromotionWish, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a person or a job asks for at the command line: an image that was built shall go out."""

    image: ImageReference
    environment: str | None = None
    source: Source = field(default_factory=Source)

    def wish(self) -> Wish:
        """Return the errand as the store takes it."""
        return Wish(image=self.image, caller=caller(), environment=self.environment, source=self.source)

    def request(self) -> UpdateRequest:
        """Return the errand as a request that never was in a store."""
        return UpdateRequest(
            id="",
            image=self.image,
            environment=self.environment,
            source=self.source,
            caller=caller(),
            received_at=wiring.now(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A person's errand: what stands in `origin` shall go to `environment`; no charts means all."""

    origin: str
    environment: str
    charts: tuple[str, ...] = ()
    allow_older: bool = False
    reason: str = ""

    def wish(self) -> PromotionWish:
        """Return the errand as the store takes it."""
        return PromotionWish(
            origin=self.origin,
            environment=self.environment,
            caller=caller(),
            charts=self.charts,
            allow_older=self.allow_older,
            reason=self.reason,
        )

    def request(self) -> PromotionRequest:
        """Return the errand as a request that never was in a store."""
        return PromotionRequest(
            id="",
            origin=self.origin,
            environment=self.environment,
            caller=caller(),
            received_at=wiring.now(),
            charts=self.charts,
            allow_older=self.allow_older,
            reason=self.reason,
        )


def caller() -> Caller:
    """Return who asks: whoever may run the updater here may do all it can."""
    try:
        return Caller(name=getpass.getuser(), acts=ACTS)
    except (KeyError, OSError):  # a container's user need not have a name
        return Caller(name=f"uid-{os.getuid()}", acts=ACTS)
