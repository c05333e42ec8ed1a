"""Short sentences for worlds in which people act: what is built, what lands, what stands."""

from __future__ import annotations

from typing import Any

from support.world import World

from updater.model import Caller, OutcomeKind

COMMITTED, PROPOSED, HELD = OutcomeKind.COMMITTED, OutcomeKind.PROPOSED, OutcomeKind.HELD
SUPERSEDED, UNCHANGED, REFUSED = OutcomeKind.SUPERSEDED, OutcomeKind.UNCHANGED, OutcomeKind.REFUSED
KIM = Caller(name="kim", acts=("approve", "roll-back"))
DEV = "charts/iris/values-dev.yaml"
PROD = "charts/iris/values-prod.yaml"
HOLDS = ".updater/holds.yaml"
FREEZE = "    freeze: {from: '2026-11-22 11:00', until: '2026-11-22 23:00', reason: holidays}\n"


def builds(world: World, image: str, **more: Any) -> str:
    asked = world.ci_builds(image, **more)
    world.settle_all()
    return asked


def kind(world: World, asked: str) -> OutcomeKind:
    return world.outcome(asked).kind


def lands(world: World, *tags: str, image: str = "iris") -> None:
    for tag in tags:
        asked = builds(world, f"{image}:{tag}")
        world.worker.desk.approve(f"prod/{image}", caller=KIM, head=None)
        assert kind(world, asked) is COMMITTED


def tag_in(world: World, path: str, branch: str = "main") -> str:
    return world.file(path, branch).split("tag:")[1].split()[0]
