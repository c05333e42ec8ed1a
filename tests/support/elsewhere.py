"""What `updater.elsewhere` makes of a repo held in memory, as text, as rules and as notes."""

from __future__ import annotations

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
    return {one.name: one for one in parse_rules(carried(files).text.encode()).environments}


def only(files: Mapping[str, str]) -> Environment:
    [one] = environments(files).values()
    return one


def notes(files: Mapping[str, str]) -> str:
    found = carried(files)
    written = " ".join(line.removeprefix("#").strip() for line in found.text.splitlines() if line[:1] == "#")
    for note in found.notes:
        assert note in written
    return "\n".join(found.notes)
