"""Knows what else moves in a chart when a tag does, so that Rancher's catalogs and Apps see it.

It hides the default of a question in Rancher's form, `appVersion` and `version` in Chart.yaml, and
folders of versions that never change again (rule `chart`). `plan` asks it for every change it drafts. It
does no I/O, chooses no image and judges no tag; every edit is `yamledit`'s, with its proof.
"""

from updater.catalog.following import Along, Moving, check_folder, follow
from updater.catalog.questions import question_files

__all__ = ["Along", "Moving", "check_folder", "follow", "question_files"]
