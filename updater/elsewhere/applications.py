"""Where Argo CD Image Updater wrote, or should have written, the tags of an application's images.

It hides how an application names its files: source paths, values files, kustomizations, write-back
targets. It turns what `argocd` reads into places for `joining`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from updater.charts import is_kustomization
from updater.elsewhere.argocd import Wanted, wanted
from updater.elsewhere.objects import Findings, Thing, at, items
from updater.elsewhere.values import Mark, Notes
from updater.yamledit import KeyPath

TOOL = "Argo CD Image Updater"
_LEAVE = "take its annotations off the Applications, or delete its ImageUpdater objects"
_INDEX = re.compile(r"\[([0-9]+)\]")


def read(findings: Findings, paths: frozenset[str], notes: Notes) -> list[Mark]:
    """Read which images of which applications are followed, and where their tags stand."""
    marks = [mark for one in wanted(findings.things, notes) for mark in _marks(one, paths, notes)]
    if marks:
        notes.leave(TOOL, _LEAVE)
    return marks


def _marks(one: Wanted, paths: frozenset[str], notes: Notes) -> Iterator[Mark]:
    file = _file(one, paths, notes)
    if not file:
        return
    key = one.spec_key or one.tag_key
    _tell_of_what_overrides(one, file, paths, notes)
    revision = _source(one.application).get("targetRevision", "")
    branch = one.back.branch or ("" if revision == "HEAD" or not isinstance(revision, str) else revision)
    if "{{" in branch:
        notes.tell(one.where, f"the branch {branch!r} is a template; write the branch into the rules.")
        branch = ""
    yield Mark(
        tool=TOOL,
        name=one.alias,
        source=one.where,
        file=file,
        path=_path(key) if key and not is_kustomization(file) else (),
        repository=one.repository,
        choice=one.choice,
        branch=branch,
        proposes=one.back.proposes,
    )


def _tell_of_what_overrides(one: Wanted, file: str, paths: frozenset[str], notes: Notes) -> None:
    """Say where the tool kept its tags, if not in the file that the rules are for."""
    name, folder = one.application.name, _folder(one.application)
    override = posixpath.join(folder, f".argocd-source-{name}.yaml")
    if not one.back.method.startswith("git"):
        notes.tell(
            one.where,
            f"tags were written into the Application {name!r} in the cluster and not into Git; the rules are "
            f"for {file}. Take the parameters out of the Application, as they win.",
        )
    elif not one.back.target:
        there = "" if override in paths else " where it is there"
        notes.tell(
            one.where,
            f"tags were kept in {override}, which wins over {file}: write its tags there and delete "
            f"it{there}.",
        )


def _file(one: Wanted, paths: frozenset[str], notes: Notes) -> str:
    """Return the file with the tag; empty where there is none in this checkout."""
    application, folder = one.application, _folder(one.application)
    kind, _, given = one.back.target.partition(":")
    if "{{" in folder:
        notes.tell(application.where, f"the path {folder!r} is a template; write rules for its files.")
        return ""
    if kind == "helmvalues":
        tried = [_joined(folder, given or "values.yaml")]
    elif kind == "kustomization":
        tried = _kustomizations(_joined(folder, given) if given else folder)
    else:
        tried = [*_kustomizations(folder), *reversed(_values_files(application, folder))]
        tried.append(_joined(folder, "values.yaml"))
    found = next((file for file in tried if file in paths), "")
    if not found:
        notes.tell(
            one.where, f"{tried[-1]}, where the tag of {one.alias} would stand, is not in this checkout."
        )
    return found


def _source(application: Thing) -> dict[str, object]:
    """Return the source with the files: of several the first one with a path."""
    single = application.at("spec", "source")
    every = [single] if isinstance(single, dict) else items(application.at("spec", "sources"))
    tables = [one for one in every if isinstance(one, dict)]
    return next((one for one in tables if one.get("path")), tables[0] if tables else {})


def _folder(application: Thing) -> str:
    path = _source(application).get("path")
    return posixpath.normpath(path).strip("/").removeprefix(".") if isinstance(path, str) else ""


def _values_files(application: Thing, folder: str) -> list[str]:
    """Return the values files of all sources, `$name/...` from the top of the repo."""
    single = application.at("spec", "source")
    every = [single] if isinstance(single, dict) else items(application.at("spec", "sources"))
    files = [str(one) for source in every for one in items(at(source, "helm", "valueFiles"))]
    return [_joined(folder, f"/{one.partition('/')[2]}" if one.startswith("$") else one) for one in files]


def _kustomizations(folder: str) -> list[str]:
    return [
        posixpath.join(folder, name) for name in ("kustomization.yaml", "kustomization.yml", "Kustomization")
    ]


def _joined(folder: str, path: str) -> str:
    """Return a path from the top of the repo, where one with a slash in front starts."""
    whole = path if path.startswith("/") else f"/{folder}/{path}"
    return posixpath.normpath(whole).strip("/")


def _path(key: str) -> KeyPath:
    """Read a key as Helm's `--set` has it: dots between parts, `[0]` for items, `\\.` for a dot."""
    parts: list[str | int] = []
    for part in re.split(r"(?<!\\)\.", key):
        name = part.replace("\\.", ".")
        bare = _INDEX.sub("", name)
        parts.extend([bare] if bare else [])
        parts.extend(int(index) for index in _INDEX.findall(name))
    return tuple(parts)
