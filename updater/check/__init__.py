"""Finds what would break before it breaks: in Helm, in Rancher's catalogs and Apps, in Fleet, in the updater.

This package hides what each of them reads in a config repo and trips over. `oneshot` asks it for the
findings of one set of files, for what renderings of it prove, and for what a change did to it; the
sentences stand in `templates/check.txt`. It reads only through the `Files` it is given, starts no program
and changes nothing: a fix is a value that somebody else writes.
"""

from updater.check.chart import Chart
from updater.check.comparing import versions
from updater.check.crossing import Step, crossings
from updater.check.findings import CODES, Finding, Fix, fingerprints, ordered
from updater.check.folding import folded
from updater.check.ground import Around, Ground
from updater.check.inspection import check
from updater.check.mending import mended
from updater.check.rendering import Trial, judged, trials

__all__ = [
    "CODES",
    "Around",
    "Chart",
    "Finding",
    "Fix",
    "Ground",
    "Step",
    "Trial",
    "check",
    "crossings",
    "fingerprints",
    "folded",
    "judged",
    "mended",
    "ordered",
    "trials",
    "versions",
]
