"""What concerns the repo as a whole: symbolic links and an index that hides the charts (E7, E8, W22), and
keys that stand twice in files that are no values (E20).

It hides what Rancher does before it looks at a single chart. Called by `inspection`.
"""

from __future__ import annotations

from collections.abc import Iterator

from updater.check.findings import Finding
from updater.check.ground import Ground
from updater.check.nodes import duplicates, mapping, value
from updater.yamledit import Mapping, Sequence, YamlText
from updater.yamledit.nodes import behind, child

_INDEX = "index.yaml"


def of_repo(ground: Ground) -> Iterator[Finding]:
    """Yield links, a stray index, and keys that stand twice."""
    yield from _links(ground)
    if _INDEX in ground.files.paths and not _is_meant(ground):
        yield Finding(code="E8", file=_INDEX, line=1)
    for path in (
        *(path for chart in ground.charts for path in (chart.file, *chart.questions)),
        *ground.bundles,
    ):
        text = ground.parsed(path)
        for key, line, first_line in duplicates(text) if isinstance(text, YamlText) else ():
            facts = {"key": key, "first_line": first_line}
            yield Finding(code="E20", file=path, line=line, facts=facts)


def _links(ground: Ground) -> Iterator[Finding]:
    """Yield links where one is the end of all; else those that lead nowhere, and once what others hide."""
    if ground.is_catalog:
        for link in ground.links:
            yield Finding(code="E7", file=link, facts={"fault": "catalog"})
        return
    visible = {path: kind for path, kind in ground.around.links.items() if "/." not in f"/{path}"}
    for link in sorted(visible):
        if not visible[link]:
            yield Finding(code="E7", file=link, facts={"fault": "nowhere"})
    hiding = [one for one in sorted(visible) if visible[one] == "folder" or _may_matter(visible[one], one)]
    if hiding:
        yield Finding(code="W22", file=hiding[0], facts={"others": hiding[1:]})


def _may_matter(kind: str, link: str) -> bool:
    return kind == "file" and link.endswith((".yaml", ".yml", ".tpl", ".json", ".txt"))


def _is_meant(ground: Ground) -> bool:
    """Say whether the index lists packages that are there: of this repo, or at an address."""
    root = ground.root(_INDEX)
    entries = mapping(child(root, "entries")) if root is not None else None
    if entries is None or not entries.entries:
        return False
    return all(_is_there(ground, url) for url in _urls(entries))


def _urls(entries: Mapping) -> Iterator[str]:
    for _, versions in entries.entries:
        node = behind(versions)
        for version in node.items if isinstance(node, Sequence) else ():
            urls = child(version, "urls", through=True)
            place = behind(urls) if urls is not None else None
            texts = [value(one) for one in place.items] if isinstance(place, Sequence) else []
            yield from texts or [""]


def _is_there(ground: Ground, url: str) -> bool:
    return "://" in url or url in ground.files.paths
