"""A chart that shall be rendered, and what came out: what `check` asks of `helm`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """One chart with values over its own, the later ones over the earlier.

    `chart` is the chart's folder. Values are the name of a file, or JSON that stands in no file of its own.
    `borrowed` are charts of the same repo that this one depends on and does not carry: the folder of
    each, and the name it goes by.
    """

    chart: str
    values: tuple[str | bytes, ...] = ()
    borrowed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of a `Render`: the documents, or Helm's own words where there are none."""

    render: Render
    text: str
    words: str = ""
