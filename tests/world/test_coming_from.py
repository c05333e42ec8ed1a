"""Coming from other tools: the rules `updater init` writes make the same change the tool would make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.commandline import updater

from updater.charts import Survey
from updater.elsewhere import carry_over
from updater.folder import Folder
from updater.model import ImageReference
from updater.oneshot import Errand, update_folder
from updater.policy import RULES_PATH, Environment, parse_rules

IRIS, LILY = "registry.example.com/iris", "registry.example.com/lily"


def write(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


class Checkout:
    """A checkout in which `updater init` has run."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        self.folder, self.files = write(folder, files), files
        local = Folder(folder)
        carried = carry_over(local, Survey(local))
        assert carried is not None
        self.notes, self.text = " ".join(carried.notes), carried.text
        write(folder, {RULES_PATH: carried.text})
        rules = parse_rules(self.text.encode())
        self.environments: dict[str, Environment] = {one.name: one for one in rules.environments}

    def sent(self, image: str) -> dict[str, tuple[str, str]]:
        """Send an image; return what lines changed in which file."""
        update_folder(Errand(image=ImageReference.parse(image, None)), self.folder)
        changes = {}
        for path, before in self.files.items():
            after = (self.folder / path).read_text()
            if after != before:
                pairs = zip(before.splitlines(), after.splitlines(), strict=True)
                [changed] = [pair for pair in pairs if pair[0] != pair[1]]
                changes[path] = changed
                self.files = self.files | {path: after}
        return changes


Make = Callable[[dict[str, str]], Checkout]


@pytest.fixture
def checkout(tmp_path: Path) -> Make:
    return lambda files: Checkout(tmp_path, files)


def deployment(line: str) -> str:
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: iris}\nspec:\n  template:\n    spec:\n"
        f"      containers:\n        - name: iris\n          {line}\n"
    )


# Fleet

FLEET = {
    "iris/fleet.yaml": (
        f"namespace: iris\nimageScans:\n- image: {IRIS}\n  tagName: iris-scan\n  interval: 5m\n"
        "  policy:\n    semver:\n      range: '~1.26'\n"
    ),
    "iris/deployment.yaml": deployment(f'image: {IRIS}:1.26.3 # {{"$imagescan": "iris-scan"}}'),
    "lily/fleet.yaml": (
        f"imageScans:\n- image: {LILY}\n  tagName: lily\n  policy: {{alphabetical: {{order: desc}}}}\n"
    ),
    "lily/Chart.yaml": "apiVersion: v2\nname: lily\nversion: 0.1.0\n",
    "lily/values.yaml": (
        f'image:\n  repository: {LILY} # {{"$imagescan": "lily:name"}}\n'
        '  tag: 2026-11-27 # {"$imagescan": "lily:tag"}\n'
    ),
    "gitrepo.yaml": (
        "kind: GitRepo\napiVersion: fleet.cattle.io/v1alpha1\nmetadata: {name: flowers}\nspec:\n"
        "  repo: https://git.example.com/flowers\n  branch: live\n  imageScanInterval: 5m\n"
        "  imageScanCommit: {authorName: fleet, authorEmail: fleet@example.com, messageTemplate: up}\n"
    ),
}


def test_fleets_scans_become_environments_with_their_policies(checkout: Make) -> None:
    found = checkout(FLEET)
    assert {
        name: (one.branch, one.delivery, one.scope.files) for name, one in found.environments.items()
    } == {
        "iris-scan": ("live", "commit", ("iris/deployment.yaml",)),
        "lily": ("live", "commit", ("lily/values.yaml",)),
    }
    assert "take imageScans out of the fleet.yaml files" in found.notes
    assert found.sent(f"{IRIS}:1.26.4") == {
        "iris/deployment.yaml": (
            f'          image: {IRIS}:1.26.3 # {{"$imagescan": "iris-scan"}}',
            f'          image: {IRIS}:1.26.4 # {{"$imagescan": "iris-scan"}}',
        )
    }
    assert found.sent(f"{IRIS}:1.27.0") == {}
    assert found.sent(f"{IRIS}:1.26.5-rc.1") == {}
    assert found.sent(f"{LILY}:2026-11-28") == {
        "lily/values.yaml": (
            '  tag: 2026-11-27 # {"$imagescan": "lily:tag"}',
            '  tag: "2026-11-28" # {"$imagescan": "lily:tag"}',
        )
    }
    assert found.sent(f"{LILY}:2026-11-01") == {}


