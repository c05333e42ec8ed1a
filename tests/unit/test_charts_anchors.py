"""Anchors, aliases and merge keys in every combination, judged by another YAML reader.

Whatever is written, no other image may change, and the image itself must carry the new tag everywhere.
"""

from __future__ import annotations

from random import Random
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.files import DictFiles

from updater.charts import Survey
from updater.errors import EditRefused
from updater.model import Scope

REPOSITORIES = ("registry.example.com/iris", "registry.example.com/rose")
FILE = "garden/values.yaml"


class Garden:
    """Writes a values file of mappings that share tags, digests and repositories through anchors."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.mappings: list[str] = []
        self.scalars: list[str] = []
        self.lines: list[str] = []
        for number in range(random.randint(1, 5)):
            self.add(number)

    def happens(self, percent: int) -> bool:
        return self.random.randint(1, 100) <= percent

    def add(self, number: int) -> None:
        if self.mappings and self.happens(25):
            self.lines.append(f"k{number}: *{self.random.choice(self.mappings)}")
            return
        anchored = self.happens(50)
        self.lines.append(f"k{number}:{f' &m{number}' if anchored else ''}")
        self.lines.append(f"  x: {number}")
        if self.mappings and self.happens(60):
            names = [f"*{self.random.choice(self.mappings)}" for _ in range(self.random.randint(1, 2))]
            self.lines.append(f"  <<: {names[0]}" if len(names) == 1 else f"  <<: [{', '.join(names)}]")
        if self.happens(60):
            self.lines.append(f"  repository: {self.random.choice(REPOSITORIES)}")
        if self.happens(50):
            self.add_tag(number)
        if self.happens(30):
            digest = f"sha256:{self.random.choice('ab') * 64}" if self.happens(60) else '""'
            self.lines.append(f"  digest: {digest}")
        if self.happens(30):
            self.lines += ["  sub:", f"    image: {self.random.choice(REPOSITORIES)}:t{number}"]
        if anchored:
            self.mappings.append(f"m{number}")

    def add_tag(self, number: int) -> None:
        if self.scalars and self.happens(40):
            self.lines.append(f"  tag: *{self.random.choice(self.scalars)}")
            return
        anchored = self.happens(40)
        self.lines.append(f"  tag: {f'&s{number} ' if anchored else ''}t{self.random.randint(1, 3)}")
        if anchored:
            self.scalars.append(f"s{number}")


Place = tuple[str, str | None, str | None]


def images(tree: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Place]:
    """Return repository, tag and digest of every image as a chart would see it."""
    found: dict[tuple[str, ...], Place] = {}
    if isinstance(tree, dict):
        if "repository" in tree:
            found[path] = (tree["repository"], tree.get("tag"), tree.get("digest") or None)
        if "image" in tree:
            name, _, tag = tree["image"].partition(":")
            found[*path, "image"] = (name, tag, None)
        for key, value in tree.items():
            found |= images(value, (*path, key))
    return found


@settings(deadline=None, max_examples=150)
@given(st.randoms(use_true_random=False), st.sampled_from(REPOSITORIES))
def test_no_anchor_carries_a_tag_to_another_image(random: Random, repository: str) -> None:
    values = "\n".join(Garden(random).lines) + "\n"
    before = images(yaml.safe_load(values))
    survey = Survey(DictFiles({"garden/Chart.yaml": "", FILE: values}))
    targets = survey.targets(Scope(), repository)
    assert bool(targets) == any(place[0] == repository for place in before.values())
    try:
        after = survey.write(FILE, [(target, "new", "") for target in targets])
    except EditRefused:
        return  # unsafe, so nothing is written at all
    for path, place in images(yaml.safe_load(after)).items():
        old = before[path]
        # A mapping that only lends its repository to others has no tag before and after.
        lends = old == place == (repository, None, None)
        assert place == (old if place[0] != repository or lends else (repository, "new", None))
