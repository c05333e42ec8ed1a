"""Finds scalars in YAML text and replaces them, leaving every other byte alone.

This package hides the YAML parser (the only place that imports it), positions, quoting, anchors,
several documents, byte order marks and line ends, and the proof that an edit did what was meant and
nothing else. `charts` asks it for every edit; `policy` and `auth` read their files with `load`. It
does no I/O, knows nothing of charts or images and never dumps YAML. What it refuses is told without a
period at the end, because it stands inside of other sentences.
"""

from updater.yamledit.anchors import uses_of_anchor
from updater.yamledit.changes import Insert, Replace
from updater.yamledit.decoding import MAX_BYTES
from updater.yamledit.editing import edit
from updater.yamledit.loading import Loaded, load
from updater.yamledit.nodes import Alias, KeyPath, Mapping, Node, Scalar, Sequence, YamlText
from updater.yamledit.paths import parse_path, show_path
from updater.yamledit.quoting import reads_as_string
from updater.yamledit.reading import MAX_DEPTH, parse

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "Alias",
    "Insert",
    "KeyPath",
    "Loaded",
    "Mapping",
    "Node",
    "Replace",
    "Scalar",
    "Sequence",
    "YamlText",
    "edit",
    "load",
    "parse",
    "parse_path",
    "reads_as_string",
    "show_path",
    "uses_of_anchor",
]
