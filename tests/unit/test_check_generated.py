"""Whatever stands in a config repo is checked: findings have sentences and places, and fixes mend."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from support.checks import CATALOG, OVERLAYS, found, repo
from support.documents import ROOT

from updater.check import Finding, Ground, check, mended

EXAMPLES = [
    {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in {".md", ".svg"}
    }
    for folder in sorted((ROOT / "config-repo-example").iterdir())
]
BASES = [*EXAMPLES, dict(OVERLAYS), dict(CATALOG)]
CHARACTERS = "[]{}:'\"\n\t\ufeff\x85"
PIECES = '- |&a |*a|<<: *a\n|{{ | }}|null|1.10|${x}|# |!!int |>\n|? |include "x"|default: |image: |---\n|&&'
WORDS = st.sampled_from([*CHARACTERS, *PIECES.split("|")])
EDITS = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 40), WORDS),
    min_size=1,
    max_size=8,
)


def broken(base: dict[str, str], edits: list[tuple[int, int, int, str]]) -> dict[str, str]:
    """Return the repo with pieces of its files taken out and words put in."""
    files, names = dict(base), sorted(base)
    for which, where, length, word in edits:
        name = names[which % len(names)]
        start = where % (len(files[name]) + 1)
        files[name] = files[name][:start] + word + files[name][start + length :]
    return files


def differing(before: bytes, after: bytes) -> set[int]:
    """Return the numbers of the lines that are not as before; none may come or go."""
    old, new = before.splitlines(), after.splitlines()
    assert len(old) == len(new)
    return {number for number, pair in enumerate(zip(old, new, strict=True), 1) if pair[0] != pair[1]}


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str, dict[str, object]]]:
    return [(one.code, one.file, dict(one.facts)) for one in findings]


@settings(max_examples=150, deadline=None)
@given(base=st.sampled_from(BASES), edits=EDITS, branch=st.sampled_from(["", "dev", "main"]))
def test_broken_files_are_told_and_what_is_mended_is_gone(
    base: dict[str, str], edits: list[tuple[int, int, int, str]], branch: str
) -> None:
    texts = broken(base, edits)
    files = repo(texts, {})
    findings = found(files, catalog="library", branch=branch, default_branch="main")
    for one in findings:
        assert 0 <= one.line <= texts[one.file].count("\n") + 2
    contents, done = mended(files, findings)
    for name, data in contents.items():
        lines = {one.line for one in done if one.fix is not None and one.fix.file == name}
        assert differing(texts[name].encode(), data) <= lines
    after = {name: data.decode() for name, data in contents.items()}
    again = check(
        Ground(repo({**texts, **after}, {}), catalog="library", branch=branch, default_branch="main")
    )
    assert not [one for one in told(done) if one in told(again)]
    assert len(again) <= len(findings) - len(done)
    assert mended(repo({**texts, **after}, {}), done) == ({}, ())
