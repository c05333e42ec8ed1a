"""The project's documents as tests read them: headings, code blocks, links, tables."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<kind>[a-z]*)\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
_HEADING = re.compile(r"^(#+) +(.+?)\s*$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_CODE_SPAN = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Document:
    """One Markdown file; `path` is from the root of the checkout."""

    path: str
    text: str

    @property
    def code_blocks(self) -> list[tuple[str, str]]:
        """The fenced blocks: language, and text without the indent of its list item."""
        return [
            (found["kind"], re.sub(rf"(?m)^{found['indent']}", "", found["code"]))
            for found in _FENCE.finditer(self.text)
        ]

    @property
    def prose(self) -> str:
        """The text without fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def headings(self) -> list[tuple[int, str]]:
        """Level and title of each heading, in order."""
        return [(len(found[1]), found[2]) for found in _HEADING.finditer(self.prose)]

    @property
    def links(self) -> list[str]:
        """Where the links lead, in order."""
        return _LINK.findall(self.prose)

    @property
    def code_spans(self) -> set[str]:
        """Everything in single backticks."""
        return set(_CODE_SPAN.findall(self.prose))

    @property
    def table_rows(self) -> list[list[str]]:
        """The cells of each table row."""
        rows = [line for line in self.prose.splitlines() if line.lstrip().startswith("|")]
        return [[cell.strip() for cell in row.strip().strip("|").split(" | ")] for row in rows]

    def section(self, title: str) -> Document:
        """Return the part under a heading, up to the next one of its level or above."""
        found = re.search(rf"(?ms)^(#+) +{re.escape(title)}\s*$(.*?)(?=^#{{1,6}} |\Z)", self.text)
        assert found, f"{self.path} has no section {title!r}"
        return Document(f"{self.path}#{title}", found[2])


def document(path: str) -> Document:
    """Read one document."""
    return Document(path, (ROOT / path).read_text(encoding="utf-8"))


def all_documents() -> list[Document]:
    """Return every Markdown file that Git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.md"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout.decode()
    return [document(name) for name in sorted(listed.split("\0")) if name and (ROOT / name).is_file()]


def slug(title: str) -> str:
    """Return the anchor of a heading, as GitLab and GitHub make it."""
    return re.sub(r"[^\w\- ]", "", re.sub(r"`|\[|\]\([^)]*\)", "", title).lower()).replace(" ", "-")