# Flux

AUTOMATION = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageUpdateAutomation
metadata: {name: all, namespace: flux-system}
spec:
  sourceRef: {kind: GitRepository, name: flowers}
  git:
    checkout: {ref: {branch: main}}
    commit: {author: {email: flux@example.com}}
    push: {branch: image-updates}
  update: {path: ./apps, strategy: Setters}
"""
POLICY = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata: {{name: {name}, namespace: flux-system}}
spec: {{image: registry.example.com/{name}, interval: 5m}}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {{name: {name}, namespace: flux-system}}
spec:
  imageRepositoryRef: {{name: {name}}}
  filterTags:
    pattern: '^main-[a-f0-9]+-(?P<ts>[0-9]+)'
    extract: '$ts'
  policy: {{numerical: {{order: asc}}}}
"""
HELM_RELEASE = f"""\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: lily}}
spec:
  values:
    image:
      repository: {LILY} # {{"$imagepolicy": "flux-system:lily:name"}}
      tag: main-abc-100 # {{"$imagepolicy": "flux-system:lily:tag"}}
    env:
      - name: VERSION
        value: main-abc-100 # {{"$imagepolicy": "flux-system:lily:tag"}}
"""
FLUX = {
    "clusters/automation.yaml": AUTOMATION,
    "clusters/policies.yaml": POLICY.format(name="iris") + "---\n" + POLICY.format(name="lily"),
    "apps/staging/iris/kustomization.yaml": (
        f"resources: [../../base]\nimages:\n- name: iris\n  newName: {IRIS}\n"
        '  newTag: main-abc-100 # {"$imagepolicy": "flux-system:iris:tag"}\n'
    ),
    "apps/staging/lily/release.yaml": HELM_RELEASE,
    "apps/production/iris/kustomization.yaml": (
        f"images:\n- name: iris\n  newName: {IRIS}\n  newTag: main-a-9\n"
    ),
}


def test_fluxs_policies_become_patterns_and_a_push_branch_a_merge_request(checkout: Make) -> None:
    found = checkout(FLUX)
    [staging] = found.environments.values()
    assert (staging.name, staging.branch, staging.delivery) == ("staging", "main", "merge-request")
    assert staging.tags.pattern == "^main-[a-f0-9]+-(?P<build>[0-9]+).*"
    assert staging.tags.order == "numeric"
    assert found.sent(f"{IRIS}:main-def-99") == {}
    assert found.sent(f"{IRIS}:main-def-101") == {
        "apps/staging/iris/kustomization.yaml": (
            '  newTag: main-abc-100 # {"$imagepolicy": "flux-system:iris:tag"}',
            '  newTag: main-def-101 # {"$imagepolicy": "flux-system:iris:tag"}',
        )
    }
    assert found.sent(f"{IRIS}:develop-def-102") == {}


def test_a_marker_where_nothing_is_found_by_looking_is_named_under_images(checkout: Make) -> None:
    found = checkout(FLUX)
    [one, other] = sorted((pin.path, pin.repository) for pin in found.environments["staging"].scope.pinned)
    assert one == (("spec", "values", "env", 0, "value"), LILY)
    assert other == (("spec", "values", "image", "tag"), LILY)
    update_folder(Errand(image=ImageReference.parse(f"{LILY}:main-def-101", None)), found.folder)
    after = (found.folder / "apps/staging/lily/release.yaml").read_text()
    assert after == HELM_RELEASE.replace("main-abc-100", "main-def-101")


# Argo CD Image Updater

APPLICATION = f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: garden
  annotations:
    argocd-image-updater.argoproj.io/image-list: iris={IRIS}:^1.2, lily={LILY}
    argocd-image-updater.argoproj.io/lily.update-strategy: newest-build
    argocd-image-updater.argoproj.io/lily.allow-tags: regexp:^main-
    argocd-image-updater.argoproj.io/lily.ignore-tags: '*-dirty, main-0'
    argocd-image-updater.argoproj.io/lily.helm.image-tag: flowers.lily.version
    argocd-image-updater.argoproj.io/write-back-method: git
    argocd-image-updater.argoproj.io/write-back-target: helmvalues:values-dev.yaml
    argocd-image-updater.argoproj.io/git-branch: main:image-updates
