"""What `updater init` found in manifests, and what of it no environment of its rules takes.

It hides how images are looked for outside charts, and what people miss in such repos: images that an
overlay does not set, and overlays that set none. `init` is the only caller. It writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from updater.charts import Survey, is_kustomization
from updater.errors import EditRefused
from updater.folder import Folder
from updater.model import Scope, familiar_repository
from updater.policy import Environment, manifest_candidates, share_out

# Manifests looked at; more would show nothing new, and each is parsed whole.
MAX_MANIFESTS = 2_000
EVERYWHERE = Scope(files=("**",))
_FEW = 3


def images_in_manifests(files: Folder, survey: Survey) -> frozenset[str]:
    """Return the manifests and kustomizations with images; Compose files and the like are none."""
    candidates = manifest_candidates(files.paths)[:MAX_MANIFESTS]
    return frozenset(
        file
        for file in candidates
        if (is_kustomization(file) or b"apiVersion" in files.read(file)) and survey.in_file(EVERYWHERE, file)
    )


def left_out(files: Folder, survey: Survey, environments: Sequence[Environment]) -> Iterator[str]:
    """Say which overlays are no environments, and which images of manifests no environment takes."""
    manifests = images_in_manifests(files, survey)
    bare = [
        path
        for path in manifest_candidates(files.paths)[:MAX_MANIFESTS]
        if is_kustomization(path) and path not in manifests
    ]
    names = {environment.name for environment in environments}
    stages = {found.name: found.files for _, found in share_out([bare], files.paths)}
    missing = [name for name in stages if name and name not in names]
    if missing:
        yield (
            f"{_few([file for name in missing for file in stages[name]])}: no image stands there, so "
            f"{_few(missing)} cannot be told apart by tags. Write images with a newTag there, and run "
            "`updater init --force` again."
        )
    taken = {file for environment in environments for file in survey.files_of(environment.scope)}
    found: dict[str, list[str]] = {}
    for file in sorted(manifests - taken):
        for target in survey.in_file(EVERYWHERE, file):
            found.setdefault(target.repository, []).append(f"{file}:{target.line}")
    for repository, places in found.items():
        if not any(_is_in(survey, environment, repository) for environment in environments):
            yield (
                f"{_few(places)}: {familiar_repository(repository)} is in no environment, so no build of it "
                "goes out. Add the file to the files of one, or set its tag in a kustomization of one."
            )


def _is_in(survey: Survey, environment: Environment, repository: str) -> bool:
    try:
        return bool(survey.targets(environment.scope, repository))
    except EditRefused:
        return True


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return f"{', '.join(names[:_FEW])}{more}"
