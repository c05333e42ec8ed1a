"""What Kustomize and Kubernetes objects say about images that values files of charts do not.

It hides the entries of a kustomization's `images:` (and of the lists shaped like it in objects of Flux),
and which objects name an image without running it. `scan` asks it; it looks at one mapping at a time.

In an entry `name` is the image as the manifests have it, and `newName`, where it is set, is what runs
instead: so that is the repository then. `newTag` is the tag; a `digest` beside it decides what runs.
"""

from __future__ import annotations

from updater.charts.places import Form
from updater.charts.shapes import Found
from updater.charts.views import View
from updater.model import split_reference
from updater.yamledit import KeyPath, Mapping, Node, Scalar
from updater.yamledit.nodes import behind, key_text

KUSTOMIZATION_FILES = frozenset(("kustomization.yaml", "kustomization.yml", "Kustomization"))

# What these objects call `image` is what a tool watches in a registry, and no tag belongs there.
_WATCHERS = ("image.toolkit.fluxcd.io/", "argocd-image-updater.argoproj.io/")
_WATCHER_KINDS = ("ImageScan",)
_WATCHER_KEYS = ("imageScans",)


def is_kustomization(file: str) -> bool:
    """Say whether Kustomize would read a file of this name as a kustomization."""
    return file.rpartition("/")[2] in KUSTOMIZATION_FILES


def kustomize_image(view: View, path: KeyPath, parent: str, *, kustomization: bool) -> Found | None:
    """Return the image of an entry of Kustomize's `images:`, or None where the mapping is none.

    In a kustomization every entry is one, elsewhere one that has a key only Kustomize knows.
    """
    if not parent.endswith("images"):
        return None
    own = kustomization and len(path) == 2 and path[0] == "images"
    new_name, new_tag = view.entries.get("newname"), view.entries.get("newtag")
    if not own and new_name is None and new_tag is None:
        return None
    repository = new_name if new_name is not None and new_name.text else view.entries.get("name")
    if repository is None or not repository.text:
        return None
    problem = ""
    _, tag, digest = split_reference(repository.text)
    if repository is new_name and (tag or digest):
        problem = "newName carries a tag or digest itself, which Kustomize writes twice: move it to newTag"
    elif new_tag is not None and not new_tag.scalar:
        problem = "newTag is not a single value"
    found = view.entries.get("digest")
    digest_entry = found if found is not None and found.scalar else None
    form = Form.TAG if new_tag is not None else Form.MISSING
    return Found(form, repository, new_tag, digest_entry, "", "newTag", problem)


def only_watches(root: Node) -> bool:
    """Say whether a document is an object that tells some tool which image to watch, and runs none."""
    if not isinstance(root, Mapping):
        return False
    texts = {
        key_text(key): value.value for key, node in root.entries if isinstance(value := behind(node), Scalar)
    }
    return texts.get("apiVersion", "").startswith(_WATCHERS) or texts.get("kind", "") in _WATCHER_KINDS


def is_watch_list(path: KeyPath) -> bool:
    """Say whether a key at the top of a file, such as Fleet's `imageScans`, lists images to watch."""
    return len(path) == 1 and path[0] in _WATCHER_KEYS