spec:
  source: {{repoURL: 'https://git.example.com/garden', path: charts/garden, targetRevision: HEAD}}
"""
ARGO = {
    "argocd/garden.yaml": APPLICATION,
    "charts/garden/Chart.yaml": "apiVersion: v2\nname: garden\nversion: 0.1.0\n",
    "charts/garden/values.yaml": f"image:\n  repository: {IRIS}\n  tag: none\n",
    "charts/garden/values-dev.yaml": "image:\n  tag: 1.2.0\nflowers:\n  lily:\n    version: main-7\n",
}
# The same with a chart for each.
APART = {
    "argocd/garden.yaml": APPLICATION.replace(f", lily={LILY}", ""),
    "argocd/pond.yaml": APPLICATION.replace("garden", "pond").replace(f"iris={IRIS}:^1.2, ", ""),
    "charts/garden/Chart.yaml": "apiVersion: v2\nname: garden\nversion: 0.1.0\n",
    "charts/garden/values.yaml": f"image:\n  repository: {IRIS}\n  tag: none\n",
    "charts/garden/values-dev.yaml": "image:\n  tag: 1.2.0\n",
    "charts/pond/Chart.yaml": "apiVersion: v2\nname: pond\nversion: 0.1.0\n",
    "charts/pond/values-dev.yaml": "flowers:\n  lily:\n    version: main-7\n",
}


def test_images_of_one_values_file_that_are_chosen_apart_are_for_a_person_to_decide(tmp_path: Path) -> None:
    ran = updater("init", cwd=write(tmp_path, ARGO))
    assert ran.code == 0
    rules = tmp_path / RULES_PATH
    assert f"Wrote {RULES_PATH}, with every environment commented out: dev-iris, dev-lily." in ran.out
    assert ran.err.startswith(
        f"Note: dev-iris is commented out: {LILY}:1.3.0, which ^main- without *-dirty and main-0 kept out, "
        "would go out by dev-iris (charts/garden/values-dev.yaml).\n"
    )
    text = rules.read_text()
    assert "\n  #dev-iris:\n  #  branch: main\n" in text
    assert updater("plan", f"{LILY}:1.2.0", "--worktree", ".", cwd=tmp_path).code != 0


def test_argo_cds_annotations_become_rules_for_the_file_it_wrote(checkout: Make) -> None:
    found = checkout(APART)
    assert {name: (one.branch, one.delivery) for name, one in found.environments.items()} == {
        "dev-iris": ("main", "merge-request"),
        "dev-lily": ("main", "merge-request"),
    }
    file, pond = "charts/garden/values-dev.yaml", "charts/pond/values-dev.yaml"
    assert found.sent(f"{IRIS}:1.10.0") == {file: ("  tag: 1.2.0", "  tag: 1.10.0")}
    assert found.sent(f"{IRIS}:2.0.0") == {}
    assert found.sent(f"{LILY}:main-8") == {pond: ("    version: main-7", "    version: main-8")}
    assert found.sent(f"{LILY}:main-9-dirty") == {}
    assert found.sent(f"{LILY}:main-0") == {}
    assert found.sent(f"{LILY}:develop-9") == {}
    assert found.sent(f"{LILY}:main-6") == {pond: ("    version: main-8", "    version: main-6")}


def test_the_command_tells_on_stderr_what_the_rules_do_not_say(tmp_path: Path) -> None:
    ran = updater("init", cwd=write(tmp_path, FLEET))
    assert ran.code == 0
    assert "Note: lily/values.yaml:2: the name of an image is never written, only its tag.\n" in ran.err
    text = (tmp_path / RULES_PATH).read_text()
    assert "# - lily/values.yaml:2: the name of an image is never written, only its tag.\n" in text
    assert updater("init", "--print", cwd=tmp_path).out == text
    again = updater("init", cwd=tmp_path)
    assert (again.code, again.out) == (2, "")
    assert again.err.startswith("Error: .updater/rules.yaml is there already; --force replaces it")
    assert "Note:" not in again.err
