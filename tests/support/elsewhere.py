"""What `updater.elsewhere` makes of a repo held in memory, as text, as rules and as notes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from support.files import DictFiles

from updater.charts import Survey
from updater.elsewhere import CarriedOver, carry_over
from updater.policy import Environment, parse_rules

IRIS, LILY = "registry.example.com/iris", "registry.example.com/lily"
CHART = {"charts/iris/Chart.yaml": "name: iris\n"}


def carried(files: Mapping[str, str]) -> CarriedOver:
    local = DictFiles(files)
    found = carry_over(local, Survey(local))
    assert found is not None
    return found


def environments(files: Mapping[str, str]) -> dict[str, Environment]:
    found = carried(files)
    active = parse_rules(found.text.encode()).environments if found.environments else ()
    assert [one.name for one in active] == list(found.environments)
    return {one.name: one for one in active}


def commented_out(files: Mapping[str, str]) -> dict[str, Environment]:
    """Return what is commented out, as it counts where each first `#` is taken away."""
    found = carried(files)
    text = re.sub(r"^( +)#(?! \S)|^#(?=images:)", r"\1", found.text, flags=re.MULTILINE)
    every = {one.name: one for one in parse_rules(text.encode()).environments}
    assert set(every) == {*found.environments, *found.commented_out}
    return {name: every[name] for name in found.commented_out}


def only(files: Mapping[str, str]) -> Environment:
    [one] = environments(files).values()
    return one


def notes(files: Mapping[str, str]) -> str:
    found = carried(files)
    written = " ".join(line.removeprefix("#").strip() for line in found.text.splitlines() if line[:1] == "#")
    for note in found.notes:
        assert note in written
    return "\n".join(found.notes)
