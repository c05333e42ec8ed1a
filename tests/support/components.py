"""The CI components of `templates/`, as tests use them: their text, their inputs, pipelines with them.

Hides where a component lies and how a pipeline names it. Tests copy it into the repo that includes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from support.documents import ROOT

COMPONENTS = tuple(sorted(path.parent.name for path in (ROOT / "templates").glob("*/template.yml")))


def place(name: str) -> str:
    """Return where a component lies, from the root of the repo that offers it."""
    return f"templates/{name}/template.yml"


def component_files(*names: str) -> dict[str, str | bytes]:
    """Return the files of components, for a repo that includes them."""
    return {place(name): (ROOT / place(name)).read_bytes() for name in names}


def header(name: str) -> dict[str, Any]:
    """Return the inputs of a component by name."""
    head, _ = yaml.safe_load_all((ROOT / place(name)).read_text(encoding="utf-8"))
    inputs: dict[str, Any] = head["spec"]["inputs"]
    return inputs


def including(name: str, inputs: Mapping[str, object]) -> str:
    """Return a pipeline that includes a component as a plain file."""
    return json.dumps({"include": [{"local": place(name), "inputs": dict(inputs)}]})


def as_component(name: str, inputs: Mapping[str, object]) -> str:
    """Return a pipeline that includes a component of its own project by the component's address."""
    address = f"$CI_SERVER_FQDN/$CI_PROJECT_PATH/{name}@$CI_COMMIT_SHA"
    return json.dumps({"include": [{"component": address, "inputs": dict(inputs)}]})


def write_tool(folder: Path, name: str, script: str) -> None:
    """Put a program of the outside on a PATH: a shell script by that name."""
    folder.mkdir(parents=True, exist_ok=True)
    tool = folder / name
    tool.write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
    tool.chmod(0o755)
