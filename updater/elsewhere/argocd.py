"""Argo CD Image Updater: what its annotations and ImageUpdater objects ask for, image by image.

It hides that one thing can be said in two forms, and where each option falls back to another. What
comes out is for `applications`, which finds the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from updater.elsewhere import choices
from updater.elsewhere.objects import Thing, at, items
from updater.elsewhere.values import Choice, Notes
from updater.model import canonical_repository

PREFIX = "argocd-image-updater.argoproj.io/"
_GROUP = "argocd-image-updater.argoproj.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteBack:
    """How an application's images are written: the method, the target, the branch, and by request or not."""

    method: str = ""
    target: str = ""
    branch: str = ""
    proposes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One image of one application: `tag_key` is Helm's key of the tag, `spec_key` of the whole reference."""

    application: Thing
    where: str
    alias: str
    repository: str
    choice: Choice
    tag_key: str = ""
    spec_key: str = ""
    back: WriteBack = WriteBack()


def wanted(things: tuple[Thing, ...], notes: Notes) -> Iterator[Wanted]:
    """Yield every image that some application is to follow."""
    applications = [thing for thing in things if thing.is_a("Application", "argoproj.io")]
    for application in applications:
        yield from _annotated(application, notes)
    for thing in things:
        if thing.is_a("ApplicationSet", "argoproj.io") and _annotations(
            thing.at("spec", "template", "metadata", "annotations")
        ):
            notes.tell(
                thing.where,
                f"the ApplicationSet {thing.name!r} makes its applications elsewhere; write rules for their "
                "files as for those of an Application.",
            )
        if thing.is_a("ImageUpdater", _GROUP):
            yield from _declared(thing, applications, notes)


def _annotations(table: object) -> dict[str, str]:
    found = table if isinstance(table, dict) else {}
    return {
        key.removeprefix(PREFIX): value
        for key, value in found.items()
        if key.startswith(PREFIX) and isinstance(value, str)
    }


def _annotated(application: Thing, notes: Notes) -> Iterator[Wanted]:
    said = _annotations(application.at("metadata", "annotations"))
    base, colon, target = said.get("git-branch", "").partition(":")
    back = WriteBack(
        method=said.get("write-back-method", ""),
        target=said.get("write-back-target", ""),
        branch=base,
        proposes=bool(colon) and target != base,
    )
    for written in filter(None, (part.strip() for part in said.get("image-list", "").split(","))):
        alias, equals, image = written.partition("=")
        name = image if equals else written
        # A slash in a name is written `_` in a key.
        stem = (alias if equals else _bare(name)[0]).replace("/", "_")
        own = {
            key.removeprefix(f"{stem}."): value for key, value in said.items() if key.startswith(f"{stem}.")
        }
        option = {"update-strategy": "", "allow-tags": "", "ignore-tags": ""} | said | own
        if "pull-secret" in option or "platforms" in option:
            notes.mention(application.where, "pull-secret and platforms: no registry is asked.")
        yield Wanted(
            application=application,
            where=application.where,
            alias=stem,
            repository=canonical_repository(_bare(name)[0]) or "",
            choice=_choice(
                option["update-strategy"],
                _bare(name)[1],
                option["allow-tags"],
                [glob.strip() for glob in option["ignore-tags"].split(",") if glob.strip()],
            ),
            tag_key=own.get("helm.image-tag", ""),
            spec_key=own.get("helm.image-spec", ""),
            back=back,
        )


def _declared(updater: Thing, applications: list[Thing], notes: Notes) -> Iterator[Wanted]:
    for reference in items(updater.at("spec", "applicationRefs")):
        pattern = str(at(reference, "namePattern") or "*")
        if at(reference, "labelSelectors"):
            notes.tell(updater.where, "labelSelectors: applications are told apart by name alone.")
        matching = [one for one in applications if fnmatchcase(one.name, pattern)]
        if not matching:
            notes.tell(updater.where, f"no Application called {pattern!r} is in this checkout.")
        for application in matching:
            if at(reference, "useAnnotations") == "true":
                continue
            for image in items(at(reference, "images")):
                yield _image(updater, application, reference, image)


def _image(updater: Thing, application: Thing, reference: object, image: object) -> Wanted:
    settings: dict[str, object] = {}
    backs: dict[str, object] = {}
    for level in (updater.at("spec"), reference, image):
        settings |= _table(at(level, "commonUpdateSettings"))
        back = _table(at(level, "writeBackConfig"))
        git = {**_table(backs.get("gitConfig")), **_table(back.get("gitConfig"))}
        backs |= {**back, "gitConfig": git}
    name, constraint = _bare(str(at(image, "imageName") or ""))
    base, colon, target = str(at(backs, "gitConfig", "branch") or "").partition(":")
    ignored = items(settings.get("ignoreTags"))
    return Wanted(
        application=application,
        where=updater.where,
        alias=str(at(image, "alias") or name),
        repository=canonical_repository(name) or "",
        choice=_choice(
            str(settings.get("updateStrategy") or ""),
            constraint,
            str(settings.get("allowTags") or ""),
            [str(glob) for glob in ignored],
        ),
        tag_key=str(at(image, "manifestTargets", "helm", "tag") or ""),
        spec_key=str(at(image, "manifestTargets", "helm", "spec") or ""),
        back=WriteBack(
            method=str(backs.get("method") or ""),
            target=str(at(backs, "gitConfig", "writeBackTarget") or ""),
            branch=base,
            proposes=(bool(colon) and target != base) or at(backs, "gitConfig", "pullRequest") is not None,
        ),
    )


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _bare(name: str) -> tuple[str, str]:
    """Return an image's name and what stands behind its colon, which may be a range with `/` in no part."""
    folder, slash, last = name.rpartition("/")
    repository, _, constraint = last.partition(":")
    return f"{folder}{slash}{repository}", constraint


def _choice(strategy: str, constraint: str, allow: str, ignore: list[str]) -> Choice:
    kind, _, expression = allow.partition(":")
    pattern = expression if kind.lower() == "regexp" else ""
    choice = choices.without(_by(strategy.lower(), constraint, pattern), ignore)
    if allow and allow.lower() != "any" and not pattern:
        told = f"allow-tags {allow!r}: it took no tag by that, and the rules take any"
        choice = replace(choice, told=(*choice.told, told), wider="it took no tag of it")
    return choice


def _by(strategy: str, constraint: str, pattern: str) -> Choice:
    if strategy in {"latest", "newest-build"}:
        return choices.by_time(pattern)
    if strategy in {"name", "alphabetical"}:
        return choices.by_alphabet("", pattern)
    if strategy == "digest":
        return choices.of_one_tag(constraint, pattern)
    return choices.by_version(constraint, pattern)
