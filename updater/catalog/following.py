"""All that follows the tags of one chart, in the same commit.

It hides the order of things: questions and Chart.yaml first, then the folder of the new version. Called
through the package's face.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from updater.catalog import chartfile, folders
from updater.catalog.questions import question_files, with_defaults
from updater.charts.versions import version_of
from updater.errors import EditRefused
from updater.model import Files
from updater.policy import ChartRules

_CHART_FILE = "Chart.yaml"
_VALUES_FILE = "values.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """A chart whose tags move: its folder, all edited contents, and those of them that are its values.

    `app_version` is the tag that the chart is called after now, empty where that did not move. `number`
    is what its version becomes by the scheme `build`, and `least` the highest one that it ever had. `beside`
    tells the YAML files in the folder itself, as looking through all files for them would cost too much.
    """

    folder: str
    edited: Mapping[str, bytes | None]
    values: tuple[str, ...]
    beside: Callable[[], Collection[str]]
    app_version: str = ""
    number: int | None = None
    least: str = ""


@dataclass(slots=True)
class Along:
    """What else changes: further contents, and where edited files of a version's folder go instead.

    `copies` are new files with those that they are copies of. `old` and `new` are the chart's versions, both
    empty where it keeps its version; `folder` is where the new version stands, `removed` are the folders
    that go. `own` are the files that follow the chart's tags, whether they changed or not.
    """

    files: dict[str, bytes | None] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    old: str = ""
    new: str = ""
    folder: str = ""
    removed: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


def follow(rules: ChartRules, files: Files, moving: Moving) -> Along:
    """Return what follows the tags of one chart; `files` are those before the edits.

    Raises:
        EditRefused: something of it cannot be changed safely; the file is named.
    """
    along = Along(folder=moving.folder)
    along.own = (_join(moving.folder, _CHART_FILE),)
    if rules.questions == "always" or (rules.questions == "own" and _moves_own_values(moving)):
        questions = question_files(moving.beside(), moving.folder)
        along.own += questions
        along.files.update(_questions(files, moving, questions))
    _take_versions(rules, files, moving, along)
    if rules.directory:
        _take_folder(rules.keep, files, moving, along)
    return along


def _moves_own_values(moving: Moving) -> bool:
    return _join(moving.folder, _VALUES_FILE) in moving.values


def _questions(files: Files, moving: Moving, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    pairs = [
        (files.read(path), content)
        for path in moving.values
        if path in files.paths and (content := moving.edited.get(path)) is not None
    ]
    for path in paths:
        content = _content(files, moving, path)
        if content is None:
            continue
        try:
            after = with_defaults(content, pairs)
        except EditRefused as refusal:
            raise refusal.within(path) from refusal
        if after != content:
            yield path, after


def _take_versions(rules: ChartRules, files: Files, moving: Moving, along: Along) -> None:
    path = _join(moving.folder, _CHART_FILE)
    app_version = moving.app_version if rules.app_version else ""
    if rules.version == "none" and not app_version and path not in moving.edited:
        return  # without reading it: most changes of a tag end here
    content = _content(files, moving, path)
    if content is None or path not in files.paths:
        return
    try:
        if rules.version != "none":
            check_folder(rules, moving.folder)
            along.old = chartfile.version_in(files.read(path))
            number = moving.number if rules.version == "build" else None
            along.new = chartfile.higher(along.old, number, moving.least)
        version = along.new
        if not version and path in moving.edited:
            version = chartfile.fallen_from(files.read(path), content)
        after = chartfile.with_versions(content, version=version, app_version=app_version)
    except EditRefused as refusal:
        raise refusal.within(path) from refusal
    if after != content:
        along.files[path] = after


def check_folder(rules: ChartRules, folder: str, version: str = "") -> None:
    """Keep a folder that is named like its version from holding another one.

    With the `version` that stands there, a folder for the next one must be possible, too.

    Raises:
        EditRefused: the rules and the folder do not go together.
    """
    if rules.directory and version:
        folders.beside(folder, version)
    if rules.version == "none":
        return
    if not rules.directory and "/" in folder and version_of(folder.rpartition("/")[2]) is not None:
        raise EditRefused(
            f"{folder} is the folder of one version, and the rules raise the version in place: write "
            "directory: true beside version, or keep the chart in a folder without a version in its name"
        )


def _take_folder(keep: int, files: Files, moving: Moving, along: Along) -> None:
    """Let a new folder hold all that changed, and the old one stay as it was published."""
    start = f"{moving.folder}/"
    # All files are looked through once: a catalog has very many.
    home = _join(moving.folder.rpartition("/")[0], "")
    beside = [path for path in files.paths if path.startswith(home)]
    changes = {path: data for path, data in moving.edited.items() if path.startswith(start)} | along.files
    try:
        along.folder = folders.new_folder(beside, moving.folder, along.old, along.new)
    except EditRefused as refusal:
        raise refusal.within(moving.folder) from refusal
    own = frozenset(path for path in beside if path.startswith(start))
    contents = {**files.read_many(own.difference(changes)), **changes}
    along.files = folders.copied(moving.folder, along.folder, contents)
    along.copies = {path: start + path[len(along.folder) + 1 :] for path in along.files}
    along.renamed = {path: f"{along.folder}/{path[len(start) :]}" for path in changes}
    along.removed = folders.outdated(beside, along.folder, keep)
    along.files |= folders.removed(beside, along.removed)


def _content(files: Files, moving: Moving, path: str) -> bytes | None:
    return moving.edited[path] if path in moving.edited else files.read(path) if path in files.paths else None


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
