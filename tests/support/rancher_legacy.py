"""What Rancher's legacy Catalogs (2.0 to 2.4, a legacy feature up to 2.10) make of a checkout.

A second, independent program for tests: it walks a plain folder as that Rancher does and tells everything
that would be lost on the way. `complaints` empty means that the whole catalog is listed as it stands in Git.
It knows nothing of the updater, reads with PyYAML and writes nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Version = tuple[int, int, int]

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LABEL_VALUE = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_QUESTIONS = frozenset({"questions.yml", "questions.yaml", "catalog.yml", "catalog.yaml"})
# The Go struct of a question: what it decodes into text, numbers and lists. Other keys are passed over.
_CHECKS = {"show_if", "show_subquestion_if", "satisfies", "valid_chars", "invalid_chars"}
_TEXTS = _CHECKS | {"variable", "label", "description", "type", "default", "group"}
_NUMBERS = {"min_length", "max_length", "min", "max"}
_COERCE = re.compile(r"(?:^|\D)(\d{1,16})(?:\.(\d{1,16}))?(?:\.(\d{1,16}))?(?:$|\D)")
_SAFE = 2**53 - 1


@dataclass
class Catalog:
    """What is listed: the digest of each version by chart; and what went wrong."""

    entries: dict[str, dict[str, str]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)


def sync(root: Path, name: str = "config") -> Catalog:
    """Return what a catalog called `name` lists of the checkout at `root`."""
    catalog = Catalog()
    if (root / "index.yaml").is_file():
        catalog.complaints.append("index.yaml: used instead of the charts")
        return catalog
    for folder, content in _walk(root, root, catalog):
        _add(catalog, root, folder, content)
    for chart in list(catalog.entries):
        if (said := _unfit(name, chart, catalog.entries[chart])) is not None:
            catalog.complaints.append(said)
            del catalog.entries[chart]
    return catalog


def _walk(root: Path, folder: Path, catalog: Catalog) -> Iterator[tuple[Path, Any]]:
    """Give each chart's folder in the order of Go's filepath.Walk; a broken Chart.yaml ends it for all."""
    for entry in sorted(folder.iterdir(), key=lambda path: path.name.encode()):
        if entry.is_symlink():
            continue  # Walk does not follow them
        if entry.is_dir():
            if entry.name != ".git":
                yield from _walk(root, entry, catalog)
                if catalog.complaints and catalog.complaints[-1].startswith("walk ended"):
                    return
        elif entry.name.lower() == "chart.yaml":
            content = _metadata(entry)
            if isinstance(content, str):
                catalog.complaints.append(f"walk ended at {entry.relative_to(root)}: {content}")
                return
            yield folder, content
            return  # the rest of this folder is skipped, sub-charts among it


def _metadata(path: Path) -> Any:
    """Return the fields of a Chart.yaml, or a sentence where Go could not decode it."""
    try:
        content = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return f"no YAML: {error}".splitlines()[0]
    if not isinstance(content, dict):
        return "no mapping"
    for key in ("apiVersion", "name", "version", "appVersion", "description", "icon"):
        if not isinstance(content.get(key, ""), str):
            return f"{key} is no string"
    return content


def _add(catalog: Catalog, root: Path, folder: Path, content: Any) -> None:
    place, chart, version = folder.relative_to(root), content.get("name", ""), content.get("version", "")
    if not chart or not version:
        catalog.complaints.append(f"{place}: no name or no version")
        return
    if version in catalog.entries.get(chart, {}):
        catalog.complaints.append(f"{place}: {chart} {version} stands there twice")
    for file in sorted(folder.iterdir()):
        if file.name.lower() in _QUESTIONS and (said := _bad_questions(file)) is not None:
            catalog.complaints.append(f"{place}/{file.name}: the sync ends in an error: {said}")
    icon = content.get("icon", "")
    if icon.startswith("file://") and not (folder / icon.removeprefix("file://")).is_file():
        catalog.complaints.append(f"{place}: the icon is not there")
    catalog.entries.setdefault(chart, {})[version] = digest(root, folder)


def _bad_questions(path: Path) -> str | None:
    try:
        content = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return f"no YAML: {error}".splitlines()[0]
    if not isinstance(content, dict) or not isinstance(content.get("questions", []), list):
        return "no questions"
    for question in content.get("questions", []):
        below = question.get("subquestions", []) if isinstance(question, dict) else []
        for one in (question, *below):
            if (said := _bad_question(one)) is not None:
                return said
        if any("subquestions" in one for one in below):
            return "sub-questions of a sub-question"
    return None


def _bad_question(question: Any) -> str | None:
    if not isinstance(question, dict) or not question.get("variable"):
        return "a question without a variable"
    for key, value in question.items():
        if key in _TEXTS:
            fits = isinstance(value, str | int | float | bool) or value is None
        elif key in _NUMBERS:
            fits = isinstance(value, int) and not isinstance(value, bool)
        elif key == "required":
            fits = isinstance(value, bool)
        elif key == "options":
            fits = isinstance(value, list) and all(isinstance(one, str | int | float) for one in value)
        else:
            fits = key != "subquestions" or isinstance(value, list)
        if not fits:
            return f"{question['variable']}.{key} cannot be decoded"
    return None


def digest(root: Path, folder: Path) -> str:
    """What tells Rancher that a version changed: paths, sizes and the second of the minute, no content."""
    seen = hashlib.md5(usedforsecurity=False)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            about = path.stat()
            seen.update(f"{path.relative_to(root)}{about.st_size}{int(about.st_mtime) % 60}".encode())
    return seen.hexdigest()


def _unfit(catalog: str, chart: str, versions: dict[str, str]) -> str | None:
    """Say why the whole chart is dropped: its id, or that of a version, is no name of Kubernetes."""
    template = f"{catalog}-{chart}"
    if not _subdomain(template) or not (_LABEL_VALUE.fullmatch(template) and len(template) <= 63):
        return f"{chart}: {template} is no name"
    for version in versions:
        # A `+` becomes `-` when it is stored and is looked up as a blank.
        if "+" in version or not _subdomain(f"{template}-{version}"):
            return f"{chart}: {template}-{version} is no name"
    return None


def _subdomain(name: str) -> bool:
    return len(name) <= 253 and _SUBDOMAIN.fullmatch(name) is not None


def coerce(version: str) -> Version | None:
    """What the UI's `Semver.coerce` makes of a version: pre-release and build are gone."""
    found = _COERCE.search(version)
    if found is None:
        return None
    parts = [part or "0" for part in found.groups()]
    if any((part != "0" and part.startswith("0")) or int(part) > _SAFE for part in parts):
        return None
    return int(parts[0]), int(parts[1]), int(parts[2])


def upgrade_is_offered(installed: str, available: str) -> bool:
    """Whether the UI says "upgrade available" to somebody who runs `installed`."""
    old, new = coerce(installed), coerce(available)
    return old is not None and new is not None and new > old
