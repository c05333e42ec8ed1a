"""Knows where an image's tag is written: in a Helm chart's values, in kustomizations and manifests.

This package hides the shapes of those files, overlays and their base values, sub-chart sections,
registries written elsewhere, anchors, and the caches that make a request cheap in a repo of ten
thousand charts. `plan` asks it for targets and has them written; `status` and `init` list all of
them. It does no I/O, judges no tag and edits no text itself: `yamledit` does.
"""

from updater.charts.manifests import is_kustomization
from updater.charts.places import Form, Target
from updater.charts.survey import Survey

__all__ = ["Form", "Survey", "Target", "is_kustomization"]
