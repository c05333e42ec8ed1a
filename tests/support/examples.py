"""The example config repos as tests look at them: charts, environments' files, what Helm makes of them.

It hides where charts lie in each layout and how Helm is called. It only reads.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml
from support.documents import ROOT

EXAMPLES = ROOT / "config-repo-example"
OVERLAYS = EXAMPLES / "overlays"
CATALOG = EXAMPLES / "catalog"


def charts(example: Path) -> list[Path]:
    """The folder of each chart below `example`, sorted by its path."""
    return sorted(path.parent for path in example.rglob("Chart.yaml"))


def overlays(chart: Path) -> list[Path]:
    """The environments' files beside a chart's values."""
    return sorted(chart.glob("values-*.yaml"))


def read(path: Path) -> Any:
    """One YAML document as plain values."""
    return yaml.load(path.read_bytes(), yaml.CSafeLoader)


def leaves(value: Any, above: str = "") -> dict[str, Any]:
    """Every scalar and list of nested mappings, by its dotted path."""
    if not isinstance(value, dict) or not value:
        return {above: value}
    found: dict[str, Any] = {}
    for key, below in value.items():
        found |= leaves(below, f"{above}.{key}" if above else str(key))
    return found


def run(helm: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Helm; the caller looks at how it ended."""
    return subprocess.run([helm, *words], capture_output=True, text=True, check=False)


def render(helm: Path, chart: Path, *words: str | Path) -> dict[str, Any]:
    """What a release called like the chart consists of, by kind; no kind comes twice."""
    done = run(helm, "template", read(chart / "Chart.yaml")["name"], chart, *words)
    assert done.returncode == 0, done.stderr
    objects = [one for one in yaml.safe_load_all(done.stdout) if one]
    found = {one["kind"]: one for one in objects}
    assert len(found) == len(objects)
    return found


def container(objects: dict[str, Any]) -> Any:
    """The one container of the Deployment."""
    [found] = objects["Deployment"]["spec"]["template"]["spec"]["containers"]
    return found
