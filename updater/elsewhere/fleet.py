"""Fleet's image scan (deprecated): `$imagescan` markers, `imageScans` in fleet.yaml, and its GitRepo.

It hides which scan a marker means and which GitRepo's branch is written. What it returns is for `joining`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from updater.elsewhere import choices
from updater.elsewhere.objects import Findings, Marker, Thing, at, items
from updater.elsewhere.values import DIGEST_MARKER, NAME_MARKER, SUSPENDED, UNKNOWN, Choice, Mark, Notes
from updater.errors import InvalidConfigRepo
from updater.globs import compile_glob
from updater.model import canonical_repository

TOOL = "Fleet"
_LEAVE = "take imageScans out of the fleet.yaml files and imageScanCommit out of the GitRepo"


@dataclass(frozen=True, slots=True)
class _Scan:
    folder: str
    name: str
    where: str
    repository: str
    choice: Choice


def read(findings: Findings, notes: Notes) -> list[Mark]:
    """Read what Fleet was told to scan and where it wrote."""
    marks = []
    scans = [scan for thing in findings.things for scan in _scans(thing, notes)]
    markers = [marker for marker in findings.markers if marker.key == "$imagescan"]
    repos = [thing for thing in findings.things if thing.is_a("GitRepo", "fleet.cattle.io")]
    used = set()
    for marker in markers:
        scan = _meant(marker, scans, notes)
        if scan is not None:
            used.add(scan)
        mark = _mark(marker, scan, _branch(marker.file, repos, notes), notes)
        if mark is not None:
            marks.append(mark)
    for scan in scans:
        if scan not in used:
            notes.mention(scan.where, f"no marker names the scan {scan.name!r}, so it wrote nothing.")
    if marks:
        notes.leave(TOOL, _LEAVE)
    return marks


def _scans(thing: Thing, notes: Notes) -> Iterator[_Scan]:
    folder, _, name = thing.file.rpartition("/")
    listed = items(thing.at("imageScans")) if name in {"fleet.yaml", "fleet.yml"} else []
    if thing.is_a("ImageScan", "fleet.cattle.io"):
        listed = [thing.at("spec")]
    for one in listed:
        image = str(at(one, "image") or "")
        tag_name = str(at(one, "tagName") or "")
        choice = _choice(one)
        if at(one, "suspend") == "true":
            notes.tell(thing.where, f"the scan {tag_name!r} is suspended, and the rules are not.")
            choice = replace(choice, wider=SUSPENDED)
        yield _Scan(folder, tag_name, thing.where, canonical_repository(image) or "", choice)


def _choice(scan: object) -> Choice:
    wanted, alphabetical = at(scan, "policy", "semver"), at(scan, "policy", "alphabetical")
    # Fleet looks for a range first.
    if isinstance(wanted, dict) or not isinstance(alphabetical, dict):
        return choices.by_version(str(at(wanted, "range") or ""))
    # Its API has Flux's words for it, and its code does the reverse (latestTag in tagscan_job.go): the last
    # of the alphabet by desc, and where nothing is said; the first by asc, and by any other word.
    order = str(at(alphabetical, "order") or "desc").lower()
    return choices.by_alphabet(order if order == "desc" else "asc", lowest="asc")


def _meant(marker: Marker, scans: list[_Scan], notes: Notes) -> _Scan | None:
    """Return the scan of the marker's name, that of the nearest fleet.yaml where several have it."""
    name = marker.text.partition(":")[0]
    found = [scan for scan in scans if scan.name == name]
    around = [scan for scan in found if marker.file.startswith(f"{scan.folder}/" if scan.folder else "")]
    best = max(around or found, key=lambda scan: len(scan.folder), default=None)
    if best is None:
        notes.tell(marker.where, f"no scan is called {name!r} in this checkout.")
    elif not around and len(found) > 1:
        notes.tell(marker.where, f"{len(found)} scans are called {name!r}; {best.where} is believed.")
    return best


def _mark(marker: Marker, scan: _Scan | None, branch: str, notes: Notes) -> Mark | None:
    name, _, part = marker.text.partition(":")
    if part == "name":
        notes.mention(marker.where, NAME_MARKER)
        return None
    if part == "digest":
        notes.mention(marker.where, DIGEST_MARKER)
    return Mark(
        tool=TOOL,
        name=name,
        source=scan.where if scan else marker.where,
        file=marker.file,
        line=marker.line,
        document=marker.document,
        path=marker.path,
        repository=scan.repository if scan else "",
        choice=scan.choice if scan else UNKNOWN,
        branch=branch,
    )


def _branch(file: str, repos: list[Thing], notes: Notes) -> str:
    covering = [repo for repo in repos if _covers(repo, file)]
    writing = [repo for repo in covering if repo.at("spec", "imageScanCommit")] or covering
    branches = {repo.text("spec", "branch") for repo in writing}
    if len(branches) > 1:
        names = ", ".join(sorted(repo.name for repo in writing))
        notes.tell(file, f"the GitRepos {names} read it from different branches; say which one is meant.")
        return ""
    return branches.pop() if branches else ""


def _covers(repo: Thing, file: str) -> bool:
    paths = [str(path).strip("/") for path in items(repo.at("spec", "paths"))]
    return not paths or any(_is_within(file, path) for path in paths)


def _is_within(file: str, path: str) -> bool:
    if path in {"", "."} or file.startswith(f"{path}/"):
        return True
    try:
        return bool(compile_glob(f"{path}/**").match(file))
    except InvalidConfigRepo:
        return False
